"""One step of DINO: what changes, what stays, and its schedules."""

from collections import Counter
from typing import Any

import pytest
import torch
from torch import Tensor

from wsss_steps.nets.vit import Shape
from wsss_steps.ops import dino
from wsss_steps.training import distillation
from wsss_steps.training.distillation import Distillation, Network

TINY = Shape(patch=4, width=12, depth=2, heads=3, image_size=16)
LOSSES = {"student_temperature": 0.1, "teacher_temperature": 0.05, "patch_weight": 1.0}
SCHEDULE = {"learning_rate": 0.1, "warmup": 0.5, "weight_decay": 0.04}


def made() -> Distillation:
    return Distillation(TINY, prototypes=8, seed=0)


def batch_of(local: int, seed: int = 0) -> dict[str, Tensor]:
    """Views of four images, two global ones of 16 px and some of 8 px, all at the same place."""
    generator = torch.Generator().manual_seed(seed)
    return {
        "images": torch.randn(4, 2, 3, 16, 16, generator=generator),
        "local": torch.randn(4, local, 3, 8, 8, generator=generator),
        "places": torch.tensor([0.0, 0.0, 30.0, 30.0]).expand(4, 2 + local, 4),
    }


def sum_of(parts: dict[str, Tensor]) -> Tensor:
    return torch.stack([part for name, part in parts.items() if not name.startswith("entropy_")]).sum()


def test_the_teacher_follows_by_its_momentum() -> None:
    network = made()
    with torch.no_grad():
        for parameter in network.student.parameters():
            parameter += 1
    before = {name: tensor.clone() for name, tensor in network.teacher.named_parameters()}
    distillation.follow(network, 1e-9, teacher_momentum=0.9)
    for name, student in network.student.named_parameters():
        torch.testing.assert_close(network.teacher.get_parameter(name), 0.9 * before[name] + 0.1 * student)
    before = {name: tensor.clone() for name, tensor in network.teacher.named_parameters()}
    distillation.follow(network, 1.0, teacher_momentum=0.9)  # at the end it no longer changes
    assert all(torch.equal(network.teacher.get_parameter(name), tensor) for name, tensor in before.items())


def test_the_centre_follows_the_teachers_scores_of_images() -> None:
    network, batch = made(), batch_of(1)
    with torch.no_grad():
        scores = network.teacher.scores(batch["images"].unbind(1), with_patches=False)
    distillation.losses(network, batch, **LOSSES)
    means = torch.cat([image for image, _ in scores]).mean(0)
    torch.testing.assert_close(network.centre, 0.1 * means)  # from 0, with a momentum of 0.9
    assert "centre" in network.state_dict()


def test_parts_of_the_loss() -> None:
    both = distillation.losses(made(), batch_of(1), **LOSSES)
    assert set(both) == {"image", "patch", "entropy_image", "entropy_patch"}
    published = distillation.losses(made(), batch_of(1), **LOSSES | {"patch_weight": 0.0})
    assert set(published) == {"image", "entropy_image"}
    assert published["image"].item() == pytest.approx(both["image"].item())
    weighted = distillation.losses(made(), batch_of(1), **LOSSES | {"patch_weight": 0.3})
    assert weighted["patch"].item() == pytest.approx(0.3 * both["patch"].item())
    assert sum_of(weighted).item() == pytest.approx(both["image"].item() + 0.3 * both["patch"].item())


@pytest.mark.parametrize("local", [0, 1])
def test_the_student_learns_one_batch(local: int) -> None:
    network, batch, rows = made(), batch_of(local), []
    optimiser = distillation.make_optimiser(network)
    for _ in range(25):
        distillation.schedule(optimiser, 4, 10, learning_rate=3e-3, warmup=0.5, weight_decay=0.04)  # at its highest
        parts = distillation.losses(network, batch, **LOSSES)
        optimiser.zero_grad()
        sum_of(parts).backward()
        optimiser.step()
        distillation.follow(network, 0.9, teacher_momentum=0.9)
        rows.append(parts)
    assert rows[-1]["image"] < rows[0]["image"]
    assert rows[-1]["patch"] < rows[0]["patch"]
    assert all(parameter.grad is None for parameter in network.teacher.parameters())


