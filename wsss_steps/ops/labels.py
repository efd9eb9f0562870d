"""Values of label maps: 0 background, 1..C classes, 255 unlabelled."""

from __future__ import annotations

IGNORE = 255
"""The ignore label, of pixels without a label: never a class, and in no loss and no score."""
