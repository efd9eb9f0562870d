"""What follows from a configuration: rows, columns, targets, shards; without Snakemake."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import known
import pytest

from wsss_steps.errors import UserError
from wsss_steps.formats.files import VERSION, write_json, write_text
from wsss_steps.provenance.digests import code_digest
from wsss_steps.settings.base import ChoiceOf, Settings
from wsss_steps.settings.features import RgbFeatures
from wsss_steps.settings.registry import METHODS
from wsss_steps.settings.saliency import UnsupervisedSaliency
from wsss_steps.settings.seeds import ThresholdSeeds
from wsss_steps.settings.superpixels import SlicSuperpixels
from wsss_steps.workflow import configuration, planning, shards, stages, targets, trainings, warnings
from wsss_steps.workflow.config import Config

RECIPES = {
    "cam": {"seeds": "threshold"},
    "superpixel": {"superpixels": "dino~features=rgb", "seeds": "superpixel", "segmenter": "spsrg"},
    "saliency": {"seeds": "saliency~saliency=unsupervised", "segmenter": "masking"},
}
CAM, SUPERPIXEL, SALIENCY = (
    "plain/cam/none/threshold/plain",
    "plain/cam/dino~features=rgb/superpixel/spsrg",
    "plain/cam/none/saliency~saliency=unsupervised/masking",
)

LINEAGES = {"cam": CAM, "superpixel": SUPERPIXEL, "saliency": SALIENCY}


def load(**changes: Any) -> Config:
    base = {"dataset": "x", "draw": {}, "classes": ["a"], "recipes": RECIPES}
    return configuration.load(base | changes)


def test_planning_and_commands_start_without_pandas() -> None:
    """As rules/common.smk imports it: tables are made in steps, and printed at the end of a run."""
    modules = ", ".join(f"wsss_steps.workflow.{name}" for name in ("planning", "preflight", "sharing", "targets"))
    script = f"import sys, wsss_steps.__main__, {modules}; wsss_steps.__main__.parser_of_commands(); "
    subprocess.run([sys.executable, "-c", script + "sys.exit('pandas' in sys.modules)"], check=True)


def test_rows_of_the_summary() -> None:
    config = load(splits={"val": "v.txt", "test": "t.txt", "extra": "e.txt"}, unscored=["extra"])
    found = [(row.stage, row.split) for row in stages.rows(config) if row.name == "cam"]
    assert found == [
        *((stage, "train") for stage in ("cams", "seeds", "pseudo_labels")),
        *((stage, split) for split in ("val", "test") for stage in ("segmentation", "segmentation_crf")),
    ]
    assert [row.name for row in stages.rows(config)] == [name for name in RECIPES for _ in found]


def test_a_row_knows_its_score_and_its_network() -> None:
    row = {row.stage: row for row in stages.rows(load()) if row.name == "superpixel"}
    assert row["cams"].score == "plain/cam/evaluation/cams/train.json"
    assert row["seeds"].score == "plain/cam/dino~features=rgb/superpixel/evaluation/seeds/train.json"
    assert row["segmentation"].score == f"{SUPERPIXEL}/evaluation/segmentation/val.json"
    assert row["seeds"].checkpoint == "plain/classifier.safetensors"
    assert row["pseudo_labels"].checkpoint == f"{SUPERPIXEL}/segmenter.safetensors"


def test_predictions_lie_where_the_stage_says() -> None:
    places = {
        "cams": "a/cams.h5",
        "seeds": "a/seeds.h5",
        "pseudo_labels": "a/pseudo_labels",
        "segmentation": "a/segmentation/val",
        "segmentation_crf": "a/segmentation_crf/val",
    }
    for stage, place in places.items():
        wildcards = {"lineage": "a", "stage": stage, "split": "val"}
        assert planning.predictions_of_stage(load(), wildcards) == f"<results>/{place}"


def test_columns_of_the_gallery_appear_once() -> None:
    columns = targets.columns_of_gallery(load())
    assert [(title, kind) for title, kind, _ in columns] == [
        ("CAM", "cams"),
        ("seeds: cam", "seeds"),
        ("pseudo-label: cam", "labels"),
        ("superpixels", "superpixels"),
        ("seeds: superpixel", "seeds"),
        ("pseudo-label: superpixel", "labels"),
        ("refined saliency: saliency", "refined_saliency"),
        ("seeds: saliency", "seeds"),
        ("pseudo-label: saliency", "labels"),
    ]
    assert [path for _, _, path in columns] == targets.sources_of_gallery(load())


def test_targets_with_and_without_ground_truth() -> None:
    masks = targets.targets(load(compare_superpixels=["slic"], unscored=[], keep_features=True))
    assert {"<tables>/summary.csv", "<tables>/superpixels.csv", "<tables>/gallery.png"} <= set(masks)
    assert "<results>/features/rgb/features.h5" in masks
    assert {f"<results>/{lineage}/pseudo_labels" for lineage in (CAM, SUPERPIXEL, SALIENCY)} <= set(masks)
    assert not [path for path in masks if "segmentation_crf" in path]  # the summary asks for them
    without = targets.targets(load(mask_folder=None))
    assert not [path for path in without if path.endswith(".csv")]
    assert {f"<results>/{lineage}/segmentation_crf/val" for lineage in (CAM, SUPERPIXEL, SALIENCY)} <= set(without)


def test_warnings_are_the_same_with_and_without_ground_truth() -> None:
    masked, without = load(), load(mask_folder=None)
    for config in (masked, without):
        assert targets.WARNINGS in targets.targets(config)
    for function in (warnings.manifests, warnings.maps, warnings.scores, warnings.settings):
        assert function(masked) == function(without)
    assert "ground_truth" not in "".join(
        [*warnings.manifests(masked), *warnings.maps(masked), *warnings.scores(masked)]
    )


def test_warnings_of_recipes_that_leave_slots_out() -> None:
    """Maps alone have neither seeds nor labels; without a segmenter the seeds are the labels, shared with `whole`."""
    recipes = {
        "maps": {"seeds": "none", "segmenter": "none"},
        "seeds": {"segmenter": "none"},
        "whole": {},
        "single": {"classifier": "recurseed", "seeds": "none", "segmenter": "own"},
    }
    config = load(recipes=recipes, splits={"val": "v.txt", "extra": "e.txt"}, unscored=["extra"])
    seeds, plain, own = "plain/cam/none/threshold", "plain/cam/none/threshold/plain", "recurseed/cam/none/none/own"
    assert warnings.maps(config) == [
        *(f"<results>/{seeds}/seeds.h5", f"<results>/{plain}/pseudo_labels"),
        *(f"<results>/{plain}/segmentation_crf/{split}" for split in ("val", "extra")),
        f"<results>/{own}/pseudo_labels",
        *(f"<results>/{own}/segmentation_crf/{split}" for split in ("val", "extra")),
    ]
    given = json.loads(warnings.settings(config))
    assert given["maps"][0] == {"stage": "seeds", "split": "train", "tagged": True, "runs": [1, 2]}
    assert given["maps"][-1] == {"stage": "segmentation_crf", "split": "extra", "tagged": False, "runs": [3]}
    assert given["scores"] == [{"split": "val", "runs": [0, 1, 2]}, {"split": "val", "runs": [3]}]
    assert given["splits"] == ["train", "val", "extra"]
    assert warnings.manifests(config) == [f"<results>/splits/{split}/manifest.json" for split in given["splits"]]


def test_warnings_of_random_seeds_are_apart() -> None:
    config = load(recipes={"a": {}}, random_seeds=[0, 1], find_warnings={"f1": 0.7})
    given = json.loads(warnings.settings(config))
    assert given["runs"] == [{"recipe": "a", "random_seed": 0}, {"recipe": "a", "random_seed": 1}]
    assert [one["runs"] for one in given["maps"]] == [[0], [0], [0], [1], [1], [1]]
    assert given["f1"] == 0.7


def test_unscored_splits_are_segmented_all_the_same() -> None:
    config = load(splits={"val": "v.txt", "extra": "e.txt"}, unscored=["extra"])
    found = [path for path in targets.targets(config) if "segmentation_crf" in path]
    assert found == [f"<results>/{lineage}/segmentation_crf/extra" for lineage in (CAM, SUPERPIXEL, SALIENCY)]
    assert [split for _, split, _ in targets.tag_scores(config)] == ["val"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/cams.h5", "a/cams.shards/{shard}.h5"),
        ("a/make_cams.log", "a/make_cams.shards/{shard}.log"),
        ("a/pseudo_labels", "a/pseudo_labels.shards/{shard}"),
        ("a/dino~tau=0.3", "a/dino~tau=0.3.shards/{shard}"),  # a folder whose name has a dot
    ],
)
def test_shards_have_a_file_or_folder_each(path: str, expected: str) -> None:
    assert shards.in_shards(load(), path) == path
    assert shards.in_shards(load(shards=2), path) == expected
    assert shards.all_shards(load(shards=2), path) == [
        expected.format(shard=shard) for shard in ("000-of-002", "001-of-002")
    ]
    assert shards.all_shards(load(), path) == []


def test_a_folder_that_is_misspelled_is_refused() -> None:
    with pytest.raises(UserError, match="seeds 'threshold~foreground=0.30' is 'threshold' in this configuration"):
        planning.settings_of(load(), {"seeds": "threshold~foreground=0.30"}, "seeds")


def test_inputs_follow_from_the_choice() -> None:
    config = load(features={"keys": {"vit": "own", "weights": "pretrain_keys"}})
    assert planning.initial_weights(config, {"features": "keys"}, "features") == "<results>/features/vit.safetensors"
    assert planning.initial_weights(config, {"features": "rgb"}, "features") == []
    features = "<results>/features/(rgb~cell=4)/features.h5".replace("(", "").replace(")", "")
    chosen = {"superpixels": "dino~features=(rgb~cell=4)"}
    assert planning.needed(config, chosen, "superpixels") == {"features": features}
    assert planning.needed(config, {"superpixels": "slic"}, "superpixels") == {}
    seeds = {"seeds": "saliency~saliency=(unsupervised~tau=0.1)"}
    saliency = "<results>/saliency/unsupervised~tau=0.1/saliency.h5"
    assert planning.artifact(config, seeds, "seeds", "saliency") == saliency
    recipe = {"classifier": "mdc", "cams": "cam", "superpixels": "slic"}
    refined = "<results>/mdc/cam/slic/saliency/refined_saliency.h5"
    assert planning.needed(config, recipe | {"seeds": "saliency"}, "seeds") == {"refined_saliency": refined}
    assert planning.needed(config, recipe | {"seeds": "threshold"}, "seeds") == {}
    assert planning.needed(config, recipe | {"segmenter": "masking~paths=1"}, "segmenter") == {
        "classifier": "<results>/mdc/classifier.safetensors"
    }
    superpixels = {"superpixels": "<results>/superpixels/slic/superpixels.h5"}
    assert planning.needed(config, recipe | {"segmenter": "spsrg"}, "segmenter") == superpixels


@pytest.mark.parametrize("shards", [1, 2])
def test_the_network_of_a_refiner_learns_from_seeds_or_from_the_maps_before_it(shards: int) -> None:
    config, before = load(shards=shards), {"classifier": "plain", "cams": "cam+pamr"}
    seeds, maps = "<results>/plain/cam+pamr/none/affinity/seeds.h5", "<results>/plain/cam+pamr/cams.h5"
    for refiner, taught in (("random_walk", {"seeds": seeds, "cams": []}), ("drs_refine", {"seeds": [], "cams": maps})):
        wildcards = before | {"refiner": refiner}
        assert {name: planning.taught_by(config, wildcards, name) for name in taught} == taught
        network = f"<results>/plain/cam+pamr+{refiner}/refiner.safetensors"
        assert planning.needed(config, wildcards, "refiner") == {"refiner": network}


def test_seeds_may_need_the_saliency_maps_that_a_setting_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    class OfSaliency(ThresholdSeeds):
        needs = ("saliency",)
        saliency: Annotated[str, ChoiceOf("saliency")] = "unsupervised"

    before = planning.code_with_needs(load(), {"seeds": "threshold"}, "make_seeds", "seeds")
    monkeypatch.setitem(METHODS, "seeds", (*METHODS["seeds"], OfSaliency))
    for chosen, folder in (
        ({"seeds": "threshold"}, "unsupervised"),
        ({"seeds": "threshold~saliency=(unsupervised~tau=0.1)"}, "unsupervised~tau=0.1"),
    ):
        assert planning.needed(load(), chosen, "seeds") == {"saliency": f"<results>/saliency/{folder}/saliency.h5"}
        shard = planning.needed(load(shards=2), chosen | {"shard": "000-of-002"}, "seeds")["saliency"]
        assert shard == f"<results>/saliency/{folder}/saliency.shards/000-of-002.h5"
    assert planning.code_with_needs(load(), {"seeds": "threshold"}, "make_seeds", "seeds") == before  # read already
    config = load(recipes={"a": {"seeds": "threshold"}})
    assert targets.saliency_of_summary(config) == ["<results>/saliency/unsupervised/saliency.h5"]


@pytest.mark.parametrize(("slot", "base"), [("saliency", UnsupervisedSaliency), ("features", RgbFeatures)])
def test_saliency_and_features_find_a_network_by_the_choice_that_names_it(
    slot: str, base: type[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their folders lie below no classifier's."""

    class OfClassifier(base):
        needs = ("classifier",)

    class OfNamedClassifier(OfClassifier):
        classifier: Annotated[str, ChoiceOf("classifier")] = "mdc"

    name = base.model_fields["method"].default
    wildcards, before = {slot: name}, METHODS[slot]
    code = planning.code_with_needs(load(), wildcards, "extract_keys", slot)
    monkeypatch.setitem(METHODS, slot, (*before, OfNamedClassifier))
    needed = {"classifier": "<results>/mdc/classifier.safetensors"}
    assert planning.needed(load(), wildcards, slot) == needed
    assert planning.code_with_needs(load(), wildcards, "extract_keys", slot) != code

    monkeypatch.setitem(METHODS, slot, (*before, OfClassifier))
    words = (
        f"{slot} '{name}' needs classifier, but its folder does not tell which classifier: expected a setting "
        rf"classifier of {slot} '{name}' that is a choice \(ChoiceOf\), found none"
    )
    with pytest.raises(UserError, match=words):
        planning.needed(load(), wildcards, slot)


