"""Running Snakemake in a copy of the project, for the tests that need the whole workflow."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

PROJECT = ("Snakefile", "config.yaml", "rules", "wsss_steps", "profiles", "envs")

# a data set drawn in a second, and settings to train on it as quickly
DRAWN: dict[str, Any] = {
    "dataset": "tiny",
    "classes": ["bird", "pineapple", "boat", "cart", "beetle", "mushroom"],
    "draw": {"train": 10, "val": 4, "size": 64, "seed": 0},
    "threads": 1,
}
CAM_RECIPE = {"superpixels": "none", "seeds": "threshold", "segmenter": "plain"}
QUICK: dict[str, Any] = {"backbone": "small", "frozen_batch_norm": "none", "batch_size": 4, "crop": 64}
QUICK_CLASSIFIER: dict[str, Any] = QUICK | {"frozen_stages": 0, "resize_long": None}


def copy_of_project(repository: Path, folder: Path) -> None:
    """Copy the files of the workflow, so that a test may edit them."""
    for name in PROJECT:
        source = repository / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / name)


def configure(folder: Path, content: Mapping[str, Any]) -> None:
    """Write the configuration that `snakemake` uses."""
    (folder / "test.yaml").write_text(yaml.safe_dump(dict(content)))


def project_in(folder: Path, repository: Path, content: Mapping[str, Any]) -> Path:
    """A copy of the project with its configuration; returns `folder`."""
    copy_of_project(repository, folder)
    configure(folder, content)
    return folder


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Snakemake, running in `folder` on its test.yaml; stdout and stderr are merged."""
    # the workflow must find its Python and package unaided
    folder_of_python = str(Path(sys.executable).parent)
    path = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if part != folder_of_python)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"PATH": path}
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", "test.yaml", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, stdout=pipe, stderr=subprocess.STDOUT, text=True, env=environment)


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Snakemake in `folder` on its test.yaml; stdout and stderr are merged."""
    process = started(folder, *arguments)
    output, _ = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, output)


def succeed(folder: Path, *arguments: str) -> str:
    """Run Snakemake and return its output; a RuntimeError with the output if it failed."""
    done = snakemake(folder, *arguments)
    if done.returncode:
        raise RuntimeError(done.stdout)
    return done.stdout


def jobs(folder: Path, *arguments: str) -> list[str]:
    """What a dry run prints about each planned job, except the target."""
    parts = re.split(r"\n(?=(?:local)?rule \w+:)", succeed(folder, "--dry-run", *arguments))
    return [part for part in parts if re.match(r"(?:local)?rule (?!all:)", part)]


def planned(folder: Path, *arguments: str) -> set[str]:
    """Names of the rules that a dry run plans, except the target."""
    return {re.sub(r"^(?:local)?rule (\w+):.*", r"\1", job, flags=re.DOTALL) for job in jobs(folder, *arguments)}


def python(folder: Path, *arguments: str) -> str:
    """Run Python in `folder` with the copy of the package there, and return its output."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
