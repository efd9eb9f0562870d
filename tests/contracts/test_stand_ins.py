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
import torch
from contracts.cases import Method
from contracts.laws import broken, laws
from safetensors.torch import save_file

from wsss_steps.errors import UserError
from wsss_steps.settings.base import Settings
from wsss_steps.settings.registry import METHODS
from wsss_steps.workflow import choices, configuration, targets, trainings
from wsss_steps.workflow.stages import rows

SOURCES = Path(__file__).parent / "stand_ins"
SLOTS_OF = {"textual": "cams", "central": "saliency", "joint": "classifier", "segments": "superpixels"}
RECIPES: dict[str, dict[str, str]] = {
    "maps without a classifier": {"classifier": "none", "cams": "textual+pamr", "segmenter": "none"},
    "saliency by the image alone": runs.CAM_RECIPE | {"seeds": "saliency~saliency=central"},
    "one network": {"classifier": "joint", "seeds": "none", "segmenter": "own"},
    "taught by one network": {"classifier": "joint", "cams": "none", "seeds": "none", "segmenter": "own+plain"},
    "superpixels by a network": runs.CAM_RECIPE | {"superpixels": "segments", "seeds": "superpixel"},
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """A copy of the project with the methods added."""
    folder = tmp_path_factory.mktemp("stand_ins")
    quick = {
        "classifier": {name: runs.QUICK_CLASSIFIER | {"epochs": 1} for name in ("plain", "joint")},
        "cams": {"cam": {"scales": [1.0]}},
        "segmenter": {"plain": runs.QUICK | {"epochs": 1}},
        "predict": {"scales": [1.0], "flip": False},
        "superpixels": {"segments": {"weights": "segments.safetensors"}},
    }
    network = torch.nn.Conv2d(3, 24, 1)  # as `segments` builds it
    save_file(network.state_dict(), folder / "segments.safetensors")
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
        project, "results/tiny/none/textual+pamr/cams.h5", "results/tiny/saliency/central/saliency.h5"
    )
    assert planned == {"make_example", "prepare", "make_cams", "refine_cams", "predict_saliency"}


def test_the_steps_find_methods_of_other_kinds(project: Path) -> None:
    found = run_steps(project, "textual", "central", "segments")
    assert found == ["cams: one two", "saliency: one two", "superpixels: one two"]


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


LEFT_OUT: dict[str, dict[str, str]] = {
    "classifier": {"classifier": "none", "cams": "textual"},
    "seeds": {"seeds": "none", "segmenter": "none"},
    "all but the network": {"classifier": "joint", "cams": "none", "seeds": "none", "segmenter": "own"},
}
IN_VAIN = {
    "cams 'cam' needs classifier, found classifier 'none'": {"classifier": "none"},
    "seeds 'threshold' needs cams, found cams 'none'": {"cams": "none"},
    "segmenter 'plain' needs seeds, found seeds 'none'": {"seeds": "none"},
    "found 'none' in all of these slots": {"cams": "none", "seeds": "none", "segmenter": "none"},
    "segmenter 'own' needs a classifier that segments, found plain; those that do: joint": {"segmenter": "own"},
    "expected a method in every link of the chain, found 'own'": {"segmenter": "plain+own"},
}


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of two stand-ins among those that exist."""
    for name in ("textual", "joint"):
        slot = SLOTS_OF[name]
        monkeypatch.setitem(METHODS, slot, (*METHODS[slot], stand_in(name).cls))
    monkeypatch.setattr(choices, "source_of", lambda _: Path())


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("recipe", LEFT_OUT.values(), ids=LEFT_OUT)
def test_a_recipe_leaves_out_what_its_methods_do_not_need(recipe: dict[str, str]) -> None:
    """Maps by text have no classifier; a single-stage network has no seeds, and segments itself."""
    configuration.load(runs.DRAWN | {"recipes": {"one": recipe}})


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(("said", "recipe"), IN_VAIN.items(), ids=IN_VAIN)
def test_what_a_method_needs_is_not_left_out(said: str, recipe: dict[str, str]) -> None:
    with pytest.raises(UserError, match=said):
        configuration.load(runs.DRAWN | {"recipes": {"one": recipe}})


@pytest.mark.usefixtures("known")
def test_rows_and_targets_leave_out_what_is_not_there() -> None:
    recipes = {"text": RECIPES["maps without a classifier"], "own": RECIPES["one network"], "maps": LEFT_OUT["seeds"]}
    config = configuration.load(runs.DRAWN | {"recipes": recipes})
    joint = "joint/classifier.safetensors"
    assert [(row.name, row.stage, row.checkpoint) for row in rows(config)] == [
        ("text", "cams", None),
        ("text", "seeds", None),
        ("own", "cams", joint),
        ("own", "pseudo_labels", joint),
        ("own", "segmentation", joint),
        ("own", "segmentation_crf", joint),
        ("maps", "cams", "plain/classifier.safetensors"),
    ]
    assert trainings.trainings(config)[1] == [joint, "plain/classifier.safetensors"]
    assert [name for name, *_ in targets.tag_scores(config)] == ["joint", "plain"]
    made = set(targets.targets(config))
    assert {
        "<results>/none/textual+pamr/none/threshold/none/pseudo_labels",
        "<results>/joint/cam/none/none/own/pseudo_labels",
        "<results>/plain/cam/cams.h5",
    } <= made
    assert {title for title, *_ in targets.columns_of_gallery(config)} == {"CAM", "seeds: text", "pseudo-label: own"}


@pytest.mark.workflow
def test_methods_of_other_kinds_run_to_the_end(project: Path) -> None:
    """Every recipe of stand-ins, with tables, gallery and label maps."""
    done = runs.succeed(project)
    table = (project / "results/tiny/summary.csv").read_text()
    for recipe in RECIPES:
        assert f"\n{recipe.replace(' ', '_')}," in table, done
    for lineage in (
        "none/textual+pamr/none/threshold/none",
        "joint/cam/none/none/own",
        "joint/none/none/none/own+plain",
    ):
        assert len(list((project / "results/tiny" / lineage / "pseudo_labels").glob("*.png"))) == 10
    assert runs.planned(project) == set()
