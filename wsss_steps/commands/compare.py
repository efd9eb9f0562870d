"""Compare the numbers of two folders of results: arrays, weights, label maps, scores, tables. Stamps may differ."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wsss_steps.errors import UserError
from wsss_steps.report import comparison


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The two folders."""
    parser.add_argument("first", type=Path, help="such as results/example")
    parser.add_argument("second", type=Path, help="such as the same folder of another run")


def run(options: argparse.Namespace) -> None:
    """Print what is different; exit status 1 if anything is."""
    folders = (options.first, options.second)
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"{folder}: no such folder")
    found = 0
    for name, what in comparison.differences(*folders):
        print(f"{name}: {what}")
        found += 1
    counts = " and ".join(f"{comparison.count(folder)} artifacts in {folder}" for folder in folders)
    print(f"{counts}; {found or 'none'} different")
    if found:
        sys.exit(1)
