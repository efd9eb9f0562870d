"""A few images of a configured data set: keys of a configuration that reads them alone, and how many there are.

Nothing is copied: lists, tables and links are written into a folder. The images are taken at even distances, since
lists are often sorted by something. No image is opened, and of COCO only the annotations are read.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from wsss_steps.data import voc_lists
from wsss_steps.data.archives import coco2014, voc2012
from wsss_steps.data.photo_folder import read_folder
from wsss_steps.errors import UserError, all_wrong
from wsss_steps.settings.data_set import TRAIN
from wsss_steps.workflow.config import Config

Item = TypeVar("Item")
LISTS = Path("ImageSets/Segmentation")  # of VOC
SCORED = "scored"  # beside the splits: the training images that are scored


@dataclass(frozen=True)
class Cut:
    """`keys` are those of the configuration that change. `full` and `taken` count images, by split and of `SCORED`."""

    keys: dict[str, Any]
    full: dict[str, int]
    taken: dict[str, int]
    notes: list[str] = field(default_factory=list)


def spread(items: Sequence[Item], count: int) -> list[Item]:
    """Up to `count` of the items, at even distances, in their order."""
    count = min(count, len(items))
    return [items[number * len(items) // count] for number in range(count)]


def cut(config: Config, images: int, folder: Path) -> Cut:
    """A slice of up to so many images of each split of a valid configuration; files go into `folder`, an absolute path.

    A UserError if a list, a table or annotations cannot be read.
    """
    if config.draw is not None:
        return _drawn(config, images)
    if config.images is not None:
        return _photographs(config, images, folder)
    if config.convert is None:
        return _listed(config, images, folder)
    return {"voc2012": _voc2012, "coco2014": _coco2014}[config.convert.format](config, images, folder)


def _counted(keys: dict[str, Any], every: dict[str, int], images: int, scored: int | None = None) -> Cut:
    full = every | {SCORED: every[TRAIN] if scored is None else scored}
    return Cut(keys, full, {name: min(images, count) for name, count in full.items()})


def _drawn(config: Config, images: int) -> Cut:
    """Fewer drawn scenes."""
    assert config.draw is not None
    drawn = config.draw.model_dump(mode="json")
    counts = {split: drawn[split] for split in (TRAIN, "val") if drawn[split]}
    return _counted({"draw": drawn | {name: min(images, n) for name, n in counts.items()}}, counts, images)


# ---- VOC layout


def _read(path: Path) -> list[str]:
    problems: list[str] = []
    ids = voc_lists.read_list(path, problems)
    all_wrong("before the slice is cut", problems)
    return ids


def _write_lists(folder: Path, lists: dict[str, list[str]]) -> dict[str, str]:
    """A list file for each name; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, ids in lists.items():
        (folder / f"{name}.txt").write_text("".join(f"{one}\n" for one in ids), encoding="utf-8")
    return {name: (folder / f"{name}.txt").as_posix() for name in lists}


def _listed(config: Config, images: int, folder: Path) -> Cut:
    """Shorter lists; those of training images that are scored, if not all of them are."""
    root = Path(config.root)
    ids = {TRAIN: _read(root / config.train_list), **{name: _read(root / path) for name, path in config.splits.items()}}
    return _with_lists({}, config.scored_list, ids, root, images, folder)


def _with_lists(
    keys: dict[str, Any], scored_list: str | None, ids: dict[str, list[str]], root: Path, images: int, folder: Path
) -> Cut:
    """The same of any lists: a slice of each, written, and the keys that name them."""
    scored = None if scored_list is None else _read(root / scored_list)
    taken = {name: spread(found, images) for name, found in ids.items()}
    if scored is not None:
        taken[TRAIN] = spread(scored, images)
    paths = _write_lists(folder / "lists", taken)
    keys = keys | {"train_list": paths[TRAIN], "splits": {name: paths[name] for name in ids if name != TRAIN}}
    keys |= {} if scored is None else {"scored_list": paths[TRAIN]}
    counts = {name: len(found) for name, found in ids.items()}
    return _counted(keys, counts, images, None if scored is None else len(scored))


# ---- archives


def _link(target: Path, source: Path, leave_out: Iterable[str] = ()) -> None:
    """Links in the folder `target` to all that lies in `source`, but for some names."""
    target.mkdir(parents=True, exist_ok=True)
    for path in source.iterdir():
        if path.name not in leave_out:
            (target / path.name).symlink_to(path.absolute())


