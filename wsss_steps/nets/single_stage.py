"""A classifier that segments as well: class activation maps and a DeepLab-v3+ decoder on one backbone."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from wsss_steps.nets.backbones import Backbone
from wsss_steps.nets.classifier import MapClassifier
from wsss_steps.nets.deeplab_v3plus import Decoder, DeepLabV3Plus
from wsss_steps.nets.stage_outputs import stage_outputs


class SingleStage(MapClassifier):
    """Maps are those of a 1x1 convolution without bias; the decoder gives logits at stride 4.

    epoch: epochs of training that are done, in the state, so that a resumed training goes on in its phase.
    """

    def __init__(self, backbone: Backbone, num_classes: int, decoder: Decoder) -> None:
        super().__init__(backbone, num_classes)
        self.decoder = decoder
        self.epoch: Tensor
        self.register_buffer("epoch", torch.zeros((), dtype=torch.float64))

    @property
    def segmenter(self) -> DeepLabV3Plus:
        """The segmentation network, whose parts are those of this one."""
        return DeepLabV3Plus(self.backbone, self.decoder)

    def outputs(
        self, images: Float[Tensor, "B 3 H W"], stages: int
    ) -> tuple[Float[Tensor, "B C h w"], Float[Tensor, "B L _ _"], list[Float[Tensor, "B _ _ _"]]]:
        """Raw maps, logits, and the feature maps of the last `stages` stages, the last one's last, from one pass."""
        levels = stage_outputs(self.backbone, images, max(stages, self.decoder.stages))
        return self.head(levels[-1]), self.decoder(levels, images.shape[-2:]), levels[len(levels) - stages :]
