"""Several random views of each image, for self-supervised training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor
from torch.utils.data import Dataset

from wsss_steps.data import multicrop
from wsss_steps.data.images import read_image
from wsss_steps.data.manifest import Entry

GLOBAL_VIEWS = 2
Range = tuple[float, float]


def draw_views(
    image: UInt8[Tensor, "3 H W"],
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
) -> dict[str, Tensor]:
    """Normalised views of one random window of an image.

    Returns:
        `images` (2, 3, S, S), the global views; `local` (n, 3, s, s), the n = `local_crops` small ones; `places`
        (2 + n, 4), where they lie in the window (see `multicrop.cropped`). S and s are `global_crop` and `local_crop`.
    """
    part = [multicrop.window(image.float() / 255, window, generator)]
    wide = multicrop.Views(global_crop, global_area, jitter, grey, blurred)
    narrow = multicrop.Views(local_crop, local_area, jitter, grey, blurred / 2)
    drawn = [multicrop.draw(part, wide, generator, solarise=view == 1) for view in range(GLOBAL_VIEWS)]
    drawn += [multicrop.draw(part, narrow, generator, solarise=False) for _ in range(local_crops)]
    subtracted, divisor = (torch.tensor(values).view(1, 3, 1, 1) for values in (mean, std))
    views = [(pixels - subtracted) / divisor for pixels, _ in drawn]
    none = torch.empty(0, 3, local_crop, local_crop)
    return {
        "images": torch.cat(views[:GLOBAL_VIEWS]),
        "local": torch.cat([none, *views[GLOBAL_VIEWS:]]),
        "places": torch.cat([places for _, places in drawn]),
    }


class ViewDataset(Dataset[dict[str, Tensor]]):
    """Views of images: `dataset[epoch, index]` is what `draw_views` returns.

    views: its keyword arguments. seed: with epoch and index it decides every random draw.
    """

    def __init__(self, entries: Sequence[Entry], *, views: Mapping[str, Any], seed: int) -> None:
        self.entries, self.views, self.seed = list(entries), dict(views), seed

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, place: tuple[int, int]) -> dict[str, Tensor]:
        epoch, index = place
        image = torch.from_numpy(read_image(Path(self.entries[index].image))).permute(2, 0, 1)
        drawn_from = np.random.SeedSequence([abs(self.seed), epoch, index]).generate_state(1, np.uint64)
        return draw_views(image, torch.Generator().manual_seed(int(drawn_from[0])), **self.views)
