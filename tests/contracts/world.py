"""What methods are given in the contracts: small drawn images, everything computed from them, and tiny networks."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from wsss_steps import methods
from wsss_steps.data.images import read_image
from wsss_steps.data.manifest import Entry, Manifest, write_manifest
from wsss_steps.formats.kinds.saliency import SALIENCY
from wsss_steps.formats.stores import write_store
from wsss_steps.formats.weights import write_weights
from wsss_steps.methods.per_image import Arrays
from wsss_steps.nets import vit
from wsss_steps.nets.u2net import U2Net
from wsss_steps.settings.base import Backbone

CLASSES = ("red", "green", "blue")  # also their colours
HEIGHT, WIDTH = 24, 32
CELL = 4
PLAIN = Backbone(net="small", mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)).model_dump(mode="json")
Rectangles = Mapping[int, tuple[slice, slice]]

DRAWN: Mapping[str, Rectangles] = {
    "one": {1: (slice(4, 16), slice(4, 16))},
    "two": {2: (slice(0, 12), slice(16, 28)), 3: (slice(12, 24), slice(4, 12))},
    "none": {},
}


@dataclass(frozen=True)
class World:
    """Images and what a step reads beside them. classifier: weights; left_out: without a given saliency map."""

    folder: Path
    entries: tuple[Entry, ...]
    classifier: Path
    left_out: tuple[str, ...] = ()

    @property
    def manifest(self) -> Path:
        """The manifest of the images, all of the train split."""
        path = self.folder / "manifest.json"
        if not path.exists():
            write_manifest(path, Manifest("drawn", CLASSES, self.entries))
        return path


def regions(rectangles: Rectangles) -> NDArray[np.uint8]:
    """The class of every pixel, 0 background."""
    found = np.zeros((HEIGHT, WIDTH), np.uint8)
    for number, place in rectangles.items():
        found[place] = number
    return found


def colours(rectangles: Rectangles) -> NDArray[np.uint8]:
    """Rectangles of the colours of their classes on grey, with a little noise, so that nothing ties."""
    palette = np.array([[110, 110, 110], [210, 60, 60], [60, 210, 60], [60, 60, 210]])
    noise = np.random.default_rng(0).integers(-8, 9, (HEIGHT, WIDTH, 3))
    return (palette[regions(rectangles)] + noise).astype(np.uint8)


def smooth_noise(seed: int) -> NDArray[np.uint8]:
    """Spots of all colours."""
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return np.asarray(Image.fromarray(small).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))


def make_world(
    folder: Path,
    pictures: Mapping[str, tuple[NDArray[np.uint8], Sequence[int]]],
    classifier: Path,
    left_out: tuple[str, ...] = (),
) -> World:
    """Write images, with the tags of each, and their saliency maps below `folder`."""
    (folder / "saliency").mkdir(parents=True)
    entries = []
    for name, (pixels, tags) in pictures.items():
        Image.fromarray(pixels).save(folder / f"{name}.png")
        if name not in left_out:
            Image.fromarray(vividness(pixels)).save(folder / "saliency" / f"{name}.png")
        entries.append(Entry(name, "train", str(folder / f"{name}.png"), *pixels.shape[:2], tuple(tags)))
    return World(folder, tuple(entries), classifier, left_out)


def mirrored(world: World, folder: Path) -> World:
    """The mirror images."""
    pictures = {
        entry.id: (np.ascontiguousarray(read_image(Path(entry.image))[:, ::-1]), entry.tags) for entry in world.entries
    }
    return make_world(folder, pictures, world.classifier, world.left_out)


def alone(world: World, entry: Entry, folder: Path) -> World:
    """A world of one of the images."""
    return make_world(folder, {entry.id: (read_image(Path(entry.image)), entry.tags)}, world.classifier)


def vividness(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Saliency (H, W): how far a pixel is from grey."""
    found: NDArray[np.uint8] = pixels.max(2) - pixels.min(2)
    return found


