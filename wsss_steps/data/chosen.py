"""A few images that show every class, for pictures."""

from __future__ import annotations

from wsss_steps.data.manifest import Entry, Manifest


def choose(data: Manifest, split: str, count: int) -> list[Entry]:
    """Up to `count` images of a split: each class in turn adds its first image that is not chosen yet."""
    entries = data.split(split)
    chosen: dict[str, Entry] = {}
    while len(chosen) < min(count, len(entries)):
        before = len(chosen)
        for label in range(1, len(data.classes) + 1):
            fresh = [entry for entry in entries if label in entry.tags and entry.id not in chosen]
            if fresh and len(chosen) < count:
                chosen[fresh[0].id] = fresh[0]
        if len(chosen) == before:  # the remaining images have no tag
            fresh = [entry for entry in entries if entry.id not in chosen]
            chosen[fresh[0].id] = fresh[0]
    return list(chosen.values())