def test_a_classifier_that_a_choice_names_is_counted_among_the_trainings(monkeypatch: pytest.MonkeyPatch) -> None:
    class Judged(UnsupervisedSaliency):
        classifier: Annotated[str, ChoiceOf("classifier")] = "mdc"

    monkeypatch.setitem(METHODS, "saliency", (*METHODS["saliency"], Judged))
    for classifier in ("mdc", "plain"):
        config = load(recipes={"a": {"classifier": classifier, "seeds": "saliency~saliency=unsupervised"}})
        found = [path for path in trainings.trainings(config)[1] if path.endswith("/classifier.safetensors")]
        assert sorted(found) == [f"{name}/classifier.safetensors" for name in sorted({"mdc", classifier})]


def test_only_superpixels_by_a_network_ask_for_a_gpu_and_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    class ByNetwork(SlicSuperpixels):
        on_device = True
        weights: str = "{root}/w.safetensors"

    def asked() -> tuple[int, str, str | list[str]]:
        config, wildcards = load(device="cuda:1"), {"superpixels": "slic"}
        gpus, device = (ask(config, wildcards, "superpixels") for ask in (planning.gpus, planning.device))
        return gpus, device, planning.initial_weights(config, wildcards, "superpixels")

    assert asked() == (0, "cpu", [])
    monkeypatch.setitem(METHODS, "superpixels", (*METHODS["superpixels"], ByNetwork))
    assert asked() == (1, "cuda:1", "results/x/scenes/w.safetensors")


