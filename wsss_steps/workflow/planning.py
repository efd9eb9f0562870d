"""What follows from a configuration for the rules: inputs, parameters, targets. Free of torch and of Snakemake.

Functions of one rule take its wildcards. Paths begin with `<results>` or `<tables>`, which the Snakefile defines.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from wsss_steps.data import sources
from wsss_steps.errors import UserError
from wsss_steps.formats.records import record_of
from wsss_steps.methods import arguments
from wsss_steps.provenance.digests import code_digest
from wsss_steps.settings.saliency import source
from wsss_steps.workflow import splits
from wsss_steps.workflow.choices import NONE, Choice, needs, resolve
from wsss_steps.workflow.config import Config
from wsss_steps.workflow.configuration import step_settings
from wsss_steps.workflow.stages import STAGES

Wildcards = Mapping[str, str]
Files = str | list[str]
FOLDERS = "<results>/{classifier}/{cams}/{superpixels}/{seeds}"

# ---- shards


def shard_names(config: Config) -> list[str]:
    """Names of the shards; none if the images are not shared out."""
    return [f"{number:03d}-of-{config.shards:03d}" for number in range(config.shards)] if config.shards > 1 else []


def in_shards(config: Config, path: str) -> str:
    """Where a step that works image by image writes or reads `path`: there, or in a file or folder per shard.

    A store a/cams.h5 is then an index of the stores a/cams.shards/{shard}.h5 (rules/shards.smk).
    """
    stem, dot, suffix = path.rpartition(".")
    stem, suffix = (stem, dot + suffix) if suffix in ("h5", "log", "tsv") else (path, "")
    return f"{stem}.shards/{{shard}}{suffix}" if config.shards > 1 else path


def all_shards(config: Config, path: str) -> list[str]:
    """What the jobs of all shards write in place of `path`."""
    return [in_shards(config, path).format(shard=shard) for shard in shard_names(config)]


# ---- parameters


def choice(config: Config, wildcards: Wildcards, slot: str) -> Choice:
    """The rule's choice in a slot; a UserError if the folder is not named by its one spelling."""
    found = resolve(config, slot, wildcards[slot])
    if found.name != wildcards[slot]:
        raise UserError(f"{slot} '{wildcards[slot]}' is '{found.name}' in this configuration: ask for that folder")
    return found


def settings_of(config: Config, wildcards: Wildcards, slot: str) -> str:
    """Every setting of the rule's choice in a slot, as JSON."""
    return choice(config, wildcards, slot).json()


def code_of(config: Config, wildcards: Wildcards, step: str, *slots: str) -> str:
    """Digest of the sources that the step, its methods in `slots` and their networks import."""
    return code_digest(step, [module for slot in slots for module in choice(config, wildcards, slot).modules()])


def code_of_segmenter(config: Config, wildcards: Wildcards) -> str:
    """Digest of the sources of the segmenter, and of the classifier if the segmenter needs it."""
    slots = ("segmenter", "classifier") if needs("segmenter", wildcards["segmenter"], "classifier") else ("segmenter",)
    return code_of(config, wildcards, "train_segmenter", *slots)


def settings_of_images(config: Config, wildcards: Wildcards) -> str:
    """The settings of `prepare` for the split."""
    return json.dumps(splits.images_settings(config, wildcards["split"]), sort_keys=True)


def settings_of_masks(config: Config, wildcards: Wildcards) -> str:
    """The settings of `prepare_masks` for the split."""
    return json.dumps(splits.masks_settings(config, wildcards["split"]), sort_keys=True)


def settings_of_stage(config: Config, wildcards: Wildcards) -> str:
    """The settings of `evaluate`, the stage and what its predictions are, and the split."""
    stage = wildcards["stage"]
    return step_settings(config, "evaluate", stage=stage, kind=STAGES[stage].kind, split=wildcards["split"])


def settings_of_tag_scores(_: Config, wildcards: Wildcards) -> str:
    """The split whose tags are compared."""
    return json.dumps({"split": wildcards["split"]})


def settings_of_prediction(config: Config, wildcards: Wildcards) -> str:
    """The settings of `predict` for a held-out split, whose tags are not known."""
    return step_settings(config, "predict", split=wildcards["split"], known_tags=False)


def state_of_images(config: Config, split: str) -> str:
    """Changes when the content of an image, a list or a tag of the split does."""
    return _state(config, f"{split}/manifest.json", sources.of_images, splits.images_settings(config, split))


def state_of_masks(config: Config, split: str) -> str:
    """Changes when the content of a label image of the split does."""
    return _state(config, f"{split}/ground_truth.json", sources.of_masks, splits.masks_settings(config, split))


