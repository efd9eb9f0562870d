from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from PIL import Image

from wsss_steps.errors import UserError
from wsss_steps.formats import kinds
from wsss_steps.formats.files import VERSION, read_json, whole, write_json
from wsss_steps.formats.kinds.cams import CAMS
from wsss_steps.formats.kinds.saliency import SALIENCY
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.labels import read_labels, voc_palette, write_labels
from wsss_steps.formats.stores import Store, write_store
from wsss_steps.formats.weights import kind_of_weights, read_weights, read_weights_content, write_weights

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (40, 50), dtype=np.uint8)
EXAMPLES: dict[str, dict[str, np.ndarray]] = {
    "cams": {"cam": RNG.random((2, 5, 7), dtype=np.float32), "class": np.array([1, 20], np.uint8)},
    "features": {"features": RNG.random((3, 4, 8)).astype(np.float16), "extent": np.array([24, 31.5], np.float32)},
    "superpixels": {
        "superpixels": RNG.integers(1, 1000, (5, 7)).astype(np.uint16),
        "seed_patches": np.array([7, -1], np.int32),
    },
    "saliency": {"saliency": RNG.random((5, 7), dtype=np.float32)},
    "seeds": {"seeds": NOISE},
    "confusions": {"confusion": np.array([[2**40, 0, 1], [3, 4, 5]])},
    "refined_saliency": {"refined": RNG.choice(np.array([0, 1, 255], np.uint8), (5, 7))},
    "strong_masks": {"masks": RNG.choice(np.array([0, 1, 2, 255], np.uint8), (5, 7))},
    "growth": {"frames": RNG.integers(0, 3, (3, 5, 7), dtype=np.uint8), "epochs": np.array([0, 2, 10], np.int32)},
}


def write(path: Path, kind: str, *names: str, **arrays: np.ndarray) -> Path:
    items = ((name, {**EXAMPLES[kind], **arrays}) for name in names or ("a",))
    write_store(path, kinds.find(kind), items, stamp='{"step": "test"}', classes=["cat", "dog"])
    return path


# ---- stores ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", kinds.names())
def test_every_kind_comes_back(kind: str, tmp_path: Path) -> None:
    with Store(write(tmp_path / "x" / "s.h5", kind, "2007_000032", "été 写真"), kinds.find(kind)) as store:
        assert store.ids() == ["2007_000032", "été 写真"]
        assert "2007_000032" in store
        assert "2007" not in store
        assert store.provenance == {"step": "test"}
        for name, array in EXAMPLES[kind].items():
            found = store["été 写真"][name]
            assert found.dtype == array.dtype
            np.testing.assert_allclose(found, array, atol=0.5 / 255 + 1e-7 if name in ("cam", "saliency") else 0)


def test_maps_keep_0_and_1_and_are_clipped(tmp_path: Path) -> None:
    cam = np.array([[[0, 1, 0.4, 1.5, -1]]], np.float32)
    with Store(write(tmp_path / "s.h5", "cams", cam=cam, **{"class": np.array([1], np.uint8)}), CAMS) as store:
        np.testing.assert_allclose(store["a"]["cam"], [[[0, 1, 102 / 255, 1, 0]]], atol=1e-6)


def test_an_image_without_classes(tmp_path: Path) -> None:
    arrays = {"cam": np.zeros((0, 5, 7), np.float32), "class": np.zeros(0, np.uint8)}
    with Store(write(tmp_path / "s.h5", "cams", **arrays), CAMS) as store:
        assert store["a"]["cam"].shape == (0, 5, 7)


def test_every_class_has_a_picture_of_its_map(tmp_path: Path) -> None:
    """A viewer shows a data set of two dimensions; class 0 has one as any other."""
    cam = np.array([[[0, 1]], [[0.2, 0.4]], [[1, 0.6]]], np.float32)
    path = write(tmp_path / "s.h5", "cams", cam=cam, **{"class": np.array([0, 3, 12], np.uint8)})
    with h5py.File(path) as file:
        maps = file["images/a/cam"]
        assert sorted(maps) == ["0", "12", "3"]
        assert maps["12"][()].tolist() == [[255, 153]]
        assert (maps["3"].attrs["CLASS"], maps["3"].attrs["scale_factor"]) == (b"IMAGE", 1 / 255)
    with Store(path, CAMS) as store:
        np.testing.assert_allclose(store["a"]["cam"], cam, atol=1e-6)  # in the order of `class`, not of the names


