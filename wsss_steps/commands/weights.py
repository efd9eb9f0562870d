"""List the weights that a configuration can name, with licence, size and whether they are here; fetch those named."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence

from wsss_steps.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Names to fetch, none to list all."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="weights to fetch into the cache; none: list all")


def run(options: argparse.Namespace) -> None:
    """Print the table, or fetch; one UserError with all that cannot be had."""
    if not options.names:
        print(listed())
        return
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    _fetch(options.names)


def listed() -> str:
    """A row for each entry of the table, and where the cache is."""
    import pandas as pd  # here, so that the other commands start without what these import

    from wsss_steps.pretrained import cache
    from wsss_steps.pretrained.table import table

    rows = [
        [
            entry.name,
            entry.net,
            f"{entry.bytes / 1e6:.1f}" if entry.bytes else "",
            entry.licence,
            entry.trained_on,
            "yes" if cache.present(entry) else "by hand" if entry.gated else "no",
        ]
        for entry in table().entries.values()
    ]
    frame = pd.DataFrame(rows, columns=["weights", "network", "MB", "licence", "trained on", "here"])
    text = frame.to_markdown(index=False, tablefmt="simple", disable_numparse=True)
    return f"{text}\n\nThe cache is {cache.folder()} (WSSS_CACHE)"


def _fetch(names: Sequence[str]) -> None:
    from wsss_steps.pretrained import cache
    from wsss_steps.pretrained.table import table

    problems = []
    for entry in [table().of(name) for name in names]:
        try:
            print(f"{entry.name}: {cache.fetched(entry)}")
        except UserError as error:
            problems.append(str(error))
    if problems:
        raise UserError("\n".join(problems))
