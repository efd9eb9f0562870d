"""Feature maps of several stages of a backbone, from one pass."""

from __future__ import annotations

import contextlib

from jaxtyping import Float
from torch import Tensor, nn

from wsss_steps.nets.backbones import Backbone


def stage_outputs(backbone: Backbone, images: Float[Tensor, "B 3 H W"], count: int) -> list[Float[Tensor, "B _ _ _"]]:
    """The outputs of the last `count` stages in float32, the last one's last; of all stages if it has fewer."""
    found: dict[int, Tensor] = {}

    def keep(number: int) -> None:
        def hook(_: nn.Module, __: tuple[Tensor, ...], output: Tensor) -> None:
            found[number] = output.float()  # in bfloat16, if the backbone computes in it (`precision.compute_in`)

        stack.callback(ends[number].register_forward_hook(hook).remove)

    ends = [stage[-1] for stage in backbone.stages[-count:]]
    with contextlib.ExitStack() as stack:
        for number in range(len(ends) - 1):
            keep(number)
        last = backbone(images)
    return [*(found[number] for number in range(len(ends) - 1)), last]
