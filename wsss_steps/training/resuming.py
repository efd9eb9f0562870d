"""Trainings that survive being interrupted: their state is kept beside the output, and the next run goes on from it.

Snakemake deletes the outputs of a failed job, and knows nothing of the hidden folder `.<output>.training`. The state
holds all that decides what comes next, random states included: a training that was killed and resumed ends in the same
weights as one that was not, bit for bit on a CPU. It is trusted only if it is whole and of the same settings, code,
versions, inputs and initial weights. While a training runs it holds a lock of the kernel, which no dead process keeps.
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

SAVE, SAVE_DEFAULT = "WSSS_SAVE_SECONDS", 300.0  # a fact of the machine, so in the environment: it reruns nothing
SIGNALS = (signal.SIGTERM, signal.SIGINT)

log = logging.getLogger(__name__)


class Interrupted(SystemExit):
    """The process was told to end by a signal, and ends so; nothing that handles errors handles this."""


class Resumable(Protocol):
    """A training whose `state` (see `write_state`) decides, with the random states, all that comes next."""

    def state(self) -> dict[str, Any]:
        """All that changes while training."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Take back what `state` gave."""
        ...


class Keeper:
    """Keeps the state of one training in `folder`, or does nothing if there is no folder.

    `made` says that another process made the outputs while this one waited for it: nothing is left to do.
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
        """Put the kept state, if it can be trusted, into `training`, which is at its start, and into this process."""
        if self._path is None:
            return
        start = state_digest(training.state())
        self._fingerprint = hashlib.sha256(f"{self._stamp}{digests.loaded_digest()}{start}".encode()).hexdigest()
        state = self._trusted(self._path)
        if not agreed(state is None, self._device) and state is not None:
            training.restore(state["training"])
            set_random_states(state["random"])
            log.info("the training was interrupted: going on from %s", self._path)
        self._saved, self._stepping = time.monotonic(), True

    def _trusted(self, path: Path) -> dict[str, Any] | None:
        """The kept state, or None if there is none that is of use."""
        if not path.exists():
            return None
        try:
            return read_state(path, fingerprint=self._fingerprint)
        except (UserError, OSError) as error:
            log.warning("the training starts from its beginning, its saved state cannot be used: %s", error)
            return None

    def after_step(self, training: Resumable) -> bool:
        """Save if it is time to; whether the process was told to end, so that `finish` comes next."""
        if self._path is None:
            return False
        told = agreed(self._signal is not None, self._device)
        if not told and time.monotonic() - self._saved >= self._every:
            self.save(training)
        return told

    def finish(self, training: Resumable) -> None:
        """Save after the last step, and raise `Interrupted` if the process was told to end.

        What follows, until the outputs are in place, may be interrupted too.
        """
        if self._path is not None:
            self.save(training)
            self._stepping = False
            if agreed(self._signal is not None, self._device):
                raise self._interrupted()

    def save(self, training: Resumable) -> None:
        """Save now. If that fails, as on a full disk, the state before stays, the log says so, and training goes on."""
        if self._path is None or not leads():
            return
        state = {"training": training.state(), "random": random_states()}
        try:
            write_state(self._path, state, fingerprint=self._fingerprint)
        except (UserError, OSError) as error:
            log.warning(
                "%s: the state of the training could not be saved, the one before is kept: %s", self._path, error
            )
        self._saved = time.monotonic()

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Answer signals to end: between two steps of a training, or else at once."""
        if threading.current_thread() is not threading.main_thread():  # where Python lets nobody listen
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
        """The handler of signals; Ctrl-C a second time does not wait for the end of the step."""
        self._signal = signal.Signals(number)
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if not self._stepping:
            raise self._interrupted()

    def _interrupted(self) -> Interrupted:
        """The end of the process, as shells number it; the log says why."""
        number = self._signal or signal.SIGTERM
        if self._path is None or not self._path.exists():
            log.error("ERROR told to end by %s; nothing of the training could be kept", number.name)
        else:
            again = "the same command goes on from what is kept in"
            log.error("ERROR told to end by %s; %s %s", number.name, again, self._path.parent)
        return Interrupted(128 + number)


@contextlib.contextmanager
def kept(output: Path, history: Path, *, stamp: str, device: str = "cpu") -> Iterator[Keeper]:
    """The keeper of the training that writes `output` and `history`; when these are in place, the state is deleted.

    While another process trains the same, this one waits. A run without a stamp keeps nothing: what tells whether a
    state may be trusted is missing. Of several processes that train together (`distributed`), the leader locks and
    saves; all go on from its state.
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
    """Put the states of all global generators back."""
    torch.set_rng_state(states["torch"])
    if states["cuda"]:
        torch.cuda.set_rng_state_all(states["cuda"])
    np.random.set_state(tuple(states["numpy"]))
    random.setstate(states["python"])
