"""The state of the user's files changes exactly when their content does."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_voc
from tiny_voc import HEIGHT, WIDTH, write_list, write_xml

from wsss_steps import prepare, prepare_masks
from wsss_steps.data import sources, voc_reader
from wsss_steps.formats.labels import write_labels
from wsss_steps.formats.records import record_of
from wsss_steps.methods import arguments
from wsss_steps.workflow import splits

Change = Callable[[Path], object]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tiny_voc.make_voc(tmp_path / "voc")


def states(root: Path, **overrides: object) -> dict[str, str]:
    """The states that a dry run finds, by split and step."""
    config = tiny_voc.config(root, **overrides)
    found = {}
    for split in splits.list_files(config):
        of_images, of_masks = (make(config, split) for make in (splits.images_settings, splits.masks_settings))
        images = sources.of_images(root, **arguments(sources.of_images, of_images))
        masks = sources.of_masks(root, **arguments(sources.of_masks, of_masks))
        folder = root.parent / split
        found[f"{split} images"] = sources.state(images, record_of(folder / "manifest.json"))
        found[f"{split} masks"] = sources.state(masks, record_of(folder / "ground_truth.json"))
    return found


def run(root: Path, **overrides: object) -> dict[str, str]:
    """Run both steps for every split; returns the states they were planned with."""
    before = states(root, **overrides)
    config = tiny_voc.config(root, **overrides)
    for split, path in splits.list_files(config).items():
        manifest, truth = root.parent / split / "manifest.json", root.parent / split / "ground_truth.json"
        given = splits.images_settings(config, split)
        prepare.run(root=root, list_file=root / path, manifest=manifest, settings=given)
        masks = splits.masks_settings(config, split)
        prepare_masks.run(root=root, manifest=manifest, ground_truth=truth, settings=masks)
    return before


def later(path: Path) -> None:
    """Like `touch`: a new time, the same content."""
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 10**9))


def in_place(path: Path) -> None:
    """Different content of the same size."""
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    later(path)


def test_a_second_plan_finds_the_states_of_the_first(root: Path) -> None:
    assert run(root) == states(root)


NOTHING: dict[str, Change] = {
    "an image touched": lambda root: later(root / "JPEGImages/t0.jpg"),
    "every file touched": lambda root: [later(path) for path in root.rglob("*.*")],
    "a file that no list names": lambda root: (root / "JPEGImages/Thumbs.db").write_bytes(b"x"),
    "an image that no list names": lambda root: (root / "JPEGImages/z.jpg").write_bytes(b"x"),
    "a mask that no list names": lambda root: (root / "SegmentationClass/z.png").write_bytes(b"x"),
    "a blank line in a list": lambda root: write_list(root, "val", ("v0", "", "v1")),
}


@pytest.mark.parametrize("what", NOTHING)
def test_what_changes_no_content_changes_no_state(root: Path, what: str) -> None:
    run(root)
    before = states(root)
    NOTHING[what](root)
    assert states(root) == before


CHANGES: dict[str, tuple[Change, set[str]]] = {
    "an image in place": (lambda root: in_place(root / "JPEGImages/t0.jpg"), {"train images"}),
    "an image of val": (lambda root: in_place(root / "JPEGImages/v0.jpg"), {"val images"}),
    "an image deleted": (lambda root: (root / "JPEGImages/t0.jpg").unlink(), {"train images"}),
    "a second image of an id": (lambda root: (root / "JPEGImages/t0.png").write_bytes(b"x"), {"train images"}),
    "a tag": (lambda root: write_xml(root / "Annotations/t1.xml", ("cat",)), {"train images"}),
    "a mask": (lambda root: in_place(root / "SegmentationClass/v1.png"), {"val masks"}),
    "a shorter list of val": (lambda root: write_list(root, "val", ("v1",)), {"val images", "val masks"}),
    "another order of train": (
        lambda root: write_list(root, "train", ("t1", "t0", "t2")),
        {"train images", "train masks"},
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_changes_the_state_of_what_it_decides(root: Path, what: str) -> None:
    run(root)
    before = states(root)
    change, expected = CHANGES[what]
    change(root)
    after = states(root)
    assert {name for name in after if after[name] != before[name]} == expected


def test_a_row_of_the_table_of_tags_changes_its_own_split(root: Path) -> None:
    rows = ["id,tags", *(f"{name},{';'.join(tags)}" for name, tags in tiny_voc.TAGS.items())]
    (root / "tags.csv").write_text("\n".join(rows))
    table = {"tags_csv": "tags.csv"}
    run(root, **table)
    before = states(root, **table)
    (root / "tags.csv").write_text("\n".join([*rows[:-1], "v1,dog", "new,cat"]))
    after = states(root, **table)
    assert {name for name in after if after[name] != before[name]} == {"val images"}


def test_what_was_touched_keeps_its_state_over_further_runs(root: Path) -> None:
    first = run(root)
    later(root / "JPEGImages/t0.jpg")
    assert states(root) == first
    assert run(root) == first, "the step was run again, for another reason"
    assert states(root) == first


def test_a_content_that_comes_back_is_a_change_once_the_step_has_run(root: Path) -> None:
    """What was made from the intermediate content does not count as made from the original."""
    path = root / "SegmentationClass/t0.png"
    content = path.read_bytes()
    first = run(root)["train masks"]
    write_labels(path, np.zeros((HEIGHT, WIDTH), np.uint8))
    second = run(root)["train masks"]
    path.write_bytes(content)
    assert len({first, second, states(root)["train masks"]}) == 3


def test_touched_files_are_read_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(root)
    for path in (root / "JPEGImages").iterdir():
        later(path)
    read: list[str] = []
    digest = sources.file_digest
    monkeypatch.setattr(sources, "file_digest", lambda path: [read.append(path.name), digest(path)][1])
    states(root)
    assert sorted(read) == ["t0.jpg", "t1.jpg", "t2.jpg", "v0.jpg", "v1.jpg"]
    read.clear()
    states(root)
    assert read == []


def test_a_record_that_cannot_be_read_is_none(root: Path) -> None:
    first = run(root)
    record = record_of(root.parent / "train/manifest.json")
    for text in ("{", "[]", json.dumps({"state": "x"})):
        record.write_text(text)
        assert states(root) == first, "nothing was touched since"


def test_planning_needs_no_torch(repository: Path) -> None:
    """A dry run asks for the states of all splits; importing torch alone takes seconds."""
    script = "import sys; import wsss_steps.workflow.splits, wsss_steps.data.sources; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=repository, check=False).returncode == 0


def test_what_changes_while_the_step_reads_is_a_change(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record has the times from before reading, so an image edited meanwhile does not count as checked."""
    read_split = voc_reader.read_split

    @functools.wraps(read_split)  # the step reads its signature
    def disturbed(*args: Any, **options: Any) -> Any:
        found = read_split(*args, **options)
        if options["split"] == "train":
            in_place(root / "JPEGImages" / "t0.jpg")
        return found

    with monkeypatch.context() as patch:
        patch.setattr(voc_reader, "read_split", disturbed)
        before = run(root)
    assert states(root)["train images"] != before["train images"]


def test_masks_that_are_not_scored_do_not_count(root: Path) -> None:
    write_list(root, "scored", ("t0",))
    chosen = {"scored_list": "ImageSets/Segmentation/scored.txt"}
    before = run(root, **chosen)
    in_place(root / "SegmentationClass" / "t1.png")
    assert states(root, **chosen) == before
    in_place(root / "SegmentationClass" / "t0.png")
    assert states(root, **chosen)["train masks"] != before["train masks"]
