"""Segment photographs with a trained network: files, folders and patterns, as label maps and overlays."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

from wsss_steps.settings import crf

NONE = "none"
TILE, OVERLAP = 1024, 256  # px
CHANGES = ("scales", "flip", "merge", "crf", "max_side")


def size(text: str) -> int | None:
    """A number of px, or None for `none`; an ArgumentTypeError for anything else."""
    if text == NONE:
        return None
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"expected a number of px or {NONE}, found '{text}'")
    return int(text)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Photographs, network, where the results go, and how to segment."""
    parser.add_argument(
        "images", nargs="+", metavar="IMAGE", help="photographs, folders with their sub-folders, quoted patterns"
    )
    parser.add_argument("--model", type=Path, required=True, help="the network: segmenter.safetensors of a run")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the results")
    parser.add_argument(
        "--tags", metavar="TABLE|CLASSES", help="classes that may appear: `cat,dog`, or a table file,tags"
    )
    parser.add_argument(
        "--overlay", action=argparse.BooleanOptionalAction, default=True, help="pictures to look at (default: yes)"
    )
    parser.add_argument("--scores", action="store_true", help="probabilities before the dense CRF too, as HDF5")
    parser.add_argument(
        "--replace", action="store_true", help="drop what another network or other settings left in DIR"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: auto)")
    of_run = parser.add_argument_group("by default as the run of the network did, if its predictions lie beside it")
    of_run.add_argument("--crf", choices=crf.names(), metavar="PRESET", help=f"dense CRF: {', '.join(crf.names())}")
    of_run.add_argument("--scales", type=float, nargs="+", metavar="FACTOR", help="sizes at which an image is read")
    of_run.add_argument("--flip", action=argparse.BooleanOptionalAction, help="read the mirrored image too")
    of_run.add_argument("--merge", choices=("max", "mean"), help="of the scores over scales")
    of_run.add_argument(
        "--max-side",
        type=size,
        metavar="PX",
        default=argparse.SUPPRESS,
        help=f"read larger photographs smaller, or {NONE}",
    )
    large = parser.add_argument_group("large photographs")
    large.add_argument(
        "--tile", type=size, default=TILE, metavar="PX", help=f"read at once, or {NONE}: all (default: {TILE})"
    )
    large.add_argument(
        "--overlap", type=int, default=OVERLAP, metavar="PX", help=f"shared by two tiles (default: {OVERLAP})"
    )


def run(options: argparse.Namespace) -> None:
    """Segment; a UserError, and so exit status 1, if any photograph could not be."""
    from wsss_steps.afterwards import photo_run  # here, so that the other commands start without torch

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    print(
        photo_run.segment(
            photo_run.Request(
                words=tuple(options.images),
                model=options.model,
                out=options.out,
                changes=changes(options),
                tile=options.tile,
                overlap=options.overlap,
                device=options.device,
                tags=options.tags,
                overlay=options.overlay,
                scores=options.scores,
                replace=options.replace,
            )
        )
    )


def changes(options: argparse.Namespace) -> dict[str, Any]:
    """The settings that the user gave, by name."""
    given = {name: getattr(options, name) for name in CHANGES if hasattr(options, name)}
    return {name: value for name, value in given.items() if value is not None or name == "max_side"}
