"""Gather the scores of all compared superpixels in one table, `superpixels.csv` (Kim 2022, dissertation, Table 3.5)."""

from __future__ import annotations

import csv
import io
import logging
from pathlib import Path
from typing import Any

from wsss_steps.cli import main
from wsss_steps.formats.files import read_json, write_text

log = logging.getLogger(__name__)

COLUMNS = ("superpixels", "split", "images", "per_image", "ue", "bp", "br", "asa", "boundary")


def row_of(name: str, score: dict[str, Any]) -> dict[str, str]:
    """One row: means over the images of the number of superpixels and of each measure, and the boundary convention."""
    measures = {measure.lower(): part["mean"] for measure, part in score["scores"].items()}
    written = {measure: "" if mean is None else f"{mean:.4f}" for measure, mean in measures.items()}
    per_image = f"{score['superpixels_per_image']:.2f}"
    return {
        "superpixels": name,
        "split": score["split"],
        "images": str(score["images"]),
        "per_image": per_image,
        **written,
        "boundary": score["settings"]["boundary"],
    }


def run(*, scores: list[Path], output: Path, settings: dict[str, Any], stamp: str = "") -> None:
    """Write one row per score to the CSV file `output`; settings "names" are the choices in the order of `scores`."""
    names = settings["names"]
    rows = [row_of(name, read_json(path, "superpixel_score")) for name, path in zip(names, scores, strict=True)]
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(output, text.getvalue())
    log.info("wrote %s", output)


if __name__ == "__main__":
    main(run)
