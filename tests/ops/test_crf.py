"""The dense CRF against values by hand, special cases and a brute-force mean field."""

import numpy as np
import pytest

from wsss_steps.ops.crf import (
    Bilateral,
    Gaussian,
    Preset,
    dense_crf,
    label_unary,
    preset_of,
    probability_unary,
    refine,
    refine_labels,
)
from wsss_steps.settings import crf

PRESETS = {name: preset_of(crf.numbers(name)) for name in crf.PRESETS}


def softmax(energies: np.ndarray) -> np.ndarray:
    weights = np.exp(-energies.astype(np.float64))
    return weights / weights.sum(axis=0)


def brute_force(image: np.ndarray, energies: np.ndarray, preset: Preset) -> np.ndarray:
    """Mean field over all N^2 pairs, each kernel divided by the square roots of its sums at both pixels."""
    labels, height, width = energies.shape
    place = np.stack(np.mgrid[:height, :width], axis=-1).reshape(-1, 2).astype(np.float64)
    colour = image.reshape(-1, 3).astype(np.float64)
    near = ((place[:, None] - place) ** 2).sum(axis=-1)
    like = ((colour[:, None] - colour) ** 2).sum(axis=-1)
    message = np.zeros_like(near)
    kernels = (
        (preset.gaussian.compat, near / preset.gaussian.sxy**2),
        (preset.bilateral.compat, near / preset.bilateral.sxy**2 + like / preset.bilateral.srgb**2),
    )
    for weight, distance in kernels:
        kernel = np.exp(-distance / 2)
        scale = 1 / np.sqrt(kernel.sum(axis=1))
        message += weight * scale[:, None] * kernel * scale
    unary = energies.reshape(labels, -1)
    q = softmax(unary)
    for _ in range(preset.iterations):
        q = softmax(unary - q @ message)
    return q.reshape(energies.shape)


def two_colours() -> tuple[np.ndarray, np.ndarray]:
    """An image of 16 x 16 in two colours, and its labels with one wrong pixel on either side."""
    image = np.full((16, 16, 3), 40, np.uint8)
    image[:, 8:] = 200
    labels = np.repeat([[0] * 8 + [1] * 8], 16, axis=0)
    labels[5, 3], labels[9, 12] = 1, 0
    return image, labels


def test_energies_of_labels_by_hand() -> None:
    energies = label_unary(np.array([[0, 2]]), 3, 0.7)
    right, wrong = 0.35667494, 1.89711998  # -ln 0.7, -ln(0.3 / 2)
    assert energies[:, 0, 0] == pytest.approx([right, wrong, wrong], rel=1e-6)
    assert energies[:, 0, 1] == pytest.approx([wrong, wrong, right], rel=1e-6)


def test_energies_of_probabilities_by_hand() -> None:
    energies = probability_unary(np.array([1.0, 0.5, 0.0]).reshape(3, 1, 1))
    assert energies.ravel() == pytest.approx([0, 0.69314718, 11.5129255], abs=1e-6)  # -ln 1, -ln 1/2, -ln 1e-5


def test_without_edges_the_result_is_the_softmax() -> None:
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (7, 5, 3), np.uint8)
    energies = random.normal(size=(4, 7, 5)).astype(np.float32)
    found = dense_crf(image, energies, Preset(5, Gaussian(3.0, 0.0), Bilateral(10.0, 5.0, 0.0)))
    assert found == pytest.approx(softmax(energies), abs=1e-6)


@pytest.mark.parametrize("name", PRESETS)
def test_nothing_to_see_gives_nothing(name: str) -> None:
    found = dense_crf(np.full((9, 11, 3), 90, np.uint8), np.zeros((3, 9, 11), np.float32), PRESETS[name])
    assert found == pytest.approx(np.full((3, 9, 11), 1 / 3), abs=1e-6)


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "puzzle"])
def test_a_wrong_pixel_takes_the_label_of_its_side(name: str) -> None:
    image, labels = two_colours()
    assert np.array_equal(refine_labels(image, labels, 2, PRESETS[name]), np.repeat([[0] * 8 + [1] * 8], 16, axis=0))


