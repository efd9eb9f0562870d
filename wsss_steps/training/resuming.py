"""Trainings that survive interruption: their state is saved beside the output, and the next run resumes from it.

Snakemake deletes the outputs of a failed job, but does not know the hidden folder `.<output>.training`. The state has
all that decides what comes next, including random states: a training that was killed and resumed ends with the same
weights as one that was not, bit for bit on a CPU. It is used only if it is complete and has the same settings, code,
versions, inputs and initial weights. A running training holds a kernel lock, which is released when it dies.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from wsss_steps.errors import UserError
from wsss_steps.formats.stamps import begin
from wsss_steps.formats.states import read_state, state_digest, write_state
from wsss_steps.formats.weights import read_weights_stamp
from wsss_steps.provenance import digests
from wsss_steps.training.distributed import agreed, joined
from wsss_steps.training.locks import locked, seconds
from wsss_steps.training.ranks import leads
from wsss_steps.training.watching import WATCHERS

SAVE, SAVE_DEFAULT = "WSSS_SAVE_SECONDS", 300.0  # an environment variable, no setting: changing it reruns nothing
SIGNALS = (signal.SIGTERM, signal.SIGINT)

log = logging.getLogger(__name__)


class Interrupted(SystemExit):
    """A signal told the process to end; `except Exception` does not catch this."""


class Resumable(Protocol):
    """A training whose `state` (see `write_state`), with the random states, decides all that comes next."""

    network: torch.nn.Module
    epoch: int

    def state(self) -> dict[str, Any]:
        """All that changes while training."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from where `state` was taken."""
        ...


