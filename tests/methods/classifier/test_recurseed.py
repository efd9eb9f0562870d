"""RecurSeed: its parts before and after the warm-up, what teaches what, its segmenter, and how it learns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from wsss_steps import methods
from wsss_steps.errors import UserError
from wsss_steps.formats.weights import write_weights
from wsss_steps.methods import trainees
from wsss_steps.methods.classifier import recurseed
from wsss_steps.settings.base import Backbone
from wsss_steps.settings.classifier import RecurSeed

SMALL = {"backbone": Backbone(net="small"), "output_stride": 8, "aspp_rates": (1, 2), "low_level_width": 8}
SMALL |= {"decoder_width": 8, "rs_epoch": 0.0, "dilations": (1, 2), "iterations": 3}
NUMBERS = {"delta_h": 0.3, "delta_l": 0.05, "dilations": (1, 2), "iterations": 3, "delta_fg": 0.3, "delta_bg": 0.1}


def settings_of(**overrides: Any) -> dict[str, Any]:
    return RecurSeed(**{**SMALL, **overrides}).model_dump(mode="json")


def build(**overrides: Any) -> Any:
    torch.manual_seed(0)
    settings = settings_of(**overrides)
    return recurseed.build(2, **methods.arguments(recurseed.build, settings))


def losses(network: Any, batch: dict[str, torch.Tensor], **overrides: Any) -> dict[str, torch.Tensor]:
    return methods.bound(recurseed.losses, settings_of(**overrides))(network, batch)


def batch_of(count: int = 4, side: int = 48) -> dict[str, torch.Tensor]:
    """Squares, red or green, on grey, but for every fourth image; the last one has a border of padding."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(90, 130, (count, 3, side, side), generator=generator, dtype=torch.uint8)
    tags = torch.zeros(count, 2)
    for index in range(count):
        top, left = (int(one) for one in torch.randint(8, side // 2, (2,), generator=generator))
        if index % 4 != 2:
            pixels[index, index % 2, top : top + 16, left : left + 16] = 240
            tags[index, index % 2] = 1
    inside = torch.ones(count, side, side, dtype=torch.bool)
    inside[-1, :8] = inside[-1, :, -12:] = False
    pixels[-1] *= inside[-1]
    return {"images": (pixels.float() / 255 - 0.45) / 0.2, "pixels": pixels, "tags": tags, "inside": inside}


def test_at_first_only_the_tags_teach() -> None:
    network, batch = build(), batch_of()
    parts = losses(network, batch, rs_epoch=2.0)
    assert [parts[name].item() for name in ("seg", "rec", "share_labelled")] == [0, 0, 0]
    assert parts["tags"].item() == pytest.approx(losses(build(), batch)["tags"].item(), rel=1e-5)
    parts["tags"].backward()
    assert all(weight.grad is None for weight in network.decoder.parameters())


@pytest.mark.parametrize(("epochs", "steps", "rs_epoch"), [(7, 9, 3.0), (30, 11, 7.0), (3, 7, 1.0)])
def test_the_warm_up_ends_with_the_epoch_that_is_said(epochs: int, steps: int, rs_epoch: float) -> None:
    network, taught = build(), []
    for step in range(epochs * steps):
        taught.append(bool(network.epoch >= rs_epoch))
        recurseed.after_step(network, (step + 1) / (epochs * steps), epochs=epochs)
    assert taught.index(True) == rs_epoch * steps


def test_a_resumed_training_goes_on_in_its_phase() -> None:
    network, other = build(), build()
    recurseed.after_step(network, 0.5, epochs=10)
    other.load_state_dict(network.state_dict())
    assert losses(other, batch_of(), rs_epoch=5.0)["seg"] > 0
    assert losses(build(), batch_of(), rs_epoch=5.0)["seg"] == 0


def test_each_part_teaches_its_own_heads_and_the_backbone() -> None:
    reached = {}
    for part in ("tags", "seg", "rec"):
        network = build()
        losses(network, batch_of())[part].backward()
        learning = {
            name for name, weight in network.named_parameters() if weight.grad is not None and weight.grad.any()
        }
        reached[part] = {name.partition(".")[0] for name in learning}
    assert reached == {"tags": {"backbone", "head"}, "seg": {"backbone", "decoder"}, "rec": {"backbone", "head"}}


def test_weights_of_the_parts() -> None:
    whole, half = losses(build(), batch_of()), losses(build(), batch_of(), lambda_seg=0.5, lambda_rec=0.25)
    assert half["seg"].item() == pytest.approx(whole["seg"].item() / 2)
    assert half["rec"].item() == pytest.approx(whole["rec"].item() / 4)


def test_padding_and_untagged_classes_are_not_labelled() -> None:
    network, batch = build(), batch_of()
    raw, _, levels = network.outputs(batch["images"], 2)
    cells = {"tags": batch["tags"], "inside": batch["inside"][:, 2::4, 2::4]}
    found = recurseed.targets(network, raw, levels, batch["pixels"], cells, **NUMBERS)
    assert found["maps"].shape == (4, 2, 12, 12)
    assert found["labels"].shape == (4, 12, 12)
    assert (found["labels"][-1][~cells["inside"][-1]] == 255).all()
    assert not found["maps"][-1][:, ~cells["inside"][-1]].any()
    for index, labels in enumerate(found["labels"]):
        assert set(labels.unique().tolist()) <= {0, 1 + index % 2, 255}


def test_all_the_losses_fall_and_the_decoder_learns_what_the_maps_teach() -> None:
    """A short training on drawn squares, its first third on tags alone."""
    network, batch, steps = build(), batch_of(8), 60
    optimiser = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
    history = []
    for step in range(steps):
        parts = losses(network, batch, rs_epoch=1.0)
        history.append({name: part.item() for name, part in parts.items()})
        optimiser.zero_grad()
        (parts["tags"] + parts["seg"] + parts["rec"]).backward()
        optimiser.step()
        recurseed.after_step(network, (step + 1) / steps, epochs=3)
    first, last = history[steps // 3], history[-1]
    assert last["tags"] < 0.3 * history[0]["tags"]
    assert last["seg"] < 0.5 * first["seg"]
    assert last["rec"] < first["rec"]
    objects, inside = (batch["pixels"].amax(1) > 200)[:, 2::4, 2::4], batch["inside"][:, 2::4, 2::4]
    with torch.no_grad():
        raw, logits, levels = network.eval().outputs(batch["images"], 2)
    cells = {"tags": batch["tags"], "inside": inside}
    found = recurseed.targets(network, raw, levels, batch["pixels"], cells, **NUMBERS | {"delta_fg": 0.55})
    strongest = found["maps"].amax(1)
    assert strongest[objects].mean() > strongest[~objects & inside].mean() + 0.2
    learnt = found["labels"] != 255
    assert (logits.argmax(1) == found["labels"])[learnt].float().mean() > 0.9
    assert (logits[2::4].argmax(1) == 0).all()  # of images without a tag


def test_its_checkpoint_segments(tmp_path: Path) -> None:
    settings = settings_of()
    content = trainees.content(recurseed, settings, ("red", "green"), "random")
    network = build().eval()
    write_weights(tmp_path / "x.safetensors", "classifier", network.state_dict(), content=content, stamp="")
    back, _ = methods.rebuild("classifier", tmp_path / "x.safetensors", classes=("red", "green"))
    images = batch_of()["images"]
    with torch.no_grad():
        logits = back.segmenter(images)
        maps, same, levels = network.outputs(images, 2)
        assert torch.equal(logits, same)
        assert torch.equal(back.maps(images), maps)
    assert (back.segmenter.stride, logits.shape, len(levels)) == (4, (4, 3, 12, 12), 2)
    assert RecurSeed.segments


def test_several_processes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recurseed, "world", lambda: 2)
    with pytest.raises(UserError, match="'recurseed' trains in one process: set gpus_per_training: 1"):
        losses(build(), batch_of())


@pytest.mark.parametrize("wrong", [{"delta_bg": 0.6}, {"delta_l": 0.4}])
def test_thresholds_in_the_wrong_order_are_refused_by_the_settings(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match=r"expected delta_\w+ at most delta_\w+, found"):
        RecurSeed(**wrong)
