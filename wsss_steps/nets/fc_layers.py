"""Fully connected layers of published networks, as convolutions in a head."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from torch import Tensor, nn

NAMES = ("fc6", "fc7")  # of VGG16, without fc8, which has as many outputs as there are classes


@dataclass
class FcLayers:
    """The layers of a head that may be loaded from a weights file, and which of them were.

    layers: by name, from the input to the output, one convolution per branch of the head; all have the same shape, so
        that one tensor of the file fills them all.
    filled: names of the loaded layers. They are pretrained like the backbone, and trained at its learning rate; new
        layers have their own rate.
    """

    layers: dict[str, list[nn.Conv2d]]
    filled: list[str] = field(default_factory=list)

    def fill(self, name: str, state: Mapping[str, Tensor]) -> None:
        """Load the layer `name` of every branch from `state`, its weight and bias."""
        for layer in self.layers[name]:
            layer.load_state_dict(dict(state))
        self.filled.append(name)

    def parameters(self) -> Iterator[nn.Parameter]:
        """Weights and biases of the loaded layers."""
        return (parameter for name in self.filled for layer in self.layers[name] for parameter in layer.parameters())


def fc_layers(branches: Iterable[nn.Module]) -> FcLayers:
    """The convolutions of parallel branches, named fc6 and fc7, without the last one, which gives the classes.

    A branch of one convolution has none.
    """
    convolutions = [[layer for layer in each.modules() if isinstance(layer, nn.Conv2d)][:-1] for each in branches]
    return FcLayers({name: list(layers) for name, layers in zip(NAMES, zip(*convolutions, strict=True), strict=False)})
