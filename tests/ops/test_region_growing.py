"""Region growing by hand, against loops, and its invariants."""

import pytest
import torch

from wsss_steps.ops.region_growing import grow

U = 255


def row(*pixels: tuple[float, ...]) -> torch.Tensor:
    """Probabilities (1, L, 1, pixels) from one tuple per pixel."""
    return torch.tensor(pixels, dtype=torch.float64).T[None, :, None]


def grown(probabilities, seeds, superpixels, beta_bg=0.7, beta_fg=0.7, present=None) -> list[int]:
    tags = None if present is None else torch.tensor([present], dtype=torch.float32)
    labels = grow(
        probabilities,
        torch.tensor([[seeds]]),
        torch.tensor([[superpixels]]),
        beta_bg=beta_bg,
        beta_fg=beta_fg,
        present=tags,
    )
    return labels[0, 0].tolist()


def random_case(batch: int = 3) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    probabilities = torch.softmax(3 * torch.randn(batch, 4, 5, 6, generator=generator), dim=1)
    seeds = torch.where(
        torch.rand(batch, 5, 6, generator=generator) < 0.2, torch.randint(0, 4, (batch, 5, 6), generator=generator), U
    )
    superpixels = torch.randint(0, 9, (batch, 5, 6), generator=generator)
    return probabilities, seeds, superpixels, torch.randint(0, 2, (batch, 3), generator=generator).float()


def by_loops(probabilities, seeds, superpixels, beta_bg, beta_fg, present):
    """Equations 3.6 and 3.7, one superpixel after the other."""
    labels = seeds.clone()
    for image in range(len(seeds)):
        allowed = [0] + [c for c in range(1, probabilities.shape[1]) if present is None or present[image, c - 1]]
        for name in superpixels[image].unique().tolist():
            rest = (superpixels[image] == name) & (seeds[image] == U)
            if name == 0 or not rest.any():
                continue
            score = {c: probabilities[image, c][rest].mean().item() for c in allowed}
            best = max(allowed, key=lambda c: score[c])
            if score[best] > (beta_fg if best else beta_bg):
                labels[image][rest] = best
    return labels


def test_a_sure_superpixel_takes_its_class() -> None:
    probabilities = row((0.9, 0.1), (0.2, 0.8), (0.3, 0.7))
    assert grown(probabilities, [1, U, U], [1, 1, 1], beta_fg=0.7) == [1, 1, 1]
    assert grown(probabilities, [1, U, U], [1, 1, 1], beta_fg=0.75) == [1, U, U]  # strict: the mean is 3/4


def test_an_absent_class_may_grow_only_if_asked() -> None:
    probabilities = row((0.05, 0.05, 0.9))
    assert grown(probabilities, [U], [1], present=[1, 0]) == [U]
    assert grown(probabilities, [U], [1], present=None) == [2]


def test_background_and_classes_have_their_own_threshold() -> None:
    probabilities = row((0.6, 0.4), (0.4, 0.6))
    assert grown(probabilities, [U, U], [1, 2], beta_bg=0.5, beta_fg=0.7) == [0, U]
    assert grown(probabilities, [U, U], [1, 2], beta_bg=0.7, beta_fg=0.5) == [U, 1]


def test_seeds_are_never_changed_and_padding_never_grows() -> None:
    probabilities = row((0.9, 0.1), (0.9, 0.1), (0.9, 0.1))
    assert grown(probabilities, [1, U, U], [1, 1, 0]) == [1, 0, U]


def test_ties_go_to_the_lowest_label() -> None:
    assert grown(row((0.5, 0.5)), [U], [1], beta_bg=0.4, beta_fg=0.4) == [0]


def test_a_superpixel_that_the_seeds_cover_is_left_alone() -> None:
    assert grown(row((0.9, 0.1), (0.9, 0.1)), [1, U], [1, 2], beta_bg=0.0) == [1, 0]
    assert grown(row((0.9, 0.1)), [1], [1]) == [1]


@pytest.mark.parametrize("restrict", [True, False])
def test_loops_agree(restrict: bool) -> None:
    probabilities, seeds, superpixels, tags = random_case()
    present = tags if restrict else None
    labels = grow(probabilities, seeds, superpixels, beta_bg=0.4, beta_fg=0.5, present=present)
    assert (labels != seeds).any()
    assert (labels == by_loops(probabilities, seeds, superpixels, 0.4, 0.5, present)).all()


def test_each_image_grows_alone() -> None:
    probabilities, seeds, superpixels, tags = random_case()
    together = grow(probabilities, seeds, superpixels, beta_bg=0.4, beta_fg=0.4, present=tags)
    for i in range(len(seeds)):
        part = slice(i, i + 1)
        alone = grow(probabilities[part], seeds[part], superpixels[part], beta_bg=0.4, beta_fg=0.4, present=tags[part])
        assert (alone == together[part]).all()


def test_numbering_of_superpixels_does_not_matter() -> None:
    probabilities, seeds, superpixels, tags = random_case()
    renumbered = torch.tensor([0, 7, 30, 2, 1, 5, 11, 3, 4])[superpixels]
    expected = grow(probabilities, seeds, superpixels, beta_bg=0.4, beta_fg=0.4, present=tags)
    assert (grow(probabilities, seeds, renumbered, beta_bg=0.4, beta_fg=0.4, present=tags) == expected).all()


def test_no_gradient_flows_through_the_labels() -> None:
    probabilities, seeds, superpixels, tags = random_case()
    labels = grow(probabilities.requires_grad_(), seeds, superpixels, beta_bg=0.4, beta_fg=0.4, present=tags)
    assert not labels.requires_grad
