# The only other reader of `config`: it is validated here, before any job is planned. Helpers that turn choices into parameters and paths.
import functools
import json
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

from wsss_steps.data import sources
from wsss_steps.errors import UserError
from wsss_steps.formats.records import record_of
from wsss_steps.methods import arguments
from wsss_steps.provenance import digests
from wsss_steps.report import tables
from wsss_steps.settings.saliency import source as saliency_source
from wsss_steps.workflow import choices, configuration, declarations, preflight, sharing, splits
from wsss_steps.workflow.config import GROUND_TRUTH

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

SHARDS = [f"{number:03d}-of-{CONFIG.shards:03d}" for number in range(CONFIG.shards)] if CONFIG.shards > 1 else []


def in_shards(path):
    """Where a stage that works image by image writes or reads `path`: there, or in a file or folder per shard.

    A store a/cams.h5 is then an index of the stores a/cams.shards/{shard}.h5 (rules/shards.smk).
    """
    stem, dot, suffix = path.rpartition(".")
    stem, suffix = (stem, dot + suffix) if suffix in ("h5", "log", "tsv") else (path, "")
    return f"{stem}.shards/{{shard}}{suffix}" if SHARDS else path


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


def shards_of_store(wildcards):
    """Input: the stores that an index links to."""
    return [in_shards(f"<results>/{wildcards.stage_of_images}.h5").format(shard=shard) for shard in SHARDS]


def shards_of_label_maps(wildcards):
    """Input: the folders whose label maps go into one."""
    return [in_shards(f"<results>/{wildcards.lineage}/{wildcards.folder}").format(shard=shard) for shard in SHARDS]


def choice(slot, wildcards):
    found = choices.resolve(CONFIG, slot, wildcards[slot])
    if found.name != wildcards[slot]:
        raise WorkflowError(f"{slot} '{wildcards[slot]}' is '{found.name}' in this configuration: ask for that folder")
    return found


def settings_of(slot):
    """Parameter: every setting of the rule's choice in `slot`, as JSON."""

    def settings(wildcards):
        return choice(slot, wildcards).json()

    return settings


def code_of(step, *slots):
    """Parameter: digest of the sources that the step and its methods in `slots` import."""

    def code(wildcards):
        return digests.code_digest(step, [module for slot in slots for module in choice(slot, wildcards).modules()])

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


def pairs_of_detector(wildcards):
    """Input: the images with masks that a saliency detector learns from: drawn by this workflow, or a folder."""
    place = choice("saliency", wildcards).settings["pairs"]
    return "<results>/saliency/pairs" if place == "drawn" else place


def source_of_saliency(wildcards):
    """Input: what the saliency maps are made from: a folder of maps, a detector's weights, or features."""
    kind, place = saliency_source(choice("saliency", wildcards).settings)
    made = {
        "pairs": f"<results>/saliency/{wildcards.saliency}/detector.safetensors",
        "features": in_shards(f"<results>/features/{place}/features.h5"),
    }
    return made.get(kind, place)


def maps_given(wildcards):
    """Input: every given saliency map, since a folder does not tell that a file in it was rewritten."""
    kind, place = saliency_source(choice("saliency", wildcards).settings)
    if kind != "maps":
        return []
    if not SHARDS:
        return sorted(map(str, Path(place).glob("*.png")))
    listed = json.loads(Path(manifest_of_shard(wildcards)).read_text(encoding="utf-8"))["images"]
    return [str(path) for entry in listed if (path := Path(place, f"{entry['id']}.png")).exists()]


def superpixels_of_recipe(wildcards):
    """Input: the superpixels of the recipe, if it has any."""
    return [] if wildcards.superpixels == "none" else f"<results>/superpixels/{wildcards.superpixels}/superpixels.h5"


def saliency_of_seeds(wildcards):
    """Input: the saliency maps that the choice of seeds names."""
    return f"<results>/saliency/{choice('seeds', wildcards).settings['saliency']}/saliency.h5"


def refined_saliency_of_seeds(wildcards):
    """Input: the refined saliency maps, if the seeds are made of them."""
    folder = "<results>/{classifier}/{cams}/{superpixels}/{seeds}"
    return f"{folder}/refined_saliency.h5" if choices.needs("seeds", wildcards.seeds, "saliency") else []


def classifier_of_segmenter(wildcards):
    """Input: the recipe's classifier, if the segmenter asks it."""
    asked = choices.needs("segmenter", wildcards.segmenter, "classifier")
    return "<results>/{classifier}/classifier.safetensors" if asked else []


def code_of_segmenter(wildcards):
    """Parameter: digest of the sources of the segmenter, and of the classifier if the segmenter asks it."""
    asked = choices.needs("segmenter", wildcards.segmenter, "classifier")
    return code_of("train_segmenter", "segmenter", *(["classifier"] if asked else []))(wildcards)


