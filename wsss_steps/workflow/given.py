"""What a user already has, as choices of their slots: where it lies, what is wrong with that, what it is declared as.

Such a method has settings of the class `Given`; a rule `import_<slot>` makes its artifact. Free of torch.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from wsss_steps.data import layouts
from wsss_steps.errors import UserError
from wsss_steps.settings.data_set import TRAIN
from wsss_steps.settings.given import Given
from wsss_steps.workflow import names, splits
from wsss_steps.workflow.choices import Choice, resolve, settings_class
from wsss_steps.workflow.config import SLOTS_OF_A_RECIPE, Config, Recipe
from wsss_steps.workflow.experiments import choices_of
from wsss_steps.workflow.spelling import OVERRIDE, links
from wsss_steps.workflow.stages import STAGES

COMPARED = 20  # label images of the ground truth that are compared with given ones, byte by byte


def is_given(slot: str, text: str) -> bool:
    """Whether a choice, of a chain its first link, is the user's own."""
    return issubclass(settings_class(slot, links(text)[0].partition(OVERRIDE)[0]), Given)


def problems(config: Config, choice: Choice) -> Iterator[str]:
    """What is wrong with the file or folder of a choice: it is none, or it holds the ground truth."""
    path = str(choice.settings["path"])
    kinds = "file" if choice.slot == "classifier" else "file or folder"
    if problem := names.problem_of_path(path):
        yield f"path: {problem}"
    elif not Path(path).exists():
        yield f"no such {kinds}: {path}"
    elif choice.slot == "classifier" and not Path(path).is_file():
        yield f"path: expected a file of weights, found a folder: {path}"
    elif config.mask_folder is not None and config.draw is None and _is_ground_truth(config, Path(path)):
        yield (
            f"path: {path} holds the ground truth of this data set, by which its results are scored; label images to "
            "learn from are given by the key `strong`"
        )


def _is_ground_truth(config: Config, path: Path) -> bool:
    """Whether label images of the training images lie at `path`, or are the same, byte by byte, as those that do."""
    settings = splits.masks_settings(config, TRAIN)
    try:
        masks = [Path(one) for one in layouts.of_settings(settings).of_masks(Path(config.base), settings).files]
    except (UserError, OSError):  # what is wrong with the data set is told elsewhere
        return False
    place = os.path.realpath(path)
    if any(os.path.realpath(folder) == place for folder in {mask.parent for mask in masks}):
        return True
    pairs = [(mask, path / mask.name) for mask in masks if mask.is_file() and (path / mask.name).is_file()]
    return bool(pairs) and all(mask.read_bytes() == mine.read_bytes() for mask, mine in pairs[:COMPARED])


def declared(config: Config, recipe: Recipe, stage: str) -> list[str]:
    """What a row has to say of each thing of the user's that a stage of a recipe rests on, also by choices in it."""
    found = dict[str, list[str]]()
    for slot, text in choices_of(config, recipe.choices()[: STAGES[stage].depth]):
        settings = resolve(config, slot, text).settings
        if is_given(slot, text) and settings["supervision"]:
            found.setdefault(slot, []).append(f"{slot}: given ({settings['supervision']})")
    return [text for slot in SLOTS_OF_A_RECIPE for text in found.get(slot, ())]
