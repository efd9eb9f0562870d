"""Features of patches."""

from __future__ import annotations

from wsss_steps.formats.kinds import DataSet, Kind

FEATURES = Kind(
    "features",
    {
        "features": DataSet("f2", 3, "one feature vector per patch, (h, w, d), rows first"),
        "extent": DataSet(
            "f4", 1, "height and width that the grid spans; the image is its top left part", unit="px of the image"
        ),
    },
)
