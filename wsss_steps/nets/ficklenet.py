"""Head of FickleNet (Lee et al. 2019): a convolution whose windows each see a random choice of hidden units."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wsss_steps.ops import hidden_units


class FickleHead(nn.Module):
    """Feature maps to the scores of all windows, (B, K, h, w) to (B, C, h, w), by an s x s kernel without bias.

    While training, hidden units are drawn for each image, from torch's CPU generator: the same on every device. In
    evaluation each has its mean weight, so that the scores are the mean of those that are drawn. `weights` draws at any
    time.
    """

    def __init__(
        self, channels: int, num_classes: int, *, window: int, dropout: float, form: str, rescale: bool
    ) -> None:
        super().__init__()
        hidden_units.check(dropout, form, rescale)
        self.conv = nn.Conv2d(channels, num_classes, window, padding=window // 2, bias=False)
        self.window, self.dropout, self.form, self.rescale = window, dropout, form, rescale

    @property
    def draws(self) -> bool:
        """Whether two draws may differ."""
        return self.form != "none" and self.dropout > 0

    def weights(
        self, count: int, size: Sequence[int], generator: torch.Generator | None = None
    ) -> Float[Tensor, "count cells h w"]:
        """The weight of each cell of each window in `count` images of `size` positions, drawn on the CPU."""
        drawn = functools.partial(hidden_units.draw_weights, form=self.form, rescale=self.rescale)
        return drawn(count, size, self.window, self.dropout, generator=generator)

    def cell_scores(
        self, features: Float[Tensor, "B K h w"], classes: Tensor | None = None
    ) -> Float[Tensor, "B n cells h w"]:
        """What each position adds to the windows around it, for the classes with the indices (n,), by default all."""
        kernel = self.conv.weight if classes is None else self.conv.weight[classes]
        return hidden_units.cell_scores(features, kernel)

    def forward(self, features: Float[Tensor, "B K h w"]) -> Float[Tensor, "B C h w"]:
        """The scores; see the class."""
        if self.training:
            weights = self.weights(len(features), features.shape[-2:])
        else:
            weights = hidden_units.mean_weights(self.window, self.dropout, form=self.form, rescale=self.rescale)
        return hidden_units.window_scores(self.cell_scores(features), weights.to(features))
