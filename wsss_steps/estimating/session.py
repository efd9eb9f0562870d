"""The course of an estimate: cut the slice, plan the run, run the slice, scale what it spent."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from PIL import Image
from tqdm import tqdm

from wsss_steps import measuring
from wsss_steps.data import voc_lists
from wsss_steps.data.images import opened
from wsss_steps.errors import UserError
from wsss_steps.estimating import cuts, plans, slices
from wsss_steps.estimating.cuts import SCORED, Cut
from wsss_steps.estimating.estimates import Measured, estimate, measured
from wsss_steps.estimating.plans import Job
from wsss_steps.estimating.reports import Estimate, lines, write
from wsss_steps.estimating.sizes import Sizes
from wsss_steps.estimating.stand_ins import StandIns, stand_in
from wsss_steps.workflow import configuration
from wsss_steps.workflow.config import Config

__all__ = ["Slice", "cut", "estimated", "gpus", "lines", "measure", "write"]
LOG = "snakemake.log"
SECONDS_BETWEEN_LINES = 10.0
TRIES, EMPTY = 5, "no pixel of any image is the seed of a class"  # what `train_segmenter` says then
BUSY = 1.25  # other work per core, from which on times are longer than they would be


@dataclass
class Slice:
    """A slice that is cut: of which configuration, the plan of the run, and what the slice spent once it has run."""

    config: Config
    of_slice: Config
    images: Cut
    plan: list[Job]
    folder: Path
    found: StandIns
    spent: dict[tuple[str, str], Measured] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """The configuration file of the slice."""
        return self.folder / "slice.yaml"

    @property
    def results(self) -> Path:
        """The folder of results of the slice."""
        return Path(self.of_slice.results)

    def counts(self) -> list[str]:
        """Lines that say how many images and jobs there are."""
        full, taken = self.images.full, self.images.taken
        splits = ", ".join(f"{full[name]:,} of {name}" for name in full if name != SCORED)
        some = ", ".join(f"{taken[name]} of {name}" for name in full if name != SCORED)
        trained = sum(job.step.startswith(("train_", "pretrain")) for job in self.plan)
        return [
            f"The run: {splits} images; {len(self.plan)} jobs, {trained} of them trainings",
            f"The slice: {some}",
            *(f"Note: {note}" for note in self.found.notes),
        ]


def cut(content: Mapping[str, Any], name: str, images: int, epochs: int, cores: int) -> Slice:
    """Cut the slice and plan the run; a UserError if either configuration is not valid."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    folder = Path("results", name, "slice").absolute()
    folder.mkdir(parents=True)
    found = stand_in(content, folder)
    if found.vit is not None:
        found.vit[1].touch()
    config = configuration.load({**found.content, "name": name})
    images_ = cuts.cut(config, images, folder)
    plan = plans.plan(_written(folder / "run.yaml", {**found.content, "name": name}), cores)
    derived = slices.derived(found.content, config, images_, name, epochs)
    of_slice = configuration.load(derived)
    found_slice = Slice(config, of_slice, images_, plan, folder, found)
    _written(found_slice.file, derived)
    return found_slice


