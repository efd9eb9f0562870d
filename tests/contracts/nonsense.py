"""Methods that return nonsense of the right shape, in the slot `cams`: the contracts must tell them from the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from contracts.cases import Method

from wsss_steps.data.images import read_image
from wsss_steps.data.manifest import Entry
from wsss_steps.methods.cams import cam
from wsss_steps.methods.per_image import Arrays
from wsss_steps.settings.cams import Cam

log = logging.getLogger(__name__)

Make = Callable[[Entry, Mapping[str, Arrays]], np.ndarray]


def negated(
    *,
    classifier: Path,
    classes: Sequence[str],
    device: str,
    scales: Sequence[float],
    flip: bool,
    resolution: str,
    merge: str,
) -> Make:
    """High where the class is not."""
    options = {"scales": scales, "flip": flip, "resolution": resolution, "merge": merge}
    right = cam.maker(classifier=classifier, classes=classes, device=device, **options)

    def make(entry: Entry, given: Mapping[str, Arrays]) -> np.ndarray:
        maps = 1 - right(entry, given)
        return maps / maps.max(axis=(1, 2), keepdims=True, initial=1e-6)

    return make


def constant(
    *,
    classifier: Path,
    classes: Sequence[str],
    device: str,
    scales: Sequence[float],
    flip: bool,
    resolution: str,
    merge: str,
) -> Make:
    """The same everywhere."""
    return lambda entry, _: np.ones((len(entry.tags), entry.height, entry.width), np.float32)


def deaf(
    *,
    classifier: Path,
    classes: Sequence[str],
    device: str,
    scales: Sequence[float],
    flip: bool,
    resolution: str,
    merge: str,
) -> Make:
    """Maps by settings of its own; it logs those that it is given, and so reads every one."""
    log.debug("%s %s %s %s", scales, flip, resolution, merge)
    options: dict[str, Any] = {"scales": (1.0,), "flip": True, "resolution": "full", "merge": "sum"}
    return cam.maker(classifier=classifier, classes=classes, device=device, **options)


def elsewhere(
    *,
    classifier: Path,
    classes: Sequence[str],
    device: str,
    scales: Sequence[float],
    flip: bool,
    resolution: str,
    merge: str,
) -> Make:
    """Maps that are dimmed by how varied the images of the folder are."""
    options = {"scales": scales, "flip": flip, "resolution": resolution, "merge": merge}
    right = cam.maker(classifier=classifier, classes=classes, device=device, **options)

    def make(entry: Entry, given: Mapping[str, Arrays]) -> np.ndarray:
        others = [read_image(path) for path in sorted(Path(entry.image).parent.glob("*.png"))]
        return right(entry, given) ** float(np.std(others) / 10)

    return make


def method(maker: Callable[..., Make]) -> Method:
    """A maker in place of that of `cam`, with its settings."""
    module = ModuleType(maker.__name__)
    module.maker = maker  # type: ignore[attr-defined]
    return Method("cams", Cam, module)
