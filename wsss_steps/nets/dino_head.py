"""Projection head of DINO."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

HIDDEN, BOTTLENECK = 256, 64  # widths for small networks; the paper has 2048 and 256 for widths of 384 and more


class DinoHead(nn.Module):
    """Two hidden layers, a bottleneck of unit length, and cosine similarities with the prototypes (DINO, section 3.1).

    The prototypes have unit length, which the public code calls a weight-normalised last layer with its norm frozen
    at 1.
    """

    def __init__(self, width: int, prototypes: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(width, HIDDEN, bias=False),
            nn.BatchNorm1d(HIDDEN),
            nn.GELU(),
            nn.Linear(HIDDEN, HIDDEN, bias=False),
            nn.BatchNorm1d(HIDDEN),
            nn.GELU(),
            nn.Linear(HIDDEN, BOTTLENECK),
        )
        self.prototypes = nn.Parameter(torch.randn(prototypes, BOTTLENECK))

    def forward(self, tokens: Float[Tensor, "B d"]) -> Float[Tensor, "B K"]:
        """Similarities in [-1, 1] of each token with each prototype."""
        hidden = functional.normalize(self.mlp(tokens), dim=-1)
        return functional.linear(hidden, functional.normalize(self.prototypes, dim=-1))
