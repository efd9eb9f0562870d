"""Gather the scores of all compared superpixels in one table, `superpixels.csv` (Kim 2022, dissertation, Table 3.5)."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pandas as pd

from wsss_steps.cli import main
from wsss_steps.formats.files import read_json
from wsss_steps.report import tables

log = logging.getLogger(__name__)

MEASURES = ["ue", "bp", "br", "asa"]
COLUMNS = ["superpixels", "split", "images", "per_image", *MEASURES, "boundary"]


def row_of(name: str, score: dict[str, Any]) -> dict[str, Any]:
    """One row: means over the images of the number of superpixels and of each measure, and the boundary convention."""
    return {
        "superpixels": name,
        "split": score["split"],
        "images": score["images"],
        "per_image": f"{score['superpixels_per_image']:.2f}",
        **{measure.lower(): part["mean"] for measure, part in score["scores"].items()},
        "boundary": score["settings"]["boundary"],
    }


def run(*, scores: list[Path], output: Path, settings: dict[str, Any], stamp: str = "") -> None:
    """Write one row per score to the CSV file `output`; settings "names" are the choices in the order of `scores`."""
    names = settings["names"]
    rows = [row_of(name, read_json(path, "superpixel_score")) for name, path in zip(names, scores, strict=True)]
    tables.write(output, pd.DataFrame(rows, columns=COLUMNS).astype(dict.fromkeys(MEASURES, float)), decimals=4)
    log.info("wrote %s", output)


if __name__ == "__main__":
    main(run)
