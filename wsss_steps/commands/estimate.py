"""Say how much time, memory and disk a run will take, from a run on a slice of its images, before days are spent."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsss_steps.commands import check
from wsss_steps.errors import UserError
from wsss_steps.workflow import preflight

IMAGES, EPOCHS = 20, 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of `check`, and how large the slice is."""
    check.add_arguments(parser)
    parser.add_argument("--cores", type=_positive, default=os.cpu_count(), help="as for snakemake; all, unless said")
    parser.add_argument("--gpus", type=_count, help="GPUs of the run; those that are here, unless said")
    parser.add_argument("--images", type=_positive, default=IMAGES, help=f"of each split in the slice ({IMAGES})")
    parser.add_argument(
        "--epochs",
        type=_positive,
        default=EPOCHS,
        help=f"most of each training of the slice ({EPOCHS}); slow ones get 1",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the table as .csv or .json, too")
    parser.add_argument("--plan", action="store_true", help="only count jobs and images: seconds, nothing is measured")
    parser.add_argument("--keep", action="store_true", help="keep results and logs of the slice")


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"expected 0 or more, found {text}")
    return number


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, found {text}")
    return number


def run(options: argparse.Namespace) -> None:
    """Measure, and print the table; a UserError, and so exit status 1, if a run would fail or a step could not run."""
    if options.out is not None and options.out.suffix not in (".csv", ".json"):
        raise UserError(f"--out: expected a file .csv or .json, found {options.out}")
    content = check.content_of(options)
    name = f"estimate-{os.getpid()}"
    folders = [Path("results", name), Path("logs", name)]
    preflight.check([], folders)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that the slice ends and is deleted
    try:
        _estimate(content, options, name)
    finally:
        for folder in [] if options.keep else folders:
            shutil.rmtree(folder, ignore_errors=True)


def _estimate(content: Mapping[str, Any], options: argparse.Namespace, name: str) -> None:
    from wsss_steps.estimating import session  # here, so that the other commands start without NumPy

    begun = time.monotonic()
    slice_ = session.cut(content, name, options.images, options.epochs, options.cores)
    for line in slice_.counts():
        print(line, flush=True)
    if options.plan:
        return
    session.measure(slice_, options.cores, options.epochs, begun)
    gpus = session.gpus() if options.gpus is None else options.gpus
    found = session.estimated(slice_, options.cores, gpus)
    print("\n".join(session.lines(found)))
    if options.out is not None:
        session.write(options.out, found)
    if options.keep:
        print(f"The slice: {slice_.results} and logs/{name}")
    if missing := [f"{row.step} {row.of}" for row in found.unmeasured if "could not" in row.note]:
        raise UserError(f"{len(missing)} steps could not be measured: {', '.join(missing)}")
