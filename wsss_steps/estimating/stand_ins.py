"""What a configuration names and is not there, and what stands in for it while a slice is measured.

The time of a network does not depend on its weights, so that random ones will do: an estimate needs no download. Where
it may depend on them (superpixels of random keys are few), the note says so.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wsss_steps.settings.base import Backbone
from wsss_steps.settings.registry import METHODS
from wsss_steps.settings.saliency import COLUMN, GivenSaliency
from wsss_steps.workflow.choices import BUILT_IN_BACKBONES, choices_in

BUILT_IN = {name: backbone.model_dump(mode="json") for name, backbone in BUILT_IN_BACKBONES.items()}
CHOICE = re.compile(r"(?:^|[+(=,\[])\s*(\w+)")
RANDOM_KEYS = "random_keys"  # file of random weights of a vision transformer, in the folder of the slice
DUTS = 10_553  # pairs of DUTS-TR, if they are not there to be counted


@dataclass
class StandIns:
    """A configuration that loads on this machine, its notes, and what has to be made before it runs."""

    content: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    vit: tuple[str, Path] | None = None
    """Network and file of random weights."""
    maps: Path | None = None
    """Folder of saliency maps."""
    pairs: int | None = None
    """How many pairs of an image and a mask a saliency detector is trained on; None if they are drawn, or none is."""


def stand_in(content: Mapping[str, Any], folder: Path) -> StandIns:
    """The same configuration with random weights, and drawn images and maps in place of what is missing.

    folder: for files of the slice. Content that is no valid configuration passes as it is: loading it tells.
    """
    found = StandIns(copy.deepcopy(dict(content)))
    root = str(content.get("images") or content.get("root") or "")
    _backbones(found, root)
    _keys(found, root, folder)
    _detector(found, root)
    _given_maps(found, root, folder)
    return found


def _table(content: dict[str, Any], slot: str, method: str) -> dict[str, Any]:
    """The settings of a method in the configuration; they can be changed there."""
    table: dict[str, Any] = content.setdefault(slot, {}).setdefault(method, {})
    return table


def _used(content: Mapping[str, Any]) -> set[str]:
    """Names of the methods that recipes lead to, by themselves or by the choices in their methods' settings."""
    recipes = [str(text) for recipe in content.get("recipes", {}).values() for text in dict(recipe or {}).values()]
    found = _methods([*recipes, *map(str, content.get("compare_superpixels", ()))])
    for _ in range(2):  # a choice within a choice within a choice
        for slot, classes in METHODS.items():
            for cls in classes:
                method = cls.model_fields["method"].default
                if method in found:
                    table = (content.get(slot) or {}).get(method) or {}
                    inner = [str(table.get(key, cls.model_fields[key].default)) for key in choices_in(cls)]
                    found |= _methods(inner)
    return found


def _methods(texts: Iterable[str]) -> set[str]:
    """Names that may be methods: those at the beginning of a choice, a link, or a value."""
    return {name for text in texts for name in CHOICE.findall(text)}


def _backbones(found: StandIns, root: str) -> None:
    """Random weights for every backbone that the configuration names."""
    table: dict[str, Any] = found.content.setdefault("backbones", {})
    for name, backbone in {**BUILT_IN, **table}.items():
        weights = str(backbone.get("weights", Backbone.model_fields["weights"].default))
        if weights == "none" or (name in table and not isinstance(backbone, dict)):
            continue
        table[name] = {**backbone, "weights": "none"}
        if weights != "imagenet":
            path = weights.replace("{root}", root)
            if not Path(path).is_file():
                found.notes.append(f"missing: {path}, the weights of {name}: the run will not start without them")


def _keys(found: StandIns, root: str, folder: Path) -> None:
    """Random weights for a vision transformer whose own are downloaded, or missing."""
    if "keys" not in _used(found.content):
        return
    table = found.content.get("features", {}).get("keys", {})
    weights, vit = str(table.get("weights", "dino")), str(table.get("vit", "vit_base_patch8_224"))
    path = Path(weights.replace("{root}", root))
    if weights == "pretrain_keys" or path.is_file() or vit == "own":
        return
    if weights != "dino":
        found.notes.append(f"missing: {path}, the weights of {vit}: the run will not start without them")
    found.vit = vit, folder / f"{RANDOM_KEYS}.safetensors"
    _table(found.content, "features", "keys")["weights"] = str(found.vit[1])
    found.notes.append(
        f"keys of {vit} were measured with random weights: superpixels of them are few, so make_superpixels, if its "
        "dense CRF is on, will take longer than estimated"
    )


def _detector(found: StandIns, root: str) -> None:
    """Drawn pairs of the size of a crop for a saliency detector: a training step costs the same."""
    if "detector" not in _used(found.content):
        return
    table = found.content.get("saliency", {}).get("detector", {})
    pairs, weights = str(table.get("pairs", "{root}/DUTS-TR")), str(table.get("weights", "train"))
    if pairs == "drawn" or weights != "train":
        return
    place = Path(pairs.replace("{root}", root))
    found.pairs = sum(1 for _ in _images_in(place)) or DUTS
    if not place.is_dir():
        found.notes.append(f"missing: {place}, the pairs of the saliency detector: taken to be {DUTS:,} as in DUTS-TR")
    _table(found.content, "saliency", "detector")["pairs"] = "drawn"
    found.content["draw_saliency"] = {"size": int(table.get("crop", 384))}


def _images_in(place: Path) -> Iterator[Path]:
    yield from place.glob("*-Image/*.jpg")


def _given_maps(found: StandIns, root: str, folder: Path) -> None:
    """A folder for maps of the slice, if that of the given maps is missing."""
    table = found.content.get("saliency", {}).get("given", {})
    place = str(table.get("folder", GivenSaliency.model_fields["folder"].default)).replace("{root}", root)
    if "given" not in _used(found.content) or place == COLUMN or Path(place).is_dir():
        return
    found.maps = folder / "maps"
    found.maps.mkdir(parents=True, exist_ok=True)
    _table(found.content, "saliency", "given")["folder"] = str(found.maps)
    found.notes.append(f"missing: {place}, the given saliency maps: the run will not start without them")
