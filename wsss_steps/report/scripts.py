"""Data as scripts: a page that is opened from a file may load a script, but may not fetch anything."""

from __future__ import annotations

import json
from typing import Any

BEGIN = "window.report = window.report || {};\n"


def data_script(name: str, content: Any) -> str:
    """A script that sets `window.report.<name>` to `content`, which is what JSON can hold.

    It is plain ASCII without `<`, so that no text in it ends the script or is a tag. A ValueError for NaN or infinity.
    """
    text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    return f"{BEGIN}window.report.{name} = {text.replace('<', chr(92) + 'u003c')};\n"