def _state(config: Config, artifact: str, read: Callable[..., Any], settings: Mapping[str, Any]) -> str:
    """Changes when the content of the user's files does that the artifact is made of (`data/sources.py`)."""
    if config.draw:
        return "drawn"
    record = record_of(Path(config.results, "splits", artifact))
    return sources.state(read(Path(config.root), **arguments(read, settings)), record)


def list_of_split(config: Config, wildcards: Wildcards) -> str:
    """The list of the split's images."""
    return f"{config.data_folder}/{splits.list_files(config)[wildcards['split']]}"


def table_of_tags(config: Config, wildcards: Wildcards) -> Files:
    """The table of tags, if there is one and the split has tags."""
    read = config.tags_csv is not None and wildcards["split"] not in config.unscored
    return f"{config.data_folder}/{config.tags_csv}" if read else []


# ---- inputs


def initial_weights(config: Config, wildcards: Wildcards, slot: str) -> Files:
    """The file of initial weights that the choice in a slot names, if it names one."""
    return choice(config, wildcards, slot).weights_file() or []


def weights_of_features(config: Config, wildcards: Wildcards) -> Files:
    """Weights for the features: trained by this workflow, a file, or nothing (to be downloaded, or none needed)."""
    if choice(config, wildcards, "features").settings.get("weights") == "pretrain_keys":
        return "<results>/features/vit.safetensors"
    return initial_weights(config, wildcards, "features")


def features_of_superpixels(config: Config, wildcards: Wildcards) -> Files:
    """The features that superpixels are discovered from, if the method takes any."""
    features = choice(config, wildcards, "superpixels").settings.get("features")
    return f"<results>/features/{features}/features.h5" if features else []


def pairs_of_detector(config: Config, wildcards: Wildcards) -> str:
    """The images with masks that a saliency detector learns from: drawn by this workflow, or a folder."""
    place = str(choice(config, wildcards, "saliency").settings["pairs"])
    return "<results>/saliency/pairs" if place == "drawn" else place


def source_of_saliency(config: Config, wildcards: Wildcards) -> str:
    """What the saliency maps are made from: a folder of maps, a detector's weights, or features."""
    kind, place = source(choice(config, wildcards, "saliency").settings)
    made = {
        "pairs": f"<results>/saliency/{wildcards['saliency']}/detector.safetensors",
        "features": in_shards(config, f"<results>/features/{place}/features.h5"),
    }
    return made.get(kind, place)


def maps_given(config: Config, wildcards: Wildcards, manifest: Callable[[], str]) -> list[str]:
    """Every given saliency map, since a folder does not tell that a file in it was rewritten; of a shard, its own."""
    kind, place = source(choice(config, wildcards, "saliency").settings)
    if kind != "maps":
        return []
    if config.shards == 1:
        return sorted(map(str, Path(place).glob("*.png")))
    listed = json.loads(Path(manifest()).read_text(encoding="utf-8"))["images"]
    return [str(path) for entry in listed if (path := Path(place, f"{entry['id']}.png")).exists()]


def superpixels_of_recipe(_: Config, wildcards: Wildcards) -> Files:
    """The superpixels of the recipe, if it has any."""
    name = wildcards["superpixels"]
    return [] if name == NONE else f"<results>/superpixels/{name}/superpixels.h5"


def saliency_of_seeds(config: Config, wildcards: Wildcards) -> str:
    """The saliency maps that the choice of seeds names."""
    return f"<results>/saliency/{choice(config, wildcards, 'seeds').settings['saliency']}/saliency.h5"


def refined_saliency_of_seeds(_: Config, wildcards: Wildcards) -> Files:
    """The refined saliency maps, if the seeds are made of them."""
    return f"{FOLDERS}/refined_saliency.h5" if needs("seeds", wildcards["seeds"], "saliency") else []


def classifier_of_segmenter(_: Config, wildcards: Wildcards) -> Files:
    """The recipe's classifier, if the segmenter needs it."""
    needed = needs("segmenter", wildcards["segmenter"], "classifier")
    return "<results>/{classifier}/classifier.safetensors" if needed else []


def scenes_if_drawn(config: Config) -> Files:
    """The data set, if the workflow draws it."""
    return "<results>/scenes" if config.draw else []


def predictions_of_stage(_: Config, wildcards: Wildcards) -> str:
    """What is evaluated."""
    return f"<results>/{wildcards['lineage']}/{STAGES[wildcards['stage']].place.format(split=wildcards['split'])}"
