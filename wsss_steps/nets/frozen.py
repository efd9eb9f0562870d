"""A frozen classifier that supervises another network: gradients pass through it to its inputs."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wsss_steps.nets.classifier import MapClassifier


class FrozenClassifier(nn.Module):
    """A classifier, always in evaluation mode and without parameter gradients, for the input of another network.

    mean, std: the normalisation of its input images. own_mean, own_std: the one that the classifier expects.
    """

    def __init__(
        self,
        network: MapClassifier,
        *,
        mean: Sequence[float],
        std: Sequence[float],
        own_mean: Sequence[float],
        own_std: Sequence[float],
    ) -> None:
        super().__init__()
        self.network = network.requires_grad_(False)
        self.same = (*mean, *std) == (*own_mean, *own_std)
        given, own = (torch.tensor([*pair], dtype=torch.float32) for pair in ((mean, std), (own_mean, own_std)))
        self.scale: Tensor
        self.shift: Tensor
        self.register_buffer("scale", (given[1] / own[1])[:, None, None])
        self.register_buffer("shift", ((given[0] - own[0]) / own[1])[:, None, None])
        self.eval()

    def train(self, mode: bool = True) -> FrozenClassifier:
        """Stay in evaluation mode, whatever `mode` is: batch norm keeps its statistics."""
        return super().train(False)

    def forward(
        self, images: Float[Tensor, "B 3 H W"], attention: Float[Tensor, "B 1 H W"] | None = None
    ) -> Float[Tensor, "B C"]:
        """Scores, before the sigmoid, of the images times `attention` (Kim 2022, dissertation, eq. 2.9).

        The product is taken after normalisation for the classifier, (I - mu) / sigma, so an erased pixel has the mean
        colour, as with F (I - mu).
        """
        own = images if self.same else images * self.scale + self.shift
        scores: Tensor = self.network.scores(own if attention is None else own * attention)
        return scores
