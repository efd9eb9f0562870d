"""Measure the effect of each point where the published superpixel code departs from LOST.

    python -m benchmarks.key_inputs --manifest results/example/splits/train/manifest.json \
        --ground-truth results/example/splits/train/ground_truth.json \
        --weights weights/example_vit.safetensors --scale 2 --centre

The reference is this project's keys (images padded, position embedding resampled as in DINO's code). Compared with it:
resized images, a position embedding resampled with TensorFlow's bicubic kernel, both, and both on images as that code
reads them, upside down and in BGR. The last line is a yardstick: random noise of at most one of 255 levels per value.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from wsss_steps.data.images import read_image
from wsss_steps.data.manifest import read_ground_truth, read_manifest
from wsss_steps.data.patches import item, whole_patches
from wsss_steps.methods.superpixels import dino
from wsss_steps.nets import vit as vits
from wsss_steps.ops.superpixel_metrics import region_counts
from wsss_steps.pretrained import vit
from wsss_steps.processes import now
from wsss_steps.settings import crf

Array = NDArray[Any]
Item = dict[str, Array]


def of_tensorflow(embedding: Tensor, grid: tuple[int, int]) -> Tensor:
    """The position embedding resampled to exactly `grid` by Keys' kernel with a = -1/2 (torch and OpenCV use -3/4).

    Weights beyond the training grid are dropped, and the others normalised to sum to one. Torch uses that kernel with
    antialias=True, which widens it only when shrinking: ValueError if `grid` is smaller than the training grid.
    """
    side = round((embedding.shape[1] - 1) ** 0.5)
    if min(grid) < side:
        raise ValueError(f"expected a grid of at least {side} x {side} patches, found {grid}")
    square = embedding[:, 1:].reshape(1, side, side, -1).permute(0, 3, 1, 2)
    resampled = functional.interpolate(square, size=grid, mode="bicubic", align_corners=False, antialias=True)
    return torch.cat([embedding[:, :1], resampled.flatten(2).transpose(1, 2)], dim=1)


def keys(loaded: vit.Pretrained, image: Array, mode: Any, scale: float, centre: bool) -> Item:
    """The features of `image`, as the item of a store."""
    patch = vits.patch_side(loaded.vit)
    pixels, extent = whole_patches(
        image, patch=patch, image_scale=scale, input_mode=mode, mean=loaded.mean, std=loaded.std
    )
    with torch.inference_mode():
        return item(vits.keys(loaded.vit, torch.from_numpy(pixels)[None])[0].numpy(), extent, centre)


def upside_down(found: Item) -> Item:
    """The item of an image whose rows were reversed, put back into the image's own row order."""
    return {**found, "features": found["features"][::-1]}


def variants(
    loaded: vit.Pretrained, options: argparse.Namespace
) -> dict[str, Callable[[Array, np.random.Generator], Item]]:
    """Ways from an image to its keys; the first is this project's."""

    def read(image: Array, mode: str) -> Item:
        return keys(loaded, image, mode, options.scale, options.centre)

    def with_kernel(image: Array, mode: str) -> Item:
        with mock.patch.object(vits, "position_embedding", of_tensorflow):
            return read(image, mode)

    def noisy(image: Array, random: np.random.Generator) -> Array:
        return np.clip(image + random.integers(-1, 2, image.shape), 0, 255).astype(np.uint8)

    return {
        "as LOST": lambda image, _: read(image, "pad"),
        "resize": lambda image, _: read(image, "resize"),
        "kernel": lambda image, _: with_kernel(image, "pad"),
        "resize and kernel": lambda image, _: with_kernel(image, "resize"),
        "the same, upside down, BGR": lambda image, _: upside_down(
            with_kernel(np.ascontiguousarray(image[::-1, :, ::-1]), "resize")
        ),
        "noise of one level": lambda image, random: read(noisy(image, random), "pad"),
    }


def cosines(one: Item, other: Item) -> Array:
    """Cosine between the two keys of each patch."""
    first, second = (ones["features"].reshape(-1, ones["features"].shape[-1]).astype(float) for ones in (one, other))
    result: Array = (first * second).sum(axis=1) / (np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1))
    return result


def agreement(one: Array, other: Array) -> tuple[float, float]:
    """Share of the pairs of pixels that are together in one map and apart in the other; adjusted Rand index."""
    table = np.bincount(one.ravel().astype(np.int64) * (int(other.max()) + 1) + other.ravel())
    first, second = np.bincount(one.ravel()), np.bincount(other.ravel())
    both, in_one, in_other, pairs = (
        float((count * (count - 1.0) / 2).sum()) for count in (table, first, second, np.array([one.size]))
    )
    by_chance = in_one * in_other / pairs
    most = (in_one + in_other) / 2
    index = 1.0 if most == by_chance else (both - by_chance) / (most - by_chance)
    return (in_one + in_other - 2 * both) / pairs, index


def main() -> None:
    """Print one line per variant: means over the images."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--ground-truth", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--vit", default=vit.OWN)
    parser.add_argument("--images", type=int, default=200, help="of split train, the first ones")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--centre", action="store_true")
    parser.add_argument("--tau", type=float, default=0.3)
    parser.add_argument("--crf", default="none")
    options = parser.parse_args()
    ways = variants(vit.load(options.vit, options.weights), options)
    superpixels = dino.maker(tau=options.tau, order="lowest", crf=crf.numbers(options.crf))
    truth = read_ground_truth(options.ground_truth)
    entries = [entry for entry in read_manifest(options.manifest).split("train") if entry.id in truth.masks]
    lines: dict[str, list[tuple[float, ...]]] = {name: [] for name in ways}
    whole = 0
    for number, entry in enumerate(entries[: options.images]):
        image = read_image(Path(entry.image))
        found = {name: way(image, np.random.default_rng(number)) for name, way in ways.items()}
        maps = {name: now(superpixels(entry, {"features": keys}))["superpixels"] for name, keys in found.items()}
        own, labels = found["as LOST"], truth.labels(entry.id)
        whole += bool((own["extent"] == image.shape[:2]).all())
        for name in ways:
            cosine = cosines(own, found[name])
            scores = [part[0] / part[1] for part in region_counts(maps[name], labels)]
            apart = agreement(maps["as LOST"], maps[name])
            lines[name].append((float(cosine.mean()), float(cosine.min()), *apart, float(maps[name].max()), *scores))
    print(f"{len(lines['as LOST'])} images, {whole} of them in whole patches as they are")
    heads = ("cosine", "lowest", "pairs apart", "ARI", "superpixels", "UE", "ASA")
    print(f"{'':28}" + "".join(f"{head:>13}" for head in heads))
    for name, rows in lines.items():
        print(f"{name:28}" + "".join(f"{value:13.4f}" for value in np.mean(rows, axis=0)))


if __name__ == "__main__":
    main()
