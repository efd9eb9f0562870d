"""Superpixel-guided seeded region growing (Kim 2022, dissertation, section 3.3.3)."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from wsss_steps.ops.labels import IGNORE


def free_part_means(
    probabilities: Float[Tensor, "B L h w"], ids: Int[Tensor, " P"], free: Tensor, num_ids: int
) -> tuple[Float[Tensor, "N L"], Tensor]:
    """Mean probability over the free pixels of each superpixel, (N, L) (eq. 3.6), and whether it has any.

    `ids` are superpixels numbered across the batch, one per pixel, image by image; `free` is bool.
    """
    rows = probabilities.permute(0, 2, 3, 1).reshape(-1, probabilities.shape[1])
    sums = rows.new_zeros(num_ids, rows.shape[1]).index_add_(0, ids[free], rows[free])
    counts = torch.bincount(ids[free], minlength=num_ids)
    return sums / counts.clamp(min=1)[:, None], counts > 0


@torch.no_grad()
def grow(
    probabilities: Float[Tensor, "B L h w"],
    seeds: Int[Tensor, "B h w"],
    superpixels: Int[Tensor, "B h w"],
    *,
    beta_bg: float,
    beta_fg: float,
    present: Float[Tensor, "B C"] | None,
) -> Int[Tensor, "B h w"]:
    """Give each superpixel's unlabelled pixels the class that is confident there (eqs. 3.6 and 3.7).

    Args:
        probabilities: softmax output H; label 0 is background, L = C + 1.
        seeds: the initial seeds, 0..C and 255. Their labels are kept, and growing always starts from them.
        superpixels: ids >= 1 of every pixel, within each image; 0 marks padding, which never grows.
        beta_bg: a superpixel becomes background if the mean probability of background is its largest and strictly
            above this.
        beta_fg: the same for a class.
        present: tags in {0, 1}; only tagged classes and background compete, without renormalisation. None lets all
            classes compete, which is (3.7) taken literally.

    Returns:
        Labels 0..C and 255. No gradient flows through them. Ties go to the lowest label.
    """
    batch = len(probabilities)
    per_image = int(superpixels.max()) + 1
    image = torch.arange(batch, device=superpixels.device)
    ids = (superpixels + per_image * image[:, None, None]).flatten()
    free = ((seeds == IGNORE) & (superpixels > 0)).flatten()
    means, has_free = free_part_means(probabilities, ids, free, batch * per_image)
    if present is not None:
        competes = torch.cat([torch.ones_like(present[:, :1]), present], dim=1) > 0
        means = means.masked_fill(~competes.repeat_interleave(per_image, dim=0), -1.0)
    best, label = means.max(dim=1)
    sure = torch.where(label == 0, best > beta_bg, best > beta_fg)
    label = torch.where(has_free & sure, label, IGNORE)
    return torch.where(free, label[ids], seeds.flatten()).view_as(seeds)
