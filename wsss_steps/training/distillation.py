"""One training step of DINO: a student learns to agree with a teacher, its own moving average."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW

from wsss_steps.errors import UserError
from wsss_steps.nets import vit
from wsss_steps.nets.dino_head import DinoHead
from wsss_steps.ops import dino

View = tuple[Tensor, Tensor]  # normalised images (B, 3, s, s) and their places (B, 4)

CENTRE_MOMENTUM = 0.9
LARGEST_GRADIENT = 3.0  # norm above which a gradient is scaled down
LAST_WEIGHT_DECAY = 0.4


class Network(nn.Module):
    """A vision transformer and its projection heads, one for images and one for patches."""

    def __init__(self, shape: vit.Shape, prototypes: int) -> None:
        super().__init__()
        image_head, patch_head = (DinoHead(shape.width, prototypes) for _ in range(2))
        self.vit = vit.build(shape)
        self.image_head = image_head
        self.patch_head = patch_head


class Distillation:
    """Student, teacher and centre.

    The loss is DINO's, between the class tokens of different views, plus `patch_weight` times the same loss between
    the keys of patches at the same place of the image in different views. Since every patch counts in the second, a
    small network learns materials from few images. Its teacher scores are centred within each view, so that they
    describe how the parts of an image differ, not which image it is, which all its patches share.
    """

    def __init__(
        self,
        shape: vit.Shape,
        device: str,
        *,
        prototypes: int,
        teacher_momentum: float,
        student_temperature: float,
        teacher_temperature: float,
        patch_weight: float,
        weight_decay: float,
        seed: int,
    ) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)  # modules draw their initial weights from the global generator
            self.student = Network(shape, prototypes).to(device)
        self.teacher = copy.deepcopy(self.student).requires_grad_(False)
        self.centre = torch.zeros(prototypes, device=device)
        self.teacher_momentum = teacher_momentum
        self.temperatures = student_temperature, teacher_temperature
        self.patch_weight = patch_weight
        self.weight_decay = weight_decay
        kept: list[nn.Parameter] = []
        shrunk: list[nn.Parameter] = []
        for name, parameter in self.student.named_parameters():
            if parameter.requires_grad:
                free = parameter.ndim < 2 or name.endswith(("cls_token", "pos_embed"))
                (kept if free else shrunk).append(parameter)
        groups: list[dict[str, Any]] = [{"params": shrunk}, {"params": kept, "weight_decay": 0.0}]
        self.optimiser = AdamW(groups)

    def state(self) -> dict[str, Any]:
        """All that changes while training; `restore` takes it back."""
        modules = {name: getattr(self, name).state_dict() for name in ("student", "teacher", "optimiser")}
        return modules | {"centre": self.centre}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from where `state` was taken."""
        for name in ("student", "teacher", "optimiser"):
            getattr(self, name).load_state_dict(state[name])
        self.centre = state["centre"].to(self.centre.device)

    def _scores(self, network: Network, views: list[View]) -> list[tuple[Tensor, Tensor]]:
        """Scores of the class token (B, K) and of the patches (B, N, K) of each view; all views have the same size."""
        token, patches = vit.class_token_and_keys(network.vit, torch.cat([images for images, _ in views]))
        image = network.image_head(token)
        if not self.patch_weight:
            patches = image.new_zeros(len(image), 0, image.shape[1])
        else:
            patches = network.patch_head(patches.flatten(0, 1)).view(*patches.shape[:2], -1)
        return list(zip(image.chunk(len(views)), patches.chunk(len(views)), strict=True))

    def step(self, wide: list[View], narrow: list[View], rate: float, progress: float) -> dict[str, float]:
        """One step on global and local views at `progress` in [0, 1]; returns losses and the teacher's entropies.

        A UserError if the loss is not finite.
        """
        self.optimiser.param_groups[0]["weight_decay"] = dino.cosine(progress, self.weight_decay, LAST_WEIGHT_DECAY)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        with torch.no_grad():
            taught = self._scores(self.teacher, wide)
        learnt = [scores for views in (wide, narrow) if views for scores in self._scores(self.student, views)]
        targets = dino.teacher_targets(torch.stack([image for image, _ in taught]), self.centre, self.temperatures[1])
        parts = {"image": dino.dino_loss(torch.stack([image for image, _ in learnt]), targets, self.temperatures[0])}
        found = {"image_entropy": dino.mean_entropy(targets).item()}
        if self.patch_weight:
            patch_targets = [
                dino.teacher_targets(p, p.mean(dim=1, keepdim=True), self.temperatures[1]) for _, p in taught
            ]
            parts["patch"] = self._patch_loss([p for _, p in learnt], patch_targets, [*wide, *narrow])
            found["patch_entropy"] = dino.mean_entropy(torch.stack(patch_targets)).item()
        found |= {name: part.item() for name, part in parts.items()}
        if not all(math.isfinite(value) for value in found.values()):
            raise UserError(f"expected a finite loss, found {found} at learning rate {rate:.3g}; a lower one may help")
        self._descend(parts["image"] + self.patch_weight * parts["patch"] if self.patch_weight else parts["image"])
        self._follow(torch.stack([image for image, _ in taught]), self.momentum(progress))
        return found

    def _patch_loss(self, learnt: list[Tensor], targets: list[Tensor], views: list[View]) -> Tensor:
        """Mean over pairs of a student view and a different, global view of the teacher."""
        losses = []
        for g, target in enumerate(targets):
            for v, scores in enumerate(learnt):
                if g != v:
                    sides = (math.isqrt(scores.shape[1]), math.isqrt(target.shape[1]))
                    match = dino.matching(views[v][1], sides[0], views[g][1], sides[1]).to(scores.device)
                    losses.append(dino.patch_loss(scores, target, match, self.temperatures[0]))
        return torch.stack(losses).mean()

    def _descend(self, loss: Tensor) -> None:
        """One step of the optimiser."""
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.student.parameters(), LARGEST_GRADIENT)
        self.optimiser.step()

    def momentum(self, progress: float) -> float:
        """The teacher's momentum at `progress` in [0, 1]; it ends at 1."""
        return dino.cosine(progress, self.teacher_momentum, 1.0)

    @torch.no_grad()
    def _follow(self, taught: Tensor, momentum: float) -> None:
        """Move the centre towards the teacher's scores of the images (G, B, K), and the teacher towards the student."""
        self.centre = dino.updated_centre(self.centre, taught, CENTRE_MOMENTUM)
        for old, new in zip(self.teacher.parameters(), self.student.parameters(), strict=True):
            old.lerp_(new, 1 - momentum)
