"""What a run ends with: tables, gallery, and all that it is to make. Free of torch and of Snakemake."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from wsss_steps.report import tables
from wsss_steps.workflow.choices import NONE, resolve
from wsss_steps.workflow.config import Config
from wsss_steps.workflow.declarations import about_row, saliency_of
from wsss_steps.workflow.stages import rows, scored_splits


def scores_of_summary(config: Config) -> list[str]:
    """The score of every row."""
    return [f"<results>/{row.score}" for row in rows(config)]


def checkpoints_of_summary(config: Config) -> list[str]:
    """The network that made the predictions of every row."""
    return [f"<results>/{row.checkpoint}" for row in rows(config)]


def saliency_of_summary(config: Config) -> list[str]:
    """The saliency maps, which know the images that they leave out."""
    return [f"<results>/saliency/{name}/saliency.h5" for name in _saliency(config)]


def _saliency(config: Config) -> list[str]:
    """The choices of saliency maps of all recipes, each once."""
    found = (saliency_of(config, recipe, "seeds") for recipe in config.recipes.values())
    return list(dict.fromkeys(filter(None, found)))


def scores_of_superpixels(config: Config) -> list[str]:
    """The score of every choice of superpixels that is compared."""
    return [f"<results>/superpixels/{name}/score.json" for name in config.compare_superpixels]


def columns_of_gallery(config: Config) -> list[tuple[str, str, str]]:
    """(title, kind, path) of the columns of the gallery; what recipes share appears once."""
    columns: dict[str, tuple[str, str, str]] = {}
    for title, kind, path in _columns(config):
        columns.setdefault(path, (title, kind, path))
    return list(columns.values())


def _columns(config: Config) -> Iterator[tuple[str, str, str]]:
    for name, recipe in config.recipes.items():
        yield "CAM", "cams", f"<results>/{recipe.lineage(2)}/cams.h5"
        if recipe.superpixels != NONE:
            yield "superpixels", "superpixels", f"<results>/superpixels/{recipe.superpixels}/superpixels.h5"
        if "refined_saliency" in resolve(config, "seeds", recipe.seeds).needs:
            yield f"refined saliency: {name}", "refined_saliency", f"<results>/{recipe.lineage(4)}/refined_saliency.h5"
        yield f"seeds: {name}", "seeds", f"<results>/{recipe.lineage(4)}/seeds.h5"
        yield f"pseudo-label: {name}", "labels", f"<results>/{recipe.lineage()}/pseudo_labels"


def sources_of_gallery(config: Config) -> list[str]:
    """What the columns of the gallery show."""
    return [path for _, _, path in columns_of_gallery(config)]


def tag_scores(config: Config) -> list[tuple[str, str, str]]:
    """(classifier, split, path below the results) of every score of predicted tags."""
    classifiers = dict.fromkeys(recipe.classifier for recipe in config.recipes.values())
    scored = scored_splits(config)
    return [(name, split, f"{name}/evaluation/tags/{split}.json") for name in classifiers for split in scored]


def features_to_keep(config: Config) -> list[str]:
    """The features of all recipes, each once, if they are to be kept."""
    chosen = [recipe.superpixels for recipe in config.recipes.values() if recipe.superpixels != NONE]
    named = (resolve(config, "superpixels", name).settings.get("features") for name in chosen)
    kept = dict.fromkeys(filter(None, named)) if config.keep_features else {}
    return [f"<results>/features/{name}/features.h5" for name in kept]


def targets(config: Config) -> list[str]:
    """What a run makes: with ground truth the tables, without it the pseudo-labels and predictions alone."""
    recipes = list(config.recipes.values())
    masked = config.mask_folder is not None
    found = ["<tables>/gallery.png", *(f"<results>/{recipe.lineage()}/pseudo_labels" for recipe in recipes)]
    found += features_to_keep(config)
    found += ["<tables>/summary.csv"] if masked else []
    found += ["<tables>/superpixels.csv"] if masked and config.compare_superpixels else []
    segmented = config.unscored if masked else config.splits
    found += [f"<results>/{recipe.lineage()}/segmentation_crf/{split}" for recipe in recipes for split in segmented]
    return found + [f"<results>/{path}" for _, _, path in tag_scores(config)]


def settings_of_summary(config: Config) -> str:
    """What neither a score nor a checkpoint knows of its row."""
    found = [about_row(config, row) for row in rows(config)]
    return json.dumps({"rows": found, "saliency": _saliency(config)}, sort_keys=True)


def settings_of_superpixels_table(config: Config) -> str:
    """The names of the rows, in the order of the scores."""
    return json.dumps({"names": config.compare_superpixels})


def settings_of_gallery(config: Config) -> str:
    """Titles and kinds of the columns, and the number of rows."""
    columns = [{"title": title, "kind": kind} for title, kind, _ in columns_of_gallery(config)]
    return json.dumps({"columns": columns, "images": config.gallery_images, "split": "train"}, sort_keys=True)


def printed(config: Config) -> str:
    """What is said at the end of a run: scores of tags, tables, and where the results lie."""
    lines = []
    for classifier, split, path in tag_scores(config):
        score = Path(config.results, path)
        if score.is_file():
            f1 = json.loads(score.read_text(encoding="utf-8"))["f1"]
            lines.append(f"Tags of {split} by classifier {classifier}: F1 {f1:.3f}")
    found = (Path(config.tables_folder, name) for name in ("summary.csv", "superpixels.csv"))
    lines += [tables.printed(path) for path in found if path.is_file()]
    for name, recipe in config.recipes.items():
        lines.append(f"Pseudo-labels of recipe {name}: {config.results}/{recipe.lineage()}/pseudo_labels/")
    return "\n".join([*lines, f"Picture: {config.tables_folder}/gallery.png"])
