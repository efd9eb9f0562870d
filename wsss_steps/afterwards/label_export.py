"""Label maps of a run in another program's layout, written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from wsss_steps.afterwards import coco, label_sources, mmseg
from wsss_steps.afterwards.image_files import Images
from wsss_steps.errors import UserError
from wsss_steps.formats.files import IN_A_FOLDER, whole, write_json
from wsss_steps.provenance.digests import code_digest
from wsss_steps.provenance.stamp import stamp

STEP = "export_labels"
Format = Literal["coco", "mmseg"]


def export(
    folders: Sequence[Path], target: Path, form: Format, *, images: Images | None, per: coco.Per | None
) -> list[tuple[str, int]]:
    """Write `target` from folders of label maps; returns each split with its number of images.

    images: whether photographs are linked or copied; None leaves them where they are (COCO alone). per: COCO's
    annotations. A UserError as of `label_sources.read`, or if `target` is a folder that this workflow did not make.
    """
    if form == "mmseg" and (images is None or per is not None):
        raise UserError("--format mmseg: expected --images link or copy, and no --per, which is of coco")
    splits = label_sources.read(folders)
    inputs = {f"labels[{number}]": folder for number, folder in enumerate(folders)}
    settings = {"format": form, "images": images, "per": per}
    about = stamp(STEP, settings=settings, code=code_digest(f"afterwards.{form}"), device="cpu", inputs=inputs)
    with whole(target) as temporary:
        temporary.mkdir()
        write_json(temporary / IN_A_FOLDER, json.loads(about))
        if form == "coco":
            coco.write(temporary, splits, per=per or "class", images=images)
        elif images is not None:
            mmseg.write(temporary, splits, images=images)
    return [(split.name, len(split.labelled)) for split in splits]
