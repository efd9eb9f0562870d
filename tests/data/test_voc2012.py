"""PASCAL VOC 2012 with SBD as the archives unpack: lists, counts, tags from three sources, label images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_archives
from scipy.io import savemat

from wsss_steps.data import voc_lists, voc_tags
from wsss_steps.data.archives import voc2012
from wsss_steps.data.sbd import read_segmentation
from wsss_steps.errors import UserError

SBD = "../../benchmark_RELEASE/dataset"
TRAIN: dict[str, Any] = {"split": "train", "list_file": "", "sbd": SBD}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tiny_archives.make_voc(tmp_path)


@pytest.fixture
def sbd(root: Path) -> Path:
    return root / SBD


def tags_of(root: Path, tags: str, **overrides: Any) -> tuple[list[str], dict[str, tuple[str, ...]]]:
    given = {**TRAIN, "tags": tags, "tagged": True, "classes": voc2012.CLASSES, **overrides}
    ids, found, _ = voc2012.read_tags(root, **given)
    return ids, found


def problems(root: Path, **overrides: Any) -> list[str]:
    given = {"sbd": SBD, "tags": "xml", "published_counts": False, "all_masks": True, **overrides}
    return voc2012.problems(root, **given)


def test_train_aug_is_voc_train_and_sbd_without_voc_val(root: Path) -> None:
    """2007_000033 is in SBD's train but in VOC's val, 2007_000039 in SBD's val and in VOC's train."""
    assert voc2012.train_aug(root, SBD, []) == tiny_archives.TRAIN_AUG


def test_the_published_counts_are_those_of_the_lists() -> None:
    """8,498 and 2,857 images of SBD; 1,464 of VOC's train; 9,118 of SBD in neither of VOC's lists."""
    assert voc2012.PUBLISHED["SBD train"] + voc2012.PUBLISHED["SBD val"] == 11355
    assert voc2012.PUBLISHED["VOC train"] + 9118 == voc2012.PUBLISHED["train_aug"]


def test_counts_of_a_data_set_in_the_published_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists of the real lengths: 700 of VOC's val and 1,537 of its train are in SBD too, so that 9,118 are new."""
    both_val, both_train = 700, 11355 - 700 - 9118
    names = [f"2008_{number:06d}" for number in range(20000)]
    voc_train, voc_val, new = names[:1464], names[2000:3449], names[4000 : 4000 + 9118]
    extra = both_train - 1464
    sbd = [*voc_train, *voc_val[: both_val + extra], *new]
    assert len(sbd) == 11355
    root = tmp_path / "VOCdevkit/VOC2012"
    lists = {root / voc2012.LISTS / "train.txt": voc_train, root / voc2012.LISTS / "val.txt": voc_val}
    lists |= {root / SBD / "train.txt": sbd[:8498], root / SBD / "val.txt": sbd[8498:]}
    for path, ids in lists.items():
        tiny_archives.write_ids(root / path.relative_to(root), ids)
    for folder in ("JPEGImages", "SegmentationClass", "Annotations", f"{SBD}/cls"):
        (root / folder).mkdir(parents=True)
    images = {one: [f"{one}.jpg"] for one in (*voc_train, *new)}
    monkeypatch.setattr(voc_lists, "images_in", lambda _: images)
    assert len(voc2012.train_aug(root, SBD, [])) == 10582
    assert problems(root, published_counts=True, all_masks=False) == []
    tiny_archives.write_ids(root / SBD / "val.txt", sbd[8498:-3])
    del images[voc_train[0]]
    short, fewer, image = problems(root, published_counts=True, all_masks=False)
    assert short.startswith(f"{root / SBD / 'val.txt'}: expected 2,857 ids, as published, found 2,854;")
    assert fewer.startswith(
        "train_aug (VOC train and SBD, without VOC val): expected 10,582 ids, as published, found 10,579;"
    )
    assert image == f"{root / 'JPEGImages'}: 1 images of train_aug are missing: {voc_train[0]}"