def test_jobs_of_a_shard_read_their_part_of_a_store_and_trainings_all_of_it() -> None:
    wildcards = {"superpixels": "slic", "seeds": "superpixel", "segmenter": "spsrg", "shard": "000-of-002"}
    config = load(shards=2)
    part = "<results>/superpixels/slic/superpixels.shards/000-of-002.h5"
    assert planning.needed(config, wildcards, "seeds") == {"superpixels": part}
    whole = "<results>/superpixels/slic/superpixels.h5"
    assert planning.needed(config, wildcards, "segmenter", of_all=True) == {"superpixels": whole}
    cams = {"classifier": "mdc", "cams": "cam", "shard": "000-of-002"}
    assert planning.needed(config, cams, "cams") == {"classifier": "<results>/mdc/classifier.safetensors"}


def test_the_code_of_a_method_covers_what_it_needs() -> None:
    """The network of the classifier, whichever it is, and the kinds of stores."""

    def code(classifier: str, segmenter: str) -> str:
        wildcards = {"classifier": classifier, "segmenter": segmenter}
        return planning.code_with_needs(load(), wildcards, "train_segmenter", "segmenter")

    assert code("plain", "plain") == code("mdc", "plain")
    assert code("plain", "masking") != code("mdc", "masking")
    modules = ["methods.segmenter.spsrg", "nets.backbones.resnet", "formats.kinds.superpixels"]
    assert code("plain", "spsrg") == code_digest("train_segmenter", modules)


