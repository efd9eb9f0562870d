"""Label maps of a split, counted per image, and what they show: pseudo-labels, seeds, predictions. Free of torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wsss_steps.errors import all_wrong
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.label_maps import LabelMaps
from wsss_steps.ops import label_statistics as stats


def counted(path: Path, images: Sequence[str], num_classes: int) -> NDArray[np.int64]:
    """Pixels of each label in the map of every image, (N, C + 2). UserErrors list those without one, or a bad one."""
    with LabelMaps(path, SEEDS) as maps:
        have = set(maps.ids())
        all_wrong(f"{path}: images without labels", [image for image in images if image not in have])
        counts, problems = np.zeros((len(images), num_classes + 2), np.int64), []
        for row, image in enumerate(images):
            try:
                counts[row] = stats.label_counts(maps[image], num_classes)
            except ValueError as error:
                problems.append(f"{image}: {error}")
        all_wrong(f"{path}: bad labels", problems)
    return counts


@dataclass(frozen=True)
class Maps:
    """Label maps of a split, counted per image: `counts` (N, C + 2) and `tags` (N, C) as `label_statistics` has them.

    Without tags, `tags` is None.
    """

    stage: Literal["seeds", "pseudo_labels", "segmentation_crf"]
    split: str
    recipes: tuple[str, ...]
    classes: Sequence[str]
    images: Sequence[str]
    counts: NDArray[np.int64]
    tags: NDArray[np.bool_] | None

    @property
    def what(self) -> str:
        """What they are, in words."""
        words = {"pseudo_labels": "pseudo-labels", "segmentation_crf": f"predictions for {self.split}"}
        return words.get(self.stage, self.stage)

    def labelled(self) -> Maps:
        """Those of them that have any label: the seeds of an image that is left out say nothing of its classes."""
        some = self.counts[:, :-1].sum(axis=1) > 0
        images = [image for image, has in zip(self.images, some, strict=True) if has]
        return replace(
            self, images=images, counts=self.counts[some], tags=None if self.tags is None else self.tags[some]
        )

    @property
    def empty(self) -> NDArray[np.bool_]:
        """Which images show no class though they are tagged; without tags, which show none."""
        none: NDArray[np.bool_] = self.counts[:, 1:-1].sum(axis=1) == 0
        return none if self.tags is None else none & self.tags.any(axis=1)

    @property
    def expected(self) -> int:
        """How many images should show a class, or without tags may."""
        return len(self.images) if self.tags is None else int(self.tags.any(axis=1).sum())

    def numbers(self) -> dict[str, Any]:
        """Shares of pixels and images, over all classes and of each; None where there is nothing to take a share of."""
        shares, labelled = stats.of_all_pixels(self.counts), self.labelled()
        columns = {"pixels": shares[1:-1], **labelled.against_tags()}
        empty = labelled.empty.sum() / labelled.expected if labelled.expected else np.nan
        rows = zip(self.classes, *columns.values(), strict=True)
        return {
            "what": self.what,
            "images": len(self.images),
            "left_out": len(self.images) - len(labelled.images),
            "background": number(shares[0]),
            "unlabelled": number(shares[-1]),
            "empty": number(empty),
            "classes": [
                {"class": name, **dict(zip(columns, map(number, values), strict=True))} for name, *values in rows
            ],
        }

    def against_tags(self) -> dict[str, NDArray[Any]]:
        """Per class, from the images tagged with it and its pixels elsewhere; nothing without tags.

        These are the number of those images, its share of their pixels, the share of them that lack it, and the share
        of its own pixels that lies in other images.
        """
        if self.tags is None:
            return {}
        tagged, lacking = self.tags.sum(axis=0), stats.lacking(self.counts, self.tags).sum(axis=0)
        outside, own = stats.untagged(self.counts, self.tags).sum(axis=0), self.counts[:, 1:-1].sum(axis=0)
        return {
            "tagged": tagged,
            "pixels_where_tagged": stats.of_tagged(self.counts, self.tags),
            "missing": stats.share(lacking, tagged),
            "untagged": stats.share(outside, own),
        }


def number(value: Any) -> float | int | None:
    """A number as JSON has it: with six decimals; None for NaN."""
    if np.issubdtype(np.asarray(value).dtype, np.integer):
        return int(value)
    return None if np.isnan(value) else round(float(value), 6)
