"""Train a small vision transformer on the images of the train split without any label (DINO), for its keys.

The teacher's weights are written, as in DINO, as half floats like the keys computed from them.
"""

from __future__ import annotations

import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any

from wsss_steps import methods
from wsss_steps.cli import main
from wsss_steps.data.manifest import read_manifest
from wsss_steps.data.views import ViewDataset, draw_views
from wsss_steps.nets import vit
from wsss_steps.training import distillation, loop, resuming
from wsss_steps.training.distillation import Distillation
from wsss_steps.training.resuming import Keeper

log = logging.getLogger(__name__)


def train(
    network: Distillation, dataset: loop.SizedDataset, settings: dict[str, Any], *, device: str, keeper: Keeper
) -> list[dict[str, float]]:
    """`loop.fit` with the losses, the schedule and the teacher of DINO, in whole batches."""
    losses, schedule, after_step = (
        methods.bound(function, settings)
        for function in (distillation.losses, distillation.schedule, distillation.follow)
    )
    options = methods.arguments(loop.fit, settings) | {"device": device, "keeper": keeper, "after_step": after_step}
    options |= {"drop_last": True, "channels_last": False}
    return loop.fit(network, dataset, losses, distillation.make_optimiser(network), schedule, **options)


def run(
    *, manifest: Path, output: Path, history: Path, settings: dict[str, Any], device: str = "cpu", stamp: str = ""
) -> None:
    """Train on the images of the train split; write the teacher (weights of kind `vit`) and the history (CSV)."""
    with resuming.kept(output, history, stamp=stamp, device=device) as keeper:
        if keeper.made:
            return
        entries, views = read_manifest(manifest).split("train"), methods.arguments(draw_views, settings)
        chosen = {key: settings[key] for key in ("patch", "width", "depth", "heads", "stem")}
        shape = vit.Shape(image_size=settings["global_crop"], **chosen)
        log.info("training %s on %d images", shape, len(entries))
        network = Distillation(shape, **methods.arguments(Distillation.__init__, settings))
        dataset = ViewDataset(entries, views=views, seed=settings["seed"])
        rows = train(network, dataset, settings, device=device, keeper=keeper)
        content = {**asdict(shape), "mean": settings["mean"], "std": settings["std"]}
        loop.write(output, history, "vit", network.teacher.vit.half(), rows, content=content, stamp=stamp)


if __name__ == "__main__":
    main(run)
