"""One step of DINO: what moves, what stays, what is refused."""

import pytest
import torch

from wsss_steps.distillation import Distillation, Network, View
from wsss_steps.errors import UserError
from wsss_steps.nets.vit import Shape

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
