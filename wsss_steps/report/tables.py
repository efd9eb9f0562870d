"""The tables `summary.csv`, `means.csv` and `superpixels.csv`: their columns, and how they are written and printed."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from wsss_steps.errors import UserError
from wsss_steps.formats.files import write_text

SCORES = ["miou", "ci_low", "ci_high", "fp", "fn", "pixel_acc", "coverage", "precision", "images"]
PROTOCOL = ["threshold", "gt_used_for", "init_weights", "compute_precision", "crf", "scales", "label_images"]
DECLARED = ["extra_supervision", "left_out"]
COLUMNS = ("recipe", "random_seed", "stage", "split", *SCORES, *PROTOCOL, *DECLARED)
SPREAD = ("n", "sd", "min", "max")  # over random seeds
MEANS = ("recipe", "stage", "split", "n", "miou", *SPREAD[1:], *SCORES[1:], *PROTOCOL, *DECLARED)
WIDTH = 120
LEFT = (
    "recipe",
    "cams",
    "stage",
    "split",
    "class",
    "size",
    "superpixels",
    "CRF",
    "scales",
)  # heads of names, left-aligned
HEADS = {"FP": "fp", "FN": "fn", "acc.": "pixel_acc", "cover": "coverage", "prec.": "precision"}


def percent(value: float | str) -> str:
    """A fraction, or its text in a file, as a percentage with one decimal; a dash if it is missing."""
    return "-" if value == "" or pd.isna(value) else f"{100 * float(value):.1f}"


def sides(frame: pd.DataFrame) -> list[str]:
    """How each column is aligned: names to the left, numbers to the right."""
    return ["left" if name in LEFT else "right" for name in frame.columns]


def labelled(recipe: str, random_seed: int | str | None) -> str:
    """What the rows of a recipe, of one random seed if there are any, are called."""
    return recipe if random_seed in (None, "") else f"{recipe}, random seed {random_seed}"


def write(path: Path, frame: pd.DataFrame, decimals: int = 6) -> None:
    """Write a table as CSV, floats with so many decimals, missing values as empty fields."""
    write_text(path, frame.to_csv(index=False, float_format=f"%.{decimals}f", lineterminator="\n"))


def read(path: Path) -> pd.DataFrame:
    """A summary, means or superpixels, every field as text; a UserError if it is no such table, or has no rows."""
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise UserError(f"{path}: no such summary; it is written at the end of a run of the workflow") from None
    except pd.errors.EmptyDataError:
        frame = pd.DataFrame()
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: expected a table in CSV ({error})") from None
    found = tuple(frame.columns)
    if found not in (COLUMNS, MEANS) and found[:1] != ("superpixels",):
        raise UserError(f"{path}: expected the columns {', '.join(COLUMNS)}; found {', '.join(found) or 'none'}")
    if frame.empty:
        raise UserError(f"{path}: the table has no rows")
    return frame


def shown(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns of a summary as they are printed; of means with n and deviation."""
    marks = frame["gt_used_for"].str.contains("threshold").map({True: "*", False: ""})
    found = pd.DataFrame({"stage": frame["stage"] + marks, "split": frame["split"], "mIoU": frame["miou"].map(percent)})
    if "n" in frame:
        found = found.assign(n=frame["n"], sd=frame["sd"].map(percent))
    interval = frame["ci_low"].map(percent) + " - " + frame["ci_high"].map(percent)
    found["95 % interval"] = interval.where(frame["ci_low"] != "", "-")
    found[list(HEADS)] = frame[list(HEADS.values())].map(percent)
    found["images"] = frame["images"]
    found[["CRF", "scales"]] = frame[["crf", "scales"]].replace("", "-")
    return found


def lines_of(frame: pd.DataFrame) -> list[str]:
    """Heads and rows as lines, with two spaces between columns."""
    # heads as a row: tabulate makes a column two characters wider than its head
    rows = pd.concat([pd.DataFrame([frame.columns], columns=frame.columns), frame])
    text = rows.to_markdown(index=False, headers=(), tablefmt="plain", disable_numparse=True, colalign=sides(frame))
    return [line.rstrip() for line in text.splitlines()]


def table(frame: pd.DataFrame) -> list[str]:
    """Lines of at most `WIDTH` characters: the rows below their recipe's name, then notes."""
    heads, *lines = (f"  {line}"[:WIDTH] for line in lines_of(shown(frame)))
    seeds = frame.get("random_seed", frame["recipe"].map(lambda _: ""))
    names = [labelled(*pair) for pair in zip(frame["recipe"], seeds, strict=True)]
    found = [heads]
    for name, group in itertools.groupby(zip(names, lines, strict=True), key=lambda pair: pair[0]):
        found += ["-" * len(heads), name[:WIDTH], *(line for _, line in group)]
    return [*found, "", *(line[:WIDTH] for line in (*notes(frame), *declared(frame)))]


def notes(frame: pd.DataFrame) -> Iterator[str]:
    """Notes on the numbers: units, thresholds chosen by the ground truth, initial weights, stages not scored."""
    yield "All numbers in percent. FP, FN: mean over the classes without background; mIoU: with it. Interval: from"
    yield "drawing the images again. cover: share of pixels with a label; prec.: share of the labels that are right."
    if "n" in frame:
        yield "Means over n random seeds, which the interval draws again too; sd: deviation between them."
    chosen = frame["threshold"][frame["gt_used_for"].str.contains("threshold")]
    if len(chosen):
        yield f"* background threshold chosen by the ground truth of the same images: {', '.join(sorted(set(chosen)))}"
    if (frame["gt_used_for"] == "nothing").any():
        yield "- no ground truth: not scored"
    for text in frame["label_images"][frame["label_images"] != ""].unique():
        yield f"Ground truth: label images of {text}"
    for group, stages in (
        ("classifier", ("cams", "seeds")),
        ("segmenter", ("pseudo_labels", "segmentation", "segmentation_crf")),
    ):
        for text in frame["init_weights"][frame["stage"].isin(stages)].unique():
            yield f"Initial weights, {group}: " + re.sub(r"(sha256:\w{12})\w+", r"\1...", text)


def declared(frame: pd.DataFrame) -> Iterator[str]:
    """Supervision beyond tags and images left out of training, with the recipes."""
    extra = frame[frame["extra_supervision"] != ""]
    for text, rows in extra.groupby("extra_supervision", sort=False):
        yield f"Extra supervision: {text} (recipes: {_recipes(rows)})"
    if extra.empty:
        yield "Extra supervision: none; training was given image-level tags alone"
    upper = frame[frame["gt_used_for"].str.contains("saliency")]
    if len(upper):
        yield f"Saliency made of the ground truth, an upper bound and no weak supervision: {_recipes(upper)}"
    for count, rows in frame[frame["left_out"] != "0"].groupby("left_out", sort=False):
        yield f"Training images left out without a saliency map: {count} (recipes: {_recipes(rows)})"


def _recipes(frame: pd.DataFrame) -> str:
    """The recipes of some rows, each once."""
    return ", ".join(frame["recipe"].unique())


def printed(path: Path) -> str:
    """The table in a file, as printed; one of superpixels unchanged. A UserError as from `read`."""
    frame = read(path)
    return "\n".join(["", *(table(frame) if "recipe" in frame else lines_of(frame)), f"Table: {path}", ""])
