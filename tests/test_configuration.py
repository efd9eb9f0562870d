"""Validation of configurations: what they may say, what it means, and the messages about wrong ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import known
import pytest
import yaml
from tiny_voc import make_voc

from wsss_steps import methods
from wsss_steps.errors import UserError
from wsss_steps.settings.registry import METHODS
from wsss_steps.settings.saliency import missing_source, source
from wsss_steps.workflow import choices, configuration, spelling


def content(**changes: Any) -> dict[str, Any]:
    base = {"dataset": "tiny", "draw": {}, "classes": ["cat", "dog"], "recipes": {"cam": {}}}
    return {**base, **changes}


def test_defaults_are_written_out() -> None:
    config = configuration.load(content())
    choice = choices.resolve(config, "seeds", "threshold")
    assert choice.settings == {"method": "threshold", "foreground": 0.3, "background": 0.05}
    assert json.loads(choice.json()) == choice.settings


def test_order_is_default_then_config_then_override() -> None:
    config = configuration.load(content(superpixels={"dino": {"tau": 0.5, "order": "highest"}}))
    assert choices.resolve(config, "superpixels", "dino").settings["tau"] == 0.5
    overridden = choices.resolve(config, "superpixels", "dino~tau=0.7").settings
    assert (overridden["tau"], overridden["order"]) == (0.7, "highest")


def test_backbone_is_inlined_by_name() -> None:
    own = {
        "net": "timm:mobilenetv2_100",
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "options": {"pad_type": "same"},
    }
    config = configuration.load(content(backbones={"mobile": own}))
    table = choices.resolve(config, "classifier", "plain~backbone=mobile").settings["backbone"]
    assert table == {**own, "weights": "none", "supervision": ""}
    assert choices.resolve(config, "classifier", "plain").settings["backbone"]["weights"] == "imagenet"


def test_root_in_a_path_of_weights(tmp_path: Path) -> None:
    root = make_voc(tmp_path / "voc")
    (root / "mobile.pth").touch()
    own = {"net": "small", "weights": "{root}/mobile.pth"}
    config = configuration.load(content(root=str(root), draw=None, backbones={"mobile": own}))
    choice = choices.resolve(config, "segmenter", "plain~backbone=mobile")
    assert choice.weights_file() == f"{root}/mobile.pth"


def test_sources_of_saliency(tmp_path: Path) -> None:
    """Paths of maps, pairs and weights: {root} is filled in, and a missing path is an error before any job."""
    root = make_voc(tmp_path / "voc")
    for name in ("saliency", "DUTS-TR"):
        (root / name).mkdir()
    (root / "d.safetensors").touch()
    mine = content(root=str(root), draw=None)
    config = configuration.load(mine | dict(saliency={"given": {}, "detector": {}}))
    sources = {
        "given": ("maps", f"{root}/saliency"),
        "detector": ("pairs", f"{root}/DUTS-TR"),
        "detector~pairs=drawn": ("pairs", "drawn"),
        "detector~pairs=drawn~epochs=2": ("pairs", "drawn"),
        "unsupervised~features=rgb": ("features", "rgb"),
    }
    for text, expected in sources.items():
        chosen = choices.resolve(config, "saliency", text)
        assert source(chosen.settings) == expected
        assert missing_source(chosen.settings) is None
    config = configuration.load(
        mine | dict(saliency={"detector": {"weights": "{root}/d.safetensors", "pairs": "none"}})
    )
    chosen = choices.resolve(config, "saliency", "detector")
    assert source(chosen.settings) == ("weights", f"{root}/d.safetensors")


def test_overrides_are_typed() -> None:
    assert spelling.parse("cam~scales=[1.0, 0.5]~flip=false") == ("cam", {"scales": [1.0, 0.5], "flip": False})
    assert spelling.parse("plain") == ("plain", {})


def test_lineage_is_one_folder_per_slot() -> None:
    config = configuration.load(content(recipes={"s": {"superpixels": "slic~count=7", "seeds": "superpixel"}}))
    assert config.recipes["s"].lineage() == "plain/cam/slic~count=7/superpixel/plain"


def test_numbers_written_as_text_are_numbers() -> None:
    # YAML 1.1 reads 1e-3 as text
    config = configuration.load(content(segmenter={"plain": {"learning_rate": "1e-3"}}))
    assert choices.resolve(config, "segmenter", "plain").settings["learning_rate"] == 0.001


def test_null_written_as_text_is_null() -> None:
    """As Snakemake gives `--config mask_folder=null`, at the top and below."""
    config = configuration.load(content(mask_folder="null", classifier={"plain": {"resize_long": "null"}}))
    assert config.mask_folder is None
    assert choices.resolve(config, "classifier", "plain").settings["resize_long"] is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"epoch": 3}, "epoch: unknown key; known keys: .*recipes"),
        ({"recipes": {}}, "recipes: .*at least 1"),
        ({"recipes": {"a": {"segmentor": "plain"}}}, "recipes.a.segmentor: unknown key"),
        (
            {"recipes": {"a": {"seeds": "treshold"}}},
            f"unknown seeds method 'treshold'; known methods: {known.methods_of('seeds')}",
        ),
        ({"recipes": {"a": {"seeds": "threshold~alpha=1"}}}, "alpha: unknown key; known keys: background, foreground"),
        ({"recipes": {"a": {"seeds": "threshold~foreground"}}}, "expected method~key=value"),
        ({"recipes": {"a": {"seeds": "threshold~foreground=.2~foreground=.3"}}}, "duplicate override of 'foreground'"),
        ({"recipes": {"a": {"seeds": "../threshold"}}}, "expected a file name, without '/', found '../threshold'"),
        (
            {"recipes": {"a": {"seeds": "threshold~foreground=0.01"}}},
            "background threshold 0.05 must not exceed foreground threshold 0.01",
        ),
        (
            {"recipes": {"a": {"seeds": "superpixel"}}},
            "recipes.a: seeds 'superpixel' needs superpixels, found superpixels 'none'",
        ),
        ({"recipes": {"a": {"segmenter": "spsrg"}}}, "recipes.a: segmenter 'spsrg' needs superpixels"),
        (
            {"classifier": {"plain": {"backbone": "resnet52"}}},
            "unknown backbone 'resnet52'; known backbones: resnet101, resnet50, small, vgg16",
        ),
        (
            {"classifier": {"plane": {}}},
            f"unknown classifier method 'plane'; known methods: {known.methods_of('classifier')}",
        ),
        ({"classifier": {"plain": {"epochs": 0}}}, "epochs: .*greater than or equal to 1 .found 0"),
        (
            {
                "backbones": {"mine": {"net": "small", "weights": "no/such.pth"}},
                "classifier": {"plain": {"backbone": "mine"}},
            },
            "no such file of weights: no/such.pth",
        ),
        ({"features": {"keys": {"weights": "pretrain_keys"}}}, "expected vit: own, found vit_base_patch8_224"),
        ({"saliency": {"given": {}}}, "saliency 'given': no such folder of maps: results/tiny/scenes/saliency"),
        ({"saliency": {"detector": {}}}, "saliency 'detector': no such folder of pairs: results/tiny/scenes/DUTS-TR"),
        ({"saliency": {"detector": {"weights": "x.pth"}}}, "saliency 'detector': no such file of weights: x.pth"),
        ({"draw": None, "root": "nowhere"}, "root: no such folder: nowhere"),
        ({"draw": None}, "root: expected a path, found ''"),
        ({"root": "photographs"}, "root: expected none beside draw, .* into results/tiny/scenes, found 'photographs'"),
        (
            {"compare_superpixels": ["watershed"]},
            f"unknown superpixels method 'watershed'; known methods: {known.methods_of('superpixels')}",
        ),
        (
            {"mask_folder": None, "recipes": {"a": {"seeds": "saliency~saliency=ground_truth"}}},
            "recipes.a: seeds 'saliency~saliency=ground_truth': saliency ground_truth needs a mask_folder, found none",
        ),
        (
            {"recipes": {"a": {"seeds": "saliency~saliency=attentive"}}},
            f"recipes.a: unknown saliency method 'attentive'; known methods: {known.methods_of('saliency')}",
        ),
        (
            {"recipes": {"a": {"segmenter": "plain~scale_set=[0.5, 1]"}}},
            r"expected scale_set or resize_scale, found both: \[0.5, 1.0\] and \[0.5, 1.5\]; set resize",
        ),
        ({"segmenter": {"plain": {"resize_scale": None, "scale_set": []}}}, "scale_set: .*at least 1 item"),
        (
            {
                "backbones": {"r38": {"net": "wideresnet38", "weights": "imagenet"}},
                "classifier": {"plain": {"backbone": "r38"}},
            },
            "backbone 'wideresnet38': no ImageNet weights to download; expected weights: none, or a .safetensors or ",
        ),
        ({"predict": {"crf": "densest"}}, "predict.crf: unknown CRF preset 'densest'; known presets: none, deeplab"),
    ],
)
def test_what_is_said_of_a_wrong_config(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        configuration.load(content(**changes))


def test_everything_wrong_is_said_at_once() -> None:
    with pytest.raises(UserError) as caught:
        configuration.load(content(recipes={"a": {"seeds": "x"}, "b": {"cams": "y"}}, draw=None, root="nowhere"))
    message = str(caught.value)
    assert all(words in message for words in ("unknown seeds method 'x'", "unknown cams method 'y'", "no such folder"))


def test_missing_keys() -> None:
    with pytest.raises(UserError, match="dataset: this key is required"):
        configuration.load({"root": "x"})


@pytest.mark.parametrize("slot", methods.slots())
def test_every_method_has_settings_and_every_settings_class_a_method(slot: str) -> None:
    named = {cls.model_fields["method"].default for cls in METHODS[slot]}
    assert named == set(methods.names(slot))


def test_the_files_in_the_repository_are_valid(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    configuration.load(yaml.safe_load((repository / "config.yaml").read_text()))
    for path in (repository / "configs" / "tables").glob("*.yaml"):
        configuration.load(yaml.safe_load(path.read_text()))


# Table 2.3: refined saliency map, attention, dilated classifier, classification paths, saliency
TICKS = {
    "A1": (False, False, None, 0, "detector"),
    "A2": (True, False, None, 0, "detector"),
    "A3": (False, True, False, 1, "detector"),
    "A4": (False, True, True, 1, "detector"),
    "A5": (True, True, True, 1, "detector"),
    "A6": (True, True, True, 2, "detector"),
    "C1": (False, False, None, 0, "ground_truth"),
    "C2": (False, True, True, 2, "ground_truth"),
}


def test_the_recipes_of_table_2_3_have_its_ticks(repository: Path) -> None:
    config = configuration.load(yaml.safe_load((repository / "configs" / "tables" / "masking.yaml").read_text()))
    assert config.recipes.keys() == TICKS.keys()
    for name, recipe in config.recipes.items():
        classifier, cams, seeds, segmenter = (
            choices.resolve(config, slot, getattr(recipe, slot)).settings
            for slot in ("classifier", "cams", "seeds", "segmenter")
        )
        attention = segmenter["lambda_seg"] > 0
        dilated = bool(classifier["dilations"]) if attention else None
        found = (seeds["refine"], attention, dilated, segmenter["paths"] if attention else 0, seeds["saliency"])
        assert found == TICKS[name], name
        assert (cams["merge"], segmenter["lambda_seg"]) == ("max", 0.2 if attention else 0)


def test_what_a_method_needs() -> None:
    config = configuration.load(content())
    assert choices.resolve(config, "segmenter", "masking~paths=1").needs == ("classifier",)
    assert choices.resolve(config, "seeds", "saliency~refine=false").needs == ("refined_saliency",)
    assert choices.resolve(config, "seeds", "threshold").needs == ()
    assert choices.resolve(config, "superpixels", "none").needs == ()


def test_lock_and_conda_environment_are_equal(repository: Path) -> None:
    lock = [
        line.strip() for line in (repository / "requirements.lock").read_text().splitlines() if not line.startswith("#")
    ]
    environment = yaml.safe_load((repository / "envs" / "wsss.yaml").read_text())
    pip = next(part["pip"] for part in environment["dependencies"] if isinstance(part, dict))
    assert sorted(pip) == sorted(lock)
