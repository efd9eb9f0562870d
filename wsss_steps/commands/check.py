"""Report what is wrong with configuration files: invalid YAML and duplicate keys."""

from __future__ import annotations

import argparse
from pathlib import Path

from wsss_steps.workflow import preflight


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The files."""
    parser.add_argument("config", type=Path, nargs="+", help="such as config.yaml")


def run(options: argparse.Namespace) -> None:
    """Check all of them at once."""
    preflight.check(options.config, [])
