"""docs/artifacts.md: the lines of Python read every artifact, and what it says of stores and tables is so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import shown
from tiny_voc import CLASSES, HEIGHT, WIDTH, truth_of

from wsss_steps.formats import kinds
from wsss_steps.formats.files import write_json, write_text
from wsss_steps.formats.stamps import write_beside
from wsss_steps.report import boxes, tables
from wsss_steps.report.scripts import data_script

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "artifacts.md"
BLOCKS = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
LISTINGS = re.findall(r"```\n\$ h5ls -r (\S+)\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
IMAGE = "2026_000001"  # that of the document; in the example, t0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with results/example and logs/example, in which every file of the document exists."""
    found = tmp_path_factory.mktemp("documented")
    root = shown.make_results(found, "example")
    write_text(root / "summary.csv", ",".join(tables.COLUMNS) + "\n" + "a,0,seeds,train,0.5" + "," * 16 + "\n")
    score = {"format": "wsss/score", "miou": 0.5, "per_class": [{"iou": 0.25}], "provenance": {}}
    write_json(root / "plain/cam/evaluation/cams/train.json", score)
    write_text(root / "report/page/numbers.js", data_script("numbers", {"text": "a = b;"}))
    write_json(root / "warnings.json", {"warnings": [{"text": "a classifier paints", "images": ["t0"]}]})
    write_text(found / "logs/example/benchmarks/plain/train_classifier.tsv", "s\tmax_rss\n1.5\t100\n")
    write_json(root / "configurations" / "config.yaml.json", {"files": ["config.yaml"]})
    write_beside(root / "splits/train/manifest.json", shown.STAMP)
    write_json(root / "splits/train/.manifest.json.files.json", {"files": {"a.jpg": [1, 2, "3"]}})
    return found


def executed(block: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names that a block of the document defines."""
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    exec(compile(block.replace(IMAGE, "t0"), "artifacts.md", "exec"), names)
    return names


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: re.findall(r"[\w.]+(?=[\"'])", block)[0])
def test_the_lines_read_the_artifact(block: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len([line for line in block.splitlines() if line]) <= 3
    assert len(executed(block, folder, monkeypatch)) > 2


def test_what_they_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found: dict[str, Any] = {}
    for block in BLOCKS:
        found |= executed(block, folder, monkeypatch)
    truth = truth_of("t0")
    for name in ("seeds", "labels"):
        np.testing.assert_array_equal(found[name], truth)
    np.testing.assert_array_equal(found["masks"]["t0"], truth)
    np.testing.assert_allclose(found["maps"][1], shown.CAM, atol=1 / 510)
    np.testing.assert_allclose(found["saliency"], shown.CAM, atol=1 / 510)
    assert found["extent"].tolist() == [HEIGHT, WIDTH + 2]
    assert found["total"].sum() == 5 * (HEIGHT * WIDTH - HEIGHT)
    assert found["classes"] == ["background", *CLASSES]
    assert found["images"]["t0"]["height"] == HEIGHT
    assert found["boxes"][0]["box"] == [0, 9, 6, 16]
    assert found["content"]["method"] == "plain"
    assert sorted(found["names"]) == ["backbone.net.weight", "head.weight"]
    assert found["stamp"]["settings"] == {"alpha": 0.4}
    assert found["numbers"] == {"text": "a = b;"}
    assert found["warnings"] == {"a classifier paints": ["t0"]}
    assert found["files"] == {"a.jpg": [1, 2, "3"]}


def structure(lines: list[tuple[str, int | None]], image_id: str) -> set[tuple[str, int | None]]:
    """Paths of a store, without the image and the class in them, and the number of dimensions of data sets."""
    return {(re.sub(rf"/{image_id}(?=/|$)", "/<id>", re.sub(r"/\d+$", "/<class>", path)), n) for path, n in lines}


@pytest.mark.parametrize(("path", "listing"), LISTINGS, ids=lambda text: Path(text).name[:20])
def test_the_listings_are_those_of_the_stores(path: str, listing: str, folder: Path) -> None:
    written = []
    for line in listing.splitlines():
        name, shape = re.fullmatch(r"(\S+) +(?:Group|Dataset \{(.*)\})", line).groups()
        written.append((name, None if shape is None else shape.count(",") + 1))
    found: list[tuple[str, int | None]] = [("/", None)]
    with h5py.File(folder / path) as store:
        store["images"].visititems(lambda name, one: found.append((f"/images/{name}", getattr(one, "ndim", None))))
        found += [(f"/{name}", getattr(one, "ndim", None)) for name, one in store.items()]
    of_image = [(name, n) for name, n in found if not re.match(r"/images/(?!t0)", name)]
    assert structure(written, IMAGE) == structure(of_image, "t0")


def test_every_kind_of_store_is_described() -> None:
    read = {path for path, _ in LISTINGS}
    assert read == {f"results/example/{place}" for place in shown.PLACES.values()}
    assert set(shown.PLACES) == set(kinds.names())
    for place in shown.PLACES.values():
        assert any(place in block for block in BLOCKS), place


@pytest.mark.parametrize(
    ("name", "columns"), [("summary.csv", tables.COLUMNS), ("means.csv", tables.SPREAD), ("boxes.csv", boxes.COLUMNS)]
)
def test_every_column_is_described(name: str, columns: tuple[str, ...]) -> None:
    (row,) = re.findall(rf"^\| `{name}` \|.*$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    named = set(re.findall(r"`(\w+)`", row))
    assert {column for column in columns if column not in named | {"ci_low", "ci_high"}} == set()
