"""Discovery against a literal transcription of Table 3.1, values by hand and invariants; from patches to pixels."""

import numpy as np
import pytest

from wsss_steps.errors import UserError
from wsss_steps.ops.superpixels import as_ids, compact, cosine_similarity, discover, upsample

FIVE_ANGLES = np.radians([0, 10, 25, 110, 205])
FIVE = np.stack([np.cos(FIVE_ANGLES), np.sin(FIVE_ANGLES)], axis=1)


def table_3_1(features: np.ndarray, tau: float, order: str = "lowest") -> list[list[int]]:
    """Table 3.1, line by line in float64, with each seed always in its own superpixel."""
    f = [row / np.linalg.norm(row) for row in features.astype(np.float64)]
    patches = range(len(f))
    a = [[float(f[p] @ f[q]) for q in patches] for p in patches]
    b = [[1 if a[p][q] > 0 else 0 for q in patches] for p in patches]
    candidates = set(patches)
    found = []
    while candidates:
        degree = {p: sum(b[p][q] for q in candidates) for p in sorted(candidates)}
        seed = min(degree, key=degree.__getitem__) if order == "lowest" else max(degree, key=degree.__getitem__)
        members = {q for q in candidates if a[seed][q] > tau} | {seed}
        found.append([seed, *sorted(members - {seed})])
        candidates -= members
    return found


def as_sets(features: np.ndarray, tau: float, order: str = "lowest") -> list[list[int]]:
    """What `discover` found, in the form of `table_3_1`: the seed first, then the others."""
    label, seeds = discover(features, tau, order)
    return [[int(seed), *(int(p) for p in np.flatnonzero(label == i) if p != seed)] for i, seed in enumerate(seeds)]


@pytest.mark.parametrize(
    ("tau", "order", "expected"),
    [
        (0.3, "lowest", [{4}, {3}, {0, 1, 2}]),
        (0.0, "lowest", [{4}, {2, 3}, {0, 1}]),
        (0.95, "lowest", [{4}, {3}, {0, 1}, {2}]),
        (0.99, "lowest", [{4}, {3}, {0}, {1}, {2}]),
        (0.3, "highest", [{0, 1, 2}, {3}, {4}]),
        (0.0, "highest", [{0, 1, 2, 3}, {4}]),
    ],
)
def test_five_directions_by_hand(tau: float, order: str, expected: list[set[int]]) -> None:
    assert [set(members) for members in as_sets(FIVE, tau, order)] == expected


def test_degrees_of_five_directions() -> None:
    assert (cosine_similarity(FIVE) > 0).sum(axis=1).tolist() == [3, 3, 4, 2, 1]


@pytest.mark.parametrize("order", ["lowest", "highest"])
@pytest.mark.parametrize("tau", [-0.5, 0.0, 0.1, 0.3, 0.6, 0.95])
def test_equals_table_3_1(tau: float, order: str) -> None:
    random = np.random.default_rng(7)
    for size, dims in ((1, 3), (2, 3), (30, 2), (60, 5)):
        features = random.normal(size=(size, dims))
        assert as_sets(features, tau, order) == table_3_1(features, tau, order)


def test_equals_table_3_1_when_superpixels_exceed_an_8_bit_count() -> None:
    random = np.random.default_rng(3)
    features = np.repeat(random.normal(size=(3, 8)), [290, 150, 60], axis=0) + 0.2 * random.normal(size=(500, 8))
    expected = table_3_1(features, 0.3)
    assert max(len(members) for members in expected) > 255
    assert as_sets(features, 0.3) == expected


@pytest.mark.parametrize("tau", [0.0, 0.5, 0.99])
def test_is_a_partition_with_each_seed_in_its_own_superpixel(tau: float) -> None:
    label, seeds = discover(np.random.default_rng(0).normal(size=(200, 4)), tau)
    assert np.array_equal(np.unique(label), np.arange(len(seeds)))
    assert np.array_equal(label[seeds], np.arange(len(seeds)))


def test_lemma_1_members_are_pairwise_positive_above_one_over_root_two() -> None:
    features = np.random.default_rng(1).normal(size=(400, 3))
    label, seeds = discover(features, 0.7072)
    assert len(seeds) < 60
    for index in range(len(seeds)):
        members = features[label == index]
        assert (members @ members.T > 0).all()


