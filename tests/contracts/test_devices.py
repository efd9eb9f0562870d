"""Methods compute on the device that they are given; without a GPU, torch's `meta` device shows what was left behind.

Tensors of `meta` have shapes and no numbers: a method gets as far as it computes, and stops where it reads numbers.
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch
from contracts.cases import STEPS, Method, equal, made
from contracts.effects import keywords
from contracts.trainings import batch_of, start
from contracts.world import World
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from wsss_steps.settings.registry import METHODS

SLOTS = list(METHODS)
MOVES = {torch.ops.aten.copy_.default, torch.ops.aten._to_copy.default}
NO_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
PACKAGE = Path(__file__).parents[2] / "wsss_steps"


class OneDevice(TorchDispatchMode):
    """Refuses operations on numbers of several devices, some of which `meta` lets pass."""

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        found = {leaf.device.type for leaf in tensors if leaf.ndim and leaf.is_floating_point()}
        assert len(found) < 2 or operation in MOVES, f"{operation}: tensors on {sorted(found)}"
        return operation(*args, **(kwargs or {}))


def covers(method: Method) -> bool:
    """A classifier of the user's computes nothing."""
    return method.slot in STEPS or not method.given


def stops_on_meta(method: Method, world: World) -> bool:
    """Whether a method, computing on `meta`, stops where it reads numbers."""
    # bfloat16 is not asked for here, and torch has none for `meta`
    with mock.patch.object(torch, "autocast", return_value=contextlib.nullcontext()), OneDevice():
        try:
            first_result(method, world, "meta")
        except (NotImplementedError, RuntimeError) as error:
            if not any(words in str(error) for words in ("meta tensor", "register_meta")):
                raise AssertionError(f"{method.slot} '{method.name}' on another device: {error}") from error
            return True
    return False


def first_result(method: Method, world: World, device: str) -> Any:
    """What a method makes of the first image; the loss, if it is trained."""
    if method.slot in STEPS:
        return made(method, world, device=device).of(world.entries[0])
    trainee = start(method, method.settings(), device=device)
    return {"loss": trainee.loss({name: values.to(device) for name, values in batch_of(method).items()})}


def test_everything_is_computed_on_the_device_that_is_given(method: Method, drawn: World) -> None:
    stopped = stops_on_meta(method, drawn)
    maker = getattr(method.module, "maker", None)
    assert stopped or maker is None or "device" not in keywords(maker), "it has the numbers: it computed elsewhere"


@NO_GPU
def test_a_gpu_gives_what_the_processor_gives(method: Method, drawn: World) -> None:
    there, here = (first_result(method, drawn, device) for device in ("cuda", "cpu"))
    if method.slot in STEPS:
        assert equal(there, here, tolerance=0.05)
    else:
        assert there["loss"].item() == pytest.approx(here["loss"].item(), rel=1e-3)


@pytest.mark.parametrize("folder", ["methods", "nets", "ops"])
def test_no_code_names_a_device(folder: str) -> None:
    """Settings of torch for GPUs, `torch.backends.cuda`, are none."""
    named = []
    for path in (PACKAGE / folder).rglob("*.py"):
        text = path.read_text(encoding="utf-8").replace("torch.backends.cuda", "")
        named += [f"{path.relative_to(PACKAGE)}: {found}" for found in re.findall(r"\.cuda\b|[\"']cuda\b", text)]
    assert named == []
