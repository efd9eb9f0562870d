"""Random views: positions, colours, and reproducibility from a seed."""

import colorsys

import pytest
import torch

from wsss_steps.data import multicrop


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


PLAIN = multicrop.Views(size=16, area=(0.2, 0.9), jitter=(0.0, 0.0, 0.0, 0.0), grey=0.0, blurred=0.0)


def test_boxes_lie_in_the_image_and_have_the_area_asked_for() -> None:
    random = generator()
    boxes = torch.tensor([multicrop.crop_box(120, 90, (0.25, 0.5), random) for _ in range(500)])
    top, left, height, width = boxes.unbind(1)
    assert (top >= 0).all()
    assert (left >= 0).all()
    assert (top + height <= 120).all()
    assert (left + width <= 90).all()
    share = height * width / (120 * 90)
    assert 0.24 < share.min() < 0.26
    assert 0.48 < share.max() < 0.51
    assert top.min() == 0  # both edges are reached
    assert (top + height).max() == 120


def test_a_view_shows_its_place() -> None:
    rows, columns = torch.meshgrid(torch.arange(60) + 0.5, torch.arange(80) + 0.5, indexing="ij")
    image = torch.stack([rows, columns, rows])  # a pixel's colour encodes its position
    random = generator()
    mirrored = set()
    for _ in range(20):
        view, (top, left, height, width) = multicrop.cropped(image, PLAIN, random)
        mirrored.add(width < 0)
        centre = (torch.arange(16) + 0.5) / 16
        inner = slice(2, -2)  # anti-aliasing is one-sided at the border
        torch.testing.assert_close(view[0, inner, 8], (top + centre * height)[inner], rtol=0, atol=0.5)
        torch.testing.assert_close(view[1, 8, inner], (left + centre * width)[inner], rtol=0, atol=0.5)
    assert mirrored == {True, False}


def test_the_same_seed_gives_the_same_views_and_another_one_others() -> None:
    images = [torch.rand(3, 30, 40, generator=generator(5)), torch.rand(3, 25, 20, generator=generator(6))]
    views = multicrop.Views(16, (0.2, 0.9), (0.4, 0.4, 0.2, 0.5), 0.5, 0.5)
    first, second, other = (multicrop.draw(images, views, generator(seed), solarise=True) for seed in (1, 1, 2))
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])
    assert not torch.equal(first[0], other[0])
    assert first[0].shape == (2, 3, 16, 16)
    assert first[1].shape == (2, 4)
    assert first[0].min() >= 0
    assert first[0].max() <= 1


def test_no_jitter_changes_nothing() -> None:
    batch = torch.rand(4, 3, 8, 8, generator=generator())
    torch.testing.assert_close(multicrop.jittered(batch, (0.0, 0.0, 0.0, 0.0), generator()), batch, rtol=0, atol=2e-5)


def test_hue_keeps_luminance_and_turns_the_colour() -> None:
    batch = torch.tensor([0.6, 0.4, 0.45]).view(1, 3, 1, 1).expand(64, 3, 2, 2)
    changed = multicrop.jittered(batch, (0.0, 0.0, 0.0, 0.5), generator())
    luma = torch.tensor(multicrop.LUMA).view(1, 3, 1, 1)
    torch.testing.assert_close((changed * luma).sum(1), (batch * luma).sum(1), rtol=0, atol=2e-3)
    hues = [colorsys.rgb_to_hsv(*pixel.tolist())[0] for pixel in changed[:, :, 0, 0]]
    assert max(hues) - min(hues) > 0.8  # all around the circle


def test_blur_keeps_the_mean_and_takes_detail() -> None:
    checkers = ((torch.arange(16)[:, None] + torch.arange(16)) % 2).float().expand(8, 3, 16, 16)
    smooth = multicrop.blurred(checkers, 1.0, generator())
    torch.testing.assert_close(smooth.mean(dim=(2, 3)), checkers.mean(dim=(2, 3)), rtol=0, atol=0.02)
    assert (smooth.std(dim=(2, 3)) <= checkers.std(dim=(2, 3)) + 1e-6).all()
    assert smooth.std(dim=(2, 3)).min() < 0.1
    assert torch.equal(multicrop.blurred(checkers, 0.0, generator()), checkers)


def test_grey_views_and_solarised_views() -> None:
    images = [torch.rand(3, 16, 16, generator=generator(seed)) for seed in range(40)]
    grey, _ = multicrop.draw(images, multicrop.Views(8, (1.0, 1.0), (0,) * 4, 1.0, 0.0), generator(), solarise=False)
    assert torch.equal(grey[:, 0], grey[:, 1])
    white = [torch.full((3, 16, 16), 0.9)] * 200
    plain = multicrop.Views(8, (1.0, 1.0), (0.0,) * 4, 0.0, 0.0)
    dark, _ = multicrop.draw(white, plain, generator(), solarise=True)
    share = (dark[:, 0, 0, 0] < 0.5).float().mean().item()
    assert share == pytest.approx(multicrop.SOLARISED, abs=0.1)
    assert dark.min().item() == pytest.approx(0.1, abs=1e-5)


def test_a_window_is_part_of_the_image() -> None:
    image = torch.arange(3 * 20 * 30).float().reshape(3, 20, 30)
    part = multicrop.window(image, (0.25, 0.25), generator())
    assert 0.2 < part.shape[1] * part.shape[2] / 600 < 0.3
    assert set(part.flatten().tolist()) <= set(image.flatten().tolist())
