"""Images per second of the dense CRF of label maps, for 1, 2, ... processes.

    python -m benchmarks.processes [--processes 2] [--images 48] [--height 240] [--width 320] [--labels 7] [--repeats 3]

The images are smoothed noise, the scores too. As in `predict`, the scores of an image are made before its CRF, by this
process, and its label map is written after it; the aim for n processes is n times the images of one.
"""

from __future__ import annotations

import argparse
import functools
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wsss_steps.data.images import resize_image
from wsss_steps.data.manifest import Entry
from wsss_steps.methods import per_image
from wsss_steps.methods.per_image import Arrays
from wsss_steps.ops import crf as dense
from wsss_steps.processes import Later, then
from wsss_steps.settings import crf


def smooth(seed: int, height: int, width: int) -> NDArray[np.uint8]:
    """An image (H, W, 3) of blobs of about 16 px."""
    coarse = np.random.default_rng(seed).integers(0, 256, (height // 16 + 1, width // 16 + 1, 3), dtype=np.uint8)
    return resize_image(coarse, (height, width))


def seconds(count: int, size: tuple[int, int], labels: int) -> float:
    """Time to write the label maps of `count` images, with the start of the processes."""
    preset = dense.preset_of(crf.numbers("deeplab"))
    entries = [Entry(str(number), "val", "", *size, ()) for number in range(count)]

    def make(entry: Entry, _: Mapping[str, Arrays]) -> Arrays | Later[Arrays]:
        number = int(entry.id)
        scores = np.stack([smooth(labels * number + label, *size)[..., 0] for label in range(labels)]) / np.float32(255)
        call = functools.partial(dense.strongest, smooth(number, *size), scores / scores.sum(axis=0), preset)
        return then(Later(call), lambda found: {"maps": found})

    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        per_image.write_label_maps({"maps": Path(folder) / "maps"}, entries, make, stamp="{}")
        return time.perf_counter() - start


def main() -> None:
    """Print one line per number of processes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("processes", 2), ("images", 48), ("height", 240), ("width", 320), ("labels", 7)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    numbers = range(1, options.processes + 1)
    times: dict[int, list[float]] = {number: [] for number in numbers}
    # Alternating, and the shortest of each: other work on the machine then disturbs all alike.
    for _ in range(options.repeats):
        for number in numbers:
            os.environ["OMP_NUM_THREADS"] = str(number)
            times[number].append(seconds(options.images, (options.height, options.width), options.labels))
    for number, found in times.items():
        rate, gain = options.images / min(found), min(times[1]) / min(found)
        print(f"{number} processes: {rate:.1f} images per second, {gain:.2f} times those of one")


if __name__ == "__main__":
    main()
