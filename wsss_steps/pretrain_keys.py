"""Train a small vision transformer on the images of the train split without any label (DINO), for its keys.

The teacher is written, as in DINO. Weights are stored as half floats: keys are stored as half floats too, and the
file is half as large.
"""

from __future__ import annotations

import copy
import csv
import io
import logging
import math
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW

from wsss_steps import formats, methods
from wsss_steps.cli import main
from wsss_steps.data import multicrop
from wsss_steps.data.images import read_image
from wsss_steps.data.manifest import read_manifest
from wsss_steps.errors import UserError
from wsss_steps.nets import vit
from wsss_steps.nets.dino_head import DinoHead
from wsss_steps.ops import dino
from wsss_steps.progress import track

log = logging.getLogger(__name__)

GLOBAL_VIEWS = 2
CENTRE_MOMENTUM = 0.9
LARGEST_GRADIENT = 3.0  # norm above which a gradient is scaled down
LAST_LEARNING_RATE = 1e-5
LAST_WEIGHT_DECAY = 0.4
COLUMNS = ("epoch", "loss", "teacher_entropy", "learning_rate", "teacher_momentum")


def build(shape: vit.Shape, prototypes: int) -> nn.ModuleDict:
    """A vision transformer and its projection head."""
    return nn.ModuleDict({"vit": vit.build(shape), "head": DinoHead(shape.width, prototypes)})


def scores(network: nn.ModuleDict, images: Tensor) -> Tensor:
    """Similarities (B, K) of each image with each prototype."""
    found: Tensor = network["head"](vit.class_token(network["vit"], images))
    return found


class Distillation:
    """Student, teacher and centre, and one training step of them."""

    def __init__(
        self,
        shape: vit.Shape,
        device: str,
        *,
        prototypes: int,
        teacher_momentum: float,
        student_temperature: float,
        teacher_temperature: float,
        weight_decay: float,
        seed: int,
    ) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)  # modules draw their initial weights from the global generator
            self.student = build(shape, prototypes).to(device)
        self.teacher = copy.deepcopy(self.student).requires_grad_(False)
        self.centre = torch.zeros(prototypes, device=device)
        self.teacher_momentum = teacher_momentum
        self.temperatures = student_temperature, teacher_temperature
        self.weight_decay = weight_decay
        parameters = list(self.student.named_parameters())
        kept = [p for name, p in parameters if p.ndim < 2 or name.endswith(("cls_token", "pos_embed"))]
        shrunk = [p for name, p in parameters if not (p.ndim < 2 or name.endswith(("cls_token", "pos_embed")))]
        self.optimiser = AdamW([{"params": shrunk}, {"params": kept, "weight_decay": 0.0}])

    def step(self, wide: list[Tensor], narrow: list[Tensor], rate: float, progress: float) -> tuple[float, float]:
        """One step on global and local views (B, 3, s, s each) at `progress` in [0, 1]; returns loss and teacher entropy."""
        self.optimiser.param_groups[0]["weight_decay"] = dino.cosine(progress, self.weight_decay, LAST_WEIGHT_DECAY)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        count = len(wide[0])
        with torch.no_grad():
            taught = scores(self.teacher, torch.cat(wide)).view(len(wide), count, -1)
        targets = dino.teacher_targets(taught, self.centre, self.temperatures[1])
        learnt = [
            scores(self.student, torch.cat(views)).view(len(views), count, -1) for views in (wide, narrow) if views
        ]
        loss = dino.dino_loss(torch.cat(learnt), targets, self.temperatures[0])
        entropy = dino.mean_entropy(targets).item()
        if not math.isfinite(loss.item()):
            parts = f"teacher entropy {entropy:.4g}, learning rate {rate:.3g}"
            raise UserError(f"expected a finite loss, found {loss.item()} ({parts}); a lower learning_rate may help")
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.student.parameters(), LARGEST_GRADIENT)
        self.optimiser.step()
        self.centre = dino.updated_centre(self.centre, taught, CENTRE_MOMENTUM)
        self._follow(self.momentum(progress))
        return loss.item(), entropy

    def momentum(self, progress: float) -> float:
        """The teacher's momentum when `progress` of the training is done; it ends at 1."""
        return dino.cosine(progress, self.teacher_momentum, 1.0)

    @torch.no_grad()
    def _follow(self, momentum: float) -> None:
        """Move the teacher towards the student."""
        for old, new in zip(self.teacher.parameters(), self.student.parameters(), strict=True):
            old.lerp_(new, 1 - momentum)


