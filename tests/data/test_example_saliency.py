"""The drawn images for a saliency detector: reproducible, of objects outside the classes, with matching masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import uniform_filter

from wsss_steps.data.saliency_pairs import find_pairs, read_mask
from wsss_steps.errors import UserError
from wsss_steps.example.distractors import DISTRACTORS
from wsss_steps.example.saliency import Picture
from wsss_steps.example.saliency_things import MATERIALS, THINGS, lattice, varied
from wsss_steps.example.scenes import CLASSES
from wsss_steps.example.textures import bands
from wsss_steps.example.things import BUILDERS
from wsss_steps.make_saliency_example import picture_of, run

SETTINGS = {"count": 3, "size": 64, "seed": 5}


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    return [picture_of(index, 64, 5) for index in range(150)]


def test_same_seed_gives_the_same_bytes_and_more_pairs_change_none(tmp_path: Path) -> None:
    run(output=tmp_path / "a", settings=SETTINGS)
    run(output=tmp_path / "b", settings=SETTINGS | {"count": 4})
    run(output=tmp_path / "c", settings=SETTINGS | {"seed": 6})
    first, more, other = ([pair.image.read_bytes() for pair in find_pairs(tmp_path / name)] for name in "abc")
    assert first == more[:3]
    assert len(more) == 4
    assert not set(first) & set(other)


def test_files_are_pairs_of_one_size(tmp_path: Path) -> None:
    run(output=tmp_path / "a", settings=SETTINGS)
    for index, pair in enumerate(find_pairs(tmp_path / "a")):
        picture = picture_of(index, 64, 5)
        assert np.array_equal(read_mask(pair.mask) * 255, picture.mask)
        with Image.open(pair.image) as image:
            assert np.abs(np.asarray(image).astype(float) - picture.image).mean() < 12  # JPEG


def test_none_of_the_things_is_of_the_example(pictures: list[Picture]) -> None:
    assert not set(THINGS) & {*CLASSES, *DISTRACTORS}
    assert not set(MATERIALS) & {texture for _, texture in BUILDERS.values()}
    assert {thing for picture in pictures for thing in picture.things} == set(THINGS)
    assert {len(picture.things) for picture in pictures} == {1, 2, 3}


def test_masks_cover_what_they_should(pictures: list[Picture]) -> None:
    shares = np.array([(picture.mask > 0).mean() for picture in pictures])
    assert all(set(np.unique(picture.mask)) == {0, 255} for picture in pictures)
    assert shares.min() >= 0.012
    assert shares.max() < 0.75
    assert 0.12 < shares.mean() < 0.3
    sides = np.array([picture.mask.shape for picture in pictures])
    assert 0.84 * 64 <= sides.min() < sides.max() <= 1.11 * 64


def test_the_mask_lies_where_the_thing_is(pictures: list[Picture]) -> None:
    """Colours, averaged over the textures, differ more across the border of a mask than elsewhere."""
    reach = 6
    steps, inside = [], []
    for picture in pictures:
        values = uniform_filter(picture.image.astype(float), (reach - 1, reach - 1, 1))
        change = np.abs(values[:, reach:] - values[:, :-reach]).sum(axis=2)
        border = picture.mask[:, reach:] != picture.mask[:, :-reach]
        steps.append(change[border].mean())
        inside.append(change[~border].mean())
    assert np.mean(steps) > 1.3 * np.mean(inside)


def test_a_lattice_repeats_and_has_both_tones() -> None:
    y, x = np.arange(0, 32, 0.5)[:, None], np.arange(0, 32, 0.5)[None, :]
    square = lattice(2, 8.0, 0.0, 0.0)(y, x)
    assert square.min() == 0
    assert square.max() == 1
    assert np.allclose(square[:48], square[16:], atol=1e-5)  # 8 units down
    assert np.allclose(square[:, :48], square[:, 16:], atol=1e-5)
    assert square.mean() == pytest.approx(0.5, abs=0.02)
    assert lattice(2, 8.0, 0.0, 0.6)(y, x).mean() < 0.4  # a higher cut leaves less of the light tone


def test_a_varied_texture_is_turned_and_scaled() -> None:
    y, x = np.arange(0, 32, 0.5)[:, None], np.arange(0, 32, 0.5)[None, :]
    assert np.allclose(varied(bands, 2.0, 0.0)(y, x), bands(y / 2, x / 2), atol=1e-5)
    assert np.allclose(varied(bands, 1.0, np.pi / 2)(y, x), bands(-x, y), atol=1e-4)


def test_wrong_settings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected the settings count, size, seed, found count"):
        run(output=tmp_path / "a", settings={"count": 3})
