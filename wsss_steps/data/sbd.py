"""The label images of the Semantic Boundaries Dataset (Hariharan et al. 2011): MATLAB files `cls/<id>.mat`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsss_steps.errors import UserError

EXPECTED = "expected a file of SBD, with GTcls.Segmentation"


def read_segmentation(path: Path) -> NDArray[np.uint8]:
    """The label image (H, W) in a file of SBD's `cls`: 0 background, 1..20 the classes of VOC; it has no void.

    A UserError for a missing or damaged file, or another content.
    """
    from scipy.io import loadmat  # half a second, which planning can do without

    if not path.is_file():
        raise UserError(f"{path}: no such label image of SBD")
    try:
        content = loadmat(path)
    except Exception as error:  # a damaged file may bring about anything: MatReadError, zlib.error, struct.error
        raise UserError(f"{path}: {EXPECTED}, found a damaged one ({error})") from None
    return _segmentation(path, content)


def _segmentation(path: Path, content: dict[str, Any]) -> NDArray[np.uint8]:
    """The label image in what a file holds."""
    held = content.get("GTcls")
    if held is None or held.dtype.names is None or "Segmentation" not in held.dtype.names or held.size != 1:
        known = ", ".join(name for name in content if not name.startswith("__"))
        raise UserError(f"{path}: {EXPECTED}, found {known or 'nothing'}")
    labels: NDArray[np.uint8] = held["Segmentation"].reshape(-1)[0]
    if labels.ndim != 2 or labels.dtype != np.uint8:
        raise UserError(f"{path}: expected a label map of 2 dimensions of uint8, found {labels.ndim} of {labels.dtype}")
    return labels
