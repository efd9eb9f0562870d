"""The pictures of an artifact for one image: what its data sets are decides how they are drawn, whatever their kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from wsss_steps.formats.kinds import DataSet
from wsss_steps.ops import drawing
from wsss_steps.ops.evaluation import confusion, coverage_and_precision, measures
from wsss_steps.ops.labels import IGNORE
from wsss_steps.report.artifacts.sources import Arrays, Source
from wsss_steps.report.artifacts.surroundings import Surroundings
from wsss_steps.report.sheet import PALETTE, Panel, Picture

BINARY: NDArray[np.uint8] = np.array([(0, 0, 0), *[(255, 196, 0)] * 255], np.uint8)  # object or not, of no class
UNKNOWN = 200  # grey where there is no photograph
TRUE = ("ground_truth", "strong_masks")  # kinds that are not scored
MOST_NAMED = 4  # classes that a note names


@dataclass(frozen=True)
class View:
    """What an image is drawn on: its photograph scaled to a cell (grey, if there is none), its size in px, its truth.

    truth: (H, W), or None. both: label maps and superpixels are drawn over the photograph and alone, else only over it.
    """

    photo: Picture
    height: int
    width: int
    truth: NDArray[np.uint8] | None = None
    both: bool = True

    @property
    def scale(self) -> float:
        """Pixels of the picture for each of the image."""
        return float(self.photo.shape[0] / self.height)


def fitted(photo: NDArray[np.uint8], cell: int) -> Picture:
    """A photograph scaled so that its longest side is `cell` px."""
    scale = cell / max(photo.shape[:2])
    height, width = (max(1, round(side * scale)) for side in photo.shape[:2])
    return np.asarray(Image.fromarray(photo).resize((width, height), Image.Resampling.BICUBIC))


def view(of: Surroundings, image_id: str, arrays: Arrays, cell: int, *, truth: bool = True, both: bool = True) -> View:
    """The view of an image; of one whose photograph is not found, as large as the first map in `arrays`."""
    photo = of.photograph(image_id)
    if photo is None:
        shapes = [array.shape[-2:] for array in arrays.values() if array.ndim > 1 and array.size]
        photo = np.full((*(shapes[0] if shapes else (1, 1)), 3), UNKNOWN, np.uint8)
    known = of.truth(image_id) if truth else None
    return View(fitted(photo, cell), photo.shape[0], photo.shape[1], known, both)


def panels(source: Source, image_id: str, on: View) -> list[Panel]:
    """The pictures of `source` for one image; with a ground truth, label maps have their mIoU in the note.

    Empty for data sets that are no pictures, such as confusion matrices.
    """
    arrays = source.read(image_id)
    found = [one for name, form in source.forms.items() for one in of_data_set(source, name, form, arrays, on)]
    if image_id in source.left_out:
        return [Panel(one.title, one.picture, "left out: no usable saliency map") for one in found]
    return found


def of_data_set(source: Source, name: str, form: DataSet, arrays: Arrays, on: View) -> Iterator[Panel]:
    """The pictures of one data set: one for each map; none if it is no picture."""
    array = arrays[name]
    if name == "boxes":
        yield _boxes(source, array, on)
    elif form.one_per and form.palette:
        for number, one in zip(arrays[form.one_per], array, strict=True):
            yield from _labels(source, f"{form.one_per} {number}", one, replace(on, both=False))
    elif form.one_per:
        for number, one in zip(arrays[form.one_per], array, strict=True):
            yield Panel(source.name_of(int(number)), heat(one, on.photo), _of_values(one))
    elif form.palette:
        yield from _labels(source, name, array, on)
    elif form.dimensions == 2 and form.scale != 1.0:
        yield Panel(name, heat(array, on.photo), _of_values(array))
    elif form.dimensions == 2 and form.dtype == "u2":
        yield from _regions(name, array, on)
    elif form.dimensions == 3 and form.dtype == "f2":
        yield _features(array, arrays.get("extent"), on)


def heat(values: NDArray[np.float32], photo: Picture) -> Picture:
    """A map (H, W) in [0, 1] over a photograph, as heat colours."""
    return drawing.heat(photo, smooth(values, photo))


def smooth(values: NDArray[np.float32], photo: Picture) -> NDArray[np.float32]:
    """A map in the size of the photograph, bilinear."""
    height, width = photo.shape[:2]
    return np.asarray(
        Image.fromarray(np.asarray(values, np.float32)).resize((width, height), Image.Resampling.BILINEAR)
    )


def _of_values(values: NDArray[np.float32]) -> str:
    return f"max {values.max(initial=0):.2f}, {percent(float((values >= 0.3).mean()))} of pixels >= 0.3"


def _labels(source: Source, name: str, labels: NDArray[np.uint8], on: View) -> Iterator[Panel]:
    palette = palette_of(source)
    small = drawing.nearest(labels, *on.photo.shape[:2])
    note, classes = shares(source, labels), len(source.names) - 1
    if on.truth is not None and on.truth.shape == labels.shape and palette is PALETTE and classes > 0:
        note = f"{scored(on.truth, labels, classes)}; {note}" if source.kind not in TRUE else note
    yield Panel(name, drawing.overlaid(on.photo, small, palette), note)
    if on.both:
        yield Panel(f"{name}, alone", drawing.coloured(small, palette))


def palette_of(source: Source) -> NDArray[np.uint8]:
    """The colours of the labels of an artifact: those of the classes, unless 1 means any object."""
    return BINARY if source.kind == "refined_saliency" else PALETTE


def percent(share: float) -> str:
    """A share in percent."""
    return f"{100 * share:.0f} %"


def shares(source: Source, labels: NDArray[np.uint8]) -> str:
    """The largest classes of a label map, each with its share of the pixels."""
    counts = np.bincount(labels.ravel(), minlength=256) / labels.size
    order = [int(label) for label in np.argsort(-counts, kind="stable") if counts[label]]
    named = {0: "background", IGNORE: "no label"} | ({1: "object"} if source.kind == "refined_saliency" else {})
    words = [f"{named.get(label) or source.name_of(label)} {percent(counts[label])}" for label in order]
    return ", ".join(words[:MOST_NAMED]) + (", ..." if len(words) > MOST_NAMED else "")


def scored(truth: NDArray[np.uint8], labels: NDArray[np.uint8], num_classes: int) -> str:
    """MIoU of one image, in percent; of a map with unlabelled pixels, coverage and precision."""
    total = confusion(truth, labels, num_classes)
    if (labels == IGNORE).any():
        *_, coverage, precision = coverage_and_precision(total)
        return f"coverage {percent(coverage)}, precision {percent(precision)}"
    return f"mIoU of this image {100 * measures(total).miou:.1f}"


def _regions(name: str, regions: NDArray[np.integer[Any]], on: View) -> Iterator[Panel]:
    numbers, sizes = np.unique(regions, return_counts=True)
    small = drawing.nearest(regions, *on.photo.shape[:2])
    outlined = on.photo.copy()
    outlined[drawing.outlines(small)] = (255, 230, 0)
    yield Panel(name, outlined, f"regions: {len(numbers)}, of {sizes.min()} to {sizes.max()} px")
    if on.both:
        yield Panel(f"{name}, mean colours", drawing.mean_colours(on.photo, small))
        order = (small.astype(np.float32) - numbers[0]) / max(1, int(numbers[-1]) - int(numbers[0]))
        yield Panel(f"{name}, in order of discovery", drawing.heat(on.photo, order), "blue first, red last")


def _features(features: NDArray[np.float16], extent: NDArray[np.float32] | None, on: View) -> Panel:
    """Patches in the colours of their principal components; the image is the top left part of what the grid spans."""
    height, width, depth = features.shape
    colours = drawing.principal_colours(features)
    spans = (on.height, on.width) if extent is None else (float(extent[0]), float(extent[1]))
    rows, columns = on.photo.shape[:2]
    tall, wide = (max(limit, round(side * on.scale)) for side, limit in zip(spans, (rows, columns), strict=True))
    note = f"grid {height} x {width}, {depth} numbers each; components 1, 2, 3 as red, green, blue"
    return Panel("features", drawing.nearest(colours, tall, wide)[:rows, :columns], note)


def _boxes(source: Source, rows: NDArray[np.int32], on: View) -> Panel:
    """Every object's box in the colour of its class, thin if it is marked difficult."""
    picture = Image.fromarray(on.photo)
    pen = ImageDraw.Draw(picture)
    for label, *sides, difficult in rows.tolist():
        top, left, bottom, right = (side * on.scale for side in sides)
        box = (left, top, max(left, right - 1), max(top, bottom - 1))
        pen.rectangle(box, outline=(255, 255, 255), width=2 if difficult else 5)
        pen.rectangle(box, outline=tuple(PALETTE[label].tolist()), width=1 if difficult else 3)
    names = [source.name_of(int(row[0])) + (" (difficult)" if row[5] else "") for row in rows]
    return Panel("boxes", np.asarray(picture), ", ".join(names) or "no object")
