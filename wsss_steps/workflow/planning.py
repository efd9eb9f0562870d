"""What follows from a configuration for the rules: inputs, parameters, targets. Free of torch and of Snakemake.

Functions of one rule take its wildcards. Paths begin with `<results>` or `<tables>`, which the Snakefile defines.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from wsss_steps.data import layouts as reading
from wsss_steps.data import sources
from wsss_steps.data.box_sources import of_boxes
from wsss_steps.errors import UserError
from wsss_steps.formats import kinds
from wsss_steps.formats.records import record_of
from wsss_steps.methods import arguments
from wsss_steps.provenance.digests import code_digest
from wsss_steps.settings.saliency import COLUMN, source
from wsss_steps.workflow import conversion, named_weights, splits
from wsss_steps.workflow.choices import NONE, OWN, Choice, chain, name_of, settings_class
from wsss_steps.workflow.config import Config
from wsss_steps.workflow.configuration import step_settings
from wsss_steps.workflow.shards import in_shards
from wsss_steps.workflow.spelling import THEN, links
from wsss_steps.workflow.stages import STAGES

Wildcards = Mapping[str, str]
Files = str | list[str]
FOLDERS = "<results>/{classifier}/{cams}/{superpixels}/{seeds}"
ARTIFACTS = {
    "classifier": "<results>/{classifier}/classifier.safetensors",
    "cams": "<results>/{classifier}/{cams}/cams.h5",
    "features": "<results>/features/{features}/features.h5",
    "superpixels": "<results>/superpixels/{superpixels}/superpixels.h5",
    "saliency": "<results>/saliency/{saliency}/saliency.h5",
    "refined_saliency": f"{FOLDERS}/refined_saliency.h5",
    "seeds": f"{FOLDERS}/seeds.h5",
    "strong_masks": "<results>/strong/strong_masks.h5",
    "refiner": "<results>/{classifier}/{cams}+{refiner}/refiner.safetensors",
}
"""What a method may need, by name: stores under the name of their kind, networks under that of their slot."""
NETWORKS = ("classifier", "refiner")
WORKING_LABELS = "working_labels"
"""The folder of pseudo-labels at the size at which images are read, beside those at the size of the images."""
MAPS_OF_TABLE = "<results>/splits/train/saliency"
PRETRAINED_KEYS = "<results>/features/vit.safetensors"

# ---- parameters


def choice(config: Config, wildcards: Wildcards, slot: str) -> Choice:
    """The rule's choice in a slot, of a chain the last link; a UserError if the folder has not its one spelling."""
    name = name_of(config, slot, wildcards[slot])
    if name != wildcards[slot]:
        raise UserError(f"{slot} '{wildcards[slot]}' is '{name}' in this configuration: ask for that folder")
    return chain(config, slot, name)[-1]


def settings_of(config: Config, wildcards: Wildcards, slot: str) -> str:
    """Every setting of the rule's choice in a slot, as JSON."""
    return choice(config, wildcards, slot).json()


def threads_of(config: Config, wildcards: Wildcards, slot: str) -> int:
    """Threads of a job without a network: as many as a job may have for processes with a dense CRF, one without."""
    return config.threads if choice(config, wildcards, slot).settings.get("crf") else 1


def code_of(config: Config, wildcards: Wildcards, step: str, *slots: str) -> str:
    """Digest of the sources that the step, its methods in `slots` and their networks import."""
    return code_digest(step, [module for slot in slots for module in choice(config, wildcards, slot).modules()])


def code_with_needs(config: Config, wildcards: Wildcards, step: str, slot: str) -> str:
    """`code_of` a step that is given what its method needs: the kinds of the stores, and the networks."""
    chosen = choice(config, wildcards, slot)
    named = {**wildcards, **chosen.named}
    others = [choice(config, named, need).modules() for need in chosen.needs if need in NETWORKS]
    read = [f"formats.kinds.{need}" for need in chosen.needs if need in kinds.names()]
    return code_digest(step, [*chosen.modules(), *read, *itertools.chain(*others)])


def gpus(config: Config, wildcards: Wildcards, slot: str) -> int:
    """How many GPUs a job asks for in a slot of which not every method computes on a device."""
    return int(settings_class(slot, choice(config, wildcards, slot).method).on_device)


def device(config: Config, wildcards: Wildcards, slot: str) -> str:
    """The device of such a job."""
    return config.device if gpus(config, wildcards, slot) else "cpu"


def settings_of_images(config: Config, wildcards: Wildcards) -> str:
    """The settings of `prepare` for the split."""
    table, split = splits.images_settings(config, wildcards["split"]), wildcards["split"]
    return json.dumps(table | conversion.watched(config, split), sort_keys=True)


def settings_of_masks(config: Config, wildcards: Wildcards) -> str:
    """The settings of `prepare_masks` for the split."""
    return json.dumps(splits.masks_settings(config, wildcards["split"]), sort_keys=True)


def settings_of_boxes(config: Config, wildcards: Wildcards) -> str:
    """The settings of `prepare_boxes` for the split."""
    return json.dumps(splits.boxes_settings(config, wildcards["split"]), sort_keys=True)


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
    if config.convert:
        return conversion.state_of_images(config, split)
    settings = splits.images_settings(config, split)
    return _state(config, f"{split}/manifest.json", reading.of_settings(settings).of_images, settings)


def state_of_masks(config: Config, split: str) -> str:
    """Changes when the content of a label image of the split does."""
    if config.convert:
        return "converted"
    settings = splits.masks_settings(config, split)
    return _state(config, f"{split}/ground_truth.json", reading.of_settings(settings).of_masks, settings)


