"""What the rules pass to the steps, read from the commands of one dry run: files, splits, settings, code digests.

One dry run takes about two seconds and runs nothing, so wiring mistakes show without the slow workflow tests.
"""

from __future__ import annotations

import ast
import contextlib
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import snakemake_runs as runs
import tiny_voc
import yaml

from wsss_steps.provenance import digests
from wsss_steps.settings import crf
from wsss_steps.workflow import choices, configuration, splits
from wsss_steps.workflow.config import Config, Recipe
from wsss_steps.workflow.declarations import about_row
from wsss_steps.workflow.stages import Row

CONFIG: dict[str, Any] = {
    "dataset": "tiny",
    "root": "voc",
    "classes": list(tiny_voc.CLASSES),
    "splits": {"val": "ImageSets/Segmentation/val.txt", "extra": "ImageSets/Segmentation/extra.txt"},
    "unscored": ["extra"],
    "tags_csv": "tags.csv",
    "boxes": "Annotations",
    "backbones": {
        name: {"net": "small", "weights": f"{{root}}/{name}.safetensors"} for name in ("one", "two", "three")
    },
    "recipes": {
        "cam": {"classifier": "plain~backbone=one", "segmenter": "plain~backbone=two"},
        "superpixel": {
            "classifier": "plain~backbone=one",
            "superpixels": "dino",
            "seeds": "superpixel~alpha=0.6",
            "segmenter": "spsrg",
        },
        "unsupervised": {
            "classifier": "mdc",
            "cams": "cam~merge=max",
            "superpixels": "dino~features=rgb",
            "seeds": "saliency~saliency=unsupervised",
            "segmenter": "masking",
        },
        "given": {"classifier": "mdc", "seeds": "saliency~saliency=given", "segmenter": "masking~lambda_seg=0.3"},
        "detector": {"classifier": "mdc", "seeds": "saliency", "segmenter": "plain"},
        "bound": {"classifier": "mdc", "seeds": "saliency~saliency=ground_truth", "segmenter": "plain"},
        "chain": {
            "classifier": "plain~backbone=one",
            "cams": "cam+pamr~iterations=3",
            "segmenter": "plain+plain~backbone=two",
        },
    },
    "compare_superpixels": ["slic~count=7", "dino~features=rgb"],
    "features": {"keys": {"vit": "own", "weights": "pretrain_keys"}},
    "saliency": {"detector": {"pairs": "drawn", "backbone": "three"}, "unsupervised": {"features": "rgb"}},
    "classifier": {"mdc": {"backbone": "small"}, "plain": {"epochs": 3}},
    "segmenter": {name: {"backbone": "small"} for name in ("plain", "spsrg", "masking")},
    "predict": {"scales": [1.0, 0.5], "crf": "toco"},
    "evaluate": {"bootstrap": 20},
    "gallery_images": 3,
    "device": "cuda:1",
    "threads": 1,
}
TRAIN, VAL, EXTRA = (f"results/tiny/splits/{split}/manifest.json" for split in ("train", "val", "extra"))
TRUTH = {split: f"results/tiny/splits/{split}/ground_truth.json" for split in ("train", "val")}
# the slots whose methods affect what a step writes
SLOTS = {
    "train_classifier": ("classifier",),
    "make_cams": ("classifier", "cams"),
    "refine_cams": ("refiner",),
    "extract_keys": ("features",),
    "make_superpixels": ("superpixels",),
    "train_saliency": ("saliency",),
    "predict_saliency": ("saliency",),
    "refine_saliency": ("seeds",),
    "make_seeds": ("seeds",),
    "train_segmenter": ("segmenter",),
    "predict": ("classifier", "segmenter"),
    "evaluate_classifier": ("classifier",),
}


@dataclass(frozen=True)
class Command:
    """One planned job: its step, the paths of its options, and the rest of its command line."""

    step: str
    paths: dict[str, Any]
    settings: dict[str, Any]
    code: str
    device: str | None
    log: str
    job: str


