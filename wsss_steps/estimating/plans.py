"""Snakemake's plans and runs, from its own words: nothing here imports it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import wsss_steps
from wsss_steps.errors import UserError
from wsss_steps.progress import clock
from wsss_steps.report.benchmarks import step_of

JOB = re.compile(r"^(?:local)?(?:rule|checkpoint) (\w+):$")
FIELD = re.compile(r"^    (input|output|log|benchmark|threads|resources): (.*)$")
DONE = re.compile(r"(\d+) of (\d+) steps \(\d+%\) done")
SHARD = re.compile(r"/\d+-of-\d+$")
LAST_LINES = 15  # of a run that failed, in the message


@dataclass(frozen=True)
class Job:
    """A job of a plan. `of` is what it is of (`report.benchmarks`), without the shard. `log` and `benchmark`
    are paths, empty if it has none."""

    step: str
    of: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    log: str
    benchmark: str
    threads: int
    gpu: bool

    @property
    def key(self) -> tuple[str, str]:
        """What the jobs of all shards have in common."""
        return self.step, self.of


def snakemake(config_file: Path, cores: int, *options: str) -> list[str]:
    """The command line that runs the workflow: that of the working directory, or else the one beside this package."""
    beside = Path(wsss_steps.__file__).parents[1] / "Snakefile"
    file = Path("Snakefile") if Path("Snakefile").is_file() else beside
    words = ["-m", "snakemake", "--snakefile", str(file), "--cores", str(cores), "--configfile", str(config_file)]
    return [sys.executable, *words, "--nocolor", *options]


def plan(config_file: Path, cores: int) -> list[Job]:
    """The jobs of a dry run, in Snakemake's order; a UserError with what it says if it fails."""
    done = subprocess.run(
        snakemake(config_file, cores, "--dry-run"), capture_output=True, text=True, check=False, env=_environment({})
    )
    if done.returncode:
        raise UserError(f"the workflow cannot be planned:\n{_end(done.stdout + done.stderr)}")
    return jobs_in((done.stdout + done.stderr).splitlines())


def jobs_in(lines: Sequence[str]) -> list[Job]:
    """The jobs that Snakemake describes, but for the target, which has no output."""
    found: list[tuple[str, dict[str, str]]] = []
    for line in lines:
        if begins := JOB.match(line):
            found.append((begins[1], {}))
        elif (field := FIELD.match(line)) and found:
            found[-1][1].setdefault(field[1], field[2])
    return [_job(rule, fields) for rule, fields in found if "output" in fields]


def _job(rule: str, fields: Mapping[str, str]) -> Job:
    log, benchmark = fields.get("log", ""), fields.get("benchmark", "")
    of = _of(rule, benchmark)
    gpu = re.search(r"\bgpu=([1-9]\d*)", fields.get("resources", ""))
    inputs, outputs = (tuple(filter(None, re.split(r", (?=\S)", fields.get(name, "")))) for name in ("input", "output"))
    return Job(rule, of, inputs, outputs, log, benchmark, int(fields.get("threads", 1)), gpu is not None)


def _of(rule: str, benchmark: str) -> str:
    """What a job is of, from the place of its table of times: logs/<name>/benchmarks/..."""
    _, _, below = benchmark.partition("/benchmarks/")
    if not below:
        return ""
    of = SHARD.sub("", step_of(Path(below))[1])
    return f"{of}.join" if rule.startswith("join_") else of


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, **more}


def _end(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-LAST_LINES:])


def run(command: Sequence[str], variables: Mapping[str, str], log: Path) -> Iterator[tuple[int, int]]:
    """Run Snakemake and yield how many of how many jobs are done, whenever one is; what it says goes into `log`.

    It goes on past jobs that fail (`--keep-going` must be among the words): which did is told by what they left.
    """
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=_environment(variables)
    )
    with process, log.open("w", encoding="utf-8") as file:
        try:
            for line in process.stdout or ():
                file.write(line)
                if done := DONE.search(line):
                    yield int(done[1]), int(done[2])
        finally:
            process.terminate()  # Snakemake ends its jobs then; of a run that is over, this does nothing


def left(done: int, of: int, seconds: float) -> str:
    """How far a run is, and about how long the rest takes if the other jobs are as long as those so far."""
    return f"{done} of {of} jobs, {clock(seconds)} gone, about {clock(seconds / done * (of - done))} left"
