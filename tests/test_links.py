"""Links of the documents lead to files, and to titles in them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from wsss_steps.commands.settings import anchor

DOCUMENTS = ["README.md", *(f"docs/{path.name}" for path in sorted(Path(__file__).parents[1].glob("docs/*.md")))]


def titles(path: Path) -> set[str]:
    without_code = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return {anchor(title) for title in re.findall(r"^#+ (.*)$", without_code, re.MULTILINE)}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str, repository: Path) -> None:
    document = repository / name
    text = re.sub(r"```.*?```|`[^`\n]*`", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in link:
            continue
        place, _, title = link.partition("#")
        target = document.parent / place if place else document
        if not target.exists() or (title and title not in titles(target)):
            broken.append(link)
    assert broken == []
