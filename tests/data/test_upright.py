"""Whatever its EXIF orientation, an image is read as a viewer shows it, and so is everything that belongs to it."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from tiny_voc import HEIGHT, WIDTH, make_voc
from torch import nn

from wsss_steps.data.images import read_image
from wsss_steps.data.listing import check_image
from wsss_steps.data.manifest import Entry
from wsss_steps.data.saliency_pairs import find_pairs, read_mask
from wsss_steps.data.voc_masks import check_mask
from wsss_steps.errors import UserError
from wsss_steps.formats import pictures
from wsss_steps.formats.labels import read_labels
from wsss_steps.methods.saliency import given
from wsss_steps.predict import maker

UPRIGHT = np.array([[10, 20, 30], [40, 50, 60]], np.uint8)
# As cameras store it: row 0 and column 0 of the stored image are the named sides of the upright one.
STORED = {
    1: [[10, 20, 30], [40, 50, 60]],  # top, left
    2: [[30, 20, 10], [60, 50, 40]],  # top, right
    3: [[60, 50, 40], [30, 20, 10]],  # bottom, right
    4: [[40, 50, 60], [10, 20, 30]],  # bottom, left
    5: [[10, 40], [20, 50], [30, 60]],  # left, top
    6: [[30, 60], [20, 50], [10, 40]],  # right, top
    7: [[60, 30], [50, 20], [40, 10]],  # right, bottom
    8: [[40, 10], [50, 20], [60, 30]],  # left, bottom
}


def exif(orientation: object) -> Image.Exif:
    found = Image.Exif()
    found[0x0112] = orientation
    return found


def store(path: Path, orientation: int, values: object = None) -> Path:
    grey = np.array(STORED[orientation] if values is None else values, np.uint8)
    Image.fromarray(grey).save(path, exif=exif(orientation))
    return path


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
def test_images_are_read_upright(orientation: int, suffix: str, tmp_path: Path) -> None:
    grey = np.array(STORED[orientation], np.uint8)
    options = {"lossless": True} if suffix == "webp" else {}
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(np.stack([grey] * 3, axis=-1)).save(path, exif=exif(orientation), **options)
    assert read_image(path)[..., 0].tolist() == UPRIGHT.tolist()
    with Image.open(path) as image:
        assert pictures.upright_size(image) == (2, 3)


@pytest.mark.parametrize("orientation", STORED)
def test_photographs_are_turned_as_pillow_turns_them(orientation: int, tmp_path: Path) -> None:
    noise = np.random.default_rng(orientation).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.jpg", exif=exif(orientation))
    with Image.open(tmp_path / "a.jpg") as image:
        expected = np.array(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(read_image(tmp_path / "a.jpg"), expected)


@pytest.mark.parametrize("orientation", [0, 9, 700])
def test_an_orientation_that_is_none_turns_nothing(orientation: int, tmp_path: Path) -> None:
    Image.fromarray(UPRIGHT).save(tmp_path / "a.png", exif=exif(orientation))
    assert read_image(tmp_path / "a.png")[..., 0].tolist() == UPRIGHT.tolist()


@pytest.mark.parametrize(
    "content", [b"Exif\x00\x00II*\x00", b"Exif\x00\x00nothing", b"Exif\x00\x00MM\x00*\x00\x00\xff\xff"]
)
@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_unreadable_exif_turns_nothing(content: bytes, tmp_path: Path) -> None:
    Image.fromarray(UPRIGHT).save(tmp_path / "a.jpg", exif=content)
    assert read_image(tmp_path / "a.jpg").shape == (2, 3, 3)


@pytest.mark.parametrize("orientation", STORED)
def test_label_maps_and_masks_of_pairs_are_read_upright(orientation: int, tmp_path: Path) -> None:
    path = store(tmp_path / "a.png", orientation)
    assert read_labels(path).tolist() == UPRIGHT.tolist()
    salient = (np.array(STORED[orientation]) > 25) * 255
    store(path, orientation, salient)
    assert read_mask(path).tolist() == (UPRIGHT > 25).astype(int).tolist()


@pytest.mark.parametrize("orientation", STORED)
def test_given_maps_are_read_upright(orientation: int, tmp_path: Path) -> None:
    store(tmp_path / "a.png", orientation)
    assert given.read(tmp_path, Entry("a", "train", "unread", 2, 3, (1,))).tolist() == UPRIGHT.tolist()


def test_a_map_of_the_stored_size_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.array(STORED[6], np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(UserError, match="expected 2 x 3 px .*, found 3 x 2; maps must be upright, as EXIF turns their"):
        given.maker([Entry("a", "train", "unread", 2, 3, (1,))], source=tmp_path, bad_maps="stop")


@pytest.mark.parametrize(("orientation", "turned"), [(1, False), (3, True), (6, True)])
def test_a_picture_has_the_size_of_the_upright_image(orientation: int, turned: bool, tmp_path: Path) -> None:
    root = make_voc(tmp_path / "voc")
    image, mask = root / "JPEGImages" / "t0.jpg", root / "SegmentationClass" / "t0.png"
    size = (HEIGHT, WIDTH) if orientation == 6 else (WIDTH, HEIGHT)
    Image.new("RGB", size).save(image, exif=exif(orientation))
    picture = check_image(image)
    entry = Entry("t0", "train", str(image), picture.height, picture.width, (1,))
    assert check_mask(mask, entry).problems == ()
    assert (picture.height, picture.width, picture.turned, picture.problems) == (HEIGHT, WIDTH, turned, ())
    assert read_image(image).shape == (HEIGHT, WIDTH, 3)


def test_a_mask_of_the_stored_size_is_refused_and_says_why(tmp_path: Path) -> None:
    root = make_voc(tmp_path / "voc")
    image, mask = root / "JPEGImages" / "t0.jpg", root / "SegmentationClass" / "t0.png"
    Image.new("RGB", (WIDTH, HEIGHT)).save(image, exif=exif(6))
    (problem,) = check_mask(mask, Entry("t0", "train", str(image), WIDTH, HEIGHT, (1,))).problems
    assert (
        "expected the size of its image, 16 x 12 (height x width), found 12 x 16, the size of the image as it"
        in problem
    )
    Image.new("RGB", (WIDTH, HEIGHT)).save(image, exif=exif(3))
    assert check_mask(mask, Entry("t0", "train", str(image), HEIGHT, WIDTH, (1,))).problems == ()


def write_pair(root: Path, orientation: int, mask: np.ndarray) -> None:
    for kind in ("Image", "Mask"):
        (root / f"X-{kind}").mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.array(STORED[orientation], np.uint8)).save(root / "X-Image" / "a.jpg", exif=exif(orientation))
    Image.fromarray(mask).save(root / "X-Mask" / "a.png")


def test_pairs_are_compared_upright_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_pair(tmp_path, 6, UPRIGHT)
    with caplog.at_level(logging.INFO):
        (pair,) = find_pairs(tmp_path)
    assert "note: 1 images turned upright by their EXIF orientation" in caplog.text
    assert read_image(pair.image).shape[:2] == read_mask(pair.mask).shape == (2, 3)
    write_pair(tmp_path, 6, np.ascontiguousarray(UPRIGHT.T))
    with pytest.raises(
        UserError, match=r"a: image of 2 x 3 px .* mask of 3 x 2; the EXIF orientation of the image turns"
    ):
        find_pairs(tmp_path)


class Brightness(nn.Module):
    """Predicts label 1 where red is above 25."""

    stride = 1

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits = torch.zeros(1, 2, *images.shape[2:])
        logits[:, 1] = images[:, 0] * 255 - 25
        return logits


@pytest.mark.parametrize("orientation", STORED)
def test_label_maps_are_written_upright(orientation: int, tmp_path: Path) -> None:
    image = store(tmp_path / "a.png", orientation)
    backbone = {"mean": [0.0] * 3, "std": [1.0] * 3}
    content = {"network": {"backbone": backbone}, "num_classes": 1}
    settings = {"known_tags": False, "scales": [1.0], "flip": False, "merge": "mean", "crf": None, "crf_labels": "all"}
    make = maker(Brightness(), content, settings, "cpu")
    labels = make(Entry("a", "val", image.as_posix(), 2, 3, (1,)), {})["before_crf"]
    assert labels.tolist() == (UPRIGHT > 25).astype(int).tolist()