def class_maps(pixels: NDArray[np.uint8], tags: Sequence[int]) -> NDArray[np.float32]:
    """Maps (n, H, W): how much of its colour a pixel has more than of the others, each with maximum 1."""
    own = pixels.astype(np.float32)
    maps = [np.maximum(0, own[..., tag - 1] - own.mean(2)) for tag in tags]
    return np.array([one / one.max() for one in maps], np.float32).reshape(-1, *pixels.shape[:2])


# From an image and its tags to its arrays, by the kind of store. All are mirrored if the image is.
ARRAYS: Mapping[str, Callable[[NDArray[np.uint8], Sequence[int]], Arrays]] = {
    "cams": lambda pixels, tags: {"cam": class_maps(pixels, tags), "class": np.array(tags, np.uint8)},
    "features": lambda pixels, _: {
        "features": _cells(pixels.astype(np.float32) - pixels.mean((0, 1))).astype(np.float16),
        "extent": np.array(pixels.shape[:2], np.float32),
    },
    "superpixels": lambda pixels, _: {
        "superpixels": _ids(pixels),
        "seed_patches": np.full(_ids(pixels).max(), -1, np.int32),
    },
    "saliency": lambda pixels, _: {"saliency": vividness(pixels) / np.float32(255)},
    "seeds": lambda pixels, tags: {"seeds": _strongest(pixels, tags)},
    "strong_masks": lambda pixels, tags: {"masks": _strongest(pixels, tags)},
    "refined_saliency": lambda pixels, _: {"refined": np.select([vividness(pixels) > 90], [1], 0).astype(np.uint8)},
}


