"""docs/settings.md is up to date, and says of every setting what it may be and what it means."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from wsss_steps.commands import settings
from wsss_steps.settings import allowed as words
from wsss_steps.settings.base import Settings, Sides
from wsss_steps.settings.manual import EFFECTS
from wsss_steps.settings.registry import METHODS

TABLES = settings.places()
EVERY = [(place, name) for place, cls in TABLES.items() for name in cls.model_fields if name != "method"]
RANGE = re.compile(
    r"(whole )?number, (?:(\S+) to (\S+)|(?:(at least|above) (\S+))?(?: and )?(?:(at most|below) (\S+))?)(?=;|$)"
)


def said(place: str, name: str) -> str:
    return words.allowed(words.properties(TABLES[place])[name])


def accepts(place: str, name: str, value: Any) -> bool:
    """Whether the setting itself takes a value, in a configuration file's kinds of values."""
    field = TABLES[place].model_fields[name]
    try:
        TypeAdapter(Annotated[field.annotation, name, *field.metadata]).validate_python(value)
    except ValidationError:
        return False
    return True


@pytest.fixture(scope="module")
def document() -> str:
    return settings.document()


def test_the_document_is_up_to_date(document: str, repository: Path) -> None:
    written = (repository / "docs" / "settings.md").read_text(encoding="utf-8")
    assert written == document, "run: python -m wsss_steps settings > docs/settings.md"


@pytest.mark.parametrize("place", TABLES)
def test_every_setting_is_described(place: str) -> None:
    cls = TABLES[place]
    silent = [name for name in cls.model_fields if name != "method" and not words.meaning(cls, name)]
    assert silent == []


def test_every_setting_has_a_type_and_every_number_a_range() -> None:
    kinds = r"`|text|(list|table|a choice)\b|(small )?letters|(odd )?(whole )?number, (any|at least|above|\d|-)"
    bad = [(*where, said(*where)) for where in EVERY if not re.match(kinds, said(*where))]
    bad += [(*where, said(*where)) for where in EVERY if re.search(r"number(?!, (any|at|above|\d|text))", said(*where))]
    assert bad == []


def literals(annotation: Any) -> Iterator[Any]:
    """All values of `Literal` in a type."""
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    else:
        for part in get_args(annotation):
            yield from literals(part)


NAMED = [where for where in EVERY if list(literals(TABLES[where[0]].model_fields[where[1]].annotation))]


def test_values_are_named_exactly() -> None:
    assert len(NAMED) > 30
    for place, name in NAMED:
        values = list(literals(TABLES[place].model_fields[name].annotation))
        assert [f"`{value}`" for value in values if f"`{value}`" not in said(place, name)] == []
        assert not accepts(place, name, "another value")
        assert len(re.findall("`[^`]+`", said(place, name))) == len(values)


NUMBERS = [
    where
    for where in EVERY
    if RANGE.match(said(*where)) and not words.properties(TABLES[where[0]])[where[1]].get("words")
]


@pytest.mark.parametrize("place", sorted({place for place, _ in NUMBERS}))
def test_the_range_of_a_number_is_what_is_accepted(place: str) -> None:
    for name in (name for where, name in NUMBERS if where == place):
        check_range(place, name)
        assert accepts(place, name, None) is ("`null`" in said(place, name))
        assert not accepts(place, name, "many")


def check_range(place: str, name: str) -> None:
    """The ends that the manual gives, and numbers beside them, against the setting itself."""
    found = RANGE.match(said(place, name))
    assert found
    whole, low, high, least, low_end, most, high_end = (text and text.replace(",", "") for text in found.groups())
    step = 1 if whole else 1e-3
    lower = (low or low_end, -step, bool(low) or least == "at least")
    upper = (high or high_end, step, bool(high) or most == "at most")
    for text, outwards, included in (lower, upper):
        if text:
            end = int(text) if whole else float(text)
            assert accepts(place, name, end) is included
            assert not accepts(place, name, end + outwards)
            assert accepts(place, name, end - outwards)
        else:
            assert accepts(place, name, 10**9 * (1 if outwards > 0 else -1))


