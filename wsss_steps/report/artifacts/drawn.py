"""The sheets that `show` draws: some images of artifacts, or all artifacts of one image."""

from __future__ import annotations

import contextlib
import glob
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from wsss_steps.errors import UserError
from wsss_steps.formats import kinds
from wsss_steps.formats.files import IN_A_FOLDER
from wsss_steps.report.artifacts import identify
from wsss_steps.report.artifacts.panels import View, panels, view
from wsss_steps.report.artifacts.sources import Source, opened
from wsss_steps.report.artifacts.surroundings import Surroundings
from wsss_steps.report.sheet import Panel, Sheet, spread

CELL = 256  # px
COLUMNS, MIN_COLUMNS = 4, 2
FEW = 12  # pictures that are not separated by headings
# kinds of artifacts in the order in which a recipe makes them, and what they are called
ORDER = {
    "features": "Features",
    "superpixels": "Superpixels",
    "saliency": "Saliency maps",
    "cams": "Class activation maps",
    "refined_saliency": "Refined saliency",
    "strong_masks": "Label images that training reads",
    "seeds": "Seeds",
    identify.LABELS: "Label maps",
}
NOT_LOOKED_INTO = ("scenes", "pairs", "splits", "configurations", "evaluation", "tables", "report")


def new_sheet(columns: int = COLUMNS) -> Sheet:
    """An empty sheet."""
    return Sheet(columns, CELL, gutter=0)


def images(paths: Sequence[Path], of: Surroundings, wanted: Sequence[str], most: int, output: Path) -> list[str]:
    """Draw images of one or several artifacts side by side; returns their ids.

    Without any in `wanted`, up to `most` of those that all artifacts hold, spread over the classes. A UserError if an
    artifact lacks an image, or is no picture.
    """
    with contextlib.ExitStack() as stack:
        sources = [stack.enter_context(opened(path, of)) for path in paths]
        ids = chosen(sources, of, wanted, most)
        found = {image_id: _side_by_side(sources, image_id, of) for image_id in ids}
    widest = max(map(len, found.values()), default=0)
    sheet = new_sheet(COLUMNS if widest < MIN_COLUMNS else min(COLUMNS, widest))
    if all(len(row) == 1 for row in found.values()):
        sheet.panels([Panel(image_id, row[0].picture, _tags(of, image_id)) for image_id, row in found.items()])
    else:
        for image_id, row in found.items():
            head(sheet, image_id, of)
            sheet.panels(row)
    legend(sheet, sources)
    sheet.save(output)
    return ids


def legend(sheet: Sheet, sources: Sequence[Source]) -> None:
    """The colours of maps and classes, as far as the artifacts have any."""
    if any(form.scale != 1.0 for source in sources for form in source.forms.values()):
        sheet.scale("maps")
    names = next((source.names for source in sources if source.names), ())
    if names:
        sheet.legend(names)


def chosen(sources: Sequence[Source], of: Surroundings, wanted: Sequence[str], most: int) -> list[str]:
    """The images to draw, as `images` says."""
    if wanted:
        for source in sources:
            source.chosen(wanted)
        return list(wanted)
    common = set(sources[0].ids).intersection(*(source.ids for source in sources))
    if not common:
        raise UserError(f"{' and '.join(str(source.path) for source in sources)}: no image that all of them hold")
    entries = [of.entries[name] for name in sorted(common) if name in of.entries]
    return [entry.id for entry in spread(entries, len(of.classes), most)] or sorted(common)[:most]


def _side_by_side(sources: Sequence[Source], image_id: str, of: Surroundings) -> list[Panel]:
    on = view(of, image_id, sources[0].read(image_id), CELL, both=len(sources) == 1)
    found = [photograph(on)] if of.photograph(image_id) is not None else []
    for source in sources:
        own = panels(source, image_id, on)
        if not own and source.forms:
            raise UserError(f"{source.path}: {source.kind} are no pictures; without --out their numbers are printed")
        prefix = f"{_title(source.path, of)}: " if len(sources) > 1 else ""
        found += [Panel(prefix + one.title, one.picture, one.note) for one in own]
    return found


def photograph(on: View) -> Panel:
    """The photograph alone."""
    return Panel("photograph", on.photo, f"{on.height} x {on.width} px (height x width)")


