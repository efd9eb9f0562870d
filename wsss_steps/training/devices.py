"""Choice of the device of a step (each process on a workstation gets its own GPU), and errors when its memory runs out.

A GPU is leased by a kernel lock, which is released when the process dies. GPUs assigned by SLURM are used as they are.
"""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch

from wsss_steps.errors import UserError
from wsss_steps.settings.base import known_device
from wsss_steps.training import locks, ranks

VISIBLE = "CUDA_VISIBLE_DEVICES"

log = logging.getLogger(__name__)


def resolve(device: str) -> str:
    """`cpu` or `cuda`: `auto` takes a GPU if there is one; a UserError if `device` is unknown or missing.

    `cuda:N` is GPU N of those that this process sees, in torch's numbering from 0.
    """
    try:
        known_device(device)
    except ValueError as error:
        raise UserError(f"device: {error}") from None
    count = torch.cuda.device_count() if device != "cpu" and torch.cuda.is_available() else 0
    if device.startswith("cuda"):
        _check(device, count)
    return "cuda" if count else "cpu"


def _check(device: str, count: int) -> None:
    """Raise a UserError if `cuda` or `cuda:N` is missing among `count` GPUs, or is one GPU for several processes."""
    hidden = f" ({VISIBLE}={os.environ[VISIBLE]!r} hides some or all)" if VISIBLE in os.environ else ""
    number = number_of(device)
    if not count:
        raise UserError(
            f"device '{device}' was asked for, but torch finds no GPU{hidden}; use device=auto or device=cpu"
        )
    if number is not None and number >= count:
        raise UserError(f"device: expected cuda:0 to cuda:{count - 1}, found '{device}'{hidden}")
    if number is not None and ranks.world() > 1:
        raise UserError(f"device: expected auto or cuda for {ranks.world()} processes, found '{device}'")


def number_of(device: str) -> int | None:
    """The number in `cuda:N`, or None."""
    _, colon, number = device.partition(":")
    return int(number) if colon else None


def names_of_gpus(environment: Mapping[str, str], count: int) -> list[str]:
    """System-wide names of the GPUs that this process sees, in torch's order."""
    given = [name.strip() for name in environment.get(VISIBLE, "").split(",") if name.strip()]
    return given[:count] if given else [str(number) for number in range(count)]


def given_by_slurm(environment: Mapping[str, str]) -> bool:
    """Whether SLURM has chosen the GPUs of this process."""
    return "SLURM_JOB_ID" in environment and bool(environment.get(VISIBLE))


@contextlib.contextmanager
def leased(device: str) -> Iterator[str]:
    """`resolve`; if that is `cuda`, hold a GPU that no other process of this user holds, and make it the current one.

    With `cuda:N` that is GPU N. If all are held, it logs by whom, and waits as long as `locks.WAIT` says; a UserError
    after that. TF32 is switched off, although torch allows it for convolutions by default: only `compute_precision`
    turns it on.
    """
    name, number = resolve(device), number_of(device)
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    if name == "cpu" or given_by_slurm(os.environ):
        if name == "cuda":
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) if number is None else number)
        yield name
        return
    folder = Path(tempfile.gettempdir()) / f"wsss-gpus-{os.getuid()}"
    gpus = names_of_gpus(os.environ, torch.cuda.device_count())
    chosen = range(len(gpus)) if number is None else [number]
    paths = [folder / f"{gpus[index]}.lock" for index in chosen]
    with locks.one_of(paths, "computes on it") as first:
        index = chosen[first]
        torch.cuda.set_device(index)
        log.info("GPU %s: %s", gpus[index], torch.cuda.get_device_name(index))
        yield name
