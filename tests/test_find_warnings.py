"""The step find_warnings on hand-made label maps: of a sound run, and of one that painted everything hair."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wsss_steps import find_warnings
from wsss_steps.cli import main
from wsss_steps.data.manifest import Entry, Manifest, write_manifest
from wsss_steps.errors import UserError
from wsss_steps.formats.files import VERSION, read_json, write_json
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.labels import write_labels
from wsss_steps.formats.stores import write_store
from wsss_steps.settings.warnings import FindWarnings

CLASSES = ("face", "hair", "glasses")
HEIGHT, WIDTH = 10, 20
COUNT = 30
TAGS = [((1,), (2,), (3,), (1, 2), (1, 3), (2, 3))[number % 6] for number in range(COUNT)]
HAIRY = [tuple(sorted({*tags, 2})) for tags in TAGS]
Labels = np.ndarray


def entries(split: str, tags: list[tuple[int, ...]]) -> list[Entry]:
    """Images that need not exist: the step opens none."""
    return [Entry(f"{split}{n:02}", split, "none.jpg", HEIGHT, WIDTH, found) for n, found in enumerate(tags)]


def sound(entry: Entry) -> Labels:
    """Each class of an image has a column of its own; the rest is background."""
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    for number, tag in enumerate(entry.tags):
        labels[:, 5 * number : 5 * number + 4] = tag
    return labels


def hair(_: Entry) -> Labels:
    return np.full((HEIGHT, WIDTH), 2, np.uint8)


def write_score(path: Path, f1: float, per_class: list[float]) -> Path:
    ones = [
        {"class": name, "f1": one, "precision": one, "recall": one, "support": 12}
        for name, one in zip(CLASSES, per_class, strict=True)
    ]
    about = {"split": "val", "images": COUNT, "f1": f1, "precision": f1, "recall": f1, "per_class": ones}
    mistakes = [{"image": "val03", "wrong": ["hair"], "missed": []}]
    write_json(path, {"format": "wsss/tag_score", "version": VERSION, **about, "mistakes": mistakes})
    return path


class Project:
    """The files of a run of one recipe: seeds, pseudo-labels, predictions for a split with tags and for one without."""

    def __init__(self, folder: Path, tags: list[tuple[int, ...]] = TAGS) -> None:
        self.folder = folder
        self.data = {split: entries(split, tags) for split in ("train", "val")}
        self.data["new"] = entries("new", [()] * COUNT)
        for split, found in self.data.items():
            write_manifest(folder / f"{split}.json", Manifest("x", CLASSES, tuple(found)))

    def labels(self, name: str, split: str, make: Any) -> Path:
        (self.folder / name).mkdir()
        for entry in self.data[split]:
            write_labels(self.folder / name / f"{entry.id}.png", make(entry))
        return self.folder / name

    def seeds(self, make: Any) -> Path:
        items = ((entry.id, {"seeds": make(entry)}) for entry in self.data["train"])
        write_store(self.folder / "seeds.h5", SEEDS, items, stamp="{}")
        return self.folder / "seeds.h5"

    def options(self, maps: list[tuple[str, str, Path]], scores: list[Path], **limits: Any) -> dict[str, Any]:
        """What the rule passes on; `maps` are stage, split and path."""
        splits = list(self.data)
        about = [{"stage": stage, "split": split, "tagged": split != "new", "runs": [0, 1]} for stage, split, _ in maps]
        runs = [{"recipe": "a", "random_seed": seed} for seed in (0, 1)]
        scored = [{"split": "val", "runs": [0]} for _ in scores]
        inputs = {"splits": splits, "maps": about, "scores": scored, "runs": runs}
        return {
            "manifests": [self.folder / f"{split}.json" for split in splits],
            "maps": [path for *_, path in maps],
            "scores": scores,
            "output": self.folder / "warnings.json",
            "settings": {**FindWarnings(**limits).model_dump(), **inputs},
        }

    def found(self, *given: Any, **limits: Any) -> dict[str, Any]:
        find_warnings.run(**self.options(*given, **limits), stamp='{"step": "test"}')
        return read_json(self.folder / "warnings.json", "warnings")

    def whole(self, make: Any, of_new: Any = sound) -> list[tuple[str, str, Path]]:
        """Every stage, made the same way."""
        found = [("seeds", "train", self.seeds(make)), ("pseudo_labels", "train", self.labels("p", "train", make))]
        found.append(("segmentation_crf", "val", self.labels("v", "val", make)))
        return [*found, ("segmentation_crf", "new", self.labels("n", "new", of_new))]


def shown(_: Entry) -> Labels:
    """A class that an image without tags may show."""
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[:, :6] = 1
    return labels


def test_a_sound_run_warns_about_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    project = Project(tmp_path)
    score = write_score(tmp_path / "tags.json", 0.9, [0.9, 0.8, 0.9])
    caplog.set_level("INFO")
    found = project.found(project.whole(sound, shown), [score])
    assert found["warnings"] == []
    assert caplog.messages[-1] == f"Warnings: none ({tmp_path / 'warnings.json'})"
    assert found["limits"] == FindWarnings().model_dump()
    assert found["provenance"] == {"step": "test"}


def test_a_classifier_that_painted_everything_hair(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Of F1 0.21, with a tag that every image has: nothing warned, and the run ended with no table at all."""
    project = Project(tmp_path, HAIRY)
    score = write_score(tmp_path / "tags.json", 0.21, [0.0, 0.4, 0.05])
    caplog.set_level("INFO")
    found = project.found(project.whole(hair, hair), [score])["warnings"]
    about = [(one["check"], one["about"]) for one in found]
    assert about[:4] == [
        ("f1", "predicted tags of val"),
        ("class_f1", "face, predicted tags of val"),
        ("class_f1", "glasses, predicted tags of val"),
        ("one_class", "hair, seeds"),
    ]
    assert {("one_class", "hair, predictions for new"), ("pixels", "hair, pseudo-labels")} <= set(about)
    assert {("missing", "face, pseudo-labels"), ("missing", "glasses, predictions for val")} <= set(about)
    assert ("frequent", "hair") in about
    assert found[0]["images"] == ["val03"]
    first = found[0]
    assert (first["recipe"], first["value"], first["limit"]) == ("a, random seed 0", 0.21, 0.5)
    assert first["text"].startswith("The classifier predicts the tags of val with F1 0.21. Maps, seeds and labels")
    lines = caplog.messages[-1].splitlines()
    assert lines[1] == "  a, random seed 0: The classifier predicts the tags of val with F1 0.21 (limit: at least 0.5)"
    assert len(lines) < 20
    assert max(map(len, lines[1:])) <= 120


