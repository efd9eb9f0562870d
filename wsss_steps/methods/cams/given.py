"""Maps that were made elsewhere: files of NumPy or PNG by image, or a store of this workflow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wsss_steps.data.manifest import Entry
from wsss_steps.errors import UserError
from wsss_steps.formats import pictures
from wsss_steps.formats.array_dicts import read_arrays
from wsss_steps.formats.kinds.cams import CAMS
from wsss_steps.formats.stores import Store
from wsss_steps.methods import given
from wsss_steps.methods.given import Read
from wsss_steps.ops.cam import strided_size
from wsss_steps.ops.resize import resize_maps

FORMS = {".npy": "arrays", "/": "folders of `<class>.png`"}
ARRAYS = ("high_res", "hr_cam", "cam")  # names that public code gives to the maps in a dict, the largest first
ROUNDING = 1e-4  # by which a map may leave [0, 1]
Maps = Mapping[int, NDArray[Any]]
"""Map (H, W) by class, 1..C."""


def maker(
    entries: Sequence[Entry],
    *,
    source: Path,
    classes: Sequence[str],
    sizes: given.Sizes,
    class_numbers: Mapping[str, int],
    background: bool,
    normalise: bool,
    missing_maps: Literal["stop", "zero"],
) -> Callable[..., NDArray[np.float32]]:
    """Maps (n, H, W) or strided, in [0, 1], of the tagged classes of every image.

    Maps of other classes are passed over. Those of the size of an original are reduced bilinearly. A UserError lists
    everything that is missing, damaged, of another size or of unknown classes, outside of [0, 1] or no number.
    """
    if source.is_file():
        of_image = _of_store(source, classes)
    elif given.form_of(source, FORMS) == "/":
        of_image = _of_pictures(source, classes)
    else:
        of_image = _of_arrays(source, classes, class_numbers, background)

    def read(entry: Entry) -> Read[NDArray[np.float32]]:
        try:
            maps = of_image(entry)
        except FileNotFoundError as error:
            maps, lacking = {}, [] if missing_maps == "zero" else [given.missing(Path(str(error.filename)))]
        except UserError as error:
            return Read(None, [str(error)])
        else:
            absent = [tag for tag in entry.tags if tag not in maps] if missing_maps == "stop" else []
            lacking = [f"no map of '{classes[tag - 1]}', which it is tagged with" for tag in absent]
        tagged = {tag: _numbers(maps[tag], normalise) for tag in entry.tags if tag in maps}
        problems = [*lacking, *_problems(tagged, entry, classes, sizes)]
        return Read(None, problems) if problems else Read(_stacked(tagged, entry))

    return given.checked(source, entries, read)


def _of_store(source: Path, classes: Sequence[str]) -> Callable[[Entry], Maps]:
    """From an image to its maps in a `cams.h5`."""
    store = Store(source, CAMS)
    named = given.named_classes(store, classes)

    def read(entry: Entry) -> Maps:
        arrays = store[entry.id]
        pairs = zip(arrays["class"].tolist(), arrays["cam"], strict=True)
        return {named[number]: one for number, one in pairs if number in named}

    return read


def _of_pictures(source: Path, classes: Sequence[str]) -> Callable[[Entry], Maps]:
    """From an image to its maps `<id>/<class>.png`, grey of 8 or 16 bits."""

    def read(entry: Entry) -> Maps:
        folder = source / entry.id
        if entry.tags and not folder.is_dir():
            raise FileNotFoundError(2, "no such folder", str(folder))
        found = {path.stem: path for path in sorted(folder.glob("*.png"))}
        if unknown := sorted(found.keys() - set(classes)):
            raise UserError(f"unknown classes {', '.join(unknown)}; known classes: {', '.join(classes)}")
        return {classes.index(name) + 1: _grey(path) for name, path in found.items()}

    return read


def _grey(path: Path) -> NDArray[np.float32]:
    """A grey picture in [0, 1]."""
    try:
        with pictures.opened_without_loss(path) as image:
            if image.mode not in ("L", "I;16", "I;16B"):
                raise UserError(f"{path.name}: expected grey of 8 or 16 bits, found mode {image.mode}")
            values = np.array(pictures.upright(image))
    except pictures.DAMAGED as error:
        raise error if isinstance(error, UserError) else UserError(f"{path.name}: damaged ({error})") from None
    return values.astype(np.float32) / np.float32(np.iinfo(values.dtype).max)


def _of_arrays(
    source: Path, classes: Sequence[str], class_numbers: Mapping[str, int], background: bool
) -> Callable[[Entry], Maps]:
    """From an image to its maps in `<id>.npy`."""
    known = given.numbers(classes, class_numbers, 0)

    def read(entry: Entry) -> Maps:
        found = read_arrays(source / f"{entry.id}.npy")
        maps = dict(_by_key(found, background))
        if not class_numbers and (unknown := sorted(maps.keys() - known.keys())):
            hint = "; is 0 background (`background: true`)?" if 0 in maps and max(maps) == len(classes) else ""
            raise UserError(f"keys {unknown} are no class: expected 0 to {len(classes) - 1}, from 0{hint}")
        return {known[key]: one for key, one in maps.items() if key in known}

    return read


def _by_key(found: NDArray[Any] | dict[Any, NDArray[Any]], background: bool) -> Iterator[tuple[int, NDArray[Any]]]:
    """Key of a class, from 0 without background, and its map, in any of the forms that circulate.

    A UserError for another form.
    """
    keys, maps = _keys_and_maps(found)
    if len(keys) == len(maps) + 1 and keys[0] == 0:  # as Puzzle-CAM has it: a key of the background, but no map
        keys, background = keys[1:], True
    if len(keys) != len(maps):
        raise UserError(f"expected a map for each key, found {len(keys)} keys and {len(maps)} maps")
    for key, one in zip(keys, maps, strict=True):
        if key - background >= 0:
            yield key - background, one


def _keys_and_maps(found: NDArray[Any] | dict[Any, NDArray[Any]]) -> tuple[list[int], Sequence[NDArray[Any]]]:
    """The keys in a file, and its maps, (n, H, W)."""
    if isinstance(found, dict) and found and all(isinstance(name, int | np.integer) for name in found):
        return [int(name) for name in found], list(found.values())  # as PSA and SEAM have it
    if isinstance(found, dict):
        name = next((name for name in ARRAYS if name in found), None)
        if name is None or "keys" not in found:
            expected = f"keys and one of {', '.join(ARRAYS)}, or classes as numbers"
            raise UserError(f"expected a dict with {expected}, found {', '.join(map(str, found)) or 'none'}")
        keys, maps = found["keys"], found[name]
    else:
        keys, maps = np.arange(len(found) if found.ndim == 3 else 0), found
    if maps.ndim != 3 or keys.ndim != 1 or keys.dtype.kind not in "iu":
        raise UserError(f"expected maps (n, H, W) and n keys, found {maps.shape} and {keys.dtype} of {keys.shape}")
    return keys.tolist(), list(maps)


def _numbers(one: NDArray[Any], normalise: bool) -> NDArray[np.float32]:
    """A map as float32: numbers of 8 bits are divided by 255; if `normalise`, its maximum is 1 and its minimum 0."""
    values = one.astype(np.float32) / np.float32(255 if one.dtype == np.uint8 else 1)
    if not normalise:
        return values
    positive: NDArray[np.float32] = np.maximum(values, 0)
    return positive / max(float(positive.max(initial=0)), 1e-12)


def _problems(maps: Maps, entry: Entry, classes: Sequence[str], sizes: given.Sizes) -> Iterator[str]:
    """What is wrong with the maps of an image."""
    for tag, one in maps.items():
        where = f"map of '{classes[tag - 1]}'"
        if problem := given.wrong_size(one.shape, entry, sizes, strided_size(entry.height, entry.width)):
            yield f"{where}: {problem}"
        elif broken := int((~np.isfinite(one)).sum()):
            yield f"{where}: {broken} of {one.size} numbers are NaN or infinite"
        elif one.min() < -ROUNDING or one.max() > 1 + ROUNDING:
            found = f"{one.min():.4g} to {one.max():.4g}"
            yield f"{where}: expected numbers from 0 to 1, found {found} (`normalise: true` brings them there)"
    if len({one.shape for one in maps.values()}) > 1:
        yield f"expected maps of one size, found {', '.join(sorted({str(one.shape) for one in maps.values()}))}"


def _stacked(maps: Maps, entry: Entry) -> NDArray[np.float32]:
    """The maps of the tags (n, H, W), zero where there is none."""
    size, strided = (entry.height, entry.width), strided_size(entry.height, entry.width)
    shape = next((one.shape for one in maps.values()), size)
    zero = np.zeros(shape, np.float32)
    stacked = np.array([maps.get(tag, zero) for tag in entry.tags], np.float32).reshape(-1, *shape).clip(0, 1)
    return stacked if shape in (size, strided) else resize_maps(stacked, size)
