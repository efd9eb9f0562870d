"""F1, precision and recall of tags by hand."""

from fractions import Fraction

import numpy as np
import pytest

from wsss_steps.ops.tag_scores import scores_per_class, tag_scores


def test_by_hand() -> None:
    tags = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0]], bool)
    predicted = np.array([[1, 1, 0], [1, 0, 0], [0, 1, 0]], bool)
    scores = tag_scores(predicted, tags)  # class 1: 2 of 2; class 2: 1 hit, 2 said, 2 true; class 3: nowhere
    assert scores == pytest.approx(
        {
            "f1": Fraction(3, 4),
            "precision": Fraction(3, 4),
            "recall": Fraction(3, 4),
            "macro_f1": (1 + Fraction(1, 2)) / 2,
        }
    )


def test_nothing_said_and_nothing_true() -> None:
    none, one = np.zeros((2, 2), bool), np.array([[True, False], [False, False]])
    assert tag_scores(none, one) == {"f1": 0, "precision": 0, "recall": 0, "macro_f1": 0}
    assert tag_scores(none, none) == {"f1": 0, "precision": 0, "recall": 0, "macro_f1": 0}
    assert tag_scores(one, one)["macro_f1"] == 1


def test_each_class_by_hand() -> None:
    """Cat: 2 hits of 3 said and 4 true; dog: said once, never true; cow: true once, never said; hen: nowhere."""
    tags = np.array([[1, 0, 0, 0], [1, 0, 1, 0], [1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]], bool)
    predicted = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]], bool)
    cat, dog, cow, hen = scores_per_class(predicted, tags)
    assert cat == pytest.approx({"f1": 4 / 7, "precision": 2 / 3, "recall": 1 / 2, "support": 4})
    assert dog == {"f1": 0, "precision": 0, "recall": None, "support": 0}
    assert cow == {"f1": 0, "precision": None, "recall": 0, "support": 1}
    assert hen == {"f1": None, "precision": None, "recall": None, "support": 0}


def test_classes_agree_with_the_mean_over_them() -> None:
    rng = np.random.default_rng(3)
    tags, predicted = rng.random((40, 6)) < 0.3, rng.random((40, 6)) < 0.4
    found = [one["f1"] for one in scores_per_class(predicted, tags)]
    assert np.mean(found) == pytest.approx(tag_scores(predicted, tags)["macro_f1"])
