"""The user's own saliency maps: a folder of 8-bit grey PNGs, made by any program."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wsss_steps.data.manifest import Entry
from wsss_steps.errors import UserError, all_wrong
from wsss_steps.formats import pictures
from wsss_steps.methods.per_image import Arrays

log = logging.getLogger(__name__)

LISTED = 20  # images named in the log
OTHER_SUFFIXES = (".PNG", ".jpg", ".jpeg", ".JPG", ".tif", ".tiff", ".gif", ".bmp")  # looked for where a map is missing


@dataclass(frozen=True)
class _Map:
    """One map as read: `values` (H, W) of uint8, or the `problem` with it; `mode` is L if unknown."""

    values: NDArray[np.uint8] | None
    mode: str = "L"
    problem: str | None = None


def maker(
    entries: Sequence[Entry], *, source: Path, bad_maps: Literal["stop", "leave_out"], whole: bool = True
) -> tuple[list[str], Callable[[Entry, Mapping[str, Arrays]], NDArray[np.uint8]]]:
    """Read `<id>.png` (H, W) of every entry, upright, from the folder `source`, after checking all of them.

    A UserError lists every map that is missing, damaged, all zero or not of the size of its image; with `leave_out`
    such an image is left out instead, and its map is zero. A map of another mode than 8-bit grey is always an error,
    since then all are likely to be wrong, and so is a folder without any usable map for a `whole` data set (a shard
    may have none).
    """
    wrong_mode, problems, constant, inverted = [], {}, [], []
    for entry in entries:
        found = _read(source, entry)
        if found.mode != "L":
            wrong_mode.append(f"{entry.id}: found mode {found.mode}")
        elif found.problem:
            problems[entry.id] = found.problem
        elif found.values is not None and found.values.min() == found.values.max():
            constant.append(entry.id)
        elif found.values is not None and _brighter_outside(found.values):
            inverted.append(entry.id)
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
            "%d of %d images are left out, as their saliency maps cannot be used: %s",
            len(problems),
            len(entries),
            "; ".join(f"{image_id}: {problem}" for image_id, problem in list(problems.items())[:LISTED]) + more,
        )
    _hint(source, len(entries) - len(problems), constant, inverted)

    def make(entry: Entry, _: Mapping[str, Arrays]) -> NDArray[np.uint8]:
        return np.zeros((entry.height, entry.width), np.uint8) if entry.id in problems else read(source, entry)

    return list(problems), make


def _hint(source: Path, total: int, constant: Sequence[str], inverted: Sequence[str]) -> None:
    """Warn about usable maps that are probably wrong: constant or inverted ones."""
    if constant:
        more = ", ..." if len(constant) > LISTED else ""
        log.warning(
            "%s: %d of %d saliency maps have one value throughout, which tells nothing: %s",
            source,
            len(constant),
            total,
            ", ".join(constant[:LISTED]) + more,
        )
    if 2 * len(inverted) > total:
        log.warning(
            "%s: %d of %d saliency maps are brighter along the border than in the middle: are they inverted? "
            "Expected 0 where nothing is salient, 255 where something is",
            source,
            len(inverted),
            total,
        )


def _brighter_outside(values: NDArray[np.uint8]) -> bool:
    """Whether a map (H, W) is brighter within a tenth of its size from the border than in its middle."""
    height, width = values.shape
    outside = np.ones(values.shape, bool)
    rows, columns = max(1, height // 10), max(1, width // 10)
    outside[rows:-rows, columns:-columns] = False
    middle = values[height // 4 : height - height // 4, width // 4 : width - width // 4]
    return bool(values[outside].mean() > middle.mean())


def _read(folder: Path, entry: Entry) -> _Map:
    """The map of one image, upright, checked against its entry."""
    path = folder / f"{entry.id}.png"
    try:
        with pictures.opened(path, pictures.PHOTOGRAPHS) as image:
            if image.mode != "L":
                return _Map(None, image.mode)
            values = np.array(pictures.upright(image))
    except FileNotFoundError:
        others = [suffix for suffix in OTHER_SUFFIXES if (folder / f"{entry.id}{suffix}").is_file()]
        return _Map(None, problem="missing" + (f" (found {entry.id}{others[0]}; expected .png)" if others else ""))
    except pictures.DAMAGED as error:
        return _Map(None, problem=f"damaged ({error})")
    expected = (entry.height, entry.width)
    if values.shape != expected:
        found = f"{values.shape[0]} x {values.shape[1]}"
        hint = "; maps must be upright, as EXIF turns their images" if values.shape == expected[::-1] else ""
        return _Map(None, problem=f"expected {entry.height} x {entry.width} px (manifest), found {found}{hint}")
    return _Map(values, problem=None if values.any() else "zero throughout")


def read(folder: Path, entry: Entry) -> NDArray[np.uint8]:
    """The map (H, W) of one image that has been checked; a UserError if it has changed since."""
    found = _read(folder, entry)
    if found.values is None or found.problem:
        reason = found.problem or found.mode
        raise UserError(f"{folder}: the saliency map of '{entry.id}' changed while it was read: {reason}")
    return found.values
