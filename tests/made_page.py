"""A page of made-up numbers, with names that try to be more than text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from wsss_steps import write_report
from wsss_steps.data.manifest import Entry, Manifest, write_manifest
from wsss_steps.formats.files import write_json
from wsss_steps.formats.kinds.confusions import CONFUSIONS
from wsss_steps.formats.stores import write_store
from wsss_steps.report import tables

EVIL = "</script><script>window.broken = 1</script>"
CLASSES = ["cat", EVIL]
RECIPES = ["cam", EVIL]
STAGES = [("cams", "train"), ("seeds", "train"), ("segmentation_crf", "val")]
IMAGES = [[[5, 1, 0, 0], [2, 3, 0, 1], [0, 0, 4, 0]], [[1, 0, 0, 0], [0, 2, 1, 0], [0, 0, 0, 7]]]  # confusions
MIOU = {("cam", "cams"): 0.31, (EVIL, "cams"): 0.5, ("cam", "seeds"): 0.4, (EVIL, "segmentation_crf"): 0.62}
PROTOCOL = {"gt_used_for": "evaluation", "init_weights": "random", "compute_precision": "float32", "crf": "none"}

EXTRA: dict[str, str] = {}  # by recipe, what it learns from besides tags


def summary() -> pd.DataFrame:
    """A row for each recipe and stage; one has no score."""
    rows = [{"recipe": recipe, "stage": stage, "split": split} for recipe in RECIPES for stage, split in STAGES]
    for row in rows:
        miou = MIOU.get((row["recipe"], row["stage"]))
        scores = {"miou": miou, "ci_low": miou and miou - 0.02, "ci_high": miou and miou + 0.05, "fp": 0.25}
        row |= {"extra_supervision": EXTRA.get(row["recipe"], "")}
        row |= scores | PROTOCOL | {"images": 2, "left_out": 0, "scales": "1 0.5", "random_seed": ""}
    return pd.DataFrame(rows, columns=list(tables.COLUMNS))


def per_recipe(**columns: list[Any]) -> pd.DataFrame:
    """A table with one block of rows for each recipe, at the last stage."""
    blocks = [
        pd.DataFrame({"recipe": name, "stage": STAGES[-1][0], "split": "val", "n": 1, **columns}) for name in RECIPES
    ]
    return pd.concat(blocks)


def write_tables(folder: Path) -> list[Path]:
    """The tables of a run with ground truth."""
    classes = ["background", *CLASSES]
    difference = {"stage": "cams", "split": "train", "recipe": EVIL, "other": "cam", "n": 1, "difference": 0.19}
    boxes = {"recipe": "cam", "random_seed": "", "cams": "cam+pamr", "corloc": 0.4, "corloc_cat": 0.4, "threshold": 0.2}
    found = {
        "summary": summary(),
        "means": summary().assign(n=2, sd=0.01, min=0.3, max=0.5)[list(tables.MEANS)],
        "differences": pd.DataFrame([difference | {"ci_low": 0.1, "ci_high": 0.3, "better": 1}]),
        "per_class": per_recipe(**{"class": classes, "iou": [0.9, 0.5, None], "sd": None, "share": [0.7, 0.2, 0.1]}),
        "by_size": per_recipe(
            **{"from": [0.0, 0.2], "to": [0.2, 1.0], "iou": [0.2, 0.6], "sd": None, "objects": [3, 9]}
        ),
        "boxes": pd.DataFrame([boxes]),
        "superpixels": pd.DataFrame(
            {
                "superpixels": ["slic", "slic~count=7"],
                "per_image": [30, 7],
                "ue": [0.1, 0.2],
                "asa": 0.9,
                "br": 0.8,
                "bp": None,
            }
        ),
    }
    for name, frame in found.items():
        tables.write(folder / f"{name}.csv", frame)
    return [folder / f"{name}.csv" for name in found]


def write_score(path: Path, stage: str) -> Path:
    """A score, of maps with its sweep; the highest is at 0.2."""
    sweep = [{"threshold": 0.1, "miou": 0.2}, {"threshold": 0.2, "miou": 0.31}, {"threshold": 0.3, "miou": None}]
    content = {"sweep": sweep if stage == "cams" else [], "threshold": 0.2 if stage == "cams" else None}
    write_json(path, {"format": "wsss/score", "version": 1, "policies": {}, "absent_classes": [], **content})
    return path


def write_times(folder: Path) -> Path:
    """Benchmarks as Snakemake writes them; one is of another recipe, one is of no job."""
    for name, line in {
        "splits/train/prepare": "1.5\t0:00:01\t50.25\t1\t1\t1\t0\t0\t90\t1.25",
        "plain/train_classifier": "65.0\t0:01:05\t800\t1\t1\t1\t0\t0\t90\t60",
        "plain/cam/evaluation/cams/train": "0.1\t0:00:00\t-\t-\t-\t-\t-\t-\t-\t-",
        "other/train_classifier": "1\t0:00:01\t1\t1\t1\t1\t1\t1\t1\t1",
    }.items():
        path = folder / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n{line}\n")
    return folder


def settings(**changes: Any) -> dict[str, Any]:
    """What `workflow.page` says of the files."""
    slots = {"classifier": "plain", "cams": "cam", "superpixels": "none", "seeds": "threshold", "segmenter": "plain"}
    rows = [
        {"recipe": recipe, "random_seed": None, "stage": stage, "split": split, "score": number}
        for recipe in RECIPES
        for number, (stage, split) in enumerate(STAGES)
    ]
    about = {"name": EVIL, "dataset": "made", "masks": True, "unscored": [], "random_seeds": [], "rows": rows}
    about |= {
        "recipes": [{"recipe": name, **slots} for name in RECIPES],
        "lineages": ["plain/cam/none/threshold/plain"],
    }
    about["histories"] = [{"network": "plain/classifier.safetensors", "recipes": RECIPES}]
    about["histories"] += [{"network": "plain/cam/none/threshold/plain/segmenter.safetensors", "recipes": ["cam"]}]
    about["tags"] = [{"classifier": "plain", "split": "val"}]
    about["superpixels"] = [{"superpixels": name, "curve": "slic"} for name in ("slic", "slic~count=7")]
    return about | changes


def write_manifests(folder: Path) -> list[Path]:
    """Two training images, of which each shows a class, and one held-out image."""
    for split, names in {"train": "ab", "val": "c"}.items():
        entries = (Entry(name, split, f"{name}.png", 1, 1, (number,)) for number, name in enumerate(names, 1))
        write_manifest(folder / f"{split}.json", Manifest("made", tuple(CLASSES), tuple(entries)))
    return [folder / "train.json", folder / "val.json"]


def inputs(folder: Path) -> dict[str, Any]:
    """Every file that the page is made of."""
    folder.mkdir(parents=True, exist_ok=True)
    scores = [write_score(folder / f"{stage}.json", stage) for stage, _ in STAGES]
    for path in scores:
        images = [(f"image{number}", {"confusion": np.array(one, np.int64)}) for number, one in enumerate(IMAGES)]
        write_store(path.with_suffix(".h5"), CONFUSIONS, images, stamp="{}", classes=CLASSES)
    history = folder / "classifier_history.csv", folder / "segmenter_history.csv"
    history[0].write_text("epoch,learning_rate,loss,tags\n1,0.1,0.9,0.9\n2,0.05,0.7,0.7\n")
    history[1].write_text("epoch,learning_rate,loss,share_seeded,share_labelled\n1,0.1,2,0.1,0.3\n2,0.1,1,0.2,0.3\n")
    tags = {"split": "val", "images": 1, "f1": 0.5, "precision": 1.0, "recall": 0.4, "macro_f1": None}
    write_json(folder / "tags.json", {"format": "wsss/tag_score", "version": 1, **tags, "provenance": {}})
    return {
        "manifests": write_manifests(folder),
        "tables": write_tables(folder),
        "scores": scores,
        "confusions": [path.with_suffix(".h5") for path in scores],
        "histories": list(history),
        "tags": [folder / "tags.json"],
        "benchmarks": write_times(folder / "benchmarks"),
    }


def write_warnings(folder: Path) -> Path:
    """One warning, and a table of the classes of a recipe."""
    warning = {
        "recipe": "cam",
        "about": EVIL,
        "text": "nothing is labelled",
        "value": 0.0,
        "limit": 0.01,
        "images": ["a"],
    }
    shares = {"pixels": 0.0123, "tagged": 1, "pixels_where_tagged": 0.2, "missing": 1.0, "untagged": None}
    labels = {"what": "pseudo-labels", "background": 0.9, "unlabelled": None, "classes": [{"class": EVIL, **shares}]}
    tags = [{"split": "val", "images": 1, "f1": 0.5, "per_class": [{"class": EVIL, "f1": None}]}]
    recipes = {"cam": {**labels, "seeds": labels | {"what": "seeds"}, "predictions": {}, "tags": tags}, EVIL: labels}
    content = {"limits": {"missing": 0.01}, "warnings": [warning], "recipes": recipes}
    write_json(folder / "warnings.json", {"format": "wsss/warnings", "version": 1, **content})
    return folder / "warnings.json"


def build(folder: Path, *, only: tuple[str, ...] = (), **changes: Any) -> Path:
    """Write the page into `folder`; `only` are the inputs that there are beside the manifests; returns its path."""
    found = inputs(folder / "inputs")
    if only:
        kept = {"manifests", *only}
        found = {name: paths if name in kept else [] for name, paths in found.items()} | {"benchmarks": None}
    about = settings(**changes)
    for name in ("histories", "tags"):
        about[name] = about[name][: len(found[name])]
    about["rows"] = about["rows"] if found["scores"] else []
    warnings = None if only else write_warnings(folder / "inputs")
    index = folder / "report" / "index.html"
    write_report.run(
        **found, warnings=warnings, index=index, page=index.parent / "page", settings=about, stamp='{"step": "x"}'
    )
    (index.parent / "pictures").mkdir(exist_ok=True)
    (index.parent / "pictures" / "data.js").write_text("window.report = window.report || {};\n")
    return index


def read_script(path: Path) -> Any:
    """The data in a script."""
    text = path.read_text(encoding="ascii").partition(" = ")[2].partition(" = ")[2]
    return json.loads(text.removesuffix(";\n"))
