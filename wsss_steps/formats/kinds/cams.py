"""Class activation maps."""

from __future__ import annotations

from wsss_steps.formats.kinds import DataSet, Kind

CAMS = Kind(
    "cams",
    {
        "cam": DataSet(
            "u1", 3, "map of a class, (H, W) or strided, 0 to 1; named by the class", scale=1 / 255, one_per="class"
        ),
        "class": DataSet("u1", 1, "the classes of the maps, ascending, 1..C; 0 is background"),
    },
    version=2,
)