def _written(path: Path, content: Mapping[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(dict(content), allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


def measure(cut_: Slice, cores: int, epochs: int, begun: float) -> None:
    """Run the slice, showing how far it is and the time left.

    Maps of random weights may hold nothing of any class, so that no segmenter could be trained: then others are tried.
    """
    _make_stand_ins(cut_)
    jobs = plans.plan(cut_.file, cores)
    for seed in range(1, TRIES + 1):
        _run(cut_, len(jobs), cores, epochs, begun)
        cut_.spent = measured(jobs)
        if not any(EMPTY in _error(Path(job.log)) for job in _failed(jobs, cut_.spent)):
            break
        _written(cut_.file, slices.reseeded(yaml.safe_load(cut_.file.read_text()), cut_.config, seed))
        for job in jobs:
            if job.step == "train_classifier":
                shutil.rmtree(cut_.results / job.of, ignore_errors=True)
    if not cut_.spent:
        text = (cut_.folder / LOG).read_text(encoding="utf-8").strip().splitlines()
        raise UserError("no job of the slice came to an end:\n" + "\n".join(text[-plans.LAST_LINES :]))
    cut_.found.notes += _failures(jobs, cut_.spent)


def _run(cut_: Slice, count: int, cores: int, epochs: int, begun: float) -> None:
    command = plans.snakemake(cut_.file, cores, "--keep-going", "--notemp", "--drop-metadata")
    shown = begun
    with tqdm(desc="jobs of the slice", leave=False, total=count, disable=not sys.stderr.isatty()) as bar:
        for done, of in plans.run(command, {measuring.VARIABLE: str(epochs)}, cut_.folder / LOG):
            bar.update(done - bar.n)
            now = time.monotonic()
            if not sys.stderr.isatty() and now - shown >= SECONDS_BETWEEN_LINES:
                shown = now
                print(plans.left(done, of, now - begun), file=sys.stderr, flush=True)


def _failed(jobs: list[Job], spent: Mapping[tuple[str, str], Measured]) -> list[Job]:
    """Jobs that began, and did not come to an end."""
    return [job for job in jobs if job.key not in spent and job.log and Path(job.log).is_file()]


def _failures(jobs: list[Job], spent: Mapping[tuple[str, str], Measured]) -> list[str]:
    """Why jobs failed, as their logs say, and how many were never begun since they need what those make."""
    failed = _failed(jobs, spent)
    never = [job for job in jobs if job.key not in spent and job not in failed]
    found = [f"{job.step} {job.of} failed: {_error(Path(job.log))}" for job in failed]
    if never:
        names = ", ".join(sorted({job.step for job in never}))
        found.append(f"{len(never)} jobs behind it were not measured: {names}")
    return found


def _error(log: Path) -> str:
    """The message at the end of a log."""
    text = log.read_text(encoding="utf-8", errors="replace").strip()
    return (text.rpartition("ERROR ")[2] or text).splitlines()[0] if text else "its log is empty"


def _make_stand_ins(cut_: Slice) -> None:
    """Random weights of a vision transformer, and saliency maps, in place of what is missing."""
    if cut_.found.vit is not None:
        name, path = cut_.found.vit
        command = [sys.executable, "-m", "wsss_steps.estimating.random_vit", name, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise UserError(f"random weights of {name} cannot be made: {done.stderr.strip().splitlines()[-1:]}")
    if cut_.found.maps is not None:
        _make_maps(cut_, cut_.found.maps)


def _make_maps(cut_: Slice, folder: Path) -> None:
    """A map for each training image of the slice: salient in its middle."""
    config = cut_.of_slice
    if config.images is not None or config.convert is not None or config.draw is not None:
        return
    images = Path(config.root, config.image_folder)
    for one in voc_lists.read_list(Path(config.root, config.train_list), []):
        with opened(next(images.glob(f"{one}.*"))) as image:
            width, height = image.size
        drawn = Image.new("L", (width, height))
        drawn.paste(255, (width // 4, height // 4, 3 * width // 4, 3 * height // 4))
        drawn.save(folder / f"{one}.png")


def gpus() -> int:
    """How many GPUs this machine has, as the driver's program says."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return 0
    done = subprocess.run([program, "--list-gpus"], capture_output=True, text=True, check=False)
    return sum(line.startswith("GPU ") for line in done.stdout.splitlines())


def estimated(cut_: Slice, cores: int, gpu_count: int) -> Estimate:
    """The estimate of the run, once the slice has run."""
    notes = [*cut_.found.notes, *_of_how(cut_)]
    return estimate(
        cut_.plan,
        cut_.spent,
        slices.Names(cut_.of_slice),
        Sizes(cut_.config, cut_.images, cut_.found.pairs),
        cores=cores,
        gpus=gpu_count,
        keeps_features=cut_.config.keep_features,
        busy=_load() > BUSY and not gpu_count,
        notes=notes,
    )


def _load() -> float:
    """Programs that wanted a core in the last minutes, per core."""
    return os.getloadavg()[1] / (os.cpu_count() or 1)


def _of_how(cut_: Slice) -> list[str]:
    """What the estimate rests on."""
    found = ["networks were measured with random weights, which cost the same as trained ones"]
    if _load() > BUSY:
        found.append(
            f"other programs ran meanwhile (load {_load():.1f} per core): CPU times may be half as long again as on a "
            "machine of its own, and times from start to end are estimated from them"
        )
    if any(row.step == "train_classifier" and "recurseed" in row.of for row in cut_.plan):
        found.append("recurseed was measured with all of its losses, as if they held from the first epoch on")
    return [*found, "'at least' marks steps without a loop over images, whose growth with the images is not known"]
