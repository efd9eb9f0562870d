"""How a run segmented with its network: scales, mirror images, dense CRF and working size, from what lies beside it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wsss_steps.formats.files import IN_A_FOLDER
from wsss_steps.formats.stamps import beside
from wsss_steps.provenance.digests import file_digest
from wsss_steps.report.artifacts.surroundings import MANIFESTS, around
from wsss_steps.settings import crf
from wsss_steps.settings.steps import Predict

OF_PREDICTION = ("scales", "flip", "merge", "crf", "crf_labels")
# folders of label maps beside a segmenter, and below a classifier that segments: at once, or of shards
FOLDERS = ("segmentation_crf/*", "segmentation_crf/*.shards/*", "pseudo_labels", "pseudo_labels.shards/*")
DEPTHS = ("", "*/*/*/*/")


def defaults() -> dict[str, Any]:
    """The settings of `predict` where a configuration names none, and no limit on the size of images."""
    known = Predict().model_dump(mode="json")
    return {**known, "crf": crf.numbers(known["crf"]), "max_side": None}


def of_run(model: Path) -> tuple[dict[str, Any], Path | None]:
    """What the run of `model` used to predict with it, and the stamp that says so; the defaults and None without one.

    Keys are `scales`, `flip`, `merge`, `crf` (numbers, or None), `crf_labels` and `max_side` (px, or None).
    """
    digest = file_digest(model)
    for path in _stamps(model.resolve().parent):
        stamp = _read(path)
        used = stamp.get("inputs", {}).get("segmenter", {}).get("sha256")
        if stamp.get("step") == "predict" and used == digest:
            found = {name: stamp["settings"][name] for name in OF_PREDICTION}
            return {**found, "max_side": _max_side(model)}, path
    return defaults(), None


def _stamps(folder: Path) -> Iterator[Path]:
    """The stamps of label maps that a network in `folder` may have made."""
    for depth in DEPTHS:
        for pattern in FOLDERS:
            yield from sorted(folder.glob(f"{depth}{pattern}/{IN_A_FOLDER}"))


def _max_side(model: Path) -> int | None:
    """The working size of the run that `model` lies in."""
    root = around(model.resolve()).root
    for manifest in sorted(root.glob(MANIFESTS)) if root else ():
        side = _read(beside(manifest)).get("settings", {}).get("max_side")
        if side is not None:
            return int(side)
    return None


def _read(path: Path) -> dict[str, Any]:
    """A stamp; empty if it cannot be read."""
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(path.read_text(encoding="utf-8"))
        return found if isinstance(found, dict) else {}
    return {}