def test_seeds_with_a_dense_crf_may_take_all_threads() -> None:
    names = ("threshold", "affinity", "affinity~crf=none")
    assert [planning.threads_of(load(threads=4), {"seeds": name}, "seeds") for name in names] == [1, 4, 1]


def test_a_segmenter_learns_from_the_seeds_or_from_the_link_before_it() -> None:
    folder = "<results>/{classifier}/{cams}/{superpixels}/{seeds}"
    wanted = {
        "spsrg": f"{folder}/seeds.h5",
        "spsrg+plain": f"{folder}/spsrg/pseudo_labels",
        "spsrg+plain+plain~epochs=3": f"{folder}/spsrg+plain/pseudo_labels",
    }
    assert {name: planning.labels_to_learn(load(), {"segmenter": name}) for name in wanted} == wanted
    settings = json.loads(planning.settings_of(load(), {"segmenter": "spsrg+plain~epochs=3"}, "segmenter"))
    assert (settings["method"], settings["epochs"]) == ("plain", 3)
    assert planning.needed(load(), {"segmenter": "spsrg+plain"}, "segmenter") == {}


def test_a_refiner_with_a_network_learns_from_seeds_of_the_maps_before_it() -> None:
    config = load(shards=2)
    wildcards = {"classifier": "plain", "cams": "cam", "refiner": "random_walk", "shard": "000-of-002"}
    seeds = "<results>/plain/cam/none/affinity/seeds.h5"
    assert planning.artifact(config, wildcards, "refiner", "seeds", of_all=True) == seeds
    assert planning.needed(config, wildcards, "refiner") == {
        "refiner": "<results>/plain/cam+random_walk/refiner.safetensors"
    }
    other = wildcards | {"refiner": "random_walk~seeds=threshold"}
    assert "none/threshold/seeds.h5" in planning.artifact(config, other, "refiner", "seeds", of_all=True)
    modules = ["methods.refiner.random_walk", "nets.backbones.resnet"]
    assert planning.code_with_needs(config, wildcards, "refine_cams", "refiner") == code_digest("refine_cams", modules)