def read(job: str) -> Command:
    """The command of one job as a dry run prints it."""
    words = shlex.split(job.partition("Shell command: ")[2].partition("\n")[0])
    if words[2] == "wsss_steps.training.launch":  # of trainings: the number of processes and the step come next
        words = [*words[:2], f"wsss_steps.{words[4]}", *words[5:]]
    options: dict[str, list[str]] = {}
    for word in words[3:]:
        if word.startswith("--"):
            name = word
            options[name] = []
        else:
            options[name].append(word)
    given = {name: options.pop(name, None) for name in ("--settings", "--code", "--device", "--log")}
    paths = {name[2:].replace("-", "_"): found[0] if len(found) == 1 else found for name, found in options.items()}
    device = given["--device"][0] if given["--device"] else None
    step = words[2].removeprefix("wsss_steps.")
    return Command(step, paths, json.loads(given["--settings"][0]), given["--code"][0], device, given["--log"][0], job)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """A copy of the project, and a data set of which no image is opened."""
    folder = runs.project_in(tmp_path_factory.mktemp("rules"), repository, CONFIG)
    root = tiny_voc.make_voc(folder / "voc")
    tiny_voc.write_saliency(root, tiny_voc.SPLITS["train"])
    (root / "tags.csv").write_text("".join(["id,tags\n", *(f"{name},cat\n" for name in tiny_voc.TAGS)]))
    tiny_voc.write_list(root, "extra", ("v1",))
    tiny_voc.write_list(root, "val", ("v0",))
    for name in CONFIG["backbones"]:
        (root / f"{name}.safetensors").touch()
    return folder


@pytest.fixture(scope="module")
def config(project: Path) -> Config:
    """The configuration as the rules see it."""
    with contextlib.chdir(project):
        return configuration.load(yaml.safe_load(Path("test.yaml").read_text()))


@pytest.fixture(scope="module")
def jobs(project: Path) -> list[str]:
    """What a dry run prints about each job."""
    return runs.jobs(project, "--printshellcmds")


@pytest.fixture(scope="module")
def commands(jobs: list[str]) -> list[Command]:
    """All jobs of a dry run."""
    return [read(job) for job in jobs]


def folder_of(name: str, choices: int = 5) -> str:
    return f"results/tiny/{Recipe(**CONFIG['recipes'][name]).lineage(choices)}"


