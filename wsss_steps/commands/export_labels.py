"""Export label maps of a run, pseudo-labels or predictions, as COCO's JSON or in mmsegmentation's layout."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

NONE = "none"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Label maps, format, and where it goes."""
    parser.add_argument(
        "labels",
        nargs="+",
        type=Path,
        metavar="FOLDER",
        help=".../pseudo_labels (train), .../segmentation_crf/val (val)",
    )
    parser.add_argument("--format", choices=("coco", "mmseg"), required=True, help="what to write")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder, or an earlier export")
    parser.add_argument(
        "--images",
        choices=("link", "copy", NONE),
        default="link",
        help="photographs: links to the files (default), copies, or, of coco, their paths alone",
    )
    parser.add_argument(
        "--per", choices=("class", "component"), help="of coco: an annotation per class of an image (default) or part"
    )


def run(options: argparse.Namespace) -> None:
    """Export."""
    from wsss_steps.afterwards import label_export  # here, so that other commands start without SciPy

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    images = None if options.images == NONE else options.images
    found = label_export.export(options.labels, options.out, options.format, images=images, per=options.per)
    print(f"{options.out}: {', '.join(f'{count} images of {name}' for name, count in found)}")
