"""Copies of large photographs at working size, so that the memory and time of every step are bounded; and of maps."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from PIL import Image

from wsss_steps.data.images import read_image, resize_image
from wsss_steps.data.listing import checked
from wsss_steps.data.manifest import Entry, Manifest
from wsss_steps.data.originals import Original, working_size
from wsss_steps.errors import UserError, all_wrong
from wsss_steps.formats import pictures
from wsss_steps.formats.files import IN_A_FOLDER, whole, write_json
from wsss_steps.provenance.digests import file_digest


def with_copies(
    manifest: Manifest, max_side: int | None, folder: Path, stamp: str
) -> tuple[Manifest, dict[str, Original]]:
    """The manifest with a copy in `folder` for every image of a longer side than `max_side`, and their originals.

    Copies are upright PNG, `<id>.png`, without loss; smaller images are left where they are. The folder is written
    whole or not at all, also if it stays empty but for its stamp.
    """
    large = [
        one for one in manifest.entries if working_size(one.height, one.width, max_side) != (one.height, one.width)
    ]
    with whole(folder) as temporary:
        temporary.mkdir()
        write_json(temporary / IN_A_FOLDER, json.loads(stamp or "{}"))
        copies = _copied(large, max_side, temporary, folder)
    originals = {one.id: Original(one.image, one.height, one.width, one.sha256) for one in large}
    entries = tuple(copies.get(entry.id, entry) for entry in manifest.entries)
    return replace(manifest, entries=entries), originals


def _copied(entries: Sequence[Entry], max_side: int | None, temporary: Path, folder: Path) -> dict[str, Entry]:
    """Write the copies into `temporary`; their entries, by id, as they will lie in `folder`."""

    def copy(entry: Entry) -> Entry:
        size = working_size(entry.height, entry.width, max_side)
        name = f"{entry.id}.png"
        Image.fromarray(resize_image(read_image(Path(entry.image)), size)).save(temporary / name)
        sha256 = file_digest(temporary / name)
        return replace(entry, image=(folder / name).as_posix(), height=size[0], width=size[1], sha256=sha256)

    return {entry.id: entry for entry in checked(copy, entries, "copies of large images")}


def copy_maps(entries: Sequence[Entry], maps: Mapping[str, str], folder: Path, stamp: str) -> None:
    """Write `<id>.png` into `folder` for each of `maps`, 8-bit grey images by image id, at the size of its entry.

    Images without a map have none there. A UserError lists every map that is damaged, in colour, or of another shape
    than its image.
    """
    problems: list[str] = []
    with whole(folder) as temporary:
        temporary.mkdir()
        write_json(temporary / IN_A_FOLDER, json.loads(stamp or "{}"))
        for entry in (entry for entry in entries if entry.id in maps):
            try:
                _copied_map(Path(maps[entry.id]), entry).save(temporary / f"{entry.id}.png")
            except UserError as error:
                problems.append(str(error))
        all_wrong("saliency maps that the table names", problems)


def _copied_map(path: Path, entry: Entry) -> Image.Image:
    """A saliency map at the size of an entry, bilinear; a UserError if it is damaged or has another shape."""
    try:
        with pictures.opened(path, pictures.PHOTOGRAPHS) as image:
            if image.mode != "L":
                raise UserError(f"{path}: expected 8-bit grey (mode L), found mode {image.mode}")
            grey = pictures.upright(image).copy()
    except UserError:
        raise
    except pictures.DAMAGED as error:
        raise UserError(f"{path}: not a readable image ({error})") from None
    size = (entry.height, entry.width)
    if working_size(grey.height, grey.width, max(size)) != size:
        expected = f"expected the shape of its image, such as {size[0]} x {size[1]} px (height x width)"
        raise UserError(f"{path}: {expected}, found {grey.height} x {grey.width}")
    return grey if (grey.height, grey.width) == size else grey.resize(size[::-1], Image.Resampling.BILINEAR)
