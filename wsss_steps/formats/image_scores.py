"""The scores of a classifier, a row per image: a table of its id and, per class, the probability that it is shown."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from wsss_steps.errors import UserError
from wsss_steps.formats.files import whole

ID = "id"


def write_image_scores(path: Path, classes: Sequence[str], rows: Iterable[tuple[str, Sequence[float]]]) -> None:
    """Write the probabilities of the classes 1..C of every image, with six decimals."""
    with whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([ID, *classes])
        writer.writerows([image_id, *(f"{score:.6f}" for score in scores)] for image_id, scores in rows)


def read_image_scores(path: Path, classes: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """The probabilities by image id; a UserError if the table is of other classes, or no such table."""
    try:
        head, *rows = csv.reader(path.read_text(encoding="utf-8").splitlines())
        found = {image_id: tuple(map(float, scores)) for image_id, *scores in rows}
    except FileNotFoundError:
        raise UserError(f"{path}: no such file (expected scores of a classifier)") from None
    except ValueError as error:  # also for an empty table, and for bytes that are not UTF-8
        raise UserError(f"{path}: not a readable table of scores ({error}); delete it to have it made again") from None
    if head != [ID, *classes]:
        raise UserError(f"{path}: expected the columns {', '.join([ID, *classes])}; found {', '.join(head)}")
    return found
