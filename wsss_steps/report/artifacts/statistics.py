"""The numbers of an artifact that holds something for each image, as lines for the terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wsss_steps.data.manifest import Entry, read_manifest
from wsss_steps.errors import UserError
from wsss_steps.formats.stamps import read_stamp
from wsss_steps.ops.evaluation import measures
from wsss_steps.ops.labels import IGNORE
from wsss_steps.report import tables
from wsss_steps.report.artifacts.sources import Arrays, Source

MOST = 500  # images that are read, evenly spread over the ids: more take long and change no share visibly
LARGEST = 500_000_000  # bytes of arrays that are held at a time
LEVELS = (0.3, 0.5)  # of maps: what share of the pixels is at least so high
LONGEST = 100  # characters of a setting


def made(path: Path) -> Iterator[str]:
    """Size, and what made the artifact; `provenance` tells more."""
    files = [path] if path.is_file() else [one for one in path.iterdir() if one.is_file()]
    yield f"size: {sum(one.stat().st_size for one in files) / 1e6:.2f} MB"
    try:
        stamp = read_stamp(path)
    except UserError as error:
        stamp = None
        yield str(error)
    if stamp:
        seed = "" if stamp.get("seed") is None else f", seed {stamp['seed']}"
        yield f"made by: {stamp.get('step')} on {stamp.get('device')}{seed}"
        for name, value in sorted(stamp.get("settings", {}).items()):
            text = json.dumps(value, ensure_ascii=False, sort_keys=True)
            yield f"  {name}: {text if len(text) <= LONGEST else text[: LONGEST - 3] + '...'}"


def of_images(source: Source, wanted: Sequence[str]) -> Iterator[str]:
    """What the images of an artifact hold: of all (of many, an even sample), or of those wanted."""
    ids = source.chosen(wanted)
    taken = _sample(source, ids)
    some = f", numbers of {len(taken)} of them, evenly spread" if len(taken) < len(ids) else ""
    yield f"images: {len(ids)}{' of ' + str(len(source.ids)) if wanted else ''}{some}"
    if source.left_out:
        yield f"left out (no usable map): {len(source.left_out)}: {', '.join(source.left_out[:8])}"
    if source.kind == "manifest":
        known = set(ids)
        yield from _of_entries([entry for entry in read_manifest(source.path).entries if entry.id in known], source)
        return
    if not taken:
        return
    read = [source.read(image_id) for image_id in taken]
    for name, form in source.forms.items():
        yield ""
        yield f"{name}: {form.meaning}"
        yield from SHAPES[_shape(name, form.one_per, form.palette, form.scale, form.dtype)](name, read, source)


def _sample(source: Source, ids: Sequence[str]) -> Sequence[str]:
    """As many of the images, evenly spread, as are enough and as memory holds, going by the size of the first."""
    size = sum(array.nbytes for array in source.read(ids[0]).values()) if ids else 0
    count = max(1, min(MOST, LARGEST // max(1, size)))
    return [ids[index * len(ids) // count] for index in range(count)] if len(ids) > count else ids


def _shape(name: str, one_per: str, palette: bool, scale: float, dtype: str) -> str:
    if name in ("boxes", "confusion"):
        return name
    if palette:
        return "labels"
    if one_per:
        return "maps"
    return "values" if scale != 1.0 else "regions" if dtype == "u2" else "features" if dtype == "f2" else "numbers"


def _lines(rows: list[dict[str, Any]]) -> list[str]:
    frame = pd.DataFrame(rows).astype(str)
    return [f"  {line}" for line in tables.lines_of(frame)]


def _of_entries(entries: Sequence[Entry], source: Source) -> Iterator[str]:
    """Sizes and tags of a manifest's images."""
    if entries:
        heights, widths = ([getattr(entry, side) for entry in entries] for side in ("height", "width"))
        yield f"height {min(heights)} to {max(heights)} px, width {min(widths)} to {max(widths)} px"
        tags = [len(entry.tags) for entry in entries]
        yield f"tags per image: {min(tags)} to {max(tags)}, mean {np.mean(tags):.2f}"
    names = list(source.names)[1:]
    yield from _lines(
        [{"class": name, "images": sum(label in e.tags for e in entries)} for label, name in enumerate(names, 1)]
    )


def _labels(name: str, read: list[Arrays], source: Source) -> Iterator[str]:
    """Per label: in how many images it occurs, and its share of all pixels."""
    counts = np.stack([np.bincount(arrays[name].ravel(), minlength=256) for arrays in read])
    counts = counts[counts.sum(axis=1) > 0]
    if not len(counts):
        yield "  empty in every image"
        return
    total = counts.sum(axis=0)
    words = {0: "background", IGNORE: "no label"}
    rows = [
        {
            "label": label,
            "class": words.get(label) or ("object" if source.kind == "refined_saliency" else source.name_of(label)),
            "images": int((counts[:, label] > 0).sum()),
            "% of pixels": f"{100 * total[label] / total.sum():.2f}",
            "largest % of an image": f"{100 * (counts[:, label] / counts.sum(axis=1)).max():.1f}",
        }
        for label in np.flatnonzero(total).tolist()
    ]
    yield from _lines(rows)
    alone = int(((counts > 0).sum(axis=1) == 1).sum())
    yield f"  {alone} images are of a single label"


