"""Reads the whole data set of a configuration as the first steps of a run would. Free of torch."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from wsss_steps.data import layouts
from wsss_steps.data.manifest import Manifest
from wsss_steps.errors import UserError
from wsss_steps.methods import arguments
from wsss_steps.workflow import splits
from wsss_steps.workflow.choices import NONE, resolve
from wsss_steps.workflow.config import Config
from wsss_steps.workflow.given import is_given

FEWEST = (
    20_000  # training images below which a network that starts from random weights learns too little of photographs
)


def read(config: Config) -> tuple[list[Manifest], Counter[str]]:
    """The manifest of every split, train first, at the sizes of the files; and notes (what: how many).

    Every image and label image is decoded. A UserError lists what is wrong with any of them, of all splits.
    """
    manifests, notes, problems = [], Counter[str](), []
    for split in splits.list_files(config):
        try:
            data, found = _read_split(config, split)
        except UserError as error:
            problems.append(str(error))
        else:
            manifests.append(data)
            notes |= found
    if problems:
        raise UserError("\n".join(problems))
    return manifests, notes


def warnings(config: Config, images: int) -> list[str]:
    """What will be hard about the networks of a configuration with so many training images."""
    found = []
    chosen = dict.fromkeys(run.recipe.classifier for run in config.runs if run.recipe.classifier != NONE)
    for classifier in (text for text in chosen if not is_given("classifier", text)):
        backbone = resolve(config, "classifier", classifier).settings.get("backbone", {})
        if backbone.get("weights") == "none" and images < FEWEST and config.draw is None:
            found.append(
                f"classifier '{classifier}' starts from random weights: expect poor masks from {images} training "
                "images; take weights of ImageNet (`weights: imagenet` of its backbone, a download, or a file)"
            )
    return found


def _read_split(config: Config, split: str) -> tuple[Manifest, Counter[str]]:
    """One split with its label images, if it has any."""
    root, settings = Path(config.data_folder), splits.images_settings(config, split)
    reader = layouts.reader(settings)
    data, notes = reader.read_split(root, **arguments(reader.read_split, settings))
    if config.mask_folder is not None and split not in config.unscored:
        masks = splits.masks_settings(config, split)
        notes += reader.read_masks(root, data, **arguments(reader.read_masks, masks))[1]
    return data, notes
