"""Arrays within HDF5 stores: their filters and attributes, and maps as one picture per class.

Two-dimensional 8-bit maps carry the attributes of the HDF5 image specification 1.2: a viewer shows them as pictures.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from wsss_steps.formats.kinds import DataSet
from wsss_steps.formats.labels import voc_palette


def write_palette(file: h5py.File) -> None:
    """The palette of PASCAL VOC, as the HDF5 image specification 1.2 requires."""
    colours = file.create_dataset("palette", data=np.array(voc_palette(), np.uint8).reshape(256, 3))
    form = {"CLASS": "PALETTE", "PAL_VERSION": "1.2", "PAL_COLORMODEL": "RGB", "PAL_TYPE": "STANDARD8"}
    for name, text in form.items():
        colours.attrs[name] = np.bytes_(text)


def write_array(group: h5py.Group, name: str, array: NDArray[Any], form: DataSet, file: h5py.File) -> None:
    """Write one array in the given form, compressed with HDF5's standard filters."""
    if form.scale != 1.0 and array.dtype.kind == "f":
        array = np.rint(np.clip(array / form.scale, 0, np.iinfo(form.dtype).max)).astype(form.dtype)
    if array.dtype != np.dtype(form.dtype) or array.ndim != form.dimensions:
        expected = f"{form.dimensions} dimensions of {np.dtype(form.dtype)}"
        raise ValueError(f"{group.name}/{name}: expected {expected}, found {array.ndim} of {array.dtype}")
    options: dict[str, Any] = (
        {"compression": "gzip", "compression_opts": 4, "shuffle": True, "fletcher32": True} if array.size else {}
    )
    data = group.create_dataset(name, data=array, **options)
    data.attrs["long_name"] = form.meaning
    data.attrs["units"] = form.unit
    if form.scale != 1.0:
        data.attrs["scale_factor"] = form.scale
    if form.dimensions == 2 and form.dtype == "u1":
        _mark_as_image(data, file, form.palette)


def write_maps(
    group: h5py.Group, name: str, maps: NDArray[Any], form: DataSet, numbers: NDArray[np.integer[Any]]
) -> None:
    """Write (n, H, W) as a group of n pictures, each named by its number; the group knows the size, also of none."""
    if maps.ndim != form.dimensions or len(maps) != len(numbers):
        expected = f"{len(numbers)} of {form.dimensions - 1} dimensions"
        raise ValueError(f"{group.name}/{name}: expected {expected}, found an array of shape {maps.shape}")
    folder = group.create_group(name)
    folder.attrs["size"] = np.array(maps.shape[1:], np.int32)
    single = dataclasses.replace(form, dimensions=form.dimensions - 1, one_per="")
    for number, one in zip(numbers, maps, strict=True):
        write_array(folder, str(number), one, single, group.file)


def shape_of_maps(folder: h5py.Group) -> tuple[int, ...]:
    """(n, H, W) of the pictures that `write_maps` wrote."""
    return (len(folder), *(int(side) for side in folder.attrs["size"]))


def read_maps(folder: h5py.Group, numbers: NDArray[Any], form: DataSet) -> NDArray[Any]:
    """The pictures that `write_maps` wrote as (n, H, W); a ValueError if they are not those of `numbers`."""
    names = [str(number) for number in numbers]
    if set(names) != set(folder):
        raise ValueError(f"expected {names}, found {sorted(folder)}")
    shape = shape_of_maps(folder)
    maps = [folder[name][()] for name in names]
    return np.stack(maps).reshape(shape) if maps else np.zeros(shape, form.dtype)


def _mark_as_image(data: h5py.Dataset, file: h5py.File, palette: bool) -> None:
    """Attributes of the HDF5 image specification 1.2 on a two-dimensional 8-bit data set."""
    data.attrs["CLASS"] = np.bytes_("IMAGE")
    data.attrs["IMAGE_VERSION"] = np.bytes_("1.2")
    data.attrs["IMAGE_SUBCLASS"] = np.bytes_("IMAGE_INDEXED" if palette else "IMAGE_GRAYSCALE")
    if palette:
        data.attrs["PALETTE"] = file["palette"].ref