def test_numbers_are_found() -> None:
    assert len(NUMBERS) > 150
    assert {("predict", "scales")}.isdisjoint(NUMBERS)


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (Annotated[int, Field(ge=1, le=65_536)], "whole number, 1 to 65,536"),
        (Annotated[float, Field(gt=0, le=1)] | None, "number, above 0 and at most 1; or `null`"),
        (Annotated[float, Field(ge=-1, lt=1)], "number, at least -1 and below 1"),
        (Annotated[float, Field(ge=0, le=1, lt=1)], "number, at least 0 and below 1"),
        (Annotated[float, Field(lt=0.05)], "number, below 0.05"),
        (float, "number, any"),
        (bool, "`true` or `false`"),
        (Literal[4, 8, 16], "`4`, `8` or `16`"),
        (Literal["one"], "`one`"),
        (str | None, "text or `null`"),
        (Sides | None, "list of 2, each: whole number, 1 to 16,384, the lower first; or `null`"),
        (tuple[bool, str], "list of 2: `true` or `false`; text"),
        (Annotated[tuple[str, ...], Field(min_length=1)], "list, not empty, each: text"),
        (Annotated[tuple[str, ...], Field(max_length=3)], "list, 0 to 3 of them, each: text"),
        (dict[str, int], "table of names, each: whole number, any"),
    ],
)  # fmt: skip
def test_words(annotation: Any, expected: str) -> None:
    assert words.allowed(TypeAdapter(annotation).json_schema()) == expected


def test_what_has_no_words_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a schema whose type has words"):
        words.allowed({"title": "anything"})


@pytest.mark.parametrize("place", TABLES)
def test_a_constraint_is_given_once(place: str) -> None:
    """Of two of a kind, such as the `le` of a type and of its field, only the type's would hold."""
    for name, field in TABLES[place].model_fields.items():
        kinds = Counter(type(mark).__name__ for mark in field.metadata)
        assert [(name, kind) for kind, count in kinds.items() if count > 1] == []


@pytest.mark.parametrize(
    ("place", "name", "value"),
    [("segmenter.masking", "paths", 65), ("pretrain_keys", "batch_size", 1), ("pretrain_keys", "depth", 1001)],
)
def test_narrower_ranges_hold(place: str, name: str, value: int) -> None:
    assert not accepts(place, name, value)


def test_every_table_is_there_once_and_every_link_leads_to_one(document: str) -> None:
    titles = re.findall(r"^#+ (.*)$", document, re.MULTILINE)
    anchors = [settings.anchor(title) for title in titles]
    assert len(set(anchors)) == len(anchors)
    assert set(re.findall(r"\]\(#([^)]*)\)", document)) <= set(anchors)
    assert {settings.anchor(settings.title_of(place)) for place in TABLES} <= set(anchors)
    contents = document.partition("## Contents")[2].partition("\n## ")[0]
    assert set(re.findall(r"\]\(#([^)]*)\)", contents)) == set(anchors) - {"settings", "contents"}


@pytest.mark.parametrize("place", settings.methods())
def test_a_method_s_table_and_what_it_refers_to_say_everything(place: str) -> None:
    """Following `As ...` from a method gives each of its settings with its own default."""
    cls = TABLES[place]
    told: dict[str, str] = {}
    at: str | None = place
    while at:
        section = "\n".join(settings.section(at))
        rows = re.findall(r"^\| `(\w+)` \| .* \| (`.*?`|\*required\*|its defaults) \| ", section, re.MULTILINE)
        others = re.search(r"other defaults: (.*)\.$", section, re.MULTILINE)
        rows += re.findall(r"`(\w+)` (`[^`]*`)", others[1]) if others else []
        told = dict(rows) | told
        at = settings.base_of(TABLES[at])
    assert told == {name: words.default_of(cls, name) for name in cls.model_fields if name != "method"}


def test_what_trainings_share_is_said_once(document: str) -> None:
    assert len(re.findall(r"^\| `momentum` \|", document, re.MULTILINE)) == 1
    assert len(re.findall(r"^\| `aspp_rates` \|", document, re.MULTILINE)) == 2  # of recurseed, another pyramid


def test_the_settings_that_matter_exist_and_are_twenty() -> None:
    assert [one for one in EFFECTS if one.key not in TABLES[one.place].model_fields] == []
    assert len({(one.place, one.key) for one in EFFECTS}) == len(EFFECTS) == 20


def test_no_word_is_lost_as_markup(document: str) -> None:
    """`<id>` outside of backticks is not shown; a `|` in a cell would begin another."""
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", document, flags=re.DOTALL)
    assert re.findall(r"<[^>\s]*>", prose) == []
    bars = {line.count("|") for line in document.splitlines() if line.startswith("| `") and "allowed" not in line}
    assert bars <= {4, 5, 6}


@pytest.mark.parametrize(("slot", "cls"), [(slot, cls) for slot, classes in METHODS.items() for cls in classes])
def test_the_readme_names_every_method(slot: str, cls: type[Settings], repository: Path) -> None:
    table = (repository / "README.md").read_text(encoding="utf-8").partition("# Methods")[2].partition("##")[0]
    assert f"`{cls.model_fields['method'].default}`" in table, slot
