"""A sheet of pictures with text, filled from top to bottom: the gallery, and what `show` and `compare` draw."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, PngImagePlugin

from wsss_steps.formats.files import whole
from wsss_steps.formats.labels import voc_palette
from wsss_steps.ops import drawing, fonts
from wsss_steps.ops.labels import IGNORE

CELL = 176  # longest side of a picture, px
GAP, MARGIN, LINE = 6, 14, 17  # px: between pictures, around the sheet, height of a line of text
GUTTER = 132  # width of the column of ids and tags, px
INK, PAPER, FAINT = (25, 25, 25), (255, 255, 255), (95, 95, 95)
PALETTE: NDArray[np.uint8] = np.array(voc_palette(), np.uint8).reshape(256, 3)
Picture = NDArray[np.uint8]
BREAKS = re.compile(r"(?<=[/~+])|(?<= )(?!%)")  # where a line of text may end


@dataclass(frozen=True)
class Panel:
    """A picture (h, w, 3), at most as wide and high as a cell of its sheet, with a title above and a note below."""

    title: str
    picture: Picture
    note: str = ""


class Sheet:
    """An image that is filled with text and pictures from top to bottom."""

    def __init__(self, columns: int, cell: int = CELL, gutter: int = GUTTER) -> None:
        """`columns` pictures of at most `cell` px beside each other, right of a `gutter` of that many px for text."""
        self.columns, self.cell, self.gutter = columns, cell, gutter
        self.width = 2 * MARGIN + gutter + columns * (cell + GAP)
        self.image = Image.new("RGB", (self.width, MARGIN), PAPER)
        self.font, self.bold = fonts.sans(12), fonts.sans(15)

    def _grow(self, height: int) -> tuple[int, ImageDraw.ImageDraw]:
        """Add `height` pixels at the bottom; returns the row they start at, and the drawing context."""
        top = self.image.height
        taller = Image.new("RGB", (self.width, top + height), PAPER)
        taller.paste(self.image)
        self.image = taller
        return top, ImageDraw.Draw(taller)

    def _fold(self, text: str, width: int) -> list[str]:
        """`text` in lines of at most `width` pixels, broken at spaces and after / ~ +, or anywhere in a longer word."""
        lines = [""]
        for word in BREAKS.split(text):
            if self.font.getlength((lines[-1] + word).rstrip(" ")) <= width:
                lines[-1] += word
                continue
            lines += [""] if lines[-1] else []
            for letter in word:
                if self.font.getlength((lines[-1] + letter).rstrip(" ")) > width:
                    lines.append("")
                lines[-1] += letter
        return [line.rstrip(" ") for line in lines]

    def _left(self, column: int) -> int:
        return MARGIN + self.gutter + column * (self.cell + GAP)

    def titles(self, texts: Sequence[str]) -> None:
        """The column titles, aligned to the bottom."""
        folded = [self._fold(text, self.cell) for text in texts]
        tallest = max(len(lines) for lines in folded)
        top, pen = self._grow(tallest * LINE + GAP)
        for column, lines in enumerate(folded):
            for row, line in enumerate(lines):
                pen.text((self._left(column), top + (tallest - len(lines) + row) * LINE), line, INK, self.font)

    def row(self, name: str, tags: Sequence[tuple[int, str]], pictures: Sequence[Picture]) -> None:
        """One image: its id and its tags with their colours, then its pictures."""
        head = self._fold(name, self.gutter - GAP)
        top, pen = self._grow(max(pictures[0].shape[0], (len(head) + len(tags)) * LINE) + GAP)
        for index, line in enumerate(head):
            pen.text((MARGIN, top + index * LINE), line, FAINT, self.font)
        for index, (label, text) in enumerate(tags, start=len(head)):
            self._swatch(pen, MARGIN, top + index * LINE, label, text)
        for column, picture in enumerate(pictures):
            left = self._left(column) + (self.cell - picture.shape[1]) // 2
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

    def heading(self, text: str, tags: Sequence[tuple[int, str]] = ()) -> None:
        """A line across the sheet that begins something new, tags with their colours behind it."""
        self._grow(GAP)
        for line in self._fold(text, self.width - 2 * MARGIN):
            top, pen = self._grow(LINE + GAP)
            pen.text((MARGIN, top), line, INK, self.bold)
        left = MARGIN + round(self.bold.getlength(line)) + 2 * GAP
        for label, name in tags:
            width = LINE + round(self.font.getlength(name)) + GAP
            if left + width > self.width - MARGIN:
                left, (top, pen) = MARGIN, self._grow(LINE + GAP)
            self._swatch(pen, left, top, label, name)
            left += width

    def text(self, text: str) -> None:
        """Lines across the sheet."""
        for line in self._fold(text, self.width - 2 * MARGIN):
            top, pen = self._grow(LINE)
            pen.text((MARGIN, top), line, FAINT, self.font)
        self._grow(GAP)

    def panels(self, panels: Sequence[Panel]) -> None:
        """Pictures with their titles and notes, in as many rows as they need."""
        for start in range(0, len(panels), self.columns):
            row = panels[start : start + self.columns]
            self.titles([panel.title for panel in row])
            top, _ = self._grow(max(panel.picture.shape[0] for panel in row) + GAP // 2)
            for column, panel in enumerate(row):
                self.image.paste(Image.fromarray(panel.picture), (self._left(column), top))
            self._notes([panel.note for panel in row])

    def _notes(self, notes: Sequence[str]) -> None:
        folded = [self._fold(note, self.cell) if note else [] for note in notes]
        top, pen = self._grow(max(map(len, folded)) * LINE + GAP)
        for column, lines in enumerate(folded):
            for row, line in enumerate(lines):
                pen.text((self._left(column), top + row * LINE), line, FAINT, self.font)

    def scale(self, text: str) -> None:
        """The colours of heat maps from 0 to 1, and what they are the colours of."""
        top, pen = self._grow(LINE + GAP)
        ramp = np.linspace(0, 1, 120, dtype=np.float32)[None].repeat(LINE - 5, axis=0)
        self.image.paste(Image.fromarray(drawing.ramp(ramp)), (MARGIN + LINE, top + 2))
        pen.text((MARGIN, top), "0", INK, self.font)
        pen.text((MARGIN + LINE + 120 + GAP, top), f"1   {text}", INK, self.font)

    def save(self, output: Path, stamp: str = "") -> None:
        """Write the sheet as PNG; with its stamp, if it has one."""
        about = PngImagePlugin.PngInfo()
        if stamp:
            about.add_itxt("provenance", stamp)
        with whole(output) as temporary:
            self.image.save(temporary, format="PNG", pnginfo=about)
