"""Small trained networks in files, as a run leaves them; weights are random."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from wsss_steps import methods
from wsss_steps.formats.weights import write_weights

CLASSES = ("cat", "dog")
BACKBONE = {"net": "small", "options": {}, "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.2], "weights": "none"}
DEEPLAB: dict[str, Any] = {
    "head": "v2",
    "backbone": BACKBONE,
    "output_stride": 8,
    "aspp_rates": [1, 2],
    "low_level_width": 8,
    "decoder_width": 8,
    "dilated": True,
    "frozen_stages": 0,
    "frozen_batch_norm": "none",
}


def write_network(path: Path, slot: str = "segmenter", method: str = "plain", **network: Any) -> Path:
    """A file of weights of that method; `network` are arguments of its `build` other than those above."""
    torch.manual_seed(0)
    module = methods.load(slot, method)
    arguments = methods.arguments(module.build, DEEPLAB | network)
    built = module.build(len(CLASSES), **arguments)
    if hasattr(built, "head") and slot == "segmenter":  # random heads start so small that one label wins everywhere
        for parameter in built.head.parameters():
            torch.nn.init.normal_(parameter, std=1.0)
    content = {
        "method": method,
        "num_classes": len(CLASSES),
        "classes": list(CLASSES),
        "network": arguments,
        "init_weights": "random",
        "compute_precision": "float32",
        "seed": 0,
    }
    write_weights(path, slot, built.state_dict(), content=content, stamp='{"step": "train_segmenter"}')
    return path
