"""One training by several processes, each on a GPU of its own: they end in the weights of one, up to rounding.

Every process reads every batch. A part of the network computes on this process's share of the images, and its outputs
are gathered, so that what follows, losses that look at a whole batch among it, is as in one process.
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator
from typing import Any

import torch
import torch.distributed as dist
from torch import nn

from wsss_steps.errors import UserError
from wsss_steps.training.ranks import rank, world

PATIENCE = datetime.timedelta(days=7)  # the leader may wait for a lock
TRAINED_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


@contextlib.contextmanager
def joined(device: str) -> Iterator[None]:
    """Join the other processes of this training, if there are any."""
    if world() == 1:
        yield
        return
    dist.init_process_group("nccl" if device == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield
    finally:
        dist.destroy_process_group()


class _Gather(torch.autograd.Function):
    """The outputs of all processes, joined; backwards, this process's part of the gradient."""

    @staticmethod
    def forward(ctx: Any, part: torch.Tensor, sizes: list[int]) -> torch.Tensor:
        own, most = sizes[rank()], max(sizes)
        padded = part.new_zeros((most, *part.shape[1:]))
        padded[:own] = part[:own]
        parts = [torch.empty_like(padded) for _ in sizes]
        dist.all_gather(parts, padded)
        ctx.sizes, ctx.shape = sizes, part.shape
        return torch.cat([found[:size] for found, size in zip(parts, sizes, strict=True)])

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        sizes, gradient = ctx.sizes, gradients[0]
        start, own = sum(sizes[: rank()]), sizes[rank()]
        part = gradient.new_zeros(ctx.shape)
        part[:own] = gradient[start : start + own]
        return part, None


def spread(part: nn.Module, device: str) -> None:
    """Let `part`, whose input and output are tensors with the images first, compute on this process's share, in place.

    Batch norm that is trained takes the statistics of all shares, which torch can do on GPUs alone: else a UserError.
    """
    if world() == 1:
        return
    if any(isinstance(module, TRAINED_NORMS) and module.training for module in part.modules()):
        if device == "cpu":
            raise UserError(
                "several processes on a CPU: batch norm cannot be trained, set frozen_batch_norm: all (the decoder "
                "of a saliency detector trains its own in any case: one process, gpus_per_training: 1)"
            )
        _let_norms_share(part)
    forward = part.forward

    def shared(images: torch.Tensor) -> torch.Tensor:
        shares = images.tensor_split(world())
        own = shares[rank()]
        # a share without images computes on one whose output and gradient are dropped
        found = forward(own if len(own) else images[:1])
        gathered: torch.Tensor = _Gather.apply(found, [len(share) for share in shares])
        return gathered

    part.forward = shared


def _let_norms_share(part: nn.Module) -> None:
    """Replace each batch norm that is trained, in place, by one that sees the shares of all processes."""
    for module in list(part.modules()):
        for name, child in module.named_children():
            if isinstance(child, TRAINED_NORMS) and child.training:
                setattr(module, name, nn.SyncBatchNorm.convert_sync_batchnorm(child))  # type: ignore[no-untyped-call]


def sum_gradients(network: nn.Module, part: nn.Module) -> None:
    """Give every process the gradient of the whole batch: of `part` the sum, of the rest, equal everywhere, a mean."""
    if world() == 1:
        return
    spread_out = {id(parameter) for parameter in part.parameters()}
    for parameter in network.parameters():
        if parameter.requires_grad:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            dist.all_reduce(parameter.grad)
            if id(parameter) not in spread_out:
                parameter.grad /= world()


def agreed(flag: bool, device: str = "cpu") -> bool:
    """Whether `flag` is set in any of the processes: all get the same answer."""
    if world() == 1:
        return flag
    found = torch.tensor(int(flag), device=device)
    dist.all_reduce(found, dist.ReduceOp.MAX)
    return bool(found.item())
