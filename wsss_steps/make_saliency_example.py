"""Draw images with masks of salient things, in the layout of DUTS, to train a detector for the embedded example."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from wsss_steps.cli import main
from wsss_steps.data.saliency_pairs import IMAGES, MASKS
from wsss_steps.errors import UserError
from wsss_steps.example.saliency import Picture, draw_picture
from wsss_steps.formats.files import whole, write_json
from wsss_steps.progress import track

NAME = "DRAWN"
JPEG_QUALITY = 92


def picture_of(index: int, size: int, seed: int) -> Picture:
    """Picture `index` of nominal side `size` px: it depends on the arguments, not on how many are drawn."""
    return draw_picture(np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(index,))), size)


def run(*, output: Path, settings: dict[str, Any], stamp: str = "") -> None:
    """Draw the pairs into the folder `output`, which appears when it is complete.

    Below it: DRAWN-Image/<number>.jpg and DRAWN-Mask/<number>.png (0 or 255). `settings`: `count`, nominal side `size`
    in px, `seed`. The `stamp` is written as `provenance.json`. UserError if a setting is missing or unknown.
    """
    names = ("count", "size", "seed")
    if set(settings) != set(names):
        raise UserError(f"make_saliency_example: expected the settings {', '.join(names)}, found {', '.join(settings)}")
    with whole(output) as folder:
        folder.mkdir()
        write_json(folder / "provenance.json", json.loads(stamp or "{}"))
        images, masks = folder / f"{NAME}{IMAGES}", folder / f"{NAME}{MASKS}"
        images.mkdir(parents=True)
        masks.mkdir()
        for index in track(range(settings["count"]), settings["count"], "pairs"):
            picture = picture_of(index, settings["size"], settings["seed"])
            Image.fromarray(picture.image).save(images / f"{index + 1:06d}.jpg", quality=JPEG_QUALITY)
            Image.fromarray(picture.mask).save(masks / f"{index + 1:06d}.png")


if __name__ == "__main__":
    main(run)