def test_numbers_of_the_recipes(tmp_path: Path) -> None:
    project = Project(tmp_path)

    def half(entry: Entry) -> Labels:
        labels = sound(entry)
        labels[HEIGHT // 2 :] = 255
        return labels

    maps = [("seeds", "train", project.seeds(half)), ("pseudo_labels", "train", project.labels("p", "train", sound))]
    maps.append(("segmentation_crf", "new", project.labels("n", "new", hair)))
    found = project.found(maps, [write_score(tmp_path / "tags.json", 0.9, [0.9, 0.8, 0.9])])
    assert list(found["recipes"]) == ["a, random seed 0", "a, random seed 1"]
    recipe = found["recipes"]["a, random seed 1"]
    assert (recipe["what"], recipe["coverage"], recipe["seeds"]["unlabelled"]) == ("pseudo-labels", 0.5, 0.5)
    face = recipe["classes"][0]  # a fifth of each of 15 of 30 images
    assert face == {
        "class": "face",
        "pixels": 0.1,
        "tagged": 15,
        "pixels_where_tagged": 0.2,
        "missing": 0,
        "untagged": 0,
    }
    assert recipe["predictions"]["new"]["classes"][1] == {"class": "hair", "pixels": 1}
    assert recipe["tags"] == []  # of the other random seed's classifier
    assert found["recipes"]["a, random seed 0"]["tags"][0]["f1"] == 0.9
    assert found["tags"] == {
        "images": 30,
        "classes": [{"class": name, "images": 15, "alone": 5} for name in CLASSES],
    }


def test_each_recipe_has_its_own_numbers(tmp_path: Path) -> None:
    project = Project(tmp_path)
    maps = [
        ("pseudo_labels", "train", project.labels(name, "train", make)) for name, make in (("p", sound), ("q", hair))
    ]
    options = project.options(maps, [])
    for number, about in enumerate(options["settings"]["maps"]):
        about["runs"] = [number]
    find_warnings.run(**options)
    found = read_json(tmp_path / "warnings.json", "warnings")
    shares = {name: recipe["classes"][1]["pixels"] for name, recipe in found["recipes"].items()}
    assert shares == {"a, random seed 0": 0.1, "a, random seed 1": 1}
    assert {one["recipe"] for one in found["warnings"]} == {"a, random seed 1"}


def test_seeds_are_the_labels_of_a_recipe_without_a_segmenter(tmp_path: Path) -> None:
    project = Project(tmp_path)
    recipe = project.found([("seeds", "train", project.seeds(sound))], [])["recipes"]["a, random seed 0"]
    assert (recipe["what"], recipe["coverage"], recipe["classes"][0]["tagged"]) == ("seeds", 1, 15)


def test_a_run_that_ends_with_maps(tmp_path: Path) -> None:
    found = Project(tmp_path).found([], [])
    assert found["warnings"] == []
    assert found["recipes"]["a, random seed 0"] == {
        **{"what": None, "classes": [], "coverage": None, "seeds": None, "predictions": {}, "tags": []}
    }


def test_the_same_bytes_twice(tmp_path: Path) -> None:
    project = Project(tmp_path, HAIRY)
    options = project.options(project.whole(hair), [])
    find_warnings.run(**options)
    before = (tmp_path / "warnings.json").read_bytes()
    find_warnings.run(**options)
    assert (tmp_path / "warnings.json").read_bytes() == before
    assert "NaN" not in before.decode()


def test_several_processes_find_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project(tmp_path, HAIRY)
    options = project.options(project.whole(hair), [])
    find_warnings.run(**options)
    before = (tmp_path / "warnings.json").read_bytes()
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    find_warnings.run(**options)
    assert (tmp_path / "warnings.json").read_bytes() == before
    (tmp_path / "v" / "val07.png").unlink()
    with pytest.raises(UserError, match=r"images without labels \(1\):\n  val07"):
        find_warnings.run(**options)


def test_limits_are_settings(tmp_path: Path) -> None:
    project = Project(tmp_path)
    found = project.found(project.whole(sound, shown), [], pixels=0.05, images=3)["warnings"]
    assert {one["check"] for one in found} == {"pixels"}
    assert {len(one["images"]) for one in found} == {3}


def test_wrong_inputs_are_told_all_at_once(tmp_path: Path) -> None:
    project = Project(tmp_path)
    folder = project.labels("p", "train", sound)
    for number in (3, 4):
        write_labels(folder / f"train0{number}.png", np.full((HEIGHT, WIDTH), 7, np.uint8))
    with pytest.raises(UserError, match=r"bad labels \(2\):\n  train03: expected labels 0..3 .*\n  train04"):
        project.found([("pseudo_labels", "train", folder)], [])
    (folder / "train05.png").unlink()
    (folder / "train06.png").unlink()
    with pytest.raises(UserError, match=r"images without labels \(2\):\n  train05\n  train06"):
        project.found([("pseudo_labels", "train", folder)], [])
    score = write_score(tmp_path / "tags.json", 0.9, [0.9, 0.8, 0.9])
    content = json.loads(score.read_text())
    write_json(score, content | {"split": "new"})
    with pytest.raises(UserError, match=r"scores of other splits.* \(1\):\n.*tags.json: expected .* found split new$"):
        project.found([], [score])
    del content["mistakes"]
    write_json(score, content)
    with pytest.raises(UserError, match=r"found split val, over all classes alone; delete the file"):
        project.found([], [score])
    assert not (tmp_path / "warnings.json").exists()


def test_from_the_command_line(tmp_path: Path) -> None:
    """Lists may be empty: a recipe that ends with maps, of a data set without held-out tags."""
    given = Project(tmp_path).options([], [])
    words = ["--manifests", *map(str, given["manifests"]), "--maps", "--scores", "--output", str(given["output"])]
    main(find_warnings.run, [*words, "--settings", json.dumps(given["settings"])])
    stamp = read_json(tmp_path / "warnings.json", "warnings")["provenance"]
    assert stamp["step"] == "find_warnings"
    assert set(stamp["inputs"]) == {"manifests[0]", "manifests[1]", "manifests[2]"}
