"""PASCAL VOC 2012 with SBD, and MS-COCO 2014, as their archives unpack, with a few images of a few pixels."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.io import savemat

from wsss_steps.formats.labels import write_labels

HEIGHT, WIDTH = 12, 16
VOC_LISTS = {"train": ("2007_000032", "2007_000039"), "val": ("2007_000033",)}
SBD_LISTS = {"train": ("2008_000002", "2007_000033"), "val": ("2008_000003", "2007_000039")}
TRAIN_AUG = ["2007_000032", "2007_000039", "2008_000002", "2008_000003"]
VOC_TAGS = {
    "2007_000032": ("aeroplane", "person"),
    "2007_000033": ("aeroplane",),
    "2007_000039": ("tvmonitor",),
    "2008_000002": ("tvmonitor",),
    "2008_000003": ("train", "person"),
}
NUMBERS = {"aeroplane": 1, "person": 15, "train": 19, "tvmonitor": 20}
CLASSES = ["aeroplane", "person", "train", "tvmonitor"]


def write_image(path: Path, seed: int, size: tuple[int, int] = (HEIGHT, WIDTH)) -> None:
    """A photograph of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def labels_of(names: Sequence[str]) -> np.ndarray:
    """The upper half shows the first class, the lower half the last one; the left half is background."""
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[: HEIGHT // 2, WIDTH // 2 :] = NUMBERS[names[0]]
    labels[HEIGHT // 2 :, WIDTH // 2 :] = NUMBERS[names[-1]]
    return labels


def write_sbd(path: Path, labels: np.ndarray, boundaries: int = 20) -> None:
    """A file of SBD's `cls`, with the fields that it has there: a struct array of one with boundaries and classes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = np.empty((boundaries, 1), object)
    for index in range(boundaries):
        cells[index, 0] = np.zeros(labels.shape, bool)
    present = np.unique(labels[labels > 0]).reshape(-1, 1)
    savemat(
        path,
        {"GTcls": {"Boundaries": cells, "Segmentation": labels, "CategoriesPresent": present}},
        do_compression=True,
    )


def write_ids(path: Path, ids: Iterable[str]) -> None:
    """A list file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{one}\n" for one in ids))


def make_voc(folder: Path) -> Path:
    """`VOCdevkit` and `benchmark_RELEASE` below `folder`; returns the root."""
    root, sbd = folder / "VOCdevkit/VOC2012", folder / "benchmark_RELEASE/dataset"
    for split, ids in VOC_LISTS.items():
        write_ids(root / f"ImageSets/Segmentation/{split}.txt", ids)
        for one in ids:
            labels = labels_of(VOC_TAGS[one])
            labels[:, WIDTH // 2] = 255
            (root / "SegmentationClass").mkdir(exist_ok=True)
            write_labels(root / "SegmentationClass" / f"{one}.png", labels)
    for split, ids in SBD_LISTS.items():
        write_ids(sbd / f"{split}.txt", ids)
        for one in ids:
            write_sbd(sbd / "cls" / f"{one}.mat", labels_of(VOC_TAGS[one]))
            write_image(sbd / "img" / f"{one}.jpg", int(one[-3:]))
    (root / "Annotations").mkdir()
    for one, names in VOC_TAGS.items():
        write_image(root / "JPEGImages" / f"{one}.jpg", int(one[-3:]))
        objects = "".join(f"<object><name>{name}</name><difficult>0</difficult></object>" for name in names)
        (root / "Annotations" / f"{one}.xml").write_text(f"<annotation><folder>VOC2012</folder>{objects}</annotation>")
    return root


def make_own(root: Path) -> Path:
    """What some papers want beside VOC: weights of Wide ResNet-38, empty here, and saliency maps; returns the root."""
    (root / "weights").mkdir(exist_ok=True)
    (root / "weights/resnet38_imagenet.pth").touch()
    for one in TRAIN_AUG:
        (root / "saliency").mkdir(exist_ok=True)
        Image.new("L", (WIDTH, HEIGHT), 200).save(root / "saliency" / f"{one}.png")
    return root


# ---- COCO: ids and names of a few of the 80 categories as in COCO's files

CATEGORIES = {1: "person", 3: "car", 16: "bird", 17: "cat", 90: "toothbrush"}


def box(top: int, left: int, bottom: int, right: int) -> list[list[float]]:
    """The polygon around the rows `top` to `bottom` - 1 and the columns `left` to `right` - 1."""
    return [[left, top, right, top, right, bottom, left, bottom]]


def runs(pixels: np.ndarray) -> dict[str, Any]:
    """Uncompressed run lengths of a crowd as COCO writes them: down the columns, background first."""
    flat = pixels.astype(bool).flatten(order="F")
    counts, value = [0], False
    for pixel in flat:
        if pixel != value:
            counts.append(0)
            value = pixel
        counts[-1] += 1
    return {"size": list(pixels.shape), "counts": counts}


def annotation(image: int, category: int, shape: Any, crowd: int = 0) -> dict[str, Any]:
    """An annotation as COCO has them."""
    return {"image_id": image, "category_id": category, "segmentation": shape, "iscrowd": crowd, "area": 1.0}


CROWD = np.zeros((HEIGHT, WIDTH), bool)
CROWD[6:, :] = True
ANNOTATED: Mapping[str, Mapping[int, list[tuple[int, Any, int]]]] = {
    "train": {
        9: [(17, box(2, 2, 6, 6), 0), (1, box(0, 0, 8, 8), 0)],  # the cat lies within the person, and comes first
        25: [(90, box(0, 8, 4, 12), 0), (1, runs(CROWD), 1)],
        30: [],
        34: [(1, runs(CROWD), 1)],
    },
    "val": {42: [(3, box(1, 1, 5, 9), 0), (16, box(3, 5, 9, 15), 0)], 73: []},
}


def file_of(split: str, image: int) -> str:
    """The name of an image's file."""
    return f"COCO_{split}2014_{image:012d}.jpg"


def make_coco(root: Path) -> Path:
    """The data set below `root`; returns it."""
    for split, images in ANNOTATED.items():
        content: dict[str, Any] = {
            "info": {"year": 2014},
            "categories": [{"id": number, "name": name} for number, name in CATEGORIES.items()],
            "images": [
                {"id": one, "file_name": file_of(split, one), "height": HEIGHT, "width": WIDTH} for one in images
            ],
            "annotations": [
                annotation(one, category, shape, crowd)
                for one, found in images.items()
                for category, shape, crowd in found
            ],
        }
        (root / "annotations").mkdir(parents=True, exist_ok=True)
        (root / f"annotations/instances_{split}2014.json").write_text(json.dumps(content))
        for one in images:
            write_image(root / f"{split}2014" / file_of(split, one), one)
    return root