def of_recipe(name: str, **inputs: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The commands of one recipe alone, by hand; `inputs`: superpixels, saliency and weights files, if any."""
    classifier, cams, seeds, segmenter = (folder_of(name, choices) for choices in (1, 2, 4, 5))
    made, then, _ = cams.partition("+")
    saliency = inputs.get("saliency")
    superpixels = f"superpixels={inputs['superpixels']}" if "superpixels" in inputs else []
    yield (
        "train_classifier",
        {
            "manifest": TRAIN,
            "weights": inputs.get("classifier_weights", []),
            "output": f"{classifier}/classifier.safetensors",
            "history": f"{classifier}/classifier_history.csv",
        },
    )
    yield (
        "make_cams",
        {"manifest": TRAIN, "needs": f"classifier={classifier}/classifier.safetensors", "output": f"{made}/cams.h5"},
    )
    if then:
        yield "refine_cams", {"manifest": TRAIN, "cams": f"{made}/cams.h5", "needs": [], "output": f"{cams}/cams.h5"}
    if saliency:
        paths = {"manifest": TRAIN, "cams": f"{cams}/cams.h5", "saliency": saliency}
        yield "refine_saliency", {**paths, "output": f"{seeds}/refined_saliency.h5"}
    yield (
        "make_seeds",
        {
            "manifest": TRAIN,
            "cams": f"{cams}/cams.h5",
            "needs": f"refined_saliency={seeds}/refined_saliency.h5" if saliency else superpixels,
            "output": f"{seeds}/seeds.h5",
        },
    )
    teacher = segmenter.removesuffix("+plain~backbone=two")
    trained = {teacher: f"{seeds}/seeds.h5"} | ({segmenter: f"{teacher}/pseudo_labels"} if teacher != segmenter else {})
    for folder, labels in trained.items():
        network = {"segmenter": f"{folder}/segmenter.safetensors"}
        yield (
            "train_segmenter",
            {
                "manifest": TRAIN,
                "seeds": labels,
                "needs": f"classifier={classifier}/classifier.safetensors" if inputs.get("judged") else superpixels,
                "weights": inputs.get("segmenter_weights", []) if folder == segmenter else [],
                "output": f"{folder}/segmenter.safetensors",
                "history": f"{folder}/segmenter_history.csv",
            },
        )
        yield "predict", {"manifest": TRAIN, **network, "output": f"{folder}/pseudo_labels", "output_working": []}
    for split, manifest in (("val", VAL), ("extra", EXTRA)):
        folders = {"output": f"{segmenter}/segmentation_crf/{split}", "output_raw": f"{segmenter}/segmentation/{split}"}
        yield "predict", {"manifest": manifest, **network, **folders}
    places = [
        (cams, "cams", "train", f"{cams}/cams.h5"),
        (seeds, "seeds", "train", f"{seeds}/seeds.h5"),
        (segmenter, "pseudo_labels", "train", f"{segmenter}/pseudo_labels"),
        (segmenter, "segmentation", "val", f"{segmenter}/segmentation/val"),
        (segmenter, "segmentation_crf", "val", f"{segmenter}/segmentation_crf/val"),
    ]
    for folder, stage, split, predictions in places:
        score = f"{folder}/evaluation/{stage}/{split}"
        given = {"manifest": {"train": TRAIN, "val": VAL}[split], "ground_truth": TRUTH[split]}
        yield "evaluate", {**given, "predictions": predictions, "output": f"{score}.h5", "score": f"{score}.json"}
    given = {"manifest": VAL, "classifier": f"{classifier}/classifier.safetensors"}
    yield "evaluate_classifier", {**given, "score": f"{classifier}/evaluation/tags/val.json"}


def saliency_of(name: str) -> str:
    return f"results/tiny/saliency/{name}/saliency.h5"


def superpixels_of(name: str) -> str:
    return f"results/tiny/superpixels/{name}/superpixels.h5"


def shared() -> Iterator[tuple[str, dict[str, Any]]]:
    """The commands that recipes share, except the tables and the gallery."""
    for split in ("train", "val", "extra"):
        manifest = f"results/tiny/splits/{split}/manifest.json"
        listed = {"root": "voc", "list_file": f"voc/ImageSets/Segmentation/{split}.txt"}
        listed |= {"tags": [] if split == "extra" else "voc/tags.csv"}
        yield "prepare", {**listed, "manifest": manifest, "copies": [], "saliency": []}
        if split in TRUTH:
            yield "prepare_masks", {"root": "voc", "manifest": manifest, "ground_truth": TRUTH[split]}
    vit = {"output": "results/tiny/features/vit.safetensors", "history": "results/tiny/features/vit_history.csv"}
    yield "pretrain_keys", {"manifest": TRAIN, **vit}
    features = {name: f"results/tiny/features/{name}/features.h5" for name in ("keys", "rgb")}
    for name, weights in (("keys", vit["output"]), ("rgb", [])):
        yield "extract_keys", {"manifest": TRAIN, "weights": weights, "needs": [], "output": features[name]}
    reads = {name: f"features={path}" for name, path in features.items()}
    made = {"dino": reads["keys"], "dino~features=rgb": reads["rgb"], "slic~count=7": []}
    for name, read_from in made.items():
        files = {"manifest": TRAIN, "weights": [], "needs": read_from, "output": superpixels_of(name)}
        yield "make_superpixels", files
        if name in CONFIG["compare_superpixels"]:
            given = {"manifest": TRAIN, "ground_truth": TRUTH["train"], "superpixels": superpixels_of(name)}
            yield "evaluate_superpixels", {**given, "score": f"results/tiny/superpixels/{name}/score.json"}
    scores = [f"results/tiny/superpixels/{name}/score.json" for name in CONFIG["compare_superpixels"]]
    yield from of_boxes()
    yield "summarise_superpixels", {"scores": scores, "output": "results/tiny/superpixels.csv"}
    detector, drawn = "results/tiny/saliency/detector", "results/tiny/saliency/pairs"
    yield "make_saliency_example", {"output": drawn}
    files = {"output": f"{detector}/detector.safetensors", "history": f"{detector}/detector_history.csv"}
    yield "train_saliency", {"pairs": drawn, "weights": "voc/three.safetensors", **files}
    sources = {"given": ("voc/saliency", []), "detector": (files["output"], []), "unsupervised": ([], reads["rgb"])}
    for name, (source, needs) in sources.items():
        yield "predict_saliency", {"manifest": TRAIN, "source": source, "needs": needs, "output": saliency_of(name)}
    given = {"manifest": TRAIN, "ground_truth": TRUTH["train"]}
    yield "ground_truth_saliency", {**given, "output": saliency_of("ground_truth")}


def of_boxes() -> Iterator[tuple[str, dict[str, Any]]]:
    """Of the maps of each recipe, and of the maps before the last link of the chain."""
    boxes = "results/tiny/splits/train/boxes.json"
    yield "prepare_boxes", {"root": "voc", "manifest": TRAIN, "boxes": boxes}
    plain, mdc = "results/tiny/plain~backbone=one/cam", "results/tiny/mdc/cam"
    chain = [plain, f"{plain}+pamr~iterations=3"]
    folders = [mdc, plain, *chain, mdc, mdc, plain, f"{mdc}~merge=max"]  # bound, cam, chain, ... in test.yaml
    for folder in dict.fromkeys(folders):
        given = {"manifest": TRAIN, "boxes": boxes, "cams": f"{folder}/cams.h5"}
        score = f"{folder}/evaluation/boxes/train"
        yield "evaluate_boxes", {**given, "output": f"{score}.csv", "score": f"{score}.json"}
    scores = [f"{folder}/evaluation/boxes/train.json" for folder in folders]
    yield "summarise_boxes", {"scores": scores, "output": "results/tiny/boxes.csv"}


def all_expected() -> list[tuple[str, dict[str, Any]]]:
    weights = {"classifier_weights": "voc/one.safetensors"}
    dino = superpixels_of("dino")
    found = [
        *of_recipe("cam", **weights, segmenter_weights="voc/two.safetensors"),
        *of_recipe("superpixel", **weights, superpixels=dino),
        *of_recipe("unsupervised", saliency=saliency_of("unsupervised"), judged=True),
        *of_recipe("given", saliency=saliency_of("given"), judged=True),
        *of_recipe("detector", saliency=saliency_of("detector")),
        *of_recipe("bound", saliency=saliency_of("ground_truth")),
        *of_recipe("chain", **weights, segmenter_weights="voc/two.safetensors"),
        *shared(),
    ]
    return list({json.dumps(one, sort_keys=True): one for one in found}.values())


TABLES = ("summarise", "compare_recipes", "draw_gallery", "find_warnings", "write_report")
KINDS = ("features", "superpixels", "refined_saliency")


def lines(found: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return sorted(f"{step}: {json.dumps(paths, sort_keys=True)}" for step, paths in found)


def test_every_step_reads_and_writes_what_it_should(commands: list[Command]) -> None:
    """All commands of six recipes, compared with hand-written ones: no split, stage or input is mixed up."""
    found = [(one.step, one.paths) for one in commands if one.step not in TABLES]
    assert lines(found) == lines(all_expected())


def test_ground_truth_reaches_evaluation_tables_and_what_declares_it(commands: list[Command]) -> None:
    sighted = {one.step for one in commands if "ground_truth.json" in json.dumps(one.paths)}
    known = {"prepare_masks", "evaluate", "evaluate_superpixels", "ground_truth_saliency", "draw_gallery"}
    assert sighted == known


def test_the_boxes_reach_their_evaluation_alone(commands: list[Command]) -> None:
    assert {one.step for one in commands if "boxes.json" in json.dumps(one.paths)} == {
        "prepare_boxes",
        "evaluate_boxes",
    }


def wildcards(one: Command) -> dict[str, str]:
    line = next(line for line in one.job.splitlines() if line.strip().startswith("wildcards:"))
    return dict(part.split("=", 1) for part in line.split(": ", 1)[1].split(", "))


def test_settings_are_those_of_the_choice(commands: list[Command], config: Config) -> None:
    """Slots by hand: the maps' settings are those of `cams`, not of their classifier."""
    own = {step: slots[-1] for step, slots in SLOTS.items() if step not in ("predict", "evaluate_classifier")}
    chosen = [one for one in commands if one.step in own]
    assert {one.step for one in chosen} == set(own)
    for one in chosen:
        slot = own[one.step]
        expected = choices.chain(config, slot, wildcards(one)[slot])[-1].settings
        assert one.settings == expected, (one.step, wildcards(one))


def test_tags_are_known_to_pseudo_labels_alone(commands: list[Command], config: Config) -> None:
    given = config.predict.model_dump(mode="json") | {"crf": crf.numbers("toco")}
    for one in (one for one in commands if one.step == "predict"):
        split = one.paths["manifest"].split("/")[-2]
        assert one.settings == {**given, "split": split, "known_tags": split == "train"}, one.paths


def test_settings_of_evaluation_name_stage_and_split(commands: list[Command], config: Config) -> None:
    given = config.evaluate.model_dump(mode="json")
    for one in (one for one in commands if one.step == "evaluate"):
        *_, stage, last = one.paths["score"].split("/")
        kind = stage if stage in ("cams", "seeds") else "label_maps"
        assert one.settings == {**given, "stage": stage, "kind": kind, "split": last.removesuffix(".json")}
    tags = [one.settings for one in commands if one.step == "evaluate_classifier"]
    assert tags == [{"split": "val"}] * 2  # two classifiers


def test_settings_of_steps_without_methods(commands: list[Command], config: Config) -> None:
    found = {one.step: one.settings for one in commands}
    for step, section in (
        ("pretrain_keys", config.pretrain_keys),
        ("evaluate_superpixels", config.evaluate_superpixels),
        ("evaluate_boxes", config.evaluate_boxes),
        ("make_saliency_example", config.draw_saliency),
    ):
        assert found[step] == section.model_dump(mode="json")
    assert found["summarise_superpixels"] == {"names": list(CONFIG["compare_superpixels"])}
    assert found["ground_truth_saliency"] == {}
    assert found["prepare_boxes"] == splits.boxes_settings(config, "train")
    rows = [(row["recipe"], row["cams"]) for row in found["summarise_boxes"]["rows"]]
    assert rows[:4] == [("bound", "cam"), ("cam", "cam"), ("chain", "cam"), ("chain", "cam+pamr~iterations=3")]
    assert rows[4:] == [("detector", "cam"), ("given", "cam"), ("superpixel", "cam"), ("unsupervised", "cam~merge=max")]
    assert found["summarise_boxes"]["classes"] == CONFIG["classes"]
    for one in (one for one in commands if one.step in ("prepare", "prepare_masks")):
        split = one.paths["manifest"].split("/")[-2]
        assert (one.settings["split"], one.settings["classes"]) == (split, CONFIG["classes"])
        if one.step == "prepare_masks":
            assert one.settings["masks_optional"] == (split == "train")
        else:
            assert one.settings["tagged"] == (split != "extra")
            assert one.settings["list_file"] == f"ImageSets/Segmentation/{split}.txt"


def test_the_digest_of_code_covers_the_step_and_its_methods(commands: list[Command], config: Config) -> None:
    for one in commands:
        slots = SLOTS.get(one.step, ())
        if one.step == "train_segmenter" and wildcards(one)["segmenter"].startswith("masking"):
            slots = ("segmenter", "classifier")
        resolved = [choices.chain(config, slot, wildcards(one)[slot])[-1] for slot in slots]
        modules = [f"methods.{choice.slot}.{choice.method}" for choice in resolved]
        modules += ["nets.backbones.small" for choice in resolved if "backbone" in choice.settings]
        needs = one.paths.get("needs") or ""
        modules += [f"formats.kinds.{kind}" for kind in KINDS if needs.startswith(f"{kind}=")]
        modules += ["data.layouts.voc", "data.voc_reader"] if one.step in ("prepare", "prepare_masks") else []
        assert one.code == digests.code_digest(one.step, modules), (one.step, modules)


def options_of(step: str) -> set[str]:
    """Names of the parameters of a step's `run`, read without importing the step."""
    tree = ast.parse(digests.source_of(f"wsss_steps.{step}").read_text(encoding="utf-8"))
    run = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "run")
    return {argument.arg for argument in run.args.kwonlyargs}


