"""Modules that suppress discriminative regions, in place of every ReLU of a backbone (Kim, Han and Kim 2021, DRS)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from wsss_steps.errors import UserError
from wsss_steps.nets.backbones import Backbone
from wsss_steps.ops.suppression import suppress

RELUS = (F.relu, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_)
CLIPPED_RELUS = (F.relu6, F.hardtanh)  # nn.ReLU6 calls the latter, with bounds 0 and 6
SIDE = 64  # px of the image by which the ReLUs of a network are found


class Suppression(nn.Module):
    """min(x, g x_max) of x = ReLU(input); g is the same for all, or found from each channel's mean.

    Args:
        channels: K.
        delta: g; None: it is learnt, g = sigmoid(W mean_u x(u)), with W (K, K) and no bias.
        controller_std: of the normal distribution that W starts from; near 0, g starts from about a half.
    """

    def __init__(self, channels: int, delta: float | None, controller_std: float) -> None:
        super().__init__()
        self.delta = delta
        self.controller: nn.Linear | None = None
        if delta is None:
            self.controller = nn.Linear(channels, channels, bias=False)
            nn.init.normal_(self.controller.weight, std=controller_std)

    def share(self, positive: Float[Tensor, "B K h w"]) -> Float[Tensor, "B K"] | float:
        """The share of its maximum, g, that each channel of x may reach."""
        if self.controller is None:
            assert self.delta is not None
            return self.delta
        found: Tensor = self.controller(positive.mean(dim=(2, 3))).sigmoid()
        return found

    def forward(self, features: Float[Tensor, "B K h w"]) -> Float[Tensor, "B K h w"]:
        """Features before the ReLU, suppressed."""
        return suppress(features, self.share)


class InPlaceOfRelu(TorchFunctionMode):
    """While it is active, every call of a ReLU, by a module or not, is a call of `instead`.

    A ReLU6 is clipped at 6 first. Networks call ReLUs as modules, as functions, or one module several times with maps
    of different widths (torchvision's ResNet); only the calls tell them apart.
    """

    def __init__(self, instead: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.instead = instead

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """`instead` of the input of a ReLU; any other function as it is."""
        given = dict(kwargs or {})
        if func in RELUS:
            return self.instead(args[0] if args else given["input"])
        found = func(*args, **given)
        return self.instead(found) if func in CLIPPED_RELUS and given.get("min_val", 0) == 0 else found


class SuppressedBackbone(Backbone):
    """A backbone with a module in place of each of its ReLUs.

    suppressions: in the order in which the backbone calls them. They are parts of the backbone, trained at its rate,
        but not of its `net`, so that files of weights fit. A ReLU of pooled channels, as in squeeze-and-excitation,
        stays a ReLU: it has no regions.
    """

    def __init__(self, backbone: Backbone, delta: float | None, controller_std: float) -> None:
        """backbone: its network is taken over. A UserError if it has no ReLU."""
        stride, heads = backbone.output_stride, backbone.heads
        super().__init__(
            backbone.net, channels=backbone.channels, output_stride=stride, stages=backbone.stages, heads=heads
        )
        shapes = shapes_at_relus(backbone)
        if not any(height * width > 1 for _, _, height, width in shapes):
            raise UserError("suppression takes the place of ReLUs: expected a backbone with ReLUs, found none in it")
        self.suppressions = nn.ModuleList(
            Suppression(channels, delta, controller_std) if height * width > 1 else nn.ReLU()
            for _, channels, height, width in shapes
        )

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B K h w"]:
        """Feature maps of normalised images, as those of Backbone."""
        left: Iterator[nn.Module] = iter(self.suppressions)
        with InPlaceOfRelu(lambda features: next(left)(features)):
            return super().forward(images)


@torch.no_grad()
def shapes_at_relus(backbone: Backbone) -> list[tuple[int, int, int, int]]:
    """(1, K, h, w) at each ReLU that the backbone calls for an image of 64 px, in the order of the calls."""
    shapes = []

    def record(features: Tensor) -> Tensor:
        batch, channels, *size = features.shape
        height, width = size or (1, 1)
        shapes.append((batch, channels, height, width))
        return features.relu()

    training = backbone.training
    backbone.eval()
    with InPlaceOfRelu(record):
        backbone(torch.zeros(1, 3, SIDE, SIDE))
    backbone.train(training)
    return shapes
