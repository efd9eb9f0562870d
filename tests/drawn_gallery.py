"""A tiny data set with every kind of layer, as `draw_pictures` takes it: two recipes, two splits."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from tiny_voc import CLASSES, HEIGHT, SPLITS, TAGS, WIDTH, config, make_voc, truth_of, write_saliency

from wsss_steps import draw_pictures, evaluate
from wsss_steps.data.manifest import Manifest, write_ground_truth, write_manifest
from wsss_steps.data.voc import read_split
from wsss_steps.data.voc_masks import read_masks
from wsss_steps.formats import kinds
from wsss_steps.formats.image_scores import write_image_scores
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.labels import write_labels
from wsss_steps.formats.stores import write_store
from wsss_steps.methods import arguments
from wsss_steps.workflow import pictures, splits

RECIPES = {
    "plain": {"superpixels": "slic", "seeds": "superpixel", "segmenter": "plain"},
    "erase & judge #1": {"classifier": "mdc", "seeds": "saliency~saliency=given", "segmenter": "masking"},
}
SETTINGS = {"images": 100, "side": WIDTH, "map_side": 240, "quality": 80, "seed": 0}
EVALUATE = {"pred_ignore": "count_as_wrong", "absent": "nan_skip", "bootstrap": 0, "seed": 0, "thresholds": [0.5]}
LEFT_OUT = "t1"  # the training image without a saliency map


def cropped(labels: np.ndarray) -> np.ndarray:
    """A prediction that is right but for the lowest third, which it takes for background; void is filled with it."""
    found = np.where(labels == 255, 0, labels)
    found[2 * HEIGHT // 3 :] = 0
    return found.astype(np.uint8)


def all_background(labels: np.ndarray) -> np.ndarray:
    return np.zeros_like(labels)


def arrays_of(layer: pictures.Layer, name: str) -> dict[str, np.ndarray]:
    """What the store of a layer holds of an image."""
    truth, tags = truth_of(name), [CLASSES.index(tag) + 1 for tag in TAGS[name]]
    ramp = np.tile(np.linspace(0, 1, WIDTH, dtype=np.float32), (HEIGHT, 1))
    if layer.kind == "cams":
        return {"cam": np.stack([ramp] * len(tags)), "class": np.array(tags, np.uint8)}
    if layer.kind == "superpixels":
        regions = np.arange(HEIGHT)[:, None] // 4 * 2 + np.arange(WIDTH) // 8 + 1
        return {"superpixels": regions.astype(np.uint16), "seed_patches": np.zeros(6, np.int32)}
    if layer.kind == "saliency":
        return {"saliency": ramp}
    if layer.kind == "refined_saliency":
        return {"refined": np.where(truth == 255, 255, np.minimum(truth, 1)).astype(np.uint8)}
    if layer.kind == "growth":
        start = np.where(np.arange(WIDTH) < WIDTH // 2, truth, 255).astype(np.uint8)
        return {"frames": np.stack([start, truth]), "epochs": np.array([0, 2], np.int32)}
    return {"seeds": truth}


class Made:
    """The folder of a data set and its artifacts, and how `draw_pictures` is called on them."""

    def __init__(self, folder: Path, renamed: str = "", **overrides: Any) -> None:
        self.folder, self.results = folder, folder / "results"
        write_saliency(make_voc(folder / "voc"), SPLITS["train"])
        self.config = config(folder / "voc", recipes=overrides.pop("recipes", RECIPES), **overrides)
        self.layers = pictures.layers(self.config)
        self.renamed = renamed
        for split in (pictures.TRAIN, *self.config.splits):
            self._write_split(split)
        for layer in self.layers:
            self._write(layer)
        for path in pictures.scores(self.config):
            rows = [(self.name(name), [0.25, 0.75]) for name in SPLITS["train"]]
            write_image_scores(self.place(path), CLASSES, rows)
        self._evaluate()

    def name(self, name: str) -> str:
        """An image's name in the gallery: t0 may be renamed."""
        return self.renamed if self.renamed and name == "t0" else name

    def place(self, path: str) -> Path:
        """A path of the rules."""
        found = Path(re.sub("^<results>", str(self.results), path))
        found.parent.mkdir(parents=True, exist_ok=True)
        return found

    def _write_split(self, split: str) -> None:
        mine, root = self.config, Path(self.config.root)
        found, _ = read_split(root, **arguments(read_split, splits.images_settings(mine, split)))
        if split in pictures.scored(mine):
            truth, _ = read_masks(root, found, **arguments(read_masks, splits.masks_settings(mine, split)))
            for field in ("masks", "sha256"):
                table = getattr(truth, field)
                table.update({self.name(name): table.pop(name) for name in list(table)})
            write_ground_truth(self.place(pictures.truth_of(split)), truth)
        entries = tuple(type(one)(**{**vars(one), "id": self.name(one.id)}) for one in found.entries)
        write_manifest(
            self.place(f"<results>/splits/{split}/manifest.json"), Manifest(found.dataset, found.classes, entries)
        )

    def _write(self, layer: pictures.Layer) -> None:
        path, names = self.place(layer.path), SPLITS[layer.split]
        if layer.kind == "ground_truth" or path.exists():
            return
        if layer.row in ("pseudo-labels", "prediction", "prediction after the dense CRF", "masked images"):
            path.mkdir()
            change = all_background if layer.row == "prediction" else cropped
            for name in names:
                write_labels(path / f"{self.name(name)}.png", change(truth_of(name)))
            return
        kind = SEEDS if layer.row == "seeds" else kinds.find(layer.kind)
        items = [(self.name(name), arrays_of(layer, name)) for name in names[: 1 if layer.kind == "growth" else None]]
        left_out = [LEFT_OUT] if "saliency" in layer.kind else None
        write_store(path, kind, items, stamp="{}", left_out=left_out)

    def _evaluate(self) -> None:
        for layer in self.layers:
            if layer.confusions is not None:
                kind = "cams" if layer.kind == "cams" else "seeds" if layer.row == "seeds" else "label_maps"
                evaluate.run(
                    manifest=self.place(f"<results>/splits/{layer.split}/manifest.json"),
                    ground_truth=self.place(pictures.truth_of(layer.split)),
                    predictions=self.place(layer.path),
                    output=self.place(layer.confusions),
                    score=self.place(layer.confusions).with_suffix(".json"),
                    settings={**EVALUATE, "stage": layer.row, "kind": kind, "split": layer.split},
                )

    def inputs(self) -> dict[str, list[Path]]:
        """The files, by the names of the step's parameters."""
        named = ("manifests", "ground_truths", "sources", "confusions", "scores")
        return {name: [self.place(path) for path in getattr(pictures, name)(self.config)] for name in named}

    def draw(self, output: Path | None = None, **settings: Any) -> dict[str, Any]:
        """Draw the gallery; returns the data of the page."""
        output = output or self.folder / "report" / "pictures"
        given = {**json.loads(pictures.settings(self.config)), **SETTINGS, **settings}
        draw_pictures.run(**self.inputs(), output=output, settings=given, stamp='{"step": "draw_pictures"}')
        return data_of(output)


def data_of(folder: Path) -> dict[str, Any]:
    """What data.js gives to the page."""
    text = (folder / "data.js").read_text(encoding="ascii")
    found: dict[str, Any] = json.loads(text.partition("window.report.gallery = ")[2].rstrip().removesuffix(";"))
    return found
