"""`python -m wsss_steps`: every module of `commands/` is a command with help."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from wsss_steps import __main__ as commands


def test_every_command_is_listed_with_what_it_does(repository: Path) -> None:
    line, wide = [sys.executable, "-m", "wsss_steps", "--help"], {**os.environ, "COLUMNS": "200"}
    done = subprocess.run(line, cwd=repository, capture_output=True, text=True, check=True, env=wide)
    files = {path.stem for path in (repository / "wsss_steps" / "commands").glob("*.py")} - {"__init__"}
    assert {"check", "provenance", "settings", "show"} <= files
    words = " ".join(done.stdout.split())
    for name in files:
        text = ast.get_docstring(ast.parse((repository / f"wsss_steps/commands/{name}.py").read_text()))
        assert f"{name} {text}" in words


def test_an_unknown_command_names_the_known_ones(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit, match="2"):
        commands.main(["shwo"])
    said = capsys.readouterr().err.replace("'", "")
    known = sorted(path.stem for path in Path(str(commands.commands.__file__)).parent.glob("[a-z]*.py"))
    assert f"invalid choice: shwo (choose from {', '.join(known)})" in said


def test_what_the_user_can_mend_is_a_message(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit, match="1"):
        commands.main(["provenance", str(tmp_path / "none.h5")])
    assert capsys.readouterr().err.startswith(f"ERROR {tmp_path / 'none.h5'}: no such file or folder")
