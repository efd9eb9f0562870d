"""Photographs become the label maps that `predict` makes, whole or in tiles."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from wsss_steps import processes
from wsss_steps.afterwards.networks import Trained
from wsss_steps.afterwards.segmenting import Canvas, Job, Options, Segmenting
from wsss_steps.afterwards.tiles import tiles
from wsss_steps.settings import crf

STRIDE = 4
ONCE: dict[str, Any] = {"scales": [1.0], "flip": False, "merge": "max", "crf": None, "crf_labels": "all"}
CONTENT = {"classes": ["cat", "dog"], "network": {"backbone": {"mean": [0.5] * 3, "std": [0.25] * 3}}}


class Local(nn.Module):
    """Two strided convolutions with random weights: a cell of 4 px sees 4 px around it."""

    stride = STRIDE

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.Tanh(), nn.Conv2d(8, 3, 3, stride=2, padding=1)
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


TRAINED = Trained(Local().eval(), "segmenter", CONTENT, "cpu")


def noise(path: Path, height: int, width: int) -> Path:
    """A photograph of coarse noise."""
    small = np.random.default_rng(height).integers(0, 256, (height // 6 + 1, width // 6 + 1, 3), dtype=np.uint8)
    Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC).save(path)
    return path


def segmented(path: Path, tile: int | None, overlap: int = 32, scores: bool = False, **changes: Any) -> Canvas:
    options = Options(ONCE | changes, None, tile, overlap)
    (canvas,) = Segmenting(TRAINED, options, scores).of_all([Job("x", path)])
    assert canvas.problem == ""
    return canvas


@pytest.mark.parametrize(
    ("size", "changes"),
    [
        ((150, 203), {}),
        ((150, 204), {"flip": True}),  # whole cells, since those of a mirrored image begin at its right border
        ((160, 208), {"scales": [1.0, 0.5]}),
        ((160, 208), {"scales": [1.0, 1.5], "flip": True, "merge": "mean"}),
    ],
)
def test_tiles_change_no_label_of_a_network_that_sees_little(
    tmp_path: Path, size: tuple[int, int], changes: dict[str, Any]
) -> None:
    """Law: with a receptive field below half the overlap, in tiles or at once is the same everywhere."""
    path = noise(tmp_path / "x.png", *size)
    whole, tiled = segmented(path, None, scores=True, **changes), segmented(path, 64, scores=True, **changes)
    assert len(np.unique(whole.found)) == 3
    assert np.array_equal(whole.found, tiled.found)
    assert np.abs(whole.scores.astype(int) - tiled.scores).max() <= 1  # rounding in 1/255


def test_without_overlap_tiles_show(tmp_path: Path) -> None:
    """The guard of the law: labels differ then, but only near the borders of tiles."""
    path = noise(tmp_path / "x.png", 150, 203)
    different = segmented(path, None).found != segmented(path, 64, overlap=0).found
    rows, columns = np.nonzero(different)
    borders = [
        {span.first for row, column in tiles((150, 203), 64, 0, STRIDE) for span in [(row, column)[axis]]}
        for axis in (0, 1)
    ]
    assert len(rows) > 0
    near = [
        min(abs(row - border) for border in borders[0]) <= 2 * STRIDE
        or min(abs(column - border) for border in borders[1]) <= 2 * STRIDE
        for row, column in zip(rows, columns, strict=True)
    ]
    assert all(near)


def test_an_image_of_one_tile_is_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, sizes = noise(tmp_path / "x.png", 64, 50), []
    monkeypatch.setattr(Local, "forward", lambda self, images: sizes.append(images.shape[2:]) or self.layers(images))
    segmented(path, 64)
    assert sizes == [(64, 50)]
    segmented(path, 63, overlap=16)
    assert len(sizes) == 1 + 1  # one step of the grid more is still one tile
    segmented(path, 40, overlap=16)
    assert all(max(size) <= 40 + STRIDE for size in sizes[2:])


def test_scores_are_probabilities_of_the_labels_that_compete(tmp_path: Path) -> None:
    path = noise(tmp_path / "x.png", 30, 40)
    logits = TRAINED.logits(np.asarray(Image.open(path)))
    options = Options(ONCE, None, None, 0)
    (canvas,) = Segmenting(TRAINED, options, True).of_all([Job("x", path, (2,))])
    assert list(canvas.labels) == [0, 2]
    assert set(np.unique(canvas.found)) == {0, 2}
    expected = torch.softmax(logits[[0, 2]], 0).numpy()
    np.testing.assert_allclose(canvas.scores / 255, expected, atol=0.5 / 255 + 1e-6)
    assert np.array_equal(canvas.found, np.array([0, 2])[expected.argmax(0)])


def test_large_photographs_are_read_smaller_and_labelled_at_their_size(tmp_path: Path) -> None:
    path = noise(tmp_path / "x.png", 100, 60)
    options = Options(ONCE, 50, None, 0)
    (canvas,) = Segmenting(TRAINED, options).of_all([Job("x", path)])
    assert canvas.image.shape == (50, 30, 3)
    assert canvas.label_map().shape == (100, 60)


@pytest.mark.parametrize("number", ["1", "2"])
def test_processes_make_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    """Photographs in order, each from its own tiles, with a dense CRF in every tile."""
    monkeypatch.setattr(processes, "FEWEST", 1)
    monkeypatch.setenv("OMP_NUM_THREADS", number)
    jobs = [Job(f"{size}", noise(tmp_path / f"{size}.png", size, 90)) for size in (40, 100, 50)]
    jobs.insert(1, Job("none", tmp_path / "none.png"))
    options = Options(ONCE | {"crf": crf.numbers("deeplab")}, None, 64, 16)
    found = {canvas.job.name: canvas for canvas in Segmenting(TRAINED, options).of_all(jobs)}
    assert list(found) == ["40", "none", "100", "50"]
    assert found["none"].problem == f"{tmp_path / 'none.png'}: no such image"
    for size in (40, 100, 50):
        alone = segmented(tmp_path / f"{size}.png", 64, 16, crf=crf.numbers("deeplab"))
        assert np.array_equal(found[str(size)].found, alone.found)


def test_memory_that_runs_out_is_a_problem_of_that_photograph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forward(self: Local, images: Tensor) -> Tensor:
        if images.shape[2] > 50:
            raise RuntimeError("[enforce fail] not enough memory: you tried to allocate 3000000000 bytes")
        return self.layers(images)

    monkeypatch.setattr(Local, "forward", forward)
    jobs = [Job(str(size), noise(tmp_path / f"{size}.png", size, 40)) for size in (60, 40)]
    large, small = Segmenting(TRAINED, Options(ONCE, None, None, 0)).of_all(jobs)
    assert large.problem.startswith(
        "image '60' of 60 x 40 px (height x width): out of memory (asked for 3.0 GB); lower --tile"
    )
    assert small.problem == ""


def test_a_bug_is_no_problem_of_a_photograph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Local, "forward", functools.partialmethod(lambda *_: 1 / 0))
    with pytest.raises(ZeroDivisionError):
        segmented(noise(tmp_path / "x.png", 30, 30), None)
