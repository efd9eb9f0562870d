"""Saliency maps corrected by class activation maps."""

from __future__ import annotations

from wsss_steps.formats.kinds import DataSet, Kind

REFINED_SALIENCY = Kind(
    "refined_saliency",
    {
        "refined": DataSet(
            "u1", 2, "refined saliency map, (H, W): 0 background, 1 object, 255 unlabelled", palette=True
        ),
    },
)
