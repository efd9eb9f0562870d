# The only other reader of `config`: it is validated here, before any job is planned. Helpers that turn choices into parameters and paths.
import functools
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from wsss_steps.errors import UserError
from wsss_steps.workflow import configuration, planning, preflight, sharing, targets, trainings
from wsss_steps.workflow.config import GROUND_TRUTH
from wsss_steps.workflow.stages import STAGES

try:
    preflight.check(map(Path, workflow.configfiles), [Path("results"), Path("logs")])
    CONFIG = configuration.load(config)
    CONFIG_FILES = list(map(Path, workflow.configfiles))
    sharing.check(CONFIG, CONFIG_FILES)
except UserError as error:
    raise WorkflowError(str(error))


# Rules call `python -m wsss_steps.<step>`. With this it is the Python that runs Snakemake (unless conda brings another),
# and it finds the package from any working directory.
os.environ.update(
    PATH=os.pathsep.join([str(Path(sys.executable).parent), os.getenv("PATH", os.defpath)]),
    PYTHONPATH=os.pathsep.join([str(workflow.basedir), *filter(None, [os.getenv("PYTHONPATH")])]),
)
# Threads that wait for each other sleep. By default they spin: on two cores that something else used too, a step of
# training took 22 s instead of 0.9 s.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


pathvars:
    results=CONFIG.results,
    tables=CONFIG.tables_folder,
    logs=CONFIG.logs,
    benchmarks=f"{CONFIG.logs}/benchmarks",


wildcard_constraints:
    shard=r"\d+-of-\d+",
    classifier="[^/]+",
    cams="[^/]+",
    features="[^/]+",
    superpixels="[^/]+",
    saliency="(?!ground_truth/)[^/]+",
    seeds="[^/]+",
    segmenter="[^/]+",
    stage="[a-z_]+",
    split="[a-z][a-z0-9_]*",


# Of a training: each has a GPU, if there are any
PROCESSES = CONFIG.gpus_per_training

SHARDS = planning.shard_names(CONFIG)
in_shards = functools.partial(planning.in_shards, CONFIG)


def planned(function, *fixed):
    """Input or parameter: what a function of `planning` says of the rule's wildcards."""

    def ask(wildcards):
        try:
            return function(CONFIG, dict(wildcards.items()), *fixed)
        except UserError as error:
            raise WorkflowError(str(error))

    return ask


def configured(function):
    """Input or parameter without wildcards: what a function of `targets` or `planning` says of the configuration."""
    return lambda _: function(CONFIG)


settings_of = functools.partial(planned, planning.settings_of)
settings_of_step = functools.partial(configuration.step_settings, CONFIG)
settings_of_images = planned(planning.settings_of_images)
settings_of_masks = planned(planning.settings_of_masks)
settings_of_stage = planned(planning.settings_of_stage)
settings_of_tag_scores = planned(planning.settings_of_tag_scores)
settings_of_prediction = planned(planning.settings_of_prediction)
settings_of_summary = configured(targets.settings_of_summary)
settings_of_comparison = configured(targets.settings_of_comparison)
settings_of_gallery = configured(targets.settings_of_gallery)
settings_of_superpixels_table = configured(targets.settings_of_superpixels_table)
code_of = functools.partial(planned, planning.code_of)
code_of_segmenter = planned(planning.code_of_segmenter)
list_of_split = planned(planning.list_of_split)
table_of_tags = planned(planning.table_of_tags)
initial_weights = functools.partial(planned, planning.initial_weights)
weights_of_features = planned(planning.weights_of_features)
features_of_superpixels = planned(planning.features_of_superpixels)
pairs_of_detector = planned(planning.pairs_of_detector)
source_of_saliency = planned(planning.source_of_saliency)
superpixels_of_recipe = planned(planning.superpixels_of_recipe)
saliency_of_seeds = planned(planning.saliency_of_seeds)
refined_saliency_of_seeds = planned(planning.refined_saliency_of_seeds)
classifier_of_segmenter = planned(planning.classifier_of_segmenter)
predictions_of_stage = planned(planning.predictions_of_stage)
scenes_if_drawn = configured(planning.scenes_if_drawn)
scores_of_summary = configured(targets.scores_of_summary)
checkpoints_of_summary = configured(targets.checkpoints_of_summary)
saliency_of_summary = configured(targets.saliency_of_summary)
confusions_of_rows = configured(targets.confusions_of_rows)
scores_of_superpixels = configured(targets.scores_of_superpixels)
sources_of_gallery = configured(targets.sources_of_gallery)


def shard_of(source):
    """Input: what belongs to the shard, of what the input function `source` gives for the whole data set."""

    def inputs(wildcards):
        found = source(wildcards)
        return in_shards(found) if found else found

    return inputs


def manifest_of_shard(wildcards):
    """Input: the manifest of the shard. Which shards have changed is known when the manifest is dealt out."""
    split = wildcards.get("split", "train")
    if not SHARDS:
        return f"<results>/splits/{split}/manifest.json"
    made = checkpoints.shard_manifest.get(split=split).output
    return next(path for path in made if Path(path).stem == wildcards.shard)


def maps_given(wildcards):
    """Input: every given saliency map that the job reads."""
    return planned(planning.maps_given, lambda: manifest_of_shard(wildcards))(wildcards)


def shards_of_store(wildcards):
    """Input: the stores that an index links to."""
    return planning.all_shards(CONFIG, f"<results>/{wildcards.stage_of_images}.h5")


def shards_of_label_maps(wildcards):
    """Input: the folders whose label maps go into one."""
    return planning.all_shards(CONFIG, f"<results>/{wildcards.lineage}/{wildcards.folder}")


@functools.cache
def state_of_images_in(split):
    return planning.state_of_images(CONFIG, split)


@functools.cache
def state_of_masks_in(split):
    return planning.state_of_masks(CONFIG, split)


def state_of_images(wildcards):
    """Parameter: changes when the content of the split's images, lists or tags does."""
    return state_of_images_in(wildcards.split)


def state_of_masks(wildcards):
    """Parameter: changes when the content of the split's label images does."""
    return state_of_masks_in(wildcards.split)


def kept_or_temporary(path):
    """Output: a file that is deleted after its last use unless the configuration keeps it."""
    return path if CONFIG.keep_features else temp(path)
