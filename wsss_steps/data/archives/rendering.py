"""Makes and writes one label image, in a process that imports nothing but what it needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wsss_steps.formats.labels import write_labels

Make = Callable[[], NDArray[np.uint8]]


def write(path: Path, make: Make) -> Path:
    """Write the label image (H, W) that `make` returns, as an indexed PNG; returns its path."""
    write_labels(path, make())
    return path
