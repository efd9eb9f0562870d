"""A tiny pretraining of one epoch: its files, reproducible from the seed, and the keys extracted with them."""

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from wsss_steps import extract_keys, methods, pretrain_keys
from wsss_steps.data.manifest import Entry, Manifest, write_manifest
from wsss_steps.formats.kinds.features import FEATURES
from wsss_steps.formats.stamps import read_stamp
from wsss_steps.formats.stores import Store
from wsss_steps.formats.weights import read_weights
from wsss_steps.settings.features import BackboneFeatures, KeyFeatures, RgbFeatures
from wsss_steps.settings.steps import PretrainKeys

SIZES = [(40, 36), (33, 47), (36, 36), (50, 30)]


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    entries = []
    for number, (height, width) in enumerate(SIZES):
        path = tmp_path / f"{number}.png"
        Image.fromarray(random.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(path)
        entries.append(Entry(f"image{number}", "train", str(path), height, width, (1,)))
    entries.append(Entry("unseen", "val", str(tmp_path / "missing.png"), 8, 8, (1,)))
    write_manifest(tmp_path / "manifest.json", Manifest("tiny", ("thing",), tuple(entries)))
    return tmp_path / "manifest.json"


def settings(**changes: Any) -> dict[str, Any]:
    tiny = {"width": 12, "depth": 2, "heads": 3, "epochs": 1, "batch_size": 2, "prototypes": 8}
    crops = {"global_crop": 24, "local_crop": 16, "local_crops": 1, "blurred": 0.5}
    return PretrainKeys(**{**tiny, **crops, **changes}).model_dump(mode="json")


def train(manifest: Path, name: str, **changes: Any) -> tuple[Path, Path]:
    output, history = manifest.parent / f"{name}.safetensors", manifest.parent / f"{name}.csv"
    given = {"settings": settings(**changes), "stamp": '{"step": "test"}'}
    pretrain_keys.run(manifest=manifest, output=output, history=history, **given)
    return output, history


def test_the_seed_decides_every_byte(manifest: Path) -> None:
    first, second, other = train(manifest, "a"), train(manifest, "b"), train(manifest, "c", seed=1)
    for left, right in zip(first, second, strict=True):
        assert left.read_bytes() == right.read_bytes()
    assert first[0].read_bytes() != other[0].read_bytes()


def test_history_and_weights(manifest: Path) -> None:
    output, history = train(manifest, "a", epochs=2)
    header, *rows = history.read_text().splitlines()
    assert header.startswith("epoch,")
    assert header.endswith(",learning_rate,teacher_momentum")
    assert {"image", "patch", "image_entropy", "patch_entropy"} < set(header.split(","))
    assert [row.split(",")[0] for row in rows] == ["1", "2"]
    assert rows[-1].endswith(",1")  # at the end the teacher no longer changes
    state, content = read_weights(output, "vit")
    assert read_stamp(output) == {"step": "test"}
    assert (content["patch"], content["width"], content["image_size"]) == (8, 12, 24)
    assert {tensor.dtype for tensor in state.values() if tensor.is_floating_point()} == {torch.float16}


def test_batches_are_whole_and_cover_the_images() -> None:
    found = pretrain_keys.batches(7, 3, torch.Generator().manual_seed(0))
    assert [len(batch) for batch in found] == [3, 3]
    assert len({index for batch in found for index in batch}) == 6
    assert sorted(pretrain_keys.batches(2, 3, torch.Generator())[0]) == [0, 1]


@pytest.mark.parametrize(("mode", "extents"), [("pad", [(40.0, 40.0), (40.0, 48.0)]), ("resize", SIZES[:2])])
def test_keys_of_the_train_split(manifest: Path, mode: str, extents: list[tuple[float, float]]) -> None:
    weights, _ = train(manifest, "a")
    chosen = KeyFeatures(vit="own", weights="pretrain_keys", input_mode=mode).model_dump(mode="json")
    output = manifest.parent / "keys.h5"
    extract_keys.run(manifest=manifest, weights=weights, output=output, settings=chosen, stamp='{"step": "test"}')
    with Store(output, FEATURES) as store:
        assert store.provenance == {"step": "test"}
        assert store.ids() == ["image0", "image1", "image2", "image3"]
        assert store["image0"]["features"].shape == (5, 5, 12)
        assert store["image1"]["features"].shape == (5, 6, 12)
        assert [tuple(store[f"image{i}"]["extent"].tolist()) for i in (0, 1)] == [tuple(map(float, e)) for e in extents]


def test_other_features_go_the_same_way(manifest: Path) -> None:
    rgb = RgbFeatures(cell=8).model_dump(mode="json")
    extract_keys.run(manifest=manifest, output=manifest.parent / "rgb.h5", settings=rgb)
    backbone = {"net": "small", "weights": "none", "mean": [0.5] * 3, "std": [0.25] * 3, "options": {}}
    small = {**BackboneFeatures().model_dump(mode="json"), "backbone": backbone}
    for name in ("first", "second"):
        extract_keys.run(manifest=manifest, output=manifest.parent / f"{name}.h5", settings=small)
    with Store(manifest.parent / "rgb.h5", FEATURES) as store:
        assert store["image1"]["features"].shape == (5, 6, 3)
    read = [Store(manifest.parent / f"{name}.h5", FEATURES) for name in ("first", "second")]
    first, second = (store["image1"]["features"] for store in read)
    assert first.shape[:2] == (3, 3)  # 33 x 47 px at output stride 16
    assert np.array_equal(first, second)  # random weights, but the same ones


def test_the_teacher_is_written_and_how_its_images_are_normalised(
    manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, train_all = [], pretrain_keys.train

    @functools.wraps(train_all)  # the step reads its signature
    def spy(distillation: Any, *args: Any, **options: Any) -> list[dict[str, float]]:
        made.append(distillation)
        return train_all(distillation, *args, **options)

    monkeypatch.setattr(pretrain_keys, "train", spy)
    mean, std = (0.6, 0.35, 0.2), (0.2, 0.5, 0.9)
    state, content = read_weights(train(manifest, "a", mean=mean, std=std)[0], "vit")
    assert (content["mean"], content["std"]) == (list(mean), list(std))
    teacher, student = (network.vit.state_dict() for network in (made[0].teacher, made[0].student))
    assert all(np.array_equal(value, teacher[name].half()) for name, value in state.items())
    assert not all(np.array_equal(value, student[name].half()) for name, value in state.items())


def test_views_are_normalised() -> None:
    chosen = methods.arguments(pretrain_keys.draw_views, settings())
    images = [torch.randint(0, 256, (3, 40, 40), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))]
    drawn = []
    for mean, std in (((0.0,) * 3, (1.0,) * 3), ((0.6, 0.35, 0.2), (0.2, 0.5, 0.9))):
        generator = torch.Generator().manual_seed(0)
        wide, narrow = pretrain_keys.draw_views(images, generator, **chosen | {"mean": mean, "std": std})
        drawn.append([pixels for pixels, _ in (*wide, *narrow)])
    assert len(drawn[0]) == 3
    for plain, normalised in zip(*drawn, strict=True):
        expected = (plain - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(std).view(1, 3, 1, 1)
        torch.testing.assert_close(normalised, expected)


class Watching:
    """In place of the distillation: records what each step receives."""

    def __init__(self) -> None:
        self.rates: list[float] = []
        self.seen: list[torch.Tensor] = []

    def step(self, wide: list[Any], narrow: list[Any], rate: float, progress: float) -> dict[str, float]:
        self.rates.append(rate)
        self.seen.append(wide[0][0])
        return {"image": 0.0}

    def momentum(self, progress: float) -> float:
        return progress


def test_rate_and_views_follow_warm_up_and_seed() -> None:
    views = methods.arguments(pretrain_keys.draw_views, settings())
    images = [torch.full((3, 30, 30), 60 * number, dtype=torch.uint8) for number in range(4)]
    options: dict[str, Any] = {"epochs": 4, "batch_size": 2, "learning_rate": 0.1, "warmup": 0.5}
    first, again, other = (Watching() for _ in range(3))
    for watching, seed in ((first, 0), (again, 0), (other, 1)):
        rows = pretrain_keys.train(watching, images, views, "cpu", **options, seed=seed)
        assert [row["epoch"] for row in rows] == [1, 2, 3, 4]
    assert first.rates[:4] == pytest.approx([0.025, 0.05, 0.075, 0.1])
    assert sorted(first.rates[3:], reverse=True) == first.rates[3:]
    assert first.rates[-1] == pytest.approx(pretrain_keys.LAST_LEARNING_RATE)
    assert all(torch.equal(one, two) for one, two in zip(first.seen, again.seen, strict=True))
    assert not all(torch.equal(one, two) for one, two in zip(first.seen, other.seen, strict=True))


def test_images_come_in_another_order_every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def views(images: list[torch.Tensor], *_: Any) -> Any:
        seen.extend(int(image[0, 0, 0]) for image in images)
        return [(torch.zeros(1), torch.zeros(1))], []

    monkeypatch.setattr(pretrain_keys, "draw_views", views)
    images = [torch.full((3, 2, 2), number, dtype=torch.uint8) for number in range(8)]
    options: dict[str, Any] = {"epochs": 2, "batch_size": 2, "learning_rate": 0.1, "warmup": 0.5, "seed": 0}
    pretrain_keys.train(Watching(), images, {}, "cpu", **options)
    first, second = seen[:8], seen[8:]
    assert sorted(first) == sorted(second) == list(range(8))
    assert first != list(range(8))
    assert first != second


def test_global_and_local_views_are_drawn_as_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, draw = [], pretrain_keys.multicrop.draw

    def spy(parts: Any, views: Any, generator: torch.Generator, *, solarise: bool) -> Any:
        asked.append((views.size, views.area, views.blurred, solarise))
        return draw(parts, views, generator, solarise=solarise)

    monkeypatch.setattr(pretrain_keys.multicrop, "draw", spy)
    given = settings(local_crops=2, global_area=(0.5, 1.0), local_area=(0.1, 0.4))
    images = [torch.zeros(3, 40, 40, dtype=torch.uint8)]
    chosen = methods.arguments(pretrain_keys.draw_views, given)
    pretrain_keys.draw_views(images, torch.Generator().manual_seed(0), **chosen)
    wide, narrow = (24, [0.5, 1.0], 0.5), (16, [0.1, 0.4], 0.25)
    assert asked == [(*wide, False), (*wide, True), (*narrow, False), (*narrow, False)]
