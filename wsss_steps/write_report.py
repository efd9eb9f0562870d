"""Write the page of a run, `report/index.html`: its numbers as scripts, and the scripts that show them.

The folder opens by double click, without a network. The pictures beside it are made by `draw_pictures`.
"""

from __future__ import annotations

import html
import json
import logging
import shutil
from pathlib import Path
from typing import Any

from wsss_steps.cli import main
from wsss_steps.formats.files import IN_A_FOLDER, whole, write_json, write_text
from wsss_steps.report.benchmarks import times
from wsss_steps.report.numbers import numbers
from wsss_steps.report.scripts import data_script

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "report" / "page"
TEMPLATE = "index.html"
TITLE = "{{title}}"


def run(
    *,
    manifests: list[Path],
    tables: list[Path],
    scores: list[Path],
    confusions: list[Path],
    histories: list[Path],
    tags: list[Path],
    warnings: Path | None = None,
    benchmarks: Path | None = None,
    index: Path,
    page: Path,
    settings: dict[str, Any],
    stamp: str = "",
) -> None:
    """Write the page `index`, and the folder `page` beside it with its scripts, styles and numbers.

    Everything but `manifests` may be empty. `settings` are those of `workflow.page`: what each file is of. `benchmarks`
    is the folder of Snakemake's tables of times, read as it is now; they are the one part of the page that may differ
    between two runs on the same inputs, and lie in a script of their own, `times.js`. UserError if a file is not what
    it should be.
    """
    paths = {"manifests": manifests, "tables": tables, "scores": scores, "confusions": confusions}
    found = numbers(paths | {"histories": histories, "tags": tags}, warnings, settings)
    with whole(page) as folder:
        folder.mkdir()
        for path in sorted(STATIC.iterdir()):
            if path.name != TEMPLATE and path.is_file():
                shutil.copyfile(path, folder / path.name)
        (folder / "numbers.js").write_text(data_script("numbers", found), encoding="ascii")
        (folder / "times.js").write_text(
            data_script("times", times(benchmarks, settings["lineages"])), encoding="ascii"
        )
        write_json(folder / IN_A_FOLDER, json.loads(stamp or "{}"))
    text = (STATIC / TEMPLATE).read_text(encoding="utf-8")
    write_text(index, text.replace(TITLE, html.escape(settings["name"])))
    log.info("wrote %s", index)


if __name__ == "__main__":
    main(run)
