"""Seeds of a few training images as they grew while a segmenter was trained."""

from __future__ import annotations

from wsss_steps.formats.kinds import DataSet, Kind

GROWTH = Kind(
    "growth",
    {
        "frames": DataSet(
            "u1",
            3,
            "seeds as they were grown after an epoch, (H, W): 0 background, 1..C, 255 unlabelled; named by the epoch",
            palette=True,
            one_per="epochs",
        ),
        "epochs": DataSet("i4", 1, "epochs that were finished at each frame, ascending; 0 is the start"),
    },
)
