"""Write the list and the tags of one split of a known data set, read as its archives unpack."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wsss_steps.cli import main
from wsss_steps.data import archives, sources
from wsss_steps.formats.files import write_text
from wsss_steps.formats.records import record_of
from wsss_steps.methods import arguments

log = logging.getLogger(__name__)


def table(ids: Sequence[str], tags: Mapping[str, Sequence[str]]) -> str:
    """The table of tags as CSV: `id,tags`, with ";" between tags; of an image without any an empty field."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("id", "tags"))
    writer.writerows((image_id, ";".join(tags.get(image_id, ()))) for image_id in ids)
    return text.getvalue()


def run(*, root: Path, image_list: Path, tags: Path, settings: dict[str, Any], stamp: str = "") -> None:
    """Write `image_list`, the ids of a split, one a line, and the table `tags` of their classes (CSV).

    `settings` are those of `conversion.tags_settings`. The stamp is written beside both, a record of all files read
    beside the list. A UserError lists everything that is wrong with the archives.
    """
    archive = archives.load(settings["format"])
    before = archive.sources_of_tags(root, **arguments(archive.sources_of_tags, settings))
    ids, names, notes = archive.read_tags(root, **arguments(archive.read_tags, settings))
    log.info("%s: %d images, %d with a tag", settings["split"], len(ids), sum(map(bool, names.values())))
    for what, count in notes.items():
        log.info("note: %d %s", count, what)
    write_text(tags, table(ids, names))
    write_text(image_list, "".join(f"{image_id}\n" for image_id in ids))
    sources.keep(before, record_of(image_list), {})


if __name__ == "__main__":
    main(run)
