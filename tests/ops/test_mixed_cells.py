"""Images and targets that are mixed by cells, and the labels that EdgePredictMix pastes."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from wsss_steps.ops import mixing
from wsss_steps.ops.mixed_cells import edge_labels, mix_cells

NUMBERS: dict[str, Any] = {"sigma": 1.0, "low": 10.0, "high": 100.0, "widen": 0, "fill_only_ignored": False}


def cells_of(height: int, width: int) -> dict[str, torch.Tensor]:
    return {
        "tags": torch.tensor([[1.0, 0.0], [0.0, 1.0]]),
        "inside": torch.ones(2, height, width, dtype=torch.bool),
        "labels": torch.arange(2 * height * width).view(2, height, width) % 3,
        "maps": torch.rand(2, 2, height, width),
        "colours": torch.full((2, 3, height, width), 0.5),
    }


@pytest.mark.parametrize("size", [(8, 12), (7, 10), (5, 9)])
def test_pixels_and_cells_follow_one_mask(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Exactly: each pixel is that of the image where its cell is kept, that of the partner elsewhere."""
    images = torch.rand(2, 3, *size)
    height, width = (-(-side // 4) for side in size)
    cells, kept = cells_of(height, width), torch.rand(2, height, width) < 0.5
    monkeypatch.setattr(mixing.load("cutmix"), "kept", lambda *, images: kept)
    mixed = mix_cells("cutmix", images, cells, {}, 4)
    pixels = kept.repeat_interleave(4, 1).repeat_interleave(4, 2)[:, None, : size[0], : size[1]]
    assert torch.equal(mixed["images"], torch.where(pixels, images, images.flip(0)))
    assert torch.equal(mixed["labels"], torch.where(kept, cells["labels"], cells["labels"].flip(0)))
    assert torch.equal(mixed["maps"], torch.where(kept[:, None], cells["maps"], cells["maps"].flip(0)))


def test_one_image_has_no_partner() -> None:
    one = {name: values[:1] for name, values in cells_of(2, 2).items()}
    assert mix_cells("classmix", torch.zeros(1, 3, 8, 8), one, {}, 4) is None


def test_labels_are_those_of_tags_and_background_inside_the_image() -> None:
    """The second class scores highest everywhere; the first image is not tagged with it, nor is padding predicted."""
    cells = cells_of(6, 6)
    cells["inside"][:, :, 4:] = False
    logits = torch.zeros(2, 3, 6, 6)
    logits[:, 1, :, :2], logits[:, 2] = 2.0, 5.0
    labels = edge_labels(logits, cells, NUMBERS, dilations=(1,), iterations=0)
    assert labels[0].tolist() == [[1, 1, 0, 0, 255, 255]] * 6
    assert labels[1].tolist() == [[2, 2, 2, 2, 255, 255]] * 6


def test_labels_follow_the_colours() -> None:
    """One background pixel within an object of one colour becomes the object's."""
    cells = cells_of(8, 8)
    logits = torch.zeros(2, 3, 8, 8)
    logits[0, 1] = 3.0
    logits[0, :, 4, 4] = torch.tensor([3.0, 0.0, 0.0])
    before, after = (edge_labels(logits, cells, NUMBERS, dilations=(1,), iterations=count)[0] for count in (0, 1))
    assert (after == 1).all()
    assert (before == 1).sum() in (63, 64)


def test_an_image_outside_the_crop_has_no_labels() -> None:
    cells = cells_of(3, 3)
    cells["inside"][1] = False
    labels = edge_labels(torch.zeros(2, 3, 3, 3), cells, NUMBERS, dilations=(1,), iterations=1)
    assert (labels[1] == 255).all()