class Keeper:
    """Saves the state of one training in `folder`, or does nothing if there is no folder.

    `made`: another process made the outputs while this one waited for it, so there is nothing left to do.
    """

    def __init__(self, folder: Path | None = None, *, stamp: str = "", made: bool = False, device: str = "cpu") -> None:
        self.made, self._device = made, device
        self._path = None if folder is None else folder / "state.safetensors"
        self._stamp, self._fingerprint = stamp, ""
        self._every = seconds(SAVE, SAVE_DEFAULT)
        self._saved = time.monotonic()
        self._signal: signal.Signals | None = None
        self._stepping = False

    def resume(self, training: Resumable) -> None:
        """Restore the saved state, if it can be trusted, to `training`, which is at its start, and to this process."""
        state = None if self._path is None else self._found(self._path, training)
        if state is None:
            look(training)
        else:
            training.restore(state["training"])
            set_random_states(state["random"])
            for watcher, seen in zip(WATCHERS, state.get("seen", []), strict=True):
                watcher.restore(seen)
            log.info("the training was interrupted: going on from %s", self._path)
        self._saved, self._stepping = time.monotonic(), True

    def _found(self, path: Path, training: Resumable) -> dict[str, Any] | None:
        """The saved state from which all processes resume, or None if they start from the beginning."""
        start = state_digest(training.state())
        self._fingerprint = hashlib.sha256(f"{self._stamp}{digests.loaded_digest()}{start}".encode()).hexdigest()
        state = self._trusted(path)
        return None if agreed(state is None, self._device) else state

    def _trusted(self, path: Path) -> dict[str, Any] | None:
        """The saved state, or None if there is none that can be used."""
        if not path.exists():
            return None
        try:
            return read_state(path, fingerprint=self._fingerprint)
        except (UserError, OSError) as error:
            log.warning("the training starts from its beginning, its saved state cannot be used: %s", error)
            return None

    def after_step(self, training: Resumable) -> bool:
        """Save if it is time to; returns whether the process was told to end, so that `finish` comes next."""
        look(training)
        if self._path is None:
            return False
        told = agreed(self._signal is not None, self._device)
        if not told and time.monotonic() - self._saved >= self._every:
            self.save(training)
        return told

    def finish(self, training: Resumable) -> None:
        """Save after the last step, and raise `Interrupted` if the process was told to end.

        After that, until the outputs are in place, signals interrupt at once.
        """
        if self._path is not None:
            self.save(training)
            self._stepping = False
            if agreed(self._signal is not None, self._device):
                raise self._interrupted()
        for watcher in WATCHERS:
            watcher.end(training.network)

    def save(self, training: Resumable) -> None:
        """Save now. If that fails, as on a full disk, it warns and keeps the previous state, and training continues."""
        if self._path is None or not leads():
            return
        seen = [watcher.state() for watcher in WATCHERS]
        state = {"training": training.state(), "random": random_states(), "seen": seen}
        try:
            write_state(self._path, state, fingerprint=self._fingerprint)
        except (UserError, OSError) as error:
            log.warning(
                "%s: the state of the training could not be saved, the one before is kept: %s", self._path, error
            )
        self._saved = time.monotonic()

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Handle signals to end: during training after the current step, otherwise at once."""
        if threading.current_thread() is not threading.main_thread():  # other threads cannot set signal handlers
            yield
            return
        before = [signal.signal(number, self._told) for number in SIGNALS]
        try:
            yield
        finally:
            for number, handler in zip(SIGNALS, before, strict=True):
                signal.signal(number, handler)

    def discard(self) -> None:
        """Delete the state: the outputs are in place."""
        if self._path is not None and leads():
            self._stepping = True  # too late for an interruption
            self._path.unlink(missing_ok=True)

    def _told(self, number: int, _: object) -> None:
        """The signal handler; a second Ctrl-C does not wait for the end of the step."""
        self._signal = signal.Signals(number)
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if not self._stepping:
            raise self._interrupted()

    def _interrupted(self) -> Interrupted:
        """The exception that ends the process, with the exit status that shells use; also logs the reason."""
        number = self._signal or signal.SIGTERM
        if self._path is None or not self._path.exists():
            log.error("ERROR told to end by %s; nothing of the training could be kept", number.name)
        else:
            again = "the same command goes on from what is kept in"
            log.error("ERROR told to end by %s; %s %s", number.name, again, self._path.parent)
        return Interrupted(128 + number)


def look(training: Resumable) -> None:
    """Let what watches this training look at it."""
    for watcher in WATCHERS:
        watcher.look(training.network, training.epoch)


@contextlib.contextmanager
def kept(output: Path, history: Path, *, stamp: str, device: str = "cpu") -> Iterator[Keeper]:
    """The keeper of the training that writes `output` and `history`; once these are in place, the state is deleted.

    If another process is training the same, this one waits. Without a stamp nothing is saved, since a state could not
    be checked. Of several processes that train together (`distributed`), the leader locks and saves; all resume from
    its state.
    """
    if not json.loads(stamp or "{}"):
        with joined(device):
            yield Keeper()
        return
    folder = output.with_name(f".{output.name}.training")
    with joined(device), locked(folder) if leads() else contextlib.nullcontext(False) as waited:
        for leftover in folder.glob(".*.tmp") if leads() else ():
            leftover.unlink()
        if waited:
            begin()
        made = waited and history.exists() and read_weights_stamp(output) == json.loads(stamp)
        if made:
            log.info("%s: was made by the process that this one waited for", output)
        keeper = Keeper(folder, stamp=stamp, made=agreed(made, device), device=device)
        with keeper.listening():
            yield keeper
            keeper.discard()


def random_states() -> dict[str, Any]:
    """The states of all global generators of this process."""
    name, keys, *rest = np.random.get_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []  # type: ignore[no-untyped-call]
    numbers = [name, np.asarray(keys).tolist(), *rest]
    return {"torch": torch.get_rng_state(), "cuda": cuda, "numpy": numbers, "python": random.getstate()}


def set_random_states(states: dict[str, Any]) -> None:
    """Restore the states of all global generators."""
    torch.set_rng_state(states["torch"])
    if states["cuda"]:
        torch.cuda.set_rng_state_all(states["cuda"])
    np.random.set_state(tuple(states["numpy"]))
    random.setstate(states["python"])
