"""What the page of a run shows, and which files it is made of. Free of torch and of Snakemake."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from wsss_steps import report
from wsss_steps.provenance.digests import file_digest
from wsss_steps.workflow import boxes, targets, trainings
from wsss_steps.workflow.config import Config
from wsss_steps.workflow.spelling import parse, spell
from wsss_steps.workflow.stages import TRAIN, rows

STATIC = Path(report.__file__).parent / "page"
TABLES = ("summary", "means", "differences", "per_class", "by_size")  # of a data set with ground truth


def splits(config: Config) -> list[str]:
    """The training images, then the held-out splits."""
    return [TRAIN, *config.splits]


def manifests(config: Config) -> list[str]:
    """The images of every split."""
    return [f"<results>/splits/{split}/manifest.json" for split in splits(config)]


def tables(config: Config) -> list[str]:
    """The tables that there are; each is known by the name of its file."""
    masked = config.mask_folder is not None
    found = [f"<tables>/{name}.csv" for name in TABLES] if masked else []
    return found + targets.table_of_superpixels(config) + boxes.table(config)


def scores(config: Config) -> list[str]:
    """The score of every row of the summary, those that recipes share once."""
    return list(dict.fromkeys(targets.scores_of_summary(config))) if config.mask_folder is not None else []


def confusions(config: Config) -> list[str]:
    """The confusion matrices, in the order of the scores."""
    return list(dict.fromkeys(targets.confusions_of_rows(config))) if config.mask_folder is not None else []


def _networks(config: Config) -> list[str]:
    """The networks that are trained for this configuration, below the results."""
    return trainings.trainings(config)[1]


def histories(config: Config) -> list[str]:
    """The table of the epochs of every training."""
    return [f"<results>/{path.removesuffix('.safetensors')}_history.csv" for path in _networks(config)]


def tags(config: Config) -> list[str]:
    """The score of every classifier's tags on the splits that have some."""
    return [f"<results>/{path}" for _, _, path in targets.tag_scores(config)]


def warnings(config: Config) -> list[str]:
    """What `find_warnings` found."""
    return [targets.WARNINGS]


def _rows(config: Config) -> Iterator[dict[str, Any]]:
    """Recipe, random seed, stage and split of every row of the summary, and the number of its score."""
    numbers = {path: number for number, path in enumerate(scores(config))}
    for row in rows(config) if numbers else ():
        about = {"recipe": row.name, "random_seed": row.random_seed, "stage": row.stage, "split": row.split}
        yield about | {"score": numbers[f"<results>/{row.score}"]}


def _users(config: Config) -> list[dict[str, Any]]:
    """Every network that is trained, and the recipes that use it."""
    users: dict[str, list[str]] = {path: [] for path in _networks(config)}
    for run in config.runs:
        for path in trainings.checkpoints(config, run.recipe):
            users[path].append(run.name)
    return [{"network": path, "recipes": list(dict.fromkeys(names))} for path, names in users.items()]


def curves(names: Sequence[str]) -> list[dict[str, str]]:
    """Choices of superpixels, and the curve that each lies on: its choice without the override that varies most.

    That is, among choices of the same method, the one that is a number everywhere and has the most different values.
    """
    found = {name: parse(name) for name in names}
    methods = {method for method, _ in found.values()}
    varied = {method: _most_varied([own for other, own in found.values() if other == method]) for method in methods}
    return [
        {"superpixels": name, "curve": spell(method, {key: one for key, one in own.items() if key != varied[method]})}
        for name, (method, own) in found.items()
    ]


def _most_varied(given: Sequence[Mapping[str, Any]]) -> str | None:
    """The key with the most different values, all of them numbers; None if there is none."""
    values = {key: [one[key] for one in given if key in one] for key in sorted({key for one in given for key in one})}
    counts = {key: len(set(found)) for key, found in values.items() if all(map(_is_number, found))}
    return max(counts, key=lambda key: counts[key], default=None)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def settings(config: Config) -> str:
    """What the files do not know of themselves: recipes, what each file is of, and the state of the page's scripts."""
    names = dict.fromkeys(run.name for run in config.runs)
    recipes = [{"recipe": name, **dict(config.recipes[name].choices())} for name in names]
    about = {
        "name": config.name or config.dataset,
        "dataset": config.dataset,
        "masks": config.mask_folder is not None,
        "unscored": list(config.unscored),
        "random_seeds": list(config.random_seeds),
        "recipes": recipes,
        "lineages": list(dict.fromkeys(run.recipe.lineage() for run in config.runs)),
        "rows": list(_rows(config)),
        "superpixels": curves(config.compare_superpixels) if targets.table_of_superpixels(config) else [],
        "histories": _users(config),
        "tags": [{"classifier": name, "split": split} for name, split, _ in targets.tag_scores(config)],
        "static": file_digest(STATIC),
    }
    return json.dumps(about, sort_keys=True)
