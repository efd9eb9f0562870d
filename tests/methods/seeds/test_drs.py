"""Seeds `drs`: at which level a saliency map tells of an object."""

from __future__ import annotations

import numpy as np
import pytest

from wsss_steps.methods.seeds import drs


@pytest.mark.parametrize(("binarise", "expected"), [(50, [0, 1, 1]), (49, [1, 1, 1]), (127, [0, 0, 1])])
def test_what_is_salient(binarise: int, expected: list[int]) -> None:
    """Of levels 50, 51 and 200, with a map of 0.5 everywhere."""
    saliency = np.array([[50, 51, 200]], np.float32) / np.float32(255)
    numbers = {"alpha": 0.2, "conflict": 0.9, "rivals": 2}
    maps = np.full((1, 1, 3), 0.5, np.float32)
    found = drs.seeds(maps, np.array([1]), saliency=saliency, binarise=binarise, **numbers)
    assert found[0].tolist() == expected
