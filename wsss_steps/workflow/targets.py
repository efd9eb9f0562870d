"""What a run ends with: tables, gallery, and all that it is to make. Free of torch and of Snakemake."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from wsss_steps.workflow import boxes
from wsss_steps.workflow.choices import NONE, resolve
from wsss_steps.workflow.config import Config, Recipe
from wsss_steps.workflow.configuration import step_settings
from wsss_steps.workflow.declarations import about_row, saliency_of
from wsss_steps.workflow.stages import rows, scored_splits

INDEX = "<tables>/report/index.html"
WARNINGS = "<tables>/warnings.json"


def scores_of_summary(config: Config) -> list[str]:
    """The score of every row."""
    return [f"<results>/{row.score}" for row in rows(config)]


def checkpoints_of_summary(config: Config) -> list[str]:
    """The network that made the predictions of every row that has one."""
    return [f"<results>/{row.checkpoint}" for row in rows(config) if row.checkpoint]


def saliency_of_summary(config: Config) -> list[str]:
    """The saliency maps, which know the images that they leave out."""
    return [f"<results>/saliency/{name}/saliency.h5" for name in _saliency(config)]


def _saliency(config: Config) -> list[str]:
    """The choices of saliency maps of all runs, each once."""
    found = (saliency_of(config, run.recipe, "seeds") for run in config.runs)
    return list(dict.fromkeys(filter(None, found)))


def scores_of_superpixels(config: Config) -> list[str]:
    """The score of every choice of superpixels that is compared."""
    return [f"<results>/superpixels/{name}/score.json" for name in config.compare_superpixels]


def table_of_superpixels(config: Config) -> list[str]:
    """The table of the superpixels that are compared, as a target; it is no part of some recipes alone."""
    made = config.mask_folder is not None and config.compare_superpixels and not config.only
    return ["<tables>/superpixels.csv"] if made else []


def columns_of_gallery(config: Config) -> list[tuple[str, str, str]]:
    """(title, kind, path) of the columns of the gallery, of the first random seed; what recipes share appears once."""
    columns: dict[str, tuple[str, str, str]] = {}
    for title, kind, path in _columns(config):
        columns.setdefault(path, (title, kind, path))
    return list(columns.values())


def _columns(config: Config) -> Iterator[tuple[str, str, str]]:
    shown = (run for run in config.runs if run.random_seed in (None, *config.random_seeds[:1]))
    for name, recipe in ((run.name, run.recipe) for run in shown):
        if recipe.cams != NONE:
            yield "CAM", "cams", f"<results>/{recipe.lineage(2)}/cams.h5"
        if recipe.superpixels != NONE:
            yield "superpixels", "superpixels", f"<results>/superpixels/{recipe.superpixels}/superpixels.h5"
        if "refined_saliency" in resolve(config, "seeds", recipe.seeds).needs:
            yield f"refined saliency: {name}", "refined_saliency", f"<results>/{recipe.lineage(4)}/refined_saliency.h5"
        if recipe.seeds != NONE:
            yield f"seeds: {name}", "seeds", f"<results>/{recipe.lineage(4)}/seeds.h5"
        if recipe.segmenter != NONE:
            yield f"pseudo-label: {name}", "labels", f"<results>/{recipe.lineage()}/pseudo_labels"


def sources_of_gallery(config: Config) -> list[str]:
    """What the columns of the gallery show."""
    return [path for _, _, path in columns_of_gallery(config)]


def tag_scores(config: Config) -> list[tuple[str, str, str]]:
    """(classifier, split, path below the results) of every score of predicted tags."""
    classifiers = dict.fromkeys(run.recipe.classifier for run in config.runs if run.recipe.classifier != NONE)
    scored = scored_splits(config)
    return [(name, split, f"{name}/evaluation/tags/{split}.json") for name in classifiers for split in scored]


def features_to_keep(config: Config) -> list[str]:
    """The features of all runs, each once, if they are to be kept."""
    chosen = [run.recipe.superpixels for run in config.runs if run.recipe.superpixels != NONE]
    named = (resolve(config, "superpixels", name).settings.get("features") for name in chosen)
    kept = dict.fromkeys(filter(None, named)) if config.keep_features else {}
    return [f"<results>/features/{name}/features.h5" for name in kept]


def _end_of(recipe: Recipe) -> str:
    """What users come for, below the results: pseudo-labels, or the maps of a recipe that ends with them."""
    made = (recipe.seeds, recipe.segmenter) != (NONE, NONE)
    return f"{recipe.lineage()}/pseudo_labels" if made else f"{recipe.lineage(2)}/cams.h5"


def targets(config: Config) -> list[str]:
    """What a run makes: with ground truth the tables, without it the pseudo-labels and predictions alone."""
    recipes = [run.recipe for run in config.runs]
    masked = config.mask_folder is not None
    found = ["<tables>/gallery.png", INDEX, WARNINGS, *(f"<results>/{_end_of(recipe)}" for recipe in recipes)]
    found += features_to_keep(config)
    found += ["<tables>/summary.csv", "<tables>/tables.md"] if masked else []
    found += table_of_superpixels(config)
    found += boxes.table(config)
    segmented = config.unscored if masked else config.splits
    networks = [recipe.lineage() for recipe in recipes if recipe.segmenter != NONE]
    found += [f"<results>/{lineage}/segmentation_crf/{split}" for lineage in networks for split in segmented]
    return found + [f"<results>/{path}" for _, _, path in tag_scores(config)]


def settings_of_summary(config: Config) -> str:
    """What neither a score nor a checkpoint knows of its row."""
    found = [about_row(config, row) for row in rows(config)]
    return json.dumps({"rows": found, "saliency": _saliency(config)}, sort_keys=True)


def confusions_of_rows(config: Config) -> list[str]:
    """The confusion matrices of every row, in the order of the rows."""
    return [f"<results>/{row.confusions}" for row in rows(config)]


def settings_of_comparison(config: Config) -> str:
    """The settings of `compare_recipes`, and those of `evaluate` that define the scores."""
    evaluation = config.evaluate.model_dump(mode="json", exclude={"thresholds"})
    return step_settings(config, "compare_recipes", **evaluation)


def settings_of_superpixels_table(config: Config) -> str:
    """The names of the rows, in the order of the scores."""
    return json.dumps({"names": config.compare_superpixels})


def settings_of_gallery(config: Config) -> str:
    """Titles and kinds of the columns, and the number of rows."""
    columns = [{"title": title, "kind": kind} for title, kind, _ in columns_of_gallery(config)]
    return json.dumps({"columns": columns, "images": config.gallery_images, "split": "train"}, sort_keys=True)


def printed(config: Config) -> str:
    """What is said at the end of a run: scores of tags, tables, and where the results lie."""
    from wsss_steps.report import boxes as box_table  # pandas, which planning can do without
    from wsss_steps.report import tables, warnings

    lines = []
    for classifier, split, path in tag_scores(config):
        score = Path(config.results, path)
        if score.is_file():
            f1 = json.loads(score.read_text(encoding="utf-8"))["f1"]
            lines.append(f"Tags of {split} by classifier {classifier}: F1 {f1:.3f}")
    scores = "means.csv" if len(config.random_seeds) > 1 else "summary.csv"
    found = (Path(config.tables_folder, name) for name in (scores, "superpixels.csv"))
    lines += [tables.printed(path) for path in found if path.is_file()]
    boxes_of_maps = Path(config.tables_folder, "boxes.csv")
    lines += [box_table.printed(boxes_of_maps)] if boxes_of_maps.is_file() else []
    found_wrong = Path(WARNINGS.replace("<tables>", config.tables_folder))
    lines += [warnings.printed(found_wrong)] if found_wrong.is_file() else []
    for run in config.runs:
        place = f"{config.results}/{run.recipe.lineage()}/pseudo_labels/"
        if Path(place).is_dir():
            lines.append(f"Pseudo-labels of recipe {tables.labelled(run.name, run.random_seed)}: {place}")
    picture = Path(config.tables_folder, "gallery.png")
    lines += [f"Picture: {picture}"] if picture.is_file() else []
    page = Path(INDEX.replace("<tables>", config.tables_folder))
    return "\n".join([*lines, *([f"Page: {page}"] if page.is_file() else [])])
