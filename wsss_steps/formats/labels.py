"""Label maps as indexed PNG with the palette of PASCAL VOC."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wsss_steps.errors import UserError
from wsss_steps.formats import pictures
from wsss_steps.formats.files import IN_A_FOLDER, whole, write_json


def voc_palette() -> list[int]:
    """The 256 colours of VOC label images as 768 numbers: a label's bits spread over the high bits of R, G and B."""
    palette = []
    for label in range(256):
        for channel in range(3):
            palette.append(sum(((label >> (3 * bit + channel)) & 1) << (7 - bit) for bit in range(3)))
    return palette


def write_labels(path: Path, labels: NDArray[np.uint8]) -> None:
    """Write a label map (H, W), 0..C and 255, as an indexed PNG; not atomic, for use inside a `label_folder`."""
    if labels.dtype != np.uint8 or labels.ndim != 2:
        raise ValueError(
            f"{path}: expected a label map of 2 dimensions of uint8, found {labels.ndim} of {labels.dtype}"
        )
    image = Image.fromarray(labels, mode="P")
    image.putpalette(voc_palette())
    image.save(path)


@contextlib.contextmanager
def label_folder(target: Path, stamp: str) -> Iterator[Path]:
    """Yield a new folder for label maps, which holds their provenance; it becomes `target` when the block ends."""
    with whole(target) as folder:
        folder.mkdir()
        write_json(folder / IN_A_FOLDER, json.loads(stamp or "{}"))
        yield folder


def write_label_folders(
    targets: Mapping[str, Path | None], items: Iterable[tuple[str, Mapping[str, NDArray[Any]]]], *, stamp: str
) -> int:
    """Write folders of `<image id>.png` from (image id, {name: label map}) pairs; returns the number of images.

    `targets` has the folder of each name, None for maps that are not written. Raises ValueError if an item has other
    names.
    """
    count = 0
    with contextlib.ExitStack() as stack:
        folders = {name: stack.enter_context(label_folder(path, stamp)) for name, path in targets.items() if path}
        for image_id, maps in items:
            if set(maps) != set(targets):
                raise ValueError(f"label maps of image '{image_id}': expected {sorted(targets)}, found {sorted(maps)}")
            for name, folder in folders.items():
                write_labels(folder / f"{image_id}.png", maps[name])
            count += 1
    return count


def read_labels(path: Path) -> NDArray[np.uint8]:
    """Read a label map (H, W), upright, from an indexed or grey 8-bit image in a lossless format, whatever its name.

    A UserError for a missing or damaged file, another mode, or a lossy format (JPEG).
    """
    try:
        with pictures.opened_without_loss(path) as image:
            if image.mode not in ("P", "L"):
                raise UserError(
                    f"{path}: expected an indexed (P) or grey (L) 8-bit label image, found mode {image.mode}"
                )
            return np.array(pictures.upright(image), dtype=np.uint8)
    except FileNotFoundError:
        raise UserError(f"{path}: no such label image") from None
    except pictures.DAMAGED as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{path}: not a readable label image ({error})") from None
