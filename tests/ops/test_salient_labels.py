"""Labels of maps and saliency as DRS has them: by hand, by a slow transcription, and their laws."""

from __future__ import annotations

import numpy as np
import pytest

from wsss_steps.ops.salient_labels import salient_labels

NUMBERS = {"alpha": 0.2, "conflict": 0.9, "rivals": 2}


def at_a_pixel(maps: list[float], salient: int, **changes: float) -> int:
    planes = np.array(maps, np.float32).reshape(-1, 1, 1)
    classes = np.arange(1, len(maps) + 1, dtype=np.uint8)
    found = salient_labels(planes, classes, np.array([[salient]], np.uint8), **{**NUMBERS, **changes})
    assert (found.shape, found.dtype) == ((1, 1), np.uint8)
    return int(found[0, 0])


@pytest.mark.parametrize(
    ("maps", "salient", "label"),
    [
        ([0.15], 0, 0),  # faint, and nothing is salient
        ([0.15], 1, 255),  # salient, but of what
        ([0.5], 1, 1),
        ([0.5], 0, 0),  # the background, 1, wins
        ([0.95, 0.97], 1, 2),  # two that are sure are no conflict
        ([0.95, 0.97], 0, 255),  # three are
        ([0.2], 1, 1),  # alpha itself counts
        ([1.0], 0, 0),  # of equal ones the background
        ([0.6, 0.6], 1, 1),  # or the first class
        ([0.9, 0.9, 0.9], 1, 1),  # not above
        ([], 0, 0),
        ([], 1, 255),
    ],
)
def test_a_pixel_by_hand(maps: list[float], salient: int, label: int) -> None:
    assert at_a_pixel(maps, salient) == label


def test_the_numbers_are_those_that_are_given() -> None:
    assert at_a_pixel([0.15], 1, alpha=0.1) == 1
    assert at_a_pixel([0.95, 0.97], 1, rivals=1) == 255
    assert at_a_pixel([0.95, 0.97], 0, rivals=3) == 0
    assert at_a_pixel([0.5, 0.6, 0.7], 1, conflict=0.4) == 255


def slowly(maps: np.ndarray, classes: list[int], salient: np.ndarray) -> np.ndarray:
    labels = np.zeros(salient.shape, np.uint8)
    for y, x in np.ndindex(*salient.shape):
        channels = [1.0 - salient[y, x]] + [float(one) if one >= 0.2 else 0.0 for one in maps[:, y, x]]
        best = channels.index(max(channels))
        labels[y, x] = [0, *classes][best]
        if sum(one > 0.9 for one in channels) > 2 or (salient[y, x] and best == 0):
            labels[y, x] = 255
    return labels


def test_a_slow_transcription_agrees_and_mirrors() -> None:
    generator = np.random.default_rng(0)
    maps = np.round(generator.random((3, 20, 30)) ** 0.3, 2)
    salient = generator.integers(0, 2, (20, 30)).astype(np.uint8)
    classes = np.array([2, 5, 7], np.uint8)
    found = salient_labels(maps, classes, salient, **NUMBERS)
    assert np.array_equal(found, slowly(maps, classes.tolist(), salient))
    assert set(np.unique(found)) == {0, 2, 5, 7, 255}
    mirrored = salient_labels(maps[..., ::-1], classes, salient[:, ::-1], **NUMBERS)
    assert np.array_equal(mirrored[:, ::-1], found)


def test_no_class_lies_where_nothing_is_salient_and_no_background_where_something_is() -> None:
    generator = np.random.default_rng(1)
    maps = generator.random((2, 20, 30)).astype(np.float32)
    salient = generator.integers(0, 2, (20, 30)).astype(np.uint8)
    found = salient_labels(maps, np.array([1, 2]), salient, **NUMBERS)
    assert set(np.unique(found[salient == 0])) <= {0, 255}
    assert set(np.unique(found[salient == 1])) <= {1, 2, 255}