def batches(count: int, batch_size: int, generator: torch.Generator) -> Iterator[list[int]]:
    """Indices of one epoch in random order, in whole batches: the rest is left out, unless it is all."""
    order = torch.randperm(count, generator=generator).tolist()
    for start in range(0, max(count - batch_size, 0) + 1, batch_size):
        yield order[start : start + batch_size]


def run(
    *, manifest: Path, output: Path, history: Path, settings: dict[str, Any], device: str = "cpu", stamp: str = ""
) -> None:
    """Train on the images of the train split; write the teacher (`vit` weights) and the loss of every epoch (CSV)."""
    entries = read_manifest(manifest).split("train")
    images = [torch.from_numpy(read_image(Path(entry.image))).permute(2, 0, 1) for entry in entries]
    shape = vit.Shape(
        settings["patch"], settings["width"], settings["depth"], settings["heads"], image_size=settings["global_crop"]
    )
    log.info("training a vision transformer of %s on %d images", asdict(shape), len(images))
    distillation = Distillation(shape, device, **methods.arguments(Distillation.__init__, settings))
    rows = list(train(distillation, images, device, **methods.arguments(train, settings)))
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerows([COLUMNS, *rows])
    formats.write_text(history, table.getvalue())
    content = {**asdict(shape), "mean": settings["mean"], "std": settings["std"]}
    state = {name: tensor.half() for name, tensor in distillation.teacher["vit"].state_dict().items()}
    formats.write_weights(output, "vit", state, content=content, stamp=stamp)


def train(
    distillation: Distillation,
    images: list[Tensor],
    device: str,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    warmup: float,
    window: tuple[float, float],
    global_crop: int,
    local_crop: int,
    local_crops: int,
    global_area: tuple[float, float],
    local_area: tuple[float, float],
    jitter: tuple[float, float, float, float],
    grey: float,
    blurred: float,
    mean: tuple[float, float, float],
    std: tuple[float, float, float],
    seed: int,
) -> Iterator[tuple[int, str, str, str, str]]:
    """Train on uint8 images (3, H, W); yields one row of the history (`COLUMNS`) per epoch."""
    generator = torch.Generator().manual_seed(seed)
    wide = multicrop.Views(global_crop, tuple(global_area), tuple(jitter), grey, blurred)
    narrow = multicrop.Views(local_crop, tuple(local_area), tuple(jitter), grey, blurred / 2)
    subtracted, divisor = (torch.tensor(values).view(1, 3, 1, 1) for values in (mean, std))
    per_epoch = len(list(batches(len(images), batch_size, torch.Generator())))
    steps = ((epoch, chosen) for epoch in range(epochs) for chosen in batches(len(images), batch_size, generator))
    found: list[tuple[float, float]] = []
    for step, (epoch, chosen) in enumerate(track(steps, epochs * per_epoch, "steps")):
        batch = [multicrop.window(images[i].float() / 255, window, generator) for i in chosen]
        views = [multicrop.draw(batch, wide, generator, solarise=view == 1) for view in range(GLOBAL_VIEWS)]
        views += [multicrop.draw(batch, narrow, generator, solarise=False) for _ in range(local_crops)]
        views = [((view - subtracted) / divisor).to(device) for view in views]
        progress = (step + 1) / (epochs * per_epoch)
        rate = dino.warmed_up(progress, warmup, learning_rate, LAST_LEARNING_RATE)
        found.append(distillation.step(views[:GLOBAL_VIEWS], views[GLOBAL_VIEWS:], rate, progress))
        if len(found) == per_epoch:
            loss, entropy = (sum(column) / per_epoch for column in zip(*found, strict=True))
            log.info("epoch %d: loss %.4f, teacher entropy %.4f", epoch + 1, loss, entropy)
            yield epoch + 1, f"{loss:.6f}", f"{entropy:.6f}", f"{rate:.6e}", f"{distillation.momentum(progress):.6f}"
            found = []


if __name__ == "__main__":
    main(run)
