"""Pickles read with nothing admitted but arrays. Free of torch.

A pickle runs what it is told to run when it is read. One that asks for anything else is refused before that.
"""

from __future__ import annotations

import io
import pickle
from typing import Any, ClassVar

import numpy as np
from numpy.lib import format as npy

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
LARGEST = 1 << 30  # bytes; 80 maps of 640 x 480 px have 100 MB, the tags of COCO 30


class ArraysAlone(pickle.Unpickler):
    """Admits dicts, lists, texts, numbers and NumPy's arrays; a subclass may admit more."""

    admitted: ClassVar[set[tuple[str, str]]] = ADMITTED

    def find_class(self, module: str, name: str) -> Any:
        """A class or function that the pickle names, if it is admitted."""
        if (module, name) not in self.admitted:
            raise UserError(f"a pickle that asks for {module}.{name}, which arrays do not need and which was not run")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def content_of(data: bytes, unpickler: type[pickle.Unpickler] = ArraysAlone) -> Any:
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
    held = unpickler(file).load()
    return held.item() if isinstance(held, np.ndarray) and held.shape == () else held
