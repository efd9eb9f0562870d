"""DSRG with label images of some of the training images: semi-supervised, as FickleNet (Lee et al. 2019) has it.

The weight and the form of the further loss are from general knowledge of that paper, not verified.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from wsss_steps.methods.segmenter.dsrg import NEEDS_PIXELS, build, grown, named, of_logits
from wsss_steps.nets.segmentation import SegmentationNetwork
from wsss_steps.ops.labels import IGNORE
from wsss_steps.ops.losses.seeds import seed_cross_entropy
from wsss_steps.ops.resize import resize_images, sample_labels, scaled_size
from wsss_steps.ops.smoothing import Unary

__all__ = ["NEEDS_PIXELS", "build", "grown", "losses"]


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
    lambda_full: float,
) -> dict[str, Tensor]:
    """The losses of `dsrg`, of all images, and cross-entropy on the label images of those that have one.

    The network, the settings of `dsrg` and the batch are as there; the batch has `strong_masks` (B, H, W) besides,
    0..C and 255. `lambda_full` is the weight of that cross-entropy, the mean over all labelled cells of the batch.
    Returns the parts of `dsrg`, and already weighted `full_<scale>`, which is 0 without a label image in the batch.
    """
    options: dict[str, Any] = {"grow": grow, "theta_bg": theta_bg, "theta_fg": theta_fg, "floor": floor, "crf": crf}
    options |= {"lambda_boundary": lambda_boundary, "boundary_clip": boundary_clip, "crf_unary": crf_unary}
    parts: dict[str, Tensor] = {}
    for scale in train_scales:
        size = scaled_size(batch["images"].shape[-2:], scale)
        logits = network(resize_images(batch["images"], size))
        found = of_logits(logits, batch, size, network.stride, **options)
        masks = sample_labels(batch["strong_masks"], size, network.stride, outside=IGNORE)
        found["full"] = lambda_full * seed_cross_entropy(logits, masks)
        parts |= named(found, scale, first=scale == train_scales[0])
    return parts
