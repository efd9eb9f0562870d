"""`.npy` files as public code of the field passes maps on: an array, or a pickled dict of arrays and tensors.

A pickle runs what it is told to run when it is read. This one is read with nothing admitted but dicts, numbers, NumPy's
arrays and torch's tensors; the numbers of a tensor are a pickle within it, read by torch with `weights_only`.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from wsss_steps.errors import UserError

# what NumPy's own pickles of arrays and numbers name: NumPy 1 has numpy.core, NumPy 2 numpy._core
ADMITTED = {
    *(("numpy", name) for name in ("ndarray", "dtype")),
    *(
        (f"numpy.{core}.{module}", name)
        for core in ("core", "_core")
        for module, name in (("multiarray", "_reconstruct"), ("multiarray", "scalar"), ("numeric", "_frombuffer"))
    ),
    ("_codecs", "encode"),  # the bytes of an array, in protocol 2 and older
}
OF_TENSORS = {("torch._utils", "_rebuild_tensor_v2"), ("collections", "OrderedDict")}
NUMBERS_OF_A_TENSOR = ("torch.storage", "_load_from_bytes")
LARGEST = 1 << 30  # bytes; 80 maps of 640 x 480 px have 100 MB, the tags of COCO 30


class _ArraysAndTensors(pickle.Unpickler):
    """Admits dicts, lists, texts, numbers, NumPy's arrays and torch's tensors."""

    def find_class(self, module: str, name: str) -> Any:
        """A class or function that the pickle names, if it is admitted."""
        if (module, name) == NUMBERS_OF_A_TENSOR:
            return _numbers
        if (module, name) not in ADMITTED | OF_TENSORS:
            raise UserError(f"a pickle that asks for {module}.{name}, which arrays do not need and which was not run")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


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
        content = content_of(data)
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


def content_of(data: bytes) -> Any:
    """What the bytes of a `.npy` file hold: an array, or the object that is pickled in it.

    A UserError for a pickle that asks for anything but these, for arrays of objects and for more than 1 GiB; whatever
    reading brings about for a damaged file.
    """
    if len(data) > LARGEST:
        raise UserError(f"{len(data)} bytes, more than {LARGEST}")
    file = io.BytesIO(data)
    version = npy.read_magic(file)
    header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = header(file)
    if not dtype.hasobject:
        return np.load(io.BytesIO(data), allow_pickle=False)
    if shape != ():
        raise UserError(f"an array of objects of shape {shape}")
    held = _ArraysAndTensors(file).load()
    return held.item() if isinstance(held, np.ndarray) and held.shape == () else held