def test_every_link_of_a_chain_is_spelled_alike() -> None:
    recipe = {"cams": "cam~flip=true+pamr~iterations=10+pamr~iterations=4.0", "segmenter": "plain~epochs=15+plain"}
    found = load(recipes={"chain": recipe}).recipes["chain"]
    assert (found.cams, found.segmenter) == ("cam+pamr+pamr~iterations=4", "plain+plain")
    assert found.lineage(2) == "plain/cam+pamr+pamr~iterations=4"


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (
            {"cams": "cam+pamr+nothing"},
            f"unknown refiner method 'nothing'; known methods: {known.methods_of('refiner')}",
        ),
        ({"cams": "pamr"}, "unknown cams method 'pamr'; .*; 'pamr' is a refiner, a later link of a chain"),
        ({"cams": "cam+"}, "expected a method's name before the first ~|expected a file name"),
        ({"cams": "cam+none"}, r"cams 'cam\+none': expected a method in every link of the chain, found 'none'"),
        ({"seeds": "threshold+threshold"}, "expected one method, found 2; chains are for cams and segmenter"),
        (
            {"cams": "cam+random_walk~seeds=superpixel"},
            "cams 'random_walk': expected seeds that need no superpixels of the recipe, found superpixel",
        ),
        ({"cams": "cam+superpixel~superpixels=none"}, "cams 'superpixel' needs superpixels, found superpixels 'none'"),
        ({"segmenter": "spsrg+plain"}, "segmenter 'spsrg' needs superpixels, found superpixels 'none'"),
        ({"segmenter": "plain+spsrg"}, "segmenter 'spsrg' needs superpixels, found superpixels 'none'"),
        ({"cams": "+".join(["cam", *["pamr~iterations=123"] * 14])}, "expected a file name of at most 255 bytes"),
    ],
)
def test_a_wrong_chain_is_refused(recipe: dict[str, str], words: str) -> None:
    with pytest.raises(UserError, match=words):
        load(recipes={"chain": recipe})


