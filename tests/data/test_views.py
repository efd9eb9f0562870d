"""Random views of an image: how many, how large, normalised, and decided by (seed, epoch, index)."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from wsss_steps import methods
from wsss_steps.data import multicrop
from wsss_steps.data.manifest import Entry
from wsss_steps.data.views import ViewDataset, draw_views
from wsss_steps.settings.steps import PretrainKeys

NOISE = torch.randint(0, 256, (3, 40, 36), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def options(**changes: Any) -> dict[str, Any]:
    tiny = {"global_crop": 24, "local_crop": 16, "local_crops": 1, "blurred": 0.5}
    return methods.arguments(draw_views, PretrainKeys(**tiny | changes).model_dump(mode="json"))


def drawn(seed: int = 0, **changes: Any) -> dict[str, torch.Tensor]:
    return draw_views(NOISE, torch.Generator().manual_seed(seed), **options(**changes))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_sizes(count: int) -> None:
    shapes = {name: tuple(tensor.shape) for name, tensor in drawn(local_crops=count).items()}
    assert shapes == {"images": (2, 3, 24, 24), "local": (count, 3, 16, 16), "places": (2 + count, 4)}


def test_views_are_normalised() -> None:
    mean, std = (0.6, 0.35, 0.2), (0.2, 0.5, 0.9)
    plain, normalised = drawn(mean=(0.0,) * 3, std=(1.0,) * 3), drawn(mean=mean, std=std)
    for name in ("images", "local"):
        expected = (plain[name] - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(std).view(1, 3, 1, 1)
        torch.testing.assert_close(normalised[name], expected)


def test_global_and_local_views_are_drawn_as_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, seen, draw = [], [], multicrop.draw

    def spy(parts: Any, views: Any, generator: torch.Generator, *, solarise: bool) -> Any:
        asked.append((views.size, views.area, views.blurred, solarise))
        seen.append(parts[0])
        return draw(parts, views, generator, solarise=solarise)

    monkeypatch.setattr(multicrop, "draw", spy)
    drawn(local_crops=2, window=(0.2, 0.3), global_area=(0.5, 1.0), local_area=(0.1, 0.4))
    wide, narrow = (24, [0.5, 1.0], 0.5), (16, [0.1, 0.4], 0.25)
    assert asked == [(*wide, False), (*wide, True), (*narrow, False), (*narrow, False)]
    assert all(part is seen[0] for part in seen)  # all in one window
    assert 0.15 < seen[0].shape[1] * seen[0].shape[2] / (40 * 36) < 0.35


def test_an_item_depends_on_seed_epoch_and_index_alone(tmp_path: Path) -> None:
    entries = []
    for name in ("a", "b"):  # the same image twice
        Image.fromarray(NOISE.permute(1, 2, 0).numpy()).save(tmp_path / f"{name}.png")
        entries.append(Entry(name, "train", str(tmp_path / f"{name}.png"), 40, 36, (1,)))
    data = ViewDataset(entries, views=options(), seed=5)
    item = data[2, 1]
    _ = data[0, 0], torch.rand(3), np.random.rand(3)
    again = data[2, 1]
    assert len(data) == 2
    assert item.keys() == again.keys()
    assert all(torch.equal(item[name], again[name]) for name in item)
    for other in (data[3, 1], data[2, 0], ViewDataset(entries, views=options(), seed=6)[2, 1]):
        assert not torch.equal(item["images"], other["images"])
        assert not torch.equal(item["places"], other["places"])
