"""Shards: each image is in one, an index opens all of them, and mismatched shards are refused."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from wsss_steps import join_shards, shard_manifest
from wsss_steps.data.manifest import Entry, Manifest, read_manifest, write_manifest
from wsss_steps.errors import UserError
from wsss_steps.formats.files import write_json
from wsss_steps.formats.indices import write_index
from wsss_steps.formats.kinds.saliency import SALIENCY
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.labels import write_labels
from wsss_steps.formats.stores import Store, write_store

NAMES = [f"{number:03d}-of-004" for number in range(4)]


def manifest_of(*ids: str) -> Manifest:
    return Manifest("tiny", ("cat",), tuple(Entry(name, "train", f"{name}.jpg", 4, 6, (1,)) for name in ids))


def write_seeds(path: Path, ids: list[str], stamp: str = "{}", value: int = 1) -> Path:
    items = ((name, {"seeds": np.full((4, 6), value, np.uint8)}) for name in ids)
    write_store(path, SEEDS, items, stamp=stamp, classes=["cat"], left_out=ids[:1])
    return path


def write_two(folder: Path) -> list[Path]:
    shards = folder / "seeds.shards"
    return [write_seeds(shards / "0.h5", ["b", "d"]), write_seeds(shards / "1.h5", ["a"], value=255)]


def test_every_image_is_in_one_shard_and_stays_there() -> None:
    ids = [f"2007_{number:06d}" for number in range(400)]
    before = shard_manifest.shards_of(manifest_of(*ids), NAMES)
    assert sorted(entry.id for part in before for entry in part.entries) == ids
    assert [part.shard for part in before] == NAMES
    assert all(60 <= len(part.entries) <= 140 for part in before)  # 100 expected, standard deviation 9
    after = shard_manifest.shards_of(manifest_of(*ids, "one_more"), NAMES)
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1


def test_the_shard_of_an_id_is_its_hash() -> None:
    # sha256("2007_000032") begins with 68be35cf62474b62
    assert int("68be35cf62474b62", 16) % 7 == shard_manifest.shard_of("2007_000032", 7)


def test_a_shard_may_be_empty_but_no_data_set(tmp_path: Path) -> None:
    write_manifest(tmp_path / "manifest.json", manifest_of("a"))
    paths = [tmp_path / f"{name}.json" for name in NAMES]
    shard_manifest.run(manifest=tmp_path / "manifest.json", shards=paths, settings={})
    parts = [read_manifest(path) for path in paths]
    assert sorted(len(part.split("train")) for part in parts) == [0, 0, 0, 1]
    with pytest.raises(UserError, match="no images of split 'val'"):
        manifest_of("a").split("val")


def test_an_index_opens_the_stores_of_all_shards(tmp_path: Path) -> None:
    index = tmp_path / "seeds.h5"
    join_shards.run(shards=write_two(tmp_path), output=index, settings={}, stamp='{"step": "join_shards"}')
    with Store(index, SEEDS) as store:
        assert store.ids() == ["a", "b", "d"]
        assert "d" in store
        assert (store["a"]["seeds"] == 255).all()
        assert (store["d"]["seeds"] == 1).all()
        assert store.shape("b", "seeds") == (4, 6)
        assert store.left_out == ["a", "b"]
        assert store.provenance == {"step": "join_shards"}
        with pytest.raises(UserError, match="holds no image 'c'"):
            store["c"]
    with h5py.File(index) as file:  # as a viewer would open it
        assert (file["images/a/seeds"][()] == 255).all()
        assert json.loads(file.attrs["classes"]) == ["background", "cat"]


def test_an_index_can_be_moved_with_its_shards(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    write_index(tmp_path / "here" / "seeds.h5", write_two(tmp_path / "here"), "{}")
    (tmp_path / "here").rename(tmp_path / "there")
    with Store(tmp_path / "there" / "seeds.h5", SEEDS) as store:
        assert store["b"]["seeds"].shape == (4, 6)


def test_an_index_knows_its_shards(tmp_path: Path) -> None:
    index, shards = tmp_path / "seeds.h5", write_two(tmp_path)
    write_index(index, shards, "{}")
    write_seeds(shards[0], ["b", "d"], stamp='{"settings": {"alpha": 0.5}}')
    with pytest.raises(UserError, match=r"its shard .*0\.h5 was rewritten"):
        Store(index, SEEDS)
    write_seeds(shards[0], ["b", "c"])
    with pytest.raises(UserError, match="was rewritten"):
        Store(index, SEEDS)
    shards[0].unlink()
    with pytest.raises(UserError, match=r"0\.h5: no such file"):
        Store(index, SEEDS)


def test_shards_that_do_not_fit_together_are_refused(tmp_path: Path) -> None:
    shards = write_two(tmp_path)
    with pytest.raises(UserError, match=r"more than one shard \(1\):\n  a"):
        write_index(tmp_path / "seeds.h5", [*shards, write_seeds(tmp_path / "c.h5", ["a"])], "{}")
    write_store(tmp_path / "d.h5", SALIENCY, [("e", {"saliency": np.zeros((4, 6), np.uint8)})], stamp="{}")
    with pytest.raises(UserError, match=r"expected format wsss/seeds version \d+, found wsss/saliency"):
        write_index(tmp_path / "seeds.h5", [*shards, tmp_path / "d.h5"], "{}")
    (tmp_path / "e.h5").write_text("no HDF5")
    with pytest.raises(UserError, match="not a readable HDF5 file"):
        write_index(tmp_path / "seeds.h5", [tmp_path / "e.h5"], "{}")
    with pytest.raises(UserError, match="no shards to join"):
        join_shards.run(shards=[], output=tmp_path / "seeds.h5", settings={})
    assert not (tmp_path / "seeds.h5").exists()


def write_labels_of(folder: Path, *ids: str) -> Path:
    folder.mkdir(parents=True)
    for name in ids:
        write_labels(folder / f"{name}.png", np.full((4, 6), len(ids), np.uint8))
    write_json(folder / "provenance.json", {"step": "predict"})
    return folder


def test_label_maps_of_all_shards_come_into_one_folder(tmp_path: Path) -> None:
    shards = [
        write_labels_of(tmp_path / "0", "a", "c"),
        write_labels_of(tmp_path / "1"),
        write_labels_of(tmp_path / "2", "b"),
    ]
    output = tmp_path / "pseudo_labels"
    join_shards.run(shards=shards, output=output, settings={}, stamp='{"step": "join_shards"}')
    assert sorted(path.name for path in output.iterdir()) == ["a.png", "b.png", "c.png", "provenance.json"]
    with Image.open(output / "c.png") as picture:
        assert (np.array(picture) == 2).all()
    assert json.loads((output / "provenance.json").read_text()) == {"step": "join_shards"}
    with pytest.raises(UserError, match=r"more than one shard has.*\n  a\.png"):
        join_shards.run(shards=[*shards, write_labels_of(tmp_path / "3", "a")], output=tmp_path / "other", settings={})
    assert not (tmp_path / "other").exists()
