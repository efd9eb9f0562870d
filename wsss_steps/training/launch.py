"""Start a training as one process, or as several with torchrun.

`python -m wsss_steps.training.launch PROCESSES STEP WORDS...`
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from wsss_steps.provenance.digests import PACKAGE

USAGE = "python -m wsss_steps.training.launch PROCESSES STEP WORDS..."


def command(processes: int, step: str, words: Sequence[str]) -> list[str]:
    """The command line that runs a step of this package, with the arguments `words`, in so many processes."""
    several = ["torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "-m", "--"]
    return [sys.executable, "-m", *(several if processes > 1 else []), f"{PACKAGE}.{step}", *words]


def main(words: Sequence[str]) -> None:
    """Replace this process by the step, so that signals and exit status are those of the step."""
    if len(words) < 2 or not words[0].isdecimal() or not words[1].isidentifier():
        sys.exit(f"ERROR expected {USAGE}, found {' '.join(words[:2])!r}")
    line = command(int(words[0]), words[1], words[2:])
    os.execv(line[0], line)


if __name__ == "__main__":
    main(sys.argv[1:])
