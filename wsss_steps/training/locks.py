"""Kernel locks on a folder or on one of several files.

They are released when their process dies, and a process that waits for one logs who holds it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from wsss_steps.errors import UserError

WAIT, WAIT_DEFAULT = "WSSS_WAIT_SECONDS", float("inf")  # depends on the machine, hence an environment variable
SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_BETWEEN_LINES = 600.0

log = logging.getLogger(__name__)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Hold the lock of `folder`; yields whether it had to wait. Afterwards the folder is removed if it is empty."""
    path = folder / "lock"
    _, file, waited = _acquire([path], "trains this already")
    try:
        yield waited
    finally:
        with contextlib.suppress(OSError):
            if list(folder.iterdir()) == [path]:
                path.unlink()
                folder.rmdir()
        file.close()


@contextlib.contextmanager
def one_of(paths: Sequence[Path], does: str) -> Iterator[int]:
    """Hold one of the lock files `paths`, which are kept; yields its index. `does` says what their holders do."""
    index, file, _ = _acquire(paths, does)
    with file:
        yield index


def _acquire(paths: Sequence[Path], does: str) -> tuple[int, IO[str], bool]:
    """Lock one of the files: its index, the locked file with this process named in it, and whether it had to wait."""
    begun, told, limit = time.monotonic(), float("-inf"), seconds(WAIT, WAIT_DEFAULT)
    waited = False
    while True:
        holders = []
        for index, path in enumerate(paths):
            found = _attempt(path)
            if not isinstance(found, str):
                return index, found, waited
            holders.append((path.parent if path.name == "lock" else path, found))
        now = time.monotonic()
        if now - begun >= limit:
            those = "; ".join(f"{place}: {holder} {does}" for place, holder in holders)
            raise UserError(f"{those}; wait for it or end it, then run this again ({WAIT}={limit:g})")
        if now - told >= SECONDS_BETWEEN_LINES:
            told = now
            log.warning("waiting for %s", "; ".join(f"{holder} ({place})" for place, holder in holders))
        waited = True
        time.sleep(min(SECONDS_BETWEEN_LOOKS, limit))


def _attempt(path: Path) -> IO[str] | str:
    """The file, locked, with this process named in it, or the name of the process that has it locked."""
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("a+", encoding="utf-8")
        except FileNotFoundError:  # its last holder has just deleted the folder
            continue
        if not _lock(file):
            with file:
                file.seek(0)
                return file.read() or "another process"
        if _is_at(path, file):
            file.truncate(0)
            file.write(_this_process())
            file.flush()
            return file
        file.close()


def _is_at(path: Path, file: IO[str]) -> bool:
    """Whether an open file is the one at `path`: its last holder may have deleted it while this process opened it."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _lock(file: IO[str]) -> bool:
    """Lock a file until this process ends; False if another process holds the lock.

    The lock belongs to the process, not, as with flock, to the open file, so workers that outlive it do not keep it.
    """
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):
            return False
        log.warning("%s: no locks on this file system (%s): nobody would notice a second run", file.name, error)
    return True


def _this_process() -> str:
    """Name the current process, for the messages of processes that wait."""
    job = os.environ.get("SLURM_JOB_ID")
    since = time.strftime("%Y-%m-%d %H:%M:%S %z")
    return f"process {os.getpid()} on {socket.gethostname()}{f' (SLURM job {job})' if job else ''}, since {since}"


def seconds(name: str, default: float) -> float:
    """The seconds in an environment variable; a UserError if its value is not a number of 0 or more."""
    text = os.environ.get(name, str(default))
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not value >= 0:
        raise UserError(f"environment variable {name}: expected seconds, 0 or more, found '{text}'")
    return value
