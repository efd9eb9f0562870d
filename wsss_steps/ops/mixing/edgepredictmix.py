"""EdgePredictMix (Jo et al. 2023): an image's whole predicted foreground is pasted onto its partner."""

from __future__ import annotations

from jaxtyping import Bool, Int
from torch import Tensor

from wsss_steps.ops.labels import IGNORE


def kept(*, labels: Int[Tensor, "B H W"]) -> Bool[Tensor, "B H W"]:
    """M_fg, the union of the regions of all classes; without any, the mixed image is the partner.

    labels: refined by `ops/edge_predict.py`, so that a class's score is 0 or 1 and exceeds delta_fg where it is 1.
    """
    return (labels != 0) & (labels != IGNORE)
