"""What each kind of HDF5 store holds: one data set a row."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DataSet:
    """What one data set of a store holds: numpy type, number of dimensions, what it means and in which unit."""

    dtype: str
    dimensions: int
    meaning: str
    unit: str = "1"
    scale: float = 1.0  # value = stored number * scale
    palette: bool = False


# (H, W) is the size of the image, (h, w) a grid; background 0, classes 1..C, 255 unlabelled.
KINDS: dict[str, dict[str, DataSet]] = {
    "cams": {
        "cam": DataSet(
            "u1", 3, "class activation maps of the classes in `class`, (n, H, W) or strided, maximum 1", scale=1 / 255
        ),
        "class": DataSet("u1", 1, "the present classes, ascending, 1..C"),
    },
    "features": {
        "features": DataSet("f2", 3, "one feature vector per patch, (h, w, d), rows first"),
        "extent": DataSet(
            "f4", 1, "height and width that the grid spans; the image is its top left part", unit="px of the image"
        ),
    },
    "superpixels": {
        "superpixels": DataSet("u2", 2, "superpixel of every pixel, (H, W), 1..n"),
        "seed_patches": DataSet(
            "i4", 1, "row-major index of the patch each superpixel grew from, (n,); -1 if from none"
        ),
    },
    "saliency": {
        "saliency": DataSet("u1", 2, "saliency of every pixel, (H, W), 0 not salient to 1 salient", scale=1 / 255)
    },
    "refined_saliency": {
        "refined": DataSet(
            "u1", 2, "refined saliency map, (H, W): 0 background, 1 object, 255 unlabelled", palette=True
        )
    },
    "seeds": {"seeds": DataSet("u1", 2, "partial label map, (H, W): 0 background, 1..C, 255 unlabelled", palette=True)},
    "confusions": {
        "confusion": DataSet(
            "i8", 2, "pixels of ground truth class (row) predicted as class (column), (C+1, C+1 or C+2)"
        )
    },
}