def _tags(of: Surroundings, image_id: str) -> str:
    entry = of.entries.get(image_id)
    return ", ".join(of.classes[tag - 1] for tag in entry.tags) if entry else ""


def head(sheet: Sheet, image_id: str, of: Surroundings) -> None:
    """Begin an image: its id and tags."""
    entry = of.entries.get(image_id)
    sheet.heading(image_id, [(tag, of.classes[tag - 1]) for tag in entry.tags] if entry else [])


def _title(path: Path, of: Surroundings) -> str:
    """What an artifact is called on a sheet: its path below the results, as short as its kind allows."""
    place = path.absolute()
    name = place.relative_to(of.root.absolute()) if of.root and place.is_relative_to(of.root.absolute()) else path
    return name.parent.as_posix() if path.suffix == ".h5" else name.as_posix()


def everything(of: Surroundings, image_id: str, output: Path) -> int:
    """Draw every artifact of one image of a results folder, by kind; returns how many there are."""
    holding = artifacts_of(of, image_id)
    on = view(of, image_id, {}, CELL, both=False)
    groups = {"": _given(of, image_id, on)}
    for kind in [*ORDER, *sorted(holding.keys() - ORDER.keys())]:
        found = (panel for path in holding.get(kind, ()) for panel in _of_artifact(path, of, image_id, on))
        groups[ORDER.get(kind, kind)] = list(found)
    sheet = new_sheet()
    head(sheet, image_id, of)
    sheet.text(f"{of.root}, split {of.entries[image_id].split}, {of.entries[image_id].image}")
    _add_groups(sheet, groups)
    sheet.scale("class activation maps, saliency maps")
    sheet.legend(["background", *of.classes])
    sheet.save(output)
    return sum(len(paths) for paths in holding.values())


def _add_groups(sheet: Sheet, groups: Mapping[str, Sequence[Panel]]) -> None:
    """Each group below its heading; few pictures in common rows, with the heading in their titles."""
    if sum(map(len, groups.values())) <= FEW:
        named = [(f"{name}: " if name else "", panel) for name, panels in groups.items() for panel in panels]
        sheet.panels([Panel(name + panel.title, panel.picture, panel.note) for name, panel in named])
        return
    for name, found in groups.items():
        if name and found:
            sheet.heading(name)
        sheet.panels(found)


def _given(of: Surroundings, image_id: str, on: View) -> list[Panel]:
    """Photograph, ground truth and boxes."""
    found = [photograph(on)]
    for name in ("ground_truth.json", "boxes.json"):
        for path in sorted(of.root.glob(f"splits/*/{name}")) if of.root else []:
            with opened(path, of) as source:
                found += panels(source, image_id, on) if image_id in source.ids else []
    return [Panel("ground truth", one.picture, one.note) if one.title == "labels" else one for one in found]


def _of_artifact(path: Path, of: Surroundings, image_id: str, on: View) -> Iterator[Panel]:
    with opened(path, of) as source:
        for one in panels(source, image_id, on):
            what = f": {one.title}" if one.title not in (*source.forms, "features") else ""
            yield Panel(_title(path, of) + what, one.picture, one.note)


def artifacts_of(of: Surroundings, image_id: str) -> dict[str, list[Path]]:
    """The artifacts that hold an image, by kind, those of shards and evaluation left out."""
    found: dict[str, list[Path]] = {}
    for path in sorted(_artifacts(of.root or Path(), image_id)):
        kind = identify.identify(path)
        if kind == identify.LABELS or (kind in kinds.names() and kind != "confusions"):
            with opened(path, of) as source:
                if image_id in source.ids:
                    found.setdefault(kind, []).append(path)
    return found


def _artifacts(root: Path, image_id: str) -> Iterator[Path]:
    """Stores, and folders of label maps with the image."""
    for folder, inner, files in os.walk(root):
        inner[:] = [name for name in inner if name not in NOT_LOOKED_INTO and not name.startswith(".")]
        inner[:] = [name for name in inner if not name.endswith(".shards")]
        yield from (Path(folder, name) for name in files if name.endswith(".h5") and not name.startswith("."))
        if IN_A_FOLDER in files and any(Path(folder).glob(f"{glob.escape(image_id)}.png")):
            yield Path(folder)
