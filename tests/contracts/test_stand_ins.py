"""Methods of other kinds than those that exist: a file and a settings class are all that is added for them."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import snakemake_runs as runs
from contracts.cases import Method
from contracts.laws import broken, laws

from wsss_steps.settings.base import Settings

SOURCES = Path(__file__).parent / "stand_ins"
SLOTS_OF = {"textual": "cams", "segments": "superpixels"}
RECIPES: dict[str, dict[str, str]] = {
    "maps without a classifier": runs.CAM_RECIPE | {"cams": "textual+pamr"},
    "superpixels by a network": runs.CAM_RECIPE | {"superpixels": "segments", "seeds": "superpixel"},
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """A copy of the project with the methods added."""
    folder = tmp_path_factory.mktemp("stand_ins")
    quick = {"classifier": {"plain": {"backbone": "small"}}, "segmenter": {"plain": {"backbone": "small"}}}
    recipes = {name.replace(" ", "_"): recipe for name, recipe in RECIPES.items()}
    runs.project_in(folder, repository, runs.DRAWN | quick | {"recipes": recipes})
    for name, slot in SLOTS_OF.items():
        shutil.copy(SOURCES / f"{name}.py", folder / "wsss_steps" / "methods" / slot)
        settings = folder / "wsss_steps" / "settings" / f"{slot}.py"
        settings.write_text(settings.read_text() + "\n\n" + text_of_settings(name))
    return folder


def text_of_settings(name: str) -> str:
    return (SOURCES / f"settings_of_{name}.txt").read_text()


def stand_in(name: str) -> Method:
    """The method without its being added."""
    slot = SLOTS_OF[name]
    known = dict(vars(importlib.import_module(f"wsss_steps.settings.{slot}")))
    before = set(known)
    exec(text_of_settings(name), known)
    (cls,) = (known[one] for one in known.keys() - before if isinstance(known[one], type))
    assert issubclass(cls, Settings)
    spec = importlib.util.spec_from_file_location(name, SOURCES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Method(slot, cls, module)


def run_step(project: Path, name: str) -> str:
    """Run the step in the copy, on two images; what its store holds."""
    path = os.pathsep.join([str(project), str(SOURCES.parents[1])])
    command = [sys.executable, str(SOURCES / "step.py"), str(project / name), SLOTS_OF[name], name]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_maps_without_a_classifier_and_without_scales_keep_the_contracts(
    worlds: dict[str, Any], tmp_path: Path
) -> None:
    assert broken(stand_in("textual"), laws("cams", worlds, tmp_path)) == set()


def test_maps_without_a_classifier_are_planned_without_one(project: Path) -> None:
    planned = runs.planned(project, "results/tiny/plain/textual+pamr/cams.h5")
    assert planned == {"make_example", "prepare", "make_cams", "refine_cams"}


def test_the_step_makes_maps_without_a_classifier(project: Path) -> None:
    assert run_step(project, "textual").split() == ["one", "two", "1", "1"]


SAM = "superpixels get no device: neither the rule make_superpixels, nor its step, nor the method is told one"


@pytest.mark.xfail(strict=True, reason=SAM)
def test_superpixels_by_a_network_get_the_device(worlds: dict[str, Any], tmp_path: Path) -> None:
    laws("superpixels", worlds, tmp_path)["everything_is_computed_on_the_device_that_is_given"](stand_in("segments"))
