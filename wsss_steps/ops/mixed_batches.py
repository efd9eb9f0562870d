"""Mixed training images: partners, and images, labels, maps and tags that follow a mask (see `ops/mixing`).

In the losses of a method, where `settings` holds numbers of the mixer, such as `cutmix_alpha`:

    own = {name: batch[name] for name in ("images", "tags", "inside", "pixels")}
    mixed = mixed_batch("cutmix", own | {"labels": pseudo_labels, "maps": score_maps}, settings)
    if mixed is not None:
        logits = network(mixed["images"])  # and losses with mixed["labels"], mixed["maps"], mixed["tags"]

All that is random comes from torch's CPU generator, which `training/loop.py` seeds at the start of every epoch and
whose state a training resumes with, so that draws are the same on every device and after an interruption.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from wsss_steps.ops import mixing
from wsss_steps.ops.labels import IGNORE

UNLABELLED = {"labels": IGNORE, "seeds": IGNORE}
"""What padding holds, where it is not 0."""


def mixed_batch(
    name: str, batch: Mapping[str, Tensor], settings: Mapping[str, Any], generator: torch.Generator | None = None
) -> dict[str, Tensor] | None:
    """The batch mixed by the mixer `name`; None if it needs partners and there is one image only.

    Args:
        name: a file of `ops/mixing`.
        batch: `tags` (B, C), and tensors (B, ..., H, W) of one size, `images` among them; all of them are mixed.
        settings: those of the mixer, which may be among others.
        generator: of the CPU; None for torch's global one.

    Returns:
        Tensors of the same names and shapes. They have no gradient to the masks.
    """
    mixer = mixing.load(name)
    erases = getattr(mixer, "ERASES", False)
    count = len(batch["images"])
    if count < 2 and not erases:
        return None
    partners = None if erases else draw_partners(count, generator)
    given = {**settings, **batch, "partners": partners, "generator": generator}
    return mix(batch, mixer.kept(**{name: given[name] for name in inspect.signature(mixer.kept).parameters}), partners)


def draw_partners(count: int, generator: torch.Generator | None = None) -> Int[Tensor, " B"]:
    """For each of `count` >= 2 images the index of another one, uniform and independent, on the CPU."""
    drawn = torch.randint(count - 1, (count,), generator=generator)
    return drawn + (drawn >= torch.arange(count))


def mix(
    batch: Mapping[str, Tensor], kept: Bool[Tensor, "B H W"], partners: Int[Tensor, " B"] | None
) -> dict[str, Tensor]:
    """Each image where its mask is true, its partner elsewhere; without partners, padding elsewhere.

    `tags` become those of `visible_tags`, by `labels` and `inside` if they are in the batch.
    """
    mixed = {name: _mix_one(name, tensor, kept, partners) for name, tensor in batch.items() if name != "tags"}
    if "tags" in batch:
        given = batch["tags"], kept, partners, batch.get("labels"), batch.get("inside")
        mixed["tags"] = visible_tags(*given)
    return mixed


def _mix_one(name: str, tensor: Tensor, kept: Tensor, partners: Tensor | None) -> Tensor:
    mask = kept if tensor.ndim == 3 else kept[:, None]
    padding = torch.full_like(tensor, UNLABELLED.get(name, 0)) if partners is None else None
    return torch.where(mask, tensor, tensor[partners] if padding is None else padding)


def visible_tags(
    tags: Float[Tensor, "B C"],
    kept: Bool[Tensor, "B H W"],
    partners: Int[Tensor, " B"] | None,
    labels: Int[Tensor, "B H W"] | None = None,
    inside: Bool[Tensor, "B H W"] | None = None,
) -> Float[Tensor, "B C"]:
    """Union of the tags that an image and its partner keep in the mixed image, {0, 1}.

    Of an image of which no pixel is visible no tag stays, padding not counted. Of any other, a tag stays unless the
    labels place its class in that image, and only on pixels that are not visible. A class that the labels place nowhere
    may be anywhere, so its tag stays; without labels, all do.
    """
    own = tags * _stays(kept, tags.shape[1], labels, inside)
    if partners is None:
        return own
    theirs = tags[partners] * _stays(~kept, tags.shape[1], _of(labels, partners), _of(inside, partners))
    return torch.maximum(own, theirs)


def _of(tensor: Tensor | None, partners: Tensor) -> Tensor | None:
    return None if tensor is None else tensor[partners]


def _stays(visible: Tensor, classes: int, labels: Tensor | None, inside: Tensor | None) -> Tensor:
    """Which classes of each image may be seen in its visible pixels: (B, C) bool."""
    visible = visible if inside is None else visible & inside
    some = visible.flatten(1).any(1, keepdim=True)
    if labels is None:
        return some.expand(-1, classes)
    placed = torch.stack([labels == number for number in range(1, classes + 1)], dim=1).flatten(2)
    seen = (placed & visible.flatten(1)[:, None]).any(2)
    return some & (seen | ~placed.any(2))
