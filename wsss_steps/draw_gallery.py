"""Draw a contact sheet: one row per image, with photograph, ground truth and the stages of one or several recipes."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wsss_steps.cli import main
from wsss_steps.data.images import read_image
from wsss_steps.data.manifest import Entry, GroundTruth, read_ground_truth, read_manifest
from wsss_steps.formats.kinds.cams import CAMS
from wsss_steps.formats.kinds.refined_saliency import REFINED_SALIENCY
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.kinds.superpixels import SUPERPIXELS
from wsss_steps.formats.labels import read_labels
from wsss_steps.formats.stores import Store
from wsss_steps.ops import drawing
from wsss_steps.ops.labels import IGNORE
from wsss_steps.report.sheet import CELL, PALETTE, Picture, Sheet, choose

BLACK_AND_WHITE: NDArray[np.uint8] = np.array([(0, 0, 0), *[(255, 255, 255)] * 255], np.uint8)
STORES = {kind.name: kind for kind in (CAMS, SUPERPIXELS, REFINED_SALIENCY, SEEDS)}
Source = Path | Store


def picture_of(kind: str, source: Source, entry: Entry, photo: Picture) -> Picture:
    """One stage of one image as a picture of the size of `photo`, the photograph scaled to a cell."""
    height, width = photo.shape[:2]
    if isinstance(source, Path):
        return drawing.coloured(drawing.nearest(read_labels(source / f"{entry.id}.png"), height, width), PALETTE)
    arrays = source[entry.id]
    if kind == "seeds":
        return drawing.coloured(drawing.nearest(arrays["seeds"], height, width), PALETTE)
    if kind == "refined_saliency":
        return drawing.coloured(drawing.nearest(arrays["refined"], height, width), BLACK_AND_WHITE)
    if kind == "superpixels":
        return drawing.mean_colours(photo, drawing.nearest(arrays["superpixels"], height, width))
    strongest = arrays["cam"].max(axis=0, initial=0.0)
    smooth = Image.fromarray(strongest).resize((width, height), Image.Resampling.BILINEAR)
    return drawing.heat(photo, np.asarray(smooth))


def pictures_of(entry: Entry, truth: GroundTruth | None, columns: Sequence[tuple[str, Source]]) -> list[Picture]:
    """The pictures of one row: photograph, ground truth (if there is any on the sheet), then the columns."""
    scale = CELL / max(entry.height, entry.width)
    size = max(1, round(entry.width * scale)), max(1, round(entry.height * scale))
    photo = np.asarray(Image.fromarray(read_image(Path(entry.image))).resize(size, Image.Resampling.BICUBIC))
    pictures = [photo]
    if truth is not None:
        labels = truth.labels(entry.id) if entry.id in truth.masks else np.full((1, 1), IGNORE, np.uint8)
        pictures.append(drawing.coloured(drawing.nearest(labels, *photo.shape[:2]), PALETTE))
    return pictures + [picture_of(kind, source, entry, photo) for kind, source in columns]


def run(
    *,
    manifest: Path,
    ground_truth: Path | None = None,
    sources: list[Path],
    output: Path,
    settings: dict[str, Any],
    stamp: str = "",
) -> None:
    """Draw the contact sheet `output`, a PNG.

    `settings`: {"images": how many, "split": of which split, "columns": [{"title", "kind"}, ...]}, one column for each
    of `sources`; kind is one of `STORES` or labels (a folder of `<id>.png`). With `ground_truth`, if it has any masks,
    a column shows it. UserError if a source lacks an image.
    """
    columns = settings["columns"]
    if len(columns) != len(sources):
        raise ValueError(f"expected one source per column, {len(columns)}; found {len(sources)}")
    known = (*STORES, "labels")
    if bad := sorted({column["kind"] for column in columns} - set(known)):
        raise ValueError(f"unknown kinds of columns {bad}; known: {', '.join(known)}")
    data = read_manifest(manifest)
    truth = None if ground_truth is None else read_ground_truth(ground_truth)
    if truth is not None and not truth.masks:
        truth = None
    titles = ["image", *(["ground truth"] if truth else []), *(column["title"] for column in columns)]
    sheet = Sheet(len(titles))
    sheet.titles(titles)
    with contextlib.ExitStack() as stack:
        opened: list[tuple[str, Source]] = []
        for column, path in zip(columns, sources, strict=True):
            kind = column["kind"]
            opened.append((kind, stack.enter_context(Store(path, STORES[kind])) if kind in STORES else path))
        for entry in choose(data, settings["split"], settings["images"]):
            tags = [(tag, data.classes[tag - 1]) for tag in entry.tags]
            sheet.row(entry.id, tags, pictures_of(entry, truth, opened))
    sheet.legend(["background", *data.classes])
    sheet.save(output, stamp)


if __name__ == "__main__":
    main(run)
