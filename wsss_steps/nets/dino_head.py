"""Projection head of DINO."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

HIDDEN, BOTTLENECK = 256, 64  # for small networks; the paper has 2048 and 256 for widths of 384 and more


class DinoHead(nn.Module):
    """Two hidden layers, a bottleneck of unit length, and cosine similarities with the prototypes (DINO, section 3.1).

    Two differences keep short trainings of small networks from collapsing to equal scores: all layers of the MLP are
    followed by batch norm, which keeps the images of a batch apart, and the prototypes stay fixed at random.
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
            nn.Linear(HIDDEN, BOTTLENECK, bias=False),
            nn.BatchNorm1d(BOTTLENECK, affine=False),
        )
        self.prototypes = nn.Parameter(torch.randn(prototypes, BOTTLENECK), requires_grad=False)

    def forward(self, tokens: Float[Tensor, "B d"]) -> Float[Tensor, "B K"]:
        """Similarities in [-1, 1] of each token with each prototype."""
        hidden = functional.normalize(self.mlp(tokens), dim=-1)
        return functional.linear(hidden, functional.normalize(self.prototypes, dim=-1))
