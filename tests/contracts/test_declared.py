"""What is declared is what is read: settings, needs, batches and files, all of which are recorded."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from contracts import effects, recording
from contracts.cases import STEPS, Method, made
from contracts.recording import Recorded, RecordedArrays
from contracts.trainings import batch_of, names_of, start
from contracts.world import World

from wsss_steps import methods
from wsss_steps.settings.registry import METHODS
from wsss_steps.workflow.choices import choices_in

SLOTS = list(METHODS)
GIVEN_BY_STEPS = {"classes", "device", "image", "sizes", "source", "weights", "whole"}
"""What functions of methods take by keyword besides settings and needs."""
FUNCTIONS = ("build", "losses", "maker", "seeds", "refined")


def covers(method: Method) -> bool:
    """A classifier of the user's is neither trained nor made image by image: tests/test_import_classifier.py."""
    return method.slot in STEPS or not method.given


def functions_of(method: Method) -> list[Callable[..., Any]]:
    return [getattr(method.module, name) for name in FUNCTIONS if hasattr(method.module, name)]


def unused(function: Callable[..., Any]) -> list[str]:
    """The keyword-only parameters that the body of a function never looks at."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    assert isinstance(tree, ast.FunctionDef)
    return sorted(effects.keywords(function) - loaded(tree))


def loaded(function: ast.FunctionDef) -> set[str]:
    """The names whose values the body of a function looks at."""
    nodes = (node for line in function.body for node in ast.walk(line))
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def test_every_setting_is_read(method: Method, drawn: World, tmp_path: Path) -> None:
    """By the step or by a function that it is handed to; but for choices and paths, which the workflow reads."""
    settings = Recorded(recording.short(method))
    with recording.handed(settings.read):
        recording.run_steps(method, drawn, settings, tmp_path)
    decided = {*choices_in(method.cls), *effects.PATHS, *effects.OF_TABLES, "method"}
    assert sorted(set(method.cls.model_fields) - settings.read - decided) == []


def test_every_function_uses_what_it_is_handed(method: Method) -> None:
    assert {function.__name__: found for function in functions_of(method) if (found := unused(function))} == {}


def test_functions_take_declared_settings_and_needs_alone(method: Method) -> None:
    """A parameter with a default that no settings class has is a setting that nobody can set."""
    known = {*method.cls.model_fields, *method.cls.needs, *GIVEN_BY_STEPS}
    taken = {name for function in functions_of(method) for name in effects.keywords(function)}
    assert sorted(taken - known) == []


def test_what_a_method_needs_is_what_it_reads(method: Method, drawn: World) -> None:
    taken = {name for function in functions_of(method) for name in effects.keywords(function)}
    read = taken & set(method.cls.needs)
    if method.slot in STEPS:
        step = made(method, drawn)
        for entry in drawn.entries:
            given = RecordedArrays(step.given(entry))
            step.make(entry, given)
            read |= given.read
    else:
        batch = Recorded(batch_of(method))
        start(method, method.settings()).loss(batch)
        read |= batch.read & {*method.cls.needs}
        assert batch.read <= {*names_of(method)}
    assert read == {*method.cls.needs, *({"cams"} if method.slot in ("refiner", "seeds") and not method.given else ())}


def test_an_image_is_made_of_its_own_files(method: Method, drawn: World) -> None:
    """After the start, a method opens files that are named as the image."""
    if method.slot in STEPS:
        step = made(method, drawn)
        for entry in drawn.entries:
            given = step.given(entry)
            with recording.opened() as files:
                step.make(entry, given)
            assert {path for path in files if drawn.folder in path.parents and path.stem != entry.id} == set()


@pytest.mark.parametrize("path", sorted(Path(methods.__file__).parent.rglob("*.py")), ids=lambda path: path.stem)
def test_every_keyword_of_a_function_is_used(path: Path) -> None:
    """Also of those that several methods share."""
    found = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            found[node.name] = sorted({argument.arg for argument in node.args.kwonlyargs} - loaded(node))
    assert {name: names for name, names in found.items() if names} == {}


def test_a_record_tells_what_was_read() -> None:
    settings = Recorded({"a": 1, "b": 2, "c": 3, "d": 4})

    def function(*, b: int) -> int:
        return b

    with recording.handed(settings.read):
        assert methods.arguments(function, settings | {"e": 5}) == {"b": 2}
    assert (settings["a"], "c" in settings, settings.get("d")) == (1, True, 4)
    assert settings.read == {"a", "b", "c", "d"}
    other: Mapping[str, Any] = settings | {"e": 5}
    assert (other["e"], settings.read) == (5, {"a", "b", "c", "d", "e"})
