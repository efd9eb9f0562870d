"""What a user may have of the images of a world: maps as IRN's, superpixels of 16 bits, label maps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from contracts.world import ARRAYS, World
from PIL import Image

from wsss_steps.data.images import read_image


def folder_of(world: World, slot: str) -> Path:
    """A folder with a file of every image, for the method `given` of a slot."""
    folder = world.folder / "given" / slot
    folder.mkdir(parents=True, exist_ok=True)
    for entry in world.entries:
        arrays = ARRAYS[slot](read_image(Path(entry.image)), entry.tags)
        if slot == "cams":
            maps: Any = {"keys": arrays["class"].astype(int) - 1, "high_res": arrays["cam"]}
            np.save(folder / f"{entry.id}.npy", maps)
        else:
            numbers = arrays[slot] * (1000 if slot == "superpixels" else 1)
            Image.fromarray(numbers).save(folder / f"{entry.id}.png")
    return folder
