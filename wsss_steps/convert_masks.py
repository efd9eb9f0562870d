"""Write the label images of one split of a known data set, read as its archives unpack; for evaluation alone."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from wsss_steps.cli import main
from wsss_steps.data import archives, sources, voc_lists
from wsss_steps.data.archives import rendering
from wsss_steps.errors import UserError, all_wrong
from wsss_steps.formats.labels import label_folder
from wsss_steps.formats.records import record_of
from wsss_steps.methods import arguments
from wsss_steps.processes import Later, Workers
from wsss_steps.progress import track

log = logging.getLogger(__name__)


def written(folder: Path, made: Sequence[tuple[str, rendering.Make]], wrong: list[str]) -> Iterator[str]:
    """Write every label image, in as many processes as the job has threads; yields the id of each that was written."""

    def begin(image_id: str, make: rendering.Make) -> tuple[str, Callable[[], Path]]:
        call: Later[Path] = Later(functools.partial(rendering.write, folder / f"{image_id}.png", make))
        return image_id, workers.begin(call)

    with Workers(len(made)) as workers:
        begun = (begin(*pair) for pair in made)
        for image_id, finish in track(workers.in_order(begun), len(made), "label images"):
            try:
                finish()
                yield image_id
            except UserError as error:
                wrong.append(f"{image_id}: {error}")


def run(*, root: Path, image_list: Path, output: Path, settings: dict[str, Any], stamp: str = "") -> None:
    """Write the label image `<id>.png` of every image of `image_list` that is scored into the folder `output`.

    `settings` are those of `conversion.masks_settings`. The stamp is written into the folder, a record of all files
    read beside it. A UserError lists all that cannot be read.
    """
    archive, wrong = archives.load(settings["format"]), list[str]()
    before = archive.sources_of_masks(root, **arguments(archive.sources_of_masks, settings))
    ids = voc_lists.read_list(image_list, wrong)
    all_wrong(f"{image_list}: not a list", wrong)
    made = list(archive.label_images(root, ids, **arguments(archive.label_images, settings)))
    with label_folder(output, stamp) as folder:
        count = sum(1 for _ in written(folder, made, wrong))
        all_wrong(f"label images of split '{settings['split']}' in {root}", wrong)
    log.info("%s: %d label images of %d images", settings["split"], count, len(ids))
    sources.keep(before, record_of(output), {})


if __name__ == "__main__":
    main(run)
