"""FickleNet's hidden units: values by hand, the plain expansion as an oracle, and what its draws must obey."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from expansion import convolved, expanded, unfolded
from torch import Tensor
from torch.nn import functional as F

from wsss_steps.ops.gradcam import weighted_features
from wsss_steps.ops.hidden_units import (
    FORMS,
    cell_scores,
    draw_weights,
    gradcam_of_windows,
    mean_weights,
    weights_of_positions,
    window_scores,
)

SQUARE = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_case(side: int = 3, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Features (2, 4, 5, 7), a kernel of 3 classes, weights of any size, in float64."""
    drawn = seeded(seed)
    features = torch.randn(2, 4, 5, 7, generator=drawn, dtype=torch.float64)
    kernel = torch.randn(3, 4, side, side, generator=drawn, dtype=torch.float64)
    weights = torch.rand(2, side**2, 5, 7, generator=drawn, dtype=torch.float64)
    return features, kernel, weights * (weights > 0.5)


def test_the_expansion_by_hand() -> None:
    """Of a 2 x 2 map and windows of 3 x 3: every window sees all four values."""
    found = expanded(SQUARE, 3)[0, 0]
    assert found.shape == (6, 6)
    assert found[:3, :3].tolist() == [[0, 0, 0], [0, 1, 2], [0, 3, 4]]
    assert found[3:, 3:].tolist() == [[1, 2, 0], [3, 4, 0], [0, 0, 0]]
    blocks = F.avg_pool2d(found[None, None], 3, divisor_override=1)
    assert blocks.flatten().tolist() == [10, 10, 10, 10]


def test_a_kernel_of_ones_by_hand() -> None:
    scores = cell_scores(SQUARE, torch.ones(1, 1, 3, 3))
    assert window_scores(scores, torch.ones(1, 9, 1, 1)).flatten().tolist() == [10, 10, 10, 10]


def test_a_dropped_cell_by_hand() -> None:
    """The window of the first position loses the cell to the right of its centre, where 2 lies."""
    weights = torch.ones(1, 9, 2, 2)
    weights[0, 5, 0, 0] = 0
    scores = cell_scores(SQUARE, torch.ones(1, 1, 3, 3))
    assert window_scores(scores, weights)[0, 0].tolist() == [[8, 10], [10, 10]]
    # 2 is at (0, 1): it counts in three windows instead of four
    assert gradcam_of_windows(scores, weights, pool_grad=False)[0, 0].tolist() == [[4, 6], [12, 16]]


@pytest.mark.parametrize("side", [1, 3, 5, 9])
def test_scores_are_those_of_the_expansion(side: int) -> None:
    """Also with windows that are larger than the map; and those of masked columns."""
    features, kernel, weights = random_case(side)
    expected = convolved(features, kernel, weights)
    torch.testing.assert_close(window_scores(cell_scores(features, kernel), weights), expected)
    torch.testing.assert_close(unfolded(features, kernel, weights), expected)


