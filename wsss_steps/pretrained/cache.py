"""Files of weights in the cache: where each lies, and whether it is what the table says. Free of torch.

The cache is the folder `wsss-steps` of `XDG_CACHE_HOME` (by default ~/.cache), or the one that `WSSS_CACHE` names. What
`weights: imagenet` stands for lies where torchvision looks for it, in torch's own cache.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from wsss_steps.errors import UserError
from wsss_steps.formats.files import whole
from wsss_steps.pretrained.sources import Transfer
from wsss_steps.pretrained.table import Entry, Source
from wsss_steps.provenance.digests import file_digest

log = logging.getLogger(__name__)

COMMAND = "python -m wsss_steps weights"


def folder() -> Path:
    """The cache of this project."""
    return Path(os.environ.get("WSSS_CACHE") or _of_user() / "wsss-steps").expanduser()


def _of_user() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()


def place(entry: Entry) -> Path:
    """Where the file of an entry lies, or has to be put."""
    if entry.use == "torchvision":
        return Path(os.environ.get("TORCH_HOME") or _of_user() / "torch").expanduser() / "hub/checkpoints" / entry.file
    return folder() / entry.file


def present(entry: Entry) -> Path | None:
    """The file of an entry if it is on this computer, be it in the cache of huggingface.co's own library; or None."""
    if place(entry).is_file():
        return place(entry)
    return next((found for source in entry.sources if source.kind == "hub" and (found := _of_hub(source))), None)


def _of_hub(source: Source) -> Path | None:
    """The file of a source in the cache of huggingface.co's own library, if it is there."""
    from huggingface_hub import try_to_load_from_cache  # here, since planning asks for weights, and rarely for such

    found = try_to_load_from_cache(source.place, source.file)
    return Path(found) if isinstance(found, str) else None


def fetched(entry: Entry) -> Path:
    """The checked file of an entry, fetched if need be: whole or not at all.

    A UserError names every source with what went wrong, the file, and the place to put it by hand.
    """
    if found := present(entry):
        if problem := fault(entry, found):
            raise UserError(f"{found}: {problem}; delete it, and `{COMMAND} {entry.name}` fetches it again")
        return found
    problems = [entry.gated] if entry.gated else []
    for source in entry.sources:
        try:
            with whole(place(entry)) as temporary:
                Transfer(temporary, entry.bytes or 0).bring(source)
                if problem := fault(entry, temporary):
                    raise UserError(problem)
        except UserError as error:
            problems.append(str(error) if source.kind == "url" else f"{source.told()}: {error}")
        else:
            return place(entry)
    raise UserError("\n  ".join([f"weights {entry.name} are missing: {by_hand(entry)}", *problems]))


def by_hand(entry: Entry) -> str:
    """Which file to put where, in words."""
    command = "" if entry.gated else f", or run `{COMMAND} {entry.name}` where there is a network and the same cache"
    return f"expected {_described(entry)} at {place(entry)}{command}"


def _described(entry: Entry) -> str:
    """The file, and what is known of its bytes."""
    size = f"{entry.bytes:,} bytes" if entry.bytes else ""
    beginning = "" if len(entry.sha256) == 64 else "beginning "
    digest = f"sha256 {beginning}{entry.sha256}" if entry.sha256 else ""
    about = ", ".join(filter(None, [size, digest]))
    return f"{entry.file} ({about})" if about else entry.file


def fault(entry: Entry, path: Path) -> str:
    """How a file differs from what the table says of it; empty if it does not."""
    size = path.stat().st_size
    if entry.bytes is not None and size != entry.bytes:
        return f"expected {entry.bytes:,} bytes, found {size:,}"
    digest = file_digest(path)
    if not digest.startswith(entry.sha256):
        return f"expected sha256 {entry.sha256}, found {digest}"
    if not entry.sha256:
        log.info("%s: sha256 %s, which the table does not know", path, digest)
    return ""