def test_maps_of_other_classes_than_listed_are_refused(tmp_path: Path) -> None:
    path = write(
        tmp_path / "s.h5", "cams", cam=np.zeros((2, 3, 4), np.float32), **{"class": np.array([1, 2], np.uint8)}
    )
    with h5py.File(path, "r+") as file:
        file.move("images/a/cam/2", "images/a/cam/3")
    with (
        Store(path, CAMS) as store,
        pytest.raises(UserError, match=r"data set 'cam' of image 'a' .*\['1', '2'\], found"),
    ):
        _ = store["a"]
    with pytest.raises(ValueError, match="expected 2 of 2 dimensions, found an array of shape"):
        write(tmp_path / "t.h5", "cams", cam=np.zeros((3, 3, 4), np.float32), **{"class": np.array([1, 2], np.uint8)})


def test_sizes_are_known_without_reading(tmp_path: Path) -> None:
    with Store(write(tmp_path / "s.h5", "cams", "a"), CAMS) as store:
        assert (store.shape("a", "cam"), store.shape("a", "class")) == ((2, 5, 7), (2,))


def test_images_that_are_left_out_are_listed(tmp_path: Path) -> None:
    many = [f"{number:06d}" for number in range(20_000)]  # more than an HDF5 attribute holds in itself
    for name, left_out, expected in (("a", None, []), ("b", [], []), ("c", ["y", "x"], ["x", "y"]), ("d", many, many)):
        write_store(tmp_path / f"{name}.h5", SALIENCY, [("x", EXAMPLES["saliency"])], stamp="{}", left_out=left_out)
        with Store(tmp_path / f"{name}.h5", SALIENCY) as store:
            assert store.left_out == expected


def test_a_store_without_images(tmp_path: Path) -> None:
    assert write_store(tmp_path / "s.h5", SEEDS, [], stamp="{}") == 0
    with Store(tmp_path / "s.h5", SEEDS) as store:
        assert store.ids() == []


@pytest.mark.parametrize("kind", kinds.names())
def test_equal_content_gives_equal_bytes(kind: str, tmp_path: Path) -> None:
    first, second = (write(tmp_path / name, kind, "a", "b").read_bytes() for name in ("1.h5", "2.h5"))
    assert first == second


def test_label_maps_are_images_to_any_viewer(tmp_path: Path) -> None:
    """Attributes of the HDF5 image specification 1.2."""
    with h5py.File(write(tmp_path / "s.h5", "seeds"), "r") as file:
        data = file["images/a/seeds"]
        assert (data.attrs["CLASS"], data.attrs["IMAGE_VERSION"]) == (b"IMAGE", b"1.2")
        assert data.attrs["IMAGE_SUBCLASS"] == b"IMAGE_INDEXED"
        palette = file[data.attrs["PALETTE"]]
        assert palette.attrs["CLASS"] == b"PALETTE"
        assert palette[1].tolist() == [128, 0, 0]
        assert data.attrs["units"] == "1"
        assert "255 unlabelled" in data.attrs["long_name"]
        assert json.loads(file.attrs["classes"]) == ["background", "cat", "dog"]


def spoil(path: Path, change: Callable[[h5py.File], object]) -> Path:
    with h5py.File(path, "r+") as file:
        change(file)
    return path


def remove_image(file: h5py.File) -> None:
    del file["images/b"]


def remove_end(file: h5py.File) -> None:
    del file.attrs["complete"]


def set_version(file: h5py.File) -> None:
    file.attrs["format_version"] = 99


def remove_images(file: h5py.File) -> None:
    del file["images"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_version, "expected format wsss/seeds version 1, found wsss/seeds version 99"),
        (remove_image, "incomplete seeds store; delete it"),
        (remove_images, "incomplete seeds store; delete it"),
        (remove_end, "incomplete seeds store; delete it"),
    ],
)
def test_other_versions_and_incomplete_stores_are_refused(change: Callable, message: str, tmp_path: Path) -> None:
    path = spoil(write(tmp_path / "s.h5", "seeds", "a", "b"), change)
    with pytest.raises(UserError, match=message):
        Store(path, SEEDS)


def test_another_kind_or_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected format wsss/cams version 2, found wsss/seeds version 1"):
        Store(write(tmp_path / "s.h5", "seeds"), CAMS)
    with h5py.File(tmp_path / "foreign.h5", "w"):
        pass
    with pytest.raises(UserError, match="found None version None"):
        Store(tmp_path / "foreign.h5", CAMS)
    (tmp_path / "text.h5").write_text("text")
    with pytest.raises(UserError, match="not a readable HDF5 file"):
        Store(tmp_path / "text.h5", CAMS)
    with pytest.raises(UserError, match=r"no such file \(expected a cams store\)"):
        Store(tmp_path / "missing.h5", CAMS)