def test_steps_are_told_all_that_they_ask_for_and_a_log_of_their_own(commands: list[Command]) -> None:
    for one in commands:
        asked = options_of(one.step)
        device = "cpu" if one.step == "make_superpixels" else "cuda:1"  # of colours and features: by no network
        assert one.device == (device if "device" in asked else None), one.step
        assert ("gpu=1" in one.job) == (one.device == "cuda:1")
        assert asked - set(one.paths) - {"device", "settings", "stamp"} <= {"output_raw", "output_working"}, one.step
        assert one.log.startswith("logs/tiny/")
    logs = [one.log for one in commands]
    assert len(set(logs)) == len(logs)


def test_every_given_saliency_map_is_an_input(commands: list[Command]) -> None:
    """A folder's time does not change when a map in it is rewritten."""
    jobs = {wildcards(one)["saliency"]: one.job for one in commands if one.step == "predict_saliency"}
    for name, job in jobs.items():
        listed = next(line for line in job.splitlines() if line.strip().startswith("input:"))
        assert [f"voc/saliency/{image}.png" in listed for image in ("t0", "t1", "t2")] == [name == "given"] * 3


def test_rows_of_the_summary_have_their_score_and_their_network(commands: list[Command], config: Config) -> None:
    one = next(one for one in commands if one.step == "summarise")
    stages = [("cams", "train"), ("seeds", "train"), ("pseudo_labels", "train")]
    stages += [("segmentation", "val"), ("segmentation_crf", "val")]
    scores, networks, rows = [], [], []
    for name, recipe in config.recipes.items():
        for stage, split in stages:
            depth = {"cams": 2, "seeds": 4}.get(stage, 5)
            scores.append(f"{folder_of(name, depth)}/evaluation/{stage}/{split}.json")
            early = stage in ("cams", "seeds")
            network = f"{folder_of(name, 1)}/classifier" if early else f"{folder_of(name)}/segmenter"
            networks.append(f"{network}.safetensors")
            rows.append(about_row(config, Row(name, recipe, stage, split)))
    assert one.paths["scores"] == scores
    assert one.paths["checkpoints"] == networks
    assert one.settings["rows"] == rows
    names = ["ground_truth", "detector", "given", "unsupervised"]  # of the recipes bound, detector, given, unsupervised
    assert one.settings["saliency"] == names
    assert one.paths["saliency"] == [saliency_of(name) for name in names]


