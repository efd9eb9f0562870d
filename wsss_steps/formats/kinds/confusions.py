"""Confusion matrices of single images."""

from __future__ import annotations

from wsss_steps.formats.kinds import DataSet, Kind

CONFUSIONS = Kind(
    "confusions",
    {
        "confusion": DataSet(
            "i8", 2, "pixels of ground truth class (row) predicted as class (column), (C+1, C+1 or C+2)"
        ),
    },
)
