"""The font of pictures knows the letters of names, each by a shape of its own."""

from __future__ import annotations

import pytest

from wsss_steps.ops.fonts import sans

MISSING = "\U000f0000"  # of no alphabet: drawn as the sign for a letter that the font has not


@pytest.mark.parametrize("letter", "ücéñßøłçğаΩ")
def test_letters_of_names_are_drawn(letter: str) -> None:
    font = sans(24)
    assert bytes(font.getmask(letter)) not in (bytes(font.getmask(MISSING)), bytes(font.getmask("u")))
