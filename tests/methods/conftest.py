"""An image as methods that work image by image are given it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsss_steps.data.manifest import Entry


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[np.ndarray], Entry]:
    """A function that writes an image (H, W, 3) and returns its entry."""

    def save(image: np.ndarray) -> Entry:
        Image.fromarray(image).save(tmp_path / "x.png")
        return Entry("x", "train", str(tmp_path / "x.png"), *image.shape[:2], ())

    return save
