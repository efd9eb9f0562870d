"""ImageNet weights that timm fetches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import timm
from torch import Tensor

from wsss_steps.errors import UserError

DOWNLOAD_ERRORS = (OSError, RuntimeError)  # network, disk, and a checksum that differs


def imagenet(name: str, options: Mapping[str, Any]) -> tuple[str, Mapping[str, Tensor]]:
    """Name and weights of timm's network `name`, which are fetched once into its cache; a UserError with advice."""
    try:
        model: Any = timm.create_model(name, pretrained=True, **options)
    except DOWNLOAD_ERRORS as error:
        raise UserError(
            f"ImageNet weights of timm:{name} could not be downloaded ({type(error).__name__}: {str(error)[:200]}); "
            f"fetch {_page_of(name)} on a machine with internet, put it anywhere, and give its path as the backbone's "
            "`weights`"
        ) from None
    return f"timm {model.pretrained_cfg['architecture']}.{model.pretrained_cfg['tag']}", model.state_dict()


def _page_of(name: str) -> str:
    """Where timm's weights of a network lie, as far as it says."""
    known: Any = timm.get_pretrained_cfg(name) if timm.is_model_pretrained(name) else None
    hub = known.hf_hub_id if known else None
    return f"https://huggingface.co/{hub}/resolve/main/model.safetensors" if hub else "a .safetensors or .pth file"
