"""The layers of the gallery: which artifacts of a recipe it shows, in which order. Free of torch.

To add one: a line in `_of_training` or `_of_held_out`, of a kind in `report/layers.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from wsss_steps.workflow.choices import NONE, chain, resolve
from wsss_steps.workflow.config import Config, Recipe
from wsss_steps.workflow.configuration import step_settings
from wsss_steps.workflow.declarations import saliency_of
from wsss_steps.workflow.spelling import THEN, links
from wsss_steps.workflow.stages import STAGES, TRAIN, Row, scored_splits

ERASES = "masking"  # the segmenter that learns from images without their objects
GROW = ("spsrg", "dsrg", "dsrg_semi")  # the segmenters that record their seeds as they grow
ROWS = (
    *("ground truth", "class activation maps", "refined maps", "saliency", "refined saliency", "superpixels"),
    *("seeds", "seeds as they grew", "pseudo-labels", "prediction", "prediction after the dense CRF", "masked images"),
)
"""The headings of the page, in its order, without the numbers of links."""


@dataclass(frozen=True)
class Layer:
    """One artifact of one or several recipes, on one split."""

    kind: str
    """A key of `report.layers.KINDS`."""
    row: str
    """The heading under which the page compares recipes."""
    split: str
    path: str
    """The artifact, below the rules' `<results>`."""
    recipes: tuple[str, ...]
    choice: str = ""
    """What made it, as recipes spell it."""
    confusions: str | None = None
    scores: str | None = None
    before: str | None = None
    """The label maps from which a dense CRF made these."""
    final: bool = False
    """Whether it is what the recipe ends with on the split."""


def layers(config: Config) -> list[Layer]:
    """The layers of the first random seed, of each split; what recipes share appears once, with all of their names."""
    found: dict[tuple[str, str, str], Layer] = {}
    for layer in _layers(config):
        key = (layer.kind, layer.row, layer.path)
        known = found.setdefault(key, layer)
        recipes = dict.fromkeys([*known.recipes, *layer.recipes])
        found[key] = replace(known, recipes=tuple(recipes), final=known.final or layer.final)
    return sorted(found.values(), key=lambda layer: (ROWS.index(layer.row.partition(",")[0]), layer.row))


def _layers(config: Config) -> Iterator[Layer]:
    shown = [run for run in config.runs if run.random_seed in (None, *config.random_seeds[:1])]
    names = tuple(run.name for run in shown)
    masked = scored(config)
    for split in (TRAIN, *config.splits):
        if split in masked:
            yield Layer("ground_truth", "ground truth", split, truth_of(split), names)
        for run in shown:
            of_split = _of_training if split == TRAIN else _of_held_out
            yield from (_scored(config, run.recipe, layer) for layer in of_split(config, run.name, run.recipe, split))


def scored(config: Config) -> list[str]:
    """The splits with ground truth."""
    return [] if config.mask_folder is None else [TRAIN, *scored_splits(config)]


def truth_of(split: str) -> str:
    """The ground truth of a split."""
    return f"<results>/splits/{split}/ground_truth.json"


def _scored(config: Config, recipe: Recipe, layer: Layer) -> Layer:
    """The layer with the confusion matrices of its stage, if it is scored."""
    for name, stage in STAGES.items():
        path = f"<results>/{recipe.lineage(stage.depth)}/{stage.place.format(split=layer.split)}"
        if layer.path == path and layer.kind != "masked" and layer.split in scored(config):
            return replace(layer, confusions=f"<results>/{Row('', recipe, name, layer.split).confusions}")
    return layer


def _of_training(config: Config, name: str, recipe: Recipe, split: str) -> Iterator[Layer]:
    yield from _maps(recipe, name)
    if saliency := saliency_of(config, recipe, "seeds"):
        path = f"<results>/saliency/{saliency}/saliency.h5"
        yield Layer("saliency", "saliency", split, path, (name,), saliency)
    if "refined_saliency" in resolve(config, "seeds", recipe.seeds).needs:
        path = f"<results>/{recipe.lineage(4)}/refined_saliency.h5"
        yield Layer("refined_saliency", "refined saliency", split, path, (name,), recipe.seeds)
    if recipe.superpixels != NONE:
        path = f"<results>/superpixels/{recipe.superpixels}/superpixels.h5"
        yield Layer("superpixels", "superpixels", split, path, (name,), recipe.superpixels)
    ends = recipe.segmenter == NONE
    if recipe.seeds != NONE:
        path = f"<results>/{recipe.lineage(4)}/seeds.h5"
        yield Layer("labels", "seeds", split, path, (name,), recipe.seeds, final=ends)
    if not ends:
        path = f"<results>/{recipe.lineage()}/pseudo_labels"
        yield Layer("labels", "pseudo-labels", split, path, (name,), recipe.segmenter, final=True)
        yield from _masked(config, recipe, Layer("masked", "masked images", split, path, (name,), recipe.segmenter))
    if not ends and chain(config, "segmenter", recipe.segmenter)[-1].method in GROW:
        path = f"<results>/{recipe.lineage()}/growth.h5"
        yield Layer("growth", "seeds as they grew", split, path, (name,), recipe.segmenter)


