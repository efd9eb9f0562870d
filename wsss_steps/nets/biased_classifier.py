"""Classifier whose layer of classes has a bias, as those of torchvision and timm."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wsss_steps.nets.backbones import Backbone
from wsss_steps.nets.classifier import MapClassifier


class BiasedClassifier(MapClassifier):
    """The score of a class is the mean of its map plus a bias, which is no part of the map (Zhou et al. 2016)."""

    def __init__(self, backbone: Backbone, num_classes: int) -> None:
        super().__init__(backbone, num_classes)
        self.bias = nn.Parameter(torch.zeros(num_classes))

    def scores(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B C"]:
        """Scores before the sigmoid: those of the file's own network, if that pools the mean before its last layer."""
        return super().scores(images) + self.bias
