"""The optimiser of a network with a backbone, and the schedule of its learning rates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import torch
from torch import nn

from wsss_steps.ops.schedules import poly_warmup

Schedule = Callable[[torch.optim.Optimizer, int, int], None]  # sets the rates for step 0, 1, ... of a number of steps


def make_optimiser(
    network: nn.Module,
    backbone: nn.Module,
    pretrained: Iterable[nn.Parameter] = (),
    *,
    learning_rate: float,
    head_multiplier: float,
    momentum: float,
    weight_decay: float,
) -> torch.optim.SGD:
    """SGD on the trainable weights of `backbone`, and on the rest of `network` at `head_multiplier` times the rate.

    pretrained: parameters outside the backbone that have its rate, since they too are pretrained. If the network has
    `multipliers` {name of a part: factor}, each such part has the rate of the rest times its factor.
    """
    inside = {id(parameter) for parameter in (*backbone.parameters(), *pretrained)}
    multipliers: Mapping[str, float] = getattr(network, "multipliers", {})
    parts = {name: {id(parameter) for parameter in network.get_submodule(name).parameters()} for name in multipliers}
    apart = inside.union(*parts.values())
    trainable = [parameter for parameter in network.parameters() if parameter.requires_grad]
    groups = [
        {"params": [parameter for parameter in trainable if id(parameter) in inside], "base": learning_rate},
        {
            "params": [parameter for parameter in trainable if id(parameter) not in apart],
            "base": learning_rate * head_multiplier,
        },
    ]
    for name, factor in multipliers.items():
        own = [parameter for parameter in trainable if id(parameter) in parts[name]]
        groups.append({"params": own, "base": learning_rate * head_multiplier * factor})
    return torch.optim.SGD(groups, lr=learning_rate, momentum=momentum, weight_decay=weight_decay)


def poly_schedule(*, epochs: int, power: float, warmup_epochs: float, warmup_from: float) -> Schedule:
    """`poly_warmup` for the groups of `make_optimiser`; `warmup_from` is the backbone's rate at step 0."""

    def schedule(optimiser: torch.optim.Optimizer, step: int, total: int) -> None:
        warmup, start = round(warmup_epochs * (total // epochs)), warmup_from / optimiser.param_groups[0]["base"]
        factor = poly_warmup(step, total=total, power=power, warmup=warmup, warmup_from=start)
        for group in optimiser.param_groups:
            group["lr"] = group["base"] * factor

    return schedule
