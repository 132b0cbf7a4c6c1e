import itertools

import joblib
import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from spatialkz.clustering.partition import kmeans
from spatialkz.clustering.partition.kernels import exchange, settle
from spatialkz.clustering.partition.kmeans import (
    _refill,
    iterated,
    kmeans_partitions,
    weighted_kmeans,
)
from spatialkz.clustering.partition.labels import sum_of_squares
from spatialkz.errors import InputError
from spatialkz.specialization import symmetric_quotient


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(4).random((2000, 60))


def peer(points, k, starts=10, weights=None):
    # Threads of a peer that wait for each other on a busy machine take minutes for seconds of work.
    with threadpool_limits(1):
        return KMeans(k, n_init=starts, random_state=0).fit(points, sample_weight=weights)


def nearest(points, labels):
    means = np.array([points[labels == c].mean(axis=0) for c in range(labels.max() + 1)])
    return ((points[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)


@pytest.mark.parametrize("transform", [np.asarray, np.log1p, symmetric_quotient])
def test_at_least_as_good_as_scikit_learn_with_200_starts(quotients, transform):
    points = np.asarray(transform(quotients))
    ks = [2, 4, 6, 8]
    found = kmeans_partitions(points, ks, starts=200, rng=1)
    for k in ks:
        assert found[k].inertia <= peer(points, k, 200).inertia_ * (1 + 1e-9)


def test_the_optimum_of_few_points_by_listing_all_partitions():
    points = np.random.default_rng(1).normal(size=(9, 2))
    best = {2: np.inf, 3: np.inf}
    for labels in itertools.product(range(3), repeat=8):
        labels = np.array([0, *labels])
        used = len(np.unique(labels))
        if used in best:
            best[used] = min(best[used], sum_of_squares(points, labels))
    found = kmeans_partitions(points, best, rng=1)
    for k, inertia in best.items():
        assert found[k].inertia == pytest.approx(inertia, rel=1e-12)


def test_one_cluster_and_one_cluster_a_point(quotients):
    points = quotients.to_numpy()
    found = kmeans_partitions(points, [1, len(points)], rng=1)
    assert found[1].inertia == pytest.approx(((points - points.mean(axis=0)) ** 2).sum(), rel=1e-12)
    assert found[len(points)].inertia == 0
    assert found[len(points)].labels.tolist() == list(range(len(points)))


@pytest.mark.parametrize("large", [False, True])
def test_results_are_fixed_points_with_all_clusters_and_their_inertia(noise, large):
    points = noise if large else noise[:50, :5]
    assert (points.size >= kmeans.LARGE) == large
    for k, (labels, inertia) in kmeans_partitions(points, [3, 7], starts=3, rng=1).items():
        assert np.unique(labels).tolist() == list(range(k))
        first = np.unique(labels, return_index=True)[1]
        assert (np.diff(first) > 0).all()
        assert (nearest(points, labels) == labels).all()
        assert inertia == pytest.approx(sum_of_squares(points, labels), rel=1e-12)


def test_a_large_table_is_no_worse_than_scikit_learn(noise):
    ks = [2, 5, 9]
    found = kmeans_partitions(noise, ks, starts=10, rng=1)
    ratios = [found[k].inertia / peer(noise, k).inertia_ for k in ks]
    assert np.mean(ratios) <= 1.0


@pytest.mark.parametrize("large", [False, True])
def test_threads_do_not_matter(noise, large):
    points = noise if large else noise[:40, :6]
    weights = np.random.default_rng(1).multinomial(
        len(points), np.full(len(points), 1 / len(points)), size=20
    )

    def both():
        return (
            kmeans_partitions(points, [2, 6], starts=8, rng=3)[6].labels,
            weighted_kmeans(points, weights, 4, starts=4, rng=3),
        )

    with joblib.parallel_config(n_jobs=1):
        alone = both()
    with joblib.parallel_config(n_jobs=3):
        together = both()
    for one, other in zip(alone, together, strict=True):
        assert (one == other).all()


@pytest.mark.parametrize("scale", [1e-150, 1e150])
def test_shift_and_scale_do_not_matter(quotients, scale):
    points = quotients.to_numpy()
    plain = kmeans_partitions(points, [4], rng=2)[4]
    moved = kmeans_partitions((points - 3) * scale, [4], rng=2)[4]
    assert (plain.labels == moved.labels).all()
    assert moved.inertia == pytest.approx(plain.inertia * scale**2, rel=1e-9)


def test_weights_are_copies_of_points(noise):
    points = noise[:60, :3] + 3 * (np.arange(60) % 3)[:, None]
    weights = np.random.default_rng(2).multinomial(60, np.full(60, 1 / 60), size=30)
    found = weighted_kmeans(points, weights, 3, rng=1)
    for row, labels in zip(weights, found, strict=True):
        copies = np.repeat(points, row, axis=0)
        other = peer(copies, 3)
        assert adjusted_rand_score(other.labels_, np.repeat(labels, row)) == 1
        # A point that was not drawn goes with the nearest center.
        place = np.unique(other.labels_, return_index=True)[1]
        order = np.repeat(labels, row)[place]
        assert (order[other.predict(points)] == labels).all()


def test_fractional_weights_minimize_the_weighted_sum(noise):
    points, weights = noise[:40, :4], np.random.default_rng(3).random((3, 40))
    found = weighted_kmeans(points, weights, 5, starts=50, rng=1)
    for row, labels in zip(weights, found, strict=True):
        assert sum_of_squares(points, labels, row) <= peer(points, 5, 50, row).inertia_ * (1 + 1e-9)


def test_empty_clusters_get_the_farthest_point():
    points = np.array([[0.0, 1], [1, 1], [2, 1], [50, 1]])
    # Two centers in one place: the second stays without points.
    centers = np.array([[[0.0, 0]], [[0.0, 0]]])
    labels, inertia = iterated(points, np.ones((1, 4)), np.array([0]), np.array([2]), centers, 0.0)
    assert labels.tolist() == [[0, 0, 0, 1]]
    assert inertia == pytest.approx([2.0])
    few, apart = np.empty(4, dtype=np.intp), np.tile(points[:, 0] ** 2, (2, 1))
    settle(np.ascontiguousarray(points[:, :1].T), np.ones(4), few, apart, 300)
    assert few.tolist() == [0, 0, 0, 1]


def test_refilling_never_empties_another_cluster():
    points = np.column_stack([[0.0, 9, 10, 0.5], np.ones(4)])
    labels = np.array([0, 1, 1, 0])
    centers = np.array([[0.0, 0], [0, 0], [0, 0], [0, 0]])
    sums = np.zeros((4, 2))
    _refill(points, np.array([1.0, 1, 1, 1]), labels, sums, centers, np.array([2, 3]))
    assert np.unique(labels).tolist() == [0, 1, 2, 3]
    assert sums.sum(axis=0).tolist() == [0, 0]


def test_exchange_never_raises_the_sum_and_ends_where_no_single_move_lowers_it():
    rng = np.random.default_rng(8)
    points = rng.normal(size=(25, 3))
    start = rng.integers(4, size=(6, 25))
    start[:, :4] = np.arange(4)
    for before in start:
        after = before.copy()
        within = exchange(np.ascontiguousarray(points.T), np.ones(25), 4, after, 300)
        here = sum_of_squares(points, after)
        assert here == pytest.approx(within)
        assert here <= sum_of_squares(points, before)
        for point, cluster in itertools.product(range(25), range(4)):
            other = after.copy()
            other[point] = cluster
            if len(np.unique(other)) == 4:
                assert sum_of_squares(points, other) >= here * (1 - 1e-9)


def test_duplicates_and_constant_columns_are_no_obstacle():
    points = np.column_stack([np.repeat([0.0, 1.0, 5.0], 6), np.full(18, 2.0)])
    found = kmeans_partitions(points, [1, 2, 3], rng=1)
    assert found[3].inertia == pytest.approx(0, abs=1e-12)
    assert found[2].labels.tolist() == [0] * 12 + [1] * 6


@pytest.mark.parametrize(
    ("points", "ks", "message"),
    [
        (np.zeros((4, 2)), [2], "only 1 of the 4 points are distinct"),
        ([[0.0], [1.0]], [3], "k is 3"),
        ([[0.0], [np.nan]], [1], "row 1, column 0 is nan"),
        ([0.0, 1.0], [1], "shape"),
        ([[0.0], [1.0]], [], "ks is empty"),
        ([[0.0], [1.0]], [0], "k is 0"),
        ([[0.0], [1.0]], [1.5], "k is 1.5"),
    ],
)
def test_bad_input_is_named(points, ks, message):
    with pytest.raises(InputError, match=message):
        kmeans_partitions(points, ks)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([[1.0, 1.0]], "shape"),
        ([[1.0, -1.0, 1.0]], "negative"),
        ([[1.0, 1.0, 1.0], [0.0, 0.0, 3.0]], "Row 1 of weights reaches 1 distinct points"),
    ],
)
def test_bad_weights_are_named(weights, message):
    with pytest.raises(InputError, match=message):
        weighted_kmeans([[0.0], [1.0], [2.0]], weights, 2)
    with pytest.raises(InputError, match="starts is 0"):
        weighted_kmeans([[0.0], [1.0]], [[1, 1]], 2, starts=0)
