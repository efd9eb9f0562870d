"""Random weights of a vision transformer, as a file: `python -m wsss_steps.estimating.random_vit NAME FILE`.

Run in a process of its own, since it alone of these modules needs torch.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import timm
from safetensors.torch import save_file


def main(name: str, path: Path) -> None:
    """Write the weights of the network that timm calls `name`."""
    network: Any = timm.create_model(name, num_classes=0)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(network.state_dict(), path)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
