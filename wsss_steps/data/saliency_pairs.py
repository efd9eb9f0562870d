"""Images with saliency masks, in the layout of DUTS."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from wsss_steps.data.augment import augment
from wsss_steps.data.images import opened, read_image
from wsss_steps.errors import UserError, all_wrong
from wsss_steps.formats import pictures

log = logging.getLogger(__name__)

SALIENT = 127  # values of a mask above it are salient
IMAGES, MASKS = "-Image", "-Mask"  # suffixes of the two folders
MASK_MODES = ("1", "L", "RGB")  # indexed masks are refused: their numbers are palette indices


@dataclass(frozen=True)
class Pair:
    """Paths of an image and of its mask."""

    image: Path
    mask: Path


def find_pairs(root: Path) -> list[Pair]:
    """All pairs below `root`, sorted by name: `<name>-Image/<id>.jpg` with `<name>-Mask/<id>.png`.

    UserError unless there is exactly one such pair of folders. Another lists every image without a mask, mask without
    an image, pair of different sizes (both upright), unreadable file, and mask that is neither grey nor RGB. Logs how
    many images EXIF turns.
    """
    if not root.is_dir():
        raise UserError(f"{root}: no such folder (expected <name>{IMAGES}/*.jpg and <name>{MASKS}/*.png in it)")
    names = sorted(path.name.removesuffix(IMAGES) for path in root.glob(f"*{IMAGES}") if path.is_dir())
    if len(names) != 1 or not (root / f"{names[0]}{MASKS}").is_dir():
        found = ", ".join(sorted(path.name for path in root.iterdir() if path.is_dir())) or "none"
        raise UserError(f"{root}: expected one folder <name>{IMAGES} with its <name>{MASKS}, found folders: {found}")
    images = {path.stem: path for path in (root / f"{names[0]}{IMAGES}").glob("*.jpg")}
    masks = {path.stem: path for path in (root / f"{names[0]}{MASKS}").glob("*.png")}
    problems = [f"{name}: image without a mask" for name in sorted(images.keys() - masks.keys())]
    problems += [f"{name}: mask without an image" for name in sorted(masks.keys() - images.keys())]
    pairs = [Pair(images[name], masks[name]) for name in sorted(images.keys() & masks.keys())]
    examined = [_examine(pair) for pair in pairs]
    problems += [problem for problem, _ in examined if problem]
    all_wrong(f"{root}: pairs that cannot be used", problems)
    if turned := sum(on_its_side for _, on_its_side in examined):
        log.info("note: %d images turned upright by their EXIF orientation", turned)
    if not pairs:
        raise UserError(
            f"{root}: no pairs of an image (.jpg) and a mask (.png) in {names[0]}{IMAGES}, {names[0]}{MASKS}"
        )
    return pairs


def _examine(pair: Pair) -> tuple[str | None, bool]:
    """What is wrong with a pair, from its file headers, and whether EXIF turns its image."""
    try:
        with opened(pair.image) as image:
            size, turn = pictures.upright_size(image), pictures.orientation(image)
        with _opened_mask(pair.mask) as mask:
            other = pictures.upright_size(mask)
    except UserError as error:
        return str(error), False
    if size == other:
        return None, turn != 1
    problem = f"{pair.image.stem}: image of {size[0]} x {size[1]} px (height x width), mask of {other[0]} x {other[1]}"
    if turn in pictures.ON_ITS_SIDE and size == other[::-1]:
        problem += "; the EXIF orientation of the image turns it, so turn the mask as well"
    return problem, False


@contextlib.contextmanager
def _opened_mask(path: Path) -> Iterator[Image.Image]:
    """A mask, not decoded yet; a UserError if it is damaged, of a lossy format or of another mode."""
    try:
        with pictures.opened_without_loss(path) as mask:
            if mask.mode not in MASK_MODES:
                raise UserError(f"{path}: expected a mask of mode {', '.join(MASK_MODES)}, found {mask.mode}")
            yield mask
    except pictures.DAMAGED as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{path}: not a readable mask ({error})") from None


def read_mask(path: Path) -> NDArray[np.uint8]:
    """The mask (H, W), upright: 1 where the value in the file exceeds 127, else 0; a UserError if it is damaged."""
    with _opened_mask(path) as mask:
        return (np.array(pictures.upright(mask).convert("L")) > SALIENT).astype(np.uint8)


class PairDataset(Dataset[dict[str, Tensor]]):
    """`dataset[epoch, index]` has what `augment` returns, with masks (S, S) int64: 1 salient, 0 not or outside.

    augmentation: the keyword arguments of `augment`. seed: with epoch and index it decides every random draw.
    """

    def __init__(self, pairs: Sequence[Pair], *, augmentation: Mapping[str, Any], seed: int) -> None:
        self.pairs, self.augmentation, self.seed = list(pairs), dict(augmentation), seed

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, place: tuple[int, int]) -> dict[str, Tensor]:
        epoch, index = place
        pair = self.pairs[index]
        rng = np.random.default_rng([abs(self.seed), epoch, index])
        arrays = augment(rng, read_image(pair.image), {"masks": (read_mask(pair.mask), 0)}, **self.augmentation)
        return {name: torch.from_numpy(array) for name, array in arrays.items()}
