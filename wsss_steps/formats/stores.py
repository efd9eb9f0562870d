"""HDF5 stores: one group per image id, with the data sets that `formats/kinds/<kind>.py` lists.

Two-dimensional 8-bit maps carry the attributes of the HDF5 image specification 1.2, so viewers show them as pictures.

Flipped bits are detected: arrays have the filter fletcher32, metadata the checksums of HDF5 1.10, and the texts that a
reader needs have fixed length, since texts of variable length have no checksum.

A store written by several jobs is an index: each image is an external link into the store of its shard, which lies
below the folder of the index. Viewers follow the links.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from wsss_steps.errors import UserError
from wsss_steps.formats.files import VERSION, whole
from wsss_steps.formats.kinds import DataSet, Kind
from wsss_steps.formats.labels import voc_palette
from wsss_steps.formats.patient import PatientFile

FORM = ("v110", "v110")  # oldest and newest version of the file format: that of HDF5 1.10
DAMAGED = (OSError, KeyError, RuntimeError, ValueError, TypeError)  # what h5py raises on a damaged file


def _mark_as_image(data: h5py.Dataset, file: h5py.File, palette: bool) -> None:
    """Attributes of the HDF5 image specification 1.2 on a two-dimensional 8-bit data set."""
    data.attrs["CLASS"] = np.bytes_("IMAGE")
    data.attrs["IMAGE_VERSION"] = np.bytes_("1.2")
    data.attrs["IMAGE_SUBCLASS"] = np.bytes_("IMAGE_INDEXED" if palette else "IMAGE_GRAYSCALE")
    if palette:
        data.attrs["PALETTE"] = file["palette"].ref


def _write_palette(file: h5py.File) -> None:
    """The palette of PASCAL VOC, as the HDF5 image specification 1.2 requires."""
    colours = file.create_dataset("palette", data=np.array(voc_palette(), np.uint8).reshape(256, 3))
    form = {"CLASS": "PALETTE", "PAL_VERSION": "1.2", "PAL_COLORMODEL": "RGB", "PAL_TYPE": "STANDARD8"}
    for name, text in form.items():
        colours.attrs[name] = np.bytes_(text)


@contextlib.contextmanager
def store_file(
    target: Path,
    kind: Kind,
    *,
    stamp: str,
    classes: list[str] | None,
    left_out: Collection[str] | None,
    shards: list[list[str]] | None = None,
) -> Iterator[tuple[h5py.Group, PatientFile]]:
    """Yield the group of images of a new store, and its raw file; the store is complete when the block ends."""
    with whole(target) as temporary, PatientFile(temporary) as raw, h5py.File(raw, "w", libver=FORM) as file:
        texts = {"format": f"wsss/{kind.name}", "provenance": stamp or "{}"}
        texts |= {} if classes is None else {"classes": json.dumps(["background", *classes])}
        texts |= {} if left_out is None else {"left_out": json.dumps(sorted(left_out))}
        texts |= {} if shards is None else {"shards": json.dumps(shards)}
        file.attrs.update({name: np.bytes_(text.encode()) for name, text in texts.items()})
        file.attrs["format_version"] = VERSION
        images = file.create_group("images")
        yield images, raw
        file.attrs["num_images"] = len(images)
        file.attrs["complete"] = True


def write_store(
    target: Path,
    kind: Kind,
    items: Iterable[tuple[str, Mapping[str, NDArray[Any]]]],
    *,
    stamp: str,
    classes: list[str] | None = None,
    left_out: Collection[str] | None = None,
) -> int:
    """Write a store of `kind` from (image id, {data set: array}) pairs; returns the number of images.

    Arrays must have the type of the kind, except that float maps of a data set with a scale are divided by it and
    rounded here. `left_out` are the ids of images whose arrays are meaningless because an input is missing. Raises
    ValueError if an item has other data sets than the kind, or one of another type or number of dimensions.
    """
    schema = kind.data_sets
    with store_file(target, kind, stamp=stamp, classes=classes, left_out=left_out) as (images, raw):
        if any(data.palette for data in schema.values()):
            _write_palette(images.file)
        for image_id, arrays in items:
            if set(arrays) != set(schema):
                raise ValueError(
                    f"{kind.name} store, image '{image_id}': expected data sets {sorted(schema)}, "
                    f"found {sorted(arrays)}"
                )
            group = images.create_group(image_id)
            for name, array in arrays.items():
                _write_array(group, name, array, schema[name], images.file)
            raw.check()
        return len(images)


def _write_array(group: h5py.Group, name: str, array: NDArray[Any], form: DataSet, file: h5py.File) -> None:
    """Write one array in the given form, compressed with HDF5's standard filters."""
    if form.scale != 1.0 and array.dtype.kind == "f":
        array = np.rint(np.clip(array / form.scale, 0, np.iinfo(form.dtype).max)).astype(form.dtype)
    if array.dtype != np.dtype(form.dtype) or array.ndim != form.dimensions:
        expected = f"{form.dimensions} dimensions of {np.dtype(form.dtype)}"
        raise ValueError(f"{group.name}/{name}: expected {expected}, found {array.ndim} of {array.dtype}")
    options: dict[str, Any] = (
        {"compression": "gzip", "compression_opts": 4, "shuffle": True, "fletcher32": True} if array.size else {}
    )
    if array.ndim == 3 and array.size and form.dtype == "u1":
        options["chunks"] = (1, *array.shape[1:])
    data = group.create_dataset(name, data=array, **options)
    data.attrs["long_name"] = form.meaning
    data.attrs["units"] = form.unit
    if form.scale != 1.0:
        data.attrs["scale_factor"] = form.scale
    if form.dimensions == 2 and form.dtype == "u1":
        _mark_as_image(data, file, form.palette)


