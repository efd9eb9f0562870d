"""The registry, and that steps without a method read every one of their settings; contracts/ asks methods."""

from __future__ import annotations

import ast
from pathlib import Path

import photo_folders
import pytest
import tiny_voc

from wsss_steps import methods
from wsss_steps.data import layouts
from wsss_steps.provenance import digests
from wsss_steps.settings.base import Settings
from wsss_steps.settings.data_set import Prepare
from wsss_steps.settings.steps import (
    Evaluate,
    EvaluateBoxes,
    EvaluateSuperpixels,
    MakeExample,
    MakeSaliencyExample,
    Predict,
    PretrainKeys,
)
from wsss_steps.workflow import splits


def test_unknown_method_and_slot() -> None:
    with pytest.raises(
        ValueError, match=f"unknown seeds method 'x'; known methods: {', '.join(methods.names('seeds'))}"
    ):
        methods.load("seeds", "x")
    with pytest.raises(ValueError, match="unknown slot 'sedes'; known slots: cams, classifier"):
        methods.names("sedes")


def test_arguments_takes_what_is_named_and_no_more() -> None:
    def function(positional: int, *, alpha: float, beta: float = 1.0) -> None: ...

    assert methods.arguments(function, {"positional": 0, "alpha": 0.5, "gamma": 2}) == {"alpha": 0.5}


STEPS = [
    ("make_example", MakeExample),
    ("make_saliency_example", MakeSaliencyExample),
    ("pretrain_keys", PretrainKeys),
    ("predict", Predict),
    ("evaluate", Evaluate),
    ("evaluate_superpixels", EvaluateSuperpixels),
    ("evaluate_boxes", EvaluateBoxes),
]


def names_read(step: str, *loaded: str) -> set[str]:
    """What a step reads: keyword-only parameters that are used, `settings["name"]`, and names that it lists itself.

    loaded: modules below the package that it loads by name.
    """
    names: set[str] = set()
    for module in digests.sources([step, *(f"wsss_steps.{name}" for name in loaded)]):
        path = digests.source_of(module)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")) if path else ast.Module([], [])):
            if isinstance(node, ast.FunctionDef):
                used = {one.id for line in node.body for one in ast.walk(line) if isinstance(one, ast.Name)}
                names |= {argument.arg for argument in node.args.kwonlyargs} & used
            elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
                names.add(str(node.slice.value))
            elif module == step and isinstance(node, ast.Tuple | ast.Dict):
                listed = node.elts if isinstance(node, ast.Tuple) else node.keys
                names |= {str(one.value) for one in listed if isinstance(one, ast.Constant)}
    return names


@pytest.mark.parametrize(("step", "cls"), STEPS, ids=lambda value: getattr(value, "__name__", value))
def test_every_setting_of_a_step_is_read(step: str, cls: type[Settings]) -> None:
    assert set(cls.model_fields) - names_read(f"wsss_steps.{step}") == set()


def test_every_setting_of_a_data_set_reaches_the_steps_of_a_split(tmp_path: Path) -> None:
    """Planning resolves the lists and what is scored of each split; three steps read everything else."""
    voc = tiny_voc.config(tiny_voc.make_voc(tmp_path / "voc"), max_side=500)
    folder = photo_folders.make_folder(tmp_path / "photos")
    mine = photo_folders.config(folder, photo_folders.table_of_all(tmp_path / "tags.csv"))
    boxes = splits.boxes_settings(voc, "train")
    decided = {"train_list", "splits", "unscored", "images"}  # list_file and tagged, root
    reached = set(boxes)
    for config, split, layout in ((voc, "val", "voc"), (mine, "train", "folder")):
        images, masks = (make(config, split) for make in (splits.images_settings, splits.masks_settings))
        reached |= images.keys() | masks.keys()
        read = layouts.modules(layout)
        assert set(images) - {"layout"} - names_read("wsss_steps.prepare", *read) == set()
        assert set(masks) - {"layout"} - names_read("wsss_steps.prepare_masks", *read) == set()
    assert set(Prepare.model_fields) - decided <= reached
    assert set(boxes) - names_read("wsss_steps.prepare_boxes") - {"list_file"} == set()  # which planning reads
