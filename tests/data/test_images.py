"""Reading and resizing: rows, columns and channels keep their order."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsss_steps.data.images import normalise, read_image, resize_image, resize_nearest
from wsss_steps.errors import UserError

ASYMMETRIC = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3) * 14


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
def test_an_asymmetric_image_keeps_rows_columns_and_channels(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(ASYMMETRIC).save(path)
    assert np.array_equal(read_image(path), ASYMMETRIC)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "LA", "1"])
def test_other_modes_become_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    Image.new("RGB", (5, 4), (255, 255, 255)).convert(mode).save(path)
    image = read_image(path)
    assert image.shape == (4, 5, 3)
    assert (image >= 254).all()


def test_unreadable_images_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.png: no such image"):
        read_image(tmp_path / "none.png")
    (tmp_path / "text.png").write_text("not an image")
    with pytest.raises(UserError, match=r"text\.png: not a readable image"):
        read_image(tmp_path / "text.png")
    Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:60])
    with pytest.raises(UserError, match=r"cut\.png: not a readable image"):
        read_image(tmp_path / "cut.png")
    Image.fromarray(np.zeros((4, 4), np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(UserError, match="8 bits per channel, found mode I;16"):
        read_image(tmp_path / "deep.png")


def test_normalise_by_hand() -> None:
    image = np.array([[[255, 0, 51]]], np.uint8)
    result = normalise(image, (0.5, 0.25, 0.0), (0.5, 0.5, 0.1))
    assert result.dtype == np.float32
    assert result[:, 0, 0] == pytest.approx([1.0, -0.5, 2.0])


def test_resize_takes_height_before_width_and_keeps_constants() -> None:
    assert (resize_image(np.full((6, 9, 3), 77, np.uint8), (4, 13)) == np.full((4, 13, 3), 77)).all()
    ramp = np.repeat(np.arange(0, 200, 10, dtype=np.uint8)[:, None, None], 4, axis=1).repeat(3, axis=2)
    assert (np.diff(resize_image(ramp, (10, 8))[:, 0, 0].astype(int)) > 0).all()  # rows still increase downwards


def test_nearest_by_hand_and_for_ids_above_8_bits() -> None:
    labels = np.array([[1, 300], [5, 65535]], np.uint16)
    big = resize_nearest(labels, (4, 6))
    assert big.dtype == np.uint16
    assert big.tolist() == [[1, 1, 1, 300, 300, 300]] * 2 + [[5, 5, 5, 65535, 65535, 65535]] * 2
    assert np.array_equal(resize_nearest(big, (2, 2)), labels)
    odd = np.arange(35).reshape(5, 7)
    assert np.array_equal(resize_nearest(odd[:, ::-1], (3, 5)), resize_nearest(odd, (3, 5))[:, ::-1])
