"""Print every setting with its default and meaning, as in docs/settings.md."""

from __future__ import annotations

import argparse
import inspect
import json
from collections.abc import Iterator

from pydantic_core import PydanticUndefined

from wsss_steps.settings.base import Backbone, Settings
from wsss_steps.settings.convert import Coco2014, Voc2012
from wsss_steps.settings.registry import METHODS
from wsss_steps.settings.steps import (
    Evaluate,
    EvaluateBoxes,
    EvaluateSuperpixels,
    MakeExample,
    MakeSaliencyExample,
    Predict,
    PretrainKeys,
)
from wsss_steps.settings.strong import Strong
from wsss_steps.workflow.config import WHOLE

STEPS: dict[str, type[Settings]] = {
    "draw": MakeExample,
    "convert` with `format: voc2012": Voc2012,
    "convert` with `format: coco2014": Coco2014,
    "strong": Strong,
    "draw_saliency": MakeSaliencyExample,
    "pretrain_keys": PretrainKeys,
    "predict": Predict,
    "evaluate": Evaluate,
    "evaluate_superpixels": EvaluateSuperpixels,
    "evaluate_boxes": EvaluateBoxes,
    "backbones.<name>": Backbone,
}


def meaning(cls: type[Settings], name: str) -> str:
    """What a setting means: the first description in the class hierarchy, since a class may override only a default."""
    fields = [
        base.model_fields[name] for base in cls.__mro__ if issubclass(base, Settings) and name in base.model_fields
    ]
    return next((field.description for field in fields if field.description), "")


def _table(cls: type[Settings]) -> Iterator[str]:
    yield "| key | default | meaning |"
    yield "|---|---|---|"
    for name, field in cls.model_fields.items():
        if name == "method":
            continue
        if field.default is PydanticUndefined:
            default = "*required*"
        elif isinstance(field.default, Settings):
            default = "see below"
        else:
            default = f"`{json.dumps(field.default)}`"
        yield f"| `{name}` | {default} | {meaning(cls, name)} |"
    yield ""


def document() -> str:
    """The text of docs/settings.md."""
    lines = ["# Settings", "", "Made by `python -m wsss_steps settings`; a test keeps it true.", ""]
    lines += ["## The top level of a configuration file", "", *_table(WHOLE)]
    for name, cls in STEPS.items():
        lines += [f"## `{name}`", "", inspect.cleandoc(cls.__doc__ or ""), "", *_table(cls)]
    for slot, classes in METHODS.items():
        for cls in classes:
            method = cls.model_fields["method"].default
            nested = {key: type(field.default) for key, field in cls.model_fields.items()}
            tables = {f"{slot}.{method}": cls} | {
                f"{slot}.{method}.{key}": inner for key, inner in nested.items() if issubclass(inner, Settings)
            }
            for name, one in tables.items():
                lines += [f"## `{name}`", "", inspect.cleandoc(one.__doc__ or ""), "", *_table(one)]
    return "\n".join(lines).rstrip() + "\n"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(_: argparse.Namespace) -> None:
    """Print the document."""
    print(document(), end="")
