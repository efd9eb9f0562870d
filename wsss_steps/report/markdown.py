"""The tables over random seeds for people, in Markdown: percent, and how each table was computed."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from wsss_steps.report.experiments import PLACE, Tables, joined
from wsss_steps.report.tables import percent, sides

SINGLE = "n = 1 is a single run: differences of several points can be rounding alone. Give `random_seeds`."
MEANS = (
    "Mean ± deviation of the mIoU over n random seeds. The interval comes from drawing images and random seeds again",
    "(bootstrap); it is too narrow for few seeds. FP, FN: mean over the classes without background.",
)
DIFFERENCES = (
    "mIoU minus that of the first recipe with the same random seed, in points: mean over n random seeds. The interval",
    "comes from drawing images and random seeds again, the same ones for both. All pairs: differences.csv.",
)
SIZES = (
    "The size is the share of the image's pixels that are of the object's class. Pixels of a class are counted in the",
    "images where it has that size, then the mean is taken over the classes. What is taken for a class in images that",
    "do not show it is not counted, so these scores are higher than those per class.",
)


def document(tables: Tables) -> str:
    """The text of tables.md."""
    sections = (_means(tables.means), _differences(tables.differences), *_of_last_stage(tables))
    return "\n".join(
        ["# Recipes compared", "", "All scores are in percent.", "", *(_ for one in sections for _ in one)]
    )


def spread(mean: float, deviation: float) -> str:
    """Mean and deviation over random seeds; of a single run no deviation."""
    return percent(mean) + ("" if pd.isna(deviation) else f" ± {percent(deviation)}")


def span(row: pd.Series[float]) -> str:
    """An interval."""
    return "-" if pd.isna(row["ci_low"]) else f"{percent(row['ci_low'])} to {percent(row['ci_high'])}"


def _section(title: str, text: list[str], frame: pd.DataFrame) -> Iterator[str]:
    """A heading, how the table was computed, and the table, names to the left and numbers to the right."""
    yield from (f"## {title}", "", *text, "")
    yield from (frame.to_markdown(index=False, disable_numparse=True, colalign=sides(frame)), "")


def _named(recipe: str) -> str:
    """The name of a recipe as code: `~` would strike it out."""
    return f"`{recipe.replace('|', chr(92) + '|')}`"


def _means(means: pd.DataFrame) -> Iterator[str]:
    """Every recipe and stage."""
    chosen = means["gt_used_for"].str.contains("threshold")
    frame = pd.DataFrame(
        {"recipe": means["recipe"].map(_named), "stage": means["stage"] + chosen.map({True: "\\*", False: ""})}
    )
    frame[["split", "n"]] = means[["split", "n"]]
    frame["mIoU"] = [spread(mean, deviation) for mean, deviation in zip(means["miou"], means["sd"], strict=True)]
    frame["95 % interval"] = [span(row) for _, row in means.iterrows()]
    for head, name in {"FP": "fp", "FN": "fn", "acc.": "pixel_acc", "precision": "precision"}.items():
        frame[head] = means[name].map(percent)
    return _section("Means", [*MEANS, *_notes(means, means[chosen])], frame)


def _notes(means: pd.DataFrame, chosen: pd.DataFrame) -> Iterator[str]:
    """What to know of single runs, of thresholds that were `chosen` by the ground truth, and of more than tags."""
    if (means["n"] == 1).any():
        yield SINGLE
    if len(chosen):
        yield f"\\* background threshold chosen by the ground truth of the same images: {joined(chosen['threshold'])}."
    for text in dict.fromkeys(filter(None, means["extra_supervision"])):
        recipes = dict.fromkeys(means["recipe"][means["extra_supervision"] == text].map(_named))
        yield f"Extra supervision: {text} ({', '.join(recipes)})."


def _differences(differences: pd.DataFrame) -> Iterator[str]:
    """The other recipes against the first one."""
    if differences.empty:
        return
    first = differences["other"].iloc[0]
    found = differences[differences["other"] == first]
    frame = found[["recipe", *PLACE, "n"]].assign(recipe=found["recipe"].map(_named))
    frame["difference"] = found["difference"].map(percent)
    frame["95 % interval"] = [span(row) for _, row in found.iterrows()]
    frame["better in"] = [f"{better} of {n}" for better, n in zip(found["better"], found["n"], strict=True)]
    text = [*DIFFERENCES, *([SINGLE] if (found["n"] == 1).any() else [])]
    yield from _section(f"Differences from {_named(first)}", text, frame)


def _of_last_stage(tables: Tables) -> Iterator[Iterator[str]]:
    """Classes and sizes of objects at the last stage, a column for each recipe."""
    last = tables.means.iloc[-1]
    where = f"IoU at the last stage, {last['stage']} of {last['split']}, mean ± deviation over random seeds; the other"
    yield _section("Per class", [f"{where} stages: per_class.csv."], _by_recipe(tables.per_class, last, ["class"]))
    ends = zip(tables.by_size["from"], tables.by_size["to"], strict=True)
    sizes = tables.by_size.assign(size=[f"{percent(low)} to {percent(high)}" for low, high in ends])
    text = [f"{where} stages: by_size.csv.", *SIZES]
    yield _section("By object size", text, _by_recipe(sizes, last, ["size", "objects"]))


def _by_recipe(frame: pd.DataFrame, place: pd.Series[str], names: list[str]) -> pd.DataFrame:
    """IoUs at one stage and split: the columns `names`, then a column for each recipe."""
    found = frame[(frame["stage"] == place["stage"]) & (frame["split"] == place["split"])]
    wide: dict[str, list[str]] = {}
    for recipe, rows in found.groupby("recipe", sort=False):
        wide |= {name: rows[name].astype(str).to_list() for name in names}
        wide[_named(str(recipe))] = [spread(*pair) for pair in zip(rows["iou"], rows["sd"], strict=True)]
    return pd.DataFrame(wide)
