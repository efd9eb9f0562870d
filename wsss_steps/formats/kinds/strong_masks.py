"""Label images of some training images, for methods that learn from more than tags."""

from __future__ import annotations

from wsss_steps.formats.kinds import DataSet, Kind

STRONG_MASKS = Kind(
    "strong_masks",
    {
        "masks": DataSet("u1", 2, "label image, (H, W): 0 background, 1..C, 255 void", palette=True),
    },
)
