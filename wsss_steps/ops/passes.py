"""Maps of many random passes, aggregated one by one (Lee et al. 2019, FickleNet)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


class Passes:
    """The largest and the mean of maps (n, H, W) that are added pass by pass; none is kept."""

    def __init__(self) -> None:
        self.count = 0
        self._largest = self._sum = torch.empty(0)

    def add(self, maps: Float[Tensor, "n H W"]) -> None:
        """Count the maps of one pass, in [0, 1]."""
        self._largest = maps if self.count == 0 else torch.maximum(self._largest, maps)
        self._sum = maps if self.count == 0 else self._sum + maps
        self.count += 1

    @property
    def largest(self) -> Float[Tensor, "n H W"]:
        """Of each class and pixel, the largest value of all passes."""
        return self._largest

    @property
    def mean(self) -> Float[Tensor, "n H W"]:
        """Of each class and pixel, the mean over all passes."""
        return self._sum / self.count


def contested(largest: Float[Tensor, "n H W"], mean: Float[Tensor, "n H W"], theta: float) -> Float[Tensor, "n H W"]:
    """The largest maps; where several exceed theta, only that of the largest mean does so still.

    The paper gives a pixel a class if any of its maps exceeds theta, and of several such classes that of the largest
    mean. Here the others are cut down to theta at such a pixel. So exactly the paper's class exceeds theta, if any, and
    nothing else is changed; a theta of 1 changes nothing at all. Ties go to the first class.
    """
    candidates = largest > theta
    rivals = torch.where(candidates, mean, torch.full_like(mean, -1))
    winner = torch.zeros_like(candidates).scatter_(0, rivals.argmax(dim=0, keepdim=True), True)
    return torch.where(candidates & ~winner, torch.full_like(largest, theta), largest)
