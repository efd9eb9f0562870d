"""`.npy` files as public code of the field passes maps on: an array, or a pickled dict of arrays and tensors.

The pickle is read with nothing admitted but NumPy's arrays and torch's tensors (`unpickling`); the numbers of a tensor
are a pickle within it, read by torch with `weights_only`.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsss_steps.errors import UserError
from wsss_steps.formats.unpickling import ADMITTED, ArraysAlone, content_of

OF_TENSORS = {("torch._utils", "_rebuild_tensor_v2"), ("collections", "OrderedDict")}
NUMBERS_OF_A_TENSOR = ("torch.storage", "_load_from_bytes")


class _ArraysAndTensors(ArraysAlone):
    """Admits torch's tensors, too."""

    admitted = ADMITTED | OF_TENSORS

    def find_class(self, module: str, name: str) -> Any:
        """A class or function that the pickle names, if it is admitted."""
        return _numbers if (module, name) == NUMBERS_OF_A_TENSOR else super().find_class(module, name)


def _numbers(data: bytes) -> Any:
    """The numbers of a tensor, which torch's own function would unpickle whatever they hold."""
    import torch

    return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)


def read_arrays(path: Path) -> NDArray[Any] | dict[Any, NDArray[Any]]:
    """The array of a `.npy` file, or its dict of arrays by name (text or number).

    Tensors become arrays. Raises FileNotFoundError if the file is missing, and a UserError, without the path, for a
    damaged file, another content, and a pickle that asks for anything else.
    """
    data = path.read_bytes()
    try:
        content = content_of(data, _ArraysAndTensors)
    except UserError as error:
        raise UserError(f"expected an array or a dict of arrays, found {error}") from None
    except Exception as error:  # a damaged pickle may bring about anything
        raise UserError(f"not a readable NumPy file ({type(error).__name__}: {error})") from None
    if isinstance(content, np.ndarray):
        return content
    if not isinstance(content, dict):
        raise UserError(f"expected an array or a dict of arrays, found {type(content).__name__}")
    arrays = {name: np.asarray(value) for name, value in content.items()}
    if others := sorted(str(name) for name, value in arrays.items() if value.dtype.kind not in "biuf"):
        raise UserError(f"expected arrays of numbers, found others: {', '.join(others)}")
    return arrays
