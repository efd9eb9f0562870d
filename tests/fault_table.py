"""The message for each fault, compared with docs/reliability.md: its tables list what the tests observe."""

from __future__ import annotations

import re
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "reliability.md"


def said(message: str, printed: object) -> None:
    """Raise unless `message`, in which <...> stands for anything, is in the output and in the document."""
    parts = re.split(r"<[^<>]+>", message)
    if not re.search(".*?".join(map(re.escape, parts)), str(printed), flags=re.DOTALL):
        raise AssertionError(f"expected: {message}\nfound: {printed}")
    if message not in DOCUMENT.read_text(encoding="utf-8"):
        raise AssertionError(f"{DOCUMENT.name} does not say: {message}")
