"""RecurSeed (Jo et al. 2022): classifier and segmentation network in one, taught by its own refined maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from wsss_steps.errors import UserError
from wsss_steps.nets.backbones import build_backbone, freeze
from wsss_steps.nets.deeplab_v3plus import STRIDE, Decoder
from wsss_steps.nets.single_stage import SingleStage
from wsss_steps.ops.labels import IGNORE
from wsss_steps.ops.losses.map_distance import map_distance
from wsss_steps.ops.losses.seeds import seed_cross_entropy
from wsss_steps.ops.losses.tags import multi_label_loss
from wsss_steps.ops.mixed_cells import edge_labels, mix_cells
from wsss_steps.ops.recursion import activations, confident_labels, recurse
from wsss_steps.ops.resize import enlarge, resize_images, sample_labels
from wsss_steps.training.ranks import world

NEEDS_PIXELS = True
PARTS, MIXED = ("tags", "seg", "rec", "share_labelled"), ("mixed_seg", "mixed_rec")


def build(
    num_classes: int,
    *,
    backbone: Mapping[str, Any],
    output_stride: int,
    aspp_rates: Sequence[int],
    low_level_width: int,
    decoder_width: int,
    dilated: bool,
    frozen_stages: int,
    frozen_batch_norm: str,
) -> SingleStage:
    """The network with random weights.

    Args:
        num_classes: C.
        backbone: `net` names the network, `options` are its further arguments.
        output_stride: image px per cell of the maps.
        aspp_rates: dilations of the decoder's pyramid, in cells of the maps.
        low_level_width: channels that the decoder brings the features at stride 4 to.
        decoder_width: channels of the pyramid and the decoder.
        dilated: dilate the convolutions after a stride that the output stride removes.
        frozen_stages: number of frozen stages, counted from the input.
        frozen_batch_norm: what is frozen in the backbone's batch normalisation: none, statistics or all.
    """
    net, options = backbone["net"], backbone["options"]
    features = build_backbone(net, output_stride=output_stride, options=options, dilated=dilated)
    freeze(features, frozen_stages, frozen_batch_norm)
    widths = {"width": decoder_width, "low_level_width": low_level_width}
    return SingleStage(features, num_classes, Decoder(features, num_classes + 1, rates=aspp_rates, **widths))


def losses(
    network: SingleStage,
    batch: Mapping[str, Tensor],
    *,
    stages: int,
    delta_h: float,
    delta_l: float,
    dilations: Sequence[int],
    iterations: int,
    delta_fg: float,
    delta_bg: float,
    lambda_seg: float,
    lambda_rec: float,
    rs_epoch: float,
    mix: str,
    mix_epoch: float,
    mixing: Mapping[str, Any],
) -> dict[str, Tensor]:
    """Parts of the loss, already weighted: `tags`, of the decoder (`seg`) and of the maps (`rec`).

    With a mixer there are `mixed_seg` and `mixed_rec` as well, of images that are mixed, as their targets are.

    Args:
        network: in its first `rs_epoch` epochs only the tags teach it.
        batch: images (B, 3, H, W), pixels (B, 3, H, W) uint8, inside (B, H, W) bool, tags (B, C).
        stages: last stages whose features SCG compares.
        delta_h: of SCG: activation above which a cell is surely of a class.
        delta_l: of SCG: activation below which it is surely not.
        dilations: of PAMR, cells at stride 4.
        iterations: of PAMR.
        delta_fg: above it, a refined map labels a cell for the decoder.
        delta_bg: below it, a cell is background for the decoder.
        lambda_seg: weight of the cross-entropy of the decoder.
        lambda_rec: weight of the L1 distance of the maps to the refined ones.
        rs_epoch: epochs of warm-up.
        mix: name of the mixer, or none.
        mix_epoch: epochs before images are mixed.
        mixing: the numbers of the mixers, and of EP.

    Returns:
        Also, only recorded, `share_labelled`: that of the cells inside the images which the refined maps label.
    """
    if world() > 1:  # the processes of a training share the backbone's last feature map, not those before it
        raise UserError("classifier 'recurseed' trains in one process: set gpus_per_training: 1")
    images, tags = batch["images"], batch["tags"]
    parts = {name: tags.new_zeros(()) for name in (*PARTS, *(MIXED if mix != "none" else ()))}
    if network.epoch < rs_epoch:
        return parts | {"tags": multi_label_loss(network.scores(images), tags)}
    raw, logits, levels = network.outputs(images, stages)
    cells, weights = cells_of(batch), (lambda_seg, lambda_rec)
    pamr: dict[str, Any] = {"dilations": dilations, "iterations": iterations}
    deltas = {"delta_h": delta_h, "delta_l": delta_l, "delta_fg": delta_fg, "delta_bg": delta_bg}
    cells |= targets(network, raw, levels, cells, **deltas, **pamr)
    labelled = (cells["labels"] != IGNORE).sum() / cells["inside"].sum().clamp(min=1)
    parts |= {"tags": multi_label_loss(raw.mean(dim=(2, 3)), tags), "share_labelled": labelled}
    parts |= zip(("seg", "rec"), taught(network, raw, logits, cells, weights), strict=True)
    if mix != "none" and network.epoch >= mix_epoch:
        if mix == "edgepredictmix":
            cells["labels"] = edge_labels(logits, cells, mixing, **pamr)
        mixed = mix_cells(mix, images, cells, mixing, STRIDE)
        if mixed is not None:
            raw, logits, _ = network.outputs(mixed["images"], stages)
            parts |= zip(MIXED, taught(network, raw, logits, mixed, weights), strict=True)
    return parts


def cells_of(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What is known of the cells at stride 4: `tags` (B, C), `inside` (B, H, W), and `colours` (B, 3, H, W), RGB."""
    return {
        "tags": batch["tags"],
        "inside": sample_labels(batch["inside"], batch["images"].shape[-2:], STRIDE, outside=False),
        "colours": F.avg_pool2d(batch["pixels"].float() / 255, STRIDE, ceil_mode=True),
    }