def test_a_truncated_store_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "s.h5", "seeds")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UserError, match=r"not a readable HDF5 file .*; delete it to have it made again"):
        Store(path, SEEDS)


def test_damage_within_a_store_is_found(tmp_path: Path) -> None:
    """Bytes of the compressed map itself are overwritten: the file opens, and the map is refused."""
    path = write(tmp_path / "s.h5", "seeds")
    with h5py.File(path, "r") as file:
        chunk = file["images/a/seeds"].id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    middle = chunk.byte_offset + chunk.size // 2
    content[middle : middle + 40] = bytes(40)
    path.write_bytes(content)
    with Store(path, SEEDS) as store, pytest.raises(UserError, match="data set 'seeds' of image 'a' cannot be read"):
        _ = store["a"]


def test_a_missing_image_and_a_missing_data_set(tmp_path: Path) -> None:
    path = write(tmp_path / "s.h5", "cams", "a", "b")
    with Store(path, CAMS) as store, pytest.raises(UserError, match=r"holds no image 'c' \(2 others\)"):
        _ = store["c"]

    def remove(file: h5py.File) -> None:
        del file["images/a/cam"]

    spoil(path, remove)
    with Store(path, CAMS) as store, pytest.raises(UserError, match="data set 'cam' of image 'a' cannot be read"):
        _ = store["a"]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"cam": np.zeros((5, 7), np.float32)}, "expected 2 of 2 dimensions, found an array of shape"),
        ({"class": np.array([1, 2], np.int64)}, "expected 1 dimensions of uint8, found 1 of int64"),
        ({"extra": np.zeros(1)}, r"expected data sets \['cam', 'class'\], found \['cam', 'class', 'extra'\]"),
    ],
)
def test_items_of_another_form_are_refused_and_nothing_is_left(arrays: dict, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        write(tmp_path / "s.h5", "cams", **arrays)
    assert list(tmp_path.iterdir()) == []


# ---- written whole, or not at all --------------------------------------------------------------------------------


def test_an_error_midway_leaves_the_former_file(tmp_path: Path) -> None:
    path = write(tmp_path / "s.h5", "seeds")
    before = path.read_bytes()

    def items() -> Iterator[tuple[str, dict[str, np.ndarray]]]:
        yield "b", EXAMPLES["seeds"]
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        write_store(path, SEEDS, items(), stamp="{}")
    assert [entry.name for entry in tmp_path.iterdir()] == ["s.h5"]
    assert path.read_bytes() == before


def test_a_folder_appears_whole_and_replaces_the_former(tmp_path: Path) -> None:
    target = tmp_path / "labels"
    for name in ("first", "second"):
        with whole(target) as temporary:
            temporary.mkdir()
            (temporary / name).write_text("")
            (temporary / "provenance.json").write_text("{}")
            assert not (target / name).exists()
    (target / "provenance.json").unlink()
    assert [path.name for path in target.iterdir()] == ["second"]

    def fail() -> None:
        with whole(target) as temporary:
            temporary.mkdir()
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        fail()
    assert [path.name for path in tmp_path.rglob("*")] == ["labels", "second"]


# ---- text and JSON -----------------------------------------------------------------------------------------------


def test_json_comes_back(tmp_path: Path) -> None:
    content = {"format": "wsss/score", "version": VERSION, "name": "été", "value": None}
    write_json(tmp_path / "s.json", content)
    assert read_json(tmp_path / "s.json", "score") == content
    assert "été" in (tmp_path / "s.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        ('{"format": "wsss/score", "version": 0}', "expected format wsss/score version 1, found wsss/score version 0"),
        ('{"format": "wsss/manifest", "version": 1}', "found wsss/manifest version 1"),
        ("{}", "found None version None"),
    ],
)
def test_other_json_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(UserError, match=message):
        read_json(tmp_path / "s.json", "score")


