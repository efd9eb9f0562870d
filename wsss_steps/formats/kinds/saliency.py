"""Saliency maps."""

from __future__ import annotations

from wsss_steps.formats.kinds import DataSet, Kind

SALIENCY = Kind(
    "saliency",
    {
        "saliency": DataSet("u1", 2, "saliency of every pixel, (H, W), 0 not salient to 1 salient", scale=1 / 255),
    },
)
