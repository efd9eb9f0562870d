# The only other reader of `config`: it is validated here, before any job is planned. Helpers that turn choices into parameters and paths.
import subprocess
import sys

from snakemake.exceptions import WorkflowError

from wsss_steps import configuration, provenance
from wsss_steps.errors import UserError

try:
    CONFIG = configuration.load(config)
except UserError as error:
    raise WorkflowError(str(error))


pathvars:
    results=f"results/{CONFIG.dataset}",
    logs=f"logs/{CONFIG.dataset}",
    benchmarks=f"logs/{CONFIG.dataset}/benchmarks",


wildcard_constraints:
    classifier="[^/]+",
    cams="[^/]+",
    features="[^/]+",
    superpixels="[^/]+",
    seeds="[^/]+",
    segmenter="[^/]+",
    stage="[a-z_]+",


def choice(slot, wildcards):
    return configuration.resolve(CONFIG, slot, wildcards[slot])


def settings_of(slot):
    """Parameter: every setting of the rule's choice in `slot`, as JSON."""

    def settings(wildcards):
        return choice(slot, wildcards).json()

    return settings


def code_of(room, *slots):
    """Parameter: digest of the sources that the room and its methods in `slots` import."""

    def code(wildcards):
        methods = [(slot, wildcards[slot].split("~")[0]) for slot in slots if wildcards[slot] != "none"]
        return provenance.code_digest(room, methods)

    return code


def initial_weights(slot):
    """Input: the file of initial weights that the choice in `slot` names, if it names one."""

    def weights(wildcards):
        path = choice(slot, wildcards).weights_file()
        return [] if path is None else path

    return weights


def weights_of_features(wildcards):
    """Input: weights for the features: trained by this workflow, a file, or nothing (to be downloaded, or none needed)."""
    chosen = choice("features", wildcards)
    if chosen.settings.get("weights") == "pretrain_keys":
        return "<results>/features/vit.safetensors"
    return initial_weights("features")(wildcards)


def features_of_superpixels(wildcards):
    """Input: the features that superpixels are discovered from, if the method takes any."""
    features = choice("superpixels", wildcards).settings.get("features")
    return f"<results>/features/{features}/features.h5" if features else []


def superpixels_of_recipe(wildcards):
    """Input: the superpixels of the recipe, if it has any."""
    return [] if wildcards.superpixels == "none" else f"<results>/superpixels/{wildcards.superpixels}/superpixels.h5"


def root_of_dataset(wildcards):
    """Input: what draws the data set, or the files that define it (an edit of a list or a new image makes the manifest anew)."""
    if CONFIG.draw is not None:
        return CONFIG.root
    names = (CONFIG.train_list, CONFIG.val_list, CONFIG.tags_csv, CONFIG.image_folder, CONFIG.mask_folder)
    return [f"{CONFIG.root}/{name}" for name in names if name]


def kept_or_temporary(path):
    """Output: a file that is deleted after its last use unless the configuration keeps it."""
    return path if CONFIG.keep_features else temp(path)


def settings_of_room(room, **fixed):
    """Parameter: the settings of a room that has no choice of methods, with those that the rule fixes."""
    return configuration.room_settings(CONFIG, room, **fixed)


def lineages():
    """Recipe names and their folders below <results>."""
    return {name: recipe.lineage() for name, recipe in CONFIG.recipes.items()}


def pseudo_labels_of_all_recipes():
    return [f"<results>/{lineage}/pseudo_labels" for lineage in lineages().values()]


def superpixels_to_compare():
    return list(CONFIG.compare_superpixels)
