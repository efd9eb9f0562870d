"""Mixed batches and every mixer: values worked by hand (methods.md 17), and laws."""

from __future__ import annotations

import inspect

import pytest
import torch
from scipy import stats
from torch import Tensor

from wsss_steps.ops import mixing
from wsss_steps.ops.boxes import boxes
from wsss_steps.ops.mixed_batches import draw_partners, mix, mixed_batch, visible_tags
from wsss_steps.ops.mixing import cutmix

SETTINGS = {
    "cutmix_alpha": 1.0,
    "cutout_side": 0.5,
    "cda_area": (0.1, 0.7),
    "grafting_cells": 4,
    "grafting_probability": 0.5,
}
MIXERS = mixing.names()
PAIRING = [name for name in MIXERS if not hasattr(mixing.load(name), "ERASES")]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch_of(count: int = 6, size: tuple[int, int] = (12, 10), classes: int = 3) -> dict[str, Tensor]:
    """A random batch whose images differ in every pixel; the last column is padding."""
    draws = seeded(7)
    labels = torch.randint(0, classes + 1, (count, *size), generator=draws)
    labels[:, :, :3] = torch.where(labels[:, :, :3] == 1, 255, labels[:, :, :3])
    labels[..., -1] = 255
    inside = torch.ones(count, *size, dtype=torch.bool)
    inside[..., -1] = False
    return {
        "images": torch.randn(count, 3, *size, generator=draws),
        "labels": labels,
        "maps": torch.rand(count, classes, *size, generator=draws),
        "tags": torch.nn.functional.one_hot(torch.arange(count) % classes, classes).float(),
        "inside": inside,
        "pixels": torch.randint(0, 256, (count, 3, *size), generator=draws, dtype=torch.uint8),
    }


def kept_by(name: str, batch: dict[str, Tensor], partners: Tensor | None, seed: int = 0) -> Tensor:
    given = {**SETTINGS, **batch, "partners": partners, "generator": seeded(seed)}
    kept = mixing.load(name).kept
    found: Tensor = kept(**{key: given[key] for key in inspect.signature(kept).parameters})
    return found


def test_the_mixers_of_the_comparison_exist_and_others_are_unknown() -> None:
    assert MIXERS == ["cda", "classmix", "cutmix", "cutout", "edgepredictmix", "saliency_grafting"]
    with pytest.raises(ValueError, match="known mixers: cda, classmix"):
        mixing.load("mixup")


def test_a_partner_is_another_image_and_each_equally_likely() -> None:
    drawn = torch.stack([draw_partners(4, seeded(seed)) for seed in range(2000)])
    for image in range(4):
        counts = drawn[:, image].bincount(minlength=4)
        assert counts[image] == 0
        assert (counts[counts > 0] - 2000 / 3).abs().max() < 100  # 4.7 standard deviations
    assert draw_partners(2, seeded()).tolist() == [1, 0]


def test_partners_are_drawn_independently() -> None:
    assert any(len(draw_partners(3, seeded(seed)).unique()) < 3 for seed in range(20))  # no permutation


@pytest.mark.parametrize("name", PAIRING)
def test_every_mixed_tensor_is_the_image_on_its_mask_and_the_partner_elsewhere(name: str) -> None:
    batch = batch_of()
    draws = seeded()
    partners = draw_partners(6, draws)
    mixed = mixed_batch(name, batch, SETTINGS, seeded())
    assert mixed is not None
    assert mixed.keys() == batch.keys()
    own = (mixed["images"] == batch["images"]).all(1)
    assert torch.equal(own, (mixed["pixels"] == batch["pixels"]).all(1))
    for key in ("images", "labels", "maps", "inside", "pixels"):
        assert mixed[key].dtype == batch[key].dtype
        mask = own if batch[key].ndim == 3 else own[:, None].expand_as(batch[key])
        assert torch.equal(mixed[key][mask], batch[key][mask])
        assert torch.equal(mixed[key][~mask], batch[key][partners][~mask])


