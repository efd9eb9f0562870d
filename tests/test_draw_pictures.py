"""The pictures of the gallery and its data, on artifacts whose every pixel is known."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_gallery import LEFT_OUT, RECIPES, Made
from PIL import Image
from tiny_voc import CLASSES, HEIGHT, WIDTH, truth_of

from wsss_steps import draw_pictures, processes
from wsss_steps.data.manifest import Entry
from wsss_steps.errors import UserError
from wsss_steps.formats.indexed import write_indexed
from wsss_steps.ops import overlays
from wsss_steps.ops.overlays import MEAN_COLOUR
from wsss_steps.report import layers, pictures, samples
from wsss_steps.workflow import pictures as planned

ODD = list(RECIPES)[1]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("gallery"))


@pytest.fixture(scope="module")
def data(made: Made) -> dict[str, Any]:
    return made.draw()


def number_of(data: dict[str, Any], row: str, recipe: str, split: str = "train") -> int:
    """The place of a layer."""
    found = [
        number
        for number, layer in enumerate(data["layers"])
        if layer["row"] == row and recipe in layer["recipes"] and layer["split"] == split
    ]
    assert len(found) == 1, (row, recipe, found)
    return found[0]


def image_of(data: dict[str, Any], name: str) -> tuple[int, dict[str, Any]]:
    return next((number, image) for number, image in enumerate(data["images"]) if image["id"] == name)


def pixels(made: Made, data: dict[str, Any], row: str, recipe: str, name: str, ending: str = "") -> np.ndarray:
    """Red, green, blue and opacity of a picture."""
    number, image = image_of(data, name)
    folder = data["layers"][number_of(data, row, recipe, image["split"])]["folder"]
    with Image.open(made.folder / "report" / "pictures" / folder / f"{number:06d}{ending}.png") as found:
        assert found.mode == "P"
        return np.asarray(found.convert("RGBA"))


def test_rows_stand_in_the_order_of_the_pipeline_with_their_recipes(data: dict[str, Any]) -> None:
    found = {(layer["row"], layer["split"], tuple(layer["recipes"])) for layer in data["layers"]}
    both, held = ("plain", ODD), "prediction after the dense CRF"
    assert {("ground truth", "train", both), ("ground truth", "val", both)} < found
    assert {(held, "val", (name,)) for name in both} < found
    assert {("masked images", split, (ODD,)) for split in ("train", "val")} < found
    rows = list(dict.fromkeys(layer["row"] for layer in data["layers"]))
    assert rows == [
        *("ground truth", "class activation maps", "saliency", "refined saliency", "superpixels", "seeds"),
        *("pseudo-labels", "prediction", held, "masked images"),
    ]


def test_the_ground_truth_as_a_picture(made: Made, data: dict[str, Any]) -> None:
    """t2: background, a column of void, cat above dog, in the brightened colours of VOC."""
    found = pixels(made, data, "ground truth", "plain", "t2")
    truth = truth_of("t2")
    assert found.shape == (HEIGHT, WIDTH, 4)
    assert (found[truth == 0][:, 3] == 0).all(), "the background is transparent"
    assert (found[truth == 1] == (*layers.COLOURS[1], 255)).all()
    assert (found[truth == 2] == (*layers.COLOURS[2], 255)).all()
    void = np.argwhere(truth == 255)
    striped = np.array([(row + column) % 8 < 2 for row, column in void])
    assert (found[tuple(void[striped].T)] == (*overlays.GREY, 255)).all()
    assert (found[tuple(void[~striped].T)][:, 3] == 0).all()


def test_the_outline_of_the_ground_truth(made: Made, data: dict[str, Any]) -> None:
    found = pixels(made, data, "ground truth", "plain", "t1", "-o")
    assert (found[:, WIDTH // 2] == (*overlays.WHITE, 255)).all(), "void beside the object"
    assert (found[:, WIDTH // 2 + 1 : WIDTH // 2 + 3] == (*layers.COLOURS[2], 255)).all(), "two pixels of the object"
    assert (found[:, WIDTH // 2 + 3 :][..., 3] == 0).all()
    assert (found[:, : WIDTH // 2][..., 3] == 0).all()


def test_a_map_for_each_tag_with_the_score_of_the_classifier(made: Made, data: dict[str, Any]) -> None:
    layer = number_of(data, "class activation maps", "plain")
    panels = {image["id"]: dict(image["panels"]).get(layer) for image in data["images"]}
    assert panels["t0"] == [["-c1", "cat", 1, 0.25]]
    assert panels["t2"] == [["-c1", "cat", 1, 0.25], ["-c2", "dog", 2, 0.75]]
    assert panels["v0"] is None
    found = pixels(made, data, "class activation maps", "plain", "t2", "-c2")
    assert found[0, 0, 3] == 0
    assert found[0, -1].tolist() == [*overlays.HEAT[-1], 255]


def test_a_classifier_without_scores_shows_none(made: Made, tmp_path: Path) -> None:
    from wsss_steps.formats.image_scores import write_image_scores

    for path in made.inputs()["scores"]:
        before = path.read_text()
        write_image_scores(path, CLASSES, [])
        try:
            data = made.draw(tmp_path / "pictures")
        finally:
            path.write_text(before)
    layer = number_of(data, "class activation maps", ODD)
    assert dict(image_of(data, "t0")[1]["panels"])[layer] == [["-c1", "cat", 1]]


def test_an_image_without_saliency_has_no_such_panel(data: dict[str, Any]) -> None:
    for row in ("saliency", "refined saliency"):
        layer = number_of(data, row, ODD)
        have = [image["id"] for image in data["images"] if layer in dict(image["panels"])]
        assert have == [name for name in ("t0", "t1", "t2") if name != LEFT_OUT]


def test_superpixels_and_how_many_there_are(made: Made, data: dict[str, Any]) -> None:
    layer = number_of(data, "superpixels", "plain")
    assert dict(image_of(data, "t0")[1]["panels"])[layer] == [["", "1 to 6"]]
    fill, lines = (pixels(made, data, "superpixels", "plain", "t0", ending) for ending in ("", "-o"))
    assert fill[0, 0].tolist() == [68, 1, 84, 255]
    assert fill[-1, -1].tolist() == [253, 231, 37, 255]
    assert lines[0, 7].tolist() == [255, 255, 255, 255]
    assert lines[0, 8].tolist() == [0, 0, 0, 255]
    assert lines[0, 2, 3] == 0


def test_a_masked_image_hides_its_objects_in_the_mean_colour(made: Made, data: dict[str, Any]) -> None:
    """The pseudo-label of t0 is a cat in the upper two thirds of the right half."""
    found = pixels(made, data, "masked images", ODD, "t0")
    cat = np.zeros((HEIGHT, WIDTH), bool)
    cat[: 2 * HEIGHT // 3, WIDTH // 2 + 1 :] = True
    assert (found[cat] == (*MEAN_COLOUR, 255)).all()
    assert (found[~cat][:, 3] == 0).all()


def test_seeds_as_they_grew_are_a_panel_per_moment_of_the_images_that_were_recorded(tmp_path: Path) -> None:
    made = Made(tmp_path, recipes={"grown": {"superpixels": "slic", "seeds": "superpixel", "segmenter": "spsrg"}})
    data = made.draw()
    number = number_of(data, "seeds as they grew", "grown")
    first, other = (dict(image_of(data, name)[1]["panels"]).get(number) for name in ("t0", "t1"))
    assert first == [["-e0", "0 epochs"], ["-e2", "2 epochs"]]
    assert other is None
    start, end = (pixels(made, data, "seeds as they grew", "grown", "t0", ending) for ending in ("-e0", "-e2"))
    np.testing.assert_array_equal(start[:, : WIDTH // 2 - 1], end[:, : WIDTH // 2 - 1])
    assert (start != end).any()


def test_iou_of_an_image_by_hand(data: dict[str, Any]) -> None:
    """v1 is a cat right of the void: 12 x 7 px, of which 8 rows are found; background 12 x 8 of 12 x 8 + 4 x 7."""
    layer = number_of(data, "prediction after the dense CRF", "plain", "val")
    background, cat = 96 / (96 + 28), 56 / 84
    found = next(row for row in image_of(data, "v1")[1]["iou"] if row[0] == layer)
    assert found[1:] == [round((background + cat) / 2, 4), [[0, round(background, 4)], [1, round(cat, 4)]]]


def test_shares_by_hand(data: dict[str, Any]) -> None:
    """Of 192 px; the seeds are the ground truth, whose void has no label. Before the CRF all is background."""
    titles = {(one["kind"], one["title"], one["split"]): number for number, one in enumerate(data["measures"])}
    held = "prediction after the dense CRF"
    expected = {
        ("disagreement", f"plain and {ODD}: pseudo-labels", "train"): ("t0", 0.0),
        ("crf", f"plain: {held}", "val"): ("v1", 56 / 192),
        ("labelled", "plain: seeds", "train"): ("t0", 180 / 192),
        ("objects", "plain: pseudo-labels", "train"): ("t0", 56 / 192),
    }
    for key, (name, share) in expected.items():
        assert image_of(data, name)[1]["values"][titles[key]] == round(share, 4), key
    assert image_of(data, "v1")[1]["values"][titles["labelled", "plain: seeds", "train"]] is None
    assert titles.keys() >= {("disagreement", f"plain and {ODD}: {held}", "val")}


def test_two_recipes_that_disagree(made: Made, tmp_path: Path) -> None:
    """The label map of one recipe becomes background: its 56 px of cat are the difference."""
    path = next(path for path in made.inputs()["sources"] if path.match("plain/pseudo_labels")) / "t0.png"
    before = path.read_bytes()
    from wsss_steps.formats.labels import write_labels

    write_labels(path, np.zeros((HEIGHT, WIDTH), np.uint8))
    try:
        data = made.draw(tmp_path / "pictures")
    finally:
        path.write_bytes(before)
    number = next(number for number, one in enumerate(data["measures"]) if one["kind"] == "disagreement")
    assert image_of(data, "t0")[1]["values"][number] == round(56 / 192, 4)


def test_tags_classes_and_sizes_of_an_image(data: dict[str, Any]) -> None:
    _, image = image_of(data, "t2")
    assert (image["split"], image["size"], image["tags"], image["truth"]) == ("train", [HEIGHT, WIDTH], [1, 2], [1, 2])


def test_the_same_twice_in_one_process_or_two(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def contents(folder: Path) -> dict[str, bytes]:
        return {
            str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
        }

    made.draw(tmp_path / "one")
    monkeypatch.setattr(processes, "FEWEST", 2)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    made.draw(tmp_path / "two")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert {"data.js", "provenance.json", "photographs/000000.jpg"} <= contents(tmp_path / "one").keys()


def test_large_photographs_are_reduced(made: Made, tmp_path: Path) -> None:
    data = made.draw(tmp_path / "pictures", side=8, map_side=4)
    assert data["images"][0]["size"] == [6, 8]
    with Image.open(tmp_path / "pictures" / "photographs" / "000000.jpg") as photograph:
        assert photograph.size == (8, 6)
    folder = tmp_path / "pictures" / data["layers"][number_of(data, "class activation maps", "plain")]["folder"]
    with Image.open(folder / "000000-c1.png") as cam:
        assert cam.size == (4, 3)


def test_label_maps_of_small_photographs_are_enlarged_but_not_their_outlines(made: Made, tmp_path: Path) -> None:
    """40 px allow twice the width of 16 px."""
    data = made.draw(tmp_path / "pictures", side=40)
    assert data["images"][0]["size"] == [HEIGHT, WIDTH]
    folder = tmp_path / "pictures" / data["layers"][number_of(data, "ground truth", "plain")]["folder"]
    enlarged = np.repeat(np.repeat(truth_of("t0"), 2, axis=0), 2, axis=1)
    for ending, draw in (("", overlays.fill), ("-o", overlays.outline)):
        with Image.open(folder / f"000000{ending}.png") as found:
            assert np.array_equal(np.asarray(found), draw(enlarged))


def test_every_file_that_the_data_names_is_there_and_no_other(made: Made, data: dict[str, Any]) -> None:
    folder = made.folder / "report" / "pictures"
    named = {"data.js", "provenance.json"}
    for number, image in enumerate(data["images"]):
        named.add(f"photographs/{number:06d}.jpg")
        for layer, panels in image["panels"]:
            for part, _ in data["layers"][layer]["parts"]:
                suffixes = [panel[0] if panel else "" for panel in panels]
                named |= {f"{data['layers'][layer]['folder']}/{number:06d}{suffix}{part}.png" for suffix in suffixes}
    assert named == {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_layer_that_lacks_images_is_named_with_all_of_them(made: Made, tmp_path: Path) -> None:
    folder = next(path for path in made.inputs()["sources"] if path.match("plain/segmentation_crf/val"))
    held = {path: path.read_bytes() for path in folder.glob("*.png")}
    for path in held:
        path.unlink()
    try:
        with pytest.raises(UserError, match=r"(?s)lacks.*\(2\):.*v0: not in .*segmentation_crf/val\n.*v1: not in"):
            made.draw(tmp_path / "pictures")
    finally:
        for path, content in held.items():
            path.write_bytes(content)
    assert not (tmp_path / "pictures").exists()


def test_without_ground_truth_there_is_no_iou_but_all_else(tmp_path: Path) -> None:
    data = Made(tmp_path, mask_folder=None).draw()
    assert not any(layer["scored"] or layer["kind"] == "ground_truth" for layer in data["layers"])
    assert all(image["iou"] == [] and image["truth"] is None for image in data["images"])
    assert {one["kind"] for one in data["measures"]} == {"disagreement", "crf", "labelled", "objects"}
    assert data["splits"][0] == {"name": "train", "images": 3, "shown": 3, "how": "all 3 images"}


# ---- samples


def entries(count: int) -> list[Entry]:
    return [Entry(f"i{number}", "train", "", 1, 1, ()) for number in range(count)]


def test_a_small_data_set_is_shown_whole() -> None:
    assert samples.sample(entries(5), {}, 5, 0) == (entries(5), "all 5 images")


def test_of_a_large_one_the_worst_the_best_and_some_at_random() -> None:
    ranks = {f"i{number}": (number * 37 % 100) / 100 for number in range(90)}  # i90 to i99 have no ground truth
    found, how = samples.sample(entries(100), ranks, 30, 0)
    names = [entry.id for entry in found]
    assert len(names) == len(set(names)) == 30
    ordered = sorted(ranks, key=lambda name: ranks[name])
    assert {*ordered[:10], *ordered[-10:]} <= set(names)
    assert names == sorted(names, key=lambda name: int(name[1:])), "in the order of the list"
    assert how == (
        "30 of 100 images: the 10 with the lowest and the 10 with the highest mean IoU of the image, averaged over the "
        "recipes, and 10 drawn at random"
    )
    assert samples.sample(entries(100), ranks, 30, 0)[0] == found
    assert samples.sample(entries(100), ranks, 30, 1)[0] != found


def test_without_ground_truth_the_sample_is_random() -> None:
    found, how = samples.sample(entries(100), {}, 30, 0)
    assert len(found) == 30
    assert how == "30 of 100 images: 30 drawn at random"


@pytest.mark.parametrize(("limit", "scored"), [(1, 50), (2, 50), (3, 1), (7, 2), (99, 100)])
def test_a_sample_is_as_large_as_asked_for(limit: int, scored: int) -> None:
    ranks = {f"i{number}": number / 100 for number in range(scored)}
    assert len(samples.sample(entries(100), ranks, limit, 0)[0]) == limit


def test_splits_have_a_share_of_the_images() -> None:
    assert samples.allotted(100, {"train": 30, "val": 70}) == {"train": 30, "val": 70}
    assert samples.allotted(100, {"train": 900, "val": 99, "test": 1}) == {"train": 90, "val": 9, "test": 1}


def test_the_worst_images_are_those_of_the_last_stage(made: Made) -> None:
    """v0 has a dog, v1 a cat, equally found: both recipes give the same mean, the average of both."""
    rows = json.loads(planned.settings(made.config))["layers"]
    given = made.inputs()
    found = draw_pictures.with_paths(
        rows, given["sources"], given["ground_truths"], given["confusions"], given["scores"]
    )
    ranks = draw_pictures.ranks_of(found, "val", "count_as_wrong")
    expected = (96 / 124 + 56 / 84) / 2
    assert ranks.keys() == {"v0", "v1"}
    assert all(math.isclose(value, expected, abs_tol=1e-4) for value in ranks.values())
    data = made.draw(made.folder / "few", images=2)
    assert [image["split"] for image in data["images"]] == ["train", "val"]
    assert [one["shown"] for one in data["splits"]] == [1, 1]


# ---- files


def test_an_indexed_picture_keeps_colours_and_opacity(tmp_path: Path) -> None:
    palette = np.array([[0, 0, 0, 0], [1, 2, 3, 128], [250, 0, 7, 255]], np.uint8)
    indices = np.array([[0, 1, 2], [2, 1, 0]], np.uint8)
    write_indexed(tmp_path / "a.png", indices, palette)
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "P"
        assert np.array_equal(np.asarray(image.convert("RGBA")), palette[indices])
    with pytest.raises(ValueError, match="expected indices below 2, found 2"):
        write_indexed(tmp_path / "b.png", indices, palette[:2])


def test_processes_that_draw_need_no_torch() -> None:
    import subprocess

    code = "import sys, wsss_steps.report.pictures; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert pictures.OPENED == {}, "what was opened is closed"
