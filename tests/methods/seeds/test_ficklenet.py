"""FickleNet's seeds, by hand, and from passes to labels."""

from __future__ import annotations

import numpy as np
import torch

from wsss_steps.methods.seeds import ficklenet
from wsss_steps.ops.passes import Passes, contested

CLASSES = np.array([2, 5])
SETTINGS = {"theta": 0.35, "background": 0.06}


def test_classes_come_before_background_and_what_is_neither_is_unlabelled() -> None:
    """Neither threshold includes its own value; a salient pixel of no class may be of any."""
    maps = np.array([[[0.4, 0.35, 0.1, 0.2, 0.36]], [[0.2, 0.3, 0.1, 0.0, 0.9]]])
    saliency = np.array([[0.0, 0.0, 0.06, 0.9, 1.0]])
    assert ficklenet.seeds(maps, CLASSES, saliency=saliency, **SETTINGS).tolist() == [[2, 0, 255, 255, 5]]


def test_two_passes_by_hand() -> None:
    """At the first pixel both classes exceed 0.35, with means 0.25 and 0.36; then one of them, then none."""
    passes = Passes()
    passes.add(torch.tensor([[[0.4, 0.2, 0.3]], [[0.36, 0.5, 0.1]]]))
    passes.add(torch.tensor([[[0.1, 0.2, 0.3]], [[0.36, 0.1, 0.1]]]))
    maps = contested(passes.largest, passes.mean, 0.35).numpy()
    assert ficklenet.seeds(maps, CLASSES, saliency=np.ones((1, 3)), **SETTINGS).tolist() == [[5, 5, 255]]


def test_an_image_without_tags_is_background() -> None:
    found = ficklenet.seeds(np.zeros((0, 2, 2)), CLASSES[:0], saliency=np.ones((2, 2)), **SETTINGS)
    assert found.tolist() == [[0, 0], [0, 0]]
