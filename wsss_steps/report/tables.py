"""The tables `summary.csv` and `superpixels.csv`: their columns, and how they are printed."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from wsss_steps.errors import UserError

SCORES = ["miou", "ci_low", "ci_high", "fp", "fn", "pixel_acc", "coverage", "precision", "images"]
PROTOCOL = ["threshold", "gt_used_for", "init_weights", "compute_precision", "crf", "scales"]
DECLARED = ["extra_supervision", "left_out"]
COLUMNS = ("recipe", "stage", "split", *SCORES, *PROTOCOL, *DECLARED)
HEADS = ("stage", "split", "mIoU", "95 % interval", "FP", "FN", "acc.", "cover", "prec.", "images", "CRF", "scales")
WIDTH = 120
Row = Mapping[str, str]


def percent(text: str) -> str:
    """A fraction as a percentage with one decimal; a dash if it is missing."""
    return f"{100 * float(text):.1f}" if text else "-"


def cells(row: Row) -> tuple[str, ...]:
    """The fields of one row, as printed below `HEADS`."""
    interval = f"{percent(row['ci_low'])} - {percent(row['ci_high'])}" if row["ci_low"] else "-"
    numbers = [percent(row[name]) for name in ("fp", "fn", "pixel_acc", "coverage", "precision")]
    mark = "*" if "threshold" in row["gt_used_for"] else ""
    return (
        row["stage"] + mark,
        row["split"],
        percent(row["miou"]),
        interval,
        *numbers,
        row["images"],
        row["crf"] or "-",
        row["scales"] or "-",
    )


def table(rows: Sequence[Row]) -> list[str]:
    """Lines of at most `WIDTH` characters: the rows below their recipe's name, then notes."""
    printed = [cells(row) for row in rows]
    widths = [max(len(line[column]) for line in [HEADS, *printed]) for column in range(len(HEADS))]

    def aligned(line: Sequence[str]) -> str:
        words = [
            word.ljust(width) if index in (0, 1, 10, 11) else word.rjust(width)
            for index, (word, width) in enumerate(zip(line, widths, strict=True))
        ]
        return ("  " + "  ".join(words).rstrip())[:WIDTH]

    lines = [aligned(HEADS)]
    recipe = None
    for row, line in zip(rows, printed, strict=True):
        if row["recipe"] != recipe:
            recipe = row["recipe"]
            lines += ["-" * min(len(aligned(HEADS)), WIDTH), recipe[:WIDTH]]
        lines.append(aligned(line))
    return [*lines, "", *notes(rows)]


def notes(rows: Sequence[Row]) -> list[str]:
    """Notes on the numbers: units, thresholds chosen by the ground truth, initial weights, stages not scored."""
    found = [
        "All numbers in percent. FP, FN: mean over the classes without background; mIoU: with it. Interval: from",
        "drawing the images again. cover: share of pixels with a label; prec.: share of the labels that are right.",
    ]
    chosen = sorted({row["threshold"] for row in rows if "threshold" in row["gt_used_for"]})
    if chosen:
        found.append(f"* background threshold chosen by the ground truth of the same images: {', '.join(chosen)}")
    if any(row["gt_used_for"] == "nothing" for row in rows):
        found.append("- no ground truth: not scored")
    for group, stages in (
        ("classifier", ("cams", "seeds")),
        ("segmenter", ("pseudo_labels", "segmentation", "segmentation_crf")),
    ):
        texts = dict.fromkeys(row["init_weights"] for row in rows if row["stage"] in stages)
        short = [re.sub(r"(sha256:\w{12})\w+", r"\1...", text) for text in texts]
        found += [f"Initial weights, {group}: {text}"[:WIDTH] for text in short]
    return found + declared(rows)


def declared(rows: Sequence[Row]) -> list[str]:
    """Supervision beyond tags and images left out of training, with the recipes."""
    found = []
    for text in dict.fromkeys(row["extra_supervision"] for row in rows if row["extra_supervision"]):
        recipes = dict.fromkeys(row["recipe"] for row in rows if row["extra_supervision"] == text)
        found.append(f"Extra supervision: {text} (recipes: {', '.join(recipes)})"[:WIDTH])
    if not found:
        found.append("Extra supervision: none; training was given image-level tags alone")
    upper = dict.fromkeys(row["recipe"] for row in rows if "saliency" in row["gt_used_for"])
    if upper:
        found.append(
            f"Saliency made of the ground truth, an upper bound and no weak supervision: {', '.join(upper)}"[:WIDTH]
        )
    for count in dict.fromkeys(row["left_out"] for row in rows if int(row["left_out"])):
        recipes = dict.fromkeys(row["recipe"] for row in rows if row["left_out"] == count)
        found.append(
            f"Training images left out without a saliency map: {count} (recipes: {', '.join(recipes)})"[:WIDTH]
        )
    return found


def plain(rows: Sequence[Row]) -> list[str]:
    """Lines of a table of superpixels: names aligned left, numbers right, unchanged from the file."""
    printed = [tuple(rows[0]), *(tuple(row.values()) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*printed, strict=True)]
    return [
        "  ".join(
            [line[0].ljust(widths[0]), *(word.rjust(width) for word, width in zip(line[1:], widths[1:], strict=True))]
        )
        for line in printed
    ]


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a summary or of a table of superpixels; a UserError if it is neither, or has no rows."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            found = tuple(reader.fieldnames or ())
            if found != COLUMNS and found[:1] != ("superpixels",):
                raise UserError(
                    f"{path}: expected the columns {', '.join(COLUMNS)}; found {', '.join(found) or 'none'}"
                )
            rows = list(reader)
            if not rows:
                raise UserError(f"{path}: the table has no rows")
            return rows
    except FileNotFoundError:
        raise UserError(f"{path}: no such summary; it is written at the end of a run of the workflow") from None


def printed(path: Path) -> str:
    """The table in a file, as printed; a UserError as from `read`."""
    rows = read(path)
    return "\n".join(["", *(table(rows) if "recipe" in rows[0] else plain(rows)), f"Table: {path}", ""])