def _maps(name: str, read: list[Arrays], source: Source) -> Iterator[str]:
    """Per class: number of maps, their maxima and how much of the image is high."""
    form = source.forms[name]
    by_class: dict[int, list[NDArray[np.float32]]] = {}
    for arrays in read:
        for number, one in zip(arrays[form.one_per].tolist(), arrays[name], strict=True):
            by_class.setdefault(number, []).append(one)
    rows = [
        {"label": number, "class": source.name_of(number), "maps": len(maps)} | _of_values(maps)
        for number, maps in sorted(by_class.items())
    ]
    yield from _lines(rows) if rows else ["  no image has a map"]


def _of_values(maps: Sequence[NDArray[np.float32]]) -> dict[str, str]:
    tops = [float(one.max(initial=0)) for one in maps]
    shares = {level: np.mean([(one >= level).mean() for one in maps if one.size]) for level in LEVELS}
    found = {"mean": f"{np.mean([one.mean() for one in maps if one.size]):.3f}"}
    found |= {"smallest max": f"{min(tops):.2f}", "largest max": f"{max(tops):.2f}"}
    return found | {f"% >= {level}": f"{100 * share:.1f}" for level, share in shares.items()}


def _values(name: str, read: list[Arrays], _: Source) -> Iterator[str]:
    yield from _lines([{"maps": len(read)} | _of_values([arrays[name] for arrays in read])])


def _spread(numbers: Sequence[float]) -> str:
    low, middle, high = np.percentile(numbers, [0, 50, 100])
    return f"{low:g} to {high:g}, median {middle:g}"


def _regions(name: str, read: list[Arrays], _: Source) -> Iterator[str]:
    sizes = [np.unique(arrays[name], return_counts=True)[1] for arrays in read]
    yield f"  per image: {_spread([len(one) for one in sizes])}"
    yield f"  px of a region: {_spread(np.concatenate(sizes).tolist())}"


def _features(name: str, read: list[Arrays], _: Source) -> Iterator[str]:
    norms = np.concatenate([np.linalg.norm(arrays[name].astype(np.float32), axis=-1).ravel() for arrays in read])
    broken = sum(int((~np.isfinite(arrays[name])).sum()) for arrays in read)
    rows, columns = (_spread([arrays[name].shape[side] for arrays in read]) for side in (0, 1))
    yield f"  grid: rows {rows}; columns {columns}; {read[0][name].shape[2]} numbers per patch"
    yield f"  length of a vector: {_spread(norms.tolist())}; {broken} numbers are not finite"


def _numbers(name: str, read: list[Arrays], _: Source) -> Iterator[str]:
    found = [arrays[name] for arrays in read]
    if all(one.size == 0 for one in found):
        yield "  empty in every image"
        return
    every = np.concatenate([one.ravel() for one in found])
    yield f"  {_spread([one.size for one in found])} numbers per image, from {every.min():g} to {every.max():g}"


def _boxes(name: str, read: list[Arrays], source: Source) -> Iterator[str]:
    rows = np.concatenate([arrays[name] for arrays in read])
    if not len(rows):
        yield "  no object"
        return
    sides = rows[:, 3:5] - rows[:, 1:3]
    yield from _lines(
        [
            {
                "class": source.name_of(label),
                "objects": int((rows[:, 0] == label).sum()),
                "difficult": int(rows[rows[:, 0] == label, 5].sum()),
                "median height x width": "{:g} x {:g}".format(*np.median(sides[rows[:, 0] == label], axis=0)),
            }
            for label in np.unique(rows[:, 0]).tolist()
        ]
    )


def _confusion(name: str, read: list[Arrays], source: Source) -> Iterator[str]:
    """The measures of the summed matrices; of a single image, its matrix too."""
    total = np.sum([arrays[name] for arrays in read], axis=0)
    if total.shape[1] == total.shape[0]:  # without the column of unlabelled pixels
        total = np.pad(total, ((0, 0), (0, 1)))
    settings = (read_stamp(source.path) or {}).get("settings", {})
    found = measures(total, **{name: settings[name] for name in ("pred_ignore", "absent") if name in settings})
    shares = zip(range(len(total)), found.iou, found.fp, found.fn, total.sum(axis=1), strict=True)
    yield from _lines(
        [
            {"class": source.name_of(label), "IoU": tables.percent(iou), "FP": tables.percent(fp)}
            | {"FN": tables.percent(fn), "pixels": int(pixels)}
            for label, iou, fp, fn, pixels in shares
        ]
    )
    yield f"  mIoU {tables.percent(found.miou)}, pixel accuracy {tables.percent(found.pixel_accuracy)}"
    if len(read) == 1:
        heads = [source.name_of(label) for label in range(len(total))]
        matrix = [
            {"truth \\ predicted": head} | dict(zip([*heads, "no label"], map(int, row), strict=True))
            for head, row in zip(heads, total, strict=True)
        ]
        yield from _lines(matrix)


SHAPES: dict[str, Callable[[str, list[Arrays], Source], Iterator[str]]] = {
    "labels": _labels,
    "maps": _maps,
    "values": _values,
    "regions": _regions,
    "features": _features,
    "numbers": _numbers,
    "boxes": _boxes,
    "confusion": _confusion,
}
