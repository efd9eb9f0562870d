"""Every slot has a suite of contracts, every method runs in it, and what the suites leave out exists."""

from __future__ import annotations

from pathlib import Path

import pytest
from contracts import cases, effects, test_image_by_image, test_trained
from contracts.cases import Method
from contracts.world import ARRAYS, World

from wsss_steps import methods
from wsss_steps.settings.registry import METHODS
from wsss_steps.workflow.planning import ARTIFACTS, NETWORKS

SLOTS = list(METHODS)


@pytest.mark.parametrize("slot", methods.slots())
def test_every_slot_has_a_suite(slot: str) -> None:
    suite = Path(__file__).parent / f"test_{slot}.py"
    assert suite.exists(), f"write tests/contracts/test_{slot}.py, with SLOT = '{slot}'"
    assert f'SLOT = "{slot}"' in suite.read_text(encoding="utf-8")
    shared = {*test_image_by_image.SLOTS, *test_trained.SLOTS}
    assert slot in shared, f"name the step of '{slot}' in STEPS of contracts/cases.py, or its batch in trainings.py"


@pytest.mark.parametrize("slot", methods.slots())
def test_every_method_has_settings_and_every_settings_class_a_method(slot: str) -> None:
    assert sorted(cls.model_fields["method"].default for cls in METHODS[slot]) == methods.names(slot)


def test_a_method_is_given_what_it_needs(method: Method, drawn: World) -> None:
    """The message names the method and what contracts/world.py cannot give it."""
    assert cases.needs_of(method, drawn).keys() == set(method.cls.needs)


def test_everything_that_a_method_may_need_can_be_given() -> None:
    missing = ARTIFACTS.keys() - ARRAYS.keys() - set(NETWORKS)
    assert not missing, f"draw these in ARRAYS of contracts/world.py: {sorted(missing)}"


def test_settings_that_the_suites_name_exist() -> None:
    known = {name for classes in METHODS.values() for cls in classes for name in cls.model_fields}
    named = {*cases.SMALL, *effects.PATHS, *effects.OTHER_VALUES, *effects.SHOWS_WITH}
    assert named <= known


@pytest.mark.parametrize(("slot", "name", "setting"), effects.SHOWS_NOT)
def test_a_setting_that_is_left_out_exists_and_does_not_show(slot: str, name: str, setting: str) -> None:
    (method,) = (one for one in cases.found(slot) if one.name == name)
    assert setting in method.cls.model_fields
    functions = [getattr(method.module, one) for one in ("build", "losses") if hasattr(method.module, one)]
    assert not any(setting in effects.keywords(one) for one in functions)
