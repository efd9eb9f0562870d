"""Print tables of results: summary.csv, superpixels.csv, boxes.csv."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The files."""
    parser.add_argument("table", type=Path, nargs="+", help="such as results/example/summary.csv")


def run(options: argparse.Namespace) -> None:
    """Print each."""
    from wsss_steps.report import boxes, tables  # here, so that the other commands start without pandas

    for path in options.table:
        print(boxes.printed(path) if boxes.holds(path) else tables.printed(path))
