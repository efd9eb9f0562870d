"""A network's probabilities while it is trained, and what a dense CRF makes of them on the network's own grid (DSRG).

Huang et al. (2018), after Kolesnikov and Lampert (2016). The numbers are those of the authors' public code.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Shaped, UInt8
from torch import Tensor
from torch.nn import functional as F

from wsss_steps.ops.crf import Preset, dense_crf, label_unary, probability_unary
from wsss_steps.ops.resize import resize_images

Unary = Literal["probability", "log_probability"]


def floored_softmax(logits: Float[Tensor, "B L h w"], floor: float) -> Float[Tensor, "B L h w"]:
    """(softmax + floor) / (1 + L floor): probabilities whose logarithms, and the gradients of these, are bounded."""
    raised = torch.softmax(logits, dim=1) + floor
    return raised / raised.sum(dim=1, keepdim=True)


def cell_colours(
    pixels: UInt8[Tensor, "B 3 H W"], inside: Bool[Tensor, "B H W"], size: tuple[int, int], stride: int
) -> UInt8[Tensor, "B 3 h w"]:
    """Mean colour of every cell of `stride` px of images resized to `size`; padding does not count, alone it is 0."""
    weights = resize_images(inside[:, None].float(), size)
    sums = F.avg_pool2d(resize_images(pixels * inside[:, None].float(), size), stride, ceil_mode=True)
    shares = F.avg_pool2d(weights, stride, ceil_mode=True)
    return (sums / shares.clamp(min=1e-6)).round().clamp(0, 255).to(torch.uint8)


@torch.no_grad()
def smooth(
    probabilities: Float[Tensor, "B L h w"],
    colours: UInt8[Tensor, "B 3 h w"],
    inside: Bool[Tensor, "B h w"],
    preset: Preset | None,
    *,
    unary: Unary,
    floor: float,
) -> Float[Tensor, "B L h w"]:
    """Q: the marginals of a dense CRF on every image, at least `floor` before they are brought to the sum 1.

    The CRF sees the rectangle of cells that are inside the image, each image in turn, on the CPU; around it, and
    without a preset, the probabilities stay. No gradient flows.

    Args:
        probabilities: P, positive, with the sum 1.
        colours: of the cells.
        inside: cells that are no padding.
        preset: widths in cells. One for labels takes the most probable label of each cell for its energies.
        unary: energies -P, as the authors' code has them, or -log P, as the formula of the CRF has them.
        floor: least probability.
    """
    result = probabilities.cpu().numpy().copy()
    images = colours.permute(0, 2, 3, 1).cpu().numpy()
    for found, image, within in zip(result, images, inside.cpu().numpy(), strict=True):
        if preset is not None and within.any():
            rows, columns = np.ix_(within.any(axis=1), within.any(axis=0))
            energies = _energies(found[:, rows, columns], preset, unary)
            found[:, rows, columns] = dense_crf(image[rows, columns], energies, preset)
    raised = torch.from_numpy(result).to(probabilities).clamp(min=floor)
    return raised / raised.sum(dim=1, keepdim=True)


def _energies(probabilities: Shaped[np.ndarray, "L h w"], preset: Preset, unary: Unary) -> Float[np.ndarray, "L h w"]:
    """Unary energies of one image."""
    if preset.gt_prob is not None:
        return label_unary(probabilities.argmax(axis=0), len(probabilities), preset.gt_prob)
    return probability_unary(probabilities) if unary == "log_probability" else -probabilities.astype(np.float32)
