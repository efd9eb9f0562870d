"""What the tests of the estimate share: loops of a made-up job, and the slice of a small configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wsss_steps import measuring
from wsss_steps.estimating import cuts, scaling, slices
from wsss_steps.workflow import configuration
from wsss_steps.workflow.config import Config

RECIPE = {"recipes": {"cam": {}}, "backbones": {"resnet50": {"net": "resnet50"}, "resnet101": {"net": "resnet101"}}}


def sliced(content: dict[str, Any], tmp_path: Path, images: int = 1) -> tuple[Config, cuts.Cut]:
    """The configuration of the slice, loaded, and the cut."""
    config = configuration.load(content)
    cut = cuts.cut(config, images, tmp_path / "slice")
    return configuration.load(slices.derived(content, config, cut, "slice", 2)), cut


def loop(
    seconds: list[float],
    sizes: list[int] | None = None,
    *,
    what: str = "images",
    threads: float = 1.0,
    later: float = 0.0,
) -> measuring.Loop:
    """A loop whose items take so many seconds, on so many threads."""
    cpu = [second * threads for second in seconds]
    return measuring.Loop(what, seconds, cpu, sizes or [1] * len(seconds), later)


def spent(*loops: measuring.Loop, seconds: float = 30.0, cpu: float = 30.0) -> scaling.Spent:
    return scaling.Spent(seconds, cpu, 500.0, loops)