def test_what_is_printed_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = load(tables="b")
    write_json(tmp_path / "results/x/plain/evaluation/tags/val.json", {"f1": 0.51239})
    write_text(tmp_path / "results/x/tables/b/superpixels.csv", "superpixels,images\nslic,4\n")
    for lineage in LINEAGES.values():
        (tmp_path / "results/x" / lineage / "pseudo_labels").mkdir(parents=True)
    write_text(tmp_path / "results/x/tables/b/gallery.png", "")
    found = {"format": "wsss/warnings", "version": VERSION, "warnings": []}
    write_json(tmp_path / "results/x/tables/b/warnings.json", found)
    lines = targets.printed(config).splitlines()
    assert lines[0] == "Tags of val by classifier plain: F1 0.512"
    assert "Table: results/x/tables/b/superpixels.csv" in lines
    assert "Warnings: none (results/x/tables/b/warnings.json)" in lines
    assert lines[-4:] == [
        *(f"Pseudo-labels of recipe {name}: results/x/{lineage}/pseudo_labels/" for name, lineage in LINEAGES.items()),
        "Picture: results/x/tables/b/gallery.png",
    ]


def test_nothing_is_announced_that_was_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert targets.printed(load()) == ""


def test_settings_without_a_method_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Lost(Settings):
        method: str = "lost"

    monkeypatch.setitem(METHODS, "seeds", (*METHODS["seeds"], Lost))
    with pytest.raises(UserError, match="seeds method 'lost' has settings, but no file methods/seeds/lost.py"):
        load(recipes={"a": {"seeds": "lost"}})
