"""Distribute the images of a manifest over shards, so that several jobs share the per-image steps.

The shard of an image is a hash of its id: adding or removing an image changes one shard, and only its jobs rerun.
"""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

from wsss_steps.cli import main
from wsss_steps.data.manifest import Manifest, read_manifest
from wsss_steps.data.originals import read_originals, write_with_originals


def shard_of(image_id: str, count: int) -> int:
    """The shard, 0..count - 1, of an image; it depends only on the id."""
    return int.from_bytes(hashlib.sha256(image_id.encode()).digest()[:8], "big") % count


def shards_of(data: Manifest, names: list[str]) -> list[Manifest]:
    """One manifest for each of the shards `names`, images in their order; a shard may be empty."""
    return [
        dataclasses.replace(
            data, shard=name, entries=tuple(entry for entry in data.entries if shard_of(entry.id, len(names)) == index)
        )
        for index, name in enumerate(names)
    ]


def run(*, manifest: Path, shards: list[Path], settings: dict[str, Any], stamp: str = "") -> None:
    """Write a manifest for each shard, `shards[k]` for shard k; the `stamp` is written beside each."""
    data, originals = read_manifest(manifest), read_originals(manifest)
    for path, part in zip(shards, shards_of(data, [path.stem for path in shards]), strict=True):
        write_with_originals(path, part, originals)


if __name__ == "__main__":
    main(run)
