"""What the steps that work image by image hand to a method that needs networks and stores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from wsss_steps import extract_keys, make_superpixels, methods, predict_saliency
from wsss_steps.data.manifest import Entry, Manifest, write_manifest
from wsss_steps.errors import UserError
from wsss_steps.formats.kinds import find
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.stores import Store, write_store
from wsss_steps.methods.per_image import Arrays

Make = Callable[[Entry, Mapping[str, Arrays]], Any]
LABELS = np.array([[1, 2, 1]], np.uint8)
ARRAYS: dict[str, Callable[[np.ndarray], Any]] = {
    "features": lambda labels: {"features": labels[..., None].astype(np.float16), "extent": np.float32([1, 3])},
    "superpixels": lambda labels: {"superpixels": labels.astype(np.uint16), "seed_patches": np.int32([-1, -1])},
    "saliency": lambda labels: labels,
}
STEPS = {"features": extract_keys, "superpixels": make_superpixels, "saliency": predict_saliency}
SETTINGS = {"method": "x", "classifier": "plain", "weights": "file", "seeds": "threshold"}


def method(slot: str) -> SimpleNamespace:
    """Arrays of the seeds of an image, if all else arrives too."""

    def make(_: Entry, given: Mapping[str, Arrays]) -> Any:
        return ARRAYS[slot](given["seeds"]["seeds"])

    def maker(*, classifier: Path, device: str, weights: Path) -> Make:
        assert (classifier, device, weights) == (Path("c"), "cuda", Path("w"))
        return make

    def of_saliency(entries: Sequence[Entry], *, classifier: Path, device: str, source: Path) -> tuple[list[str], Make]:
        assert ([entry.id for entry in entries], device, source) == (["a"], "cuda", Path("w"))
        assert classifier == Path("c")
        return [], make

    return SimpleNamespace(maker=of_saliency if slot == "saliency" else maker, __name__=slot)


@pytest.mark.parametrize(("slot", "step"), STEPS.items(), ids=STEPS)
def test_a_method_is_handed_networks_by_name_and_stores_with_each_image(
    slot: str, step: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although a setting of the same name says which network is meant."""
    Image.new("RGB", (3, 1)).save(tmp_path / "a.png")
    entries = (Entry("a", "train", str(tmp_path / "a.png"), 1, 3, (1,)),)
    write_manifest(tmp_path / "m.json", Manifest("test", ("cat", "dog"), entries))
    write_store(tmp_path / "s.h5", SEEDS, [("a", {"seeds": LABELS})], stamp="{}", classes=["cat", "dog"])
    monkeypatch.setattr(methods, "load", lambda *_: method(slot))
    given = {"manifest": tmp_path / "m.json", "output": tmp_path / "o.h5", "settings": SETTINGS, "device": "cuda"}
    given |= {"source" if slot == "saliency" else "weights": Path("w")}
    with pytest.raises(UserError, match="a setting classifier, or --needs classifier=PATH"):
        step.run(**given | {"settings": {"method": "x"}})
    step.run(**given, needs={"classifier": Path("c"), "seeds": tmp_path / "s.h5"})
    with Store(given["output"], find(slot)) as store:
        first = next(iter(store["a"].values())).reshape(1, 3)
    np.testing.assert_allclose(first, LABELS / (255 if slot == "saliency" else 1), atol=1e-6)