def _cells(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = pixels.shape[:2]
    mean: NDArray[np.float32] = pixels.reshape(height // CELL, CELL, width // CELL, CELL, 3).mean((1, 3))
    return mean


def _strongest(pixels: NDArray[np.uint8], tags: Sequence[int]) -> NDArray[np.uint8]:
    """The class of vivid pixels, 0 elsewhere."""
    strongest = np.array([0, *tags], np.uint8)[1:][class_maps(pixels, tags).argmax(0)] if tags else 0
    return np.where(vividness(pixels) > 90, strongest, 0).astype(np.uint8)


def _ids(pixels: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Superpixels 1..n of like colour."""
    coarse = (pixels // 86).astype(int) @ np.array([1, 3, 9])
    return (np.unique(coarse, return_inverse=True)[1].reshape(coarse.shape) + 1).astype(np.uint16)


def write_network(path: Path, slot: str, method: str, network: nn.Module, classes: Sequence[str], **build: Any) -> Path:
    """A checkpoint as a training leaves it."""
    content = {"method": method, "num_classes": len(classes), "classes": list(classes), "network": build}
    write_weights(path, slot, network.state_dict(), content=content, stamp="")
    return path


def colour_classifier(path: Path) -> Path:
    """Weights set by hand: the score map of a class is how much of its colour a place has more than of the others."""
    build = {"backbone": PLAIN, "output_stride": 4, "dilated": True, "frozen_stages": 0, "frozen_batch_norm": "none"}
    network = methods.load("classifier", "plain").build(3, **build)
    with torch.no_grad():
        for layer in (one for one in network.modules() if isinstance(one, nn.Conv2d)):
            layer.weight.zero_()
        for number, stage in enumerate(network.backbone.net.stages):
            weight = stage[0][0].weight
            middle = slice(1, 3) if weight.shape[-1] == 4 else slice(1, 2)
            mixing = 1.5 * torch.eye(3) - 0.5 if number == 0 else torch.eye(3)
            weight[:3, :3, middle, middle] = mixing[:, :, None, None] / len(range(4)[middle]) ** 2
        network.head.weight[:, :3, 0, 0] = torch.eye(3)
    return write_network(path, "classifier", "plain", network, CLASSES, **build)


def random_classifier(path: Path) -> Path:
    """Random weights, and a head of several layers."""
    build = {"backbone": PLAIN, "output_stride": 8, "dilated": True, "frozen_stages": 0, "frozen_batch_norm": "none"}
    build |= {"dilations": [], "widths": [8, 8], "init": "kaiming", "init_std": 0.1}
    torch.manual_seed(1)
    network = methods.load("classifier", "mdc").build(3, **build)
    return write_network(path, "classifier", "mdc", network, CLASSES, **build)


def fickle_classifier(path: Path, of: Path) -> Path:
    """The classifier in the file `of` with FickleNet's head: a linear head becomes the centre of its kernel.

    What lies around the centre has a fourth of its weight, so that draws differ. A head of layers becomes a random one.
    """
    network, content = methods.rebuild("classifier", of)
    build = {name: content["network"][name] for name in FROM_OTHERS}
    build |= {"window": 3, "dropout": 0.5, "form": "centre_preserving", "rescale": False}
    torch.manual_seed(3)
    fickle = methods.load("classifier", "ficklenet").build(3, **build)
    fickle.backbone.load_state_dict(network.backbone.state_dict())
    if isinstance(network.head, nn.Conv2d):
        around = torch.full((3, 3), 0.25)
        around[1, 1] = 1
        with torch.no_grad():
            fickle.head.conv.weight.copy_(network.head.weight * around)
    return write_network(path, "classifier", "ficklenet", fickle, CLASSES, **build)


def classifier_for(method: str, world: World) -> Path:
    """The classifier of a world; for a method that asks for one of its own kind, such a one."""
    if method not in OWN_CLASSIFIERS:
        return world.classifier
    path = world.classifier.with_name(f"classifier_{method}.safetensors")
    return path if path.exists() else OWN_CLASSIFIERS[method](path, world.classifier)


OWN_CLASSIFIERS = {"ficklenet": fickle_classifier}
FROM_OTHERS = ("backbone", "output_stride", "dilated", "frozen_stages", "frozen_batch_norm")


def saliency_store(world: World) -> Path:
    """A store of the saliency maps of the images, which lists those that are left out."""
    path = world.folder / "saliency.h5"
    pixels = {entry.id: read_image(Path(entry.image)) for entry in world.entries}
    items = [(name, ARRAYS["saliency"](one, ())) for name, one in pixels.items()]
    write_store(path, SALIENCY, items, stamp="{}", left_out=world.left_out)
    return path


def tiny_vit(path: Path) -> Path:
    """A vision transformer with random weights, whose patches of 5 px do not divide the images."""
    torch.manual_seed(2)
    shape = vit.Shape(patch=5, width=12, depth=2, heads=3, image_size=15)
    content = {**vars(shape), "mean": [0.5] * 3, "std": [0.25] * 3}
    write_weights(path, "vit", vit.build(shape).state_dict(), content=content, stamp="")
    return path


def vivid_u2net(path: Path) -> Path:
    """A U²-Net without training, to which a pixel is the more salient the farther it is from grey."""
    network = U2Net("u2netp").requires_grad_(False)
    for parameter in network.parameters():
        parameter.zero_()
    first, last, scale = network.down[0].enter, network.up[-1].enter, torch.tensor([0.229, 0.224, 0.225])
    for channel, (more, less) in enumerate(itertools.permutations(range(3), 2)):  # how much one colour exceeds another
        first.weight[channel, [more, less], 1, 1] = scale[[more, less]] * torch.tensor([1.0, -1.0])
        first.bias[channel] = (0.485, 0.456, 0.406)[more] - (0.485, 0.456, 0.406)[less]
        last.weight[channel, len(last.weight) + channel, 1, 1] = 1
        network.sides[0].weight[0, channel, 1, 1] = 1
    network.fuse.weight[0, 0] = 1
    write_weights(path, "pretrained", network.state_dict(), content={}, stamp="")
    return path


def drawn_world(folder: Path) -> World:
    """Coloured rectangles, and the classifier that knows their colours."""
    folder.mkdir()
    pictures = {name: (colours(rectangles), tuple(rectangles)) for name, rectangles in DRAWN.items()}
    return make_world(folder, pictures, colour_classifier(folder / "classifier.safetensors"))


def rough_world(folder: Path) -> World:
    """Spots, a random classifier, and an image without a given saliency map."""
    folder.mkdir()
    tags: Mapping[str, tuple[int, ...]] = {"spots": (1, 2, 3), "others": (1, 3)}
    pictures = {name: (smooth_noise(seed), tags[name]) for seed, name in enumerate(tags)}
    return make_world(folder, pictures, random_classifier(folder / "classifier.safetensors"), left_out=("others",))
