"""What follows from a choice of the user's own for planning: checks, inputs, trainings, code, declarations."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from contracts import world
from tiny_voc import config, make_voc

from wsss_steps.errors import UserError
from wsss_steps.settings.given import Given
from wsss_steps.settings.registry import METHODS
from wsss_steps.workflow import declarations, given, importing, planning, trainings
from wsss_steps.workflow.config import Config
from wsss_steps.workflow.stages import Row, rows

SLOTS = ("classifier", "cams", "superpixels", "seeds")
RECIPES: dict[str, dict[str, str]] = {
    "net": {"classifier": "given", "segmenter": "none"},
    "maps": {"classifier": "none", "cams": "given", "superpixels": "given", "seeds": "superpixel"},
    "labels": {"classifier": "none", "cams": "none", "seeds": "given"},
}
NETWORK = "ImageNet tags weights; "  # of the segmentation network, and of that of IRNet


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data set with something in each place that settings name by default."""
    voc = make_voc(tmp_path / "voc")
    for folder in ("cams/t0", "superpixels", "pseudo_labels"):
        (voc / folder).mkdir(parents=True)
    for file in ("cams/t0/cat.png", "superpixels/t1.npy", "superpixels/t0.png", "pseudo_labels/t0.png"):
        (voc / file).write_bytes(b"unread")
    world.random_classifier(voc / "classifier.safetensors")
    return voc


def loaded(root: Path, **overrides: Any) -> Config:
    classifier = {"given": {"path": "{root}/classifier.safetensors", **overrides.pop("of_classifier", {})}}
    return config(root, **{"recipes": RECIPES, "classifier": classifier} | overrides)


def extra(mine: Config, recipe: str, stage: str) -> str:
    row = Row(recipe, mine.recipes[recipe], stage, "train")
    text: str = declarations.about_row(mine, row)["extra_supervision"]
    return text


def test_every_slot_of_a_recipe_but_the_segmenter_can_be_given() -> None:
    found = [slot for slot, classes in METHODS.items() if any(issubclass(cls, Given) for cls in classes)]
    assert sorted(found) == sorted(SLOTS)


def test_every_row_that_rests_on_it_says_so(root: Path) -> None:
    mine = loaded(
        root,
        of_classifier={"supervision": "JFT labels"},
        cams={"given": {"supervision": ""}},
        seeds={"given": {"supervision": "boxes"}},
    )
    assert extra(mine, "net", "cams") == extra(mine, "net", "seeds") == "classifier: given (JFT labels)"
    assert extra(mine, "maps", "cams") == ""
    for stage, of_the_network in (("seeds", ""), ("pseudo_labels", NETWORK), ("segmentation", NETWORK)):
        assert extra(mine, "maps", stage) == f"{of_the_network}superpixels: given (supervision unknown)"
        assert extra(mine, "labels", stage) == f"{of_the_network}seeds: given (boxes)"
    assert {row.stage for row in rows(mine) if row.name == "labels"}.isdisjoint({"cams"})


def test_a_chain_and_a_choice_within_a_choice_say_so_too(root: Path) -> None:
    mine = loaded(root, recipes={"a": {"classifier": "none", "cams": "given+irn~seeds=given", "segmenter": "none"}})
    unknown = "given (supervision unknown)"
    assert extra(mine, "a", "cams") == f"{NETWORK}cams: {unknown}; seeds: {unknown}"


def test_nothing_that_is_given_is_trained_or_random(root: Path) -> None:
    mine = loaded(root, random_seeds=[0, 1])
    networks = trainings.trainings(mine)[1]
    assert not [path for path in networks if "classifier" in path]
    assert {run.recipe.classifier for run in mine.runs} == {"given", "none"}


