"""Records of what is read: settings, arrays, batches, files."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

from contracts.cases import STEPS, Method, made
from contracts.world import ARRAYS, CLASSES, DRAWN, World, colours, regions
from PIL import Image

from wsss_steps import methods
from wsss_steps.data.images import read_image
from wsss_steps.formats.kinds import find
from wsss_steps.formats.stores import write_store
from wsss_steps.methods.per_image import Arrays

TRAININGS = {
    "classifier": "train_classifier",
    "refiner": "train_refiner",
    "segmenter": "train_segmenter",
    "saliency": "train_saliency",
}


class Recorded(dict[str, Any]):
    """A table that records the keys that are asked for; so do tables that are made of it with `|`."""

    def __init__(self, values: Mapping[str, Any], read: set[str] | None = None) -> None:
        super().__init__(values)
        self.read: set[str] = set() if read is None else read

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self.read.add(key)
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self.read.add(str(key))
        return super().__contains__(key)

    def __or__(self, other: Mapping[str, Any]) -> Recorded:  # type: ignore[override]
        return Recorded({**dict(self.items()), **other}, self.read)


class RecordedArrays(Mapping[str, Arrays]):
    """The arrays of an image; whoever goes through all of them has read them."""

    def __init__(self, arrays: Mapping[str, Arrays]) -> None:
        self.arrays, self.read = arrays, set[str]()

    def __getitem__(self, name: str) -> Arrays:
        self.read.add(name)
        return self.arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)


@contextlib.contextmanager
def handed(read: set[str]) -> Iterator[None]:
    """Record what `methods.arguments` hands to functions."""
    arguments = methods.arguments

    def recorded(function: Callable[..., Any], settings: Mapping[str, Any]) -> dict[str, Any]:
        chosen = arguments(function, dict(settings.items()))
        read.update(chosen)
        return chosen

    with mock.patch.object(methods, "arguments", recorded):
        yield


_watched: list[Path] | None = None
_hooked = False


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _watched is not None and event == "open" and isinstance(arguments[0], str | Path):
        _watched.append(Path(arguments[0]))


@contextlib.contextmanager
def opened() -> Iterator[list[Path]]:
    """The files that Python opens in the meantime. A hook of the interpreter cannot be taken off, but told to rest."""
    global _watched, _hooked
    if not _hooked:
        sys.addaudithook(_hook)
        _hooked = True
    _watched = []
    try:
        yield _watched
    finally:
        _watched = None


def short(method: Method) -> dict[str, Any]:
    """Settings of a training of one step."""
    quick = {"epochs": 1, "batch_size": 3, "crop": 32, "resize_long": None, "resize_scale": None}
    return method.settings(**{name: value for name, value in quick.items() if name in method.cls.model_fields})


def run_steps(method: Method, world: World, settings: dict[str, Any], folder: Path) -> None:
    """The training of a method, if it is trained, and what it makes of all images."""
    if hasattr(method.module, "build"):
        _train(method, world, settings, folder)
    if method.slot in STEPS:
        step = made(method, world, settings=settings)
        for entry in world.entries:
            step.of(entry)


def _train(method: Method, world: World, settings: dict[str, Any], folder: Path) -> None:
    run = importlib.import_module(f"wsss_steps.{TRAININGS[method.slot]}").run
    inputs: dict[str, Any] = {"manifest": world.manifest}
    if method.slot == "saliency":
        inputs = {"pairs": _pairs(folder / "pairs")}
    elif method.slot in ("refiner", "segmenter"):
        teacher = method.cls.learns_from
        inputs |= {teacher: _store(world, teacher, folder)}
    if method.slot == "segmenter":
        inputs |= {"needs": _needs(method, world, folder)}
    with method.loaded():
        run(**inputs, output=folder / "x.safetensors", history=folder / "x.csv", settings=settings, stamp="{}")


def _needs(method: Method, world: World, folder: Path) -> dict[str, Path]:
    networks = {"classifier": world.classifier}
    return {name: networks.get(name) or _store(world, name, folder) for name in method.cls.needs}


def _store(world: World, kind: str, folder: Path) -> Path:
    """A store of the drawn images, with what is known of them."""
    if kind == "seeds":
        items = [(entry.id, {"seeds": regions(DRAWN[entry.id])}) for entry in world.entries]
    else:
        items = [(entry.id, ARRAYS[kind](read_image(Path(entry.image)), entry.tags)) for entry in world.entries]
    write_store(folder / f"{kind}.h5", find(kind), items, stamp="{}", classes=CLASSES)
    return folder / f"{kind}.h5"


def _pairs(folder: Path) -> Path:
    """Images and masks in the layout of DUTS."""
    for part in ("Image", "Mask"):
        (folder / f"DUTS-TR-{part}").mkdir(parents=True)
    for name, rectangles in DRAWN.items():
        Image.fromarray(colours(rectangles)).save(folder / "DUTS-TR-Image" / f"{name}.jpg")
        mask = (regions(rectangles) > 0).astype("uint8") * 255
        Image.fromarray(mask).save(folder / "DUTS-TR-Mask" / f"{name}.png")
    return folder
