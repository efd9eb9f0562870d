"""Methods of other kinds than those that exist: a file and a settings class are all that is added for them."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import snakemake_runs as runs
from contracts.cases import Method
from contracts.laws import broken, laws

from wsss_steps.errors import UserError
from wsss_steps.settings.base import Settings
from wsss_steps.settings.registry import METHODS
from wsss_steps.workflow import configuration

SOURCES = Path(__file__).parent / "stand_ins"
SLOTS_OF = {"textual": "cams", "central": "saliency", "joint": "classifier", "segments": "superpixels"}
RECIPES: dict[str, dict[str, str]] = {
    "maps without a classifier": runs.CAM_RECIPE | {"cams": "textual+pamr"},
    "saliency by the image alone": runs.CAM_RECIPE | {"seeds": "saliency~saliency=central"},
    "one network": runs.CAM_RECIPE | {"classifier": "joint"},
    "superpixels by a network": runs.CAM_RECIPE | {"superpixels": "segments", "seeds": "superpixel"},
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """A copy of the project with the methods added."""
    folder = tmp_path_factory.mktemp("stand_ins")
    quick = {
        "classifier": {name: {"backbone": "small"} for name in ("plain", "joint")},
        "segmenter": {"plain": {"backbone": "small"}},
        "superpixels": {"segments": {"weights": "segments.safetensors"}},
    }
    (folder / "segments.safetensors").touch()
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


def run_steps(project: Path, *names: str) -> list[str]:
    """Run the steps of methods in the copy, on two images; what their stores hold."""
    path = os.pathsep.join([str(project), str(SOURCES.parents[1])])
    methods = [f"{SLOTS_OF[name]}/{name}" for name in names]
    command = [sys.executable, str(SOURCES / "run_steps.py"), str(project / "drawn"), *methods]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path})
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", ["textual", "central", "joint", "segments"])
def test_a_method_of_another_kind_keeps_the_contracts(name: str, worlds: dict[str, Any], tmp_path: Path) -> None:
    assert broken(stand_in(name), laws(SLOTS_OF[name], worlds, tmp_path)) == set()


def test_methods_of_other_kinds_are_planned(project: Path) -> None:
    """Maps without a classifier and saliency from the images alone need neither networks nor features."""
    planned = runs.planned(
        project, "results/tiny/plain/textual+pamr/cams.h5", "results/tiny/saliency/central/saliency.h5"
    )
    assert planned == {"make_example", "prepare", "make_cams", "refine_cams", "predict_saliency"}


def test_the_steps_find_methods_of_other_kinds(project: Path) -> None:
    found = run_steps(project, "textual", "central", "segments")
    assert found == ["cams: one two", "saliency: one two", "superpixels: one two"]


NO_NONE = "configuration._problems_of_needs refuses `none` in every slot but superpixels"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("segments", ["gpu=1", "--weights segments.safetensors", "--device cuda:1"]), ("slic", ["gpu=0", "--device cpu"])],
)
def test_superpixels_by_a_network_get_the_device(name: str, expected: list[str], project: Path) -> None:
    """And a GPU, and their weights; those of colours ask for none. What the step hands on is a contract of its own."""
    target = f"results/tiny/superpixels/{name}/superpixels.h5"
    *_, job = runs.jobs(project, "--printshellcmds", "--config", "device=cuda:1", "--", target)
    assert re.findall(r"gpu=\d|--weights \w\S+|--device \S+", job) == expected


def test_a_recipe_of_superpixels_by_a_network_is_planned(project: Path) -> None:
    planned = runs.planned(project, "results/tiny/plain/cam/segments/superpixel/seeds.h5")
    assert planned == {"make_example", "prepare", "train_classifier", "make_cams", "make_superpixels", "make_seeds"}


@pytest.mark.xfail(strict=True, raises=UserError, reason=NO_NONE)
@pytest.mark.parametrize("recipe", [{"classifier": "none", "cams": "textual"}, {"seeds": "none"}], ids=str)
def test_a_recipe_leaves_out_what_its_methods_do_not_need(
    recipe: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Maps by text have no classifier; a single-stage network has no seeds, and segments itself (`segmenter: own`)."""
    monkeypatch.setitem(METHODS, "cams", (*METHODS["cams"], stand_in("textual").cls))
    configuration.load(runs.DRAWN | {"recipes": {"one": runs.CAM_RECIPE | recipe}})
