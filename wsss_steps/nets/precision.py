"""The precision that a backbone is trained in."""

from __future__ import annotations

from typing import Literal

import torch

from wsss_steps.nets.backbones import Backbone


def compute_in(backbone: Backbone, precision: Literal["float32", "tf32", "bfloat16"]) -> None:
    """Let `backbone` compute in `precision` from now on, in place; its weights, inputs and outputs stay float32.

    With bfloat16, heads and losses still compute in float32. tf32 applies to the whole process, on NVIDIA GPUs only.
    """
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    backbone.coarse = precision == "bfloat16"
