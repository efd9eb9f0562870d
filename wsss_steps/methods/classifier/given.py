"""A classifier that was trained elsewhere: its network. `import_classifier` fills it; nothing is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wsss_steps.nets.backbones import build_backbone
from wsss_steps.nets.biased_classifier import BiasedClassifier


def build(num_classes: int, *, backbone: Mapping[str, Any], output_stride: int, dilated: bool) -> BiasedClassifier:
    """The network with random weights. backbone: its settings; `net` and `options` are read."""
    features = build_backbone(
        backbone["net"], output_stride=output_stride, options=backbone["options"], dilated=dilated
    )
    return BiasedClassifier(features, num_classes)
