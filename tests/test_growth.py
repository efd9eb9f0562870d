"""Seeds of a few images as they grow in training: recorded without any effect on it, and the same after a kill."""

from __future__ import annotations

import random
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from killing import Run, die_at_step, die_in, make_inputs, settings_of
from torch import nn

from wsss_steps import methods, train_segmenter
from wsss_steps.data.datasets import SeedDataset
from wsss_steps.data.images import normalise, read_image
from wsss_steps.data.manifest import read_manifest
from wsss_steps.formats.kinds.growth import GROWTH
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.kinds.superpixels import SUPERPIXELS
from wsss_steps.formats.stores import Store
from wsss_steps.methods import growth
from wsss_steps.ops.labels import IGNORE
from wsss_steps.training import resuming, watching

NEVER = 1e6  # seconds between two states


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    make_inputs(folder)
    return folder


@pytest.fixture(scope="module")
def undisturbed(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = Run("segmenter", inputs, tmp_path_factory.mktemp("undisturbed"))
    assert run.finish(NEVER) == 0
    return run


def train(inputs: Path, folder: Path, output_growth: Path | None, **overrides: Any) -> tuple[bytes, bytes]:
    """Train in this process, dropout included; weights and history."""
    paths = {"output": folder / "net.safetensors", "history": folder / "net.csv", "output_growth": output_growth}
    given = {"manifest": inputs / "m.json", "seeds": inputs / "seeds.h5"}
    needs = {"superpixels": inputs / "superpixels.h5"}
    train_segmenter.run(**given, needs=needs, **paths, settings=settings_of("segmenter") | overrides)
    return paths["output"].read_bytes(), paths["history"].read_bytes()


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [(1, [0, 1]), (2, [0, 1, 2]), (3, [0, 1, 2, 3]), (4, [0, 1, 2, 4]), (15, [0, 1, 2, 4, 8, 15])],
)
def test_moments_double_and_end_with_the_last_epoch(epochs: int, expected: list[int]) -> None:
    assert growth.moments(epochs) == expected


def test_cells_cover_the_image() -> None:
    grid = np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8)
    expected = [[1, 1, 2, 2, 3], [1, 1, 2, 2, 3], [4, 4, 5, 5, 6]]
    assert growth.enlarged(grid, (3, 5), 2).tolist() == [expected]


def test_the_training_is_the_same_with_and_without(inputs: Path, tmp_path: Path) -> None:
    (tmp_path / "with").mkdir()
    with_growth = train(inputs, tmp_path / "with", tmp_path / "growth.h5")
    (tmp_path / "without").mkdir()
    assert train(inputs, tmp_path / "without", None) == with_growth
    with Store(tmp_path / "growth.h5", GROWTH) as store:
        assert len(store.ids()) == growth.IMAGES


def test_nothing_of_the_training_is_touched() -> None:
    network = nn.Sequential(nn.Dropout(), nn.BatchNorm1d(2))
    network[1].eval()  # frozen, while the rest is trained
    before = resuming.random_states()
    with growth.unnoticed(network):
        assert not any(module.training for module in network.modules())
        assert not network(torch.ones(1, 2)).requires_grad
        torch.rand(1), np.random.rand(), random.random()
    assert [module.training for module in network.modules()] == [True, True, False]
    after = resuming.random_states()
    assert torch.equal(before.pop("torch"), after.pop("torch"))
    assert before == after


@pytest.mark.parametrize(
    ("step", "number", "every"),
    [(1, signal.SIGTERM, NEVER), (3, signal.SIGKILL, 0.0), (4, signal.SIGTERM, NEVER), (9, signal.SIGKILL, 0.0)],
)
def test_the_same_bytes_after_a_kill(
    inputs: Path, tmp_path: Path, undisturbed: Run, step: int, number: signal.Signals, every: float
) -> None:
    run = Run("segmenter", inputs, tmp_path)
    assert run.finish(every, None, die_at_step, step, number) != 0
    assert run.state.exists()
    assert not run.growth.exists()
    assert run.finish(NEVER) == 0
    assert "going on from" in run.log.read_text()
    assert run.growth.read_bytes() == undisturbed.growth.read_bytes()
    assert run.checksums() == undisturbed.checksums()


@pytest.mark.parametrize(
    "where", [("wsss_steps.methods.growth", "write_store"), ("wsss_steps.training.loop", "write_history")]
)
def test_killed_while_outputs_are_written(inputs: Path, tmp_path: Path, undisturbed: Run, where: Any) -> None:
    """Weights that are there say that the growth is, too: a process that waited for them writes nothing."""
    run = Run("segmenter", inputs, tmp_path)
    assert run.finish(NEVER, None, die_in, *where) == -signal.SIGKILL
    assert run.growth.exists() == run.output.exists()
    assert run.finish(NEVER) == 0
    assert run.growth.read_bytes() == undisturbed.growth.read_bytes()