@pytest.mark.parametrize(
    "preset",
    [
        PRESETS["deeplab"],
        PRESETS["label"],
        PRESETS["superpixel"],
        Preset(5, Gaussian(2.0, 1.0), Bilateral(6.0, 20.0, 2.0)),
    ],
)
def test_agrees_with_mean_field_by_brute_force(preset: Preset) -> None:
    random = np.random.default_rng(1)
    image, labels = two_colours()
    image = np.clip(image + random.normal(0, 3, image.shape), 0, 255).astype(np.uint8)
    probabilities = 0.3 + 0.4 * np.stack([labels == 0, labels == 1, labels == 2]) + random.uniform(0, 0.25, (3, 16, 16))
    energies = probability_unary(probabilities / probabilities.sum(axis=0))
    found, expected = dense_crf(image, energies, preset), brute_force(image, energies, preset)
    assert found.sum(axis=0) == pytest.approx(np.ones((16, 16)), abs=1e-5)
    assert np.array_equal(found.argmax(axis=0), expected.argmax(axis=0))
    assert np.abs(found - expected).mean() < 0.02


def test_a_preset_for_labels_reads_the_strongest_label() -> None:
    image, labels = two_colours()
    probabilities = np.where(np.stack([labels == 0, labels == 1]), 0.6, 0.4)
    assert np.array_equal(
        refine(image, probabilities, PRESETS["label"]).argmax(axis=0), refine_labels(image, labels, 2, PRESETS["label"])
    )
    assert np.array_equal(
        refine(image, probabilities, PRESETS["label"]), dense_crf(image, label_unary(labels, 2, 0.7), PRESETS["label"])
    )


def test_a_preset_for_probabilities_reads_probabilities() -> None:
    image, labels = two_colours()
    probabilities = np.where(np.stack([labels == 0, labels == 1]), 0.6, 0.4)
    assert np.array_equal(
        refine(image, probabilities, PRESETS["toco"]),
        dense_crf(image, -np.log(probabilities.astype(np.float32)), PRESETS["toco"]),
    )


def test_labels_keep_their_type() -> None:
    image, labels = two_colours()
    assert refine_labels(image, labels.astype(np.int32), 2, PRESETS["deeplab"]).dtype == np.int32


def test_arrays_need_not_lie_in_one_piece() -> None:
    image, labels = two_colours()
    energies = label_unary(labels, 2, 0.7)
    mirrored = dense_crf(image[:, ::-1], energies[:, :, ::-1], PRESETS["label"])
    copied = dense_crf(image[:, ::-1].copy(), energies[:, :, ::-1].copy(), PRESETS["label"])
    assert np.array_equal(mirrored, copied)


def test_none_and_a_single_label_change_nothing() -> None:
    image, labels = two_colours()
    probabilities = np.random.default_rng(0).random((2, 16, 16))
    assert refine(image, probabilities, None) is probabilities
    assert np.array_equal(refine(image, probabilities[:1], PRESETS["deeplab"]), probabilities[:1])
    assert refine_labels(image, labels, 2, None) is labels
    assert np.array_equal(refine_labels(image, labels * 0, 1, PRESETS["superpixel"]), labels * 0)


def test_an_unknown_preset() -> None:
    with pytest.raises(ValueError, match="unknown CRF preset 'deplab'; known presets: none, deeplab, probability"):
        crf.numbers("deplab")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda image, energies: dense_crf(image / 255, energies, PRESETS["label"]),
            "expected the raw image in uint8, 0..255, found float64",
        ),
        (
            lambda image, energies: dense_crf(image[:-1], energies, PRESETS["label"]),
            r"of equal size, found \(2, 16, 16\) and \(15, 16, 3\)",
        ),
        (lambda image, energies: dense_crf(image, energies[0], PRESETS["label"]), r"expected energies \(L, H, W\)"),
        (lambda image, energies: probability_unary(energies - 9), "finite and not negative"),
        (lambda image, energies: probability_unary(energies * np.float32("nan")), "finite and not negative"),
        (lambda image, energies: label_unary(np.array([[0]]), 1, 0.7), "at least 2 labels, found 1"),
        (lambda image, energies: label_unary(np.array([[0]]), 2, 1.0), "gt_prob between 0 and 1, found 1.0"),
        (lambda image, energies: label_unary(np.array([[0, 255]]), 3, 0.7), r"labels in 0..2, found 0..255"),
    ],
)
def test_guards(call, words: str) -> None:
    image, labels = two_colours()
    with pytest.raises(ValueError, match=words):
        call(image, label_unary(labels, 2, 0.7))
