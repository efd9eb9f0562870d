"""Classifier with a standard block and parallel dilated ones (Kim 2022, dissertation, section 2.3.1 and Fig. 2.3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wsss_steps.nets.backbones import Backbone
from wsss_steps.nets.classifier import MapClassifier
from wsss_steps.nets.fc_layers import fc_layers


def block(channels: int, num_classes: int, widths: Sequence[int], dilation: int) -> nn.Sequential:
    """fc6, fc7, fc8 as convolutions: 3x3 of `dilation`, ReLU, 3x3, ReLU, 1x1 to the classes."""
    first, second = widths
    return nn.Sequential(
        nn.Conv2d(channels, first, 3, padding=dilation, dilation=dilation),
        nn.ReLU(),
        nn.Conv2d(first, second, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(second, num_classes, 1),
    )


class DilatedClassifier(MapClassifier):
    """Parallel blocks on one backbone; `maps` and `scores` are those of the standard block.

    A trained classifier is used through these only; the dilated blocks only help to train it.

    fc_layers: fc6 and fc7 of all blocks, which may be loaded from a file (see `pretrained`). In published convolutional
        VGG16 weights fc6 is 3x3 and fc7 is 1x1: their fc6 fits widths [1024, ...], their fc7 does not fit the 3x3 here.
    """

    def __init__(
        self,
        backbone: Backbone,
        num_classes: int,
        *,
        dilations: Sequence[int],
        widths: Sequence[int],
        init: str,
        init_std: float,
    ) -> None:
        """init: normal draws weights from N(0, init_std^2), kaiming from N(0, 2 / inputs); biases start from 0."""
        super().__init__(backbone, num_classes, block(backbone.channels, num_classes, widths, 1))
        self.dilated = nn.ModuleList(block(backbone.channels, num_classes, widths, rate) for rate in dilations)
        self.fc_layers = fc_layers([self.head, *self.dilated])
        for module in [*self.head.modules(), *self.dilated.modules()]:
            if isinstance(module, nn.Conv2d) and module.bias is not None:
                if init == "normal":
                    nn.init.normal_(module.weight, std=init_std)
                else:
                    nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)

    def block_maps(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "blocks B C h w"]:
        """Raw class activation maps of every block, the standard one first."""
        features = self.backbone(images)
        return torch.stack([self.head(features), *(dilated(features) for dilated in self.dilated)])
