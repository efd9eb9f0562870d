"""Weights that the runs of a configuration start from: those missing are told and fetched before the first job.

Nodes of a cluster often have no network, so it is where Snakemake runs that they are fetched. Free of torch.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from wsss_steps.errors import UserError
from wsss_steps.pretrained import cache
from wsss_steps.pretrained.table import Entry, table
from wsss_steps.provenance.digests import code_digest
from wsss_steps.workflow import named_weights
from wsss_steps.workflow.choices import NONE, resolve
from wsss_steps.workflow.config import Config, Recipe
from wsss_steps.workflow.experiments import choices_of
from wsss_steps.workflow.trainings import checkpoints


def missing(config: Config) -> list[Entry]:
    """What the runs start from, and is neither among the results nor on this computer; each once.

    Runs whose networks and superpixels exist already start from nothing any more, as where results were copied.
    """
    found = [entry for run in config.runs if not _is_made(config, run.recipe) for entry in _of(config, run.recipe)]
    distinct = sorted(set(found), key=lambda entry: entry.name)
    return [entry for entry in distinct if not (_among_results(config, entry) or cache.present(entry))]


def _of(config: Config, recipe: Recipe) -> Iterator[Entry]:
    """The entries that the choices of a recipe name, and those that `imagenet` stands for."""
    for slot, text in choices_of(config, recipe.choices()):
        if entry := named_weights.behind(resolve(config, slot, text).settings):
            yield entry


def _is_made(config: Config, recipe: Recipe) -> bool:
    """Whether the networks, superpixels and saliency maps of a recipe exist."""
    paths = checkpoints(config, recipe)
    paths += [
        f"{slot}/{text}/{slot}.h5"
        for slot, text in choices_of(config, recipe.choices())
        if slot in ("superpixels", "saliency") and text != NONE
    ]
    return all(Path(config.results, path).is_file() for path in paths)


def _among_results(config: Config, entry: Entry) -> bool:
    return Path(named_weights.FILE.format(name=entry.name).replace("<results>", config.results)).is_file()


def planned(config: Config) -> str:
    """What a dry run says of weights that have to be fetched; empty if there are none."""
    found = missing(config)
    if not found:
        return ""
    lines = [f"{entry.name} ({_size(entry)}{entry.licence}): {_from(entry)}" for entry in found]
    return "\n  ".join(["Weights to be fetched before the first job:", *lines])


def _size(entry: Entry) -> str:
    return f"{entry.bytes / 1e6:.0f} MB, " if entry.bytes else ""


def _from(entry: Entry) -> str:
    return entry.sources[0].told() if entry.sources else entry.gated


def bring(config: Config, targets: Collection[str] = ()) -> None:
    """Fetch what is missing; one UserError that names the URL, the file and the place of all that cannot be had.

    targets: what Snakemake is asked for, or to stop at. A part of a run may need none of the weights, and its jobs
    fetch what they need.
    """
    if not set(targets) <= {"all"}:
        return
    problems, names = list[str](), list[str]()
    for entry in missing(config):
        try:
            cache.fetched(entry)
        except UserError as error:
            problems.append(str(error))
            names.append(entry.name)
    if problems:
        command = f"{cache.COMMAND} {' '.join(names)}"
        raise UserError(
            "\n".join(["before the first job: weights are missing", *problems, f"All at once: `{command}`"])
        )


def settings_of_weights(_: Config, wildcards: Mapping[str, str]) -> str:
    """The settings of `fetch_weights`."""
    return json.dumps(table().of(wildcards["weights"]).identity(), sort_keys=True)


def code_of_weights(_: Config, wildcards: Mapping[str, str], step: str) -> str:
    """Digest of the sources that a step imports, and of the reader of the weights of a name."""
    return code_digest(step, [f"pretrained.readers.{table().of(wildcards['weights']).reader}"])