@torch.no_grad()
def targets(
    network: SingleStage,
    raw: Float[Tensor, "B C h w"],
    levels: Sequence[Float[Tensor, "B _ _ _"]],
    cells: Mapping[str, Tensor],
    *,
    delta_fg: float,
    delta_bg: float,
    **refine: Any,
) -> dict[str, Tensor]:
    """What a batch teaches its own network, at stride 4: `maps` M_rs (B, C, H, W) and `labels` M_seg (B, H, W).

    refine: settings of SCG and PAMR, see `recurse`.
    """
    tags, inside = cells["tags"], cells["inside"]
    coarse, finer = coarse_cells(inside, network), network.decoder.enlargement
    layers = [resize_images(level.float(), (raw.shape[-2], raw.shape[-1])) for level in levels]
    maps = activations(raw, tags, coarse)
    refined = recurse(maps, layers, cells["colours"], tags, (coarse, inside), enlargement=finer, **refine)
    return {"maps": refined, "labels": confident_labels(refined, inside, delta_fg=delta_fg, delta_bg=delta_bg)}


def coarse_cells(inside: Bool[Tensor, "B H W"], network: SingleStage) -> Bool[Tensor, "B h w"]:
    """Which cells of the maps are inside the images, from those at stride 4."""
    return sample_labels(inside, inside.shape[-2:], network.decoder.enlargement, outside=False)


def taught(
    network: SingleStage,
    raw: Float[Tensor, "B C h w"],
    logits: Float[Tensor, "B L H W"],
    cells: Mapping[str, Tensor],
    weights: tuple[float, float],
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """L_seg and L_rec of raw maps and logits, for `labels` and `maps`, `tags` and `inside` of the cells at stride 4."""
    tags, inside = cells["tags"], cells["inside"]
    maps = activations(raw, tags, coarse_cells(inside, network))
    maps = enlarge(maps, (inside.shape[-2], inside.shape[-1]), network.decoder.enlargement)
    seg, rec = seed_cross_entropy(logits, cells["labels"]), map_distance(maps, cells["maps"], tags, inside)
    return weights[0] * seg, weights[1] * rec


def after_step(network: SingleStage, progress: float, *, epochs: int) -> None:
    """Count the epochs that are done, of which rounding must make no fewer."""
    network.epoch.fill_(round(progress * epochs, 6))