def test_recipes_are_compared_by_the_confusion_matrices_of_the_rows(commands: list[Command], config: Config) -> None:
    summary, one = (next(one for one in commands if one.step == step) for step in ("summarise", "compare_recipes"))
    assert one.paths["summary"] == summary.paths["output"]
    assert one.paths["confusions"] == [path.replace(".json", ".h5") for path in summary.paths["scores"]]
    outputs = {"means": "csv", "differences": "csv", "per_class": "csv", "by_size": "csv", "tables": "md"}
    assert {name: one.paths[name] for name in outputs} == {
        name: f"results/tiny/{name}.{suffix}" for name, suffix in outputs.items()
    }
    given = config.evaluate.model_dump(mode="json", exclude={"thresholds"})
    assert one.settings == {**given, "object_sizes": [0.05, 0.2]}


def test_warnings_see_every_label_map_and_no_ground_truth(commands: list[Command]) -> None:
    [one] = [one for one in commands if one.step == "find_warnings"]
    read = [one.paths[name] for name in ("manifests", "maps", "scores")]
    assert dict(zip(one.settings["splits"], read[0], strict=True)) == {"train": TRAIN, "val": VAL, "extra": EXTRA}
    expected: dict[str, tuple[str, str, list[str]]] = {}
    for name in sorted(CONFIG["recipes"]):
        places = {"seeds.h5": ("seeds", "train", 4), "pseudo_labels": ("pseudo_labels", "train", 5)}
        places |= {f"segmentation_crf/{split}": ("segmentation_crf", split, 5) for split in ("val", "extra")}
        for place, (stage, split, depth) in places.items():
            expected.setdefault(f"{folder_of(name, depth)}/{place}", (stage, split, []))[2].append(name)
    names = [run["recipe"] for run in one.settings["runs"]]
    found = {
        path: (about["stage"], about["split"], [names[run] for run in about["runs"]])
        for path, about in zip(read[1], one.settings["maps"], strict=True)
    }
    assert found == expected
    assert {about["split"]: about["tagged"] for about in one.settings["maps"]} == {"train": 1, "val": 1, "extra": 0}
    users = {
        path: [names[run] for run in about["runs"]] for path, about in zip(read[2], one.settings["scores"], strict=True)
    }
    assert users == {
        "results/tiny/plain~backbone=one/evaluation/tags/val.json": ["cam", "chain", "superpixel"],
        "results/tiny/mdc/evaluation/tags/val.json": ["bound", "detector", "given", "unsupervised"],
    }
    assert set(one.paths) == {"manifests", "maps", "scores", "output"}
    assert "ground_truth.json" not in json.dumps(read)


