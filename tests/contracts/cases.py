"""A method as the contracts run it: its settings, small, and what its step makes of an image."""

from __future__ import annotations

import importlib
import inspect
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import numpy as np
from contracts import given_files
from contracts import world as worlds
from contracts.world import ARRAYS, World
from numpy.typing import NDArray

from wsss_steps import methods
from wsss_steps.data.images import read_image
from wsss_steps.data.manifest import Entry
from wsss_steps.formats.kinds import Kind
from wsss_steps.methods import per_image
from wsss_steps.methods.per_image import Arrays
from wsss_steps.processes import Later, now
from wsss_steps.settings import crf
from wsss_steps.settings.base import Backbone, DeepLab, Settings
from wsss_steps.settings.given import Given
from wsss_steps.settings.registry import METHODS
from wsss_steps.settings.saliency import source

Make = Callable[[Entry, Mapping[str, Arrays]], Arrays]

STEPS = {
    "cams": "make_cams",
    "refiner": "refine_cams",
    "features": "extract_keys",
    "superpixels": "make_superpixels",
    "saliency": "predict_saliency",
    "seeds": "make_seeds",
}
"""The steps that work image by image, by slot; what is the user's own has an `import_<slot>` instead."""
SMALL: dict[str, Any] = {
    "backbone": Backbone(**worlds.PLAIN),
    "aspp_rates": (1, 2),
    "frozen_batch_norm": "none",
    "frozen_stages": 0,
    "dilations": (1, 2),
    "widths": (8, 8),
    "init": "kaiming",
    "width": 8,
    "convolutions": 1,
    "init_std": 0.05,
    "mirror": True,
    "decoder_width": 8,
    "low_level_width": 8,
    "rs_epoch": 0.0,
    "output_stride": 8,
    "vit": "own",
    "cell": worlds.CELL,
    "count": 12,
    "side": 32,
    "radius": 2,
    "log_t": 1,
    "passes": 4,
    "scales": (1.0, 0.5),
    "train_scales": (1.0, 0.5),
    # On 12 cells, a dense CRF soon is of one opinion everywhere, which a large weight would make the network's own, and
    # with the floor of DSRG a network that is sure of the wrong class has no gradient to come back by.
    "lambda_boundary": 0.1,
    "floor": 1e-8,
    "lambda_full": 0.05,
}
"""Settings that make a method small, whichever has them; the others are the defaults."""


@dataclass(frozen=True)
class Method:
    """A method of a slot: its settings class and its module."""

    slot: str
    cls: type[Settings]
    module: ModuleType

    @property
    def given(self) -> bool:
        """Whether it is the user's own: a rule reads it, and nothing is computed or trained."""
        return issubclass(self.cls, Given)

    @property
    def step(self) -> str:
        """The step that makes its artifact, image by image."""
        return f"import_{self.slot}" if self.given else STEPS[self.slot]

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.cls.model_fields["method"].default)

    def settings(self, **overrides: Any) -> dict[str, Any]:
        """All settings as a step takes them, small."""
        small = {name: value for name, value in SMALL.items() if name in self.cls.model_fields}
        table = self.cls(**{**small, **overrides}).model_dump(mode="json")
        return table | ({"crf": crf.numbers(table["crf"])} if "crf" in table else {})

    def loaded(self) -> Any:
        """While it lasts, `methods.load` finds this method, and still finds the others."""
        load = methods.load
        known = (self.slot, self.name)
        return mock.patch.object(methods, "load", lambda *asked: self.module if asked == known else load(*asked))


@dataclass(frozen=True)
class Made:
    """What a step gave to the loop over images: its function of an image, and what it reads and writes."""

    method: Method
    settings: Mapping[str, Any]
    make: Make
    kind: Kind
    reads: Sequence[str]
    left_out: Sequence[str]

    def given(self, entry: Entry) -> dict[str, Arrays]:
        """The arrays of an image in the stores that are read."""
        pixels = read_image(Path(entry.image))
        arrays = {name: ARRAYS[name](pixels, entry.tags) for name in self.reads}
        if "refined_saliency" in arrays and hasattr(self.method.module, "refined"):
            refined = self.method.module.refined
            salient = ARRAYS["saliency"](pixels, ())["saliency"]
            options = methods.arguments(refined, self.settings)
            arrays["refined_saliency"] = {"refined": refined(arrays["cams"]["cam"], salient, **options)}
        return arrays

    def of(self, entry: Entry) -> Arrays:
        """What the method makes of an image."""
        return self.make(entry, self.given(entry))


