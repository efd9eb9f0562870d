"""DeepLab trained with deep seeded region growing (Huang et al. 2018, DSRG)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from wsss_steps.nets.deeplab import build_deeplab as build
from wsss_steps.nets.segmentation import SegmentationNetwork
from wsss_steps.ops.crf import preset_of
from wsss_steps.ops.deep_region_growing import confident, grow_each
from wsss_steps.ops.labels import IGNORE
from wsss_steps.ops.losses.balanced_seeds import balanced_seed_loss
from wsss_steps.ops.losses.boundary import boundary_loss
from wsss_steps.ops.resize import resize_images, sample_labels, scaled_size
from wsss_steps.ops.smoothing import Unary, cell_colours, floored_softmax, smooth

__all__ = ["NEEDS_PIXELS", "build", "losses"]

NEEDS_PIXELS = True


def cells_of(batch: Mapping[str, Tensor], size: tuple[int, int], stride: int) -> dict[str, Tensor]:
    """`seeds`, `inside` (B, h, w) and `colours` (B, 3, h, w) of the cells of images resized to `size`."""
    return {
        "seeds": sample_labels(batch["seeds"], size, stride, outside=IGNORE),
        "inside": sample_labels(batch["inside"], size, stride, outside=False),
        "colours": cell_colours(batch["pixels"], batch["inside"], size, stride),
    }


def shares(cells: Mapping[str, Tensor], labels: Tensor) -> dict[str, Tensor]:
    """Shares of the cells inside the images that are labelled before growing and after it."""
    inside = cells["inside"]
    count = inside.sum().clamp(min=1)
    found = {"share_seeded": cells["seeds"], "share_labelled": labels}
    return {name: ((one != IGNORE) & inside).sum() / count for name, one in found.items()}


def losses(
    network: SegmentationNetwork,
    batch: dict[str, Tensor],
    *,
    train_scales: Sequence[float],
    grow: bool,
    theta_bg: float,
    theta_fg: float,
    lambda_boundary: float,
    boundary_clip: float,
    floor: float,
    crf: Mapping[str, Any] | None,
    crf_unary: Unary,
) -> dict[str, Tensor]:
    """Balanced loss of seeds that are grown from the network's own output, and the loss of boundaries.

    The supervision starts from the initial seeds in every step. What is grown is what a dense CRF makes of the output
    on the grid of the logits; the boundary loss pulls the output to the same. A crop without any seed teaches nothing.

    Args:
        network: gives logits (B, C+1, h, w).
        batch: `images` (B, 3, H, W), normalised; `pixels` (B, 3, H, W) uint8; `tags` (B, C); `seeds` (B, H, W), 0..C
            and 255; `inside` (B, H, W) bool.
        train_scales: factors on the image size.
        grow: whether seeds grow.
        theta_bg: probability above which a cell is surely background.
        theta_fg: probability above which a cell is surely of a class.
        lambda_boundary: weight of the boundary loss; 0 omits it.
        boundary_clip: largest ratio between the two outputs that the boundary loss counts.
        floor: added to every probability.
        crf: the preset's numbers, widths in cells; None for no CRF.
        crf_unary: energies of the CRF, see `smooth`.

    Returns:
        `seed_<scale>` and, already weighted, `boundary_<scale>`, whose sum is minimised; and, only recorded, the shares
        of cells labelled before growing, `share_seeded`, and after, `share_labelled`, at the first scale.
    """
    parts = {}
    preset = preset_of(crf)
    for scale in train_scales:
        size = scaled_size(batch["images"].shape[-2:], scale)
        probabilities = floored_softmax(network(resize_images(batch["images"], size)), floor)
        cells = cells_of(batch, size, network.stride)
        labels, inside = cells["seeds"], cells["inside"]
        smoothed = probabilities.detach()
        if grow or lambda_boundary:
            smoothed = smooth(smoothed, cells["colours"], inside, preset, unary=crf_unary, floor=floor)
        if grow:
            sure = confident(smoothed, batch["tags"], inside, theta_bg=theta_bg, theta_fg=theta_fg)
            labels = grow_each(labels, sure)
        parts[f"seed_{scale:g}"] = balanced_seed_loss(probabilities.log(), labels)
        if lambda_boundary:
            members = inside & (cells["seeds"] != IGNORE).any(-1, keepdim=True).any(-2, keepdim=True)
            loss = boundary_loss(probabilities, smoothed, members, most=boundary_clip)
            parts[f"boundary_{scale:g}"] = lambda_boundary * loss
        if scale == train_scales[0]:
            parts |= shares(cells, labels)
    return parts