def state_of_boxes(config: Config, split: str) -> str:
    """Changes when the content of an annotation with the boxes of an image of the split does."""

    def read(root: Path, settings: Mapping[str, Any]) -> sources.Sources:
        return of_boxes(root, **arguments(of_boxes, settings))

    return _state(config, f"{split}/boxes.json", read, splits.boxes_settings(config, split))


def _state(config: Config, artifact: str, read: Callable[..., sources.Sources], settings: Mapping[str, Any]) -> str:
    """Changes when the content of the user's files does that the artifact is made of (`data/sources.py`)."""
    if config.draw:
        return "drawn"
    record = record_of(Path(config.results, "splits", artifact))
    return sources.state(read(Path(config.base), settings), record)


# ---- inputs


def initial_weights(config: Config, wildcards: Wildcards, slot: str) -> Files:
    """The initial weights of the choice in a slot: trained by this workflow, a file, or nothing to be read."""
    chosen = choice(config, wildcards, slot)
    return PRETRAINED_KEYS if chosen.settings.get("weights") == "pretrain_keys" else chosen.weights_input() or []


def needed(config: Config, wildcards: Wildcards, slot: str, *, of_all: bool = False) -> dict[str, str]:
    """What the method of the choice in a slot needs, by name.

    A setting that is a choice, such as `features`, says which; else the recipe does. Of stores, the part of the
    job's shard, or, for trainings, that of all images.
    """
    names = choice(config, wildcards, slot).needs
    return {name: artifact(config, wildcards, slot, name, of_all=of_all) for name in names}


def artifact(config: Config, wildcards: Wildcards, slot: str, name: str, *, of_all: bool = False) -> str:
    """The artifact `name` that the choice in a slot, or else the recipe, names; see `needed`.

    Seeds that a refiner names are made of the maps before it, without superpixels. A UserError if neither says which.
    """
    path, chosen = ARTIFACTS[name], choice(config, wildcards, slot)
    sharded = path if of_all or not path.endswith(".h5") else in_shards(config, path)
    try:
        return sharded.format(**{"superpixels": NONE, **wildcards, **chosen.named})
    except KeyError as error:
        raise UserError(
            f"{slot} '{chosen.name}' needs {name}, but its folder does not tell which {error.args[0]}: expected a "
            f"setting {error.args[0]} of {slot} '{chosen.method}' that is a choice (ChoiceOf), found none"
        ) from None


def taught_by(config: Config, wildcards: Wildcards, name: str) -> Files:
    """What the network of a refiner learns from, of all images, if that is `name`: seeds, or the maps before it."""
    learns_from = settings_class("refiner", choice(config, wildcards, "refiner").method).learns_from
    return artifact(config, wildcards, "refiner", name, of_all=True) if learns_from == name else []


def labels_to_learn(config: Config, wildcards: Wildcards) -> str:
    """What a segmenter is trained on: the seeds, or the pseudo-labels of the link of the chain before it."""
    before = links(wildcards["segmenter"])[:-1]
    labels = "pseudo_labels" if config.max_side is None else WORKING_LABELS
    return f"{FOLDERS}/{THEN.join(before)}/{labels}" if before else f"{FOLDERS}/seeds.h5"


def segmenting_network(_: Config, wildcards: Wildcards) -> str:
    """The network that segments: the segmenter, or for `own` the single-stage classifier."""
    own = wildcards["segmenter"] == OWN
    return ARTIFACTS["classifier"] if own else f"{FOLDERS}/{{segmenter}}/segmenter.safetensors"


def pairs_of_detector(config: Config, wildcards: Wildcards) -> str:
    """The images with masks that a saliency detector learns from: drawn by this workflow, or a folder."""
    place = str(choice(config, wildcards, "saliency").settings["pairs"])
    return "<results>/saliency/pairs" if place == "drawn" else place


def source_of_saliency(config: Config, wildcards: Wildcards) -> Files:
    """What the saliency maps are made from: a folder of maps, a detector's weights; nothing, if from features."""
    kind, place = source(choice(config, wildcards, "saliency").settings)
    if kind == "pairs":
        return f"<results>/saliency/{wildcards['saliency']}/detector.safetensors"
    if place == COLUMN:
        return MAPS_OF_TABLE
    return [] if kind == "features" else named_weights.artifact_of(place) or place


def maps_given(config: Config, wildcards: Wildcards, manifest: Callable[[], str]) -> list[str]:
    """Every given saliency map, since a folder does not tell that a file in it was rewritten; of a shard, its own."""
    kind, place = source(choice(config, wildcards, "saliency").settings)
    if kind != "maps" or place == COLUMN:
        return []
    if config.shards == 1:
        return sorted(map(str, Path(place).glob("*.png")))
    listed = json.loads(Path(manifest()).read_text(encoding="utf-8"))["images"]
    return [str(path) for entry in listed if (path := Path(place, f"{entry['id']}.png")).exists()]


def made_by_the_workflow(config: Config, wildcards: Wildcards) -> Files:
    """What the workflow makes of a split's data: drawn scenes, or lists and tags of a data set that is converted."""
    return "<results>/scenes" if config.draw else conversion.lists_and_tags(config, wildcards)


def predictions_of_stage(_: Config, wildcards: Wildcards) -> str:
    """What is evaluated."""
    return f"<results>/{wildcards['lineage']}/{STAGES[wildcards['stage']].place.format(split=wildcards['split'])}"