class Store:
    """A finished HDF5 store, read image by image: `with Store(path, kind) as store: arrays = store[image_id]`."""

    def __init__(self, path: Path, kind: Kind) -> None:
        self.path, self.kind = path, kind
        try:
            self._file = h5py.File(path, "r", locking=False)
        except FileNotFoundError:
            raise UserError(f"{path}: no such file (expected a {kind.name} store)") from None
        except DAMAGED as error:
            raise UserError(f"{path}: not a readable HDF5 file ({error}); delete it to have it made again") from None
        self._parts: list[Store] = []
        self._part_of: dict[str, Store] = {}
        try:
            self._check()
            self._open_shards()
        except UserError:
            self.close()
            raise

    def _check(self) -> None:
        """Raise a UserError unless kind and version are right and no image is missing."""
        with self._damage("what describes it"):
            found, about = self._text("format", None), dict(self._file.attrs)
            version, complete, count = (about.get(name) for name in ("format_version", "complete", "num_images"))
            self._images = set(self._file["images"]) if "images" in self._file else set()
        if (found, version) != (f"wsss/{self.kind.name}", VERSION):
            raise UserError(
                f"{self.path}: expected format wsss/{self.kind.name} version {VERSION}, found {found} version {version}"
            )
        if not complete or len(self._images) != count:
            raise UserError(f"{self.path}: incomplete {self.kind.name} store; delete it to have it made again")

    def _open_shards(self) -> None:
        """Open the stores that an index links to; a UserError if one is missing or was rewritten since."""
        with self._damage("its list of shards"):
            shards = json.loads(self._text("shards", "[]"))
        for name, digest in shards:
            part = Store(self.path.parent / name, self.kind)
            self._parts.append(part)
            if part.about()[0] != digest:
                raise UserError(
                    f"{self.path}: its shard {part.path} was rewritten since; delete it to have it made again"
                )
            self._part_of.update(dict.fromkeys(part.ids(), part))
        if shards and set(self._part_of) != self._images:
            raise UserError(f"{self.path}: its shards hold other images; delete it to have it made again")

    def about(self) -> tuple[str, list[str] | None, list[str] | None]:
        """What an index records of a store: SHA-256 of stamp and image ids, classes, ids left out."""
        with self._damage("what describes it"):
            digest = hashlib.sha256("\n".join([self._text("provenance", "{}"), *self.ids()]).encode()).hexdigest()
            classes = json.loads(self._text("classes", "null"))
            return digest, classes and classes[1:], self.left_out if "left_out" in self._file.attrs else None

    @contextlib.contextmanager
    def _damage(self, what: str) -> Iterator[None]:
        """Turn h5py's errors on a damaged file into a UserError that names the file and `what` cannot be read."""
        try:
            yield
        except DAMAGED as error:
            again = "delete the file to have it made again"
            raise UserError(f"{self.path}: {what} cannot be read ({error}); {again}") from None

    def _text(self, name: str, default: str | None) -> Any:
        """A text among the attributes of the file."""
        found = self._file.attrs.get(name, default)
        return found.decode() if isinstance(found, bytes) else found

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, and those of the shards."""
        for part in self._parts:
            part.close()
        self._file.close()

    def ids(self) -> list[str]:
        """Image ids in the store, sorted."""
        return sorted(self._images)

    def __contains__(self, image_id: str) -> bool:
        return image_id in self._images

    def __getitem__(self, image_id: str) -> dict[str, NDArray[Any]]:
        """The arrays of one image, scaled ones as float32."""
        if image_id not in self:
            raise UserError(f"{self.path}: holds no image '{image_id}' ({len(self._images)} others)")
        if image_id in self._part_of:
            return self._part_of[image_id][image_id]
        result = {}
        for name, form in self.kind.data_sets.items():
            with self._damage(f"data set '{name}' of image '{image_id}'"):
                array = self._file["images"][image_id][name][()]
            if array.ndim != form.dimensions or array.dtype != np.dtype(form.dtype):
                expected = f"{form.dimensions} dimensions of {np.dtype(form.dtype)}"
                raise UserError(
                    f"{self.path}: data set '{name}' of image '{image_id}': expected {expected}, "
                    f"found {array.ndim} of {array.dtype}; delete the file to have it made again"
                )
            result[name] = array if form.scale == 1.0 else array.astype(np.float32) * np.float32(form.scale)
        return result

    def shape(self, image_id: str, name: str) -> tuple[int, ...]:
        """Size of one array, without reading it."""
        if image_id in self._part_of:
            return self._part_of[image_id].shape(image_id, name)
        with self._damage(f"data set '{name}' of image '{image_id}'"):
            found: tuple[int, ...] = self._file["images"][image_id][name].shape
        return found

    @property
    def provenance(self) -> dict[str, Any]:
        """The stamp of the step that made the store."""
        with self._damage("its provenance"):
            return dict(json.loads(self._text("provenance", "{}")))

    @property
    def left_out(self) -> list[str]:
        """Ids of the images whose arrays are meaningless because an input was missing; sorted."""
        with self._damage("its list of images left out"):
            return list(json.loads(self._text("left_out", "[]")))