def elsewhere(value: Any) -> Any:
    """A value; the call of a later one goes through pickle, as on its way to another process."""
    return now(replace(value, call=pickle.loads(pickle.dumps(value.call))) if isinstance(value, Later) else value)


def found(slot: str) -> list[Method]:
    """Every method of a slot."""
    return [Method(slot, cls, methods.load(slot, cls.model_fields["method"].default)) for cls in METHODS[slot]]


def made(method: Method, world: World, *, device: str = "cpu", settings: Mapping[str, Any] | None = None) -> Made:
    """Run the method's step on the images of `world`, up to its loop over them."""
    options = method.settings() if settings is None else settings
    caught: dict[str, Any] = {}

    def write(_: Path, kind: Kind, entries: Sequence[Entry], make: per_image.Make, **about: Any) -> int:
        caught.update(kind=kind, make=lambda *given: elsewhere(make(*given)), **about)
        return len(entries)

    run = importlib.import_module(f"wsss_steps.{method.step}").run
    wanted = inspect.signature(run).parameters
    step = {name: give(method, world, options) for name, give in GIVEN.items() if name in wanted}
    step |= {"device": device} if "device" in wanted else {}
    with method.loaded(), mock.patch.object(per_image, "write", write):
        run(**step)
    reads = [kind.name for _, kind in caught.get("sources", ())]
    return Made(method, options, caught["make"], caught["kind"], reads, caught.get("left_out") or ())


def needs_of(method: Method, world: World) -> dict[str, Path]:
    """A file for each need. Of stores it need not exist, since contracts give their arrays themselves.

    Only that of saliency maps does, for the list of images that it leaves out.
    """
    files: dict[str, Callable[[], Path]] = {"classifier": lambda: worlds.classifier_for(method.name, world)}
    files["saliency"] = lambda: worlds.saliency_store(world)
    if hasattr(method.module, "build"):  # a method may need the network that it trains itself
        files[method.slot] = lambda: trained_network(method, world, method.settings())
    missing = set(method.cls.needs) - files.keys() - ARRAYS.keys()
    assert not missing, f"contracts/world.py cannot give {method.slot} '{method.name}' what it needs: {sorted(missing)}"
    return {name: files[name]() if name in files else Path(f"{name}.h5") for name in method.cls.needs}


def _weights(method: Method, world: World, settings: Mapping[str, Any]) -> Path | None:
    """Initial weights: those of a vision transformer; of any other network random ones will do."""
    return worlds.tiny_vit(world.folder / "vit.safetensors") if "vit" in settings else None


def _source(method: Method, world: World, settings: Mapping[str, Any]) -> Path | None:
    """What is read: a folder of maps or of whatever is given, or a trained network."""
    if hasattr(method.module, "build"):
        return trained_network(method, world, settings)
    if method.given:
        return given_files.folder_of(world, method.slot)
    if source(settings)[0] == "weights":
        return worlds.vivid_u2net(world.folder / "u2net.safetensors")
    return {"maps": world.folder / "saliency"}.get(source(settings)[0])


def trained_network(method: Method, world: World, settings: Mapping[str, Any]) -> Path:
    """The network of a method, trained on the drawn images."""
    from contracts.trainings import classes_of, trained

    path = world.classifier.parent / f"{method.name}.safetensors"
    if not path.exists():
        build = methods.arguments(method.module.build, settings)
        longer = method.cls.learns_from == "cams" or issubclass(method.cls, DeepLab)
        steps = 60 if longer else 25  # numbers to meet and classes take longer than pairs of pixels
        network = trained(method, settings, steps=steps).network
        worlds.write_network(path, method.slot, method.name, network, classes_of(method), **build)
    return path


GIVEN: Mapping[str, Callable[[Method, World, Mapping[str, Any]], Any]] = {
    "manifest": lambda method, world, settings: world.manifest,
    "cams": lambda method, world, settings: Path("cams.h5"),
    "needs": lambda method, world, settings: needs_of(method, world),
    "output": lambda method, world, settings: Path("output.h5"),
    "settings": lambda method, world, settings: settings,
    "weights": _weights,
    "source": _source,
}
"""What a step is given, by the name of its argument."""


def equal(one: Mapping[str, NDArray[Any]], other: Mapping[str, NDArray[Any]], tolerance: float = 0.0) -> bool:
    """Whether two images have the same arrays."""
    return one.keys() == other.keys() and all(
        one[name].shape == other[name].shape
        and np.allclose(one[name].astype(np.float64), other[name].astype(np.float64), rtol=0, atol=tolerance)
        for name in one
    )
