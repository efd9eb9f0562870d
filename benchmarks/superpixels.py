"""Time superpixel discovery against the matrix product that it needs.

    python benchmarks/superpixels.py [--patches 2961] [--dims 768] [--repeats 10]

2,961 patches of 768 dimensions are the keys of a 375 x 500 image under ViT-B/8. The aim is a ratio of at most 2 at
every tau.
"""

from __future__ import annotations

import argparse
import functools
import time
from collections.abc import Callable

import numpy as np

from wsss_steps.ops.superpixels import discover


def seconds(function: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main() -> None:
    """Print one line per tau, for features that form about 30 fuzzy groups, as those of photographs do."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patches", type=int, default=2961)
    parser.add_argument("--dims", type=int, default=768)
    parser.add_argument("--repeats", type=int, default=10)
    options = parser.parse_args()
    random = np.random.default_rng(0)
    centres = random.normal(size=(30, options.dims))
    features = centres[random.integers(30, size=options.patches)] + random.normal(size=(options.patches, options.dims))
    single = features.astype(np.float32)
    half = features.astype(np.float16)
    print(f"{options.patches} patches of {options.dims} dimensions in float16; A = F F^T in float32")
    for tau in (0.0, 0.3, 0.5, 0.7):
        count = len(discover(half, tau)[1])
        # Alternating, and the shortest of each: other work on the machine then disturbs both alike.
        find = functools.partial(discover, half, tau)
        pairs = [(seconds(lambda: single @ single.T), seconds(find)) for _ in range(options.repeats)]
        product, whole = (min(times) for times in zip(*pairs, strict=True))
        times = f"A {1e3 * product:6.1f} ms, discovery {1e3 * whole:6.1f} ms, ratio {whole / product:.2f}"
        print(f"tau {tau}: {count:5} superpixels, {times}")


if __name__ == "__main__":
    main()
