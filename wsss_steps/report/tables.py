"""The tables `summary.csv`, `means.csv` and `superpixels.csv`: their columns, and how they are printed."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from wsss_steps.errors import UserError

SCORES = ["miou", "ci_low", "ci_high", "fp", "fn", "pixel_acc", "coverage", "precision", "images"]
PROTOCOL = ["threshold", "gt_used_for", "init_weights", "compute_precision", "crf", "scales"]
DECLARED = ["extra_supervision", "left_out"]
COLUMNS = ("recipe", "random_seed", "stage", "split", *SCORES, *PROTOCOL, *DECLARED)
SPREAD = ("n", "sd", "min", "max")  # over random seeds
MEANS = ("recipe", "stage", "split", "n", "miou", *SPREAD[1:], *SCORES[1:], *PROTOCOL, *DECLARED)
WIDTH = 120
LEFT = ("stage", "split", "CRF", "scales")  # heads of the columns that are aligned left
Row = Mapping[str, str]


def percent(text: str) -> str:
    """A fraction as a percentage with one decimal; a dash if it is missing."""
    return f"{100 * float(text):.1f}" if text else "-"


def labelled(recipe: str, random_seed: int | str | None) -> str:
    """What the rows of a recipe, of one random seed if there are any, are called."""
    return recipe if random_seed in (None, "") else f"{recipe}, random seed {random_seed}"


def cells(row: Row) -> dict[str, str]:
    """The fields of one row as printed, by the heads of their columns; of a row of means, with n and deviation."""
    interval = f"{percent(row['ci_low'])} - {percent(row['ci_high'])}" if row["ci_low"] else "-"
    spread = {"n": row["n"], "sd": percent(row["sd"])} if "n" in row else {}
    heads = {"FP": "fp", "FN": "fn", "acc.": "pixel_acc", "cover": "coverage", "prec.": "precision"}
    return {
        "stage": row["stage"] + ("*" if "threshold" in row["gt_used_for"] else ""),
        "split": row["split"],
        "mIoU": percent(row["miou"]),
        **spread,
        "95 % interval": interval,
        **{head: percent(row[name]) for head, name in heads.items()},
        "images": row["images"],
        "CRF": row["crf"] or "-",
        "scales": row["scales"] or "-",
    }


def table(rows: Sequence[Row]) -> list[str]:
    """Lines of at most `WIDTH` characters: the rows below their recipe's name, then notes."""
    printed = [cells(row) for row in rows]
    heads = {head: head for head in printed[0]}
    widths = {head: max(len(line[head]) for line in [heads, *printed]) for head in heads}

    def aligned(line: Mapping[str, str]) -> str:
        words = [word.ljust(widths[head]) if head in LEFT else word.rjust(widths[head]) for head, word in line.items()]
        return ("  " + "  ".join(words).rstrip())[:WIDTH]

    lines = [aligned(heads)]
    before = None
    for row, line in zip(rows, printed, strict=True):
        name = labelled(row["recipe"], row.get("random_seed"))
        if name != before:
            before = name
            lines += ["-" * min(len(aligned(heads)), WIDTH), name[:WIDTH]]
        lines.append(aligned(line))
    return [*lines, "", *notes(rows)]


def notes(rows: Sequence[Row]) -> list[str]:
    """Notes on the numbers: units, thresholds chosen by the ground truth, initial weights, stages not scored."""
    found = [
        "All numbers in percent. FP, FN: mean over the classes without background; mIoU: with it. Interval: from",
        "drawing the images again. cover: share of pixels with a label; prec.: share of the labels that are right.",
    ]
    if "n" in rows[0]:
        found.append("Means over n random seeds, which the interval draws again too; sd: deviation between them.")
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
    for count in dict.fromkeys(row["left_out"] for row in rows if row["left_out"] != "0"):
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
    """The rows of a summary, of means or of superpixels; a UserError if it is no such table, or has no rows."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            found = tuple(reader.fieldnames or ())
            if found not in (COLUMNS, MEANS) and found[:1] != ("superpixels",):
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
