"""F1, precision and recall of tags by hand."""

from fractions import Fraction

import numpy as np
import pytest

from wsss_steps.ops.tag_scores import tag_scores


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
