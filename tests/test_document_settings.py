"""docs/settings.md says what is true now, and of every setting what it means."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsss_steps import document_settings
from wsss_steps.configuration import Config
from wsss_steps.settings.base import Settings
from wsss_steps.settings.registry import METHODS

CLASSES = [
    Config,
    *document_settings.ROOMS.values(),
    *(cls for classes in METHODS.values() for cls in classes),
]


def test_the_document_is_up_to_date(repository: Path) -> None:
    written = (repository / "docs" / "settings.md").read_text(encoding="utf-8")
    assert written == document_settings.document(), "run: python -m wsss_steps.document_settings > docs/settings.md"


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_setting_is_described(cls: type[Settings]) -> None:
    silent = [name for name in cls.model_fields if name != "method" and not document_settings.meaning(cls, name)]
    assert silent == []
