"""Probabilities with a floor, colours of cells, and the dense CRF on the grid of a network."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from wsss_steps.ops.crf import Preset, dense_crf, label_unary, preset_of
from wsss_steps.ops.smoothing import cell_colours, floored_softmax, smooth
from wsss_steps.settings import crf

FLOOR = 1e-4


def dsrg() -> Preset:
    found = preset_of(crf.numbers("dsrg"))
    assert found is not None
    return found


def test_the_preset_is_that_of_probabilities_on_a_grid_12_times_as_coarse() -> None:
    fine, coarse = preset_of(crf.numbers("probability")), dsrg()
    assert fine is not None
    assert (coarse.iterations, coarse.gaussian.compat, coarse.bilateral.compat) == (10, 3, 10)
    assert coarse.gaussian.sxy == fine.gaussian.sxy / 12 == 0.25
    assert coarse.bilateral.sxy == pytest.approx(fine.bilateral.sxy / 12)
    assert coarse.bilateral.srgb == fine.bilateral.srgb == 13


def test_a_floor_bounds_the_logarithm() -> None:
    logits = torch.tensor([math.log(3.0), 0.0])[None, :, None, None]
    expected = torch.tensor([0.75 + 0.1, 0.25 + 0.1]) / 1.2
    torch.testing.assert_close(floored_softmax(logits, 0.1).flatten(), expected)
    sure = floored_softmax(torch.tensor([1000.0, -1000.0])[None, :, None, None], FLOOR)
    assert sure[0, 1].log().item() == pytest.approx(math.log(FLOOR / (1 + 2 * FLOOR)), abs=1e-4)


def test_the_colour_of_a_cell_is_the_mean_of_its_pixels_inside() -> None:
    """A row of 6 px in cells of 4: the second cell has 2 px, and of the first, one is padding."""
    pixels = torch.tensor([200, 10, 20, 30, 7, 9], dtype=torch.uint8).expand(1, 3, 1, 6)
    inside = torch.tensor([[[False, True, True, True, True, True]]])
    tall = pixels.repeat_interleave(4, 2), inside.repeat_interleave(4, 1)
    assert cell_colours(*tall, (4, 6), 4)[0, :, 0].tolist() == [[20, 8]] * 3
    assert not cell_colours(tall[0], torch.zeros_like(tall[1]), (4, 6), 4).any()


def test_colours_are_those_of_the_image_at_its_new_size() -> None:
    pixels = torch.arange(0, 128, dtype=torch.uint8).reshape(1, 1, 8, 16).expand(1, 3, 8, 16)
    found = cell_colours(pixels, torch.ones(1, 8, 16, dtype=torch.bool), (4, 8), 2)
    torch.testing.assert_close(
        found.float(), torch.nn.functional.avg_pool2d(pixels.float(), 4).round(), rtol=0, atol=1.0
    )


def scene(noisy: bool = True) -> tuple[Tensor, Tensor, Tensor]:
    """Two colours, left 0 and right 1, on 8 x 8 cells, and one cell on the left that is surely 1."""
    colours = torch.full((1, 3, 8, 8), 40, dtype=torch.uint8)
    colours[..., 4:] = 200
    second = torch.full((1, 8, 8), 0.2)
    second[..., 4:] = 0.8
    if noisy:
        second[0, 4, 1] = 0.999
    return torch.stack([1 - second, second], dim=1), colours, torch.ones(1, 8, 8, dtype=torch.bool)


@pytest.mark.parametrize("unary", ["probability", "log_probability"])
def test_a_cell_among_cells_of_its_colour_gets_their_label(unary: str) -> None:
    found = smooth(*scene(), dsrg(), unary=unary, floor=FLOOR)
    assert found.argmax(1)[0].tolist() == [[0] * 4 + [1] * 4] * 8
    torch.testing.assert_close(found.sum(1), torch.ones(1, 8, 8))
    assert found.min() >= FLOOR / 2


@pytest.mark.parametrize("unary", ["probability", "log_probability"])
def test_without_other_terms_what_remains_are_the_energies(unary: str) -> None:
    """softmax(P) for energies -P, P itself for -log P."""
    alone = dsrg()
    alone = dataclasses.replace(
        alone,
        gaussian=dataclasses.replace(alone.gaussian, compat=0.0),
        bilateral=dataclasses.replace(alone.bilateral, compat=0.0),
    )
    probabilities, colours, inside = scene()
    expected = torch.softmax(probabilities, 1) if unary == "probability" else probabilities
    found = smooth(probabilities, colours, inside, alone, unary=unary, floor=FLOOR)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_each_image_is_smoothed_within_its_frame() -> None:
    """As if there were no padding, and beside it another image."""
    probabilities, colours, inside = scene()
    padded = torch.nn.functional.pad(probabilities, (2, 1, 3, 0), value=0.5)
    black = torch.nn.functional.pad(colours, (2, 1, 3, 0), value=0)
    within = torch.nn.functional.pad(inside, (2, 1, 3, 0), value=False)
    pair = [torch.cat([one, one.flip(-1)]) for one in (padded, black, within)]
    found = smooth(*pair, dsrg(), unary="probability", floor=FLOOR)
    alone = smooth(probabilities, colours, inside, dsrg(), unary="probability", floor=FLOOR)
    assert torch.equal(found[:1, :, 3:, 2:-1], alone)
    assert (found[:1, :, ~within[0]] == 0.5).all()
    mirror = smooth(*(one.flip(-1) for one in scene()), dsrg(), unary="probability", floor=FLOOR)
    assert torch.equal(found[1:, :, 3:, 1:-2], mirror)


def test_padding_alone_and_no_preset_leave_the_probabilities() -> None:
    probabilities, colours, inside = scene()
    nothing = smooth(probabilities, colours, ~inside, dsrg(), unary="probability", floor=FLOOR)
    torch.testing.assert_close(nothing, probabilities)
    torch.testing.assert_close(smooth(*scene(), None, unary="probability", floor=FLOOR), probabilities)


def test_what_is_left_of_a_label_is_at_least_the_floor() -> None:
    probabilities, colours, inside = scene(noisy=False)
    found = smooth(probabilities, colours, inside, dsrg(), unary="log_probability", floor=0.05)
    assert found.min().item() == pytest.approx(0.05 / 1.05, rel=1e-3)


def test_a_preset_for_labels_takes_the_most_probable_ones() -> None:
    probabilities, colours, inside = scene()
    labels = dataclasses.replace(dsrg(), gt_prob=0.7)
    image = colours[0].permute(1, 2, 0).numpy()
    expected = dense_crf(image, label_unary(probabilities[0].argmax(0).numpy(), 2, 0.7), labels)
    expected = np.maximum(expected, FLOOR)
    found = smooth(probabilities, colours, inside, labels, unary="probability", floor=FLOOR)
    assert np.allclose(found[0].numpy(), expected / expected.sum(0), atol=1e-6)


def test_nothing_is_changed_in_place_and_no_gradient_flows() -> None:
    probabilities, colours, inside = scene()
    before = probabilities.clone()
    found = smooth(probabilities, colours, inside, dsrg(), unary="probability", floor=FLOOR)
    assert torch.equal(probabilities, before)
    assert not found.requires_grad


@pytest.mark.parametrize(("count", "preset", "grows"), [(21, "dsrg", False), (7, "dsrg", True), (7, "toco", False)])
def test_a_small_lead_grows_to_certainty_if_labels_are_few_for_the_weights(
    count: int, preset: str, grows: bool
) -> None:
    """Mean field multiplies a lead that all cells share by about (the weights) / (the number of labels) a round."""
    lead = torch.zeros(1, count, 16, 16)
    lead[:, 1] = 0.05
    weights = preset_of(crf.numbers(preset))
    colours, inside = torch.full((1, 3, 16, 16), 90, dtype=torch.uint8), torch.ones(1, 16, 16, dtype=torch.bool)
    found = smooth(torch.softmax(lead, 1), colours, inside, weights, unary="probability", floor=FLOOR)
    assert (found[:, 1] > 0.99).all() == grows
    assert (found[:, 1] < 1.1 / count).all() != grows
