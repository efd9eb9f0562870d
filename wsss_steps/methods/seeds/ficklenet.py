"""Seeds of FickleNet (Lee et al. 2019): classes from its maps, background from saliency.

Source: the paper's idea; both thresholds are from general knowledge of it and of DSRG, whose cues of the background it
takes. Of maps that cams `ficklenet` aggregated with the same theta, the classes are those of the paper's rule.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Integer, UInt8

from wsss_steps.ops.cues import cues


def seeds(
    maps: Float[np.ndarray, "n H W"],
    classes: Integer[np.ndarray, " n"],
    *,
    saliency: Float[np.ndarray, "H W"],
    theta: float,
    background: float,
) -> UInt8[np.ndarray, "H W"]:
    """Label map of one image."""
    return cues(maps, classes, saliency, theta=theta, background=background)