def test_a_whole_data_set_has_no_problem(root: Path) -> None:
    assert problems(root) == []


def test_all_that_is_missing_is_said_at_once(root: Path, sbd: Path) -> None:
    (sbd / "cls/2008_000002.mat").unlink()
    (sbd / "cls/2008_000003.mat").unlink()
    (root / "JPEGImages/2008_000003.jpg").unlink()
    (sbd / "val.txt").unlink()
    found = "\n".join(problems(root))
    assert "val.txt: no such file" in found
    assert "1 label images of train_aug are missing: 2008_000002" in found
    (sbd / "val.txt").write_text("2008_000003\n")
    found = "\n".join(problems(root))
    assert "2 label images of train_aug are missing: 2008_000002, 2008_000003" in found
    assert "1 images of train_aug are missing: 2008_000003" in found
    assert "label images" not in "\n".join(problems(root, all_masks=False)), "they are needed for scores alone"


def test_a_folder_that_is_not_there(root: Path) -> None:
    assert problems(root, sbd="nowhere") == [f"{root / 'nowhere'}: no such folder of PASCAL VOC 2012 or SBD"]
    assert "expected xml, masks or the path of a file" in problems(root, tags="csl_labels.npy")[0]


@pytest.mark.parametrize("tags", ["xml", "masks", "cls_labels.npy"])
def test_three_sources_give_the_same_tags(root: Path, tags: str) -> None:
    vectors = {one: np.isin(voc2012.CLASSES, names).astype(np.float32) for one, names in tiny_archives.VOC_TAGS.items()}
    np.save(root / "cls_labels.npy", vectors, allow_pickle=True)  # type: ignore[arg-type]
    ids, found = tags_of(root, tags)
    assert ids == tiny_archives.TRAIN_AUG
    assert {one: set(names) for one, names in found.items()} == {
        one: set(tiny_archives.VOC_TAGS[one]) for one in tiny_archives.TRAIN_AUG
    }


def test_classes_that_are_not_listed_are_no_tags(root: Path) -> None:
    for tags in ("xml", "masks"):
        assert tags_of(root, tags, classes=("person", "train"))[1]["2007_000032"] == ("person",)


def test_a_held_out_split_has_the_list_of_voc(root: Path) -> None:
    ids, found = tags_of(root, "xml", split="val", list_file="ImageSets/Segmentation/val.txt")
    assert (ids, found) == (["2007_000033"], {"2007_000033": ("aeroplane",)})
    assert tags_of(root, "xml", split="val", list_file="ImageSets/Segmentation/val.txt", tagged=False)[1] == {}


def test_wrong_tags_are_said_at_once(root: Path) -> None:
    np.save(root / "t.npy", {"2007_000032": np.zeros(20), "2007_000039": np.zeros(7)}, allow_pickle=True)  # type: ignore[arg-type]
    with pytest.raises(UserError) as error:
        tags_of(root, "t.npy")
    assert "image '2007_000039': expected 20 numbers, found 7" in str(error.value)
    assert "no vector for image '2008_000002'" in str(error.value)
    tiny_archives.write_sbd(root / SBD / "cls/2008_000002.mat", np.full((12, 16), 77, np.uint8))
    with pytest.raises(UserError, match=r"2008_000002.mat: expected values 0..20 and 255, found \[77\]"):
        tags_of(root, "masks")


def made(root: Path, scored_list: str | None) -> dict[str, np.ndarray]:
    found = voc2012.label_images(root, tiny_archives.TRAIN_AUG, scored_list=scored_list, sbd=SBD)
    return {one: make() for one, make in found}


def test_label_images_are_those_of_voc_and_else_of_sbd(root: Path) -> None:
    found = made(root, None)
    assert sorted(found) == tiny_archives.TRAIN_AUG
    assert (found["2007_000039"] == 255).any(), "VOC's own has void, that of SBD has none"
    np.testing.assert_array_equal(found["2008_000003"], tiny_archives.labels_of(("train", "person")))
    assert sorted(made(root, "ImageSets/Segmentation/train.txt")) == ["2007_000032", "2007_000039"]