def test_the_page_is_made_of_what_the_run_wrote(commands: list[Command]) -> None:
    """Every file that it shows is an output of another step; times are a folder that is no input."""
    summary, one = (next(one for one in commands if one.step == step) for step in ("summarise", "write_report"))
    assert (one.paths["index"], one.paths["page"]) == ("results/tiny/report/index.html", "results/tiny/report/page")
    assert one.paths["manifests"] == [TRAIN, EXTRA, VAL]
    names = ("summary", "means", "differences", "per_class", "by_size", "superpixels", "boxes")
    assert one.paths["tables"] == [f"results/tiny/{name}.csv" for name in names]
    assert one.paths["scores"] == list(dict.fromkeys(summary.paths["scores"]))
    assert one.paths["confusions"] == [path.replace(".json", ".h5") for path in one.paths["scores"]]
    assert set(one.paths["histories"]) == {path for other in commands if (path := other.paths.get("history"))}
    tags = {other.paths["score"] for other in commands if other.step == "evaluate_classifier"}
    assert set(one.paths["tags"]) == tags
    assert one.paths["benchmarks"] == "logs/tiny/benchmarks"
    listed = next(line for line in one.job.splitlines() if line.strip().startswith("input:"))
    assert "benchmarks" not in listed


def test_columns_of_the_gallery_and_their_titles(commands: list[Command]) -> None:
    one = next(one for one in commands if one.step == "draw_gallery")
    assert (one.paths["manifest"], one.paths["ground_truth"]) == (TRAIN, TRUTH["train"])
    assert (one.settings["images"], one.settings["split"]) == (3, "train")
    columns = [
        (column["kind"], path) for column, path in zip(one.settings["columns"], one.paths["sources"], strict=True)
    ]
    files = {"cams": "cams.h5", "superpixels": "superpixels.h5", "refined_saliency": "refined_saliency.h5"}
    files |= {"seeds": "seeds.h5", "labels": "pseudo_labels"}
    assert all(Path(path).name == files[kind] for kind, path in columns)
    counts = {kind: sum(kind == one for one, _ in columns) for kind in files}
    assert counts == {"cams": 4, "superpixels": 2, "refined_saliency": 4, "seeds": 7, "labels": 7}  # shared ones once
    for column, path in zip(one.settings["columns"], one.paths["sources"], strict=True):
        title, _, name = column["title"].partition(": ")
        assert title in ("CAM", "superpixels", "refined saliency", "seeds", "pseudo-label")
        assert not name or path.startswith(folder_of(name, 4))


