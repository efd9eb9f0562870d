"""Gather the scores of all recipes and stages in one table, `summary.csv`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pandas as pd

from wsss_steps.cli import main
from wsss_steps.errors import all_wrong
from wsss_steps.formats.files import read_json
from wsss_steps.formats.kinds.saliency import SALIENCY
from wsss_steps.formats.stores import Store
from wsss_steps.formats.weights import read_weights_content
from wsss_steps.report import tables

log = logging.getLogger(__name__)

FROM_SCORE = ("stage", "split", "miou", "ci_low", "ci_high", "fp", "fn", "pixel_acc", "coverage", "precision", "images")


def use_of_ground_truth(score: dict[str, Any], about: dict[str, Any]) -> str:
    """What the ground truth was used for: what the score says, and what earlier steps made from it."""
    made = about["made_of_ground_truth"]
    uses = [] if made and score["gt_used_for"] == "nothing" else [score["gt_used_for"]]
    return " and ".join([*uses, *([made] if made else [])])


def left_out_of(paths: list[Path], names: list[str]) -> dict[str, int]:
    """How many images each choice of saliency maps leaves out."""
    counts = {}
    for path, name in zip(paths, names, strict=True):
        with Store(path, SALIENCY) as store:
            counts[name] = len(store.left_out)
    return counts


def about_network(checkpoint: Path | None, kind: str) -> dict[str, str]:
    """What a row says of its network, from the header of the checkpoint; nothing, if it has none."""
    content = {} if checkpoint is None else read_weights_content(checkpoint, kind)
    return {name: content.get(name, "") for name in ("init_weights", "compute_precision")}


def row_of(
    score: dict[str, Any], checkpoint: Path | None, about: dict[str, Any], left_out: dict[str, int]
) -> dict[str, Any]:
    """One row of the table; `about` has what neither the score nor the checkpoint knows."""
    threshold = score["threshold"]
    return {
        **{name: about[name] for name in ("recipe", "random_seed", "crf", "extra_supervision")},
        **{name: score[name] for name in FROM_SCORE},
        "threshold": "" if threshold is None else f"{threshold:g}",
        "gt_used_for": use_of_ground_truth(score, about),
        **about_network(checkpoint, about["network"]),
        "scales": " ".join(f"{scale:g}" for scale in about["scales"] or ()),
        "label_images": about["label_images"],
        "left_out": left_out.get(about["saliency"], 0),
    }


def run(
    *,
    scores: list[Path],
    checkpoints: list[Path],
    saliency: list[Path],
    output: Path,
    settings: dict[str, Any],
    stamp: str = "",
) -> None:
    """Write one row per score to the CSV file `output`, in the given order, and log the table.

    `settings`: {"rows": [...], "saliency": [...]}: `declarations.about_row` of each row, in the order of `scores`, and
    the names of the saliency maps, in the order of the stores `saliency`. `checkpoints` are the weights that made the
    stage of each row with a `network`, which is their kind. Initial weights and precision are read from them. UserError
    if a score or checkpoint is not what it should be.
    """
    rows = settings["rows"]
    networks = sum(about["network"] is not None for about in rows)
    if (len(scores), len(checkpoints)) != (len(rows), networks):
        raise ValueError(
            f"expected scores and checkpoints of {len(rows)} rows, {networks} of them with a network; "
            f"found {len(scores)}, {len(checkpoints)}"
        )
    contents = [read_json(path, "score") for path in scores]
    wrong = [
        f"{path}: expected the score of stage {about['stage']}, {about['split']}, "
        f"found {content['stage']}, {content['split']}"
        for path, content, about in zip(scores, contents, rows, strict=True)
        if (content["stage"], content["split"]) != (about["stage"], about["split"])
    ]
    all_wrong("scores in another order than the rows", wrong)
    left_out = left_out_of(saliency, settings["saliency"])
    left = iter(checkpoints)
    made_by = [None if about["network"] is None else next(left) for about in rows]
    lines = [row_of(*parts, left_out) for parts in zip(contents, made_by, rows, strict=True)]
    tables.write(output, pd.DataFrame(lines, columns=list(tables.COLUMNS)))
    log.info("%s", tables.printed(output))


if __name__ == "__main__":
    main(run)