def scenes_if_drawn(wildcards):
    """Input: the data set, if the workflow draws it."""
    return "<results>/scenes" if CONFIG.draw else []


def list_of_split(wildcards):
    """Parameter: the list of the split's images."""
    return f"{CONFIG.data_folder}/{splits.list_files(CONFIG)[wildcards.split]}"


def table_of_tags(wildcards):
    """Parameter: the table of tags, if there is one and the split has tags."""
    read = CONFIG.tags_csv is not None and wildcards.split not in CONFIG.unscored
    return f"{CONFIG.data_folder}/{CONFIG.tags_csv}" if read else []


def settings_of_images(wildcards):
    """Parameter: the settings of `prepare` for the split."""
    return json.dumps(splits.images_settings(CONFIG, wildcards.split), sort_keys=True)


def settings_of_masks(wildcards):
    """Parameter: the settings of `prepare_masks` for the split."""
    return json.dumps(splits.masks_settings(CONFIG, wildcards.split), sort_keys=True)


def state_of(split, artifact, read, settings):
    """Parameter: changes when the content of the user's files does that the artifact is made of (`data/sources.py`)."""
    if CONFIG.draw:
        return "drawn"
    record = record_of(Path(f"{CONFIG.results}/splits/{split}/{artifact}"))
    return sources.state(read(Path(CONFIG.root), **arguments(read, settings)), record)


@functools.cache
def state_of_split(split):
    return state_of(split, "manifest.json", sources.of_images, splits.images_settings(CONFIG, split))


@functools.cache
def state_of_truth(split):
    return state_of(split, "ground_truth.json", sources.of_masks, splits.masks_settings(CONFIG, split))


def state_of_images(wildcards):
    """Parameter: the state of the split's images and tags."""
    return state_of_split(wildcards.split)


def state_of_masks(wildcards):
    """Parameter: the state of the split's label images."""
    return state_of_truth(wildcards.split)


def kept_or_temporary(path):
    """Output: a file that is deleted after its last use unless the configuration keeps it."""
    return path if CONFIG.keep_features else temp(path)


def settings_of_step(step, **fixed):
    """Parameter: the settings of a step that has no choice of methods, with those that the rule fixes."""
    return configuration.step_settings(CONFIG, step, **fixed)


# stage -> the file or folder below a recipe's folders that is evaluated, and how many of the recipe's choices lead to it
STAGES = {
    "cams": ("cams.h5", 2),
    "seeds": ("seeds.h5", 4),
    "pseudo_labels": ("pseudo_labels", 5),
    "segmentation": ("segmentation/{split}", 5),
    "segmentation_crf": ("segmentation_crf/{split}", 5),
}
HELD_OUT = ("segmentation", "segmentation_crf")  # stages of the images that nothing was learnt from
SCORED_SPLITS = [split for split in CONFIG.splits if split not in CONFIG.unscored]


def predictions_of_stage(wildcards):
    """Input: what is evaluated."""
    return f"<results>/{wildcards.lineage}/{STAGES[wildcards.stage][0].format(split=wildcards.split)}"


def settings_of_stage(wildcards):
    """Parameter: the settings of `evaluate`, the stage, and the split that the stage's predictions are of."""
    return configuration.step_settings(CONFIG, "evaluate", stage=wildcards.stage, split=wildcards.split)


def settings_of_tag_scores(wildcards):
    """Parameter: the split whose tags are compared."""
    return json.dumps({"split": wildcards.split})


def settings_of_prediction(wildcards):
    """Parameter: the settings of `predict` for a held-out split, whose tags are not known."""
    return configuration.step_settings(CONFIG, "predict", split=wildcards.split, known_tags=False)


def pseudo_labels_of_all_recipes():
    return [f"<results>/{recipe.lineage()}/pseudo_labels" for recipe in CONFIG.recipes.values()]


def rows_of_summary():
    """(recipe's name, recipe, stage, split) of every row of summary.csv."""
    places = [(stage, "train") for stage in STAGES if stage not in HELD_OUT]
    places += [(stage, split) for split in SCORED_SPLITS for stage in HELD_OUT]
    return [(name, recipe, *place) for name, recipe in CONFIG.recipes.items() for place in places]


def scores_of_summary(wildcards):
    """Input: the score of every row."""
    return [
        f"<results>/{recipe.lineage(STAGES[stage][1])}/evaluation/{stage}/{split}.json"
        for _, recipe, stage, split in rows_of_summary()
    ]


def checkpoints_of_summary(wildcards):
    """Input: the network that made the predictions of every row."""
    classifier, segmenter = "<results>/{}/classifier.safetensors", "<results>/{}/segmenter.safetensors"
    return [
        classifier.format(recipe.lineage(1)) if STAGES[stage][1] < 5 else segmenter.format(recipe.lineage())
        for _, recipe, stage, _ in rows_of_summary()
    ]


