"""All recipes of configs/voc_subset.yaml on twenty real photographs, from nothing to the table."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest
import snakemake_runs as runs
import yaml

pytestmark = [pytest.mark.workflow, pytest.mark.data]
TRAIN, VAL = 14, 6


def slice_of(source: Path, root: Path) -> None:
    """Lay out the first images of both lists of a data set in VOC layout below `root`."""
    for split, count in (("train", TRAIN), ("val", VAL)):
        name = Path("ImageSets", "Segmentation", f"{split}.txt")
        ids = (source / name).read_text().split()[:count]
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("\n".join(ids) + "\n")
        for image_id in ids:
            for part in (
                f"JPEGImages/{image_id}.jpg",
                f"SegmentationClassAug/{image_id}.png",
                f"saliency/{image_id}.png",
            ):
                (root / part).parent.mkdir(exist_ok=True)
                shutil.copy(source / part, root / part)
    shutil.copy(source / "tags.csv", root)


def test_a_slice_of_the_photographs(tmp_path: Path, repository: Path, real_data: Path) -> None:
    root = tmp_path / "photographs" / "voc_animals"
    slice_of(real_data / "voc_animals", root)
    shutil.copytree(real_data / "weights", root.parent / "weights")
    runs.copy_of_project(repository, tmp_path)
    content = yaml.safe_load((repository / "configs" / "voc_subset.yaml").read_text())
    for slot in ("classifier", "segmenter"):
        for settings in content[slot].values():
            settings |= {"epochs": 1, "crop": 128, "warmup_epochs": 0}
    content |= {
        "root": str(root.relative_to(tmp_path)),
        "gallery_images": 4,
        "pretrain_keys": {"epochs": 1, "batch_size": 4},
    }
    runs.configure(tmp_path, content)
    runs.succeed(tmp_path)
    results = tmp_path / "results" / content["dataset"]
    with (results / "summary.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["recipe"] for row in rows} == {"cam", "superpixel", "masking"}
    assert all("mobilenetv2_100_imagenet.safetensors" in row["init_weights"] for row in rows)
    assert {row["extra_supervision"] for row in rows if row["recipe"] == "masking"} == {"", "saliency: given"}
    assert {row["images"] for row in rows} == {str(TRAIN), str(VAL)}
    assert len(list(results.glob("**/pseudo_labels/*.png"))) == 3 * TRAIN
    assert runs.planned(tmp_path) == set()
