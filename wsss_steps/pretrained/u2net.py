"""U²-Net with its weights, from a file of this project or as its authors publish them."""

from __future__ import annotations

from pathlib import Path

from wsss_steps.errors import UserError
from wsss_steps.nets.u2net import U2Net, variant_of
from wsss_steps.pretrained.readers import u2net as published
from wsss_steps.pretrained.states import read_state, refuse_pages


def load(path: Path) -> U2Net:
    """The network of either size with the weights in a file .safetensors of `fetch_weights`, .onnx or .pth.

    A UserError if they are of another network, or damaged.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such weights file")
    refuse_pages(path)
    ours = path.suffix == ".safetensors"
    state = read_state(path) if ours else published.read(path)
    try:
        network = U2Net(variant_of(state))
        network.load_state_dict(state)
    except (ValueError, RuntimeError) as error:
        raise UserError(f"{path}: not weights of U²-Net: {error}") from None
    return network.eval().requires_grad_(False)
