"""What a row of the summary has to declare beside its score: which labels, beyond tags, its numbers rest on.

Free of torch: it is asked while jobs are planned.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wsss_steps.workflow import conversion, given, named_weights, strong
from wsss_steps.workflow.choices import chain, resolve
from wsss_steps.workflow.config import GROUND_TRUTH, Config, Recipe
from wsss_steps.workflow.experiments import choices_of
from wsss_steps.workflow.stages import STAGES, Row


def saliency_of(config: Config, recipe: Recipe, stage: str) -> str | None:
    """The choice of saliency maps that the seeds of a recipe are made with, for a stage that rests on them; or None."""
    found = None if stage == "cams" else resolve(config, "seeds", recipe.seeds).settings.get("saliency")
    return None if found is None else str(found)


def _all_saliency(config: Config, recipe: Recipe, stage: str) -> list[str]:
    """The choices of saliency maps that a stage of a recipe rests on: those of what its refiners learn, and its own."""
    learnt = [link.named["seeds"] for link in chain(config, "cams", recipe.cams) if "seeds" in link.named]
    found = [resolve(config, "seeds", seeds).settings.get("saliency") for seeds in learnt]
    return [str(name) for name in dict.fromkeys([*found, saliency_of(config, recipe, stage)]) if name is not None]


def _of_weights(config: Config, slot: str, text: str) -> list[str]:
    """What the initial weights of a choice were trained on: as the table knows, and as its backbones declare."""
    found = list[str]()
    for link in chain(config, slot, text):
        declared = link.settings.get("backbone", {}).get("supervision", "")
        found += [f"{what} weights" for what in (named_weights.trained_on(link.settings), declared) if what]
    return found


def _of_saliency(config: Config, name: str) -> list[str]:
    """What saliency maps were made of: masks that somebody drew, or nothing but features."""
    if name == GROUND_TRUTH:
        return ["saliency: ground truth"]
    choice = resolve(config, "saliency", name)
    if features := choice.settings.get("features"):
        return _of_weights(config, "features", features)
    if "pairs" not in choice.settings and (entry := choice.named_weights()):
        return [f"saliency: {entry.name} trained on {entry.trained_on}"]
    if "pairs" not in choice.settings:
        weights = choice.weights_file()
        return [f"saliency: {choice.method}" + (f" with the weights {Path(weights).name}" if weights else "")]
    pairs, weights = Path(choice.settings["pairs"]).name, Path(choice.settings["weights"]).name
    learnt = f"trained on {pairs}" if weights == "train" else f"with the weights {weights}"
    return [f"saliency: {choice.method} {learnt}", *_of_weights(config, "saliency", name)]


def extra_supervision(config: Config, recipe: Recipe, stage: str) -> str:
    """Every kind of supervision beyond tags that a stage rests on, "; " between them; empty if there is none."""
    found = _of_weights(config, "classifier", recipe.classifier) + _of_weights(config, "cams", recipe.cams)
    for slot, text in choices_of(config, recipe.choices()[: STAGES[stage].depth]):
        found += _of_weights(config, slot, text) if slot == "features" else []
    for name in _all_saliency(config, recipe, stage):
        found += _of_saliency(config, name)
    if STAGES[stage].network == "segmenter":
        found += strong.declared(config, recipe) + _of_weights(config, "segmenter", recipe.segmenter)
    return "; ".join(dict.fromkeys([*found, *given.declared(config, recipe, stage)]))


def _crf(config: Config) -> str:
    """The dense CRF that follows a network, and which labels compete in it, if not all."""
    winning = config.predict.crf != "none" and config.predict.crf_labels == "winning"
    return f"{config.predict.crf}, winning labels" if winning else config.predict.crf


def about_row(config: Config, row: Row) -> dict[str, Any]:
    """What a row of the summary says beside its score: where it comes from, the protocol, and what is declared."""
    stage, recipe = STAGES[row.stage], row.recipe
    if stage.network == "classifier":
        scales = chain(config, "cams", recipe.cams)[0].settings.get("scales")
    else:
        scales = list(config.predict.scales)
    saliency = saliency_of(config, recipe, row.stage)
    return {
        "recipe": row.name,
        "random_seed": row.random_seed,
        "stage": row.stage,
        "split": row.split,
        "network": row.network,
        "crf": _crf(config) if stage.crf else "none",
        "scales": scales,
        "label_images": conversion.declared(config, row.split),
        "extra_supervision": extra_supervision(config, recipe, row.stage),
        "saliency": saliency,
        "made_of_ground_truth": "saliency" if GROUND_TRUTH in _all_saliency(config, recipe, row.stage) else "",
    }
