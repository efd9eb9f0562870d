"""The id of a photograph in a plain folder: its path below the folder, without suffix, as one name of a file.

`cats/IMG 1.jpg` is `cats+IMG 1`. A `+` or `%` in a name, and what no file name may have on some systems, is written as
in addresses of the web, `%2B`; so the path can be read off the id. Free of torch and NumPy.
"""

from __future__ import annotations

import unicodedata
from urllib.parse import unquote

from wsss_steps.data.voc_lists import FORBIDDEN, unsafe

BETWEEN_FOLDERS = "+"
WRITTEN_OUT = (FORBIDDEN | {BETWEEN_FOLDERS, "%"}) - {"/"}
LONGEST = 240  # bytes: an id is the name of a file, with a suffix


def id_of(path: str) -> str:
    """The id of the photograph at `path`, relative, with `/` between folders and with its suffix."""
    stem, dot, _ = path.rpartition(".")
    return BETWEEN_FOLDERS.join(map(_written, (stem if dot else path).split("/")))


def stem_of(image_id: str) -> str:
    """The path without suffix of which `image_id` is the id."""
    return "/".join(map(unquote, image_id.split(BETWEEN_FOLDERS)))


def _written(name: str) -> str:
    """One part of a path, with what may not stand in an id written out."""
    text = "".join(_coded(letter) if _special(letter) else letter for letter in name)
    return text.replace(".", "%2E") if unsafe(text) else text


def _special(letter: str) -> bool:
    return letter in WRITTEN_OUT or unicodedata.category(letter)[0] == "C"


def _coded(letter: str) -> str:
    return "".join(f"%{byte:02X}" for byte in letter.encode())
