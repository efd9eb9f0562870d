"""Additions change no existing code digest and no settings, so that no artifact is rewritten."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# code digests of every step and every module loaded by name, and all settings of every method
DECIDING = """
import json
from pathlib import Path
from wsss_steps import errors, methods
from wsss_steps.workflow import choices
from wsss_steps.nets.families import families
from wsss_steps.provenance import digests
from wsss_steps.settings.registry import METHODS
from wsss_steps.workflow import configuration

here = Path(errors.__file__).parent
steps = [path.stem for path in here.glob("*.py") if "def run(" in path.read_text()]
modules = [f"methods.{slot}.{name}" for slot in methods.slots() for name in methods.names(slot)]
modules += [f"nets.backbones.{family}" for family in families()]
config = configuration.load({"dataset": "x", "draw": {}, "classes": ["a"], "recipes": {"a": {}}})
named = [(slot, cls.model_fields["method"].default) for slot, classes in METHODS.items() for cls in classes]
chosen = {f"{slot} {name}": choices.resolve(config, slot, name).json() for slot, name in named if slot in SLOTS}
chosen["predict"] = configuration.step_settings(config, "predict")
print(json.dumps(chosen | {name: digests.code_digest(name) for name in steps + modules}))
"""
SLOTS = ["classifier", "cams", "refiner", "features", "superpixels", "saliency", "seeds", "segmenter"]

Add = Callable[[Path], None]


def python(folder: Path, script: str) -> str:
    """The output of a script that imports the package in `folder`."""
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def deciding(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(python(folder, f"SLOTS = {SLOTS}\n{DECIDING}"))
    return found


@pytest.fixture(scope="module")
def before(repository: Path) -> dict[str, Any]:
    found = deciding(repository)
    assert {"prepare", "make_cams", "methods.cams.cam", "nets.backbones.resnet", "segmenter spsrg"} <= found.keys()
    return found


@pytest.fixture
def copy(tmp_path: Path, repository: Path) -> Path:
    """A copy of the package, to be added to."""
    shutil.copytree(repository / "wsss_steps", tmp_path / "wsss_steps", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def write(folder: Path, path: str, text: str) -> None:
    place = folder / "wsss_steps" / path
    place.parent.mkdir(parents=True, exist_ok=True)
    assert not place.exists()
    place.write_text(text)


def append(folder: Path, path: str, text: str) -> None:
    place = folder / "wsss_steps" / path
    place.write_text(place.read_text() + text)


def reword(folder: Path, path: str, old: str, new: str) -> None:
    place = folder / "wsss_steps" / path
    text = place.read_text()
    assert text.count(old) == 1
    place.write_text(text.replace(old, new))


def add_method(folder: Path) -> None:
    write(folder, "methods/cams/added.py", "def maker(): ...\n")
    added = '\n\nclass Added(Cam):\n    """Added."""\n\n    method: Literal["added"] = "added"\n'
    append(folder, "settings/cams.py", added)


def add_slot(folder: Path) -> None:
    write(folder, "methods/added_slot/smooth.py", "def refined(): ...\n")
    smooth = 'class Smooth(Settings):\n    """Added."""\n    method: str = "smooth"\n'
    write(folder, "settings/added_slot.py", f"from wsss_steps.settings.base import Settings\n\n{smooth}")


def add_kind_of_store(folder: Path) -> None:
    boxes = 'ADDED = Kind("added", {"boxes": DataSet("i4", 2, "corners of boxes, (n, 4)", unit="px")})'
    write(folder, "formats/kinds/added.py", f"from wsss_steps.formats.kinds import DataSet, Kind\n\n{boxes}\n")


def add_backbone(folder: Path) -> None:
    source = (folder / "wsss_steps/nets/backbones/small.py").read_text()
    write(folder, "nets/backbones/added.py", source.replace('("small",)', '("added8",)'))


def add_preset(folder: Path) -> None:
    append(folder, "settings/crf.py", '\nPRESETS["added"] = _preset(5, (1.0, 1.0), (20.0, 5.0, 4.0))\n')


def add_loss(folder: Path) -> None:
    write(folder, "ops/losses/added.py", "def added_loss(): ...\n")


def add_mixer(folder: Path) -> None:
    write(folder, "ops/mixing/added.py", "def kept(): ...\n")


def reword_messages(folder: Path) -> None:
    reword(folder, "formats/stores.py", "no such file (expected a {kind.name} store)", "where is it?")
    reword(folder, "data/manifest.py", "has changed since it was checked; run Snakemake again", "is not what it was")
    reword(folder, "training/loop.py", '"epoch %d: loss %.4f (%s)"', '"epoch %d, loss %.4f: %s"')


ADDITIONS: dict[str, tuple[Add, str]] = {
    "a method": (
        add_method,
        "from wsss_steps import methods\nfrom wsss_steps.workflow import configuration\n"
        "recipe = {'dataset': 'x', 'draw': {}, 'classes': ['a'], 'recipes': {'a': {'cams': 'added~scales=[1]'}}}\n"
        "config = configuration.load(recipe | {'cams': {'added': {'flip': False}}})\n"
        "assert methods.load('cams', 'added').maker",
    ),
    "a slot": (
        add_slot,
        "from wsss_steps import methods\nfrom wsss_steps.settings.registry import METHODS\n"
        "assert methods.load('added_slot', 'smooth').refined and METHODS['added_slot'][0]().method == 'smooth'",
    ),
    "a kind of store": (
        add_kind_of_store,
        "from wsss_steps.formats import kinds\nassert list(kinds.find('added').data_sets) == ['boxes']",
    ),
    "a backbone": (
        add_backbone,
        "from wsss_steps.nets.backbones import build_backbone\n"
        "assert build_backbone('added8', output_stride=8, options={}).output_stride == 8",
    ),
    "a preset of the CRF": (
        add_preset,
        "from wsss_steps.settings import crf\nassert crf.numbers('added')['iterations'] == 5",
    ),
    "a loss": (add_loss, "from wsss_steps.ops.losses.added import added_loss"),
    "a mixer": (add_mixer, "from wsss_steps.ops import mixing\nassert mixing.load('added').kept"),
    "other words for errors and for the log": (reword_messages, ""),
}


@pytest.mark.parametrize("name", ADDITIONS)
def test_an_addition_is_there_and_disturbs_nothing(name: str, copy: Path, before: dict[str, Any]) -> None:
    add, use = ADDITIONS[name]
    add(copy)
    python(copy, use)
    after = deciding(copy)
    assert {key: after.get(key) for key in before} == before
