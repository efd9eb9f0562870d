"""Which module of `nets/backbones/` builds a network. Free of torch, since planning uses it too."""

from __future__ import annotations

from pathlib import Path


def family_of(net: str) -> str:
    """The family of a network: its name up to a colon, without a number at the end.

    `resnet` of `resnet50`, `vgg` of `vgg16`, `timm` of `timm:mobilenetv2_100`.
    """
    return net.partition(":")[0].rstrip("0123456789")


def families() -> list[str]:
    """Names of the families of networks that exist, sorted: the modules of `nets/backbones/`."""
    folder = Path(__file__).parent / "backbones"
    return sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")
