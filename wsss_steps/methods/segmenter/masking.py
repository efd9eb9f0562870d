"""DeepLab trained with saliency maps and a classifier of masked images (Kim 2022, dissertation, section 2.3.3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from wsss_steps.errors import UserError
from wsss_steps.nets.deeplab import build_deeplab as build
from wsss_steps.nets.frozen import FrozenClassifier
from wsss_steps.nets.segmentation import SegmentationNetwork
from wsss_steps.ops.labels import IGNORE
from wsss_steps.ops.masking import attention_loss, attention_map, mean_of, saliency_loss
from wsss_steps.ops.resize import enlarge, resize_images, sample_labels, scaled_size

__all__ = ["build", "losses"]


def judged(logits: Tensor, batch: dict[str, Tensor], classifier: FrozenClassifier, paths: int, stride: int) -> Tensor:
    """Total attention loss: mean over `paths` random choices of erased classes (eq. 2.11), and over the images.

    Images without any labelled pixel in the crop do not count. The erased classes b are drawn from torch's CPU
    generator, which `loop.fit` seeds at the start of every epoch, so they are the same on every device.
    """
    images, tags = batch["images"], batch["tags"]
    probabilities = torch.softmax(logits, dim=1)
    labelled = (batch["seeds"] != IGNORE).flatten(1).any(1)
    found = []
    for _ in range(paths):
        erased = torch.randint(0, 2, tuple(tags.shape)).to(tags)
        attention = attention_map(probabilities, tags, erased)
        attention = enlarge(attention, (images.shape[-2], images.shape[-1]), stride)
        found.append(mean_of(attention_loss(classifier(images, attention), tags, erased), labelled))
    return torch.stack(found).mean()


def losses(
    network: SegmentationNetwork,
    batch: dict[str, Tensor],
    *,
    classifier: FrozenClassifier | None,
    train_scales: Sequence[float],
    lambda_seg: float,
    paths: int,
) -> dict[str, Tensor]:
    """Parts of l_seg = l_sal + lambda_seg l_attn (eq. 2.12): one saliency loss per input scale, and the attention loss.

    Args:
        network: gives logits (B, C+1, h, w).
        batch: `images` (B, 3, H, W), normalised for `network`; `tags` (B, C); `seeds` (B, H, W): 0 background, 255
            unlabelled, all others object. Their classes are not used.
        classifier: the frozen classifier, which converts the images to its own normalisation.
        train_scales: factors on the image size, over which the saliency loss is summed.
        lambda_seg: weight of the attention loss; 0 omits it, and needs no classifier.
        paths: masked versions per image.

    Returns:
        `seed_<scale>` and, already weighted, `attention`; their sum is minimised. The attention maps come from the
        logits of scale 1 (our choice: the dissertation does not say). A UserError if a needed classifier is missing.
    """
    if lambda_seg and classifier is None:
        raise UserError(
            "segmenter 'masking' needs the recipe's classifier (--needs classifier=PATH), found none; or lambda_seg: 0"
        )
    images = batch["images"]
    parts, whole = {}, None
    for scale in train_scales:
        size = scaled_size(images.shape[-2:], scale)
        logits = network(resize_images(images, size))
        labels = sample_labels(batch["seeds"], size, network.stride, outside=IGNORE)
        parts[f"seed_{scale:g}"] = saliency_loss(logits, labels, batch["tags"])
        whole = logits if scale == 1 else whole
    if lambda_seg and classifier is not None:
        whole = network(images) if whole is None else whole
        parts["attention"] = lambda_seg * judged(whole, batch, classifier, paths, network.stride)
    return parts
