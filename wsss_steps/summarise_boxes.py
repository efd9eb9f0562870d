"""Gather how well the boxes of all class activation maps meet those of the ground truth in one table, `boxes.csv`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from wsss_steps.cli import main
from wsss_steps.formats.files import read_json
from wsss_steps.report import boxes

log = logging.getLogger(__name__)


def row_of(about: dict[str, Any], score: dict[str, Any]) -> dict[str, Any]:
    """One row: which maps of which recipe, their scores, and what they were scored by."""
    given = score["settings"]
    protocol = {"connectivity": given["connectivity"], "difficult": given["difficult"]}
    protocol |= {name: f"{given[name]:g}" for name in ("threshold", "iou")}
    per_class = {f"{boxes.CORLOC}{one['class']}": one["corloc"] for one in score["per_class"]}
    return {**about, **{name: score[name] for name in ("split", *boxes.SCORES, "gt_used_for")}, **protocol, **per_class}


def run(*, scores: list[Path], output: Path, settings: dict[str, Any], stamp: str = "") -> None:
    """Write one row per score to the CSV file `output`, and log the table.

    `settings` are {"rows": [...], "classes": [...]}: recipe, random seed and maps of each row, in the order of
    `scores`, and the names of the classes.
    """
    found = [row_of(about, read_json(path, "box_score")) for about, path in zip(settings["rows"], scores, strict=True)]
    boxes.write(output, found, settings["classes"])
    log.info("%s", boxes.printed(output))


if __name__ == "__main__":
    main(run)
