"""Two processes that train together, on a CPU, end in the same weights as one."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import killing
import pytest
import torch
from torch import nn

from wsss_steps.errors import UserError
from wsss_steps.formats.weights import read_weights
from wsss_steps.training import distributed

# a batch of 3 makes unequal shares, the last batch of an epoch, of 1, an empty one
FROZEN = (("frozen_batch_norm", "all"), ("batch_size", 3))
TOGETHER = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "--")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    killing.make_inputs(folder)
    return folder


def started(run: killing.Run, *torchrun: str, **environment: str) -> subprocess.Popen[str]:
    """The training, in one process or by torchrun in several."""
    run.outputs.mkdir(exist_ok=True)
    module = killing.TRAININGS[run.kind].__name__
    variables = (
        os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))} | environment
    )
    words = [sys.executable, *(torchrun or ("-m",)), module, *run.command()]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=variables)


def succeed(run: killing.Run, *torchrun: str, **environment: str) -> dict[str, torch.Tensor]:
    """The weights that the training ends in."""
    process = started(run, *torchrun, **environment)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    assert run.history.exists()
    slot = "classifier" if killing.TRAININGS[run.kind] is killing.classifier else run.kind
    return read_weights(run.output, slot)[0]


def differences(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    """The largest relative difference of the norms of all weights."""
    assert list(one) == list(other)
    floats = [name for name, tensor in one.items() if tensor.is_floating_point()]
    return max(float((one[name] - other[name]).norm() / (one[name].norm() + 1e-12)) for name in floats)


@pytest.mark.parametrize("kind", ["classifier", "puzzle", "drs", "segmenter"])
def test_two_processes_give_the_weights_of_one(kind: str, inputs: Path, tmp_path: Path) -> None:
    alone = succeed(killing.Run(kind, inputs, tmp_path / "alone", FROZEN))
    together = killing.Run(kind, inputs, tmp_path / "together", FROZEN)
    assert differences(alone, succeed(together, *TOGETHER)) < 1e-5
    longer = succeed(killing.Run(kind, inputs, tmp_path / "longer", (*FROZEN, ("epochs", 4))))
    assert differences(alone, longer) > 1e-4, "the comparison would not notice another training"
    assert not together.state.parent.exists()


def test_an_interrupted_one_goes_on(inputs: Path, tmp_path: Path) -> None:
    many = (*FROZEN, ("epochs", 100), ("learning_rate", 1e-4))  # low enough that rounding errors do not grow
    alone = succeed(killing.Run("classifier", inputs, tmp_path / "alone", many))
    run = killing.Run("classifier", inputs, tmp_path / "together", many)
    first = started(run, *TOGETHER, WSSS_SAVE_SECONDS="0")
    killing.training_of(run.state.parent)
    first.send_signal(signal.SIGTERM)  # torchrun forwards it to both
    output, _ = first.communicate(timeout=300)
    assert first.returncode != 0
    assert run.state.exists(), output
    assert not run.output.exists()
    assert differences(alone, succeed(run, *TOGETHER)) < 1e-3
    assert re.search("going on from", run.log.read_text())


@pytest.mark.parametrize(("kind", "overrides"), [("classifier", ()), ("saliency", FROZEN)])
def test_batch_norm_that_is_trained_needs_gpus(kind: str, overrides: Any, inputs: Path, tmp_path: Path) -> None:
    run = killing.Run(kind, inputs, tmp_path / "together", overrides)
    process = started(run, *TOGETHER)
    output, _ = process.communicate(timeout=300)
    assert process.returncode != 0
    assert "batch norm cannot be trained, set frozen_batch_norm: all" in output
    assert not run.output.exists()


def test_norms_that_are_frozen_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Sequential(nn.BatchNorm2d(4)))
    network[1].eval()
    still, weight = network[1], network[2][0].weight
    monkeypatch.setenv("WORLD_SIZE", "2")
    distributed.spread(network, "cuda")
    assert network[1] is still
    assert isinstance(network[2][0], nn.SyncBatchNorm)
    assert network[2][0].weight is weight, "the optimiser holds this parameter"
    with pytest.raises(UserError, match="several processes on a CPU"):
        distributed.spread(nn.Sequential(nn.BatchNorm2d(4)), "cpu")


def test_one_process_is_left_alone() -> None:
    network = nn.Conv2d(3, 4, 3)
    before = network.forward
    distributed.spread(network, "cpu")
    distributed.sum_gradients(network, network)
    assert network.forward == before
    assert network.weight.grad is None
    assert distributed.agreed(True)
    assert not distributed.agreed(False)
