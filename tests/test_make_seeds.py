"""Making seeds: images of several sizes, images without tags, strided maps, and what is refused."""

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from wsss_steps import label_seeds, methods
from wsss_steps.data.manifest import Entry, Manifest, write_manifest
from wsss_steps.errors import UserError
from wsss_steps.formats.kinds.cams import CAMS
from wsss_steps.formats.kinds.saliency import SALIENCY
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.kinds.superpixels import SUPERPIXELS
from wsss_steps.formats.labels import read_labels
from wsss_steps.formats.stores import Store, write_store
from wsss_steps.make_seeds import run

THRESHOLD = {"method": "threshold", "foreground": 0.3, "background": 0.05}
SUPERPIXEL = {"method": "superpixel", "alpha": 0.5, "bg_conflict": "override"}
ENTRIES = (
    Entry("a", "train", "a.jpg", 1, 4, (2,)),
    Entry("b", "train", "b.jpg", 2, 3, ()),
    Entry("c", "val", "c.jpg", 5, 5, (1,)),
)


def cam(*planes: list[list[float]]) -> np.ndarray:
    return np.array(planes, np.float32)


@pytest.fixture
def paths(tmp_path: Path) -> dict[str, Path]:
    """Manifest, maps and superpixels of two training images."""
    write_manifest(tmp_path / "manifest.json", Manifest("test", ("cat", "dog"), ENTRIES))
    maps = {"a": (cam([[1.0, 0.4, 0.0, 0.2]]), [2]), "b": (np.zeros((0, 2, 3), np.float32), [])}
    items = [(name, {"cam": planes, "class": np.array(classes, np.uint8)}) for name, (planes, classes) in maps.items()]
    write_store(tmp_path / "cams.h5", CAMS, items, stamp="{}")
    ids = {"a": [[1, 1, 2, 2]], "b": [[1, 2, 2], [1, 2, 2]]}
    items = [
        (name, {"superpixels": np.array(grid, np.uint16), "seed_patches": np.zeros(2, np.int32)})
        for name, grid in ids.items()
    ]
    write_store(tmp_path / "superpixels.h5", SUPERPIXELS, items, stamp="{}")
    return {"manifest": tmp_path / "manifest.json", "cams": tmp_path / "cams.h5", "output": tmp_path / "seeds.h5"}


def seeds_in(path: Path) -> dict[str, list[list[int]]]:
    with Store(path, SEEDS) as store:
        return {name: store[name]["seeds"].tolist() for name in store.ids()}


