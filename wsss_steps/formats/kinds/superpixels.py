"""Superpixels."""

from __future__ import annotations

from wsss_steps.formats.kinds import DataSet, Kind

SUPERPIXELS = Kind(
    "superpixels",
    {
        "superpixels": DataSet("u2", 2, "superpixel of every pixel, (H, W), 1..n"),
        "seed_patches": DataSet(
            "i4", 1, "row-major index of the patch each superpixel grew from, (n,); -1 if from none"
        ),
    },
)
