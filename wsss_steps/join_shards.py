"""Join what the shards of a stage wrote: into a store that links to them, or one folder of label maps."""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from wsss_steps.cli import main
from wsss_steps.errors import UserError, all_wrong
from wsss_steps.formats.indices import write_index
from wsss_steps.formats.labels import label_folder

log = logging.getLogger(__name__)


def join_folders(output: Path, folders: list[Path], stamp: str) -> int:
    """Copy the label maps of all folders into `output`; returns their number. UserError for a duplicate name."""
    maps = [path for folder in folders for path in sorted(folder.glob("*.png"))]
    twice = [name for name, count in Counter(path.name for path in maps).items() if count > 1]
    all_wrong("label maps that more than one shard has; delete the folders of the shards", twice)
    with label_folder(output, stamp) as folder:
        for path in maps:
            shutil.copyfile(path, folder / path.name)
    return len(maps)


def run(*, shards: list[Path], output: Path, settings: dict[str, Any], stamp: str = "") -> None:
    """Write `output`: a folder from folders of label maps, or from stores a store that links to them.

    UserError if there are no shards, or if an image is in more than one.
    """
    if not shards:
        raise UserError(f"{output}: no shards to join")
    join = join_folders if shards[0].is_dir() else write_index
    log.info("%s: %d images of %d shards", output, join(output, shards, stamp), len(shards))


if __name__ == "__main__":
    main(run)