def test_thresholds(paths: dict[str, Path], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        run(**paths, settings=THRESHOLD)
    assert seeds_in(paths["output"]) == {"a": [[2, 2, 0, 255]], "b": [[0, 0, 0], [0, 0, 0]]}
    expected = "seeds of 2 images: 70.0% of the pixels background, 20.0% classes, 10.0% unlabelled"
    assert expected in caplog.text
    assert "1 images have no tag" in caplog.text


def test_seeds_are_the_label_maps_of_a_recipe_without_a_segmenter(paths: dict[str, Path]) -> None:
    run(**paths, settings=THRESHOLD)
    folder = paths["output"].with_name("pseudo_labels")
    label_seeds.run(manifest=paths["manifest"], seeds=paths["output"], output=folder, settings={}, stamp='{"step": 1}')
    assert {path.name for path in folder.iterdir()} == {"a.png", "b.png", "provenance.json"}
    assert read_labels(folder / "a.png").tolist() == [[2, 2, 0, 255]]


def test_thresholds_of_the_settings_and_the_stamp(paths: dict[str, Path]) -> None:
    run(**paths, settings=THRESHOLD | {"foreground": 0.5, "background": 0.3}, stamp='{"step": "test"}')
    assert seeds_in(paths["output"])["a"] == [[2, 255, 0, 0]]
    with Store(paths["output"], SEEDS) as store:
        assert store.provenance == {"step": "test"}


@pytest.mark.parametrize(("conflict", "expected"), [("override", [[2, 2, 0, 0]]), ("keep_fg", [[2, 2, 0, 2]])])
def test_what_is_both_class_and_background_superpixel(
    paths: dict[str, Path], conflict: str, expected: list[list[int]]
) -> None:
    settings = SUPERPIXEL | {"alpha": 0.1, "bg_conflict": conflict}
    run(**paths, needs={"superpixels": paths["output"].parent / "superpixels.h5"}, settings=settings)
    assert seeds_in(paths["output"])["a"] == expected


def test_superpixels(paths: dict[str, Path]) -> None:
    run(**paths, needs={"superpixels": paths["output"].parent / "superpixels.h5"}, settings=SUPERPIXEL)
    assert seeds_in(paths["output"]) == {"a": [[2, 255, 0, 0]], "b": [[0, 0, 0], [0, 0, 0]]}


def test_strided_maps_are_brought_to_the_image(paths: dict[str, Path]) -> None:
    items = [("a", {"cam": cam([[1.0]]), "class": np.array([2], np.uint8)})]
    items += [("b", {"cam": np.zeros((0, 1, 1), np.float32), "class": np.zeros(0, np.uint8)})]
    write_store(paths["cams"], CAMS, items, stamp="{}")
    run(**paths, settings=THRESHOLD)
    assert seeds_in(paths["output"])["a"] == [[2, 2, 2, 2]]


def test_superpixel_seeds_need_superpixels(paths: dict[str, Path]) -> None:
    with pytest.raises(UserError, match=r"asks for, found none of these \(1\):\n.*--needs superpixels=PATH"):
        run(**paths, settings=SUPERPIXEL)
    assert not paths["output"].exists()


def test_every_missing_image_is_named(paths: dict[str, Path]) -> None:
    write_store(paths["cams"], CAMS, [], stamp="{}")
    with pytest.raises(UserError, match=r"(?s)\(2\).*a: not in .*b: not in "):
        run(**paths, settings=THRESHOLD)


def test_maps_of_other_tags_are_refused(paths: dict[str, Path]) -> None:
    items = [(name, {"cam": np.zeros((1, 1, 1), np.float32), "class": np.array([1], np.uint8)}) for name in "ab"]
    write_store(paths["cams"], CAMS, items, stamp="{}")
    with pytest.raises(UserError, match=r"'a' has maps of classes \[1\], the manifest's tags are \[2\]"):
        run(**paths, settings=THRESHOLD)


def test_superpixels_of_another_size_are_refused(paths: dict[str, Path]) -> None:
    other = paths["output"].parent / "superpixels.h5"
    arrays = {"superpixels": np.ones((9, 9), np.uint16), "seed_patches": np.zeros(1, np.int32)}
    write_store(other, SUPERPIXELS, [(name, arrays) for name in "ab"], stamp="{}")
    with pytest.raises(UserError, match=r"expected \(1, 4\) of image 'a', found \(9, 9\)"):
        run(**paths, needs={"superpixels": other}, settings=SUPERPIXEL)


@pytest.fixture
def salient(paths: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Saliency maps of which that of `b` says nothing, and seeds `found` that need them: class 2 where salient."""
    maps = {"a": [[0.0, 0.2, 0.8, 1.0]], "b": [[0.0] * 3] * 2}
    items = [(name, {"saliency": np.array(grid, np.float32)}) for name, grid in maps.items()]
    write_store(paths["output"].with_name("saliency.h5"), SALIENCY, items, stamp="{}", left_out=["b"])
    module = ModuleType("found")

    def seeds(maps: np.ndarray, classes: np.ndarray, *, saliency: np.ndarray, above: float) -> np.ndarray:
        return np.where(saliency > above, 2, 0).astype(np.uint8)

    module.seeds = seeds  # type: ignore[attr-defined]
    monkeypatch.setattr(methods, "load", lambda *_: module)
    return {"saliency": paths["output"].with_name("saliency.h5")}


def test_seeds_may_need_saliency_maps_and_have_none_where_there_is_none(
    paths: dict[str, Path], salient: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    """The setting `saliency`, which says whose maps they are, is not what the function is given."""
    settings = {"method": "found", "above": 0.5, "saliency": "detector"}
    with caplog.at_level("INFO"):
        run(**paths, needs=salient, settings=settings)
    assert seeds_in(paths["output"]) == {"a": [[0, 0, 2, 2]], "b": [[255] * 3] * 2}
    assert "20.0% of the pixels background, 20.0% classes, 60.0% unlabelled" in caplog.text
    assert "1 images without a usable saliency map have no seeds: b" in caplog.text


def test_a_store_of_saliency_maps_that_is_none_is_refused(paths: dict[str, Path], salient: dict[str, Path]) -> None:
    with pytest.raises(UserError, match="expected .*saliency"):
        run(**paths, needs={"saliency": paths["cams"]}, settings={"method": "found", "above": 0.5})
