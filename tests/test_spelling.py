"""A choice has one spelling, whatever the order of its overrides and the form of its numbers; choices nest."""

from __future__ import annotations

from typing import Any

import known
import pytest

from wsss_steps.errors import UserError
from wsss_steps.workflow import configuration
from wsss_steps.workflow.choices import resolve
from wsss_steps.workflow.config import Config
from wsss_steps.workflow.spelling import links, parse, spell


def load(**changes: Any) -> Config:
    return configuration.load({"dataset": "x", "draw": {}, "classes": ["a"], "recipes": {"a": {}}} | changes)


@pytest.mark.parametrize(
    ("slot", "text", "name"),
    [
        ("seeds", "threshold", "threshold"),
        ("seeds", "threshold~foreground=0.3", "threshold"),  # the default
        ("seeds", "threshold~foreground=0.40", "threshold~foreground=0.4"),
        ("seeds", "threshold~foreground=4e-1", "threshold~foreground=0.4"),
        ("seeds", "threshold~foreground=1.0", "threshold~foreground=1"),
        ("seeds", "threshold~foreground=0.4~background=0.1", "threshold~background=0.1~foreground=0.4"),
        ("seeds", "threshold~background=0.1~foreground=0.4", "threshold~background=0.1~foreground=0.4"),
        ("seeds", "threshold~background=0.00001", "threshold~background=1e-05"),
        ("cams", "cam~scales=[1.0, 0.50]~flip=no", "cam~flip=false~scales=[1,0.5]"),
        ("cams", "cam~scales=[1,0.5,1.5,2]", "cam"),
        ("superpixels", "slic~compactness=1e+5", "slic~compactness=100000"),
        ("superpixels", "slic~compactness=1e5", "slic~compactness=100000"),
        ("superpixels", "dino~features=keys", "dino"),
        ("superpixels", "dino~features=(keys)", "dino"),
        ("superpixels", "dino~features=rgb~tau=0.6", "dino~features=rgb~tau=0.6"),
        ("superpixels", "dino~features=(rgb~cell=4)", "dino~features=(rgb~cell=4)"),
        ("superpixels", "dino~features=(rgb~cell=8)", "dino~features=rgb"),
        (
            "superpixels",
            "dino~features=(keys~centre=true~image_scale=2.0)",
            "dino~features=(keys~centre=true~image_scale=2)",
        ),
        ("seeds", "saliency~saliency=(detector~epochs=3)", "saliency~saliency=(detector~epochs=3)"),
        ("seeds", "saliency~saliency=ground_truth", "saliency~saliency=ground_truth"),
        (
            "seeds",
            "saliency~saliency=(unsupervised~features=(rgb~cell=4)~tau=0.1)",
            "saliency~saliency=(unsupervised~features=(rgb~cell=4)~tau=0.1)",
        ),
        ("classifier", "plain~resize_long=null", "plain~resize_long=null"),
        ("superpixels", "none", "none"),
        ("saliency", "none", "none"),
    ],
)
def test_every_choice_has_one_spelling(slot: str, text: str, name: str) -> None:
    config = load()
    choice = resolve(config, slot, text)
    assert choice.name == name
    again = resolve(config, slot, name)
    assert (again.name, again.settings) == (name, choice.settings)


def test_what_is_configured_needs_no_override() -> None:
    config = load(seeds={"threshold": {"foreground": 0.4}}, superpixels={"dino": {"features": "rgb~cell=4"}})
    assert resolve(config, "seeds", "threshold~foreground=0.4").name == "threshold"
    assert resolve(config, "seeds", "threshold~foreground=0.3").name == "threshold~foreground=0.3"
    assert resolve(config, "superpixels", "dino~features=(rgb~cell=4)").name == "dino"
    assert resolve(config, "superpixels", "dino").settings["features"] == "rgb~cell=4"


def test_equal_recipes_share_their_folder() -> None:
    recipes = {"a": {"seeds": "threshold~foreground=0.30"}, "b": {"seeds": "threshold"}}
    config = load(recipes=recipes, compare_superpixels=["slic~count=30", "slic", "slic~count=7"])
    assert {recipe.lineage() for recipe in config.recipes.values()} == {"plain/cam/none/threshold/plain"}
    assert config.compare_superpixels == ("slic", "slic~count=7")


@pytest.mark.parametrize(
    "value",
    [True, None, 3, 0.1, 1e-7, 1e22, 1e300, "keys", "1", "true", "null", "[", "(x)", "2020-13-01", "é", [1.0, 0.5]],
)
def test_what_is_spelled_reads_the_same(value: Any) -> None:
    (found,) = parse(spell("method", {"key": value}))[1].values()
    assert (float(found) if isinstance(value, float) else found) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dino~features=(keys", "expected a closing bracket for each opening one"),
        ("dino~features=keys)", "expected a closing bracket for each opening one"),
        (
            "dino~features=(kees~centre=true)",
            f"unknown features method 'kees'; known methods: {known.methods_of('features')}",
        ),
        ("dino~features=(keys~centred=true)", "centred: unknown key; known keys: centre, image_scale"),
    ],
)
def test_what_is_said_of_a_wrong_choice_within_a_choice(text: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        load(recipes={"a": {"superpixels": text}})
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("cam", ["cam"]),
        ("cam+pamr", ["cam", "pamr"]),
        ("cam~flip=false+pamr~steps=3+pamr", ["cam~flip=false", "pamr~steps=3", "pamr"]),
        ("slic~compactness=1e+5", ["slic~compactness=1e+5"]),
        ("a~features=(b+c)+d", ["a~features=(b+c)", "d"]),
        ("cam+", ["cam", ""]),
    ],
)
def test_a_chain_is_divided_outside_brackets_and_numbers(text: str, parts: list[str]) -> None:
    assert links(text) == parts
