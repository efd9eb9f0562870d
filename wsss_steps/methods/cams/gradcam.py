"""Grad-CAM (Selvaraju et al. 2017) on the last feature map, over several scales and flips."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from wsss_steps.methods.cams import _shared
from wsss_steps.nets.classifier import MapClassifier
from wsss_steps.ops.gradcam import weighted_features


def maker(
    *,
    classifier: Path,
    classes: Sequence[str],
    device: str,
    scales: Sequence[float],
    flip: bool,
    resolution: str,
    merge: str,
    pool_grad: bool,
) -> _shared.Make:
    """Maps by the gradients of the classifier's scores."""
    raw = functools.partial(raw_maps, pool_grad=pool_grad)
    given = (raw, classifier, classes, device)
    return _shared.maker(*given, scales=scales, flip=flip, resolution=resolution, merge=merge)


def raw_maps(network: MapClassifier, images: Tensor, chosen: Tensor, *, pool_grad: bool) -> Tensor:
    """Grad-CAM before the ReLU, times h w, of the chosen classes (n,) for images (B, 3, H, W): (B, n, h, w).

    The score is a mean over the h w positions, so its gradient is the smaller the larger the image is read: times h w,
    maps of all scales weigh as those of CAM do, to which they are equal if the head is linear.
    """
    features = network.backbone(images).detach().requires_grad_()
    found = []
    with torch.enable_grad():
        # the images of a batch do not see each other: the gradient of the sum over them holds that of each
        scores = network.head(features).mean(dim=(2, 3)).sum(dim=0)
        for index in chosen.tolist():
            (gradients,) = torch.autograd.grad(scores[index], features, retain_graph=True)
            found.append(weighted_features(features.detach(), gradients, pool_grad=pool_grad))
    result: Tensor = torch.stack(found, dim=1) * features[0, 0].numel()
    return result