def test_weights_are_drawn_from_the_seed_and_the_global_generator_is_left_alone() -> None:
    state = torch.random.get_rng_state()
    first, second, other = made(), made(), Distillation(TINY, prototypes=8, seed=1)
    assert torch.equal(torch.random.get_rng_state(), state)
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[name])
    for name, tensor in first.student.state_dict().items():
        assert torch.equal(tensor, first.teacher.state_dict()[name])
    assert not torch.equal(first.student.image_head.prototypes, other.student.image_head.prototypes)
    assert {name for name, _ in Network(TINY, 8).named_children()} == {"vit", "image_head", "patch_head"}


def test_temperatures_and_pairs_are_where_they_belong(monkeypatch: pytest.MonkeyPatch) -> None:
    """Student 0.1, teacher 0.05; a view is not compared with itself."""
    asked = []

    def watch(name: str) -> None:
        function = getattr(dino, name)

        def spy(*args: Any) -> Tensor:
            asked.append((name, args[-1]))
            result: Tensor = function(*args)
            return result

        monkeypatch.setattr(dino, name, spy)

    for name in ("teacher_targets", "dino_loss", "patch_loss"):
        watch(name)
    distillation.losses(made(), batch_of(1), **LOSSES)
    assert Counter(asked) == {("teacher_targets", 0.05): 3, ("dino_loss", 0.1): 1, ("patch_loss", 0.1): 4}


def test_patches_are_compared_at_their_own_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """The student's view and the teacher's: every ordered pair of different views, the second a global one."""
    batch, asked, matching = batch_of(1), [], dino.matching
    batch["places"] = torch.tensor([[0.0, 0.0, 30.0, 30.0], [1.0, 0.0, 20.0, 20.0], [2.0, 0.0, 10.0, 10.0]])
    batch["places"] = batch["places"].expand(4, 3, 4)

    def spy(places: Tensor, grid: int, others: Tensor, other_grid: int) -> Tensor:
        asked.append((places[0, 0].item(), grid, others[0, 0].item(), other_grid))
        return matching(places, grid, others, other_grid)

    monkeypatch.setattr(dino, "matching", spy)
    distillation.losses(made(), batch, **LOSSES)
    assert sorted(asked) == [(0, 4, 1, 4), (1, 4, 0, 4), (2, 2, 0, 4), (2, 2, 1, 4)]


def test_rate_and_weight_decay_follow_their_schedules() -> None:
    optimiser, rates, decays = distillation.make_optimiser(made()), [], []
    for step in range(8):
        distillation.schedule(optimiser, step, 8, **SCHEDULE)
        rates.append([group["lr"] for group in optimiser.param_groups])
        decays.append([group["weight_decay"] for group in optimiser.param_groups])
    assert all(one == other for one, other in rates)
    assert [one for one, _ in rates[:4]] == pytest.approx([0.025, 0.05, 0.075, 0.1])
    assert sorted(rates[3:], reverse=True) == rates[3:]
    assert rates[-1][0] == pytest.approx(distillation.LAST_LEARNING_RATE)
    assert decays[3] == [pytest.approx((0.04 + 0.4) / 2), 0.0]
    assert decays[-1] == [pytest.approx(0.4), 0.0]


def test_the_teacher_sees_the_global_views_and_the_student_all(monkeypatch: pytest.MonkeyPatch) -> None:
    network, asked, scores = made(), [], Network.scores

    def spy(part: Network, seen: Any, with_patches: bool) -> Any:
        asked.append((part is network.teacher, [images.shape[-1] for images in seen]))
        return scores(part, seen, with_patches)

    monkeypatch.setattr(Network, "scores", spy)
    distillation.losses(network, batch_of(2), **LOSSES)
    assert asked == [(True, [16, 16]), (False, [16, 16]), (False, [8, 8])]


def test_large_gradients_are_scaled_down() -> None:
    network = made()
    optimiser = distillation.make_optimiser(network)
    (1e6 * sum(weight.sum() for weight in network.student.parameters())).backward()
    optimiser.step()
    gradients = [weight.grad.norm() for weight in network.student.parameters() if weight.grad is not None]
    assert torch.stack(gradients).norm().item() == pytest.approx(3.0, rel=1e-3)


def test_biases_norms_and_tokens_do_not_decay() -> None:
    network = made()
    names = {id(weight): name for name, weight in network.student.named_parameters()}
    groups = distillation.make_optimiser(network).param_groups
    shrunk, kept = ([(names[id(w)], w.ndim) for w in group["params"]] for group in groups)
    assert all(dims >= 2 and not name.endswith(("cls_token", "pos_embed")) for name, dims in shrunk)
    assert all(dims < 2 or name.endswith(("cls_token", "pos_embed")) for name, dims in kept)
    assert len(shrunk) > 4
    assert len(kept) > 4
