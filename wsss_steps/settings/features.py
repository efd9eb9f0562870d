"""Settings of the features that superpixels are discovered from."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from wsss_steps.settings.base import Backbone, Scale, Settings, Side


class KeyFeatures(Settings):
    """Keys of the last block of a vision transformer trained with DINO."""

    method: Literal["keys"] = "keys"
    vit: Literal[
        "vit_base_patch8_224",
        "vit_small_patch8_224",
        "vit_base_patch16_224",
        "vit_small_patch16_224",
        "vit_large_patch16_224",
        "vit_small_patch14_dinov2",
        "vit_base_patch14_dinov2",
        "vit_large_patch14_dinov2",
        "vit_small_patch16_dinov3",
        "vit_base_patch16_dinov3",
        "own",
    ] = Field(
        "vit_base_patch8_224",
        description="network, as timm names it; weights by name tell theirs; own: its file tells",
    )
    weights: str = Field(
        "dino",
        description="dino (of `vit`), a name of the table of weights such as dinov2_small14 "
        "([docs/weights.md](weights.md)), pretrain_keys (trained on this data set; with vit: own), or a .safetensors "
        "or .pth file",
    )
    input_mode: Literal["pad", "resize"] = Field(
        "pad", description="zero padding to whole patches as LOST, or bicubic resize to them as the author's code"
    )
    image_scale: Scale = Field(1.0, description="factor on the image size before the network reads it")
    centre: bool = Field(
        False, description="take the image's mean key off, which no attention sees; the dissertation does not"
    )

    @model_validator(mode="after")
    def _own_weights_of_own_network(self) -> KeyFeatures:
        if self.weights == "pretrain_keys" and self.vit != "own":
            raise ValueError(f"weights: pretrain_keys makes a network of its own: expected vit: own, found {self.vit}")
        return self


class BackboneFeatures(Settings):
    """Last feature map of a convolutional network."""

    method: Literal["backbone"] = "backbone"
    backbone: str | Backbone = Field(
        "resnet50", description="small, resnet50, resnet101, vgg16, or a name in `backbones`"
    )
    output_stride: Literal[4, 8, 16, 32] = Field(16, description="image px per position of the feature map")
    image_scale: Scale = Field(1.0, description="factor on the image size before the network reads it")
    centre: bool = Field(
        True, description="take the image's mean vector off, so that cosines after a ReLU can be negative"
    )


class RgbFeatures(Settings):
    """Mean colour of square cells."""

    method: Literal["rgb"] = "rgb"
    cell: Side = Field(8, description="side of a cell, px")