def test_what_it_holds(inputs: Path, undisturbed: Run) -> None:
    with Store(undisturbed.growth, GROWTH) as store:
        assert store.ids() == [f"image{number}" for number in range(6)]
        assert store.provenance["step"] == "train_segmenter"
        for entry in read_manifest(inputs / "m.json").split("train")[:6]:
            arrays = store[entry.id]
            assert arrays["epochs"].tolist() == [0, 1, 2, 3]
            assert arrays["frames"].shape == (4, entry.height, entry.width)
            assert set(np.unique(arrays["frames"])) <= {0, entry.tags[0], IGNORE}


def test_without_thresholds_all_grows_and_at_1_nothing(inputs: Path, tmp_path: Path) -> None:
    with Store(inputs / "seeds.h5", SEEDS) as store:
        seeds = store["image0"]["seeds"]
    for threshold, name in ((0.0, "all.h5"), (1.0, "nothing.h5")):
        train(inputs, tmp_path, tmp_path / name, beta_bg=threshold, beta_fg=threshold, epochs=1)
    with Store(tmp_path / "all.h5", GROWTH) as store:
        assert (store["image0"]["frames"] != IGNORE).all()
    with Store(tmp_path / "nothing.h5", GROWTH) as store:
        start, end = store["image0"]["frames"]
    centres = np.repeat(np.repeat(seeds[4::8, 4::8], 8, 0), 8, 1)[: seeds.shape[0], : seeds.shape[1]]
    assert (start == centres).all()
    assert (end == centres).all()


def test_the_last_frame_is_of_the_trained_network(inputs: Path, tmp_path: Path) -> None:
    """Worked out cell by cell: the mean probability over the free cells of each superpixel, eqs. 3.6 and 3.7."""
    train(inputs, tmp_path, tmp_path / "growth.h5", beta_bg=0.3, beta_fg=0.5, restrict_to_present=False)
    network, _ = methods.rebuild("segmenter", tmp_path / "net.safetensors")
    normal = settings_of("segmenter")["backbone"]
    data = read_manifest(inputs / "m.json").split("train")
    for entry in data[: growth.IMAGES]:
        with torch.no_grad():
            image = normalise(read_image(Path(entry.image)), normal["mean"], normal["std"])
            chance = torch.softmax(network(torch.from_numpy(image)[None])[0], 0).numpy()
        height, width = chance.shape[1:]
        stride = network.stride
        rows, columns = ((np.arange(n) * stride + stride // 2) for n in (height, width))
        with Store(inputs / "seeds.h5", SEEDS) as seeds, Store(inputs / "superpixels.h5", SUPERPIXELS) as regions:
            seed, region = seeds[entry.id]["seeds"], regions[entry.id]["superpixels"]
        expected = np.full((height, width), IGNORE)
        free: dict[int, list[tuple[int, int]]] = {}
        for y, row in enumerate(rows):
            for x, column in enumerate(columns):
                if row < entry.height and column < entry.width:
                    expected[y, x] = seed[row, column]
                    if seed[row, column] == IGNORE:
                        free.setdefault(int(region[row, column]), []).append((y, x))
        for cells in free.values():
            mean = np.mean([chance[:, y, x] for y, x in cells], axis=0)
            best = int(mean.argmax())
            for y, x in cells:
                expected[y, x] = best if mean[best] > (0.3 if best == 0 else 0.5) else IGNORE
        with Store(tmp_path / "growth.h5", GROWTH) as store:
            assert (store[entry.id]["frames"][-1] == growth.enlarged(expected[None], seed.shape, stride)[0]).all()


def test_whole_images_are_as_they_are(inputs: Path) -> None:
    entries = read_manifest(inputs / "m.json").split("train")
    augmentation = {"mean": (0.4, 0.5, 0.6), "std": (0.1, 0.2, 0.5)}
    dataset = SeedDataset(entries, 2, seeds=inputs / "seeds.h5", superpixels=None, augmentation=augmentation, seed=0)
    batch = growth.whole_image(dataset, entries[1])
    photo = read_image(Path(entries[1].image))
    assert (batch["pixels"][0].permute(1, 2, 0).numpy() == photo).all()
    expected = (photo[3, 4] / 255 - augmentation["mean"]) / augmentation["std"]
    np.testing.assert_allclose(batch["images"][0, :, 3, 4], expected, rtol=1e-5)
    assert batch["tags"].tolist() == [[0, 1]]
    assert batch["inside"].all()
    assert {tuple(one.shape[-2:]) for name, one in batch.items() if name != "tags"} == {photo.shape[:2]}


def test_a_watcher_is_gone_after_its_block() -> None:
    def failing() -> None:
        with watching.watched(object()):  # type: ignore[arg-type]
            assert len(watching.WATCHERS) == 1
            raise ValueError("failed")

    with pytest.raises(ValueError, match="failed"):
        failing()
    assert not watching.WATCHERS
