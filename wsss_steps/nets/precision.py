"""The precision that a backbone is trained in."""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn


def compute_in(backbone: nn.Module, precision: Literal["float32", "tf32", "bfloat16"]) -> None:
    """Let `backbone` compute in `precision` from now on, in place; its weights, inputs and outputs stay float32.

    With bfloat16, heads and losses still compute in float32. tf32 applies to the whole process, on NVIDIA GPUs only.
    """
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    if precision == "bfloat16":
        forward = backbone.forward

        def coarse(images: torch.Tensor) -> torch.Tensor:
            with torch.autocast(images.device.type, torch.bfloat16):
                found: torch.Tensor = forward(images)
            return found.float()

        backbone.forward = coarse
