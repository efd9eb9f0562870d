"""`python -m wsss_steps <command>`: the commands of the folder `commands`."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

from wsss_steps import commands
from wsss_steps.errors import UserError


def parser_of_commands() -> argparse.ArgumentParser:
    """A parser with one subcommand for each module of `commands`."""
    parser = argparse.ArgumentParser(prog="python -m wsss_steps", description="Commands beside the workflow.")
    found = parser.add_subparsers(required=True, metavar="command")
    for path in sorted(Path(str(commands.__file__)).parent.glob("*.py")):
        if path.stem != "__init__":
            module = importlib.import_module(f"{commands.__name__}.{path.stem}")
            command = found.add_parser(path.stem, help=module.__doc__, description=module.__doc__)
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser


def main(words: list[str] | None = None) -> None:
    """Run a command; a UserError ends it with a message and exit status 1."""
    options = parser_of_commands().parse_args(words)
    try:
        options.run(options)
    except UserError as error:
        print(f"ERROR {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
