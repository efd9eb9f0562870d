"""Calls that several processes make, in order, with the same results for any number of them. Free of torch.

Processes, since a library that holds the interpreter's lock while it computes (pydensecrf) gains nothing from threads.
"""

from __future__ import annotations

import collections
import functools
import multiprocessing
import os
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from wsss_steps import measuring

T = TypeVar("T")
R = TypeVar("R")

FEWEST = 16  # calls per process, which takes as long to start as some dense CRFs of small images


def _same(result: Any) -> Any:
    return result


@dataclass(frozen=True)
class Later(Generic[T]):
    """A value that a call gives, which may be made in another process, and what this process makes of its result.

    `call` goes there by pickle: a `functools.partial` of a function of a module, with arrays, numbers and the like. The
    module should not import torch, which takes seconds, and is not the step itself.
    """

    call: Callable[[], Any]
    finish: Callable[[Any], T] = _same


def now(value: T | Later[T]) -> T:
    """A value; a later one is made in this process."""
    return value.finish(value.call()) if isinstance(value, Later) else value


def then(value: T | Later[T], function: Callable[[T], R]) -> R | Later[R]:
    """`function` of a value, or of a later one when it is known."""
    if not isinstance(value, Later):
        return function(value)
    return Later(value.call, lambda result: function(value.finish(result)))


def allowed() -> int:
    """How many processes this job may use: as many as threads. Snakemake tells a job so; without it, all cores."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    return int(told) if told.isdecimal() and int(told) else os.cpu_count() or 1


class Workers:
    """Processes for `count` calls of `Later`, as many as are `allowed`; they start with the first one.

    As a context manager it ends them. With one process, or for few calls, there are none but this.
    """

    def __init__(self, count: int) -> None:
        self.processes = 1 if measuring.active() else min(allowed(), count // FEWEST)
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *error: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def begin(self, value: T | Later[T]) -> Callable[[], T]:
        """Begin to make a value; returns a function that waits for it and raises what the call raised.

        If a process is killed, this and all such functions raise a BrokenProcessPool.
        """
        if not isinstance(value, Later):
            return functools.partial(now, value)
        if self.processes < 2:
            return functools.partial(measuring.later, now, value)
        future, finish = self._submit(value.call), value.finish  # and not `value`, whose arrays may be large
        return lambda: finish(future.result())

    def in_order(self, begun: Iterable[T]) -> Iterator[T]:
        """Yield what is iterated over, but read on meanwhile, so that every process has a call and one that waits."""
        waiting: collections.deque[T] = collections.deque()
        for item in begun:
            waiting.append(item)
            while len(waiting) > (2 * self.processes if self._pool else 0):
                yield waiting.popleft()
        yield from waiting

    def _submit(self, call: Callable[[], T]) -> Future[T]:
        if self._pool is None:  # neither CUDA nor threads survive a fork
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self.processes, mp_context=context, initializer=_begin)
        # a new process imports the main module of this one: the step, and torch with it
        main, sys.modules["__main__"] = sys.modules["__main__"], types.ModuleType("__main__")
        try:
            return self._pool.submit(call)
        finally:
            sys.modules["__main__"] = main


def _begin() -> None:
    """In a new process: one thread, leave Ctrl-C to the process that started this one, and end with it, however."""
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
