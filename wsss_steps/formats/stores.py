"""HDF5 stores: one group per image id, with the data sets that `KINDS` lists.

Two-dimensional 8-bit maps carry the attributes of the HDF5 image specification 1.2: a viewer shows them as pictures.

A flipped bit must not pass: numbers have the filter fletcher32, what describes them the checksums of HDF5 1.10, and the
texts that a reader needs are of fixed length, since those of variable length have none.

A store that several jobs wrote is an index: each image is an external link into the store of its shard, which lies
below the folder of the index. Viewers follow the links.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from wsss_steps.errors import UserError, all_wrong
from wsss_steps.formats.files import VERSION, whole
from wsss_steps.formats.labels import voc_palette
from wsss_steps.formats.patient import PatientFile


@dataclass(frozen=True)
class DataSet:
    """What one data set of a store holds: numpy type, number of dimensions, what it means and in which unit."""

    dtype: str
    dimensions: int
    meaning: str
    unit: str = "1"
    scale: float = 1.0  # value = stored number * scale
    palette: bool = False


FORM = ("v110", "v110")  # of the file, oldest and newest: that of HDF5 1.10
DAMAGED = (OSError, KeyError, RuntimeError, ValueError, TypeError)  # what h5py raises on a damaged file

# (H, W) is the size of the image, (h, w) a grid; background 0, classes 1..C, 255 unlabelled.
KINDS: dict[str, dict[str, DataSet]] = {
    "cams": {
        "cam": DataSet(
            "u1", 3, "class activation maps of the classes in `class`, (n, H, W) or strided, maximum 1", scale=1 / 255
        ),
        "class": DataSet("u1", 1, "the present classes, ascending, 1..C"),
    },
    "features": {
        "features": DataSet("f2", 3, "one feature vector per patch, (h, w, d), rows first"),
        "extent": DataSet(
            "f4", 1, "height and width that the grid spans; the image is its top left part", unit="px of the image"
        ),
    },
    "superpixels": {
        "superpixels": DataSet("u2", 2, "superpixel of every pixel, (H, W), 1..n"),
        "seed_patches": DataSet(
            "i4", 1, "row-major index of the patch each superpixel grew from, (n,); -1 if from none"
        ),
    },
    "saliency": {
        "saliency": DataSet("u1", 2, "saliency of every pixel, (H, W), 0 not salient to 1 salient", scale=1 / 255)
    },
    "refined_saliency": {
        "refined": DataSet(
            "u1", 2, "refined saliency map, (H, W): 0 background, 1 object, 255 unlabelled", palette=True
        )
    },
    "seeds": {"seeds": DataSet("u1", 2, "partial label map, (H, W): 0 background, 1..C, 255 unlabelled", palette=True)},
    "confusions": {
        "confusion": DataSet(
            "i8", 2, "pixels of ground truth class (row) predicted as class (column), (C+1, C+1 or C+2)"
        )
    },
}


def _mark_as_image(data: h5py.Dataset, file: h5py.File, palette: bool) -> None:
    """Attributes of the HDF5 image specification 1.2 on a two-dimensional 8-bit data set."""
    data.attrs["CLASS"] = np.bytes_("IMAGE")
    data.attrs["IMAGE_VERSION"] = np.bytes_("1.2")
    data.attrs["IMAGE_SUBCLASS"] = np.bytes_("IMAGE_INDEXED" if palette else "IMAGE_GRAYSCALE")
    if palette:
        data.attrs["PALETTE"] = file["palette"].ref


def _write_palette(file: h5py.File) -> None:
    """The palette of PASCAL VOC, as the HDF5 image specification 1.2 wants it."""
    colours = file.create_dataset("palette", data=np.array(voc_palette(), np.uint8).reshape(256, 3))
    form = {"CLASS": "PALETTE", "PAL_VERSION": "1.2", "PAL_COLORMODEL": "RGB", "PAL_TYPE": "STANDARD8"}
    for name, text in form.items():
        colours.attrs[name] = np.bytes_(text)


def write_store(
    target: Path,
    kind: str,
    items: Iterable[tuple[str, Mapping[str, NDArray[Any]]]],
    *,
    stamp: str,
    classes: list[str] | None = None,
    left_out: Collection[str] | None = None,
) -> int:
    """Write a store of `kind` from (image id, {data set: array}) pairs; returns the number of images.

    Arrays must have the type of `KINDS` already, float maps apart: a data set with a scale is divided by it and
    rounded here. `left_out` are the ids of images whose arrays say nothing, for want of an input. Raises ValueError
    when an item lacks a data set, has one too many, or one of another type or number of dimensions.
    """
    schema = KINDS[kind]
    count = 0
    with whole(target) as temporary, PatientFile(temporary) as raw, h5py.File(raw, "w", libver=FORM) as file:
        texts = {"format": f"wsss/{kind}", "provenance": stamp or "{}"}
        texts |= {} if classes is None else {"classes": json.dumps(["background", *classes])}
        texts |= {} if left_out is None else {"left_out": json.dumps(sorted(left_out))}
        file.attrs.update({name: np.bytes_(text.encode()) for name, text in texts.items()})
        file.attrs["format_version"] = VERSION
        if any(data.palette for data in schema.values()):
            _write_palette(file)
        images = file.create_group("images")
        for image_id, arrays in items:
            if set(arrays) != set(schema):
                raise ValueError(
                    f"{kind} store, image '{image_id}': expected data sets {sorted(schema)}, found {sorted(arrays)}"
                )
            group = images.create_group(image_id)
            for name, array in arrays.items():
                _write_array(group, name, array, schema[name], file)
            count += 1
            raw.check()
        file.attrs["num_images"] = count
        file.attrs["complete"] = True
    return count


def _write_array(group: h5py.Group, name: str, array: NDArray[Any], form: DataSet, file: h5py.File) -> None:
    """Write one array in its form, compressed in the filters that every HDF5 has."""
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


def write_index(target: Path, shards: Sequence[Path], stamp: str) -> int:
    """Write a store that opens all of the stores `shards`, all of one kind; returns the number of images.

    The stores must lie below the folder of `target`, and stay there. A UserError if they are of several kinds, or if
    an image is in more than one.
    """
    kind = _kind_of(shards[0])
    with contextlib.ExitStack() as stack:
        parts = [stack.enter_context(Store(path, kind)) for path in shards]
        ids = [(image_id, path) for path, part in zip(shards, parts, strict=True) for image_id in part.ids()]
        twice = [image_id for image_id, count in Counter(image_id for image_id, _ in ids).items() if count > 1]
        all_wrong(f"{target}: images that are in more than one shard", twice)
        about = [part.about() for part in parts]
    names = [path.relative_to(target.parent).as_posix() for path in shards]
    with whole(target) as temporary, PatientFile(temporary) as raw, h5py.File(raw, "w", libver=FORM) as file:
        texts = {"format": f"wsss/{kind}", "provenance": stamp or "{}"}
        texts["shards"] = json.dumps([[name, digest] for name, (digest, _, _) in zip(names, about, strict=True)])
        if about[0][1] is not None:
            texts["classes"] = about[0][1]
        if any(left_out is not None for _, _, left_out in about):
            texts["left_out"] = json.dumps(sorted(image_id for *_, left_out in about for image_id in left_out or []))
        file.attrs.update({name: np.bytes_(text.encode()) for name, text in texts.items()})
        file.attrs["format_version"] = VERSION
        images = file.create_group("images")
        for image_id, path in sorted(ids):
            images[image_id] = h5py.ExternalLink(path.relative_to(target.parent).as_posix(), f"/images/{image_id}")
        file.attrs["num_images"] = len(ids)
        file.attrs["complete"] = True
    return len(ids)


def _kind_of(path: Path) -> str:
    """The kind that a file says it is of; a UserError if it is no store."""
    try:
        with h5py.File(path, "r", locking=False) as file:
            found = file.attrs["format"]
    except DAMAGED as error:
        raise UserError(f"{path}: not a readable HDF5 file ({error}); delete it to have it made again") from None
    kind = (found.decode() if isinstance(found, bytes) else str(found)).removeprefix("wsss/")
    if kind not in KINDS:
        raise UserError(f"{path}: expected one of the formats wsss/{', wsss/'.join(KINDS)}, found {kind}")
    return kind


class Store:
    """A finished HDF5 store, read image by image: `with Store(path, kind) as store: arrays = store[image_id]`."""

    def __init__(self, path: Path, kind: str) -> None:
        self.path, self.kind = path, kind
        try:
            self._file = h5py.File(path, "r", locking=False)
        except FileNotFoundError:
            raise UserError(f"{path}: no such file (expected a {kind} store)") from None
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
        """Raise a UserError unless the file is of the kind and version, and has all of its images."""
        with self._damage("what describes it"):
            found, about = self._text("format", None), dict(self._file.attrs)
            version, complete, count = (about.get(name) for name in ("format_version", "complete", "num_images"))
            self._images = set(self._file["images"]) if "images" in self._file else set()
        if (found, version) != (f"wsss/{self.kind}", VERSION):
            raise UserError(
                f"{self.path}: expected format wsss/{self.kind} version {VERSION}, found {found} version {version}"
            )
        if not complete or len(self._images) != count:
            raise UserError(f"{self.path}: incomplete {self.kind} store; delete it to have it made again")

    def _open_shards(self) -> None:
        """Open the stores that an index links to; a UserError if one is missing, or not the one that was linked."""
        with self._damage("its list of shards"):
            shards = json.loads(self._text("shards", "[]"))
        for name, digest in shards:
            part = Store(self.path.parent / name, self.kind)
            self._parts.append(part)
            if part.about()[0] != digest:
                raise UserError(
                    f"{self.path}: its shard {part.path} was made anew since; delete it to have it made again"
                )
            self._part_of.update(dict.fromkeys(part.ids(), part))
        if shards and set(self._part_of) != self._images:
            raise UserError(f"{self.path}: its shards hold other images; delete it to have it made again")

    def about(self) -> tuple[str, str | None, list[str] | None]:
        """What an index repeats of a store: SHA-256 of stamp and image ids, text of its classes, what is left out."""
        with self._damage("what describes it"):
            digest = hashlib.sha256("\n".join([self._text("provenance", "{}"), *self.ids()]).encode()).hexdigest()
            return digest, self._text("classes", None), self.left_out if "left_out" in self._file.attrs else None

    @contextlib.contextmanager
    def _damage(self, what: str) -> Iterator[None]:
        """Turn what h5py raises on a damaged file into a UserError that names the file and `what` cannot be read."""
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
        for name, form in KINDS[self.kind].items():
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
        """The stamp of the room that made the store."""
        with self._damage("its provenance"):
            return dict(json.loads(self._text("provenance", "{}")))

    @property
    def left_out(self) -> list[str]:
        """Ids of the images whose arrays say nothing because an input of theirs was wanting; sorted."""
        with self._damage("its list of images left out"):
            return list(json.loads(self._text("left_out", "[]")))
