"""EP: values worked by hand (methods.md 17), and its laws."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from wsss_steps.ops.edge_predict import components, dominant, edge_predict, edges

CANNY = {"sigma": 1.0, "low": 10.0, "high": 100.0}


def square(side: int = 24, value: int = 3) -> np.ndarray:
    labels = np.zeros((side, side), np.int64)
    labels[6:17, 6:17] = value
    return labels


@pytest.mark.parametrize(("fill_only_ignored", "expected"), [(False, [1, 1, 1, 1]), (True, [1, 1, 2, 1])])
def test_the_most_frequent_label_of_a_piece_by_hand(fill_only_ignored: bool, expected: list[int]) -> None:
    labels, pieces = np.array([[1, 1, 2, 255]]), np.ones((1, 4), np.int64)
    assert dominant(labels, pieces, fill_only_ignored=fill_only_ignored).tolist() == [expected]


def test_ties_go_to_the_lowest_label_and_edges_keep_theirs() -> None:
    labels, pieces = np.array([[2, 1, 5, 4, 4, 255, 255, 255, 4]]), np.array([[1, 1, 0, 2, 2, 0, 3, 3, 3]])
    assert dominant(labels, pieces, fill_only_ignored=False).tolist() == [[1, 1, 5, 4, 4, 255, 255, 255, 255]]


def test_pieces_are_4_connected() -> None:
    edge = np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]], bool)
    assert components(edge).tolist() == [[1, 1, 0], [1, 0, 2], [0, 2, 2]]


def test_an_edge_parts_an_area_from_its_surroundings_up_to_the_frame() -> None:
    labels = np.zeros((12, 12), np.int64)
    labels[:, 6:] = 1
    edge = edges(labels, **CANNY)
    assert edge[:, 5:7].any(axis=1).all()  # also the first row and the last
    assert not edge[:, :4].any()
    pieces = components(edge)
    assert pieces.max() == 2
    assert pieces[0, 0] != pieces[0, -1]


def test_a_plain_map_has_no_edges() -> None:
    assert not edges(np.full((9, 9), 7), **CANNY).any()


@pytest.mark.parametrize("values", [(0, 1), (0, 20), (0, 255), (14, 15)])
def test_edges_do_not_depend_on_the_numbers_of_the_labels(values: tuple[int, int]) -> None:
    mask = square() > 0
    assert np.array_equal(edges(np.where(mask, values[1], values[0]), **CANNY), edges(mask.astype(np.int64), **CANNY))


def test_three_labels_have_the_edges_of_each() -> None:
    labels = square()
    labels[6:17, 12:17] = 9
    expected = edges((labels == 3).astype(int), **CANNY) | edges((labels == 9).astype(int), **CANNY)
    assert np.array_equal(edges(labels, **CANNY), expected)


def refine(labels: np.ndarray, fill_only_ignored: bool = False, widen: int = 0, **canny: float) -> np.ndarray:
    given = torch.from_numpy(labels)[None]
    return edge_predict(given, **(CANNY | canny), widen=widen, fill_only_ignored=fill_only_ignored)[0].numpy()


def test_clear_areas_stay_as_they_are() -> None:
    assert np.array_equal(refine(square()), square())


def test_without_edges_the_whole_map_gets_its_most_frequent_label() -> None:
    assert not refine(square(), low=5000.0, high=5000.0).any()


def test_a_stronger_blur_takes_specks_for_their_surroundings_and_areas_stay() -> None:
    labels = square(40)
    labels[6:30, 6:30] = 3
    speckled = labels.copy()
    speckled[33, 33], speckled[15, 15] = 3, 0
    assert np.array_equal(refine(speckled, sigma=2.0, high=200.0)[8:28, 8:28], labels[8:28, 8:28])
    assert not refine(speckled, sigma=2.0, high=200.0)[32:, 32:].any()


def test_ragged_areas_merge_with_what_surrounds_them_unless_edges_are_widened() -> None:
    rows, columns = np.mgrid[:64, :64]
    lost = {0: 0, 1: 0}
    for seed in range(20):
        noise = gaussian_filter(np.random.default_rng(seed).standard_normal((64, 64)), 1)
        labels = (np.hypot(rows - 32, columns - 32) + 6 * noise < 18).astype(np.int64)
        for widen in lost:
            lost[widen] += refine(labels, widen=widen).sum() < labels.sum() / 2
    assert lost[0] > 0
    assert lost[1] == 0


def test_widened_edges_by_hand() -> None:
    edge = np.array([[0, 0, 0, 1, 0], [0, 0, 0, 0, 0], [0, 0, 0, 1, 0]], bool)
    assert components(edge, 1).tolist() == [[1, 1, 0, 0, 0], [1, 1, 1, 0, 2], [1, 1, 0, 0, 0]]


def test_the_milder_variant_changes_unlabelled_pixels_only() -> None:
    rng = np.random.default_rng(0)
    labels = rng.choice([0, 0, 0, 1, 255], (20, 20))
    refined = refine(labels, fill_only_ignored=True)
    assert np.array_equal(refined[labels != 255], labels[labels != 255])


def test_a_mirrored_batch_gives_mirrored_labels_of_the_same_type() -> None:
    labels = torch.from_numpy(np.stack([square(), np.rot90(square()).copy() * 2]))
    refined = edge_predict(labels, **CANNY, widen=0, fill_only_ignored=False)
    assert refined.dtype == labels.dtype
    mirrored = edge_predict(labels.flip(2), **CANNY, widen=0, fill_only_ignored=False)
    assert torch.equal(mirrored, refined.flip(2))
