"""Pictures of indices into a palette with opacity, as indexed PNG."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def write_indexed(path: Path, indices: NDArray[np.uint8], palette: NDArray[np.uint8]) -> None:
    """Write indices (H, W) into `palette` (n, 4), red, green, blue and opacity; not atomic.

    The fewer colours the palette has, the fewer bits a pixel takes in the file. Raises ValueError for an index that the
    palette lacks.
    """
    if indices.size and int(indices.max()) >= len(palette):
        raise ValueError(f"{path}: expected indices below {len(palette)}, found {int(indices.max())}")
    image = Image.fromarray(indices, mode="P")
    image.putpalette(palette[:, :3].tobytes())
    image.save(path, format="PNG", transparency=palette[:, 3].tobytes())