def _maps(recipe: Recipe, name: str) -> Iterator[Layer]:
    """The maps of each link of a chain; the classifier's scores stand beside the first."""
    chosen = links(recipe.cams) if recipe.cams != NONE else []
    scores = None if recipe.classifier == NONE else f"<results>/{recipe.classifier}/scores/{TRAIN}.csv"
    for count in range(1, len(chosen) + 1):
        row = "class activation maps" if count == 1 else "refined maps" + (f", link {count - 1}" if count > 2 else "")
        cams = THEN.join(chosen[:count])
        path = f"<results>/{recipe.classifier}/{cams}/cams.h5"
        yield Layer("cams", row, TRAIN, path, (name,), cams, scores=scores if count == 1 else None)


def _of_held_out(config: Config, name: str, recipe: Recipe, split: str) -> Iterator[Layer]:
    if recipe.segmenter == NONE:
        return
    before, after = (
        f"<results>/{recipe.lineage()}/{folder}/{split}" for folder in ("segmentation", "segmentation_crf")
    )
    yield Layer("labels", "prediction", split, before, (name,), recipe.segmenter)
    row = "prediction after the dense CRF"
    yield Layer("labels", row, split, after, (name,), recipe.segmenter, before=before, final=True)
    yield from _masked(config, recipe, Layer("masked", "masked images", split, after, (name,), recipe.segmenter))


def _masked(config: Config, recipe: Recipe, layer: Layer) -> Iterator[Layer]:
    """The layer, if a classifier judged the segmenter by images without their objects."""
    if chain(config, "segmenter", recipe.segmenter)[-1].method == ERASES:
        yield layer


# ---- the rule


def _files(found: list[Layer], name: str) -> list[str]:
    """The different files that a field of the layers names; ground truths are an input of their own."""
    shown = [layer for layer in found if (name, layer.kind) != ("path", "ground_truth")]
    return list(dict.fromkeys(filter(None, (getattr(layer, name) for layer in shown))))


def sources(config: Config) -> list[str]:
    """The artifacts, each once."""
    return _files(layers(config), "path")


def ground_truths(config: Config) -> list[str]:
    """The ground truth of each split that has one."""
    return [truth_of(split) for split in scored(config)]


def confusions(config: Config) -> list[str]:
    """The confusion matrices of the layers, each once."""
    return _files(layers(config), "confusions")


def scores(config: Config) -> list[str]:
    """The scores of the classifiers, each once."""
    return _files(layers(config), "scores")


def manifests(config: Config) -> list[str]:
    """The images of each split."""
    return [f"<results>/splits/{split}/manifest.json" for split in (TRAIN, *config.splits)]


def settings(config: Config) -> str:
    """The settings of `draw_pictures`, and the layers, whose files are numbers in the lists of the rule's inputs."""
    found = layers(config)
    recipes = dict.fromkeys(name for layer in found for name in layer.recipes)
    files = {name: _files(found, name) for name in ("path", "confusions", "scores")}
    truths = ground_truths(config)
    rows = [_row(layer, found, files if layer.kind != "ground_truth" else {**files, "path": truths}) for layer in found]
    given: dict[str, Any] = {"pred_ignore": config.evaluate.pred_ignore, "recipes": list(recipes), "layers": rows}
    return step_settings(config, "draw_pictures", **given)


def _row(layer: Layer, found: list[Layer], files: dict[str, list[str]]) -> dict[str, Any]:
    before = [number for number, other in enumerate(found) if other.path == layer.before]
    return {
        "kind": layer.kind,
        "row": layer.row,
        "split": layer.split,
        "recipes": list(layer.recipes),
        "choice": layer.choice,
        "source": files["path"].index(layer.path),
        "confusions": _index(files["confusions"], layer.confusions),
        "scores": _index(files["scores"], layer.scores),
        "before": before[0] if before else None,
        "final": layer.final,
    }


def _index(found: list[str], path: str | None) -> int | None:
    return None if path is None else found.index(path)


def settings_of_scores(_: Config, wildcards: Any) -> str:
    """The split whose images are scored."""
    return json.dumps({"split": wildcards["split"]})
