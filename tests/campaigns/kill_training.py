"""Kill tiny trainings at random moments, resume them, and compare their outputs with those of undisturbed ones.

    python tests/campaigns/kill_training.py --kills 100

Every training is killed one to three times (SIGKILL or SIGTERM), then runs to its end. It passes if its weights and
history have the checksums of the undisturbed training, and if every output found after a kill was intact.
The exit status is 1 if one fails. Not part of the tests, since it takes minutes.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests")]

from killing import TRAININGS, Run, make_inputs  # noqa: E402

EPOCHS = (("epochs", 7),)
INTERVALS = (0.0, 0.1, 1e6)  # seconds between two states


def undisturbed(kind: str, inputs: Path, folder: Path) -> tuple[tuple[str, ...], float]:
    """Checksums of the outputs of a training, and its duration in seconds."""
    run = Run(kind, inputs, folder / "undisturbed", EPOCHS)
    run.finish(1e6)  # the first one also starts the fork server
    begun = time.monotonic()
    status = run.finish(1e6)
    if status:
        raise RuntimeError(f"the undisturbed training of {kind} ended with {status}:\n{run.log.read_text()}")
    return run.checksums(), time.monotonic() - begun


def kill(run: Run, longest: float, rng: random.Random, seen: Counter[str]) -> bool:
    """Start a training and kill it; whether its output, if there is any yet, is intact."""
    number = rng.choice((signal.SIGKILL, signal.SIGTERM))
    process = run.start(rng.choice(INTERVALS))
    process.join(rng.uniform(0, longest))
    seen["too late" if process.exitcode is not None else number.name] += 1
    process.kill() if number == signal.SIGKILL else process.terminate()
    process.join(60)
    if process.exitcode is None:
        process.kill()
        return False
    seen["with a state"] += run.state.exists()
    return True


def survives(run: Run, expected: tuple[str, ...], longest: float, rng: random.Random, seen: Counter[str]) -> str:
    """Kill a training one to three times, then let it end; what went wrong, or nothing."""
    for _ in range(rng.randint(1, 3)):
        if not kill(run, longest, rng, seen):
            return "did not end when it was told to"
        whole = zip((run.output, run.history), run.checksums_of_what_is_there(), expected, strict=True)
        if torn := [path.name for path, found, right in whole if found not in (None, right)]:
            return f"torn outputs: {torn}"
    status = run.finish(1e6)
    if status:
        return f"exit status {status} without being killed"
    if "going on from" in run.log.read_text():
        seen["resumed"] += 1
    if run.state.parent.exists():
        return "the state was not deleted"
    return "" if run.checksums() == expected else "other outputs than undisturbed"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100, help="how many kills (default: 100)")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after this time (default: never)")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments (default: 0)")
    options = parser.parse_args()
    rng, seen, begun = random.Random(options.seed), Counter[str](), time.monotonic()
    tried = survived = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_inputs(folder)
        known = {kind: undisturbed(kind, folder, folder / kind) for kind in TRAININGS}
        kills = lambda: sum(seen[kind] for kind in ("SIGKILL", "SIGTERM", "too late"))  # noqa: E731
        while kills() < options.kills and time.monotonic() - begun < options.seconds:
            kind = list(TRAININGS)[tried % len(TRAININGS)]
            run = Run(kind, folder, folder / kind / str(tried), EPOCHS)
            expected, duration = known[kind]
            problem = survives(run, expected, 1.1 * duration, rng, seen)
            tried += 1
            survived += not problem
            if problem:
                print(f"{kind}, training {tried}: {problem}\n{run.log.read_text()}")
        counts = ", ".join(f"{kind} {count}" for kind, count in sorted(seen.items()))
        print(f"kills: {kills()} ({counts}) in {time.monotonic() - begun:.0f} s")
        print(f"survived/tried: {survived}/{tried} trainings")
    sys.exit(survived < tried)


if __name__ == "__main__":
    main()
