"""The steps from saliency maps to seeds, on two images of a few pixels; and what they refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_voc import make_voc, truth_of, write_voc

from wsss_steps import ground_truth_saliency, make_seeds, refine_saliency
from wsss_steps.data.manifest import Entry, Manifest, write_manifest
from wsss_steps.errors import UserError
from wsss_steps.formats.kinds.cams import CAMS
from wsss_steps.formats.kinds.refined_saliency import REFINED_SALIENCY
from wsss_steps.formats.kinds.saliency import SALIENCY
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.stores import Store, write_store
from wsss_steps.settings.seeds import SaliencySeeds

ENTRIES = (
    Entry("a", "train", "a.jpg", 1, 6, (1, 2)),
    Entry("b", "train", "b.jpg", 1, 2, (2,)),
    Entry("c", "val", "c.jpg", 5, 5, (1,)),
)
MAPS = {"a": ([[[1, 0.4, 0, 0.9, 0.2, 0]], [[0, 0, 0.1, 0.5, 1, 0.2]]], [1, 2]), "b": ([[[1, 0]]], [2])}
GIVEN = {"a": [[255, 255, 255, 0, 127, 0]], "b": [[128, 0]]}


def write_saliency(path: Path, maps: dict[str, Any], **more: Any) -> None:
    items = [(name, {"saliency": np.array(grid, np.uint8)}) for name, grid in maps.items()]
    write_store(path, SALIENCY, items, stamp="{}", **more)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_manifest(tmp_path / "manifest.json", Manifest("test", ("cat", "dog"), ENTRIES))
    items = [
        (name, {"cam": np.array(maps, np.float32), "class": np.array(classes, np.uint8)})
        for name, (maps, classes) in MAPS.items()
    ]
    write_store(tmp_path / "cams.h5", CAMS, items, stamp="{}")
    write_saliency(tmp_path / "saliency.h5", GIVEN)
    return tmp_path


def options(**overrides: Any) -> dict[str, Any]:
    return SaliencySeeds(**overrides).model_dump(mode="json")


def refine(folder: Path, **overrides: Any) -> dict[str, list[list[int]]]:
    paths = {name: folder / f"{name}.h5" for name in ("cams", "saliency")}
    output = folder / "refined.h5"
    given = {"settings": options(**overrides), "stamp": '{"step": "test"}'}
    refine_saliency.run(manifest=folder / "manifest.json", **paths, output=output, **given)
    with Store(output, REFINED_SALIENCY) as store:
        assert store.provenance == {"step": "test"}
        return {name: store[name]["refined"].tolist() for name in store.ids()}


def seeds(folder: Path, **overrides: Any) -> dict[str, list[list[int]]]:
    paths = {"manifest": folder / "manifest.json", "cams": folder / "cams.h5", "output": folder / "seeds.h5"}
    make_seeds.run(
        **paths, needs={"refined_saliency": folder / "refined.h5"}, settings=options(**overrides), stamp="{}"
    )
    with Store(paths["output"], SEEDS) as store:
        return {name: store[name]["seeds"].tolist() for name in store.ids()}


def test_refined_maps_and_seeds_by_hand(folder: Path) -> None:
    # B of a: 1, .4, .1, .9, 1, .2; O: 1, 1, 1, 0, 0, 0
    assert refine(folder) == {"a": [[1, 1, 255, 1, 1, 0]], "b": [[1, 0]]}
    assert seeds(folder) == {"a": [[1, 1, 255, 1, 2, 0]], "b": [[2, 0]]}


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"uncertain": "background"}, [[1, 1, 0, 1, 1, 0]]),
        ({"refine": False}, [[1, 1, 1, 0, 0, 0]]),
        ({"refine": False, "binarise": 126}, [[1, 1, 1, 0, 1, 0]]),
        ({"tau_1": 0.95, "tau_2": 0.05}, [[1, 1, 1, 0, 1, 0]]),
    ],
)
def test_settings(folder: Path, overrides: dict[str, Any], expected: list[list[int]]) -> None:
    assert refine(folder, **overrides)["a"] == expected


def test_left_out_images_have_no_label_and_are_named(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_saliency(folder / "saliency.h5", GIVEN | {"b": [[0, 0]]}, left_out=["b"])
    assert refine(folder)["b"] == [[255, 255]]
    assert "1 images are left out of training, as their saliency maps are: b" in caplog.text
    assert seeds(folder)["b"] == [[255, 255]]
    with Store(folder / "refined.h5", REFINED_SALIENCY) as store:
        assert store.left_out == ["b"]


def test_everything_that_does_not_fit_is_said_at_once(folder: Path) -> None:
    write_saliency(folder / "saliency.h5", {"b": [[1, 2, 3]]})
    arrays = {"cam": np.zeros((1, 1, 6), np.float32), "class": np.array([1], np.uint8)}
    write_store(folder / "cams.h5", CAMS, [("a", arrays)], stamp="{}")
    with pytest.raises(UserError) as caught:
        refine(folder)
    message = str(caught.value)
    assert "(4)" in message
    for words in (
        f"b: not in {folder / 'cams.h5'}",
        f"a: not in {folder / 'saliency.h5'}",
        "b: saliency map of 1 x 3 px, expected 1 x 2",
        "a: class activation maps of 1 classes, expected 2",
    ):
        assert words in message
    assert not (folder / "refined.h5").exists()


def test_seeds_need_refined_maps_of_every_image_and_of_its_size(folder: Path) -> None:
    paths = {"manifest": folder / "manifest.json", "cams": folder / "cams.h5", "output": folder / "seeds.h5"}
    with pytest.raises(
        UserError,
        match=r"saliency: .* asks for, found none of these \(1\):\n.*--needs refined_saliency=PATH",
    ):
        make_seeds.run(**paths, settings=options(), stamp="{}")
    write_store(folder / "refined.h5", REFINED_SALIENCY, [], stamp="{}")
    with pytest.raises(UserError, match=r"(?s)\(2\).*a: not in .*b: not in "):
        seeds(folder)
    grid = {"refined": np.zeros((3, 3), np.uint8)}
    write_store(folder / "refined.h5", REFINED_SALIENCY, [("a", grid), ("b", grid)], stamp="{}")
    with pytest.raises(UserError, match=r"refined_saliency of another size .*expected \(1, 6\) of image 'a'"):
        seeds(folder)


def truth_store(tmp_path: Path) -> Path:
    root = make_voc(tmp_path / "voc")
    paths = {"manifest": tmp_path / "m.json", "ground_truth": tmp_path / "g.json"}
    write_voc(root, *paths.values())
    ground_truth_saliency.run(**paths, output=tmp_path / "truth.h5", settings={}, stamp='{"step": "test"}')
    return tmp_path / "truth.h5"


def test_saliency_of_the_ground_truth(tmp_path: Path) -> None:
    """Classes 255, background 0; the void column takes the nearer of the two, here the first of a tie."""
    with Store(truth_store(tmp_path), SALIENCY) as store:
        assert store.provenance == {"step": "test"}
        assert store.ids() == ["t0", "t1", "t2"]
        found, truth = np.rint(store["t2"]["saliency"] * 255), truth_of("t2")
    known = truth != 255
    assert (found[known] == np.where(truth > 0, 255, 0)[known]).all()
    assert set(np.unique(found)) == {0, 255}


def test_void_alone_is_background() -> None:
    assert not ground_truth_saliency.objects(np.full((2, 3), 255, np.uint8)).any()


def test_missing_ground_truth_is_listed(tmp_path: Path) -> None:
    truth_store(tmp_path)
    write_voc(tmp_path / "voc", tmp_path / "m.json", tmp_path / "g.json", mask_folder=None)
    with pytest.raises(UserError, match=r"(?s)images without ground truth.*\(3\).*t0.*t1.*t2"):
        ground_truth_saliency.run(
            manifest=tmp_path / "m.json", ground_truth=tmp_path / "g.json", output=tmp_path / "x.h5", settings={}
        )
