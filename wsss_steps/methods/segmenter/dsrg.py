"""DeepLab trained with deep seeded region growing (Huang et al. 2018, DSRG)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jaxtyping import Float, Int
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

__all__ = ["NEEDS_PIXELS", "build", "grown", "losses"]

NEEDS_PIXELS = True
SHARES = ("share_seeded", "share_labelled")


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
    found = dict(zip(SHARES, (cells["seeds"], labels), strict=True))
    return {name: ((one != IGNORE) & inside).sum() / count for name, one in found.items()}


def grown(
    logits: Float[Tensor, "B L h w"],
    batch: Mapping[str, Tensor],
    size: tuple[int, int],
    stride: int,
    *,
    grow: bool,
    theta_bg: float,
    theta_fg: float,
    floor: float,
    crf: Mapping[str, Any] | None,
    crf_unary: Unary,
) -> Int[Tensor, "B h w"]:
    """The seeds as they grow from the logits of images resized to `size`: 0..C and 255. See `losses`."""
    cells = cells_of(batch, size, stride)
    if not grow:
        return cells["seeds"]
    probabilities = floored_softmax(logits.detach(), floor)
    smoothed = smooth(probabilities, cells["colours"], cells["inside"], preset_of(crf), unary=crf_unary, floor=floor)
    return from_sure(cells, smoothed, batch["tags"], theta_bg=theta_bg, theta_fg=theta_fg)


def from_sure(
    cells: Mapping[str, Tensor], smoothed: Float[Tensor, "B L h w"], tags: Tensor, *, theta_bg: float, theta_fg: float
) -> Int[Tensor, "B h w"]:
    """The seeds of `cells`, grown over what the smoothed output is sure of."""
    sure = confident(smoothed, tags, cells["inside"], theta_bg=theta_bg, theta_fg=theta_fg)
    return grow_each(cells["seeds"], sure)


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
    options: dict[str, Any] = {"grow": grow, "theta_bg": theta_bg, "theta_fg": theta_fg, "floor": floor, "crf": crf}
    options |= {"lambda_boundary": lambda_boundary, "boundary_clip": boundary_clip, "crf_unary": crf_unary}
    parts: dict[str, Tensor] = {}
    for scale in train_scales:
        size = scaled_size(batch["images"].shape[-2:], scale)
        logits = network(resize_images(batch["images"], size))
        found = of_logits(logits, batch, size, network.stride, **options)
        parts |= named(found, scale, first=scale == train_scales[0])
    return parts


def named(parts: Mapping[str, Tensor], scale: float, *, first: bool) -> dict[str, Tensor]:
    """The parts with the scale in their names; the shares as they are, at the first scale alone."""
    taught = {f"{name}_{scale:g}": part for name, part in parts.items() if name not in SHARES}
    return taught | ({name: parts[name] for name in SHARES} if first else {})


def of_logits(
    logits: Float[Tensor, "B L h w"],
    batch: Mapping[str, Tensor],
    size: tuple[int, int],
    stride: int,
    *,
    grow: bool,
    theta_bg: float,
    theta_fg: float,
    lambda_boundary: float,
    boundary_clip: float,
    floor: float,
    crf: Mapping[str, Any] | None,
    crf_unary: Unary,
) -> dict[str, Tensor]:
    """`seed`, `boundary` and the shares of `losses`, for the logits of images resized to `size`."""
    probabilities = floored_softmax(logits, floor)
    cells = cells_of(batch, size, stride)
    labels, inside = cells["seeds"], cells["inside"]
    smoothed = probabilities.detach()
    if grow or lambda_boundary:
        preset = preset_of(crf)
        smoothed = smooth(smoothed, cells["colours"], inside, preset, unary=crf_unary, floor=floor)
    if grow:
        labels = from_sure(cells, smoothed, batch["tags"], theta_bg=theta_bg, theta_fg=theta_fg)
    parts = {"seed": balanced_seed_loss(probabilities.log(), labels), **shares(cells, labels)}
    if lambda_boundary:
        members = inside & (cells["seeds"] != IGNORE).any(-1, keepdim=True).any(-2, keepdim=True)
        loss = boundary_loss(probabilities, smoothed, members, most=boundary_clip)
        parts["boundary"] = lambda_boundary * loss
    return parts
