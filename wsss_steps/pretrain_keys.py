"""Train a small vision transformer on the images of the train split without any label (DINO), for its keys.

The teacher's weights are written, as in DINO, as half floats like the keys computed from them.
"""

from __future__ import annotations

import csv
import io
import logging
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wsss_steps import methods
from wsss_steps.cli import main
from wsss_steps.data import multicrop
from wsss_steps.data.images import read_image
from wsss_steps.data.manifest import read_manifest
from wsss_steps.formats.files import write_text
from wsss_steps.formats.weights import write_weights
from wsss_steps.nets import vit
from wsss_steps.ops import dino
from wsss_steps.progress import track
from wsss_steps.training import resuming
from wsss_steps.training.distillation import Distillation, View
from wsss_steps.training.resuming import Keeper

log = logging.getLogger(__name__)

GLOBAL_VIEWS = 2
LAST_LEARNING_RATE = 1e-5
Range = tuple[float, float]


def batches(count: int, batch_size: int, generator: torch.Generator) -> list[list[int]]:
    """Indices of one epoch in random order, in full batches; an incomplete one is dropped unless it is the only one."""
    order = torch.randperm(count, generator=generator).tolist()
    starts = range(0, max(count - batch_size, 0) + 1, batch_size)
    return [order[start : start + batch_size] for start in starts]


def draw_views(
    images: list[Tensor],
    generator: torch.Generator,
    *,
    window: Range,
    global_crop: int,
    local_crop: int,
    local_crops: int,
    global_area: Range,
    local_area: Range,
    jitter: tuple[float, float, float, float],
    grey: float,
    blurred: float,
    mean: tuple[float, float, float],
    std: tuple[float, float, float],
) -> tuple[list[View], list[View]]:
    """Normalised global and local views of uint8 images (3, H, W); all views of an image lie in one random window."""
    parts = [multicrop.window(image.float() / 255, window, generator) for image in images]
    wide = multicrop.Views(global_crop, global_area, jitter, grey, blurred)
    narrow = multicrop.Views(local_crop, local_area, jitter, grey, blurred / 2)
    drawn = [multicrop.draw(parts, wide, generator, solarise=view == 1) for view in range(GLOBAL_VIEWS)]
    drawn += [multicrop.draw(parts, narrow, generator, solarise=False) for _ in range(local_crops)]
    subtracted, divisor = (torch.tensor(values).view(1, 3, 1, 1) for values in (mean, std))
    views = [((pixels - subtracted) / divisor, places) for pixels, places in drawn]
    return views[:GLOBAL_VIEWS], views[GLOBAL_VIEWS:]


@dataclass
class Pretraining:
    """All that changes while training, except global random states.

    `step` counts finished steps; `order` are the batches of the current epoch, `found` the losses of its steps.
    """

    distillation: Distillation
    generator: torch.Generator
    step: int = 0
    order: list[list[int]] = field(default_factory=list)
    found: list[dict[str, float]] = field(default_factory=list)
    history: list[dict[str, float]] = field(default_factory=list)

    def state(self) -> dict[str, Any]:
        """What `restore` takes."""
        return vars(self) | {"distillation": self.distillation.state(), "generator": self.generator.get_state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from where `state` was taken."""
        self.distillation.restore(state["distillation"])
        self.generator.set_state(state["generator"])
        vars(self).update({name: value for name, value in state.items() if name not in ("distillation", "generator")})

    def end_epoch(self, rate: float, progress: float) -> None:
        """Log a finished epoch and add its row to the history."""
        means = {name: sum(row[name] for row in self.found) / len(self.found) for name in self.found[0]}
        epoch = len(self.history) + 1
        log.info("epoch %d: %s", epoch, ", ".join(f"{name} {value:.4f}" for name, value in means.items()))
        momentum = self.distillation.momentum(progress)
        self.history.append({"epoch": epoch, **means, "learning_rate": rate, "teacher_momentum": momentum})
        self.found = []


def train(
    distillation: Distillation,
    images: list[Tensor],
    views: dict[str, Any],
    device: str,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    warmup: float,
    seed: int,
    keeper: Keeper | None = None,
) -> list[dict[str, float]]:
    """Train on uint8 images (3, H, W), with the arguments `views` of `draw_views`; returns one row per epoch."""
    generator = torch.Generator().manual_seed(seed)
    state, keeper = Pretraining(distillation, generator), keeper or Keeper()
    per_epoch = len(batches(len(images), batch_size, torch.Generator()))
    total = epochs * per_epoch
    keeper.resume(state)
    for step in track(range(state.step, total), total - state.step, "steps"):
        if step % per_epoch == 0:
            state.order = batches(len(images), batch_size, generator)
        drawn = draw_views([images[i] for i in state.order[step % per_epoch]], generator, **views)
        wide, narrow = ([(pixels.to(device), places) for pixels, places in part] for part in drawn)
        progress = (step + 1) / total
        rate = dino.warmed_up(progress, warmup, learning_rate, LAST_LEARNING_RATE)
        state.found.append(distillation.step(wide, narrow, rate, progress))
        state.step += 1
        if state.step % per_epoch == 0:
            state.end_epoch(rate, progress)
        if keeper.after_step(state):
            break
    keeper.finish(state)
    return state.history


def write_history(path: Path, rows: list[dict[str, float]]) -> None:
    """Write the rows of `train` as CSV."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(rows[0])
    writer.writerows([f"{value:.6g}" for value in row.values()] for row in rows)
    write_text(path, table.getvalue())


def run(
    *, manifest: Path, output: Path, history: Path, settings: dict[str, Any], device: str = "cpu", stamp: str = ""
) -> None:
    """Train on the images of the train split; write the teacher (weights of kind `vit`) and the history (CSV)."""
    with resuming.kept(output, history, stamp=stamp) as keeper:
        if keeper.made:
            return
        entries = read_manifest(manifest).split("train")
        images = [torch.from_numpy(read_image(Path(entry.image))).permute(2, 0, 1).contiguous() for entry in entries]
        size = settings["global_crop"]
        chosen = {key: settings[key] for key in ("patch", "width", "depth", "heads", "stem")}
        shape = vit.Shape(image_size=size, **chosen)
        log.info("training %s on %d images", shape, len(images))
        distillation = Distillation(shape, device, **methods.arguments(Distillation.__init__, settings))
        views = methods.arguments(draw_views, settings)
        rows = train(distillation, images, views, device, **methods.arguments(train, settings), keeper=keeper)
        content = {**asdict(shape), "mean": settings["mean"], "std": settings["std"]}
        teacher = distillation.teacher.vit.state_dict()
        state = {name: t.half() if t.is_floating_point() else t for name, t in teacher.items()}
        write_weights(output, "vit", state, content=content, stamp=stamp)
        write_history(history, rows)


if __name__ == "__main__":
    main(run)
