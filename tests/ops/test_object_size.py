from __future__ import annotations

import numpy as np
import pytest

from wsss_steps.ops.evaluation import triples
from wsss_steps.ops.object_size import iou_by_size, size_of_objects

# three images of 10 pixels: background, cat, dog
TRUTH = np.array([[6, 4, 0], [8, 2, 0], [4, 1, 5]])
BOUNDS = (0.2, 0.5)


def test_sizes_by_hand() -> None:
    """2 of 10 pixels reach the bound 0.2; the background is no object."""
    assert size_of_objects(TRUTH, BOUNDS).tolist() == [[-1, 1, -1], [-1, 1, -1], [-1, 0, 2]]
    assert size_of_objects(TRUTH, ()).tolist() == [[-1, 0, -1], [-1, 0, -1], [-1, 0, 0]]


def test_an_image_of_void_alone_has_no_objects() -> None:
    assert size_of_objects(np.zeros((1, 3), np.int64), BOUNDS).tolist() == [[-1, -1, -1]]


def test_scores_by_hand() -> None:
    confusions = np.array(
        [
            [[6, 0, 0, 0], [1, 3, 0, 0], [0, 0, 0, 0]],
            [[6, 2, 0, 0], [0, 2, 0, 0], [0, 0, 0, 0]],
            [[3, 0, 1, 0], [0, 0, 1, 0], [0, 2, 3, 0]],
        ]
    )
    counts = triples(confusions, "count_as_wrong").astype(np.float64)[None]
    iou, objects = iou_by_size(counts, size_of_objects(TRUTH, BOUNDS), 3)
    assert objects.tolist() == [1, 2, 1]
    # small: the cat of the third image; medium: those of the others, (3 + 2) of (4 + 4); large: the dog, 3 of 7
    assert iou[0].tolist() == pytest.approx([0, 5 / 8, 3 / 7])


def test_sizes_without_objects_are_nan() -> None:
    counts = np.ones((2, 3, 3, 3))
    iou, objects = iou_by_size(counts, size_of_objects(TRUTH[:2], BOUNDS).repeat([1, 2], axis=0), 3)
    assert np.isnan(iou[:, [0, 2]]).all()
    assert not np.isnan(iou[:, 1]).any()
    assert objects.tolist() == [0, 3, 0]


@pytest.mark.parametrize("seed", range(3))
def test_against_a_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    confusions = rng.integers(0, 20, (2, 12, 4, 5)) * rng.integers(0, 2, (1, 12, 4, 1))
    truth = confusions[0].sum(axis=2)
    confusions[1] = confusions[0][:, :, rng.permutation(5)]  # other predictions of the same pixels
    found, objects = iou_by_size(
        triples(confusions, "count_as_wrong").astype(np.float64), size_of_objects(truth, BOUNDS), 3
    )
    for run in range(2):
        for size, (low, high) in enumerate([(0, 0.2), (0.2, 0.5), (0.5, 1.1)]):
            scores, count = [], 0
            for cls in range(1, 4):
                chosen = [i for i in range(12) if truth[i, cls] and low <= truth[i, cls] / truth[i].sum() < high]
                count += len(chosen)
                total = confusions[run, chosen].sum(axis=0)
                if chosen:
                    scores.append(total[cls, cls] / (total[cls].sum() + total[:, cls].sum() - total[cls, cls]))
            assert found[run, size] == pytest.approx(np.mean(scores) if scores else np.nan, nan_ok=True)
            assert objects[size] == count
