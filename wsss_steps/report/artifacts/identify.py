"""What kind of artifact a path is."""

from __future__ import annotations

import json
from pathlib import Path

from wsss_steps.errors import UserError
from wsss_steps.formats import kinds
from wsss_steps.formats.indices import kind_of as kind_of_store
from wsss_steps.formats.pictures import DAMAGED, opened

LABELS, LABEL_MAP, PICTURE, CHECKPOINT, TABLE = "label maps", "label map", "picture", "checkpoint", "table"
TEXT, JSON, STAMP, RECORD = "text", "JSON", "stamp", "record of files"
SUFFIXES = {
    ".safetensors": CHECKPOINT,
    ".csv": TABLE,
    ".tsv": TABLE,
    ".log": TEXT,
    ".md": TEXT,
    ".yaml": TEXT,
    ".jpg": PICTURE,
    ".jpeg": PICTURE,
}
JSONS = ("manifest", "ground_truth", "boxes", "score", "tag_score", "box_score", "superpixel_score", "configuration")


def identify(path: Path) -> str:
    """The kind of an artifact: that of a store (`cams`), the format of a JSON file (`manifest`), or one named above.

    A UserError if there is no such file or folder, if it is damaged, or of no kind that this project writes.
    """
    if path.is_dir():
        return _of_folder(path)
    if not path.is_file():
        raise UserError(f"{path}: no such file or folder{_beside(path)}")
    if path.suffix == ".h5":
        return kind_of_store(path).name
    if path.suffix == ".json":
        return _of_json(path)
    if path.suffix == ".png":
        return _of_png(path)
    if path.suffix not in SUFFIXES:
        raise UserError(
            f"{path}: expected an artifact of this workflow, found a file of no kind that is known; {known()}"
        )
    return SUFFIXES[path.suffix]


def known() -> str:
    """What exists, in words."""
    return (
        f"known are stores (.h5: {', '.join(kinds.names())}), folders of label maps and single ones (.png), "
        f"checkpoints (.safetensors), tables (.csv, .tsv), JSON ({', '.join(JSONS)}) and logs"
    )


def label_maps_below(folder: Path) -> list[str]:
    """Ids of the label maps in a folder, sorted; none if the first PNG is another picture, such as the gallery."""
    found = sorted(path for path in folder.glob("*.png") if not path.name.startswith("."))
    return [path.stem for path in found] if found and _of_png(found[0]) == LABEL_MAP else []


def _of_folder(path: Path) -> str:
    if label_maps_below(path):
        return LABELS
    found = sorted(one.relative_to(path).as_posix() for one in path.rglob("*") if one.suffix in (".h5", ".safetensors"))
    inside = f"; artifacts below it: {', '.join(found[:8])}{', ...' if len(found) > 8 else ''}" if found else ""
    raise UserError(f"{path}: expected a folder of label maps (<id>.png), found a folder without any{inside}")


def _beside(path: Path) -> str:
    """What lies where a missing file was expected."""
    if not path.parent.is_dir():
        return ""
    found = sorted(one.name for one in path.parent.iterdir() if not one.name.startswith("."))
    return f"; in {path.parent}/ lie {', '.join(found[:12])}{', ...' if len(found) > 12 else ''}" if found else ""


def _of_json(path: Path) -> str:
    if path.name.endswith("provenance.json"):
        return STAMP
    if path.name.startswith(".") and path.name.endswith(".files.json"):
        return RECORD
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path}: not valid JSON ({error})") from None
    name = str(content.get("format", "")) if isinstance(content, dict) else ""
    return name.removeprefix("wsss/") if name.startswith("wsss/") else JSON


def _of_png(path: Path) -> str:
    """A label map is indexed or grey; anything else is a picture, such as the gallery."""
    try:
        with opened(path, ("PNG",)) as image:
            return LABEL_MAP if image.mode in ("P", "L") else PICTURE
    except DAMAGED as error:
        raise UserError(f"{path}: not a readable PNG ({error})") from None
