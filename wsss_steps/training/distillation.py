"""DINO as a training of `loop.fit`: a student learns to agree with a teacher, its own moving average."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from wsss_steps.nets import vit
from wsss_steps.nets.dino_head import DinoHead
from wsss_steps.ops import dino

CENTRE_MOMENTUM = 0.9
LARGEST_GRADIENT = 3.0  # norm above which a gradient is scaled down
LAST_LEARNING_RATE = 1e-5
LAST_WEIGHT_DECAY = 0.4


class Network(nn.Module):
    """A vision transformer and its projection heads, one for images and one for patches."""

    def __init__(self, shape: vit.Shape, prototypes: int) -> None:
        super().__init__()
        image_head, patch_head = (DinoHead(shape.width, prototypes) for _ in range(2))
        self.vit = vit.build(shape)
        self.image_head = image_head
        self.patch_head = patch_head

    def scores(self, views: Sequence[Tensor], with_patches: bool) -> list[tuple[Tensor, Tensor]]:
        """Scores of the class token (B, K) and of the patches (B, N, K) of each view (B, 3, s, s); N = 0 without."""
        token, patches = vit.class_token_and_keys(self.vit, torch.cat(list(views)))
        image = self.image_head(token)
        if with_patches:
            patches = self.patch_head(patches.flatten(0, 1)).view(*patches.shape[:2], -1)
        else:
            patches = image.new_zeros(len(image), 0, image.shape[1])
        return list(zip(image.chunk(len(views)), patches.chunk(len(views)), strict=True))


class Distillation(nn.Module):
    """Student, teacher, and the centre (K,) of the teacher's scores of images."""

    def __init__(self, shape: vit.Shape, *, prototypes: int, seed: int) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)  # modules draw their initial weights from the global generator
            self.student = Network(shape, prototypes)
        self.teacher = copy.deepcopy(self.student).requires_grad_(False)
        self.centre: Tensor
        self.register_buffer("centre", torch.zeros(prototypes))


def losses(
    network: Distillation,
    batch: Mapping[str, Tensor],
    *,
    student_temperature: float,
    teacher_temperature: float,
    patch_weight: float,
) -> dict[str, Tensor]:
    """DINO's loss between the class tokens of different views, and between the keys of patches at the same place.

    Since every patch counts in the second, a small network learns materials from few images. Its teacher scores are
    centred within each view, so that they describe how the parts of an image differ, not which image it is, which all
    its patches share.

    Args:
        network: its centre moves towards the teacher's scores.
        batch: `images` (B, 2, 3, S, S), `local` (B, n, 3, s, s) and `places` (B, 2 + n, 4) of `data.views`.
        student_temperature: divides the student's scores.
        teacher_temperature: divides the teacher's scores.
        patch_weight: of the loss of patches; 0 omits it.

    Returns:
        `image` and, already weighted, `patch`, whose sum is minimised; and, only recorded, the mean entropies of the
        teacher's targets, `entropy_image` and `entropy_patch`.
    """
    kinds = [batch[name].unbind(1) for name in ("images", "local")]
    with torch.no_grad():
        taught = network.teacher.scores(kinds[0], bool(patch_weight))
    learnt = [scores for views in kinds if views for scores in network.student.scores(views, bool(patch_weight))]
    images = torch.stack([image for image, _ in taught])
    targets = dino.teacher_targets(images, network.centre, teacher_temperature)
    parts = {"image": dino.dino_loss(torch.stack([image for image, _ in learnt]), targets, student_temperature)}
    parts["entropy_image"] = dino.mean_entropy(targets)
    if patch_weight:
        targets = torch.stack(
            [dino.teacher_targets(p, p.mean(dim=1, keepdim=True), teacher_temperature) for _, p in taught]
        )
        places = batch["places"].unbind(1)
        parts["patch"] = patch_weight * _patch_loss([p for _, p in learnt], targets, places, student_temperature)
        parts["entropy_patch"] = dino.mean_entropy(targets)
    network.centre.copy_(dino.updated_centre(network.centre, images, CENTRE_MOMENTUM))
    return parts


def _patch_loss(learnt: Sequence[Tensor], targets: Tensor, places: Sequence[Tensor], temperature: float) -> Tensor:
    """Mean over pairs of a student view and a different, global view of the teacher.

    `learnt` are the scores (B, N, K) of each view, `targets` (G, B, M, K), `places` (B, 4) of each view.
    """
    found = []
    for g, target in enumerate(targets):
        for v, scores in enumerate(learnt):
            if g != v:
                sides = (math.isqrt(scores.shape[1]), math.isqrt(target.shape[1]))
                match = dino.matching(places[v], sides[0], places[g], sides[1])
                found.append(dino.patch_loss(scores, target, match, temperature))
    return torch.stack(found).mean()


def make_optimiser(network: Distillation) -> AdamW:
    """AdamW on the student, with clipped gradients; biases, norms and tokens do not decay."""
    kept: list[nn.Parameter] = []
    shrunk: list[nn.Parameter] = []
    for name, parameter in network.student.named_parameters():
        if parameter.requires_grad:
            free = parameter.ndim < 2 or name.endswith(("cls_token", "pos_embed"))
            (kept if free else shrunk).append(parameter)
    groups: list[dict[str, Any]] = [{"params": shrunk}, {"params": kept, "weight_decay": 0.0}]
    optimiser = AdamW(groups)

    def clip(*_: object) -> None:
        nn.utils.clip_grad_norm_(network.student.parameters(), LARGEST_GRADIENT)

    optimiser.register_step_pre_hook(clip)
    return optimiser


def schedule(
    optimiser: Optimizer, step: int, total: int, *, learning_rate: float, warmup: float, weight_decay: float
) -> None:
    """Set learning rate and weight decay for step 0, 1, ... of `total`.

    The rate rises to `learning_rate` during the share `warmup` of the steps; the decay grows from `weight_decay`.
    """
    progress = (step + 1) / total
    optimiser.param_groups[0]["weight_decay"] = dino.cosine(progress, weight_decay, LAST_WEIGHT_DECAY)
    for group in optimiser.param_groups:
        group["lr"] = dino.warmed_up(progress, warmup, learning_rate, LAST_LEARNING_RATE)


@torch.no_grad()
def follow(network: Distillation, progress: float, *, teacher_momentum: float) -> None:
    """Move the teacher towards the student after a step; its momentum ends at 1, at `progress` 1."""
    momentum = dino.cosine(progress, teacher_momentum, 1.0)
    for old, new in zip(network.teacher.parameters(), network.student.parameters(), strict=True):
        old.lerp_(new, 1 - momentum)
