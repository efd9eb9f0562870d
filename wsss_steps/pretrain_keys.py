"""Train a small vision transformer on the images of the train split without any label (DINO), for its keys.

The teacher is written, as in DINO. Weights are stored as half floats: keys are stored as half floats too, and the
file is half as large.
"""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wsss_steps import formats, methods
from wsss_steps.cli import main
from wsss_steps.data import multicrop
from wsss_steps.data.images import read_image
from wsss_steps.data.manifest import read_manifest
from wsss_steps.distillation import Distillation, View
from wsss_steps.nets import vit
from wsss_steps.ops import dino
from wsss_steps.progress import track

log = logging.getLogger(__name__)

GLOBAL_VIEWS = 2
LAST_LEARNING_RATE = 1e-5
Range = tuple[float, float]


def batches(count: int, batch_size: int, generator: torch.Generator) -> list[list[int]]:
    """Indices of one epoch in random order, in whole batches: the rest is left out, unless it is all."""
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
    """Normalised global and local views of uint8 images (3, H, W), all those of an image in one random window of it."""
    parts = [multicrop.window(image.float() / 255, window, generator) for image in images]
    wide = multicrop.Views(global_crop, global_area, jitter, grey, blurred)
    narrow = multicrop.Views(local_crop, local_area, jitter, grey, blurred / 2)
    drawn = [multicrop.draw(parts, wide, generator, solarise=view == 1) for view in range(GLOBAL_VIEWS)]
    drawn += [multicrop.draw(parts, narrow, generator, solarise=False) for _ in range(local_crops)]
    subtracted, divisor = (torch.tensor(values).view(1, 3, 1, 1) for values in (mean, std))
    views = [((pixels - subtracted) / divisor, places) for pixels, places in drawn]
    return views[:GLOBAL_VIEWS], views[GLOBAL_VIEWS:]


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
) -> Iterator[dict[str, float]]:
    """Train on uint8 images (3, H, W), `views` as `draw_views` takes them; yields a row of the history per epoch."""
    generator = torch.Generator().manual_seed(seed)
    per_epoch = len(batches(len(images), batch_size, torch.Generator()))
    steps = ((epoch, chosen) for epoch in range(epochs) for chosen in batches(len(images), batch_size, generator))
    found: list[dict[str, float]] = []
    for step, (epoch, chosen) in enumerate(track(steps, epochs * per_epoch, "steps"), start=1):
        drawn = draw_views([images[i] for i in chosen], generator, **views)
        wide, narrow = ([(pixels.to(device), places) for pixels, places in part] for part in drawn)
        progress = step / (epochs * per_epoch)
        rate = dino.warmed_up(progress, warmup, learning_rate, LAST_LEARNING_RATE)
        found.append(distillation.step(wide, narrow, rate, progress))
        if len(found) == per_epoch:
            means = {name: sum(row[name] for row in found) / per_epoch for name in found[0]}
            log.info("epoch %d: %s", epoch + 1, ", ".join(f"{name} {value:.4f}" for name, value in means.items()))
            momentum = distillation.momentum(progress)
            yield {"epoch": epoch + 1, **means, "learning_rate": rate, "teacher_momentum": momentum}
            found = []


def run(
    *, manifest: Path, output: Path, history: Path, settings: dict[str, Any], device: str = "cpu", stamp: str = ""
) -> None:
    """Train on the images of the train split; write the teacher (weights of kind `vit`) and the history (CSV)."""
    entries = read_manifest(manifest).split("train")
    images = [torch.from_numpy(read_image(Path(entry.image))).permute(2, 0, 1).contiguous() for entry in entries]
    size = settings["global_crop"]
    shape = vit.Shape(image_size=size, **{key: settings[key] for key in ("patch", "width", "depth", "heads", "stem")})
    log.info("training %s on %d images", shape, len(images))
    distillation = Distillation(shape, device, **methods.arguments(Distillation.__init__, settings))
    views = methods.arguments(draw_views, settings)
    rows = list(train(distillation, images, views, device, **methods.arguments(train, settings)))
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(rows[0])
    writer.writerows([f"{value:.6g}" for value in row.values()] for row in rows)
    content = {**asdict(shape), "mean": settings["mean"], "std": settings["std"]}
    state = {
        name: t.half() if t.is_floating_point() else t for name, t in distillation.teacher.vit.state_dict().items()
    }
    formats.write_weights(output, "vit", state, content=content, stamp=stamp)
    formats.write_text(history, table.getvalue())


if __name__ == "__main__":
    main(run)
