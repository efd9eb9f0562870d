"""Saliency maps of the user's own, made by whatever program: a folder of 8-bit grey PNGs."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wsss_steps.data.images import DAMAGED
from wsss_steps.data.manifest import Entry
from wsss_steps.errors import UserError, all_wrong

log = logging.getLogger(__name__)

LISTED = 20  # images named in the log


def maps(
    entries: Sequence[Entry], source: Path, device: str, *, bad_maps: Literal["stop", "leave_out"], whole: bool = True
) -> tuple[list[str], Iterator[NDArray[np.uint8]]]:
    """Read `<id>.png` of every entry from the folder `source`, after all of them have been checked.

    UserError that lists every map that is missing, damaged, of another size than its image or zero throughout; with
    `leave_out` such an image is left out instead, and its map is zero. A map of another mode than 8-bit grey is always
    an error, since all are then likely to be wrong, and so is a folder without one good map for a `whole` data set (a
    shard may have none).
    """
    wrong_mode, problems = [], {}
    for entry in entries:
        mode, problem = _check(source, entry)
        if mode != "L":
            wrong_mode.append(f"{entry.id}: found mode {mode}")
        elif problem:
            problems[entry.id] = problem
    all_wrong(f"{source}: expected saliency maps of 8-bit grey (mode L); these are others", wrong_mode)
    if bad_maps == "stop" or (whole and len(problems) == len(entries)):
        advice = "mend them, or set bad_maps: leave_out" if len(problems) < len(entries) else "all of them"
        all_wrong(
            f"{source}: saliency maps that cannot be used ({advice})",
            [f"{image_id}: {problem}" for image_id, problem in problems.items()],
        )
    if problems:
        more = ", ..." if len(problems) > LISTED else ""
        log.warning(
            "%d of %d images are left out for want of a saliency map: %s",
            len(problems),
            len(entries),
            "; ".join(f"{image_id}: {problem}" for image_id, problem in list(problems.items())[:LISTED]) + more,
        )
    return list(problems), (
        np.zeros((entry.height, entry.width), np.uint8) if entry.id in problems else read(source, entry)
        for entry in entries
    )


def _check(folder: Path, entry: Entry) -> tuple[str, str | None]:
    """Mode of the map of an image (L if it cannot be told), and what else is wrong with it."""
    path = folder / f"{entry.id}.png"
    if not path.is_file():
        return "L", "missing"
    try:
        with Image.open(path) as image:
            if image.mode != "L":
                return image.mode, None
            values = np.array(image)
    except DAMAGED as error:
        return "L", f"damaged ({error})"
    if values.shape != (entry.height, entry.width):
        found = f"{values.shape[0]} x {values.shape[1]}"
        return "L", f"expected {entry.height} x {entry.width} px (manifest), found {found}"
    return "L", None if values.any() else "zero throughout"


def read(folder: Path, entry: Entry) -> NDArray[np.uint8]:
    """The map (H, W) of one image, which has been checked; a UserError if it changed since."""
    mode, problem = _check(folder, entry)
    if mode != "L" or problem:
        raise UserError(f"{folder}: the saliency map of '{entry.id}' changed while it was read: {problem or mode}")
    with Image.open(folder / f"{entry.id}.png") as image:
        return np.array(image)
