"""One training in several processes, each on its own GPU, with the same result as one process up to rounding.

Every process reads every batch. A part of the network computes on this process's share of the images, and its outputs
are gathered; what follows, such as losses over a whole batch, is as in one process.
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
    """Forward: the concatenated outputs of all processes; backward: this process's part of the gradient."""

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
    """Let `part` compute on this process's share, in place; its input and output are tensors with the images first.

    Trained batch norms use the statistics of all shares, which torch supports on GPUs only; on a CPU, a UserError.
    """
    if world() == 1:
        return
    if any(isinstance(module, TRAINED_NORMS) and module.training for module in part.modules()):
        if device == "cpu":
            raise UserError(
                "several processes on a CPU: batch norm cannot be trained, set frozen_batch_norm: all (the decoders "
                "of saliency detectors and of DeepLab-v3+ train theirs in any case: one process, gpus_per_training: 1)"
            )
        _let_norms_share(part)
    sizes: list[int] = []

    def share(_: nn.Module, inputs: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
        shares = inputs[0].tensor_split(world())
        sizes[:] = [len(one) for one in shares]
        own = shares[rank()]
        # an empty share computes on one image and drops its output and gradient
        return (own if len(own) else inputs[0][:1],)

    def gather(_: nn.Module, __: tuple[torch.Tensor], output: torch.Tensor) -> torch.Tensor:
        gathered: torch.Tensor = _Gather.apply(output, list(sizes))
        return gathered

    part.register_forward_pre_hook(share)
    part.register_forward_hook(gather)


def _let_norms_share(part: nn.Module) -> None:
    """Replace each trained batch norm in place by one that sees the shares of all processes."""
    for module in list(part.modules()):
        for name, child in module.named_children():
            if isinstance(child, TRAINED_NORMS) and child.training:
                setattr(module, name, nn.SyncBatchNorm.convert_sync_batchnorm(child))  # type: ignore[no-untyped-call]


def sum_gradients(network: nn.Module, part: nn.Module) -> None:
    """Give every process the gradient of the whole batch: the sum for `part`, the mean for the rest."""
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
    """Whether `flag` is set in any process; all get the same answer."""
    if world() == 1:
        return flag
    found = torch.tensor(int(flag), device=device)
    dist.all_reduce(found, dist.ReduceOp.MAX)
    return bool(found.item())
