"""A network whose output is a map per class, at the size of the image (Kim, Han and Kim 2021, DRS)."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from wsss_steps.nets.backbones import Backbone
from wsss_steps.nets.extra_convolutions import extra_convolutions
from wsss_steps.ops.resize import enlarge


class MapRefiner(nn.Module):
    """A backbone and extra convolutions with plain ReLUs; its maps have no activation."""

    def __init__(self, backbone: Backbone, num_classes: int, *, width: int, convolutions: int, init_std: float) -> None:
        """init_std: of the normal distribution that the weights of the extra convolutions start from."""
        super().__init__()
        self.backbone = backbone
        self.head = extra_convolutions(
            backbone.channels,
            num_classes,
            width=width,
            convolutions=convolutions,
            activation=nn.ReLU,
            initialise=lambda weight: nn.init.normal_(weight, std=init_std),
        )

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B C H W"]:
        """Maps of normalised images, enlarged bilinearly."""
        found: Tensor = self.head(self.backbone(images))
        return enlarge(found, (images.shape[-2], images.shape[-1]), self.backbone.output_stride)
