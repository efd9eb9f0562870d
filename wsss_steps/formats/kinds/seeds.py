"""Partial label maps."""

from __future__ import annotations

from wsss_steps.formats.kinds import DataSet, Kind

SEEDS = Kind(
    "seeds",
    {
        "seeds": DataSet("u1", 2, "partial label map, (H, W): 0 background, 1..C, 255 unlabelled", palette=True),
    },
)
