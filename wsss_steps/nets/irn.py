"""IRNet (Ahn, Cho and Kwak 2019): boundaries between labels, and the displacement of each position to its object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wsss_steps.nets.backbones import Backbone, build_backbone, freeze
from wsss_steps.nets.stage_outputs import stage_outputs
from wsss_steps.ops.resize import resize_images

STRIDE = 4  # image px per position
PROBE = 64  # px


class Levels(nn.Module):
    """1x1 convolutions of like width on the outputs of all stages, brought to `STRIDE` and concatenated.

    stages: channels and stride of each.
    """

    def __init__(self, stages: Sequence[tuple[int, int]], width: int, groups: int) -> None:
        super().__init__()
        self.strides = [stride for _, stride in stages]
        self.levels = nn.ModuleList(_normed(channels, width, groups) for channels, _ in stages)

    def forward(self, outputs: Sequence[Tensor]) -> Float[Tensor, "B K h w"]:
        """Features; the grid is that of the smallest extent, since outputs of large strides reach beyond the image."""
        sizes = [
            [-(-side * stride // STRIDE) for side in one.shape[-2:]]
            for one, stride in zip(outputs, self.strides, strict=True)
        ]
        height, width = (min(sides) for sides in zip(*sizes, strict=True))
        found = [
            resize_images(level(one), (size[0], size[1]))[..., :height, :width]
            for level, one, size in zip(self.levels, outputs, sizes, strict=True)
        ]
        return torch.cat(found, dim=1)


def _normed(inputs: int, outputs: int, groups: int) -> nn.Sequential:
    """1x1 convolution, group normalisation, ReLU."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.GroupNorm(groups, outputs), nn.ReLU())


class IRNet(nn.Module):
    """A backbone with a branch for boundaries and one for displacements.

    The boundary branch is IRN's, but for a level on the stem, which only some backbones have. That of displacements is
    narrower than IRN's, which builds it in two steps: no map depends on it unless the backbone learns too, since
    displacements tell instances of a class apart. multipliers: for the optimiser.
    """

    def __init__(self, backbone: Backbone, displacement_multiplier: float) -> None:
        super().__init__()
        self.backbone = backbone
        self.multipliers = {"displacement": displacement_multiplier}
        backbone.eval()
        with torch.no_grad():
            outputs = self._stages(torch.zeros(1, 3, PROBE, PROBE))
        backbone.train()
        stages = [(one.shape[1], PROBE // one.shape[-1]) for one in outputs]
        self.boundary = nn.Sequential(Levels(stages, 32, 4), nn.Conv2d(32 * len(stages), 1, 1))
        self.displacement = nn.Sequential(
            Levels(stages, 64, 8), _normed(64 * len(stages), 256, 16), nn.Conv2d(256, 2, 1, bias=False)
        )

    def _stages(self, images: Tensor) -> list[Tensor]:
        return stage_outputs(self.backbone, images, len(self.backbone.stages))

    def boundaries(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B h w"]:
        """Logits of boundaries, (h, w) = ceil((H, W) / 4)."""
        found: Tensor = _cropped(self.boundary(self._stages(images)), images)[:, 0]
        return found

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 3 h w"]:
        """Logits of boundaries, and displacements (down, right) in positions.

        The losses tell displacements up to a constant. In evaluation mode their mean over each image is subtracted; IRN
        subtracts that over all training images.
        """
        stages = self._stages(images)
        boundary, displacement = (_cropped(part(stages), images) for part in (self.boundary, self.displacement))
        if not self.training:
            displacement = displacement - displacement.mean(dim=(2, 3), keepdim=True)
        return torch.cat([boundary, displacement], dim=1)


def _cropped(planes: Tensor, images: Tensor) -> Tensor:
    """Without positions beyond the images."""
    return planes[..., : -(-images.shape[-2] // STRIDE), : -(-images.shape[-1] // STRIDE)]


def build_irn(
    backbone: Mapping[str, Any],
    *,
    output_stride: int,
    dilated: bool,
    frozen_stages: int,
    frozen_batch_norm: str,
    displacement_multiplier: float,
) -> IRNet:
    """The network with random weights. backbone: its settings; `net` and `options` are read."""
    base = build_backbone(backbone["net"], output_stride=output_stride, options=backbone["options"], dilated=dilated)
    freeze(base, frozen_stages, frozen_batch_norm)
    return IRNet(base, displacement_multiplier)
