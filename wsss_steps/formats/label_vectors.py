"""`cls_labels.npy`: the tags of all images as many public repositories pass them on, a pickled dict of vectors.

A pickle runs what it is told to run when it is read. This one is read with nothing admitted but NumPy's arrays, so a
file that asks for anything else is refused before anything has run.
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
LARGEST = 1 << 30  # bytes; that of COCO has 30 MB


class _ArraysAlone(pickle.Unpickler):
    """Admits dicts, lists, texts, numbers and NumPy's arrays."""

    def find_class(self, module: str, name: str) -> Any:
        """A class or function that the pickle names, if it is admitted."""
        if (module, name) not in ADMITTED:
            raise UserError(f"asks for {module}.{name}, which a table of tags does not need and which was not run")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def read_label_vectors(path: Path) -> dict[str, NDArray[np.bool_]]:
    """Image id -> which classes it shows (C,), from a `.npy` file with a dict of vectors of 0 and 1.

    Ids that are numbers, as IRN's 2007000032, become VOC's, 2007_000032. A UserError for a missing or damaged file,
    another content, and a pickle that asks for anything but arrays.
    """
    try:
        content = _unpickled(path.read_bytes())
    except FileNotFoundError:
        raise UserError(f"{path}: no such table of tags") from None
    except UserError as error:
        raise UserError(f"{path}: expected a dict of arrays, found a pickle that {error}") from None
    except Exception as error:  # a damaged pickle may bring about anything
        raise UserError(
            f"{path}: expected a NumPy file with a dict of arrays ({type(error).__name__}: {error})"
        ) from None
    if not isinstance(content, dict) or not content:
        raise UserError(f"{path}: expected a dict of arrays, image id -> (C,), found {type(content).__name__}")
    return {_image_id(name): _vector(path, name, value) for name, value in content.items()}


def _unpickled(data: bytes) -> Any:
    """What a `.npy` file of one object holds."""
    file = io.BytesIO(data)
    version = npy.read_magic(file)
    shape, _, dtype = npy.read_array_header_1_0(file) if version == (1, 0) else npy.read_array_header_2_0(file)
    if shape != () or dtype != np.dtype(object) or len(data) > LARGEST:
        raise ValueError(f"found an array of shape {shape} and type {dtype}")
    held = _ArraysAlone(file).load()
    return held.item() if isinstance(held, np.ndarray) and held.shape == () else held


def _image_id(name: Any) -> str:
    """An image id as it stands in lists."""
    text = str(name)
    return f"{text[:4]}_{text[4:]}" if isinstance(name, int | np.integer) and len(text) == 10 else text


def _vector(path: Path, name: Any, value: Any) -> NDArray[np.bool_]:
    """One vector, if it is one of 0 and 1."""
    vector = np.asarray(value)
    if vector.dtype == object or vector.ndim != 1 or not np.isin(vector, (0, 1)).all():
        raise UserError(f"{path}: '{name}': expected a vector of 0 and 1, found {str(value)[:80]}")
    return vector.astype(bool)
