"""Class activation maps."""

from __future__ import annotations

from wsss_steps.formats.kinds import DataSet, Kind

CAMS = Kind(
    "cams",
    {
        "cam": DataSet(
            "u1", 3, "class activation maps of the classes in `class`, (n, H, W) or strided, maximum 1", scale=1 / 255
        ),
        "class": DataSet("u1", 1, "the present classes, ascending, 1..C"),
    },
)