def test_the_step_reads_what_decides_and_the_file_is_its_input(root: Path) -> None:
    mine = loaded(root, seeds={"given": {"supervision": "boxes", "untagged": "keep"}})
    wildcards = {"seeds": "given", "cams": "given", "superpixels": "given", "classifier": "given"}
    told = json.loads(importing.settings_of(mine, wildcards, "seeds"))
    assert told == {"method": "given", "class_numbers": {}, "untagged": "keep"}
    assert importing.source(mine, wildcards, "seeds") == f"{root}/pseudo_labels"

    def files(slot: str, manifest: Path = root) -> list[str]:
        found = importing.files(mine, wildcards, slot, lambda: str(manifest))
        return [path.removeprefix(f"{root}/") for path in found]

    assert files("cams") == ["cams/t0/cat.png"]
    assert files("superpixels") == ["superpixels/t0.png", "superpixels/t1.npy"]
    assert files("classifier") == []
    mine = mine.model_copy(update={"shards": 2})
    (root / "shard.json").write_text(json.dumps({"images": [{"id": "t0"}]}))
    assert files("cams", root / "shard.json") == ["cams/t0/cat.png"]
    assert files("superpixels", root / "shard.json") == ["superpixels/t0.png"]


def test_maps_of_a_checkpoint_of_this_workflow_depend_on_its_code(root: Path) -> None:
    """`random_classifier` is one of `mdc` on `small`."""
    chosen = planning.choice(loaded(root), {"classifier": "given"}, "classifier")
    assert {"methods.classifier.mdc", "nets.backbones.small", "methods.classifier.given"} <= set(chosen.modules())


def test_what_is_missing_is_told_before_the_first_job(root: Path) -> None:
    for path in ("cams", "superpixels", "pseudo_labels"):
        shutil.rmtree(root / path)
    (root / "classifier.safetensors").unlink()
    with pytest.raises(UserError) as error:
        loaded(root)
    for words in (
        f"recipes.net: classifier 'given': no such file: {root}/classifier.safetensors",
        f"recipes.maps: cams 'given': no such file or folder: {root}/cams",
        f"recipes.maps: superpixels 'given': no such file or folder: {root}/superpixels",
        f"recipes.labels: seeds 'given': no such file or folder: {root}/pseudo_labels",
    ):
        assert words in str(error.value)


def test_a_classifier_is_a_file_and_weights_of_its_backbone_are_not_asked_for(root: Path) -> None:
    backbones = {"mine": {"net": "small", "weights": "nowhere.pth"}}
    assert loaded(root, of_classifier={"backbone": "mine"}, backbones=backbones)
    with pytest.raises(UserError, match="path: expected a file of weights, found a folder"):
        loaded(root, of_classifier={"path": "{root}/cams"})


@pytest.mark.parametrize("how", ["itself", "link", "copy"])
@pytest.mark.parametrize("slot", ["seeds", "superpixels"])
def test_the_ground_truth_is_no_label_map_of_the_users(root: Path, how: str, slot: str) -> None:
    masks, mine = root / "SegmentationClass", root / "mine"
    if how == "link":
        mine.symlink_to(masks)
    elif how == "copy":
        shutil.copytree(masks, mine)
    path = masks if how == "itself" else mine
    with pytest.raises(
        UserError, match=rf"{slot} 'given': path: .* holds the ground truth of this data set, .*`strong`"
    ):
        loaded(root, **{slot: {"given": {"path": str(path)}}})


def test_label_maps_that_differ_from_the_ground_truth_are_fine(root: Path) -> None:
    mine = Path(shutil.copytree(root / "SegmentationClass", root / "mine"))
    (mine / "t0.png").write_bytes((mine / "t1.png").read_bytes())
    assert loaded(root, seeds={"given": {"path": str(mine)}})
    assert loaded(root, mask_folder=None, seeds={"given": {"path": f"{root}/SegmentationClass"}})


def test_seeds_of_the_users_need_no_maps_and_others_do(root: Path) -> None:
    assert given.is_given("seeds", "given~untagged=keep")
    with pytest.raises(UserError, match="seeds 'threshold' needs cams, found cams 'none'"):
        loaded(root, recipes={"a": {"classifier": "none", "cams": "none"}})
