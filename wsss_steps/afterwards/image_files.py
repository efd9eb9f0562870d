"""Photographs for other programs: linked or copied, and written upright where a program might not turn them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from PIL import Image

from wsss_steps.data.images import opened, read_image
from wsss_steps.formats import pictures

Images = Literal["link", "copy"]
QUALITY = 95  # of a JPEG that is written again


def is_upright(path: Path) -> bool:
    """Whether a photograph's rows are those of its file: no orientation in EXIF turns it."""
    with opened(path) as image:
        return pictures.orientation(image) == 1


def suffix_of(path: Path) -> str:
    """The usual suffix of a photograph's format, `.jpg` or `.png`; that of its name for others."""
    with opened(path) as image:
        known = {"JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png"}
        return known.get(str(image.format), path.suffix.lower())


def common_suffix(paths: Sequence[Path]) -> str:
    """The suffix for all photographs, of programs that want one: `.png` if all are PNG, else `.jpg`."""
    return ".png" if {suffix_of(path) for path in paths} == {".png"} else ".jpg"


def put(path: Path, target: Path, images: Images) -> None:
    """Link or copy a photograph to `target`; one that is not upright, or of another format, is written again."""
    if not is_upright(path) or suffix_of(path) != target.suffix:
        options: dict[str, Any] = {"quality": QUALITY, "subsampling": 0} if target.suffix == ".jpg" else {}
        Image.fromarray(read_image(path)).save(target, **options)
    elif images == "link":
        target.symlink_to(path)
    else:
        shutil.copyfile(path, target)
