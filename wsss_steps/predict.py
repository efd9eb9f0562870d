"""Predict the label map of every image of a split: multi-scale scores, then a dense CRF."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from wsss_steps import methods
from wsss_steps.cli import main
from wsss_steps.data.images import normalise, read_image
from wsss_steps.data.manifest import Entry, read_manifest
from wsss_steps.data.originals import Originals, at_original_size, read_originals
from wsss_steps.errors import UserError
from wsss_steps.formats.weights import kind_of_weights
from wsss_steps.methods import per_image
from wsss_steps.methods.per_image import Arrays, Make
from wsss_steps.nets.inference import label_logits
from wsss_steps.nets.segmentation import SegmentationNetwork
from wsss_steps.ops import crf as dense
from wsss_steps.processes import Later, then

TAGGED = "train"  # the split whose tags may be known


def label_maps(
    logits: Float[Tensor, "L H W"],
    image: UInt8[np.ndarray, "H W 3"],
    labels: Sequence[int],
    preset: dense.Preset | None,
    *,
    crf_labels: Literal["all", "winning"],
) -> Arrays | Later[Arrays]:
    """Label maps `after_crf` and `before_crf`, (H, W); only `labels` (ascending, including 0) compete.

    crf_labels: whether all of them still do in the dense CRF, or background and those that win a pixel before it.
    """
    names = np.array(labels, np.uint8)
    probabilities = torch.softmax(logits[list(labels)], dim=0).cpu().numpy()
    winners = probabilities.argmax(0)
    left = np.arange(len(names)) if crf_labels == "all" else np.union1d(0, winners)

    def named(refined: UInt8[np.ndarray, "H W"]) -> Arrays:
        return {"after_crf": names[left][refined], "before_crf": names[winners]}

    call = functools.partial(dense.strongest, image, probabilities[left], preset)
    return then(Later(call) if preset else call(), named)


def maker(network: SegmentationNetwork, content: dict[str, Any], settings: dict[str, Any], device: str) -> Make:
    """A function from an image to its label maps `after_crf` and `before_crf`; `content` describes the network."""
    options, preset = methods.arguments(label_logits, settings), dense.preset_of(settings["crf"])
    backbone, competing = content["network"]["backbone"], methods.arguments(label_maps, settings)

    def make(entry: Entry, _: Mapping[str, Arrays]) -> Arrays | Later[Arrays]:
        image = read_image(Path(entry.image))
        pixels = torch.as_tensor(normalise(image, backbone["mean"], backbone["std"]))[None].to(device)
        labels = [0, *entry.tags] if settings["known_tags"] else range(content["num_classes"] + 1)
        logits = label_logits(network, pixels, network.stride, **options)
        return label_maps(logits, image, labels, preset, **competing)

    return make


def sized(make: Make, originals: Originals) -> Make:
    """The same label maps at the size of the originals, and `working`, those after the dense CRF as they were."""

    def make_sized(entry: Entry, given: Mapping[str, Arrays]) -> Arrays | Later[Arrays]:
        def enlarged(maps: Arrays) -> Arrays:
            return {**at_original_size(maps, entry, originals), "working": maps["after_crf"]}

        return then(make(entry, given), enlarged)

    return make_sized


def segmenting(weights: Path, device: str, classes: Sequence[str]) -> tuple[SegmentationNetwork, dict[str, Any]]:
    """The network in a file of weights that segments, and the file's `content`: of a classifier, its part that does.

    A UserError if the classifier has none, or as `methods.rebuild`.
    """
    if kind_of_weights(weights) != "classifier":
        return methods.rebuild("segmenter", weights, device, classes)
    network, content = methods.rebuild("classifier", weights, device, classes)
    if not hasattr(network, "segmenter"):
        raise UserError(f"{weights}: expected a network that segments, found a classifier '{content['method']}'")
    return network.segmenter, content


def run(
    *,
    manifest: Path,
    segmenter: Path,
    output: Path,
    output_raw: Path | None = None,
    output_working: Path | None = None,
    settings: dict[str, Any],
    device: str = "cpu",
    stamp: str = "",
) -> None:
    """Write the label map of every image of a split as indexed PNG, at the size of the image.

    Args:
        manifest: the data set.
        segmenter: trained network, which may be a classifier that also segments.
        output: folder of `<id>.png` after the dense CRF.
        output_raw: folder of `<id>.png` before it.
        output_working: folder of `<id>.png` after it, at the size at which the image is read, for trainings.
        settings: `split`; `known_tags`: exclude the classes that the image is not tagged with, for pseudo-labels of
            training images; `scales`, `flip`, `merge`; `crf`: parameters of the dense CRF, or None; `crf_labels`: the
            labels that compete in it.
        device: cpu or cuda.
        stamp: provenance, written beside the label maps as `provenance.json`.

    A UserError if `known_tags` is set for a split other than train, or the network was trained for other classes.
    """
    if settings["known_tags"] and settings["split"] != TAGGED:  # such scores would be too good
        raise UserError(
            f"predict: expected known_tags: false for split '{settings['split']}', found true; "
            f"the tags of '{TAGGED}' alone may be known to the labels"
        )
    data = read_manifest(manifest)
    entries = data.split(settings["split"])
    network, content = segmenting(segmenter, device, data.classes)
    outputs = {"after_crf": output, "before_crf": output_raw, "working": output_working}
    make = sized(maker(network, content, settings, device), read_originals(manifest))
    count = per_image.write_label_maps(outputs, entries, make, lowers="scales", stamp=stamp)
    logging.getLogger(__name__).info("%d label maps in %s", count, output)


if __name__ == "__main__":
    main(run)