def saliency_of_recipes():
    """The choices of saliency maps of all recipes, each once."""
    found = (declarations.saliency_of(CONFIG, recipe, "seeds") for recipe in CONFIG.recipes.values())
    return list(dict.fromkeys(filter(None, found)))


def saliency_of_summary(wildcards):
    """Input: the saliency maps, which know the images that they leave out."""
    return [f"<results>/saliency/{name}/saliency.h5" for name in saliency_of_recipes()]


def settings_of_summary(wildcards):
    """Parameter: what neither a score nor a checkpoint knows of its row."""
    rows = [declarations.about_row(CONFIG, *row) for row in rows_of_summary()]
    return json.dumps({"rows": rows, "saliency": saliency_of_recipes()}, sort_keys=True)


def scores_of_superpixels(wildcards):
    """Input: the score of every choice of superpixels that is compared."""
    return [f"<results>/superpixels/{name}/score.json" for name in CONFIG.compare_superpixels]


def columns_of_gallery():
    """(title, kind, path) of the columns of the gallery; what recipes share appears once."""
    columns = []
    for name, recipe in CONFIG.recipes.items():
        columns.append(("CAM", "cams", f"<results>/{recipe.lineage(2)}/cams.h5"))
        if recipe.superpixels != "none":
            columns.append(("superpixels", "superpixels", f"<results>/superpixels/{recipe.superpixels}/superpixels.h5"))
        if choices.needs("seeds", recipe.seeds, "saliency"):
            refined = f"<results>/{recipe.lineage(4)}/refined_saliency.h5"
            columns.append((f"refined saliency: {name}", "refined_saliency", refined))
        columns.append((f"seeds: {name}", "seeds", f"<results>/{recipe.lineage(4)}/seeds.h5"))
        columns.append((f"pseudo-label: {name}", "labels", f"<results>/{recipe.lineage()}/pseudo_labels"))
    first = {path: column for column in reversed(columns) for path in column[2:]}
    return [column for column in columns if first[column[2]] is column]


def sources_of_gallery(wildcards):
    """Input: what the columns of the gallery show."""
    return [path for _, _, path in columns_of_gallery()]


def settings_of_gallery(wildcards):
    """Parameter: titles and kinds of the columns, and the number of rows."""
    columns = [{"title": title, "kind": kind} for title, kind, _ in columns_of_gallery()]
    return json.dumps({"columns": columns, "images": CONFIG.gallery_images, "split": "train"}, sort_keys=True)


def features_to_keep():
    """The features of all recipes, each once, if they are to be kept."""
    if not CONFIG.keep_features:
        return []
    chosen = [recipe.superpixels for recipe in CONFIG.recipes.values() if recipe.superpixels != "none"]
    found = (choices.resolve(CONFIG, "superpixels", name).settings.get("features") for name in chosen)
    return [f"<results>/features/{name}/features.h5" for name in dict.fromkeys(filter(None, found))]


def results():
    """Input of the default target: with ground truth for the tables, without it for the pseudo-labels alone."""
    wanted = ["<tables>/gallery.png", *pseudo_labels_of_all_recipes(), *features_to_keep()]
    recipes = list(CONFIG.recipes.values())
    if CONFIG.mask_folder is not None:
        wanted += ["<tables>/summary.csv"]
        wanted += ["<tables>/superpixels.csv"] if CONFIG.compare_superpixels else []
        wanted += [
            f"<results>/{recipe.lineage()}/segmentation_crf/{split}" for recipe in recipes for split in CONFIG.unscored
        ]
    else:
        wanted += [
            f"<results>/{recipe.lineage()}/segmentation_crf/{split}" for recipe in recipes for split in CONFIG.splits
        ]
    return wanted + [f"<results>/{path}" for _, _, path in tag_scores()]


def tag_scores():
    """(classifier, split, path below the results) of every score of predicted tags."""
    classifiers = dict.fromkeys(recipe.classifier for recipe in CONFIG.recipes.values())
    return [(name, split, f"{name}/evaluation/tags/{split}.json") for name in classifiers for split in SCORED_SPLITS]


def print_tables():
    """At the end of a run: the tables, and where the results lie."""
    for classifier, split, path in tag_scores():
        score = Path(CONFIG.results, path)
        if score.is_file():
            f1 = json.loads(score.read_text(encoding="utf-8"))["f1"]
            print(f"Tags of {split} by classifier {classifier}: F1 {f1:.3f}")
    for name in ("summary.csv", "superpixels.csv"):
        path = Path(CONFIG.tables_folder, name)
        if path.is_file():
            print(tables.printed(path))
    for name, recipe in CONFIG.recipes.items():
        print(f"Pseudo-labels of recipe {name}: {CONFIG.results}/{recipe.lineage()}/pseudo_labels/")
    print(f"Picture: {CONFIG.tables_folder}/gallery.png")
