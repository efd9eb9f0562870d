"""Tiny trainings of all four kinds, and of classifiers whose losses change while they train.

Each is in a process that can be killed at a chosen step or from outside, a fork of a server that has imported all they
need, so that each takes a fraction of a second.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import json
import logging
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from wsss_steps import cli, make_saliency_example
from wsss_steps import pretrain_keys as keys
from wsss_steps import train_classifier as classifier
from wsss_steps import train_saliency as saliency
from wsss_steps import train_segmenter as segmenter
from wsss_steps.data.manifest import Entry, Manifest, write_manifest
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.kinds.superpixels import SUPERPIXELS
from wsss_steps.formats.stores import write_store
from wsss_steps.settings.base import Backbone
from wsss_steps.settings.classifier import Drs, PlainClassifier, Puzzle, RecurSeed
from wsss_steps.settings.saliency import DetectorSaliency
from wsss_steps.settings.segmenter import SpsrgSegmenter
from wsss_steps.settings.steps import PretrainKeys
from wsss_steps.training import loop, resuming

TRAININGS = {"classifier": classifier, "segmenter": segmenter, "saliency": saliency, "keys": keys}
TRAININGS |= {"recurseed": classifier, "puzzle": classifier, "drs": classifier}


def processes() -> ForkServerContext:
    """The fork server, which imports this module once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, sys.path)
    )  # for the server: Python 3.11 does not pass it on
    forkserver.ensure_running()
    return context


def settings_of(kind: str, **overrides: Any) -> dict[str, Any]:
    """Settings of a training of nine steps, with random views; overrides replace them."""
    backbone = Backbone(net="small", mean=(0.4, 0.5, 0.6))
    quick = {"backbone": backbone, "epochs": 3, "batch_size": 2, "crop": 16, "resize_long": None}
    quick |= {"frozen_batch_norm": "none"}
    tiny = {"width": 12, "depth": 2, "heads": 3, "epochs": 3, "batch_size": 2, "prototypes": 8, "blurred": 0.5}
    phases = {"output_stride": 4, "aspp_rates": (1,), "low_level_width": 8, "decoder_width": 8, "dilations": (1,)}
    phases |= {"rs_epoch": 1.0, "mix_epoch": 1.3, "mix": "edgepredictmix"}
    of = {
        "classifier": lambda: PlainClassifier(**quick | {"output_stride": 4, "frozen_stages": 0} | overrides),
        "puzzle": lambda: Puzzle(**quick | {"output_stride": 4} | overrides),
        "recurseed": lambda: RecurSeed(**quick | phases | overrides),
        "drs": lambda: Drs(**quick | {"width": 8} | overrides),
        "segmenter": lambda: SpsrgSegmenter(**quick | {"aspp_rates": (1, 2)} | overrides),
        "saliency": lambda: DetectorSaliency(**quick | {"pairs": "drawn", "decoder_width": 8, "crop": 32} | overrides),
        "keys": lambda: PretrainKeys(**tiny | {"global_crop": 24, "local_crop": 16, "local_crops": 1} | overrides),
    }
    settings: dict[str, Any] = of[kind]().model_dump(mode="json")
    return settings


def make_inputs(folder: Path) -> None:
    """Write the inputs of the four trainings: seven training images, in epochs of three steps, and one of val."""
    rng = np.random.default_rng(0)
    entries, seeds, superpixels = [], [], []
    for number in range(8):
        height, width, tag = 16 + 3 * (number % 4), 24 - 2 * (number % 3), 1 + number % 2
        name, path = f"image{number}", folder / f"{number}.png"
        Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(path)
        entries.append(Entry(name, "train" if number < 7 else "val", str(path), height, width, (tag,)))
        labels = np.where(rng.random((height, width)) < 0.5, tag, 255).astype(np.uint8)
        seeds.append((name, {"seeds": labels}))
        patches = {"superpixels": labels.astype(np.uint16) % 7 + 1, "seed_patches": np.zeros(7, np.int32)}
        superpixels.append((name, patches))
    write_manifest(folder / "m.json", Manifest("tiny", ("cat", "dog"), tuple(entries)))
    write_store(folder / "seeds.h5", SEEDS, seeds, stamp="{}")
    write_store(folder / "superpixels.h5", SUPERPIXELS, superpixels, stamp="{}")
    make_saliency_example.run(output=folder / "pairs", settings={"count": 7, "size": 32, "seed": 5})