@pytest.mark.parametrize("name", MIXERS)
def test_masks_are_boolean_and_a_seed_gives_one_mask(name: str) -> None:
    batch, partners = batch_of(), draw_partners(6, seeded())
    kept = kept_by(name, batch, partners)
    assert kept.dtype == torch.bool
    assert kept.shape == batch["labels"].shape
    assert torch.equal(kept, kept_by(name, batch, partners))


@pytest.mark.parametrize("name", MIXERS)
def test_the_global_generator_decides_if_none_is_given(name: str) -> None:
    batch = batch_of()
    found = []
    for _ in range(2):
        torch.manual_seed(3)
        found.append(mixed_batch(name, batch, SETTINGS))
    first, second = found
    assert first is not None
    assert second is not None
    assert all(torch.equal(first[key], second[key]) for key in batch)


@pytest.mark.parametrize("name", PAIRING)
def test_a_single_image_is_not_mixed(name: str) -> None:
    assert mixed_batch(name, batch_of(1), SETTINGS, seeded()) is None


def test_edgepredictmix_by_hand() -> None:
    labels = torch.tensor([[[1, 0, 255, 2]], [[0, 0, 3, 255]]])
    kept = kept_by("edgepredictmix", {"labels": labels}, None)
    assert kept.tolist() == [[[True, False, False, True]], [[False, False, True, False]]]
    mixed = mix({"labels": labels}, kept, torch.tensor([1, 0]))
    assert mixed["labels"].tolist() == [[[1, 0, 3, 2]], [[1, 0, 3, 2]]]


@pytest.mark.parametrize(("occurring", "half"), [([4], 0), ([0, 5], 1), ([0, 1, 2], 1), ([0, 1, 2, 3, 255], 2)])
def test_classmix_takes_half_of_the_labels_rounded_down(occurring: list[int], half: int) -> None:
    labels = torch.tensor(occurring * 3)[None, None]
    for seed in range(10):
        kept = kept_by("classmix", {"labels": labels}, None, seed)
        taken = labels[kept].unique()
        assert len(taken) == half
        assert 255 not in taken
        assert torch.equal(kept, torch.isin(labels, taken))


def test_classmix_takes_each_label_equally_often() -> None:
    labels = torch.tensor([[[0, 1, 2, 3]]])
    times = sum(kept_by("classmix", {"labels": labels}, None, seed).long() for seed in range(600))
    assert isinstance(times, Tensor)
    assert (times - 300).abs().max() < 60


def test_boxes_by_hand() -> None:
    assert boxes(torch.tensor([[1.9, 1.0]]), torch.zeros(1, 3, 1, 1), seeded()).tolist() == [[[True]]]
    assert boxes(torch.tensor([[0.9, 5.0]]), torch.zeros(1, 3, 1, 1), seeded()).tolist() == [[[False]]]
    found = boxes(torch.tensor([[3.0, 3.0]] * 400), torch.zeros(400, 3, 5, 5), seeded())
    assert set(found.sum((1, 2)).tolist()) == {4, 6, 9}  # a corner, a side, the middle
    assert found.float().mean(0)[2, 2] == pytest.approx(9 / 25, abs=0.1)


@pytest.mark.parametrize("alpha", [1.0, 0.4])
def test_a_box_of_cutmix_leaves_a_share_that_follows_beta(alpha: float) -> None:
    found = cutmix.sides(3000, (8, 20), alpha, seeded())
    assert torch.allclose(found[:, 0] * 20, found[:, 1] * 8)
    left = 1 - found.prod(1).numpy() / (8 * 20)
    assert stats.kstest(left, stats.beta(alpha, alpha).cdf).pvalue > 0.01


def test_cutmix_pastes_one_box_which_the_frame_may_cut_off() -> None:
    images = torch.zeros(200, 3, 9, 20)
    found = cutmix.sides(200, (9, 20), 1.0, seeded()).long()
    pasted = ~cutmix.kept(images=images, generator=seeded(), cutmix_alpha=1.0)
    heights, widths = pasted.any(2).sum(1), pasted.any(1).sum(1)
    assert torch.equal(heights * widths, pasted.sum((1, 2)))
    nonempty = heights > 0
    assert (heights <= found[:, 0])[nonempty].all()
    assert (heights == found[:, 0]).any()
    assert (heights < found[:, 0])[nonempty].any()


