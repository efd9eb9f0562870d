"""The frozen classifier does not learn, passes gradients to the attention map, and keeps its normalisation."""

from __future__ import annotations

import pytest
import torch

from wsss_steps import methods
from wsss_steps.methods.segmenter import masking
from wsss_steps.nets.frozen import FrozenClassifier
from wsss_steps.ops.masking import attention_loss, attention_map

SMALL = {"net": "small", "options": {}}
SAME = {"mean": (0.5,) * 3, "std": (0.5,) * 3, "own_mean": (0.5,) * 3, "own_std": (0.5,) * 3}
CLASSIFIERS = {
    "plain": {},
    "mdc": {"dilations": (2,), "widths": (8, 8), "init": "kaiming", "init_std": 0.01},
}


def judge(name: str = "mdc", **normalisation: tuple[float, ...]) -> FrozenClassifier:
    torch.manual_seed(0)
    options = {"output_stride": 8, "dilated": True, "frozen_stages": 0, "frozen_batch_norm": "none"} | CLASSIFIERS[name]
    return FrozenClassifier(
        methods.load("classifier", name).build(2, backbone=SMALL, **options), **SAME | normalisation
    )


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_the_gradient_goes_through_it_to_the_segmentation(name: str) -> None:
    classifier = judge(name)
    logits = torch.randn(2, 3, 4, 4, requires_grad=True)
    present, erased = torch.ones(2, 2), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    attention = attention_map(torch.softmax(logits, 1), present, erased)
    attention = torch.nn.functional.interpolate(attention, (32, 32), mode="bilinear")
    attention_loss(classifier(torch.randn(2, 3, 32, 32), attention), present, erased).mean().backward()
    assert all(parameter.grad is None for parameter in classifier.parameters())
    assert logits.grad is not None
    assert logits.grad.any()


def test_it_stays_in_evaluation_mode_and_keeps_its_statistics() -> None:
    classifier = judge()
    before = {name: value.clone() for name, value in classifier.state_dict().items()}
    classifier.train()
    classifier(torch.randn(4, 3, 32, 32))
    assert not any(module.training for module in classifier.modules())
    assert all(torch.equal(value, before[name]) for name, value in classifier.state_dict().items())


def test_attention_1_shows_all_and_attention_0_the_mean_colour() -> None:
    classifier, images = judge(), torch.randn(1, 3, 16, 16)
    assert torch.equal(classifier(images, torch.ones(1, 1, 16, 16)), classifier(images))
    assert torch.equal(classifier(images, torch.zeros(1, 1, 16, 16)), classifier(torch.zeros(1, 3, 16, 16)))


def test_an_erased_pixel_has_the_classifiers_own_mean_colour() -> None:
    """Images with another normalisation are converted before masking, not after."""
    classifier = judge(mean=(0.2, 0.3, 0.4), std=(0.1, 0.2, 0.3))
    erased = classifier(torch.randn(1, 3, 16, 16), torch.zeros(1, 1, 16, 16))
    assert torch.equal(erased, classifier.network.scores(torch.zeros(1, 3, 16, 16)))
    rgb = torch.rand(1, 3, 16, 16)
    mean, std = (torch.tensor(pair)[:, None, None] for pair in ((0.2, 0.3, 0.4), (0.1, 0.2, 0.3)))
    assert torch.allclose(classifier((rgb - mean) / std), classifier.network.scores((rgb - 0.5) / 0.5), atol=1e-5)


class Constant(torch.nn.Module):
    """The same logits everywhere."""

    stride = 8

    def __init__(self) -> None:
        super().__init__()
        self.logits = torch.nn.Parameter(torch.tensor([0.0, 1.0, 2.0]))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.logits[None, :, None, None].expand(
            len(images), -1, -(-images.shape[2] // 8), -(-images.shape[3] // 8)
        )


def batch() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    seeds = torch.zeros(2, 20, 20, dtype=torch.long)
    return {"images": torch.randn(2, 3, 20, 20, generator=generator), "tags": torch.ones(2, 2), "seeds": seeds}


OPTIONS = {"train_scales": [1.0, 0.5], "lambda_seg": 2.0, "paths": 2}


def attention_of(data: dict[str, torch.Tensor], **overrides: object) -> float:
    options = {"classifier": judge(), **OPTIONS, **overrides}
    torch.manual_seed(3)
    return masking.losses(Constant(), data, **options)["attention"].item()


def test_attention_is_the_mean_over_paths_times_its_weight() -> None:
    data, classifier, network = batch(), judge(), Constant()
    torch.manual_seed(3)
    draws = [torch.randint(0, 2, (2, 2)).float() for _ in range(2)]
    probabilities = torch.softmax(network(data["images"]), 1)
    expected = []
    for erased in draws:
        attention = attention_map(probabilities, data["tags"], erased)[..., :1, :1].expand(-1, -1, 20, 20)
        expected.append(attention_loss(classifier(data["images"], attention), data["tags"], erased).mean())
    assert attention_of(data) == pytest.approx(2 * torch.stack(expected).mean().item(), abs=1e-6)
    assert attention_of(data, paths=1) == pytest.approx(2 * expected[0].item(), abs=1e-6)


def test_left_out_images_are_not_judged() -> None:
    data, one = batch(), batch()
    data["seeds"][1] = 255
    torch.manual_seed(3)
    erased = torch.randint(0, 2, (2, 2)).float()
    attention = attention_map(torch.softmax(Constant()(one["images"]), 1), one["tags"], erased)[..., :1, :1]
    loss = attention_loss(judge()(one["images"], attention.expand(-1, -1, 20, 20)), one["tags"], erased)
    assert attention_of(data, paths=1) == pytest.approx(2 * loss[0].item(), abs=1e-6)


def test_without_attention_nothing_is_computed() -> None:
    parts = masking.losses(Constant(), batch(), **OPTIONS | {"classifier": None, "lambda_seg": 0.0})
    assert parts.keys() == {"seed_1", "seed_0.5"}


def test_attention_without_a_classifier_is_refused() -> None:
    with pytest.raises(
        ValueError, match="needs the recipe's classifier .--needs classifier=PATH., found none; or lambda_seg: 0"
    ):
        masking.losses(Constant(), batch(), classifier=None, **OPTIONS)


def test_the_attention_map_comes_from_scale_1_even_if_it_is_not_trained_on() -> None:
    assert attention_of(batch(), train_scales=[0.5]) == attention_of(batch())
