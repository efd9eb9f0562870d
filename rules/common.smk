# The only other reader of `config`: it is validated here, before any job is planned. Helpers that turn choices into parameters and paths.
import functools
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from wsss_steps.errors import UserError
from wsss_steps.workflow import (
    boxes,
    configuration,
    conversion,
    files,
    importing,
    page,
    pictures,
    planning,
    plots,
    preflight,
    shards,
    sharing,
    strong,
    targets,
    trainings,
    weights,
)
from wsss_steps.workflow import warnings as warned
from wsss_steps.workflow.config import GROUND_TRUTH
from wsss_steps.workflow.importing import MADE, TAKEN
from wsss_steps.workflow.spelling import LINK
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
    segmenter="(?!none/)[^/]+",
    weights="[a-z0-9_]+",
    stage="[a-z_]+",
    split="[a-z][a-z0-9_]*",


SHARDS = shards.shard_names(CONFIG)
in_shards = functools.partial(shards.in_shards, CONFIG)


def planned(function, *fixed, **options):
    """Input or parameter: what a function of `planning` says of the rule's wildcards."""

    def ask(wildcards):
        try:
            return function(CONFIG, dict(wildcards.items()), *fixed, **options)
        except UserError as error:
            raise WorkflowError(str(error))

    return ask


def configured(function):
    """Input or parameter without wildcards: what a function of `targets` or `planning` says of the configuration."""
    return lambda _: function(CONFIG)


settings_of = functools.partial(planned, planning.settings_of)
settings_of_step = functools.partial(configuration.step_settings, CONFIG)
code_of = functools.partial(planned, planning.code_of)
code_with_needs = functools.partial(planned, planning.code_with_needs)
code_of_layout = functools.partial(planned, files.code_of_layout)
initial_weights = functools.partial(planned, planning.initial_weights)
code_of_weights = functools.partial(planned, weights.code_of_weights)
code_of_conversion = functools.partial(planned, conversion.code_of)
given_by_user = functools.partial(planned, importing.source)
settings_of_given = functools.partial(planned, importing.settings_of)
artifact_of = functools.partial(planned, planning.artifact)


def bring_weights():
    """Before the first job: fetch the weights that are missing."""
    asked = workflow.dag_settings
    try:
        weights.bring(CONFIG, [*asked.targets, *asked.until, *asked.omit_from])
    except UserError as error:
        raise WorkflowError(str(error))


def needs(slot, **options):
    """Inputs: what the method in a slot needs, by name."""
    return unpack(planned(planning.needed, slot, **options))


def named(slot):
    """Parameter: the inputs that the method in a slot needs, as the option `--needs` takes them."""

    def options(wildcards, input):
        return [f"{name}={input[name]}" for name in planning.choice(CONFIG, dict(wildcards.items()), slot).needs]

    return options


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


def given_files(slot):
    """Input: every file that the job reads of a folder of the user's."""

    def files(wildcards):
        return planned(importing.files, slot, lambda: manifest_of_shard(wildcards))(wildcards)

    return files


def once_per_split(function):
    """Parameter: what a function of `planning` says of the rule's split; it looks at every file of the user's."""
    ask = functools.cache(functools.partial(function, CONFIG))
    return lambda wildcards: ask(wildcards.split)


def folders_if_any(**paths):
    """Outputs: those of the folders that the configuration has."""
    return {name: directory(path) for name, path in paths.items() if files.is_written(CONFIG, name)}


def output_if_any(name):
    """Parameter: the output of a name, if the rule has it, for an option that may be left empty."""
    return lambda wildcards, output: output.get(name, [])


def kept_or_temporary(path):
    """Output: a file that is deleted after its last use unless the configuration keeps it."""
    return path if CONFIG.keep_features else temp(path)


def in_report(path):
    """Output: a table or picture of `snakemake --report`, with the caption of its name."""
    file = Path(path)
    category, label = ("Pictures", "picture") if file.suffix == ".png" else ("Tables", "table")
    return report(path, caption=f"captions/{file.stem}.rst", category=category, labels={label: file.name})


def plots_in_report(folder):
    """Output: a folder of plots `<recipe>/<plot>.svg`, each with its recipe in `snakemake --report`."""
    named = {"patterns": ["{recipe}/{plot}.svg"], "subcategory": "{recipe}", "labels": {"plot": "{plot}"}}
    return report(folder, caption="captions/plots.rst", category="Plots", **named)
