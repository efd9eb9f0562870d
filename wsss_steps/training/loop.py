"""The loop of all trainings."""

from __future__ import annotations

import csv
import functools
import io
import logging
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from wsss_steps.errors import UserError
from wsss_steps.formats.files import write_text
from wsss_steps.formats.weights import write_weights
from wsss_steps.nets.layout import fast_layout
from wsss_steps.progress import track
from wsss_steps.training import distributed
from wsss_steps.training.optimisers import Schedule
from wsss_steps.training.ranks import leads
from wsss_steps.training.resuming import Keeper

Batch = dict[str, Tensor]
Losses = Callable[[Any, Batch], dict[str, Tensor]]
AfterStep = Callable[[Any, float], None]
MOST_WORKERS = 8
RECORDED = ("share_", "entropy_")  # prefixes of parts that are recorded in the history, not minimised

log = logging.getLogger(__name__)


class SizedDataset(Protocol):
    """A data set with a length and items by (epoch, index)."""

    def __len__(self) -> int: ...

    def __getitem__(self, place: Any) -> Batch: ...


@dataclass
class Training:
    """All that changes while training, except random states: training can resume from it.

    `step` and `epoch` count finished ones; `sums` of the losses and `images` are those of the current epoch.
    """

    network: nn.Module
    optimiser: torch.optim.Optimizer
    step: int = 0
    epoch: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    images: int = 0
    history: list[dict[str, float]] = field(default_factory=list)

    def state(self) -> dict[str, Any]:
        """What `restore` takes."""
        parts = {"network": self.network.state_dict(), "optimiser": self.optimiser.state_dict()}
        return vars(self) | parts

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from where `state` was taken."""
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        vars(self).update({name: value for name, value in state.items() if name not in ("network", "optimiser")})

    def count(self, parts: dict[str, float], images: int, *, ends_epoch: bool) -> None:
        """Count a finished step, with the parts of its loss; at the end of an epoch, add its row to the history."""
        self.step += 1
        self.images += images
        for name, value in parts.items():
            self.sums[name] = self.sums.get(name, 0.0) + value * images
        if ends_epoch:
            self.epoch += 1
            self.history.append(_row(self, {name: value / self.images for name, value in self.sums.items()}))
            self.sums, self.images = {}, 0


def batches_of(
    count: int, batch_size: int, *, seed: int, epoch: int, drop_last: bool = False
) -> list[list[tuple[int, int]]]:
    """All (epoch, index) of one epoch in random order, cut into batches.

    A single leftover image joins the last batch, since batch norm cannot train on one. With `drop_last` an incomplete
    batch is left out, unless it is the only one.
    """
    order = np.random.default_rng([abs(seed), epoch]).permutation(count).tolist()
    batches = [[(epoch, index) for index in order[start : start + batch_size]] for start in range(0, count, batch_size)]
    if len(batches) > 1 and drop_last and len(batches[-1]) < batch_size:
        batches.pop()
    if len(batches) > 1 and batch_size > 1 and len(batches[-1]) == 1:
        lone = batches.pop()
        batches[-1] += lone
    return batches


def fit(
    network: nn.Module,
    dataset: SizedDataset,
    losses: Losses,
    optimiser: torch.optim.Optimizer,
    schedule: Schedule,
    *,
    epochs: int,
    batch_size: int,
    seed: int,
    device: str,
    channels_last: bool = True,
    drop_last: bool = False,
    after_step: AfterStep | None = None,
    keeper: Keeper | None = None,
    spread: nn.Module | None = None,
) -> list[dict[str, float]]:
    """Train `network` in place on the sum of the parts that `losses(network, batch)` returns; one row per epoch.

    Parts whose name begins with `share_` or `entropy_` are recorded in the rows, not minimised. The network's state
    must hold all that changes, teachers and moving averages included.

    schedule: sets the learning rates before a step. drop_last: see `batches_of`. after_step: called after a step with
    the network and the share of the steps done, in (0, 1]. keeper: saves and restores the state. spread: the part of
    the network that computes on shares of a batch (see `distributed.spread`); by default all of it. A UserError if the
    loss is not finite.
    """
    (fast_layout(network) if channels_last else network).to(device).train()
    spread = spread or network
    distributed.spread(spread, device)
    state, keeper = Training(network, optimiser), keeper or Keeper()
    order = functools.partial(batches_of, len(dataset), batch_size, seed=seed, drop_last=drop_last)
    batches = [order(epoch=epoch) for epoch in range(epochs)]
    steps = len(batches[0])
    keeper.resume(state)
    left = [batch for epoch in batches for batch in epoch][state.step :]
    for batch in track(_loader(dataset, left, device), len(left), "training steps"):
        if state.step % steps == 0:
            # dropout must not depend on what was drawn before
            torch.manual_seed(abs(seed) * 1_000_003 + state.epoch)
        schedule(optimiser, state.step, epochs * steps)
        parts = _step(state, batch, losses, device, state.step % steps, spread)
        state.count(parts, len(batch["images"]), ends_epoch=(state.step + 1) % steps == 0)
        if after_step is not None:
            after_step(network, state.step / (epochs * steps))
        if keeper.after_step(state):
            break
    keeper.finish(state)
    return state.history


def _row(state: Training, means: dict[str, float]) -> dict[str, float]:
    """One row of the history, also logged: epoch, last rate of the backbone, loss and its parts per image.

    It has no times, so equal runs give equal files; Snakemake's benchmark of the rule has the time.
    """
    rate = state.optimiser.param_groups[0]["lr"]
    row = {
        "epoch": state.epoch,
        "learning_rate": rate,
        "loss": sum(mean for name, mean in means.items() if not name.startswith(RECORDED)),
        **means,
    }
    log.info("epoch %d: loss %.4f (%s)", state.epoch, row["loss"], _spell(means))
    return row


def _step(state: Training, batch: Batch, losses: Losses, device: str, step: int, spread: nn.Module) -> dict[str, float]:
    """One step of the optimiser; returns the parts of the loss."""
    try:
        parts = losses(state.network, {name: tensor.to(device, non_blocking=True) for name, tensor in batch.items()})
    except ValueError as error:
        if "more than 1 value per channel" in str(error):  # torch has no exception class for it
            raise UserError(
                f"training: batch normalisation cannot train on {len(batch['images'])} image of which the network "
                "leaves a single position; give more images, a larger crop, or frozen_batch_norm: all"
            ) from None
        raise
    loss = torch.stack([part for name, part in parts.items() if not name.startswith(RECORDED)]).sum()
    values = {name: float(part.detach()) for name, part in parts.items()}
    if not bool(torch.isfinite(loss)):
        rate = state.optimiser.param_groups[0]["lr"]
        raise UserError(
            f"training: the loss is not finite in epoch {state.epoch + 1}, step {step + 1}, "
            f"at learning rate {rate:.3g}: {_spell(values)}; a lower learning_rate or a longer warm-up may help"
        )
    state.optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    distributed.sum_gradients(state.network, spread)
    state.optimiser.step()
    return values


def _spell(parts: dict[str, float]) -> str:
    """The parts of a loss for a message."""
    return ", ".join(f"{name} {value:.4g}" for name, value in parts.items())


def _loader(dataset: SizedDataset, batches: list[list[tuple[int, int]]], device: str) -> DataLoader[Batch]:
    """The batches in order.

    With a GPU, worker processes read ahead, as many as this one may use threads; items do not depend on that. The
    loader has its own generator, so that the global one stays as a resumed training restored it.
    """
    workers = 0 if device == "cpu" else min(MOST_WORKERS, torch.get_num_threads())
    return DataLoader(
        cast("Dataset[Batch]", dataset),
        batch_sampler=batches,
        num_workers=workers,
        pin_memory=device != "cpu",
        generator=torch.Generator(),
        worker_init_fn=_outlive_signals,
    )


def _outlive_signals(_: int) -> None:
    """Keep a worker alive until its parent, which gets the same signal, has finished its step."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


def write(
    output: Path,
    history: Path,
    kind: str,
    network: nn.Module,
    rows: list[dict[str, float]],
    *,
    content: dict[str, Any],
    stamp: str,
) -> None:
    """Write weights and history; of several processes that trained together, only the leader does."""
    if leads():
        write_weights(output, kind, network.state_dict(), content=content, stamp=stamp)
        write_history(history, rows)


def write_history(path: Path, history: list[dict[str, float]]) -> None:
    """Write the rows of `fit` as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(history[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    write_text(path, text.getvalue())
