"""The contracts catch methods that return nonsense, each by the contract that says what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from contracts import nonsense
from contracts.laws import broken, laws

EVIDENCE = "a_map_is_high_where_the_evidence_of_its_class_lies"
CAUGHT_BY = {
    nonsense.negated: {EVIDENCE},
    nonsense.constant: {
        EVIDENCE,
        "every_setting_has_an_effect",
        "every_function_uses_what_it_is_handed",
        "images_that_differ_give_results_that_differ",
        "everything_is_computed_on_the_device_that_is_given",
    },
    nonsense.deaf: {"every_setting_has_an_effect"},
    nonsense.elsewhere: {"an_image_does_not_see_the_others", "an_image_is_made_of_its_own_files"},
}


@pytest.mark.parametrize("maker", CAUGHT_BY, ids=lambda maker: maker.__name__)
def test_nonsense_is_caught(maker: Callable[..., nonsense.Make], worlds: dict[str, Any], tmp_path: Path) -> None:
    assert broken(nonsense.method(maker), laws("cams", worlds, tmp_path)) == CAUGHT_BY[maker]


def test_what_is_right_breaks_no_contract(worlds: dict[str, Any], tmp_path: Path) -> None:
    """The contracts run here as they do in their suites: what they find above is not of this file's making."""
    known = laws("cams", worlds, tmp_path)
    assert broken(nonsense.method(nonsense.cam.maker), known) == set()
    assert len(known) > 12
