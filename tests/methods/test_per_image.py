"""The loop over images that all steps share: sources by kind, faults named with their image."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from wsss_steps.data.manifest import Entry
from wsss_steps.errors import UserError
from wsss_steps.formats.kinds.saliency import SALIENCY
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.labels import read_labels
from wsss_steps.formats.stores import Store, write_store
from wsss_steps.methods import per_image
from wsss_steps.methods.per_image import Arrays

ENTRIES = [Entry(name, "train", f"{name}.jpg", 2, 3, (1,)) for name in ("b", "a")]


def source(folder: Path, *names: str) -> Path:
    maps = ((name, {"saliency": np.full((2, 3), number, np.uint8)}) for number, name in enumerate(names, start=1))
    write_store(folder / "saliency.h5", SALIENCY, maps, stamp="{}")
    return folder / "saliency.h5"


def test_an_image_is_made_of_its_own_arrays(tmp_path: Path) -> None:
    given = [(source(tmp_path, "a", "b", "c"), SALIENCY)]

    def make(entry: Entry, arrays: Mapping[str, Arrays]) -> Arrays:
        assert list(arrays) == ["saliency"]
        return {"seeds": np.rint(arrays["saliency"]["saliency"] * 255).astype(np.uint8)}

    output = tmp_path / "seeds.h5"
    about = {"stamp": '{"step": "x"}', "classes": ("cat",), "left_out": ["b"]}
    assert per_image.write(output, SEEDS, ENTRIES, make, sources=given, **about) == 2
    with Store(output, SEEDS) as store:
        assert store.ids() == ["a", "b"]
        assert [int(store[name]["seeds"][0, 0]) for name in ("a", "b")] == [1, 2]
        assert (store.provenance, store.left_out) == ({"step": "x"}, ["b"])


def test_every_image_that_a_source_lacks_is_named_before_anything_is_written(tmp_path: Path) -> None:
    given = [(source(tmp_path, "c"), SALIENCY)]
    with pytest.raises(UserError, match=r"(?s)that a store lacks.*\(2\):\n  b: not in .*saliency.h5\n  a: not in"):
        per_image.write(tmp_path / "seeds.h5", SEEDS, ENTRIES, lambda *_: {}, sources=given, stamp="{}")
    assert [path.name for path in tmp_path.iterdir()] == ["saliency.h5"]


def test_memory_that_runs_out_names_the_image_and_what_to_lower(tmp_path: Path) -> None:
    def make(*_: object) -> Arrays:
        raise MemoryError

    with pytest.raises(
        UserError, match="image 'b' of 2 x 3 px .*: out of memory; lower scales, make the image smaller"
    ):
        per_image.write(tmp_path / "seeds.h5", SEEDS, ENTRIES, make, lowers="scales", stamp="{}")
    assert not list(tmp_path.iterdir())


def test_a_failure_at_the_last_image_leaves_nothing(tmp_path: Path) -> None:
    def make(entry: Entry, _: object) -> Arrays:
        if entry.id == "a":
            raise UserError("no")
        return {"seeds": np.zeros((2, 3), np.uint8)}

    with pytest.raises(UserError, match="no"):
        per_image.write(tmp_path / "seeds.h5", SEEDS, ENTRIES, make, stamp="{}")
    assert not list(tmp_path.iterdir())


def number(_: object, arrays: Mapping[str, Arrays]) -> Arrays:
    """Two label maps from the saliency map, whose value is 1, 2, ... in the order of the source."""
    labels = np.rint(arrays["saliency"]["saliency"] * 255).astype(np.uint8)
    return {"one": labels, "ten": 10 * labels}


@pytest.mark.parametrize("both", [True, False])
def test_label_maps_lie_in_a_folder_of_their_own_with_their_provenance(tmp_path: Path, both: bool) -> None:
    given = [(source(tmp_path, "a", "b"), SALIENCY)]
    outputs = {"one": tmp_path / "x" / "one", "ten": tmp_path / "x" / "ten" if both else None}
    about = {"sources": given, "stamp": '{"step": "test"}'}
    assert per_image.write_label_maps(outputs, ENTRIES, number, **about) == 2
    found = {path.relative_to(tmp_path / "x").as_posix() for path in (tmp_path / "x").rglob("*.*")}
    folders = {"one": 1, "ten": 10} if both else {"one": 1}
    assert found == {f"{name}/{file}" for name in folders for file in ("a.png", "b.png", "provenance.json")}
    for name, factor in folders.items():
        maps = [read_labels(tmp_path / "x" / name / f"{image}.png").tolist() for image in ("a", "b")]
        assert maps == [[[factor] * 3] * 2, [[2 * factor] * 3] * 2]
        assert json.loads((tmp_path / "x" / name / "provenance.json").read_text()) == {"step": "test"}


def test_label_maps_are_whole_or_not_at_all(tmp_path: Path) -> None:
    """Whether a source lacks an image, memory runs out at the last one, or a map has another name."""
    outputs = {"one": tmp_path / "one", "ten": tmp_path / "ten"}
    given = [(source(tmp_path, "b"), SALIENCY)]

    def short(entry: Entry, _: object) -> Arrays:
        if entry.id == "a":
            raise MemoryError
        return dict.fromkeys(outputs, np.zeros((2, 3), np.uint8))

    with pytest.raises(UserError, match=r"(?s)that a store lacks.*\(1\):\n  a: not in"):
        per_image.write_label_maps(outputs, ENTRIES, number, sources=given, stamp="{}")
    with pytest.raises(UserError, match="image 'a' of 2 x 3 px .*: out of memory; lower scales, make the image"):
        per_image.write_label_maps(outputs, ENTRIES, short, lowers="scales", stamp="{}")
    with pytest.raises(ValueError, match=r"image 'b': expected \['one', 'ten'\], found \['seeds'\]"):
        per_image.write_label_maps(outputs, ENTRIES, lambda *_: {"seeds": np.zeros((2, 3), np.uint8)}, stamp="{}")
    assert [path.name for path in tmp_path.iterdir()] == ["saliency.h5"]
