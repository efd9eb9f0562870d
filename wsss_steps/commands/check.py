"""Say before the first job what is wrong with a configuration and its images, and what will be hard about them."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from wsss_steps.errors import UserError
from wsss_steps.workflow import preflight

FOLDERS = [Path("results"), Path("logs")]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """As Snakemake has them."""
    parser.add_argument("config", type=Path, nargs="*", help="a config file, instead of --configfile")
    parser.add_argument("--configfile", type=Path, nargs="+", default=[], help="as for snakemake")
    parser.add_argument("--config", dest="values", nargs="+", default=[], metavar="KEY=VALUE", help="as for snakemake")


def run(options: argparse.Namespace) -> None:
    """Print what is found; a UserError, and so exit status 1, if a run would fail."""
    for line in _found(content_of(options)):
        print(line)


def content_of(options: argparse.Namespace) -> dict[str, Any]:
    """The configuration that these arguments name, as Snakemake would read it; a UserError if it is none."""
    files = [*options.config, *options.configfile]
    if not files:
        raise UserError("expected a config file, such as --configfile configs/own_images.yaml")
    preflight.check(files, FOLDERS)
    content: dict[str, Any] = {}
    for file in files:
        _merge(content, yaml.safe_load(file.read_text(encoding="utf-8")))
    _merge(content, _given(options.values))
    return content


def _given(texts: list[str]) -> dict[str, Any]:
    """Keys and values of `--config`; a UserError for others."""
    pairs = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise UserError(f"--config: expected KEY=VALUE, found '{text}'")
        try:
            pairs[key] = yaml.safe_load(value)
        except yaml.YAMLError:
            pairs[key] = value
    return pairs


def _merge(content: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Put `more` into `content`, mappings key by key, as Snakemake does."""
    for key, value in more.items():
        if isinstance(value, Mapping) and isinstance(content.get(key), Mapping):
            _merge(content[key], value)
        else:
            content[key] = value


def _found(content: Mapping[str, Any]) -> list[str]:
    """Lines about the data set of a configuration; a UserError that lists everything wrong with it."""
    from wsss_steps.data import findings  # here, so that the other commands start without NumPy
    from wsss_steps.workflow import checking, configuration

    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    config = configuration.load(content)
    if config.draw is not None:
        return ["the configuration is valid; its data set is drawn by the workflow"]
    if config.convert is not None:
        return ["the configuration is valid; the workflow converts the archives, and checks every image then"]
    manifests, notes = checking.read(config)
    hard = findings.warnings(manifests, config.max_side) + checking.warnings(config, len(manifests[0].entries))
    return [
        *findings.counts(manifests),
        *(f"note: {count} {what}" for what, count in sorted(notes.items())),
        *(f"warning: {line}" for line in hard),
        f"a run can start: nothing is wrong; {len(hard) or 'no'} {'warning' if len(hard) == 1 else 'warnings'}",
    ]
