"""One step of DINO: what changes, what stays, what is refused."""

from collections import Counter
from typing import Any

import pytest
import torch

from wsss_steps.errors import UserError
from wsss_steps.nets.vit import Shape
from wsss_steps.ops import dino
from wsss_steps.training.distillation import Distillation, Network, View

TINY = Shape(patch=4, width=12, depth=2, heads=3, image_size=16)


def distillation(patch_weight: float = 1.0) -> Distillation:
    return Distillation(
        TINY,
        "cpu",
        prototypes=8,
        teacher_momentum=0.9,
        student_temperature=0.1,
        teacher_temperature=0.05,
        patch_weight=patch_weight,
        weight_decay=0.04,
        seed=0,
    )


def views(count: int, side: int, seed: int = 0) -> list[View]:
    generator = torch.Generator().manual_seed(seed)
    places = torch.tensor([[0.0, 0.0, 30.0, 30.0]]).repeat(4, 1)
    return [(torch.randn(4, 3, side, side, generator=generator), places) for _ in range(count)]


def test_the_teacher_follows_by_its_momentum() -> None:
    trained = distillation()
    before = {name: tensor.clone() for name, tensor in trained.teacher.named_parameters()}
    trained.step(views(2, 16), views(1, 8, seed=1), rate=1e-2, progress=0.0)
    for name, student in trained.student.named_parameters():
        torch.testing.assert_close(trained.teacher.get_parameter(name), 0.9 * before[name] + 0.1 * student)
    assert trained.centre.abs().sum() > 0
    assert trained.momentum(1.0) == 1.0


def test_parts_of_the_loss() -> None:
    both = distillation().step(views(2, 16), views(1, 8), rate=1e-3, progress=0.0)
    assert set(both) == {"image", "patch", "image_entropy", "patch_entropy"}
    published = distillation(patch_weight=0.0).step(views(2, 16), views(1, 8), rate=1e-3, progress=0.0)
    assert set(published) == {"image", "image_entropy"}
    assert published["image"] == pytest.approx(both["image"])


def test_the_student_learns_one_batch() -> None:
    trained = distillation()
    wide, narrow = views(2, 16), views(1, 8, seed=1)
    rows = [trained.step(wide, narrow, rate=3e-3, progress=0.9) for _ in range(25)]
    assert rows[-1]["image"] < rows[0]["image"]
    assert rows[-1]["patch"] < rows[0]["patch"]


def test_weights_are_drawn_from_the_seed_and_the_global_generator_is_left_alone() -> None:
    state = torch.random.get_rng_state()
    first, second = distillation(), distillation()
    assert torch.equal(torch.random.get_rng_state(), state)
    for name, tensor in first.student.state_dict().items():
        assert torch.equal(tensor, second.student.state_dict()[name])
    assert {name for name, _ in Network(TINY, 8).named_children()} == {"vit", "image_head", "patch_head"}


def test_a_loss_that_is_not_finite_stops_with_its_parts() -> None:
    trained = distillation()
    broken = views(2, 16)
    broken[0][0][0] = float("nan")
    with pytest.raises(UserError, match=r"expected a finite loss, found \{.*'patch': nan.* at learning rate 0.001"):
        trained.step(broken, [], rate=1e-3, progress=0.0)


def test_temperatures_pairs_and_weights_are_where_they_belong(monkeypatch: pytest.MonkeyPatch) -> None:
    """Student 0.1, teacher 0.05; a view is not compared with itself; the loss of patches has weight 0.3."""
    trained, asked = distillation(patch_weight=0.3), []

    def watch(name: str) -> None:
        function = getattr(dino, name)

        def spy(*args: Any) -> torch.Tensor:
            asked.append((name, args[-1]))
            result: torch.Tensor = function(*args)
            return result

        monkeypatch.setattr(dino, name, spy)

    for name in ("teacher_targets", "dino_loss", "patch_loss"):
        watch(name)
    minimised = []
    monkeypatch.setattr(trained, "_descend", lambda loss: minimised.append(loss.item()))
    found = trained.step(views(2, 16), views(1, 8, seed=1), rate=1e-3, progress=0.0)
    assert minimised == [pytest.approx(found["image"] + 0.3 * found["patch"])]
    assert Counter(asked) == {("teacher_targets", 0.05): 3, ("dino_loss", 0.1): 1, ("patch_loss", 0.1): 4}


def test_weight_decay_goes_from_its_setting_to_the_last() -> None:
    trained, found = distillation(), []
    for progress in (0.0, 1.0):
        trained.step(views(2, 16), [], rate=1e-3, progress=progress)
        found.append([group["weight_decay"] for group in trained.optimiser.param_groups])
    assert found == [[pytest.approx(0.04), 0.0], [pytest.approx(0.4), 0.0]]


def test_the_teacher_sees_the_global_views_and_the_student_all(monkeypatch: pytest.MonkeyPatch) -> None:
    trained, asked = distillation(), []
    scores = trained._scores

    def spy(network: Network, seen: list[View]) -> Any:
        asked.append((network is trained.teacher, [images.shape[-1] for images, _ in seen]))
        return scores(network, seen)

    monkeypatch.setattr(trained, "_scores", spy)
    trained.step(views(2, 16), views(1, 8, seed=1), rate=1e-3, progress=0.0)
    assert asked == [(True, [16, 16]), (False, [16, 16]), (False, [8])]


def test_large_gradients_are_scaled_down() -> None:
    trained = distillation()
    trained._descend(1e6 * sum(weight.sum() for weight in trained.student.parameters()))
    gradients = [weight.grad.norm() for weight in trained.student.parameters() if weight.grad is not None]
    assert torch.stack(gradients).norm().item() == pytest.approx(3.0, rel=1e-3)


def test_biases_norms_and_tokens_do_not_decay() -> None:
    trained = distillation()
    names = {id(weight): name for name, weight in trained.student.named_parameters()}
    shrunk, kept = ([(names[id(w)], w.ndim) for w in group["params"]] for group in trained.optimiser.param_groups)
    assert all(dims >= 2 and not name.endswith(("cls_token", "pos_embed")) for name, dims in shrunk)
    assert all(dims < 2 or name.endswith(("cls_token", "pos_embed")) for name, dims in kept)
    assert len(shrunk) > 4
    assert len(kept) > 4
