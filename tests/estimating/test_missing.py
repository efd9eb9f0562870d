"""What takes the place of weights and maps that are not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import snakemake_runs as runs

from wsss_steps.estimating import stand_ins


def test_random_weights_and_drawn_pairs_stand_in(tmp_path: Path) -> None:
    content: dict[str, Any] = {
        "dataset": "mine",
        "root": str(tmp_path),
        "classes": ["cat"],
        "recipes": {"a": {"superpixels": "dino", "seeds": "saliency"}, "b": {"seeds": "saliency_class"}},
        "backbones": {"own": {"net": "resnet50", "weights": "{root}/none.pth"}},
        "seeds": {"saliency_class": {"saliency": "given"}},
    }
    found = stand_ins.stand_in(content, tmp_path / "slice")
    weights = {name: one["weights"] for name, one in found.content["backbones"].items()}
    assert weights == dict.fromkeys(("own", "resnet50", "resnet101", "vgg16"), "none")
    assert found.vit == ("vit_base_patch8_224", tmp_path / "slice/random_keys.safetensors")
    assert (found.pairs, found.content["saliency"]["detector"]["pairs"]) == (stand_ins.DUTS, "drawn")
    assert found.maps == tmp_path / "slice/maps"
    missing = [note.partition(",")[0] for note in found.notes if note.startswith("missing")]
    names = (tmp_path / "none.pth", tmp_path / "DUTS-TR", tmp_path / "saliency")
    assert missing == [f"missing: {name}" for name in names]
    assert "backbones" in content
    assert content["backbones"]["own"]["weights"] == "{root}/none.pth"


def test_only_what_recipes_lead_to_can_be_missing(tmp_path: Path) -> None:
    given = {"seeds": {"ficklenet": {"saliency": "given"}}, "recipes": {"a": {"seeds": "ficklenet~theta=0.2"}}}
    (tmp_path / "saliency").mkdir()
    content = {"dataset": "mine", "root": str(tmp_path), "classes": ["cat"], **given}
    assert stand_ins.stand_in(content, tmp_path).notes == []
    detector = {"recipes": {"a": {"seeds": "ficklenet~saliency=(detector~epochs=2)"}}}
    assert "DUTS-TR" in stand_ins.stand_in(content | detector, tmp_path).notes[0]


def test_what_is_there_needs_nothing(tmp_path: Path) -> None:
    found = stand_ins.stand_in({**runs.DRAWN, "recipes": {"a": {}}}, tmp_path)
    assert (found.notes, found.vit, found.maps, found.pairs) == ([], None, None, None)
