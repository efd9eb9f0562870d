"""Image-level tags of a data set, from one table or from VOC's XML annotations."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

Tags = dict[str, tuple[int, ...]]  # image id -> present classes, ascending, 1..C


def split_names(text: str, classes: Sequence[str]) -> list[str]:
    """Class names in one field of a table, separated by ';', or else by spaces, unless one class is named by it all."""
    if ";" in text:
        return [name.strip() for name in text.split(";") if name.strip()]
    return [text.strip()] if text.strip() in classes else text.split()


def from_table(path: Path, ids: Sequence[str], split: str, classes: Sequence[str], problems: list[str]) -> Tags:
    """Tags of `ids`, which make up `split`, from a CSV table with columns id, tags and perhaps split.

    Rows of other ids are passed over. What is wrong is added to `problems`.
    """
    listed = set(ids)
    tags: Tags = {}
    seen: set[str] = set()
    for line, row in _rows(path, problems):
        image_id = (row["id"] or "").strip()
        if image_id in seen:
            problems.append(f"{path}, line {line}: id '{image_id}' stands twice")
        seen.add(image_id)
        if image_id not in listed:
            continue
        names = split_names(row["tags"] or "", classes)
        if unknown := sorted(set(names) - set(classes)):
            problems.append(
                f"{path}, line {line}, id '{image_id}': unknown classes {unknown}; known classes: {', '.join(classes)}"
            )
        said = (row.get("split") or "").strip()
        if said and said != split:
            problems.append(f"{path}, line {line}: id '{image_id}' is of split '{said}', but in the list of {split}")
        known = tuple(sorted({classes.index(name) + 1 for name in names if name in classes}))
        if known or not names:  # an image whose tags are all unknown is reported once, not as untagged as well
            tags[image_id] = known
    if seen:
        problems += [f"{path}: no row for image '{image_id}' of {split}" for image_id in ids if image_id not in seen]
    return tags


def _rows(path: Path, problems: list[str]) -> list[tuple[int, dict[str, str | None]]]:
    """Line number and fields of every row of a table."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if not {"id", "tags"} <= set(reader.fieldnames or ()):
                problems.append(
                    f"{path}: expected the columns id, tags and perhaps split, found {reader.fieldnames or 'none'}"
                )
                return []
            columns = [name for name in reader.fieldnames or () if name]  # a spreadsheet may add some without names
            if len(set(columns)) < len(columns):
                problems.append(f"{path}: expected each column once, found {columns}")
                return []
            rows = [(reader.line_num, dict(row)) for row in reader]
    except FileNotFoundError:
        problems.append(f"{path}: no such table of tags")
        return []
    except (UnicodeDecodeError, csv.Error) as error:
        problems.append(f"{path}: not a readable table in UTF-8 ({error})")
        return []
    if not rows:
        problems.append(f"{path}: the table of tags is empty")
    for line, row in rows:
        if None in row:
            problems.append(f"{path}, line {line}: more fields than columns; separate tags by ';' or spaces")
    return rows


def from_xml(
    folder: Path, ids: Sequence[str], classes: Sequence[str], problems: list[str], notes: Counter[str]
) -> Tags:
    """Tags from VOC annotations `<folder>/<id>.xml`: the `name` of every `object`, difficult ones included."""
    tags: Tags = {}
    if not folder.is_dir():
        problems.append(f"{folder}: no such folder of annotations; give tags in a table with tags_csv instead")
        return tags
    for image_id in ids:
        path = folder / f"{image_id}.xml"
        try:
            names = [
                (element.text or "").strip() for element in ElementTree.parse(path).getroot().iterfind("object/name")
            ]
        except FileNotFoundError:
            problems.append(f"{path}: no such annotation")
            continue
        except (ElementTree.ParseError, OSError) as error:
            problems.append(f"{path}: not a readable XML file ({error})")
            continue
        notes["objects of classes that are not listed, passed over"] += sum(name not in classes for name in names)
        tags[image_id] = tuple(sorted({classes.index(name) + 1 for name in names if name in classes}))
    return tags
