"""Print what an artifact was made from, back to the images, and mark what is missing or has changed since."""

from __future__ import annotations

import argparse
from pathlib import Path

from wsss_steps.provenance.lineage import lineage


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The artifact."""
    parser.add_argument("file", type=Path, help="an artifact: a file, or a folder of label maps")


def run(options: argparse.Namespace) -> None:
    """Print its lineage."""
    for line in lineage(options.file):
        print(line)
