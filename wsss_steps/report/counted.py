"""Label maps of a split, counted per image, and what they show: pseudo-labels, seeds, predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wsss_steps.ops import label_statistics as stats


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
        """Shares of pixels and images, over all classes and of each; null where there is nothing to take a share of."""
        shares = stats.of_all_pixels(self.counts)
        return {
            "what": self.what,
            "images": len(self.images),
            "background": number(shares[0]),
            "unlabelled": number(shares[-1]),
            "empty": number(float(stats.share(self.empty.sum(), np.array(self.expected)))),
            "classes": [
                {"class": name, "pixels": number(shares[1 + label]), **self._against_tags(label)}
                for label, name in enumerate(self.classes)
            ],
        }

    def _against_tags(self, label: int) -> dict[str, Any]:
        """What the labels of a class are, compared with the tags; nothing without tags."""
        if self.tags is None:
            return {}
        tagged, missing = (int(part[:, label].sum()) for part in (self.tags, stats.lacking(self.counts, self.tags)))
        outside = stats.share(stats.untagged(self.counts, self.tags).sum(axis=0), self.counts[:, 1:-1].sum(axis=0))
        return {
            "tagged": tagged,
            "pixels_where_tagged": number(stats.of_tagged(self.counts, self.tags)[label]),
            "missing": missing / tagged if tagged else None,
            "untagged": number(outside[label]),
        }


def number(value: float) -> float | None:
    """Six decimals; None for NaN, which JSON lacks."""
    return None if np.isnan(value) else round(float(value), 6)
