"""A few images that show every class, for pictures."""

from __future__ import annotations

from collections.abc import Sequence

from wsss_steps.data.manifest import Entry, Manifest


def choose(data: Manifest, split: str, count: int) -> list[Entry]:
    """Up to `count` images of a split: each class in turn adds its first image that is not chosen yet."""
    return spread(data.split(split), len(data.classes), count)


def spread(entries: Sequence[Entry], num_classes: int, count: int) -> list[Entry]:
    """Up to `count` of the images: each class in turn adds its first image that is not chosen yet."""
    chosen: dict[str, Entry] = {}
    while len(chosen) < min(count, len(entries)):
        before = len(chosen)
        for label in range(1, num_classes + 1):
            fresh = [entry for entry in entries if label in entry.tags and entry.id not in chosen]
            if fresh and len(chosen) < count:
                chosen[fresh[0].id] = fresh[0]
        if len(chosen) == before:  # the remaining images have no tag
            fresh = [entry for entry in entries if entry.id not in chosen]
            chosen[fresh[0].id] = fresh[0]
    return list(chosen.values())
