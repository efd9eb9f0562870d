"""Classifier that gives class activation maps."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from wsss_steps.nets.backbones import Backbone


class MapClassifier(nn.Module):
    """A backbone and a head that gives maps; the score of a class is the mean of its map.

    The head is a 1x1 convolution without bias, unless another is given.
    """

    def __init__(self, backbone: Backbone, num_classes: int, head: nn.Module | None = None) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = nn.Conv2d(backbone.channels, num_classes, 1, bias=False) if head is None else head

    def maps(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B C h w"]:
        """Raw class activation maps of normalised images, M_c(u) = sum_k w_ck f_k(u) if the head is linear."""
        result: Tensor = self.head(self.backbone(images))
        return result

    def scores(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B C"]:
        """Scores before the sigmoid."""
        return self.maps(images).mean(dim=(2, 3))

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B C"]:
        """The scores."""
        return self.scores(images)
