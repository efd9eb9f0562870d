"""The contracts catch methods that return nonsense, each by the contract that says what is wrong."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

import pytest
from contracts import cases, nonsense, test_cams, test_declared, test_devices, test_image_by_image
from contracts.world import World

SUITES = (test_image_by_image, test_cams, test_declared, test_devices)
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
Check = Callable[[cases.Method], None]


@pytest.fixture
def contracts(drawn: World, rough: World, mirror: World, lone: World, tmp_path: Path) -> dict[str, Check]:
    """The contracts of maps, by what they say."""
    fixtures = {"drawn": drawn, "rough": rough, "mirror": mirror, "lone": lone}

    def check(contract: Callable[..., None], wanted: list[str]) -> Check:
        def run(method: cases.Method) -> None:
            places = {"tmp_path": tmp_path / contract.__name__}
            places["tmp_path"].mkdir()
            contract(**{name: (fixtures | places | {"method": method})[name] for name in wanted})

        return run

    found = {}
    for suite in SUITES:
        for name, contract in vars(suite).items():
            wanted = list(inspect.signature(contract).parameters) if name.startswith("test_") else []
            if "method" in wanted and "gpu" not in name:
                found[name.removeprefix("test_")] = check(contract, wanted)
    return found


def caught(contracts: dict[str, Check], method: cases.Method) -> set[str]:
    """The contracts that a method breaks."""
    broken = set()
    for name, contract in contracts.items():
        try:
            contract(method)
        except AssertionError:
            broken.add(name)
    return broken


@pytest.mark.parametrize("maker", CAUGHT_BY, ids=lambda maker: maker.__name__)
def test_nonsense_is_caught(maker: Callable[..., nonsense.Make], contracts: dict[str, Check]) -> None:
    assert caught(contracts, nonsense.method(maker)) == CAUGHT_BY[maker]


def test_what_is_right_breaks_no_contract(contracts: dict[str, Check]) -> None:
    """The contracts run here as they do in their suites: what they find above is not of this file's making."""
    assert caught(contracts, nonsense.method(nonsense.cam.maker)) == set()
    assert len(contracts) > 12