def test_the_state_changes_with_what_decides_it_alone(root: Path, sbd: Path) -> None:
    def tags() -> Any:
        return voc2012.sources_of_tags(root, **TRAIN, tags="xml", tagged=True)

    def masks(scored: str | None = None) -> Any:
        return voc2012.sources_of_masks(root, **TRAIN, scored_list=scored)

    before, of_masks, of_scored = tags(), masks(), masks("ImageSets/Segmentation/train.txt")
    assert {Path(path).stem for path in before.files} == set(tiny_archives.TRAIN_AUG)
    tiny_archives.write_sbd(sbd / "cls/2008_000003.mat", np.ones((9, 9), np.uint8))
    assert tags() == before
    assert masks() != of_masks
    assert masks("ImageSets/Segmentation/train.txt") == of_scored, "SBD's are not scored"
    (sbd / "val.txt").write_text("2007_000039\n")
    assert tags().content != before.content


# ---- SBD's files


def test_a_file_of_sbd(tmp_path: Path) -> None:
    labels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    tiny_archives.write_sbd(tmp_path / "a.mat", labels)
    found = read_segmentation(tmp_path / "a.mat")
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, labels)


def test_files_that_are_no_label_images_of_sbd(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    with pytest.raises(UserError, match="no such label image"):
        read_segmentation(path)
    tiny_archives.write_sbd(path, np.ones((40, 40), np.uint8))
    whole = path.read_bytes()
    for data in (b"", b"PNG", whole[:200], whole[:-30], whole[:300] + b"\xff" * 50 + whole[350:]):
        path.write_bytes(data)
        with pytest.raises(UserError, match="expected a file of SBD"):
            read_segmentation(path)
    savemat(path, {"GTinst": {"Segmentation": np.ones((2, 2), np.uint8)}})
    with pytest.raises(UserError, match="GTcls.Segmentation, found GTinst"):
        read_segmentation(path)
    for other in (np.ones((2, 2, 2), np.uint8), np.ones((2, 2))):
        savemat(path, {"GTcls": {"Segmentation": other}})
        with pytest.raises(UserError, match="expected a label map of 2 dimensions of uint8"):
            read_segmentation(path)


# ---- lists and tables of other repositories


def test_lists_of_deeplab(tmp_path: Path) -> None:
    path, wrong = tmp_path / "train_aug.txt", list[str]()
    path.write_text(
        "/JPEGImages/2007_000032.jpg /SegmentationClassAug/2007_000032.png\n"
        "/JPEGImages/2007_000039.jpg\t/SegmentationClassAug/2007_000039.png\n\n/JPEGImages/2008_000006.jpg\n2007_000063\n"
    )
    assert voc_lists.read_list(path, wrong) == ["2007_000032", "2007_000039", "2008_000006", "2007_000063"]
    assert wrong == []
    path.write_text("/JPEGImages/2007_000032.jpg /SegmentationClassAug/2007_000039.png\n")
    assert voc_lists.read_list(path, wrong) == []
    assert "line 1" in wrong[0]


def test_a_table_of_vectors_in_any_data_set(tmp_path: Path) -> None:
    wrong = list[str]()
    np.save(tmp_path / "t.npy", {"a": np.array([0, 1]), "b": np.array([1, 1]), "c": np.array([1])}, allow_pickle=True)  # type: ignore[arg-type]
    assert voc_tags.from_vectors(tmp_path / "t.npy", ["a", "b"], ("cat", "dog"), wrong) == {"a": (2,), "b": (1, 2)}
    assert wrong == []
    assert voc_tags.from_vectors(tmp_path / "t.npy", ["c", "d"], ("cat", "dog"), wrong) == {}
    assert [line.partition(": ")[2] for line in wrong] == [
        "image 'c': expected 2 numbers, found 1",
        "no vector for image 'd'",
    ]
