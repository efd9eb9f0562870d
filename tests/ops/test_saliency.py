"""TokenCut and LOST on hand-made features."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg

from wsss_steps.ops.saliency import WEAK_EDGE, lost, second_eigenvector, tokencut


def blocks(layout: list[str]) -> np.ndarray:
    """Features (h, w, d): patches of the same letter share a unit vector, different letters have orthogonal ones."""
    letters = sorted({letter for row in layout for letter in row})
    return np.eye(len(letters), dtype=np.float16)[[[letters.index(letter) for letter in row] for row in layout]]


def cells(salient: np.ndarray) -> list[str]:
    return ["".join(".#"[int(value)] for value in row) for row in salient]


# ---- normalised cut --------------------------------------------------------------------------------------------------


def test_second_eigenvector_by_hand() -> None:
    """Patches 0 and 1 alike, 2 not: x = (a, a, b) with x orthogonal to D 1, so 2 a (2 + e) + b (1 + 2 e) = 0."""
    e = 0.1
    vector = second_eigenvector(np.array([[1, 1, e], [1, 1, e], [e, e, 1]]))
    assert vector[0] == pytest.approx(vector[1])
    assert vector[2] / vector[0] == pytest.approx(-(4 + 2 * e) / (1 + 2 * e))
    assert (vector**2 * [2 + e, 2 + e, 1 + 2 * e]).sum() == pytest.approx(1)


def test_second_eigenvector_solves_the_generalised_problem() -> None:
    edges = np.random.default_rng(0).random((9, 9)) + 0.1
    edges += edges.T
    degree = np.diag(edges.sum(axis=0))
    values, vectors = linalg.eigh(degree - edges, degree)
    found = second_eigenvector(edges)
    assert values[0] == pytest.approx(0, abs=1e-12)
    assert found * np.sign(found[0]) == pytest.approx(vectors[:, 1] * np.sign(vectors[0, 1]), abs=1e-9)


def test_tokencut_takes_the_side_of_the_largest_entry() -> None:
    """The vector is orthogonal to D 1, so the smaller of two groups has the larger entries."""
    layout = ["aaaa", "abba", "abba", "aaaa", "aaaa"]
    assert cells(tokencut(blocks(layout), tau=0.2, connected=True)) == ["....", ".##.", ".##.", "....", "...."]
    inverse = [row.translate(str.maketrans("ab", "ba")) for row in layout]
    assert cells(tokencut(blocks(inverse), tau=0.2, connected=True)) == ["....", ".##.", ".##.", "....", "...."]


def test_tokencut_keeps_the_part_of_the_seed() -> None:
    layout = ["aaaaa", "abaab", "abaaa", "aaaaa"]
    assert cells(tokencut(blocks(layout), tau=0.2, connected=False)) == [".....", ".#..#", ".#...", "....."]
    assert cells(tokencut(blocks(layout), tau=0.2, connected=True)) in (
        [".....", ".#...", ".#...", "....."],
        [".....", "....#", ".....", "....."],
    )


def test_tau_decides_what_is_alike() -> None:
    angles = np.radians([[0, 0, 0, 60, 60]])  # cosine 0.5
    fan = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    assert cells(tokencut(fan, tau=0.6, connected=True)) == ["...##"]
    assert not tokencut(fan, tau=0.4, connected=True).any()  # every edge is 1


def test_a_graph_without_a_cut_has_nothing_salient() -> None:
    assert not tokencut(np.ones((3, 4, 2)), tau=0.2, connected=True).any()
    assert not tokencut(np.ones((1, 1, 2)), tau=0.2, connected=True).any()
    assert pytest.approx(1e-5) == WEAK_EDGE


# ---- seed expansion --------------------------------------------------------------------------------------------------


def test_lost_by_hand() -> None:
    """Degrees 3 and 1: the lone patch is the seed, and nothing else correlates with it."""
    features = np.array([[[1.0, 0], [1, 0], [1, 0], [-1, 0.5]]])
    assert cells(lost(features, least_similar=100, connected=True)) == ["...#"]


def test_lost_joins_what_correlates_with_seed_and_helpers() -> None:
    """Patch 3 is the seed, of degree 2; only patch 2 correlates with it.

    Patch 4 correlates with the seed by -1.25 and with patch 2 by 2.5: it is salient only if patch 2 helps.
    """
    vectors = np.array([[0.0, 1, 0], [0, 1, 0], [1, 1, 0.5], [1, -0.5, 0], [-0.25, 2, 1.5]])
    correlation = vectors @ vectors.T
    assert (correlation > 0).sum(axis=0).tolist() == [4, 4, 5, 2, 4]
    assert cells(lost(vectors[None], least_similar=1, connected=False)) == ["..##."]
    assert cells(lost(vectors[None], least_similar=5, connected=False)) == ["#####"]


def test_lost_keeps_the_part_of_the_seed() -> None:
    features = np.zeros((2, 5, 2))
    features[..., 0] = 1
    features[:, 0] = features[0, 4] = (-1, 0)
    assert cells(lost(features, least_similar=100, connected=True)) == ["#....", "#...."]
    assert cells(lost(features, least_similar=100, connected=False)) == ["#...#", "#...."]


def test_lost_of_nothing() -> None:
    assert not lost(np.zeros((2, 3, 4)), least_similar=100, connected=True).any()