def _voc2012(config: Config, images: int, folder: Path) -> Cut:
    """VOC and SBD with short lists, out of which conversion makes a short `train_aug`."""
    written, convert = config.as_written, config.convert
    assert convert is not None
    root, sbd = Path(config.root), Path(config.root) / convert.model_dump()["sbd"]
    ids = {TRAIN: voc2012.train_aug(root, str(sbd.absolute()), [])}
    ids |= {name: _read(root / path) for name, path in written.splits.items()}
    new, new_sbd = folder / "VOC2012", folder / "sbd"
    keys = {"root": str(new), "convert": _converted(config) | {"sbd": str(new_sbd)}}
    found = _with_lists(keys, written.scored_list, ids, root, images, folder)
    del found.keys["train_list"]
    _link(new, root, leave_out=("ImageSets",))
    _link(new_sbd, sbd, leave_out=("train.txt", "val.txt"))
    train = _read(folder / f"lists/{TRAIN}.txt")
    held_out = spread(_read(root / LISTS / "val.txt"), images)
    _write_lists(new / LISTS, {TRAIN: train, "val": held_out})
    _write_lists(new_sbd, {TRAIN: train, "val": held_out})
    return found


def _converted(config: Config) -> dict[str, Any]:
    """The settings of the conversion, for a part of the data set."""
    assert config.convert is not None
    return config.convert.model_dump(mode="json", exclude_none=True) | {"published_counts": False}


def _coco2014(config: Config, images: int, folder: Path) -> Cut:
    """COCO with the annotations of a few images."""
    root, new = Path(config.root), folder / "coco"
    counts, names = dict[str, int](), dict[str, list[str]]()
    settings = _converted(config)
    _link(new, root, leave_out=("annotations", "train2014", "val2014"))
    (new / "annotations").mkdir()
    for split in (TRAIN, "val"):
        tagged = split == TRAIN and settings.get("untagged") == "leave_out"
        path = coco2014.annotations_of(root, split)
        content, counts[split] = _few_annotations(path, images, config.classes if tagged else (), settings)
        coco2014.annotations_of(new, split).write_text(json.dumps(content), encoding="utf-8")
        (new / f"{split}2014").mkdir()
        names[split] = [one["file_name"] for one in content["images"]]
        for name in names[split]:
            (new / f"{split}2014" / name).symlink_to((root / f"{split}2014" / name).absolute())
    keys: dict[str, Any] = {"root": str(new), "convert": settings}
    scored = None
    if (given := config.as_written.scored_list) is not None:
        scored = len(_read(root / given))
        stems = {SCORED: [Path(name).stem for name in names[TRAIN]]}
        keys["scored_list"] = _write_lists(folder / "lists", stems)[SCORED]
    return _counted(keys, counts, images, scored)


def _few_annotations(
    path: Path, images: int, classes: Sequence[str], settings: dict[str, Any]
) -> tuple[dict[str, Any], int]:
    """The annotations of a few images, and how many images there are: those with one of `classes`, if any are given."""
    try:
        content = json.loads(path.read_bytes())
        numbers = {one["id"] for one in content["categories"] if one["name"] in classes}
        crowds = settings.get("crowd") == "object"
        tagged = {
            one["image_id"]
            for one in content["annotations"]
            if one["category_id"] in numbers and (crowds or not one["iscrowd"])
        }
        every = [one for one in content["images"] if not classes or one["id"] in tagged]
        taken = spread(every, images)
        known = {one["id"] for one in taken}
        few = [one for one in content["annotations"] if one["image_id"] in known]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: no readable annotations of COCO ({type(error).__name__}: {error})") from None
    return {**content, "images": taken, "annotations": few}, len(every)


# ---- plain folder


def _photographs(config: Config, images: int, folder: Path) -> Cut:
    """A folder of links to a few photographs of each split, and their table."""
    assert config.images is not None
    assert config.tags is not None
    root, problems = Path(config.images), list[str]()
    found = read_folder(root, config.tags, config.classes, problems)
    all_wrong("images and tags", problems)
    counts, new = dict[str, int](), folder / "photographs"
    rows: list[tuple[str, ...]] = [("path", "tags", "split", "mask", "saliency")]
    for split in found.splits:
        photos = list(found.split(split).values())
        counts[split] = len(photos)
        for one in spread(photos, images):
            (new / one.path).parent.mkdir(parents=True, exist_ok=True)
            (new / one.path).symlink_to((root / one.path).absolute())
            files = [str(Path(name).absolute()) if name else "" for name in (one.mask, one.saliency)]
            rows.append((one.path, ";".join(one.names), split, *files))
    table = folder / "photographs.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    keys = {"images": str(new), "tags": str(table), "classes": list(config.classes)}
    return _counted(keys, counts, images)
