"""Two artifacts of one kind side by side with what differs, for the images in which they are furthest apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wsss_steps.formats.kinds import DataSet
from wsss_steps.ops import drawing
from wsss_steps.report.artifacts.differences import Difference, pairs_of_maps
from wsss_steps.report.artifacts.drawn import CELL, head, legend, new_sheet, photograph
from wsss_steps.report.artifacts.panels import View, of_data_set, smooth, view
from wsss_steps.report.artifacts.sources import Arrays, Source
from wsss_steps.report.artifacts.surroundings import Surroundings
from wsss_steps.report.sheet import Panel

COLUMNS = 4  # photograph, first, second, difference


def draw(first: Source, second: Source, of: Surroundings, found: Sequence[Difference], output: Path) -> None:
    """Draw images: photograph, first, second, where they differ; a row for each map that both have."""
    sheet = new_sheet(COLUMNS)
    for word, source in (("first", first), ("second", second)):
        sheet.text(f"{word}: {source.path}")
    for one in found:
        head(sheet, one.image_id, of)
        sheet.text(one.words)
        on = view(of, one.image_id, first.read(one.image_id), CELL, both=False)
        for panels in _rows(first, second, one.image_id, on):
            sheet.panels([photograph(on), *panels])
    legend(sheet, [first])
    sheet.save(output)


def _rows(first: Source, second: Source, image_id: str, on: View) -> Iterator[list[Panel]]:
    """A row for each picture that both artifacts have of an image."""
    ours, theirs = first.read(image_id), second.read(image_id)
    for name, form in first.forms.items():
        pictures = [
            {panel.title: panel for panel in of_data_set(source, name, form, arrays, on)}
            for source, arrays in ((first, ours), (second, theirs))
        ]
        apart = {panel.title: panel for panel in _apart(first, name, form, ours, theirs, on)}
        for title, left in pictures[0].items():
            if right := pictures[1].get(title):
                row = [_titled("first", left), _titled("second", right)]
                yield row + ([_titled("difference", apart[title])] if title in apart else [])


def _titled(word: str, panel: Panel) -> Panel:
    return Panel(f"{word}: {panel.title}", panel.picture, panel.note)


def _apart(source: Source, name: str, form: DataSet, ours: Arrays, theirs: Arrays, on: View) -> Iterator[Panel]:
    """Pictures of the difference, with the titles of the pictures that they belong to."""
    if form.one_per:
        for number, (first, second) in pairs_of_maps(name, form.one_per, ours, theirs).items():
            if first.shape == second.shape and form.palette:
                yield Panel(f"{form.one_per} {number}", *_of_labels(first, second, on))
            elif first.shape == second.shape:
                yield Panel(source.name_of(number), *_of_values(first, second, on))
    elif ours[name].shape != theirs[name].shape:
        return
    elif form.palette:
        yield Panel(name, *_of_labels(ours[name], theirs[name], on))
    elif form.dimensions == 2 and form.scale != 1.0:
        yield Panel(name, *_of_values(ours[name], theirs[name], on))
    elif form.dimensions == 2 and form.dtype == "u2":
        yield Panel(name, *_of_borders(ours[name], theirs[name], on))


def _of_values(first: NDArray[np.float32], second: NDArray[np.float32], on: View) -> tuple[NDArray[np.uint8], str]:
    picture = drawing.signed(on.photo, smooth(second - first, on.photo))
    apart = np.abs(second - first)
    return picture, f"mean {apart.mean():.3f}, largest {apart.max(initial=0):.2f}; red: higher in the second"


def _of_labels(first: NDArray[np.uint8], second: NDArray[np.uint8], on: View) -> tuple[NDArray[np.uint8], str]:
    unequal = first != second
    picture = drawing.marked(on.photo, drawing.nearest(unequal, *on.photo.shape[:2]))
    return picture, f"{100 * unequal.mean():.1f} % of pixels differ"


def _of_borders(first: NDArray[np.uint16], second: NDArray[np.uint16], on: View) -> tuple[NDArray[np.uint8], str]:
    """Superpixels are compared by their borders, since their numbers mean nothing."""
    unequal = drawing.edges(first) != drawing.edges(second)
    picture = drawing.marked(on.photo, drawing.nearest(unequal, *on.photo.shape[:2]))
    return picture, f"borders of one alone: {100 * unequal.mean():.1f} % of pixels"
