"""How long Snakemake plans for a data set the size of VOC 2012: `python benchmarks/planning.py [images] [shards]`.

The images are empty files, since a dry run reads none. Lists, manifests and shards are those of a prepared data set.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from wsss_steps import shard_manifest
from wsss_steps.data import sources
from wsss_steps.data.manifest import Entry, Manifest, write_manifest
from wsss_steps.formats.records import record_of

REPOSITORY = Path(__file__).resolve().parent.parent
CLASSES = [f"class_{number}" for number in range(1, 21)]
RECIPES = {
    "cam": {"superpixels": "none", "seeds": "threshold", "segmenter": "plain"},
    "superpixel": {"superpixels": "dino", "seeds": "superpixel", "segmenter": "spsrg"},
    "masking": {
        "classifier": "mdc",
        "cams": "cam~merge=max",
        "seeds": "saliency~saliency=given",
        "segmenter": "masking",
    },
}


def prepare(folder: Path, images: int, shards: int) -> None:
    """Write a project with a data set of empty images whose manifests exist already."""
    for name in ("Snakefile", "rules", "wsss_steps", "envs", "profiles"):
        source = REPOSITORY / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    for name in ("JPEGImages", "SegmentationClass", "Annotations", "ImageSets/Segmentation", "saliency"):
        (folder / "voc" / name).mkdir(parents=True)
    ids = [f"2008_{number:06d}" for number in range(images)]
    splits = {"train": ids[: images * 9 // 10], "val": ids[images * 9 // 10 :]}
    for split, names in splits.items():
        (folder / "voc" / "ImageSets" / "Segmentation" / f"{split}.txt").write_text("\n".join(names) + "\n")
    for name in ids:
        for place in ("JPEGImages/{}.jpg", "saliency/{}.png", "SegmentationClass/{}.png", "Annotations/{}.xml"):
            (folder / "voc" / place.format(name)).touch()
    config = {"dataset": "voc", "root": "voc", "classes": CLASSES, "shards": shards, "recipes": RECIPES}
    config["saliency"] = {"given": {"folder": "{root}/saliency"}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    for split, listed in splits.items():
        write_split(folder, split, listed, shards)


def write_split(folder: Path, split: str, ids: list[str], shards: int) -> None:
    """Write what `prepare`, `prepare_masks` and `shard_manifest` make for a split, records of its files included."""
    place, voc = folder / "results/voc/splits" / split, folder / "voc"
    entries = [Entry(name, split, f"voc/JPEGImages/{name}.jpg", 375, 500, (1,)) for name in ids]
    manifest = Manifest("voc", tuple(CLASSES), tuple(entries))
    write_manifest(place / "manifest.json", manifest)
    (place / "ground_truth.json").write_text("{}")
    listed = f"ImageSets/Segmentation/{split}.txt"
    paths = {"image_folder": "JPEGImages", "annotation_folder": "Annotations"}
    images = sources.of_images(voc, list_file=listed, **paths, tags_csv=None, tagged=True)
    masks = sources.of_masks(voc, list_file=listed, mask_folder="SegmentationClass", scored_list=None)
    sources.keep(images, record_of(place / "manifest.json"), {})
    sources.keep(masks, record_of(place / "ground_truth.json"), {})
    names = [f"{number:03d}-of-{shards:03d}" for number in range(shards)]
    for name, part in zip(names, shard_manifest.shards_of(manifest, names), strict=True):
        write_manifest(place / "shards" / f"{name}.json", part)


def plan(folder: Path, *options: str) -> tuple[float, int]:
    """Duration of a dry run in seconds, and the number of jobs it plans."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "rules", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return time.perf_counter() - begun, int(re.findall(r"^total +(\d+)", done.stdout + done.stderr, re.MULTILINE)[0])


def main() -> None:
    images, shards = (int(word) for word in [*sys.argv[1:], "10582", "16"][:2])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, images, shards)
        for what, options in (
            ("from nothing", ("--forceall",)),
            ("manifest and shards made", ("--rerun-triggers", "mtime")),
        ):
            seconds, jobs = plan(folder, *options)
            print(f"{images} images, {shards} shards, {len(RECIPES)} recipes, {what}: {jobs} jobs, {seconds:.1f} s")


if __name__ == "__main__":
    main()
