"""The tree of an artifact names every input back to the images, and marks what is missing or has changed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny_voc

from wsss_steps import cli, prepare, prepare_masks
from wsss_steps.errors import UserError
from wsss_steps.formats.files import whole, write_json, write_text
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.labels import write_labels
from wsss_steps.formats.stamps import read_stamp, write_beside
from wsss_steps.formats.stores import write_store
from wsss_steps.formats.weights import write_weights
from wsss_steps.provenance import lineage
from wsss_steps.provenance.stamp import stamp
from wsss_steps.workflow import splits


def stamp_of(step: str, inputs: dict[str, Path], **settings: object) -> str:
    return stamp(step, settings=settings, code="c0de", device="cpu", inputs=inputs)


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """From images through a manifest, weights and a store to label maps, a score and a table; paths are relative."""
    monkeypatch.chdir(tmp_path)
    tiny_voc.make_voc(tmp_path / "voc")
    cli.main(prepare.run, tiny_voc.prepare_words(Path("voc"), Path("out/m.json")))
    masks = splits.masks_settings(tiny_voc.config(Path("voc")), "train")
    words = ["--root", "voc", "--manifest", "out/m.json", "--ground-truth", "out/g.json"]
    cli.main(prepare_masks.run, [*words, "--settings", json.dumps(masks)])
    out, manifest = Path("out"), Path("out/m.json")
    torch = pytest.importorskip("torch")
    given = {"manifest": manifest}
    weights = stamp_of("train_classifier", given, seed=3)
    write_weights(out / "c.safetensors", "classifier", {"a": torch.ones(2)}, content={}, stamp=weights)
    maps = stamp_of("make_seeds", given | {"classifier": out / "c.safetensors"}, alpha=0.6)
    arrays = {"seeds": np.zeros((3, 4), np.uint8)}
    write_store(out / "s.h5", SEEDS, [("t0", arrays)], stamp=maps)
    with whole(out / "labels") as folder:
        folder.mkdir()
        write_labels(folder / "t0.png", np.zeros((3, 4), np.uint8))
        write_json(folder / "provenance.json", json.loads(stamp_of("predict", {"seeds": out / "s.h5"})))
    score = {
        "format": "wsss/score",
        "version": 1,
        "provenance": json.loads(stamp_of("evaluate", {"p": out / "labels"})),
    }
    write_json(out / "e.json", score)
    write_text(out / "summary.csv", "a,b\n")
    write_beside(out / "summary.csv", stamp_of("summarise", {"scores[0]": out / "e.json"}))
    return out


def lines(path: Path) -> list[str]:
    return list(lineage.lineage(path))


def test_from_a_table_back_to_the_images(results: Path) -> None:
    found = lines(results / "summary.csv")
    text = "\n".join(found)
    steps = ("summarise", "evaluate", "predict", "make_seeds", "train_classifier", "prepare")
    places = [text.index(f"made by {step} on cpu") for step in steps]
    assert places[:4] == sorted(places[:4])
    assert "made by train_classifier on cpu, seed 3, code c0de" in text
    assert "made by make_seeds on cpu, no seed, code c0de" in text
    assert 'settings: {"alpha": 0.6}' in text
    assert text.count("versions: ") == 1, "they are the same for all"
    assert text.count("files of the data set: 6 of 6 as recorded") == 1
    assert "(shown above)" in text, "the manifest, which two of them take"
    assert found[-1] == f"{7 + 6} inputs are as recorded, 0 are not"
    depth = [len(line) - len(line.lstrip()) for line in found]
    assert depth[0] == 0
    assert max(depth) >= 10, "a tree: each input deeper than what it is part of"


def test_every_artifact_carries_all_that_decides_it(results: Path) -> None:
    paths = ("m.json", "g.json", "c.safetensors", "s.h5", "labels", "e.json", "summary.csv")
    for name in paths:
        found = read_stamp(results / name)
        assert found is not None, name
        assert set(found) == {"step", "settings", "seed", "code", "device", "inputs", "versions"}, name


def test_what_is_missing_or_changed_is_marked(results: Path) -> None:
    (results / "c.safetensors").unlink()
    write_labels(results / "labels" / "t0.png", np.ones((3, 4), np.uint8))
    (Path("voc") / "JPEGImages" / "t1.jpg").write_bytes(b"other")
    (Path("voc") / "Annotations" / "t2.xml").unlink()
    text = "\n".join(lines(results / "e.json"))
    assert "classifier: out/c.safetensors, sha256 " in text
    assert text.count("MISSING") == 2
    assert "p: out/labels, sha256 " in text
    assert text.count("CHANGED: now sha256 ") == 2
    assert "files of the data set: 4 of 6 as recorded" in text
    assert "voc/JPEGImages/t1.jpg: CHANGED" in text
    assert "voc/Annotations/t2.xml: MISSING" in text
    assert text.endswith("are as recorded, 4 are not")


def test_damage_on_the_way_is_marked(results: Path) -> None:
    (results / "s.h5").write_bytes(b"no HDF5")
    text = "\n".join(lines(results / "labels"))
    assert "seeds: out/s.h5, sha256 " in text
    assert "UNREADABLE: out/s.h5: its provenance cannot be read" in text


def test_it_is_found_from_any_folder_and_needs_no_torch(
    results: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = (results / "labels").absolute()
    line = [sys.executable, "-m", "wsss_steps", "provenance", str(path)]
    done = subprocess.run(line, cwd=repository, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].endswith("are as recorded, 0 are not")
    script = "import sys; from wsss_steps.commands import provenance; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=repository, check=False).returncode == 0


def test_what_carries_no_stamp(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(UserError, match="a.txt: carries no stamp"):
        lines(tmp_path / "a.txt")
    with pytest.raises(UserError, match="b.h5: no such file or folder"):
        lines(tmp_path / "b.h5")
    (tmp_path / "b.h5").write_text("x")
    with pytest.raises(UserError, match="b.h5: its provenance cannot be read"):
        lines(tmp_path / "b.h5")


def test_a_corrected_mask_is_marked(results: Path) -> None:
    write_labels(Path("voc/SegmentationClass/t1.png"), np.zeros((12, 16), np.uint8))
    text = "\n".join(lines(results / "g.json"))
    assert "voc/SegmentationClass/t1.png: CHANGED" in text
    assert "files of the data set: 2 of 3 as recorded" in text
