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
from wsss_steps.formats.arrays import read_maps, shape_of_maps, write_array, write_maps, write_palette
from wsss_steps.formats.files import whole
from wsss_steps.formats.kinds import Kind
from wsss_steps.formats.patient import PatientFile

FORM = ("v110", "v110")  # oldest and newest version of the file format: that of HDF5 1.10
DAMAGED = (OSError, KeyError, RuntimeError, ValueError, TypeError)  # what h5py raises on a damaged file


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
        file.attrs["format_version"] = kind.version
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
            write_palette(images.file)
        for image_id, arrays in items:
            if set(arrays) != set(schema):
                raise ValueError(
                    f"{kind.name} store, image '{image_id}': expected data sets {sorted(schema)}, "
                    f"found {sorted(arrays)}"
                )
            group = images.create_group(image_id)
            for name, array in arrays.items():
                if schema[name].one_per:
                    write_maps(group, name, array, schema[name], arrays[schema[name].one_per])
                else:
                    write_array(group, name, array, schema[name], images.file)
            raw.check()
        return len(images)


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
        if (found, version) != (f"wsss/{self.kind.name}", self.kind.version):
            raise UserError(
                f"{self.path}: expected format wsss/{self.kind.name} version {self.kind.version}, "
                f"found {found} version {version}"
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
        found: dict[str, NDArray[Any]] = {}
        for name, form in sorted(self.kind.data_sets.items(), key=lambda item: bool(item[1].one_per)):
            with self._damage(f"data set '{name}' of image '{image_id}'"):
                stored = self._file["images"][image_id][name]
                array = read_maps(stored, found[form.one_per], form) if form.one_per else stored[()]
            if array.ndim != form.dimensions or array.dtype != np.dtype(form.dtype):
                expected = f"{form.dimensions} dimensions of {np.dtype(form.dtype)}"
                raise UserError(
                    f"{self.path}: data set '{name}' of image '{image_id}': expected {expected}, "
                    f"found {array.ndim} of {array.dtype}; delete the file to have it made again"
                )
            found[name] = array if form.scale == 1.0 else array.astype(np.float32) * np.float32(form.scale)
        return found

    def shape(self, image_id: str, name: str) -> tuple[int, ...]:
        """Size of one array, without reading it."""
        if image_id in self._part_of:
            return self._part_of[image_id].shape(image_id, name)
        with self._damage(f"data set '{name}' of image '{image_id}'"):
            stored = self._file["images"][image_id][name]
            found: tuple[int, ...] = stored.shape if isinstance(stored, h5py.Dataset) else shape_of_maps(stored)
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
