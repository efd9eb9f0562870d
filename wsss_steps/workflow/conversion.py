"""Known data sets as their archives unpack (`convert`): what is wrong, and what follows for planning. Free of torch.

`convert_tags` and `convert_masks` write lists, tables of tags and label images below `results/<name>/converted/`; the
images stay where they are. Everything behind reads them as those of any data set.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from wsss_steps.data import archives, sources, voc_lists
from wsss_steps.formats.records import record_of
from wsss_steps.methods import arguments
from wsss_steps.provenance.digests import code_digest
from wsss_steps.settings.data_set import TRAIN
from wsss_steps.workflow import splits
from wsss_steps.workflow.config import Config

FOLDER = "converted"


def _archive(config: Config) -> ModuleType:
    """The module that reads the data set."""
    if config.convert is None:
        raise ValueError("expected a data set that is converted, found none")
    return archives.load(config.convert.format)


def _settings(config: Config, split: str) -> dict[str, Any]:
    """Every setting that a function of the module may ask for, for one split."""
    written = config.as_written
    given = {} if config.convert is None else config.convert.model_dump(mode="json")
    return given | {
        "split": split,
        "list_file": written.splits.get(split, ""),
        "tagged": split not in config.unscored,
        "scored_list": written.scored_list if split == TRAIN else None,
        "classes": list(config.classes),
        "all_masks": written.mask_folder is not None and written.scored_list is None,
        "splits": written.splits,
    }


def _ask(function: Callable[..., Any], config: Config, split: str) -> Any:
    """What a function of the module says of the data set, with its part of the settings."""
    return function(Path(config.root), **arguments(function, _settings(config, split)))


def problems(config: Config) -> list[str]:
    """What is wrong with the keys beside `convert`, and with the archives; no image is opened."""
    archive, root = _archive(config), Path(config.root)
    if not root.is_dir():
        return [f"root: no such folder: {root}"]
    wrong = [
        f"{key}: expected none beside convert, which knows where those of the data set lie, found one; leave it out"
        for key in archive.FIXED
        if key in config.model_fields_set
    ]
    if unknown := sorted(set(config.classes) - set(config.mask_classes or archive.CLASSES)):
        wrong.append(f"classes {unknown} are not among those of the data set: {', '.join(archive.CLASSES)}")
    if config.boxes is not None and config.scored_list is None:
        wrong.append("boxes: expected a scored_list beside convert, the images whose boxes count, found none")
    wrong += _ask(archive.problems, config, TRAIN)
    held_out = () if "splits" in archive.FIXED else config.splits.values()
    for path in filter(None, (config.scored_list, *held_out)):
        voc_lists.read_list(root / path, wrong)
    return wrong


def applied(config: Config) -> Config:
    """The same configuration with the paths of what conversion writes, all of them from the working directory.

    A `{split}` in a path stands for the name of a split.
    """
    archive, root, below = _archive(config), Path(config.root), f"{config.results}/{FOLDER}"
    changes: dict[str, Any] = _ask(archive.places, config, TRAIN)
    changes |= {
        "train_list": f"{below}/{TRAIN}.txt",
        "splits": {name: f"{below}/{name}.txt" for name in changes["splits"]},
        "tags_csv": f"{below}/{{split}}.csv",
        "mask_folder": None if config.mask_folder is None else f"{below}/masks/{{split}}",
        "mask_classes": config.mask_classes or archive.CLASSES,
    }
    given = {key: getattr(config, key) for key in ("scored_list", "boxes")}
    changes |= {key: (root / path).as_posix() for key, path in given.items() if path is not None}
    if config.strong is not None:
        places = {key: (root / path).as_posix() for key, path in config.strong.model_dump().items()}
        changes["strong"] = config.strong.model_copy(update=places)
    return config.changed(changes)


# ---- of the rules


def settings_of_tags(config: Config, wildcards: Mapping[str, str]) -> str:
    """The settings of `convert_tags` for the split."""
    archive = _archive(config)
    return _chosen(config, wildcards["split"], archive.read_tags, archive.sources_of_tags)


def settings_of_masks(config: Config, wildcards: Mapping[str, str]) -> str:
    """The settings of `convert_masks` for the split."""
    archive = _archive(config)
    return _chosen(config, wildcards["split"], archive.label_images, archive.sources_of_masks)


def _chosen(config: Config, split: str, *functions: Callable[..., Any]) -> str:
    """The settings that functions of the module ask for, and its name, as JSON."""
    table = _settings(config, split)
    found = {key: value for function in functions for key, value in arguments(function, table).items()}
    return json.dumps({"format": table["format"], "split": split, **found}, sort_keys=True)


def code_of(config: Config, _: Mapping[str, str], step: str) -> str:
    """Digest of the sources of a step and of the module that reads the data set."""
    return code_digest(step, [_archive(config).__name__.partition(".")[2]])


def state_of_tags(config: Config, split: str) -> str:
    """Changes when the content of a list or of a file of tags of the split does."""
    return _state(_ask(_archive(config).sources_of_tags, config, split), config, f"{FOLDER}/{split}.txt")


def state_of_masks(config: Config, split: str) -> str:
    """Changes when the content of a file of the split's label images does."""
    return _state(_ask(_archive(config).sources_of_masks, config, split), config, f"{FOLDER}/masks/{split}")


def state_of_images(config: Config, split: str) -> str:
    """Changes when the content of an image of the split does; its list and tags are inputs of the rule."""
    ids = _ask(_archive(config).listed, config, split)
    folder = Path(splits.images_settings(config, split)["image_folder"])
    return _state(sources.of_folder(folder, ids), config, f"splits/{split}/manifest.json")


def watched(config: Config, split: str) -> dict[str, str]:
    """Which images count for that state (`sources.of_images`); nothing, if the data set is not converted."""
    if config.convert is None:
        return {}
    return {"watched": "folder" if _ask(_archive(config).listed, config, split) is None else "list"}


def _state(found: sources.Sources, config: Config, artifact: str) -> str:
    return sources.state(found, record_of(Path(config.results, artifact)))


def lists_and_tags(config: Config, wildcards: Mapping[str, str]) -> list[str]:
    """Input of `prepare`: the list and the table of tags of the split, if they are converted."""
    below = f"<results>/{FOLDER}/{wildcards['split']}"
    return [f"{below}.txt", f"{below}.csv"] if config.convert else []


def label_images(config: Config, wildcards: Mapping[str, str]) -> list[str]:
    """Input of `prepare_masks`: the label images of the split, if they are converted."""
    return [f"<results>/{FOLDER}/masks/{wildcards['split']}"] if config.convert and config.mask_folder else []


def declared(config: Config, split: str) -> str:
    """By which rules the label images came about that a split is scored by; empty if they are the user's own."""
    if config.convert is None:
        return ""
    archive = _archive(config)
    return str(archive.description(**arguments(archive.description, _settings(config, split))))
