"""Choice of the device that a room computes on."""

from __future__ import annotations

import torch

from wsss_steps.errors import UserError


def resolve(device: str) -> str:
    """`cpu` or `cuda`: `auto` takes a GPU if there is one; a UserError if `cuda` is asked for and there is none."""
    if device not in ("auto", "cpu", "cuda"):
        raise UserError(f"unknown device '{device}'; known devices: auto, cpu, cuda")
    available = torch.cuda.is_available()
    if device == "cuda" and not available:
        raise UserError("device 'cuda' was asked for, but torch finds no GPU; use device=auto or device=cpu")
    return "cuda" if available and device != "cpu" else "cpu"
