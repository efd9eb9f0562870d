"""Pack label maps of PASCAL VOC 2012's test images for its evaluation server, after checking every one of them."""

# The archive holds results/VOC2012/Segmentation/<competition>_test_cls/<id>.png, as the server expects it, and the same
# label maps give the same bytes.

from __future__ import annotations

import argparse
import contextlib
import gzip
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wsss_steps.data import voc_lists
from wsss_steps.data.archives.voc2012 import CLASSES, IMAGES, LISTS
from wsss_steps.data.images import opened
from wsss_steps.errors import UserError, all_wrong
from wsss_steps.formats import pictures
from wsss_steps.formats.files import whole
from wsss_steps.formats.labels import read_labels, voc_palette

COMPETITIONS = {
    "comp6": "trained on other data too, such as weights of ImageNet and SBD",
    "comp5": "trained on VOC alone",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The label maps, the data set, and where the archive goes."""
    parser.add_argument("maps", type=Path, help="folder of label maps <id>.png, such as .../segmentation_crf/test")
    parser.add_argument(
        "--root", type=Path, required=True, help="VOCdevkit/VOC2012 with the test images and their list"
    )
    parser.add_argument("--out", type=Path, default=Path("results.tgz"), help="the archive (default: results.tgz)")
    parser.add_argument("--list", default=f"{LISTS}/test.txt", help="ids, below the root (default: %(default)s)")
    meaning = "; ".join(f"{name}: {text}" for name, text in COMPETITIONS.items())
    parser.add_argument("--competition", choices=COMPETITIONS, default="comp6", help=f"{meaning} (default: comp6)")


def run(options: argparse.Namespace) -> None:
    """Check all label maps, and pack them."""
    ids = listed(options.root / options.list)
    folder = f"results/VOC2012/Segmentation/{options.competition}_test_cls"
    pack(
        options.out,
        {f"{folder}/{name}.png": labels for name, labels in checked(options.maps, options.root, ids).items()},
    )
    print(f"{options.out}: {len(ids)} label maps in {folder}")


def listed(path: Path) -> list[str]:
    """The ids of the images; a UserError if the list cannot be read."""
    wrong: list[str] = []
    ids = voc_lists.read_list(path, wrong)
    all_wrong("images of the test server", wrong)
    return ids


def checked(maps: Path, root: Path, ids: list[str]) -> dict[str, NDArray[np.uint8]]:
    """The label maps (H, W) by id.

    A UserError that lists missing and additional ones, other sizes than those of the images, and values above 20.
    """
    if not maps.is_dir():
        raise UserError(f"{maps}: no such folder of label maps")
    names = voc_lists.images_in(root / IMAGES)
    found, wrong = dict[str, NDArray[np.uint8]](), list[str]()
    for one in ids:
        try:
            found[one] = read_labels(maps / f"{one}.png")
            wrong += problems(found[one], root / IMAGES / next(iter(names.get(one, [f"{one}.jpg"]))))
        except UserError as error:
            wrong.append(str(error))
    known = set(ids)
    wrong += [f"{path}: of no image in the list" for path in sorted(maps.glob("*.png")) if path.stem not in known]
    all_wrong(f"{maps}: label maps that the test server would refuse or score as wrong", wrong)
    return found


def problems(labels: NDArray[np.uint8], image: Path) -> Iterator[str]:
    """What is wrong with the label map of an image."""
    with opened(image) as photo:
        height, width = pictures.upright_size(photo)
    if labels.shape != (height, width):
        found = f"{labels.shape[0]} x {labels.shape[1]}"
        yield f"{image.stem}: expected the size of its image, {height} x {width} (height x width), found {found}"
    if other := sorted(int(value) for value in np.unique(labels) if value > len(CLASSES)):
        yield f"{image.stem}: expected values 0..{len(CLASSES)}, of every pixel, found {other}"


def pack(target: Path, maps: dict[str, NDArray[np.uint8]]) -> None:
    """Write a gzipped tar of indexed PNG with VOC's palette, without times and owners."""
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(stack.enter_context(whole(target)).open("wb"))
        packed = stack.enter_context(gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0))
        archive = stack.enter_context(tarfile.open(fileobj=packed, mode="w"))
        for name, labels in maps.items():
            data = png(labels)
            about = tarfile.TarInfo(name)
            about.size = len(data)
            archive.addfile(about, io.BytesIO(data))


def png(labels: NDArray[np.uint8]) -> bytes:
    """A label map as the bytes of an indexed PNG with VOC's palette."""
    image, file = Image.fromarray(labels, mode="P"), io.BytesIO()
    image.putpalette(voc_palette())
    image.save(file, format="PNG")
    return file.getvalue()
