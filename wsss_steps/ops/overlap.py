"""Boxes and how much they overlap.

A box is (y_min, x_min, y_max, x_max) in pixels, half-open: it covers the rows y_min..y_max - 1 and the columns
x_min..x_max - 1, counted from 0, and its area is (y_max - y_min) (x_max - x_min).
"""

from __future__ import annotations

Box = tuple[int, int, int, int]


def box_iou(first: Box, second: Box) -> float:
    """Intersection over union of two boxes in [0, 1]; boxes that only touch have 0."""
    sides = [max(0, min(first[end], second[end]) - max(first[end - 2], second[end - 2])) for end in (2, 3)]
    areas = ((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second))
    intersection = sides[0] * sides[1]
    return intersection / (sum(areas) - intersection)


def best_iou(box: Box | None, truth: list[Box]) -> float:
    """The highest IoU of a box with those of the ground truth; 0 without a box, or without any to compare it with."""
    return max((box_iou(box, other) for other in truth), default=0.0) if box else 0.0
