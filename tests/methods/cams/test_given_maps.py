"""Given maps: the forms in which public code passes them on, and all that is wrong with them in one message."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from wsss_steps.data.manifest import Entry
from wsss_steps.errors import UserError
from wsss_steps.formats.kinds.cams import CAMS
from wsss_steps.formats.stores import write_store
from wsss_steps.methods.cams import given

CLASSES = ("cat", "dog", "horse")
HEIGHT, WIDTH = 8, 9
DOG = np.linspace(0, 1, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)
HORSE = DOG[::-1].copy()
MAPS = np.array([DOG, HORSE])
SETTINGS: dict[str, Any] = {"class_numbers": {}, "background": False, "normalise": False, "missing_maps": "stop"}


def entry(name: str = "a", tags: Sequence[int] = (2, 3)) -> Entry:
    return Entry(name, "train", "unread", HEIGHT, WIDTH, tuple(tags))


def read(source: Path, entries: Sequence[Entry] = (entry(),), **settings: Any) -> list[np.ndarray]:
    sizes = settings.pop("sizes", {})
    make = given.maker(entries, source=source, classes=CLASSES, sizes=sizes, **SETTINGS | settings)
    return [make(one, {}) for one in entries]


def save(folder: Path, content: Any, name: str = "a") -> Path:
    np.save(folder / f"{name}.npy", content)
    return folder


EVERY = np.array([np.full_like(DOG, 0.5), DOG, HORSE])
FORMS: dict[str, tuple[Any, dict[str, Any]]] = {
    "IRN": ({"keys": np.array([1, 2]), "cam": MAPS[:, ::4, ::4], "high_res": MAPS}, {}),
    "IRN, tensors": ({"keys": torch.tensor([1, 2]), "cam": torch.rand(2, 2, 3), "high_res": torch.tensor(MAPS)}, {}),
    "Puzzle-CAM": ({"keys": np.array([0, 2, 3]), "hr_cam": MAPS}, {}),
    "with a map of the background": ({"keys": np.array([0, 2, 3]), "high_res": EVERY}, {"background": True}),
    "PSA": ({1: DOG, 2: HORSE}, {}),
    "an array": (EVERY, {}),
    "8 bits": ({1: (DOG * 255).round().astype(np.uint8), 2: (HORSE * 255).round().astype(np.uint8)}, {}),
    "numbers of VOC": ({11: DOG, 12: HORSE, 3: DOG}, {"class_numbers": {"cat": 7, "dog": 11, "horse": 12}}),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_maps_of_the_tags(tmp_path: Path, form: str) -> None:
    content, settings = FORMS[form]
    (maps,) = read(save(tmp_path, content), **settings)
    assert maps == pytest.approx(MAPS, abs=1 / 500)
    assert maps.dtype == np.float32


def test_strided_maps_keep_their_size_and_those_of_the_original_are_reduced(tmp_path: Path) -> None:
    strided = MAPS[:, ::4, ::4]  # ((8 - 1) // 4 + 1, (9 - 1) // 4 + 1)
    (maps,) = read(save(tmp_path, {"keys": np.array([1, 2]), "cam": strided}))
    assert maps == pytest.approx(strided)
    large = np.kron(MAPS, np.ones((2, 2), np.float32))
    (maps,) = read(save(tmp_path, {1: large[0], 2: large[1]}), sizes={"a": (16, 18)})
    assert maps == pytest.approx(MAPS)


@pytest.mark.parametrize(("dtype", "most"), [(np.uint8, 255), (np.uint16, 65_535)])
def test_png_per_class_are_read_by_the_names_of_the_classes(tmp_path: Path, dtype: Any, most: int) -> None:
    (tmp_path / "a").mkdir()
    for name, one in (("dog", DOG), ("horse", HORSE), ("cat", HORSE)):
        Image.fromarray((one * most).round().astype(dtype)).save(tmp_path / "a" / f"{name}.png")
    (maps,) = read(tmp_path)
    assert maps == pytest.approx(MAPS, abs=0.5 / most + 1e-6)
    (tmp_path / "a" / "cow.png").write_bytes((tmp_path / "a" / "cat.png").read_bytes())
    with pytest.raises(UserError, match="a: unknown classes cow; known classes: cat, dog, horse"):
        read(tmp_path)


def test_a_store_is_read_by_the_names_of_its_classes(tmp_path: Path) -> None:
    numbers = np.arange(256, dtype=np.float32)[: HEIGHT * WIDTH].reshape(HEIGHT, WIDTH) / 255
    arrays = {"cam": np.array([numbers, numbers[::-1]]), "class": np.array([1, 4], np.uint8)}
    names = ["horse", "cow", "cat", "dog"]
    write_store(tmp_path / "cams.h5", CAMS, [("a", arrays)], stamp="{}", classes=names)
    (maps,) = read(tmp_path / "cams.h5")
    assert maps == pytest.approx(np.array([numbers[::-1], numbers]))


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    entries = [entry(name) for name in "abcdefg"] + [entry("none", ())]
    save(tmp_path, {1: DOG}, "a")
    save(tmp_path, {1: DOG.T, 2: HORSE}, "b")
    save(tmp_path, {1: DOG * 2, 2: HORSE - 1}, "c")
    save(tmp_path, {1: np.where(DOG > 0.5, np.nan, DOG), 2: HORSE}, "d")
    save(tmp_path, {1: DOG, 2: HORSE, 3: DOG}, "e")
    (tmp_path / "f.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(UserError) as error:
        read(tmp_path, entries)
    text = str(error.value)
    for words in (
        "a: no map of 'horse', which it is tagged with",
        "b: map of 'dog': expected 8 x 9 or 2 x 3 px (height x width), found 9 x 8; it must be upright",
        "c: map of 'dog': expected numbers from 0 to 1, found 0 to 2 (`normalise: true` brings them there)",
        "c: map of 'horse': expected numbers from 0 to 1, found -1 to 0",
        "d: map of 'dog': 36 of 72 numbers are NaN or infinite",
        "e: keys [3] are no class: expected 0 to 2, from 0",
        "f: not a readable NumPy file",
        "g: missing, expected g.npy",
        "none: missing, expected none.npy",
    ):
        assert words in text


def test_missing_maps_may_be_zero(tmp_path: Path) -> None:
    save(tmp_path, {1: DOG}, "a")
    one, other = read(tmp_path, [entry("a"), entry("b")], missing_maps="zero")
    assert np.array_equal(one, [DOG, np.zeros_like(DOG)])
    assert not other.any()
    assert other.shape == (2, HEIGHT, WIDTH)


def test_maps_are_normalised_if_asked_for(tmp_path: Path) -> None:
    (maps,) = read(save(tmp_path, {1: 8 * DOG - 4, 2: 0 * HORSE - 1}), normalise=True)
    assert maps[0] == pytest.approx(np.maximum(0, 2 * DOG - 1))
    assert not maps[1].any()


def test_keys_that_count_the_background_are_recognised(tmp_path: Path) -> None:
    save(tmp_path, {0: DOG, 3: HORSE})
    with pytest.raises(UserError, match=r"keys \[3\] are no class.*`background: true`"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"keys": np.array([1]), "high_res": MAPS}, "expected a map for each key, found 1 keys and 2 maps"),
        ({"keys": np.array([1]), "maps": MAPS}, "expected a dict with keys and one of high_res, hr_cam, cam"),
        (DOG, "expected maps (n, H, W) and n keys, found (8, 9)"),
        ({"keys": np.array(["dog"]), "cam": MAPS}, "expected arrays of numbers, found others: keys"),
        ([DOG, "text"], "expected"),
    ],
)
def test_other_contents_are_refused(tmp_path: Path, content: Any, words: str) -> None:
    held = np.empty((), object)
    held[()] = content
    save(tmp_path, held if isinstance(content, list) else content)
    with pytest.raises(UserError) as error:
        read(tmp_path)
    assert words in str(error.value)


class Malicious:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_a_pickle_that_runs_something_is_not_run(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    save(tmp_path, {"keys": np.array([1, 2]), "high_res": MAPS, "more": Malicious(trap)})
    with pytest.raises(UserError, match="a pickle that asks for .*Path.* and which was not run"):
        read(tmp_path)
    assert not trap.exists()


def test_nor_is_one_in_the_numbers_of_a_tensor(tmp_path: Path) -> None:
    """Torch keeps them as a pickle within the pickle, which its own function would run."""
    trap = tmp_path / "trap"

    class Tensor:
        def __reduce__(self) -> tuple[Any, ...]:
            return torch.storage._load_from_bytes, (pickle.dumps(Malicious(trap)),)

    save(tmp_path, {"keys": np.array([1, 2]), "high_res": Tensor()})
    with pytest.raises(UserError, match="not a readable NumPy file"):
        read(tmp_path)
    assert not trap.exists()


def test_a_folder_has_one_form(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected one form of files, arrays .* or folders .*, found nothing"):
        read(tmp_path)
    save(tmp_path, {1: DOG})
    (tmp_path / "b").mkdir()
    with pytest.raises(UserError, match=r"expected one form of files, .*, found \.npy, /"):
        read(tmp_path)


def test_a_file_that_changes_while_it_is_read_is_told(tmp_path: Path) -> None:
    save(tmp_path, {1: DOG, 2: HORSE})
    make = given.maker([entry()], source=tmp_path, classes=CLASSES, sizes={}, **SETTINGS)
    save(tmp_path, {1: DOG})
    with pytest.raises(UserError, match="what was given of 'a' changed while it was read"):
        make(entry(), {})
