"""Train the saliency detector on other images, with masks of what is salient; it never sees the data set."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from wsss_steps.cli import main
from wsss_steps.data.saliency_pairs import SALIENT, Pair, PairDataset, find_pairs, read_mask
from wsss_steps.errors import UserError
from wsss_steps.methods import trainees
from wsss_steps.methods.trainees import Data, Job

log = logging.getLogger(__name__)

CLASSES = ("salient",)


def check_coverage(pairs: list[Pair]) -> None:
    """Log the salient share of the masks; a UserError if nothing is salient, as with masks of 0 and 1."""
    shares = np.array([read_mask(pair.mask).mean() for pair in pairs])
    if not shares.any():
        raise UserError(
            f"{pairs[0].mask.parent}: no mask of {len(pairs)} has a pixel above {SALIENT}; expected masks of 0 and 255"
        )
    log.info(
        "%d pairs; salient are %.1f %% of the pixels on average, %.1f to %.1f %%; %d masks are empty",
        len(pairs),
        *(100 * value for value in (shares.mean(), shares.min(), shares.max())),
        (shares == 0).sum(),
    )


def run(
    *,
    pairs: Path,
    weights: Path | None = None,
    output: Path,
    history: Path,
    settings: dict[str, Any],
    device: str = "cpu",
    stamp: str = "",
) -> None:
    """Train on all pairs.

    Args:
        pairs: folder in the layout of DUTS: `<name>-Image/*.jpg`, `<name>-Mask/*.png`.
        weights: initial weights of the backbone, if its settings name a file.
        output: weights (safetensors).
        history: CSV with one row per epoch.
        settings: `method` and its settings, the backbone written out.
        device: cpu or cuda.
        stamp: provenance.
    """

    def read() -> Data:
        found = find_pairs(pairs)
        check_coverage(found)
        dataset = PairDataset(found, augmentation=trainees.augmentation("saliency", settings), seed=settings["seed"])
        return Data(dataset, CLASSES, content={"pairs": settings["pairs"]})

    trainees.train("saliency", settings, read, Job(weights, output, history, device, stamp))


if __name__ == "__main__":
    main(run)
