"""Maps of one number per pixel, wherever they lie: in an HDF5 store, or in a folder of `<id>.png`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from wsss_steps.errors import UserError
from wsss_steps.formats.kinds import Kind
from wsss_steps.formats.labels import read_labels
from wsss_steps.formats.stores import Store


class LabelMaps:
    """The maps (H, W) of images by id: `with LabelMaps(path, kind) as maps: labels = maps[image_id]`.

    Of a store, these are the first data set of its `kind`. A folder holds 0..C and 255, as `predict` writes it.
    """

    def __init__(self, path: Path, kind: Kind) -> None:
        self.path, self._name = path, next(iter(kind.data_sets))
        self._store = None if path.is_dir() else Store(path, kind)

    def ids(self) -> list[str]:
        """Ids of the images, sorted."""
        return sorted(one.stem for one in self.path.glob("*.png")) if self._store is None else self._store.ids()

    def __getitem__(self, image_id: str) -> NDArray[Any]:
        """The map of one image; a UserError if there is none, or it is damaged."""
        if self._store is None:
            return read_labels(self.path / f"{image_id}.png")
        return self._store[image_id][self._name]

    def read(self, image_id: str, size: tuple[int, int]) -> NDArray[Any]:
        """The map of one image of `size` (height, width); a UserError if it has another."""
        found = self[image_id]
        if found.shape != size:
            expected, actual = (f"{one[0]} x {one[1]} px" for one in (size, found.shape))
            raise UserError(f"{self.path}: {self._name} of image '{image_id}': expected {expected}, found {actual}")
        return found

    def close(self) -> None:
        """Close the store."""
        if self._store is not None:
            self._store.close()

    def __enter__(self) -> LabelMaps:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