@dataclass(frozen=True)
class Run:
    """One training from the files of `make_inputs` in `inputs`, with its outputs in `outputs`."""

    kind: str
    inputs: Path
    outputs: Path
    overrides: tuple[tuple[str, Any], ...] = ()

    @property
    def slot(self) -> str:
        """Which kind of weights it writes."""
        return TRAININGS[self.kind].__name__.rpartition("_")[2]

    @property
    def output(self) -> Path:
        return self.outputs / f"{self.kind}.safetensors"

    @property
    def history(self) -> Path:
        return self.outputs / f"{self.kind}.csv"

    @property
    def growth(self) -> Path:
        return self.outputs / "growth.h5"

    @property
    def state(self) -> Path:
        return self.outputs / f".{self.output.name}.training" / "state.safetensors"

    @property
    def log(self) -> Path:
        return self.outputs / f"{self.kind}.log"

    def command(self) -> list[str]:
        """Arguments of the kind's command line."""
        reads = {"segmenter": {"seeds": "seeds.h5"}, "saliency": {"pairs": "pairs"}}
        options = {} if self.kind == "saliency" else {"manifest": "m.json"}
        options |= reads.get(self.kind, {})
        given = [part for name, file in options.items() for part in (f"--{name}", str(self.inputs / file))]
        written = ["--output", str(self.output), "--history", str(self.history)]
        if self.kind == "segmenter":
            given += ["--needs", f"superpixels={self.inputs / 'superpixels.h5'}"]
            written += ["--output-growth", str(self.growth)]
        settings = json.dumps(settings_of(self.kind, **dict(self.overrides)))
        return [*given, *written, "--settings", settings, "--device", "cpu", "--log", str(self.log)]

    def start(
        self, every: float = 0.0, wait: float | None = None, hook: Callable[..., Any] | None = None, *of: Any
    ) -> ForkServerProcess:
        """Start the training in a process, saving a state every `every` seconds; `hook(*of)` is called in it first."""
        environment = {resuming.SAVE: str(every)} | ({} if wait is None else {"WSSS_WAIT_SECONDS": str(wait)})
        process = processes().Process(target=train, args=(self.kind, self.command(), environment, hook, of))
        process.start()
        return process

    def finish(self, *arguments: Any, **options: Any) -> int | None:
        """Train, and return the exit status."""
        process = self.start(*arguments, **options)
        process.join()
        return process.exitcode

    def checksums_of_what_is_there(self) -> list[str | None]:
        """Checksums of weights and history, None for a missing one."""
        files = (self.output, self.history)
        return [hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None for path in files]

    def checksums(self) -> tuple[str, ...]:
        """Checksums of weights and history; FileNotFoundError if one is missing."""
        found = [checksum for checksum in self.checksums_of_what_is_there() if checksum]
        if len(found) < 2:
            raise FileNotFoundError(f"{self.outputs}: weights or history are not there")
        return tuple(found)


def train(
    kind: str, command: list[str], environment: dict[str, str], hook: Callable[..., Any] | None, of: tuple[Any, ...]
) -> None:
    """What a process does."""
    os.environ.update(environment)
    torch.set_num_threads(1)
    logging.getLogger().handlers.clear()
    tqdm.set_lock(threading.RLock())  # its own is a semaphore that outlives a killed process
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stderr(nowhere):
        if hook is not None:
            hook(*of)
        cli.main(TRAININGS[kind].run, command)


def die_at_step(step: int, number: int) -> None:
    """Send this process the signal after a step, before its state is saved."""
    before = resuming.Keeper.after_step

    def after_step(self: resuming.Keeper, state: Any) -> bool:
        if state.step == step:
            os.kill(os.getpid(), number)
        return before(self, state)

    resuming.Keeper.after_step = after_step  # type: ignore[method-assign]


def tell_all_at_step(step: int, workers: int) -> None:
    """Load data in worker processes; after a step, signal them and this process to end, as SLURM does."""
    multiprocessing.set_start_method("fork", force=True)  # as in a process that no server started
    loader, before = loop.DataLoader, resuming.Keeper.after_step

    def with_workers(*arguments: Any, **options: Any) -> Any:
        return loader(*arguments, **options | {"num_workers": workers})

    def after_step(self: resuming.Keeper, state: Any) -> bool:
        if state.step == step:
            others = multiprocessing.active_children()
            if len(others) != workers:
                raise RuntimeError(f"expected {workers} workers, found {len(others)}")
            # by another process: torch's workers handle a SIGTERM from their parent differently
            subprocess.run(["kill", "-TERM", *(str(process.pid) for process in others), str(os.getpid())], check=True)
            time.sleep(0.2)
        return before(self, state)

    loop.DataLoader = with_workers  # type: ignore[assignment,misc]
    resuming.Keeper.after_step = after_step  # type: ignore[method-assign]


def die_in(module: str, name: str, call: int = 1) -> None:
    """Kill this process when the function `name` of a module is called for the `call`th time."""
    *outer, name = name.split(".")
    place = functools.reduce(getattr, outer, importlib.import_module(module))
    before, calls = getattr(place, name), 0

    def dying(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return before(*arguments, **options)

    setattr(place, name, dying)


def stay_at_step(step: int, until: str) -> None:
    """Pause after a step until the file `until` exists; `until`.here says that this process has paused."""
    before = resuming.Keeper.after_step

    def after_step(self: resuming.Keeper, state: Any) -> bool:
        told = before(self, state)
        if state.step == step:
            Path(f"{until}.here").touch()
            while not Path(until).exists():
                time.sleep(0.02)
        return told

    resuming.Keeper.after_step = after_step  # type: ignore[method-assign]


@contextlib.contextmanager
def staying(run: Run, step: int, until: Path) -> Iterator[ForkServerProcess]:
    """A training paused at a step until the file `until` exists; killed in the end."""
    process = run.start(0.0, None, stay_at_step, step, str(until))
    try:
        wait_for(Path(f"{until}.here"))
        yield process
    finally:
        process.kill()
        process.join()


def wait_for(path: Path, text: str = "", most: float = 60.0) -> None:
    """Wait until a file exists and holds `text`; TimeoutError if it never does."""
    end = time.monotonic() + most
    while not path.exists() or (text and text not in path.read_text()):
        if time.monotonic() > end:
            raise TimeoutError(f"{path} did not appear, or hold '{text}', within {most} s")
        time.sleep(0.02)


def training_of(state: Path, before: int = 0, most: float = 120.0) -> int:
    """The process that trains, other than `before`, once there is a state in its folder `state`."""
    wait_for(state / "state.safetensors", most=most)
    end = time.monotonic() + most
    while not (found := re.findall(r"process (\d+)", (state / "lock").read_text())) or int(found[0]) == before:
        if time.monotonic() > end:
            raise TimeoutError(f"{state}: no process but {before} held the lock within {most} s")
        time.sleep(0.02)
    return int(found[0])
