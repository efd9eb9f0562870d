"""The one loop over images: a step gives a function of an image, and this writes what it returns.

That is a store (`write`) or folders of label maps (`write_label_maps`). A function that returns a `Later` has its slow
part, such as a dense CRF, made in as many processes as the job has threads; what is written is the same.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from wsss_steps import methods
from wsss_steps.data.manifest import Entry
from wsss_steps.errors import UserError, all_wrong, out_of_memory
from wsss_steps.formats import kinds
from wsss_steps.formats.kinds import Kind
from wsss_steps.formats.labels import write_label_folders
from wsss_steps.formats.stores import Store, write_store
from wsss_steps.processes import Later, Workers
from wsss_steps.progress import track

Arrays = dict[str, NDArray[Any]]
Make = Callable[[Entry, Mapping[str, Arrays]], Arrays | Later[Arrays]]


def write(
    output: Path,
    kind: Kind,
    entries: Sequence[Entry],
    make: Make,
    *,
    sources: Sequence[tuple[Path, Kind]] = (),
    lowers: str = "",
    stamp: str,
    classes: Sequence[str] | None = None,
    left_out: Sequence[str] | None = None,
) -> int:
    """Write the store `output` of what `make` returns for each image; returns their number.

    Args:
        output: store of `kind`, whole or not at all.
        kind: of the store.
        entries: the images.
        make: from an image and its arrays in the sources, by the name of their kind, to its arrays in `output`, at once
            or later.
        sources: stores that `make` reads, one of a kind.
        lowers: the setting that reduces the memory per image, if there is one.
        stamp: provenance.
        classes: names of the classes 1..C, for stores that have them.
        left_out: ids of images whose arrays say nothing, since an input is missing.

    Raises:
        UserError: if a source lacks an image, with all of them; if memory runs out, with the image and its size.
    """
    named = None if classes is None else list(classes)
    with _made(entries, make, sources, lowers, kind.name) as items:
        return write_store(output, kind, items, stamp=stamp, classes=named, left_out=left_out)


def write_label_maps(
    outputs: Mapping[str, Path | None],
    entries: Sequence[Entry],
    make: Make,
    *,
    sources: Sequence[tuple[Path, Kind]] = (),
    lowers: str = "",
    stamp: str,
) -> int:
    """Write the label maps that `make` returns for each image as `<id>.png`; returns the number of images.

    outputs: the folder of each label map, by the name that `make` gives it; None for one that is not written. The other
    arguments and errors are those of `write`.
    """
    with _made(entries, make, sources, lowers, "label maps") as items:
        return write_label_folders(outputs, items, stamp=stamp)


@contextlib.contextmanager
def _made(
    entries: Sequence[Entry], make: Make, sources: Sequence[tuple[Path, Kind]], lowers: str, what: str
) -> Iterator[Iterator[tuple[str, Arrays]]]:
    """Open the sources, check them, and yield the loop: the id of each image and what `make` returns for it."""
    with contextlib.ExitStack() as stack:
        stores = [stack.enter_context(Store(*source)) for source in sources]
        check_present(entries, stores)
        workers = stack.enter_context(Workers(len(entries)))

        def begin(entry: Entry) -> tuple[Entry, Callable[[], Arrays]]:
            given = {store.kind.name: store[entry.id] for store in stores}
            with memory_of(entry, lowers):
                return entry, workers.begin(make(entry, given))

        def items() -> Iterator[tuple[str, Arrays]]:
            for entry, result in track(workers.in_order(map(begin, entries)), len(entries), what):
                with memory_of(entry, lowers):
                    arrays = result()
                yield entry.id, arrays

        yield items()


def options(function: Callable[..., Any], settings: Mapping[str, Any], needs: Mapping[str, Path]) -> dict[str, Any]:
    """The settings of a method's function, and the paths that it needs: networks; maps of stores come with each image.

    A setting may name what the need of the same name was made by. A UserError that lists what is missing.
    """
    named = {name: value for name, value in settings.items() if name not in kinds.names()}
    parameters = inspect.signature(function).parameters.values()
    required = {one.name for one in parameters if one.kind is one.KEYWORD_ONLY and one.default is one.empty}
    missing = [f"a setting {name}, or --needs {name}=PATH" for name in sorted(required - named.keys() - needs.keys())]
    all_wrong(f"{function.__module__}: expected what it asks for, found none of these", missing)
    networks = {name: path for name, path in needs.items() if name not in kinds.names()}
    return methods.arguments(function, named | networks)


def stores(needs: Mapping[str, Path]) -> list[tuple[Path, Kind]]:
    """The stores among what a method needs, by the names of their kinds: sources of `write`."""
    return [(path, kinds.find(name)) for name, path in needs.items() if name in kinds.names()]


def check_present(entries: Sequence[Entry], stores: Sequence[Store]) -> None:
    """Raise a UserError that lists every image that a store lacks."""
    all_wrong(
        "images of the manifest that a store lacks; make the store again from this manifest",
        [f"{entry.id}: not in {store.path}" for store in stores for entry in entries if entry.id not in store],
    )


@contextlib.contextmanager
def memory_of(entry: Entry, lowers: str = "") -> Iterator[None]:
    """Turn an out-of-memory error into a UserError that names the image and its size.

    lowers: the setting that reduces the memory per image, if there is one.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        shortage = out_of_memory(error)
        if shortage is None:
            raise
        ways = [*([f"lower {lowers}"] if lowers else []), "make the image smaller"]
        last = "set device: cpu" if "GPU" in shortage else "give the step more memory"
        raise UserError(
            f"image '{entry.id}' of {entry.height} x {entry.width} px (height x width): {shortage}; "
            f"{', '.join(ways)} or {last}"
        ) from None
