"""Files of timm's own networks under other names, in the same order."""

from __future__ import annotations

from pathlib import Path

import timm
from torch import Tensor

from wsss_steps.errors import UserError
from wsss_steps.pretrained.states import read_state
from wsss_steps.pretrained.table import Entry


def read(path: Path, entry: Entry) -> dict[str, Tensor]:
    """The tensors of the file under the names that timm gives to the tensors of its network, one after the other.

    A UserError unless there are as many, and each has the shape of its namesake.
    """
    expected = timm.create_model(entry.net.removeprefix("timm:")).state_dict()
    given = read_state(path)
    shapes = [[tuple(tensor.shape) for tensor in state.values()] for state in (given, expected)]
    if shapes[0] != shapes[1]:
        differ = sum(one != other for one, other in zip(*shapes, strict=False))
        raise UserError(
            f"{path}: expected the {len(expected)} tensors of {entry.net} in their order, found {len(given)}, "
            f"{differ} of another shape"
        )
    return dict(zip(expected, given.values(), strict=True))
