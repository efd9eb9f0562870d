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
from wsss_steps.ops import mixing
from wsss_steps.ops.mixed_cells import edge_labels
from wsss_steps.settings.base import Backbone
from wsss_steps.settings.classifier import RecurSeed
from wsss_steps.workflow import choices, configuration

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


def test_without_scg_no_features_are_compared() -> None:
    network, images = build().eval(), batch_of()["images"]
    assert [len(network.outputs(images, stages)[2]) for stages in (0, 1, 2, 9)] == [0, 1, 2, 4]
    assert losses(build(), batch_of(), stages=0, iterations=0)["rec"].item() < losses(build(), batch_of())["rec"].item()


def test_padding_and_untagged_classes_are_not_labelled() -> None:
    network, batch = build(), batch_of()
    raw, _, levels = network.outputs(batch["images"], 2)
    cells = recurseed.cells_of(batch)
    found = recurseed.targets(network, raw, levels, cells, **NUMBERS)
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
    cells = recurseed.cells_of(batch)
    found = recurseed.targets(network, raw, levels, cells, **NUMBERS | {"delta_fg": 0.55})
    strongest = found["maps"].amax(1)
    assert strongest[objects].mean() > strongest[~objects & inside].mean() + 0.2
    learnt = found["labels"] != 255
    assert (logits.argmax(1) == found["labels"])[learnt].float().mean() > 0.9
    assert (logits[2::4].argmax(1) == 0).all()  # of images without a tag


def test_cells_of_a_batch() -> None:
    """The crop has 18 px; the centre of the last cell, of 2 px, is beyond its edge."""
    batch = {name: values[..., :18, :18] for name, values in batch_of().items() if name != "tags"}
    cells = recurseed.cells_of(batch | {"tags": torch.ones(4, 2)})
    assert cells["inside"][0].tolist() == [[True] * 4 + [False]] * 4 + [[False] * 5]
    assert cells["inside"][-1].tolist() == [[False] * 5] * 2 + [[True] * 4 + [False]] * 2 + [[False] * 5]
    assert cells["colours"].shape == (4, 3, 5, 5)
    mean = batch["pixels"][0, :, 4:8, 8:12].float().mean((1, 2)) / 255
    torch.testing.assert_close(cells["colours"][0, :, 1, 2], mean)


@pytest.mark.parametrize("mix", mixing.names())
def test_mixed_images_teach_from_their_epoch_on(mix: str) -> None:
    """What an image is taught does not change."""
    batch, found = batch_of(), {}
    for epoch in (0.0, 2.0):
        network = build()
        torch.manual_seed(1)
        found[epoch] = losses(network, batch, mix=mix, mix_epoch=epoch)
    for name in ("tags", "seg", "rec", "share_labelled"):
        assert found[0.0][name] == found[2.0][name]
    assert [found[2.0][name].item() for name in recurseed.MIXED] == [0, 0]
    assert all(found[0.0][name] > 0 for name in recurseed.MIXED)
    assert found[0.0].keys() == losses(build(), batch, rs_epoch=3.0, mix=mix).keys()
    assert not set(recurseed.MIXED) & losses(build(), batch).keys()


def test_a_single_image_is_not_mixed() -> None:
    batch = {name: values[:1] for name, values in batch_of().items()}
    assert losses(build(), batch, mix="cutmix", mix_epoch=0.0)["mixed_seg"] == 0
    assert losses(build(), batch, mix="cutout", mix_epoch=0.0)["mixed_seg"] > 0


def test_a_mixed_image_is_taught_the_targets_of_what_it_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Image 1 is pasted whole onto image 0, and stays as it is: it has the losses of image 1 alone, twice."""
    kept = torch.tensor([False, True])[:, None, None].expand(2, 12, 12)
    monkeypatch.setattr(mixing.load("cutmix"), "kept", lambda *, images: kept)
    network, batch = build().eval(), {name: values[:2] for name, values in batch_of().items()}
    mixed = losses(network, batch, mix="cutmix", mix_epoch=0.0)
    alone = losses(network, {name: values[1:] for name, values in batch.items()})
    for name in ("seg", "rec"):
        assert mixed[f"mixed_{name}"].item() == pytest.approx(alone[name].item(), rel=1e-4)


def test_edgepredictmix_pastes_what_the_decoder_predicts(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {}

    def kept(*, labels: torch.Tensor) -> torch.Tensor:
        seen["labels"] = labels
        return labels == 1

    monkeypatch.setattr(mixing.load("edgepredictmix"), "kept", kept)
    network, batch = build().eval(), batch_of()
    losses(network, batch, mix="edgepredictmix", mix_epoch=0.0, mixing={"widen": 1})
    with torch.no_grad():
        logits = network.segmenter(batch["images"])
    numbers = RecurSeed(mixing={"widen": 1}).mixing.model_dump()
    expected = edge_labels(logits, recurseed.cells_of(batch), numbers, dilations=(1, 2), iterations=3)
    assert torch.equal(seen["labels"], expected)


def test_unknown_mixers_are_refused() -> None:
    with pytest.raises(ValidationError, match="expected one of none, cda, classmix, .* found 'mixup'"):
        RecurSeed(mix="mixup")


def test_the_mixer_is_in_the_code_digest() -> None:
    """Mixers are found by name: no import leads to them."""
    config = configuration.load({"dataset": "x", "draw": {}, "classes": ["a"], "recipes": {"a": {}}})
    modules = {mix: choices.resolve(config, "classifier", f"recurseed~mix={mix}").modules() for mix in ("cda", "none")}
    assert set(modules["cda"]) - set(modules["none"]) == {"ops.mixing.cda"}


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