@pytest.mark.parametrize("side", [1, 3, 9])
def test_nothing_dropped_is_a_padded_convolution(side: int) -> None:
    features, kernel, _ = random_case(side)
    expected = F.conv2d(features, kernel, padding=side // 2)
    for form, dropout in [("none", 0.9), ("centre_preserving", 0.0), ("general", 0.0)]:
        weights = draw_weights(2, (5, 7), side, dropout, form=form, rescale=False, generator=seeded()).double()
        torch.testing.assert_close(window_scores(cell_scores(features, kernel), weights), expected)


def test_all_but_the_centres_dropped_is_a_convolution_of_one_cell() -> None:
    features, kernel, _ = random_case()
    weights = draw_weights(2, (5, 7), 3, 1.0, form="centre_preserving", rescale=False, generator=seeded()).double()
    expected = F.conv2d(features, kernel[:, :, 1:2, 1:2])
    torch.testing.assert_close(window_scores(cell_scores(features, kernel), weights), expected)


@pytest.mark.parametrize("dropout", [0.3, 0.5, 0.9])
def test_the_share_of_dropped_cells_is_the_rate_and_centres_are_kept(dropout: float) -> None:
    drawn = draw_weights(4, (12, 15), 5, dropout, form="centre_preserving", rescale=False, generator=seeded())
    others = torch.cat([drawn[:, :12], drawn[:, 13:]], dim=1)
    assert drawn[:, 12].eq(1).all()
    assert set(others.unique().tolist()) == {0, 1}
    assert (others == 0).float().mean().item() == pytest.approx(dropout, abs=0.01)


def test_each_window_has_its_own_cells() -> None:
    """A position may be dropped in one window and kept in the next."""
    drawn = draw_weights(1, (6, 6), 3, 0.5, form="centre_preserving", rescale=False, generator=seeded())
    reached = weights_of_positions(drawn)[0, :, 1:-1, 1:-1]
    assert 0 < reached.mean(0).min() < 1


def test_general_dropout_drops_positions_in_all_windows() -> None:
    """It is the convolution of a feature map some of whose positions are 0, the centres too."""
    features, kernel, _ = random_case()
    weights = draw_weights(2, (5, 7), 3, 0.5, form="general", rescale=False, generator=seeded()).double()
    kept = weights[:, 4:5]
    assert 0 < kept.mean() < 1
    expected = F.conv2d(features * kept, kernel, padding=1)
    torch.testing.assert_close(window_scores(cell_scores(features, kernel), weights), expected)


@pytest.mark.parametrize("rescale", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_the_mean_weights_are_those_of_many_draws(form: str, rescale: bool) -> None:
    drawn = draw_weights(4000, (3, 3), 3, 0.6, form=form, rescale=rescale, generator=seeded())
    found = drawn[:, :, 1, 1].mean(0)  # the window in the middle lies inside the map
    assert found.tolist() == pytest.approx(mean_weights(3, 0.6, form=form, rescale=rescale).flatten().tolist(), abs=0.1)


def test_rescaling_leaves_the_centre_that_is_always_kept() -> None:
    drawn = draw_weights(1, (8, 8), 3, 0.75, form="centre_preserving", rescale=True, generator=seeded())
    assert drawn[:, 4].unique().tolist() == [1]
    assert drawn[:, 0].unique().tolist() == [0, 4]


@pytest.mark.parametrize("form", FORMS)
def test_a_seed_gives_the_same_draw_and_torch_s_generator_is_the_default(form: str) -> None:
    given: dict[str, Any] = {"form": form, "rescale": False}
    one, other = (draw_weights(2, (5, 7), 3, 0.5, **given, generator=seeded(3)) for _ in range(2))
    assert torch.equal(one, other)
    torch.manual_seed(3)
    assert torch.equal(draw_weights(2, (5, 7), 3, 0.5, **given), one)


@pytest.mark.parametrize(
    ("dropout", "form", "rescale", "message"),
    [
        (0.5, "centre", False, "form: expected one of centre_preserving, general, none, found 'centre'"),
        (1.5, "general", False, "dropout: expected 0 to 1"),
        (1.0, "general", True, "below 1 with rescale, found 1.0"),
    ],
)
def test_what_cannot_be_drawn_is_refused(dropout: float, form: str, rescale: bool, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw_weights(1, (2, 2), 3, dropout, form=form, rescale=rescale)
    with pytest.raises(ValueError, match=message):
        mean_weights(3, dropout, form=form, rescale=rescale)


@pytest.mark.parametrize("side", [1, 3, 9])
@pytest.mark.parametrize("pool_grad", [True, False])
def test_gradcam_is_that_of_the_gradients_of_the_expansion(side: int, pool_grad: bool) -> None:
    features, kernel, weights = random_case(side, seed=1)
    features.requires_grad_()
    scores = convolved(features, kernel, weights).mean(dim=(2, 3)).sum(0)
    expected = []
    for score in scores:
        (gradients,) = torch.autograd.grad(score, features, retain_graph=True)
        expected.append(weighted_features(features.detach(), gradients, pool_grad=pool_grad))
    found = gradcam_of_windows(cell_scores(features.detach(), kernel), weights, pool_grad=pool_grad)
    torch.testing.assert_close(found, torch.stack(expected, dim=1) * features[0, 0].numel())


def test_gradcam_sums_to_the_scores() -> None:
    """The score is linear in the features: elementwise maps tell all of it, whatever is dropped."""
    features, kernel, weights = random_case(5)
    scores = cell_scores(features, kernel)
    found = gradcam_of_windows(scores, weights, pool_grad=False).mean(dim=(2, 3))
    torch.testing.assert_close(found, window_scores(scores, weights).sum(dim=(2, 3)) / 35)


def test_gradients_of_the_scores_with_fixed_weights() -> None:
    features, kernel, weights = random_case()
    features, kernel = features[:1, :2, :3, :4].clone(), kernel[:2, :2].clone()

    def scores(features: Tensor, kernel: Tensor) -> Tensor:
        return window_scores(cell_scores(features, kernel), weights[:1, :, :3, :4])

    assert torch.autograd.gradcheck(scores, (features.requires_grad_(), kernel.requires_grad_()))


def test_an_image_alone_is_the_image_in_a_batch() -> None:
    features, kernel, weights = random_case()
    together = window_scores(cell_scores(features, kernel), weights)
    alone = window_scores(cell_scores(features[1:], kernel), weights[1:])
    torch.testing.assert_close(alone, together[1:])
