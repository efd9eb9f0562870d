"""Draw a contact sheet: one row per image, with photograph, ground truth and the stages of one or several recipes."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from wsss_steps.cli import main
from wsss_steps.data.chosen import choose
from wsss_steps.data.images import read_image
from wsss_steps.data.manifest import Entry, GroundTruth, read_ground_truth, read_manifest
from wsss_steps.formats.files import whole
from wsss_steps.formats.kinds.cams import CAMS
from wsss_steps.formats.kinds.refined_saliency import REFINED_SALIENCY
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.kinds.superpixels import SUPERPIXELS
from wsss_steps.formats.labels import read_labels, voc_palette
from wsss_steps.formats.stores import Store
from wsss_steps.ops import drawing
from wsss_steps.ops.labels import IGNORE

CELL = 176  # longest side of a picture, px
GAP, MARGIN, LINE = 6, 14, 17  # px: between pictures, around the sheet, height of a line of text
GUTTER = 132  # width of the column of ids and tags, px
INK, PAPER, FAINT = (25, 25, 25), (255, 255, 255), (110, 110, 110)
PALETTE: NDArray[np.uint8] = np.array(voc_palette(), np.uint8).reshape(256, 3)
BLACK_AND_WHITE: NDArray[np.uint8] = np.array([(0, 0, 0), *[(255, 255, 255)] * 255], np.uint8)
STORES = {kind.name: kind for kind in (CAMS, SUPERPIXELS, REFINED_SALIENCY, SEEDS)}
Picture = NDArray[np.uint8]
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


class Sheet:
    """An image that is filled with text and pictures from top to bottom."""

    def __init__(self, columns: int) -> None:
        self.width = 2 * MARGIN + GUTTER + columns * (CELL + GAP)
        self.image = Image.new("RGB", (self.width, MARGIN), PAPER)
        self.font = ImageFont.load_default(13)

    def _grow(self, height: int) -> tuple[int, ImageDraw.ImageDraw]:
        """Add `height` pixels at the bottom; returns the row they start at, and the drawing context."""
        top = self.image.height
        taller = Image.new("RGB", (self.width, top + height), PAPER)
        taller.paste(self.image)
        self.image = taller
        return top, ImageDraw.Draw(taller)

    def _fold(self, text: str, width: int) -> list[str]:
        """`text` in lines of at most `width` pixels, broken at spaces, or anywhere in a longer word."""
        lines = [""]
        for word in text.split(" "):
            longer = f"{lines[-1]} {word}".strip()
            if self.font.getlength(longer) <= width:
                lines[-1] = longer
                continue
            lines += [""] if lines[-1] else []
            for letter in word:
                if self.font.getlength(lines[-1] + letter) > width:
                    lines.append("")
                lines[-1] += letter
        return lines

    def _left(self, column: int) -> int:
        return MARGIN + GUTTER + column * (CELL + GAP)

    def titles(self, texts: Sequence[str]) -> None:
        """The column titles, aligned to the bottom."""
        folded = [self._fold(text, CELL) for text in texts]
        tallest = max(len(lines) for lines in folded)
        top, pen = self._grow(tallest * LINE + GAP)
        for column, lines in enumerate(folded):
            for row, line in enumerate(lines):
                pen.text((self._left(column), top + (tallest - len(lines) + row) * LINE), line, INK, self.font)

    def row(self, name: str, tags: Sequence[tuple[int, str]], pictures: Sequence[Picture]) -> None:
        """One image: its id and its tags with their colours, then its pictures."""
        head = self._fold(name, GUTTER - GAP)
        top, pen = self._grow(max(pictures[0].shape[0], (len(head) + len(tags)) * LINE) + GAP)
        for index, line in enumerate(head):
            pen.text((MARGIN, top + index * LINE), line, FAINT, self.font)
        for index, (label, text) in enumerate(tags, start=len(head)):
            self._swatch(pen, MARGIN, top + index * LINE, label, text)
        for column, picture in enumerate(pictures):
            left = self._left(column) + (CELL - picture.shape[1]) // 2
            self.image.paste(Image.fromarray(picture), (left, top))

    def _swatch(self, pen: ImageDraw.ImageDraw, left: int, top: int, label: int, text: str) -> None:
        side = LINE - 5
        colours = drawing.coloured(np.full((side, side), label, np.uint8), PALETTE)
        self.image.paste(Image.fromarray(colours), (left, top + 2))
        pen.text((left + side + 5, top), text, INK, self.font)

    def legend(self, names: Sequence[str]) -> None:
        """The colours of all labels and their names, in as many lines as they need."""
        left, (top, pen) = MARGIN, self._grow(LINE + MARGIN)
        for label, name in [*enumerate(names), (IGNORE, "no label")]:
            width = LINE + round(self.font.getlength(name)) + 2 * GAP
            if left + width > self.width - MARGIN and left > MARGIN:
                left, (top, pen) = MARGIN, self._grow(LINE)
                top -= MARGIN
            self._swatch(pen, left, top, label, name)
            left += width


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
    about = PngImagePlugin.PngInfo()
    about.add_itxt("provenance", stamp)
    with whole(output) as temporary:
        sheet.image.save(temporary, format="PNG", pnginfo=about)


if __name__ == "__main__":
    main(run)
