"""DeepLab-v3+ (Chen et al. 2018, ECCV): atrous spatial pyramid pooling, and a decoder that adds a finer feature map."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wsss_steps.errors import UserError
from wsss_steps.nets.backbones import Backbone
from wsss_steps.nets.segmentation import SegmentationNetwork
from wsss_steps.nets.small import ConvNorm
from wsss_steps.nets.stage_outputs import stage_outputs
from wsss_steps.ops.resize import enlarge

STRIDE = 4  # image px per cell of the low-level features, and of the logits
PROBE = 64  # px: side of the image used to measure channels and strides of a backbone


def point(inputs: int, outputs: int) -> nn.Sequential:
    """1x1 convolution, batch normalisation, ReLU."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class Pyramid(nn.Module):
    """A 1x1 convolution, a 3x3 one of each rate, and the image's mean, side by side, brought to `width` channels."""

    def __init__(self, channels: int, width: int, rates: Sequence[int]) -> None:
        super().__init__()
        branches = [point(channels, width), *(ConvNorm(channels, width, dilation=rate) for rate in rates)]
        self.branches = nn.ModuleList(branches)
        self.pooled = nn.Conv2d(channels, width, 1, bias=False)
        self.activation = nn.Sequential(nn.BatchNorm2d(width), nn.ReLU(inplace=True))
        self.merge = point((len(branches) + 1) * width, width)

    def forward(self, features: Float[Tensor, "B K h w"]) -> Float[Tensor, "B D h w"]:
        """Features on the same grid."""
        mean = self.pooled(features.mean(dim=(2, 3), keepdim=True))
        # normalised after it is repeated: the same numbers, but batch norm can also train on a batch of one image
        everywhere = self.activation(mean.expand(-1, -1, *features.shape[-2:]))
        result: Tensor = self.merge(torch.cat([*(branch(features) for branch in self.branches), everywhere], dim=1))
        return result


class Decoder(nn.Module):
    """Logits at stride 4 from the feature maps of a backbone's last stages.

    Args:
        backbone: whose stages are read.
        num_labels: C + 1.
        rates: dilations of the pyramid, in cells of the last feature map.
        width: channels of the pyramid and of the two 3x3 convolutions.
        low_level_width: channels that the features at stride 4 are brought to: 48 in DeepLab-v3+.

    Attribute `stages`: number of last stages of which `forward` takes the outputs. A UserError if no stage but the last
    one ends at stride 4.
    """

    def __init__(
        self, backbone: Backbone, num_labels: int, *, rates: Sequence[int], width: int, low_level_width: int
    ) -> None:
        super().__init__()
        self.stages, channels = _low_level(backbone)
        self.enlargement = backbone.output_stride // STRIDE
        self.pyramid = Pyramid(backbone.channels, width, rates)
        self.low_level = point(channels, low_level_width)
        self.convolutions = nn.Sequential(ConvNorm(width + low_level_width, width), ConvNorm(width, width))
        self.head = nn.Conv2d(width, num_labels, 1)

    def forward(
        self, levels: Sequence[Float[Tensor, "B _ _ _"]], size: Sequence[int]
    ) -> Float[Tensor, "B num_labels h w"]:
        """Logits of images of `size` (height, width), from the outputs of the last stages, the last one's last."""
        rows, columns = (-(-side // STRIDE) for side in size)
        # with mixed precision only the last feature map comes in float32
        low = self.low_level(levels[-self.stages].float()[..., :rows, :columns])
        deep = enlarge(self.pyramid(levels[-1]), (rows, columns), self.enlargement)
        logits: Tensor = self.head(self.convolutions(torch.cat([deep, low], dim=1)))
        return logits


@torch.no_grad()
def _low_level(backbone: Backbone) -> tuple[int, int]:
    """Number of last stages from the first that ends at stride 4, and its channels; the training mode is restored."""
    mode = backbone.training
    backbone.eval()
    levels = stage_outputs(backbone, torch.zeros(1, 3, PROBE, PROBE), len(backbone.stages))
    backbone.train(mode)
    found = [number for number, level in enumerate(levels[:-1]) if level.shape[-1] * STRIDE == PROBE]
    if not found:
        strides = [PROBE // level.shape[-1] for level in levels]
        raise UserError(f"DeepLab-v3+: expected a backbone with a stage that ends at stride {STRIDE}, found {strides}")
    return len(levels) - found[0], levels[found[0]].shape[1]


class DeepLabV3Plus(SegmentationNetwork):
    """Backbone and decoder: normalised images to logits at stride 4."""

    stride = STRIDE

    def __init__(self, backbone: Backbone, decoder: Decoder) -> None:
        super().__init__()
        self.backbone, self.decoder = backbone, decoder

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B L h w"]:
        """Logits of the labels, (h, w) = ceil((H, W) / 4)."""
        levels = stage_outputs(self.backbone, images, self.decoder.stages)
        logits: Tensor = self.decoder(levels, images.shape[-2:])
        return logits