def test_features_alone_are_temporary(jobs: list[str]) -> None:
    removed = re.findall("Would remove temporary output (.*)", "\n".join(jobs))
    assert sorted(removed) == [f"results/tiny/features/{name}/features.h5" for name in ("keys", "rgb")]


@pytest.mark.parametrize(
    ("file", "rule", "state"),
    [
        ("data", "prepare", "images"),
        ("evaluation", "prepare_masks", "masks"),
        ("evaluation", "prepare_boxes", "boxes"),
    ],
)
def test_rules_that_read_the_users_files_know_their_state(file: str, rule: str, state: str, repository: Path) -> None:
    """It is in no command: a parameter by which Snakemake sees that images or masks were edited."""
    rules = re.split(r"\n(?=rule )", (repository / "rules" / f"{file}.smk").read_text())
    text = next(text for text in rules if text.startswith(f"rule {rule}:"))
    assert f"state=once_per_split(planning.state_of_{state})," in text.partition("params:")[2]


@pytest.mark.workflow
def test_an_edited_image_or_mask_is_read_again(project: Path) -> None:
    """Editing changes the size of the file; a mask does not affect the images."""
    places = [project / "voc" / "JPEGImages" / "v0.jpg", project / "voc" / "SegmentationClass" / "t0.png"]
    targets = ("--printshellcmds", *TRUTH.values())
    runs.succeed(project, *targets)
    assert not runs.planned(project, *targets)
    for path, expected in zip(places[::-1], (["prepare_masks"], ["prepare", "prepare_masks"]), strict=True):
        path.write_bytes(path.read_bytes() + b"0")
        assert sorted(read(job).step for job in runs.jobs(project, *targets)) == expected
        runs.succeed(project, *targets)
