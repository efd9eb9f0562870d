"""Image-level tags of a data set, from one table, a `cls_labels.npy`, or VOC's XML annotations."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from xml.etree import ElementTree

from wsss_steps.errors import UserError

Tags = dict[str, tuple[int, ...]]  # image id -> present classes, ascending, 1..C
LISTED = 20  # names in one line of the log
MOST_COLUMNS, LONGEST_NAME = 8, 40  # shown of a wrong table: a file of another kind may be one long line
SEPARATE = "separate tags by ';' or spaces"


def meant(names: Iterable[str], classes: Sequence[str]) -> str:
    """A hint for each name that is a class except for case, spaces and punctuation: `; for 'Cat' write 'cat'`."""
    plain = {_letters(name): name for name in classes}
    return "".join(f"; for '{name}' write '{plain[_letters(name)]}'" for name in names if _letters(name) in plain)


def _letters(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def split_names(text: str, classes: Sequence[str]) -> list[str]:
    """Class names in one field of a table: separated by ';', otherwise by spaces, unless the whole field is a class."""
    if ";" in text:
        return [name.strip() for name in text.split(";") if name.strip()]
    return [text.strip()] if text.strip() in classes else text.split()


def from_table(path: Path, ids: Sequence[str], split: str, classes: Sequence[str], problems: list[str]) -> Tags:
    """Tags of `ids`, which make up `split`, from a CSV table with columns id, tags and optionally split.

    Rows of other ids are skipped. Errors are added to `problems`.
    """
    listed = set(ids)
    tags: Tags = {}
    seen: set[str] = set()
    with_suffix: dict[str, str] = {}
    for line, row in _rows(path, problems):
        image_id = (row["id"] or "").strip()
        if image_id in seen:
            problems.append(f"{path}, line {line}: duplicate id '{image_id}'")
        seen.add(image_id)
        if image_id not in listed:
            with_suffix[Path(image_id).stem] = image_id
            continue
        names = split_names(row["tags"] or "", classes)
        if unknown := sorted(set(names) - set(classes)):
            hint = f"; {SEPARATE}, not by ','" if any("," in name for name in unknown) else meant(unknown, classes)
            problems.append(
                f"{path}, line {line}, id '{image_id}': unknown classes {unknown}; known classes: {', '.join(classes)}"
                + hint
            )
        said = (row.get("split") or "").strip()
        if said and said != split:
            hint = f"; {SEPARATE}, not by ','" if said in classes else ""
            problems.append(
                f"{path}, line {line}: id '{image_id}' is of split '{said}', but in the list of {split}{hint}"
            )
        known = tuple(sorted({classes.index(name) + 1 for name in names if name in classes}))
        if known or not names:  # do not report an image whose tags are all unknown as untagged too
            tags[image_id] = known
    if seen:
        for image_id in (one for one in ids if one not in seen):
            other = with_suffix.get(image_id)
            hint = f" (there is one for '{other}': leave the suffix out)" if other else ""
            problems.append(f"{path}: no row for image '{image_id}' of {split}{hint}")
    return tags


def from_vectors(path: Path, ids: Sequence[str], classes: Sequence[str], problems: list[str]) -> Tags:
    """Tags of `ids` from a `cls_labels.npy`, whose vectors have a place for each of `classes`.

    Other ids are skipped. Errors are added to `problems`.
    """
    from wsss_steps.formats.label_vectors import read_label_vectors

    try:
        vectors = read_label_vectors(path)
    except UserError as error:
        problems.append(str(error))
        return {}
    tags: Tags = {}
    for image_id in ids:
        if image_id not in vectors:
            problems.append(f"{path}: no vector for image '{image_id}'")
        elif len(vector := vectors[image_id]) != len(classes):
            problems.append(f"{path}: image '{image_id}': expected {len(classes)} numbers, found {len(vector)}")
        else:
            tags[image_id] = tuple(int(index) + 1 for index in vector.nonzero()[0])
    return tags


def _rows(path: Path, problems: list[str]) -> list[tuple[int, dict[str, str | None]]]:
    """Line number and fields of every row of a table."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if problem := _wrong_columns(reader.fieldnames or ()):
                problems.append(f"{path}: {problem}")
                return []
            columns = [name for name in reader.fieldnames or () if name]  # a spreadsheet may add some without names
            if len(set(columns)) < len(columns):
                problems.append(f"{path}: expected each column once, found {columns}")
                return []
            rows = [(reader.line_num, dict(row)) for row in reader]
    except FileNotFoundError:
        problems.append(f"{path}: no such table of tags")
        return []
    except (UnicodeDecodeError, csv.Error, OSError) as error:
        problems.append(f"{path}: not a readable table in UTF-8 ({error})")
        return []
    if not rows:
        problems.append(f"{path}: the table of tags is empty")
    for line, row in rows:
        if None in row:
            problems.append(f"{path}, line {line}: more fields than columns; {SEPARATE}")
    return rows


def _wrong_columns(columns: Sequence[str]) -> str | None:
    """What is wrong with the header of a table, or None if it is as expected."""
    if {"id", "tags"} <= set(columns):
        return None
    expected = "expected the columns id, tags and perhaps split, found"
    first = "".join(columns[:1]).lstrip()
    if first[:1] in ("{", "["):
        return f"{expected} JSON; write a table as CSV, one image per line"
    hint = ""
    if {"id", "tags"} <= {name.strip().casefold() for name in columns}:
        hint = "; write their names in small letters and without spaces"
    elif len(columns) == 1 and any(mark in first for mark in ";\t"):
        hint = "; separate columns by ','"
    names = [name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}..." for name in columns[:MOST_COLUMNS]]
    return f"{expected} {names or 'none'}" + (" and more" if len(columns) > MOST_COLUMNS else "") + hint


def from_xml(
    folder: Path,
    ids: Sequence[str],
    classes: Sequence[str],
    problems: list[str],
    notes: Counter[str],
    others: dict[str, list[str]],
) -> Tags:
    """Tags from VOC annotations `<folder>/<id>.xml`: the `name` of every `object`, difficult ones included.

    Names that are no class are added to `others`, by image, and counted in `notes`.
    """
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
        if unknown := [name for name in names if name not in classes]:
            others[image_id] = unknown
        tags[image_id] = tuple(sorted({classes.index(name) + 1 for name in names if name in classes}))
    if found := Counter(chain(*others.values())):
        listed = ", ".join(f"{name} {count}" for name, count in found.most_common(LISTED))
        more = ", ..." if len(found) > LISTED else ""
        hint = meant(sorted(found), classes)
        notes[f"objects of classes that are not listed, passed over: {listed}{more}{hint}"] += found.total()
    return tags
