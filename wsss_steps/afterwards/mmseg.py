"""Label maps in the layout of mmsegmentation's custom data sets: img_dir/<split> and ann_dir/<split>."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from wsss_steps.afterwards import image_files
from wsss_steps.afterwards.label_sources import Split
from wsss_steps.formats.labels import voc_palette
from wsss_steps.ops.labels import IGNORE
from wsss_steps.progress import track

IMAGES, LABELS, ABOUT = "img_dir", "ann_dir", "dataset_info.json"


def write(folder: Path, splits: Sequence[Split], *, images: image_files.Images) -> None:
    """Write photographs, label maps (0 background, 1..C, 255 ignored) and `dataset_info.json` into `folder`.

    All photographs have one suffix, since mmsegmentation wants one: see `image_files.put`.
    """
    suffix = image_files.common_suffix([one.image for split in splits for one in split.labelled])
    for split in splits:
        for name in (IMAGES, LABELS):
            (folder / name / split.name).mkdir(parents=True)
        for one in track(split.labelled, len(split.labelled), split.name):
            one.labels()  # a UserError unless it fits its photograph
            image_files.put(one.image, folder / IMAGES / split.name / f"{one.id}{suffix}", images)
            shutil.copyfile(one.maps, folder / LABELS / split.name / f"{one.id}.png")
    about = _about(splits, suffix)
    (folder / ABOUT).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def _about(splits: Sequence[Split], suffix: str) -> dict[str, object]:
    """What a configuration of mmsegmentation has to know: its `metainfo`, suffixes and prefixes."""
    names = ["background", *splits[0].classes]
    palette = np.array(voc_palette()).reshape(256, 3)[: len(names)].tolist()
    prefixes = {
        one.name: {"img_path": f"{IMAGES}/{one.name}", "seg_map_path": f"{LABELS}/{one.name}"} for one in splits
    }
    return {
        "metainfo": {"classes": names, "palette": palette},
        "img_suffix": suffix,
        "seg_map_suffix": ".png",
        "reduce_zero_label": False,
        "ignore_index": IGNORE,
        "data_prefix": prefixes,
    }
