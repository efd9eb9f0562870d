"""The annotations with the boxes of a split, as `sources` has the images and masks: what says that they changed.

Free of torch, and of all that reads them, so that planning is fast.
"""

from __future__ import annotations

from pathlib import Path

from wsss_steps.data import sources, voc_lists


def of_boxes(root: Path, *, list_file: str, boxes: str, scored_list: str | None) -> sources.Sources:
    """The annotations of a split, with size and time; the parameters are those of `voc_boxes.read_boxes`."""
    listed = sources.of_masks(root, list_file=list_file, mask_folder=None, scored_list=scored_list)
    ids = voc_lists.read_list(root / (scored_list or list_file), [])
    paths = (root / boxes / f"{image_id}.xml" for image_id in ids)
    return sources.Sources(listed.content, {path.as_posix(): _stat(path) for path in paths})


def _stat(path: Path) -> sources.Stat:
    """Size and time of the last modification of a file, if it exists."""
    try:
        status = path.stat()
    except OSError:
        return sources.ABSENT
    return status.st_size, status.st_mtime_ns