def test_cutout_erases_a_square_and_needs_no_partner() -> None:
    mixed = mixed_batch("cutout", batch_of(1), SETTINGS, seeded(1))
    before = batch_of(1)
    assert mixed is not None
    erased = (mixed["images"] == 0).all(1)
    assert 0 < erased.sum() <= 25  # half of the shorter side of 12 x 10
    assert (mixed["labels"][erased] == 255).all()
    assert not mixed["inside"][erased].any()
    assert torch.equal(mixed["images"].permute(0, 2, 3, 1)[~erased], before["images"].permute(0, 2, 3, 1)[~erased])
    assert torch.equal(mixed["labels"][~erased], before["labels"][~erased])


def test_cda_pastes_single_objects_of_a_fitting_size_onto_images_without_their_class() -> None:
    labels = torch.zeros(5, 1, 10, dtype=torch.long)
    labels[0, :, :3] = 1  # pasted
    labels[1, :, :8] = 1  # too large
    labels[2, :, :3] = 1  # two tags
    labels[3, :, :3] = 1  # the partner has its class
    labels[4, :, :1] = 2  # pasted: the end of the range is included
    tags = torch.tensor([[1.0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 0, 0], [0, 1, 0]])
    batch = {"labels": labels, "tags": tags, "inside": torch.ones_like(labels, dtype=torch.bool)}
    kept = kept_by("cda", batch, torch.tensor([4, 4, 4, 0, 0]))
    assert kept.sum((1, 2)).tolist() == [3, 10, 10, 10, 1]
    assert torch.equal(kept[0], labels[0] == 1)


def test_saliency_grafting_takes_salient_patches_only_each_by_chance() -> None:
    maps = torch.zeros(1, 2, 4, 4)
    maps[0, 0, :2, :2], maps[0, 1, 2:, 2:], maps[0, 0, 2:, :2] = 0.9, 0.8, 0.3
    draws = []
    for seed in range(300):
        given = {"maps": maps, "generator": seeded(seed), "grafting_cells": 2, "grafting_probability": 0.25}
        draws.append(mixing.load("saliency_grafting").kept(**given)[0])
    often = torch.stack(draws).float().mean(0)
    salient = torch.tensor([[1.0, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]])  # the mean is 0.5
    assert torch.equal(often > 0, salient > 0)
    assert (often[salient > 0] - 0.25).abs().max() < 0.1
    assert all(torch.equal(one, one[::2, ::2].repeat_interleave(2, 0).repeat_interleave(2, 1)) for one in draws)


def test_visible_tags_by_hand() -> None:
    """Image 0 has class 1 left, 2 right and 3 nowhere; image 1 has 4."""
    tags = torch.tensor([[1.0, 1, 1, 0], [0, 0, 0, 1]])
    labels = torch.tensor([[[1, 2]], [[255, 4]]])
    partners = torch.tensor([1, 0])
    left = torch.tensor([[[True, False]], [[True, False]]])
    assert visible_tags(tags, left, partners, labels).tolist() == [[1, 0, 1, 1], [0, 1, 1, 0]]
    assert visible_tags(tags, left, partners).tolist() == [[1, 1, 1, 1], [1, 1, 1, 1]]
    assert visible_tags(tags, ~left, None, labels).tolist() == [[0, 1, 1, 0], [0, 0, 0, 1]]


def test_an_image_of_which_only_padding_is_visible_gives_no_tags() -> None:
    tags, partners = torch.eye(2), torch.tensor([1, 0])
    kept = torch.tensor([[[True, False]], [[True, True]]])
    inside = torch.tensor([[[False, True]], [[True, True]]])
    assert visible_tags(tags, kept, partners, inside=inside).tolist() == [[0, 1], [0, 1]]