def test_permuted_patches_give_the_same_sets() -> None:
    """Groups of different size, opposed to each other: no ties that the order of patches could decide."""
    random = np.random.default_rng(2)
    simplex = np.eye(5) - 1 / 5  # cosine of -1/4 between any two
    features = np.repeat(simplex, [7, 2, 5, 1, 3], axis=0) * random.uniform(0.5, 2, (18, 1))
    permutation = random.permutation(18)
    plain, permuted = (discover(rows, 0.3)[0] for rows in (features, features[permutation]))
    assert np.array_equal(plain[permutation], permuted)
    assert np.bincount(plain).tolist() == [1, 2, 3, 5, 7]  # smallest first


def test_length_of_features_is_immaterial() -> None:
    features = np.random.default_rng(4).normal(size=(50, 6))
    lengths = 2.0 ** np.random.default_rng(5).integers(-5, 6, (50, 1))
    assert np.array_equal(discover(features, 0.2)[0], discover(features * lengths, 0.2)[0])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_identical_features_are_one_superpixel(dtype: type) -> None:
    label, seeds = discover(np.full((6, 3), 0.7, dtype), 0.99)
    assert label.tolist() == [0] * 6
    assert seeds.tolist() == [0]


@pytest.mark.parametrize("order", ["lowest", "highest"])
def test_orthogonal_features_are_all_apart_in_order_of_index(order: str) -> None:
    label, seeds = discover(np.eye(6), 0.0, order)
    assert label.tolist() == seeds.tolist() == [0, 1, 2, 3, 4, 5]


def test_ends_where_a_seed_is_not_like_itself() -> None:
    assert len(discover(np.ones((4, 3)), 1.0)[1]) == 4
    assert len(discover(np.ones((4, 3)), 2.0)[1]) == 4


def test_zero_vectors_are_like_each_other_alone() -> None:
    features = np.array([[0, 0], [1, 0], [0, 0], [2, 0]], np.float16)
    assert cosine_similarity(features).tolist() == [[1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1]]
    assert as_sets(features, 0.3) == [[0, 2], [1, 3]]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_non_finite_features_are_refused(value: float) -> None:
    features = np.ones((5, 3), np.float16)
    features[3, 1] = value
    with pytest.raises(UserError, match="in 1 of 5 patches, the first is 3"):
        discover(features, 0.3)


def test_upsample_goes_by_the_centre_of_a_pixel() -> None:
    grid = np.array([[0, 1, 2], [3, 4, 5]], np.int32)
    # Rows: cells of 2 px, the image ends within the second. Columns: cells of 5/3 px, centres 0.5 1.5 | 2.5 | 3.5 4.5.
    expected = [[0, 0, 1, 2, 2], [0, 0, 1, 2, 2], [3, 3, 4, 5, 5]]
    assert upsample(grid, (4.0, 5.0), (3, 5)).tolist() == expected


def test_upsample_by_whole_cells_repeats_them() -> None:
    grid = np.arange(12, dtype=np.int32).reshape(3, 4)
    assert np.array_equal(upsample(grid, (24.0, 32.0), (24, 32)), np.kron(grid, np.ones((8, 8), np.int32)))
    assert np.array_equal(upsample(grid, (24.0, 32.0), (21, 25)), np.kron(grid, np.ones((8, 8), np.int32))[:21, :25])


def test_upsample_bears_rounding_of_the_extent() -> None:
    assert upsample(np.array([[0, 1]], np.int32), (1.0, 3.9999), (1, 4)).tolist() == [[0, 0, 1, 1]]


@pytest.mark.parametrize("extent", [(16.0, 32.0), (8.0, 8.0), (40.0, 16.0), (0.0, 16.0), (float("nan"), 16.0)])
def test_upsample_refuses_the_grid_of_another_image(extent: tuple[float, float]) -> None:
    with pytest.raises(UserError, match=r"to span the image's (height|width) of 16 px, found that it spans"):
        upsample(np.zeros((2, 2), np.int32), extent, (16, 16))


def test_compact_closes_gaps_in_the_old_order() -> None:
    labels, kept = compact(np.array([[5, 2], [2, 9]]))
    assert labels.tolist() == [[1, 0], [0, 2]]
    assert kept.tolist() == [2, 5, 9]


def test_ids_start_at_1_and_end_at_65535() -> None:
    ids = as_ids(np.arange(65535).reshape(5, -1))
    assert (ids.dtype, ids.min(), ids.max()) == (np.uint16, 1, 65535)
    with pytest.raises(UserError, match="at most 65535 superpixels in an image, found 65536"):
        as_ids(np.arange(65536).reshape(8, -1))
