"""Export a trained network as ONNX, for programs without Python or torch, and check that its scores agree."""

from __future__ import annotations

import argparse
from pathlib import Path

TOLERANCE = 1e-3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Network, file, size and tolerance."""
    parser.add_argument("--model", type=Path, required=True, help="the network: segmenter.safetensors of a run")
    parser.add_argument("--out", type=Path, required=True, metavar="ONNX", help="such as segmenter.onnx")
    parser.add_argument(
        "--size", type=int, nargs=2, metavar=("HEIGHT", "WIDTH"), help="the only size of images, px (default: any size)"
    )
    parser.add_argument(
        "--tolerance", type=float, default=TOLERANCE, help=f"largest difference of a score (default: {TOLERANCE:g})"
    )


def run(options: argparse.Namespace) -> None:
    """Export and check; a UserError, and so exit status 1, if the scores differ."""
    from wsss_steps.afterwards import networks, onnx_export, runs  # here, so that other commands start without torch

    onnx_export.check_packages()
    trained = networks.load(options.model)
    settings, _ = runs.of_run(options.model)
    about = {name: settings[name] for name in ("scales", "flip", "merge", "max_side")}
    size = tuple(options.size) if options.size else None
    found = onnx_export.export(trained, options.out, {"prediction": about}, size=size, tolerance=options.tolerance)
    read = f"{size[0]} x {size[1]} px" if size else "any height and width"
    print(f"{options.out}: {len(trained.classes)} classes, {read}; logits differ from torch's by at most {found:.2g}")
