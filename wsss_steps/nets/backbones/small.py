"""The small network that is trained from scratch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wsss_steps.nets.backbones import Backbone, check_no_options, check_stride, unknown
from wsss_steps.nets.small import Small

NETS = ("small",)


def build(net: str, output_stride: int, options: Mapping[str, Any]) -> Backbone:
    """The network of `nets.small`."""
    if net not in NETS:
        raise unknown(net)
    check_no_options(net, options)
    check_stride(net, output_stride, (4, 8, 16))
    small = Small(output_stride)
    stages = [[stage] for stage in small.stages]
    return Backbone(small, channels=small.channels, output_stride=output_stride, stages=stages)
