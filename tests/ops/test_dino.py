"""The DINO loss by hand, its invariances and gradient; its centre and schedules."""

import math

import pytest
import torch

from wsss_steps.ops import dino


def test_loss_by_hand() -> None:
    # Two views of one image, two prototypes. Student: view 0 (1/4, 3/4), view 1 (1/2, 1/2), temperature 1/2.
    student = torch.tensor([[[0.0, math.log(3) / 2]], [[1.0, 1.0]]])
    targets = torch.tensor([[[0.5, 0.5]], [[0.2, 0.8]]])
    # targets of view 0 with student view 1: ln 2; of view 1 with view 0: 0.2 ln 4 + 0.8 ln (4/3)
    expected = (math.log(2) + 0.2 * math.log(4) + 0.8 * math.log(4 / 3)) / 2
    assert dino.dino_loss(student, targets, 0.5).item() == pytest.approx(expected)


def test_only_different_views_are_compared() -> None:
    student = torch.randn(4, 3, 5)
    targets = torch.softmax(torch.randn(2, 3, 5), dim=-1)
    pairs = [(0, 1), (0, 2), (0, 3), (1, 0), (1, 2), (1, 3)]
    parts = [
        torch.nn.functional.cross_entropy(student[v] / 0.1, targets[g])  # a reference that takes probabilities too
        for g, v in pairs
    ]
    torch.testing.assert_close(dino.dino_loss(student, targets, 0.1), torch.stack(parts).mean())


def test_order_of_images_does_not_matter() -> None:
    student, targets = torch.randn(3, 6, 4), torch.softmax(torch.randn(2, 6, 4), dim=-1)
    order = torch.randperm(6)
    torch.testing.assert_close(
        dino.dino_loss(student[:, order], targets[:, order], 0.1), dino.dino_loss(student, targets, 0.1)
    )


def test_gradient() -> None:
    student = torch.randn(3, 2, 4, dtype=torch.float64, requires_grad=True)
    targets = torch.softmax(torch.randn(2, 2, 4, dtype=torch.float64), dim=-1)
    assert torch.autograd.gradcheck(lambda scores: dino.dino_loss(scores, targets, 0.3), (student,))


def test_targets_are_centred_and_sharpened_without_gradient() -> None:
    scores = torch.tensor([[1.0, 1.0 + math.log(2) / 10]], requires_grad=True)
    targets = dino.teacher_targets(scores, torch.tensor([1.0, 1.0]), 0.1)
    torch.testing.assert_close(targets, torch.tensor([[1 / 3, 2 / 3]]))
    assert not targets.requires_grad
    shifted = dino.teacher_targets(
        scores, torch.tensor([0.5, 0.5]), 0.1
    )  # the same for every prototype: nothing changes
    torch.testing.assert_close(shifted, targets)


def test_centre() -> None:
    scores = torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]])  # mean (4, 5)
    found = dino.updated_centre(torch.tensor([0.0, 10.0]), scores, 0.75)
    torch.testing.assert_close(found, torch.tensor([1.0, 8.75]))


def test_schedules() -> None:
    assert [dino.cosine(p, 0.9, 1.0) for p in (0.0, 0.5, 1.0)] == pytest.approx([0.9, 0.95, 1.0])
    assert [dino.warmed_up(p, 0.2, 1.0, 0.0) for p in (0.1, 0.2, 0.6, 1.0)] == pytest.approx([0.5, 1.0, 0.5, 0.0])
    assert dino.warmed_up(0.0, 0.0, 2.0, 0.0) == 2.0


def test_entropy() -> None:
    even = torch.full((3, 8), 1 / 8)
    assert dino.mean_entropy(even).item() == pytest.approx(math.log(8))
    assert dino.mean_entropy(torch.eye(4)).item() == 0.0


def test_a_single_view_is_refused() -> None:
    with pytest.raises(ValueError, match="expected the 1 teacher views among at least 2 student views, found 1"):
        dino.dino_loss(torch.zeros(1, 2, 3), torch.zeros(1, 2, 3), 0.1)


def test_matching_by_hand() -> None:
    # Views of 2 x 2 patches: a whole image of 4 x 4 px, its right half, and that half mirrored.
    whole, right = torch.tensor([[0.0, 0.0, 4.0, 4.0]]), torch.tensor([[0.0, 2.0, 4.0, 2.0]])
    mirrored = torch.tensor([[0.0, 4.0, 4.0, -2.0]])
    assert dino.matching(right, 2, whole, 2).tolist() == [[1, 1, 3, 3]]
    assert dino.matching(whole, 2, right, 2).tolist() == [[-1, 1, -1, 3]]  # x = 3 is the border of its two columns
    assert dino.matching(whole, 4, right, 2)[0, :4].tolist() == [-1, -1, 0, 1]
    assert dino.matching(whole, 4, mirrored, 2)[0, :4].tolist() == [-1, -1, 1, 0]
    assert dino.matching(mirrored, 2, mirrored, 2).tolist() == [[0, 1, 2, 3]]


def test_patch_loss_by_hand() -> None:
    student = torch.tensor([[[0.0, 0.0], [0.0, math.log(3)], [9.0, 9.0]]])  # probabilities (1/2, 1/2), (1/4, 3/4)
    targets = torch.tensor([[[0.25, 0.75], [1.0, 0.0]]])
    match = torch.tensor([[1, 0, -1]])
    expected = (math.log(2) + 0.25 * math.log(4) + 0.75 * math.log(4 / 3)) / 2
    assert dino.patch_loss(student, targets, match, 1.0).item() == pytest.approx(expected)
    assert dino.patch_loss(student, targets, torch.full((1, 3), -1), 1.0).item() == 0.0


def test_patch_loss_gradient() -> None:
    student = torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)
    targets = torch.softmax(torch.randn(2, 9, 3, dtype=torch.float64), dim=-1)
    match = torch.tensor([[0, 8, -1, 3], [-1, -1, 2, 2]])
    assert torch.autograd.gradcheck(lambda scores: dino.patch_loss(scores, targets, match, 0.3), (student,))
    alone = torch.autograd.grad(dino.patch_loss(student, targets, torch.full((2, 4), -1), 0.3), student)[0]
    assert not alone.any()  # no match: no gradient, and no NaN
