"""Make the README's first picture: photographs of scikit-image, segmented by a network of the workflow.

    python -m docs.first_picture --segmenter results/voc_subset_chain/.../segmenter.safetensors docs/first_picture.jpg

The photographs come with scikit-image and are in the public domain or CC0 (its docstrings in `skimage.data` say so).
They are read as the network's training images were, with a long side of 320 px, and segmented by the step `predict`
itself, with the settings of the configuration that trained the network.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import skimage
import yaml
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from wsss_steps import predict
from wsss_steps.data.manifest import Entry, Manifest, write_manifest
from wsss_steps.formats.labels import read_labels, voc_palette
from wsss_steps.settings import crf
from wsss_steps.settings.steps import Predict

SPLIT = "photographs"
READ, DRAWN = 320, 480  # longest side, px: as the network reads a photograph, as it is drawn
GAP, LINE, OUTLINE = 14, 28, 2  # px
INK, PAPER, FAILED = (25, 25, 25), (255, 255, 255), (176, 0, 32)
LEAST = 0.005  # share of an image from which a class is named
SHARE = 0.4  # of a class's colour in the overlay
VOC: NDArray[np.float64] = np.array(voc_palette(), np.float64).reshape(256, 3)
PALETTE: NDArray[np.uint8] = np.rint(255 * VOC / VOC.max(axis=1, keepdims=True).clip(1)).astype(np.uint8)
"""VOC's colours, at full brightness."""


class Photograph(NamedTuple):
    """A photograph of `skimage.data`: whose it is, and what there is to say of its segmentation."""

    name: str
    origin: str
    verdict: str
    failed: bool = False


PHOTOGRAPHS = (
    Photograph("chelsea", "Chelsea, by Stefan van der Walt (CC0)", "Right, but for the tips of the ears."),
    Photograph(
        "astronaut", "Eileen Collins, by NASA (public domain)", "Found, but too wide: flag and wall are no person."
    ),
    Photograph("coffee", "Coffee, by Rachel Michetti (CC0)", "Failure: a thing of no class, taken for a dog.", True),
)


def main() -> None:
    """Segment and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--segmenter", type=Path, required=True, help="network of configs/voc_subset_chain.yaml")
    parser.add_argument("--config", type=Path, default=Path("configs/voc_subset_chain.yaml"), help="that trained it")
    parser.add_argument("output", type=Path, help="a .jpg")
    options = parser.parse_args()
    config = yaml.safe_load(options.config.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        rows = segmented(Path(folder), options.segmenter, config)
    drawn(rows, ["background", *config["classes"]]).save(options.output, quality=88)


def segmented(
    folder: Path, segmenter: Path, config: dict[str, Any]
) -> list[tuple[Photograph, Image.Image, NDArray[np.uint8]]]:
    """Each photograph as the network reads it, and its label map, made by the step `predict` in an empty folder."""
    entries = []
    for one in PHOTOGRAPHS:
        path = folder / f"{one.name}.png"
        image = Image.fromarray(getattr(skimage.data, one.name)()).convert("RGB")
        fitted(image, READ).save(path)
        width, height = fitted(image, READ).size
        entries.append(Entry(one.name, SPLIT, str(path), height, width, ()))
    write_manifest(folder / "manifest.json", Manifest(SPLIT, tuple(config["classes"]), tuple(entries)))
    settings = Predict(**config.get("predict", {})).model_dump()
    settings |= {"crf": crf.numbers(settings["crf"]), "split": SPLIT, "known_tags": False}
    output = folder / "segmentation_crf"
    predict.run(manifest=folder / "manifest.json", segmenter=segmenter, output=output, settings=settings)
    return [
        (one, Image.open(folder / f"{one.name}.png").copy(), read_labels(output / f"{one.name}.png"))
        for one in PHOTOGRAPHS
    ]


def fitted(image: Image.Image, side: int) -> Image.Image:
    """The image, resized to a long side of `side` px."""
    scale = side / max(image.size)
    width, height = (round(length * scale) for length in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS)


def drawn(rows: list[tuple[Photograph, Image.Image, NDArray[np.uint8]]], names: list[str]) -> Image.Image:
    """A row for each photograph: it, and its segmentation over it; below, the classes found and what is said of it."""
    photos = [fitted(photo, DRAWN) for _, photo, _ in rows]
    heights = [photo.height + 2 * LINE + GAP for photo in photos]
    sheet = Image.new("RGB", (2 * DRAWN + 3 * GAP, sum(heights) + GAP), PAPER)
    pen, font, top, right = ImageDraw.Draw(sheet), ImageFont.load_default(18), GAP, 2 * GAP + DRAWN
    for (one, _, labels), photo, height in zip(rows, photos, heights, strict=True):
        ink, below = FAILED if one.failed else INK, top + photo.height + 6
        sheet.paste(photo, (GAP, top))
        sheet.paste(overlay(photo, labels), (right, top))
        if one.failed:
            pen.rectangle(
                (right - 4, top - 4, right + photo.width + 3, top + photo.height + 3), outline=FAILED, width=4
            )
        pen.text((GAP, below), one.origin, INK, font)
        pen.text((right, below + LINE - 4), one.verdict, ink, font)
        legend(pen, (right, below), labels, names, font)
        top += height
    return sheet


def overlay(photo: Image.Image, labels: NDArray[np.uint8]) -> Image.Image:
    """The photograph, each class in half-transparent colour with an outline; the background as it is, a little pale."""
    smooth = enlarged(labels, photo.size)
    colours = Image.fromarray(PALETTE[smooth])
    clear = np.asarray(Image.blend(photo, Image.new("RGB", photo.size, PAPER), 0.25))
    tinted = np.asarray(Image.blend(photo, colours, SHARE))
    picture = np.where((smooth > 0)[..., None], tinted, clear)
    inside = Image.fromarray(smooth)
    wide = 2 * OUTLINE + 1
    edge = np.asarray(inside.filter(ImageFilter.MaxFilter(wide))) != np.asarray(
        inside.filter(ImageFilter.MinFilter(wide))
    )
    picture = np.where((edge & (smooth > 0))[..., None], PALETTE[smooth], picture)
    picture = np.where((edge & (smooth == 0))[..., None], 255, picture)
    return Image.fromarray(picture.astype(np.uint8))


def enlarged(labels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """A label map at another size (width, height): each label is enlarged smoothly, and the strongest wins."""
    present = np.unique(labels)
    masks = [Image.fromarray(((labels == label) * 255).astype(np.uint8)) for label in present]
    strength = [np.asarray(mask.resize(size, Image.Resampling.BICUBIC), np.int16) for mask in masks]
    found: NDArray[np.uint8] = present[np.argmax(strength, axis=0)]
    return found


def legend(
    pen: ImageDraw.ImageDraw,
    at: tuple[int, int],
    labels: NDArray[np.uint8],
    names: list[str],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    """The classes in a label map, the largest first, each with its colour and its share of the image."""
    left, top = at
    counts = np.bincount(labels.ravel(), minlength=len(names))[: len(names)]
    for label in sorted(range(1, len(names)), key=lambda label: -counts[label]):
        if counts[label] >= LEAST * labels.size:
            pen.rectangle((left, top + 3, left + 16, top + 19), tuple(PALETTE[label].tolist()), INK)
            text = f"{names[label]} {100 * counts[label] / labels.size:.0f} %"
            pen.text((left + 23, top), text, INK, font)
            left += 23 + round(pen.textlength(text, font)) + 20


if __name__ == "__main__":
    main()
