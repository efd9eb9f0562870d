"""Class activation maps over several scales and flips, as in IRN."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from wsss_steps.methods.cams import _shared
from wsss_steps.nets.classifier import MapClassifier


def maker(
    *,
    classifier: Path,
    classes: Sequence[str],
    device: str,
    scales: Sequence[float],
    flip: bool,
    resolution: str,
    merge: str,
) -> _shared.Make:
    """The maps of the classifier itself (Zhou et al. 2016)."""
    given = (raw_maps, classifier, classes, device)
    return _shared.maker(*given, scales=scales, flip=flip, resolution=resolution, merge=merge)


def raw_maps(network: MapClassifier, images: Tensor, chosen: Tensor) -> Tensor:
    """M_c(u) = sum_k w_ck f_k(u) of the chosen classes (n,) for images (B, 3, H, W): (B, n, h, w)."""
    return network.maps(images)[:, chosen]
