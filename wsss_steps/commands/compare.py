"""Compare two folders of results, two artifacts of one kind, or two tables: where they differ. Stamps may differ."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wsss_steps.errors import UserError

MOST = 20  # lines of images or fields
DRAWN = 6  # images


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The two, and the picture."""
    parser.add_argument("first", type=Path, help="such as results/example, a store, a table, a folder of label maps")
    parser.add_argument("second", type=Path, help="such as the same of another run")
    parser.add_argument("--image", nargs="+", default=[], metavar="ID", help="compare these images only")
    parser.add_argument("--out", type=Path, metavar="PNG", help="draw the images that differ most, side by side")
    parser.add_argument(
        "--most", type=int, metavar="N", help=f"print at most N lines ({MOST}), draw at most N images ({DRAWN})"
    )


def run(options: argparse.Namespace) -> None:
    """Print what is different; exit status 1 if anything is."""
    from wsss_steps.report.artifacts import pairs  # here, so that the other commands start without pandas

    first, second = options.first, options.second
    if pairs.are_results(first, second):
        if options.image or options.out:
            raise UserError("--image and --out are for two artifacts: name two stores or folders of label maps")
        found = pairs.of_results(first, second)
    else:
        found = pairs.of_artifacts(
            first, second, options.image, options.out, options.most or MOST, options.most or DRAWN
        )
    different = False
    for line, counts in found:
        print(line)
        different = different or counts
    if different:
        sys.exit(1)
