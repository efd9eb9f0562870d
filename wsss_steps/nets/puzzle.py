"""The classifier of Puzzle-CAM: class activation maps of an image, and of its tiles."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from wsss_steps.nets.backbones import Backbone
from wsss_steps.nets.classifier import MapClassifier
from wsss_steps.ops.puzzle import merge, tile


class PuzzleClassifier(MapClassifier):
    """Maps are those of a 1x1 convolution without bias.

    progress: share of the steps of its training that are done, in the state, so that a resumed training goes on.
    """

    def __init__(self, backbone: Backbone, num_classes: int) -> None:
        super().__init__(backbone, num_classes)
        self.progress: Tensor
        self.register_buffer("progress", torch.zeros((), dtype=torch.float64))

    def tiled_maps(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B C h w"]:
        """Raw maps of the four tiles of each image, each seen alone, merged: of the size and grid of `maps(images)`."""
        stride = self.backbone.output_stride
        height, width = (-(-side // stride) for side in images.shape[-2:])
        return merge(self.maps(tile(images, stride)), (height, width))
