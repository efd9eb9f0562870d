"""The command line of every step, made from the signature of its `run`.

A step's `run` takes keyword-only parameters: paths (`Path`, `Path | None` or `list[Path]`), `needs` (by name, the paths
of what its method needs), `settings` (a dict), `stamp` and, if it computes on a device, `device`. On the command line
these are `--name PATH` (or several), `--needs NAME=PATH ...`, `--settings JSON` and `--device NAME`; the `stamp`, which
goes into every artifact, is made here (see `provenance`).
"""

from __future__ import annotations

import argparse
import contextlib
import inspect
import json
import logging
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from wsss_steps import measuring
from wsss_steps.errors import UserError, out_of_memory
from wsss_steps.formats.stamps import newest, write_beside
from wsss_steps.provenance.stamp import stamp
from wsss_steps.training import ranks

NOT_PATHS = ("needs", "settings", "device", "stamp")
# options that a step writes; it reads all other paths
OUTPUTS = ("output", "output_raw", "output_growth", "output_working", "history", "score")
# steps that write what others read under the same option names
OUTPUTS_OF = {
    "wsss_steps.prepare": ("manifest", "copies", "saliency"),
    "wsss_steps.prepare_masks": ("ground_truth",),
    "wsss_steps.prepare_boxes": ("boxes",),
    "wsss_steps.convert_tags": ("image_list", "tags"),
    "wsss_steps.shard_manifest": ("shards",),
    "wsss_steps.write_report": ("index", "page"),
    "wsss_steps.compare_recipes": ("means", "differences", "per_class", "by_size", "tables"),
}
# folders of the user's data, whose record of files says what was read (see `data.sources`), and of Snakemake's times
PLACES = ("root", "benchmarks")
# settings that decide how much memory a step needs; lowering the first harms the result least
DECIDE_MEMORY = ("batch_size", "crop", "global_crop", "train_scales", "scales", "image_scale", "resize_long")


def parser_of(run: Callable[..., None]) -> argparse.ArgumentParser:
    """An argument parser with one option for each parameter of `run`."""
    module = inspect.getmodule(run)
    doc = inspect.getdoc(module) or ""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, parameter in inspect.signature(run).parameters.items():
        if name in NOT_PATHS:
            continue
        required = parameter.default is inspect.Parameter.empty
        annotation = str(parameter.annotation)
        # a rule writes `--weights {input.weights}` even without weights: an option without a value means None
        nargs: dict[str, Any] = (
            {"nargs": "*"} if "list[" in annotation else {"nargs": "?"} if "None" in annotation else {}
        )
        parser.add_argument(f"--{name.replace('_', '-')}", type=Path, required=required, metavar="PATH", **nargs)
    if "needs" in inspect.signature(run).parameters:
        what = "what the method of the step needs"
        parser.add_argument("--needs", type=_named_path, nargs="*", default=[], metavar="NAME=PATH", help=what)
    parser.add_argument("--settings", type=json.loads, required=True, metavar="JSON", help="every setting of the step")
    if "device" in inspect.signature(run).parameters:
        parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: auto)")
    parser.add_argument("--code", default="", help="digest of the sources that decide the result, for the stamp")
    parser.add_argument("--log", type=Path, metavar="PATH", help="also write messages to this file")
    return parser


def _named_path(text: str) -> tuple[str, Path]:
    """Name and path of `NAME=PATH`; an ArgumentTypeError if it is not of that form."""
    name, equals, path = text.partition("=")
    if not (name and equals and path):
        raise argparse.ArgumentTypeError(f"expected NAME=PATH, found '{text}'")
    return name, Path(path)


def step_of(run: Callable[..., None]) -> str:
    """The full name of a step's module, even if `python -m` started it as `__main__`."""
    spec = getattr(inspect.getmodule(run), "__spec__", None)
    return spec.name if spec is not None else run.__module__


def outputs_of(step: str) -> tuple[str, ...]:
    """Names of the options that say what a step writes."""
    return OUTPUTS_OF.get(step, OUTPUTS)


def stamp_beside(options: Mapping[str, Any], step: str) -> None:
    """Write the stamp beside each output that cannot hold it: tables and manifests."""
    for name in outputs_of(step):
        given = options.get(name)
        for path in given if isinstance(given, list) else [given]:
            if isinstance(path, Path) and path.is_file() and (path.suffix == ".csv" or step in OUTPUTS_OF):
                write_beside(path, options["stamp"])


def existing(options: Mapping[str, Any], step: str = "") -> dict[str, Path]:
    """The options that are existing paths to read; the paths of a list are numbered."""
    paths: dict[str, Path] = {}
    for name, value in options.items():
        if name in outputs_of(step) or name in PLACES:
            continue
        if isinstance(value, list):
            paths.update({f"{name}[{index}]": path for index, path in enumerate(value)})
        elif name == "needs":
            paths.update(value)
        elif isinstance(value, Path):
            paths[name] = value
    return {name: path for name, path in paths.items() if path.exists()}


def start_log(path: Path | None) -> None:
    """Log to standard error and, if given, to the file `path`; of several processes, only the leader does."""
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if path is not None and ranks.leads():
        path.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(logging.FileHandler(path, mode="w"))
        measuring.start(path)
    logging.basicConfig(
        level=logging.INFO if ranks.leads() else logging.WARNING,
        format="%(asctime)s %(message)s",
        datefmt="%H:%M:%S",
        handlers=handlers,
        force=True,
    )


def main(run: Callable[..., None], argv: list[str] | None = None) -> None:
    """Run a step from the command line; a UserError ends it with a message, a bug with a traceback."""
    options: dict[str, Any] = vars(parser_of(run).parse_args(argv))
    try:
        start_log(options.pop("log"))
    except OSError as error:
        sys.exit(f"ERROR the log cannot be written: {error}")
    code = options.pop("code")
    options |= {"needs": dict(options["needs"])} if "needs" in options else {}
    try:
        with contextlib.ExitStack() as stack:
            if "device" in options:
                from wsss_steps.training import devices  # here, so that steps without a device start without torch

                options["device"] = stack.enter_context(devices.leased(options["device"]))
            step, device = step_of(run), options.get("device", "cpu")
            options["stamp"] = stamp(
                step, settings=options["settings"], code=code, device=device, inputs=existing(options, step)
            )
            stack.enter_context(newest(options["stamp"]))
            run(**options)
        if ranks.leads():
            stamp_beside(options, step)
    except (UserError, OSError) as error:
        logging.error("ERROR %s", error)
        sys.exit(1)
    except Exception as error:
        if shortage := out_of_memory(error):
            logging.error("ERROR %s%s", shortage, _lower(options["settings"]))
        else:
            logging.exception("unexpected error: please report it with this log")
        sys.exit(1)


def _lower(settings: Mapping[str, Any]) -> str:
    """Advice on which settings to lower to save memory, with their values; empty if there are none."""
    found = [f"{name} ({settings[name]})" for name in DECIDE_MEMORY if settings.get(name)]
    return f"; lower {' or '.join(found)}" if found else ""
