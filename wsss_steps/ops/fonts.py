"""The font of pictures: DejaVu Sans, which comes with matplotlib. Pillow's own has no letters beyond ASCII."""

from __future__ import annotations

from pathlib import Path

import matplotlib
from PIL import ImageFont


def sans(size: int) -> ImageFont.FreeTypeFont:
    """The font at a size in px."""
    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSans.ttf"), size)
