"""How much there is for each job of a run: images of its split, and images that a training sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wsss_steps.estimating.cuts import SCORED, Cut
from wsss_steps.estimating.plans import Job
from wsss_steps.estimating.scaling import Size
from wsss_steps.estimating.slices import PAIRS
from wsss_steps.settings.data_set import TRAIN
from wsss_steps.workflow.choices import links_of, resolve
from wsss_steps.workflow.config import Config

OF_SCORED = ("convert_masks", "prepare_masks", "prepare_boxes", "evaluate", "evaluate_boxes", "evaluate_superpixels")
"""Steps that read only the training images that are scored."""
OF_ALL_SPLITS = ("make_example", "draw_pictures")
PER_IMAGE = ("h5", "json", "csv", "png")  # outputs that grow with the images; weights and histories do not
TRAININGS = {
    "train_classifier": ("classifier", 0),
    "train_refiner": ("cams", 1),
    "train_segmenter": ("segmenter", 4),
    "train_saliency": ("saliency", 1),
}
"""Steps that train a network: the slot, and the place of the choice in the folder of the job."""


class Sizes:
    """What `scaling.scaled` asks of every job of a run."""

    def __init__(self, config: Config, cut: Cut, pairs: int | None) -> None:
        """pairs: how many a saliency detector is trained on; None if they are drawn."""
        self.config, self.cut = config, cut
        self.pairs = config.draw_saliency.count if pairs is None else pairs

    def of(self, job: Job) -> Size:
        """The size of a job: of the whole of it, all of its shards together."""
        ratio = self.ratio(job)
        settings = self._training(job)
        if settings is None:
            return Size(ratio)
        items = self.pairs if job.step == "train_saliency" else self.cut.full[TRAIN]
        return Size(ratio, items * int(settings["epochs"]), min(int(settings["batch_size"]), items))

    def ratio(self, job: Job) -> float:
        """How many times the images of the slice there are for a job."""
        full, taken = self.cut.full, self.cut.taken
        if job.step == "make_saliency_example":
            return self.config.draw_saliency.count / PAIRS
        if job.step in OF_ALL_SPLITS:
            every, some = (sum(count for name, count in counts.items() if name != SCORED) for counts in (full, taken))
            most = self.config.draw_pictures.images if job.step == "draw_pictures" else every
            return min(every, most) / some
        split = self.split(job)
        name = SCORED if split == TRAIN and job.step in OF_SCORED else split
        return full[name] / taken[name]

    def split(self, job: Job) -> str:
        """The split that a job works on; the training images, if its folder names none."""
        parts = job.of.removesuffix(".join").split("/")
        found = [part for part in reversed(parts) if part in self.cut.full and part != SCORED]
        return found[0] if found and job.step not in TRAININGS else TRAIN

    def _training(self, job: Job) -> Mapping[str, Any] | None:
        """The settings of a training; None of any other job."""
        if job.step == "pretrain_keys":
            return self.config.pretrain_keys.model_dump()
        if job.step not in TRAININGS:
            return None
        slot, place = TRAININGS[job.step]
        link = links_of(slot, job.of.split("/")[place])[-1]
        return resolve(self.config, *link).settings
