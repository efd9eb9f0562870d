"""Choice of the device that a room computes on: each process on a workstation gets a GPU of its own.

A lease is a lock of the kernel, which no dead process keeps. Where SLURM has given devices to the job, these are taken.
"""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch

from wsss_steps import locks
from wsss_steps.errors import UserError

VISIBLE = "CUDA_VISIBLE_DEVICES"

log = logging.getLogger(__name__)


def resolve(device: str) -> str:
    """`cpu` or `cuda`: `auto` takes a GPU if there is one; a UserError if `cuda` is asked for and there is none."""
    if device not in ("auto", "cpu", "cuda"):
        raise UserError(f"unknown device '{device}'; known devices: auto, cpu, cuda")
    available = device != "cpu" and torch.cuda.is_available()
    if device == "cuda" and not available:
        hidden = f" ({VISIBLE}={os.environ[VISIBLE]!r} hides some or all)" if VISIBLE in os.environ else ""
        raise UserError(f"device 'cuda' was asked for, but torch finds no GPU{hidden}; use device=auto or device=cpu")
    return "cuda" if available else "cpu"


def names_of_gpus(environment: Mapping[str, str], count: int) -> list[str]:
    """What the GPUs that this process sees are called outside of it, in torch's order."""
    given = [name.strip() for name in environment.get(VISIBLE, "").split(",") if name.strip()]
    return given[:count] if given else [str(number) for number in range(count)]


def given_by_slurm(environment: Mapping[str, str]) -> bool:
    """Whether SLURM has chosen the GPUs of this process."""
    return "SLURM_JOB_ID" in environment and bool(environment.get(VISIBLE))


@contextlib.contextmanager
def leased(device: str) -> Iterator[str]:
    """`resolve`, and if that is `cuda`: hold one GPU that no other process of this user holds; `cuda` then means it.

    If all are held it says by whom, and waits as long as `locks.WAIT` says; a UserError if that was too short. A GPU
    computes in float32 proper: by itself torch lets convolutions round to TF32, for which `compute_precision` must ask.
    """
    name = resolve(device)
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    if name == "cpu" or given_by_slurm(os.environ):
        if name == "cuda":
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        yield name
        return
    folder = Path(tempfile.gettempdir()) / f"wsss-gpus-{os.getuid()}"
    gpus = names_of_gpus(os.environ, torch.cuda.device_count())
    paths = [folder / f"{gpu}.lock" for gpu in gpus]
    with locks.one_of(paths, "computes on it") as index:
        torch.cuda.set_device(index)
        log.info("GPU %s: %s", gpus[index], torch.cuda.get_device_name(index))
        yield name
