"""Agreement of predicted tags with the given ones."""

from __future__ import annotations

from jaxtyping import Bool
from numpy import ndarray


def tag_scores(predicted: Bool[ndarray, "N C"], tags: Bool[ndarray, "N C"]) -> dict[str, float]:
    """Micro F1, precision and recall over all tags, and macro F1 (the mean over the classes).

    0 / 0 counts as 0. Classes that are neither tagged nor predicted anywhere are left out of the macro mean.
    """
    hits, said, true = ((tags & predicted).sum(0), predicted.sum(0), tags.sum(0))
    seen = said + true > 0
    per_class = 2 * hits[seen] / (said + true)[seen]
    return {
        "f1": float(2 * hits.sum() / max(1, said.sum() + true.sum())),
        "precision": float(hits.sum() / max(1, said.sum())),
        "recall": float(hits.sum() / max(1, true.sum())),
        "macro_f1": float(per_class.mean()) if seen.any() else 0.0,
    }


def scores_per_class(
    predicted: Bool[ndarray, "N C"], tags: Bool[ndarray, "N C"]
) -> list[dict[str, float | int | None]]:
    """F1, precision and recall of each class, None for 0 / 0; and `support`, the number of images tagged with it."""
    counts = zip(*((part.sum(0).tolist()) for part in (tags & predicted, predicted, tags)), strict=True)
    return [
        {
            "f1": 2 * hits / (said + true) if said + true else None,
            "precision": hits / said if said else None,
            "recall": hits / true if true else None,
            "support": true,
        }
        for hits, said, true in counts
    ]
