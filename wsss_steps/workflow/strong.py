"""Strong supervision, label images of some training images: what is wrong with it, and what follows for its rule.

It has files of its own: no rule of a training sees the ground truth of the evaluation. Free of torch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wsss_steps.data import sources, voc_lists
from wsss_steps.formats.records import record_of
from wsss_steps.methods import arguments
from wsss_steps.settings.data_set import TRAIN
from wsss_steps.settings.strong import Strong
from wsss_steps.workflow import names, splits
from wsss_steps.workflow.choices import chain
from wsss_steps.workflow.config import Config, Recipe

NEED = "strong_masks"


def learns_from_it(config: Config, recipe: Recipe) -> bool:
    """Whether a network of a recipe learns from the label images."""
    return any(NEED in link.needs for link in chain(config, "segmenter", recipe.segmenter))


def declared(config: Config, recipe: Recipe) -> list[str]:
    """What a row that rests on the networks of a recipe has to say of it."""
    return [f"pixel masks of {_count(config)} training images"] if learns_from_it(config, recipe) else []


def _count(config: Config) -> int:
    """How many images have one."""
    listed = config.strong and voc_lists.read_list(Path(config.base) / config.strong.image_list, [])
    return len(listed or ())


def problems(config: Config) -> Iterator[str]:
    """What is wrong with the key `strong`, or with recipes that need it."""
    if config.strong is None:
        users = [name for name, recipe in config.recipes.items() if learns_from_it(config, recipe)]
        yield from (
            f"recipes.{name}: segmenter '{config.recipes[name].segmenter}' learns from label images of some training "
            "images: expected a key `strong` with their image_list, found none"
            for name in users
        )
        return
    if config.draw is not None:
        yield "strong: expected a data set of your own, found draw: what is drawn has no list of such images"
        return
    places = {f"strong.{key}": value for key, value in config.strong.model_dump().items()}
    if wrong := list(names.problems_of_paths(places)):
        yield from wrong
        return
    yield from _problems_of_files(config, config.strong)


def _problems_of_files(config: Config, given: Strong) -> Iterator[str]:
    """What is wrong with the folder and the list."""
    root, found = Path(config.root), list[str]()
    if not (folder := root / given.mask_folder).is_dir():
        yield f"strong.mask_folder: no such folder: {folder}"
    listed = voc_lists.read_list(root / given.image_list, found)
    train = set(voc_lists.read_list(root / config.train_list, []))
    yield from (f"strong.image_list: {problem}" for problem in found)
    yield from (f"strong.image_list: id '{one}' is not in {config.train_list}" for one in listed if one not in train)


def settings(config: Config) -> dict[str, Any]:
    """The settings of `prepare_strong`: those of `prepare_masks`, of its own list and folder."""
    table = splits.masks_settings(config, TRAIN) | {"masks_optional": False}
    given = config.strong
    return table if given is None else table | {"mask_folder": given.mask_folder, "scored_list": given.image_list}


def settings_as_json(config: Config) -> str:
    """`settings`, as the command line takes them."""
    return json.dumps(settings(config), sort_keys=True)


def state(config: Config) -> str:
    """Changes when the content of a label image does."""
    found = sources.of_masks(Path(config.base), **arguments(sources.of_masks, settings(config)))
    return sources.state(found, record_of(Path(config.results, "strong", f"{NEED}.h5")))