def test_missing_json(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no such file \(expected a score\)"):
        read_json(tmp_path / "s.json", "score")


# ---- label images ------------------------------------------------------------------------------------------------


def test_the_palette_is_that_of_voc() -> None:
    palette = np.array(voc_palette()).reshape(256, 3)
    known = {
        0: (0, 0, 0),
        1: (128, 0, 0),
        2: (0, 128, 0),
        8: (64, 0, 0),
        15: (192, 128, 128),
        20: (0, 64, 128),
        255: (224, 224, 192),
    }
    assert {label: tuple(palette[label].tolist()) for label in known} == known
    assert len(np.unique(palette, axis=0)) == 256


def test_label_images_come_back_in_colour(tmp_path: Path) -> None:
    write_labels(tmp_path / "a.png", NOISE)
    np.testing.assert_array_equal(read_labels(tmp_path / "a.png"), NOISE)
    with Image.open(tmp_path / "a.png") as image:
        assert (image.mode, image.size) == ("P", (50, 40))
        assert image.getpalette() == voc_palette()


def test_grey_label_images_are_read_as_they_are(tmp_path: Path) -> None:
    Image.fromarray(NOISE).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_labels(tmp_path / "a.png"), NOISE)


def test_other_label_images_are_refused(tmp_path: Path) -> None:
    Image.new("RGB", (2, 2)).save(tmp_path / "a.png")
    with pytest.raises(UserError, match=r"expected an indexed \(P\) or grey \(L\) 8-bit label image, found mode RGB"):
        read_labels(tmp_path / "a.png")
    with pytest.raises(UserError, match="no such label image"):
        read_labels(tmp_path / "b.png")
    (tmp_path / "c.png").write_bytes(b"text")
    with pytest.raises(UserError, match="not a readable label image"):
        read_labels(tmp_path / "c.png")


@pytest.mark.parametrize("keep", [0.5, 0.9])
def test_truncated_label_images_are_refused(keep: float, tmp_path: Path) -> None:
    write_labels(tmp_path / "a.png", NOISE)
    content = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(content[: int(keep * len(content))])
    with pytest.raises(UserError, match=r"a\.png: not a readable label image"):
        read_labels(tmp_path / "a.png")


@pytest.mark.parametrize("labels", [np.zeros((2, 2), np.int64), np.zeros((2, 2, 3), np.uint8)])
def test_other_arrays_are_no_labels(labels: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected a label map of 2 dimensions of uint8"):
        write_labels(tmp_path / "a.png", labels)


# ---- weights -----------------------------------------------------------------------------------------------------

STATE = {"layer.weight": torch.arange(6.0).reshape(2, 3).T, "count": torch.tensor(3)}  # one of them not contiguous
CONTENT: dict[str, Any] = {"method": "plain", "classes": ["cat", "été"], "network": {"backbone": {"mean": [0.5, 0.1]}}}


def write_state(path: Path) -> Path:
    write_weights(path, "classifier", STATE, content=CONTENT, stamp='{"step": "test"}')
    return path


def test_weights_and_their_content_come_back(tmp_path: Path) -> None:
    path = write_state(tmp_path / "w.safetensors")
    state, content = read_weights(path, "classifier")
    assert content == CONTENT
    assert state.keys() == STATE.keys()
    for name, tensor in STATE.items():
        torch.testing.assert_close(state[name], tensor, rtol=0, atol=0)
    assert read_weights_content(path, "classifier") == CONTENT


def test_the_kind_of_weights(tmp_path: Path) -> None:
    write_weights(tmp_path / "w", "classifier", {"w": torch.ones(1)}, content={}, stamp="{}")
    (tmp_path / "text").write_text("no weights")
    assert [kind_of_weights(tmp_path / name) for name in ("w", "text", "missing")] == ["classifier", "", ""]


def test_equal_weights_give_equal_bytes(tmp_path: Path) -> None:
    contents = {write_state(tmp_path / f"{number}.safetensors").read_bytes() for number in range(5)}
    assert len(contents) == 1


@pytest.mark.parametrize("read", [read_weights, read_weights_content])
def test_other_weights_are_refused(read: Callable[[Path, str], object], tmp_path: Path) -> None:
    path = write_state(tmp_path / "w.safetensors")
    with pytest.raises(UserError, match="expected weights wsss/segmenter version 1, found wsss/classifier version 1"):
        read(path, "segmenter")
    with pytest.raises(UserError, match=r"no such file \(expected classifier weights\)"):
        read(tmp_path / "missing.safetensors", "classifier")
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(UserError, match=r"not a readable safetensors file .*; delete it to have it made again"):
        read(path, "classifier")


def test_foreign_weights_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"w": torch.zeros(1)}, tmp_path / "w.safetensors")
    with pytest.raises(UserError, match="found None version None"):
        read_weights(tmp_path / "w.safetensors", "classifier")
