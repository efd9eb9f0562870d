"""docs/settings.md is up to date and describes every setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsss_steps.commands import settings
from wsss_steps.settings.base import Settings
from wsss_steps.settings.registry import METHODS
from wsss_steps.workflow.config import Config

CLASSES = [
    Config,
    *settings.STEPS.values(),
    *(cls for classes in METHODS.values() for cls in classes),
]


def test_the_document_is_up_to_date(repository: Path) -> None:
    written = (repository / "docs" / "settings.md").read_text(encoding="utf-8")
    assert written == settings.document(), "run: python -m wsss_steps settings > docs/settings.md"


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_setting_is_described(cls: type[Settings]) -> None:
    silent = [name for name in cls.model_fields if name != "method" and not settings.meaning(cls, name)]
    assert silent == []


@pytest.mark.parametrize(("slot", "cls"), [(slot, cls) for slot, classes in METHODS.items() for cls in classes])
def test_the_readme_names_every_method(slot: str, cls: type[Settings], repository: Path) -> None:
    table = (repository / "README.md").read_text(encoding="utf-8").partition("### Methods")[2].partition("###")[0]
    assert f"`{cls.model_fields['method'].default}`" in table, slot
