"""Lint, formatting, types and the direction of imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = {
    "lint": ["ruff", "check", "."],
    "format": ["ruff", "format", "--check", "."],
    "types": ["mypy"],
    "imports": ["lint-imports"],
    "rules": ["snakefmt", "--check", "Snakefile", "rules"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_style(name: str, repository: Path) -> None:
    program, *arguments = COMMANDS[name]
    done = subprocess.run(
        [Path(sys.executable).parent / program, *arguments], cwd=repository, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
