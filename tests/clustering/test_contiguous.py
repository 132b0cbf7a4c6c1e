import random
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from libpysal.graph import Graph
from libpysal.weights import W
from scipy.sparse import block_diag, csr_array, triu
from scipy.sparse.csgraph import connected_components
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import adjusted_rand_score

from spatialkz.clustering.partition.contiguous import (
    contiguity,
    max_p,
    region_kmeans_partitions,
    skater_partitions,
    ward_forest,
)
from spatialkz.clustering.partition.hierarchical import cut
from spatialkz.clustering.partition.labels import sum_of_squares
from spatialkz.clustering.partition.methods import METHODS, partitions
from spatialkz.errors import GraphError, InputError, RegionError
from spatialkz.randomness import seeded_globals

REFERENCE = Path(__file__).parents[1] / "reference" / "clustering" / "partitions"
CONTIGUOUS = [name for name, method in METHODS.items() if method.contiguous]


@pytest.fixture(scope="module")
def features():
    return pd.read_csv(REFERENCE / "features.csv", index_col="region").drop(columns="mass")


@pytest.fixture(scope="module")
def touching(study, features):
    return contiguity(study.graph, features.index)


def random_map(seed, n=20, extra=10):
    """A connected random graph: a tree and some more links."""
    rng = np.random.default_rng(seed)
    near = np.zeros((n, n))
    for i in range(1, n):
        near[i, rng.integers(i)] = 1
    near[tuple(rng.integers(n, size=(2, extra)))] = 1
    np.fill_diagonal(near, 0)
    return csr_array(np.maximum(near, near.T)), rng.normal(size=(n, 3))


def connected(labels, touching):
    return all(
        connected_components(touching[labels == name][:, labels == name])[0] == 1
        for name in np.unique(labels)
    )


def as_graph(touching, regions):
    links = touching.tocoo()
    return Graph.from_arrays(
        regions[links.coords[0]].to_numpy(), regions[links.coords[1]].to_numpy(), np.ones(links.nnz)
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("method", CONTIGUOUS)
def test_every_cluster_is_connected(method, seed):
    touching, points = random_map(seed)
    for k, labels in partitions(points, [1, 2, 5, 19], method, weights=touching, starts=3, rng=1).items():
        assert len(np.unique(labels)) == k
        assert connected(labels, touching)


@pytest.mark.parametrize("method", CONTIGUOUS)
def test_contiguity_binds(features, touching, method):
    """Without the constraint k-means finds clusters that are not connected here."""
    free = partitions(features.to_numpy(), [5], "kmeans", rng=1)[5]
    bound = partitions(features.to_numpy(), [5], method, weights=touching, rng=1)[5]
    assert not connected(free, touching)
    assert sum_of_squares(features.to_numpy(), bound) > sum_of_squares(features.to_numpy(), free)


@pytest.mark.parametrize("seed", range(5))
def test_ward_is_scikit_learns(seed):
    touching, points = random_map(seed, n=40, extra=30)
    tree = ward_forest(points, touching)
    for k in (2, 3, 7, 20):
        peer = AgglomerativeClustering(k, connectivity=touching, linkage="ward").fit_predict(points)
        assert adjusted_rand_score(peer, cut(tree, k)) == 1


def test_ward_on_a_complete_graph_is_ward():
    _, points = random_map(3)
    everyone = csr_array(1.0 - np.eye(20))
    free = partitions(points, [2, 4, 9], "ward")
    for k, labels in partitions(points, [2, 4, 9], "ward-contiguous", weights=everyone).items():
        np.testing.assert_array_equal(labels, free[k])


def test_ward_on_two_maps_makes_the_cheapest_merge_of_either():
    (first, points), (second, others) = random_map(1), random_map(2)
    both, all_points = csr_array(block_diag([first, second])), np.vstack([points, others])
    tree = ward_forest(all_points, both)
    assert np.isinf(tree[-1, 2])
    assert np.isfinite(tree[:-1, 2]).all()
    for k in (2, 3, 8):
        labels = cut(tree, k)
        assert connected(labels, both)
        ways = [
            np.concatenate(
                [cut(ward_forest(points, first), i), 100 + cut(ward_forest(others, second), k - i)]
            )
            for i in range(1, k)
        ]
        assert any(adjusted_rand_score(way, labels) == 1 for way in ways)


def test_skater_is_that_of_r(features, touching):
    labels = pd.read_csv(REFERENCE / "labels.csv").set_index(["method", "k"])
    for k, found in skater_partitions(features.to_numpy(), touching, range(2, 9)).items():
        assert adjusted_rand_score(labels.loc[("skater", k), "cluster"], found) == 1


def test_skater_and_region_kmeans_are_those_of_spopt(features, touching):
    from scipy.spatial.distance import cdist
    from spopt.region import RegionKMeansHeuristic, Skater

    ends = {i: touching[[i]].indices.tolist() for i in range(17)}
    frame = features.reset_index(drop=True)
    options = {"dissimilarity": lambda x, y: cdist(x, x if y is None else y, "sqeuclidean")}
    skater = Skater(frame, W(ends), list(frame.columns), 5, spanning_forest_kwds=options)
    skater.solve()
    found = partitions(features.to_numpy(), [5], "skater", weights=touching)[5]
    assert adjusted_rand_score(skater.labels_, found) == 1

    best = np.inf
    with seeded_globals(0):
        for seed in range(10):
            peer = RegionKMeansHeuristic(features.to_numpy(), 5, W(ends), seed=seed)
            peer.solve()
            best = min(best, sum_of_squares(features.to_numpy(), peer.labels_))
    ours = region_kmeans_partitions(features.to_numpy(), touching, [5], starts=40, rng=1)[5]
    assert sum_of_squares(features.to_numpy(), ours) <= best + 1e-9


def test_global_random_states_are_seeded_and_given_back():
    np.random.seed(5)  # noqa: NPY002
    random.seed(5)
    before = np.random.get_state()[1].tolist(), random.getstate()  # noqa: NPY002
    draws = []
    for _ in range(2):
        with seeded_globals(3):
            draws.append((np.random.random(), random.random()))  # noqa: NPY002
        with pytest.raises(ZeroDivisionError), seeded_globals(3):
            1 / 0  # noqa: B018
    assert draws[0] == draws[1]
    assert (np.random.get_state()[1].tolist(), random.getstate()) == before  # noqa: NPY002


def test_callers_random_state_neither_matters_nor_changes(features, touching):
    results = []
    for state in (1, 2):
        np.random.seed(state)  # noqa: NPY002
        before = np.random.get_state()[1].tolist()  # noqa: NPY002
        for method in ("region-kmeans", "skater"):
            found = partitions(features.to_numpy(), [4], method, weights=touching, starts=2, rng=3)[4]
            results.append((method, found.tolist()))
        assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    assert results[:2] == results[2:]


@pytest.mark.parametrize("method", CONTIGUOUS)
def test_equal_regions_and_constant_columns_are_clustered(method):
    """spopt alone loses links between equal neighbors and fails on ties."""
    touching, points = random_map(4)
    points = np.round(points[:, :1])
    points = np.column_stack([points, np.ones(20)])
    k = len(np.unique(points))
    for labels in partitions(points, [2, k], method, weights=touching, starts=10, rng=1).values():
        assert connected(labels, touching)
    assert len(np.unique(labels)) == k
    with pytest.raises(InputError, match="19"):
        partitions(points, [19], method, weights=touching)


@pytest.mark.parametrize("method", ["ward-contiguous", "skater"])
def test_a_graph_in_parts_serves_if_there_are_clusters_enough(method):
    (first, points), (second, others) = random_map(1), random_map(2)
    both, all_points = csr_array(block_diag([first, second])), np.vstack([points, others])
    found = partitions(all_points, [2, 6], method, weights=both)
    assert adjusted_rand_score(np.repeat([0, 1], 20), found[2]) == 1
    assert connected(found[6], both)
    with pytest.raises(GraphError, match="2 connected components"):
        partitions(all_points, [1, 2], method, weights=both)


def test_region_kmeans_refuses_a_graph_in_parts():
    (first, points), (second, others) = random_map(1), random_map(2)
    with pytest.raises(GraphError, match="2 connected components"):
        partitions(
            np.vstack([points, others]), [3], "region-kmeans", weights=csr_array(block_diag([first, second]))
        )


def test_contiguity_goes_by_label_and_either_direction(study, features, shuffled):
    rows = shuffled(features).index
    there, again = contiguity(study.graph, rows).toarray(), contiguity(study.graph, features.index).toarray()
    place = features.index.get_indexer(rows)
    np.testing.assert_array_equal(there, again[np.ix_(place, place)])
    one_way = Graph.from_arrays([*"abc"], [*"bca"], [2.0, 2.0, 2.0])
    np.testing.assert_array_equal(contiguity(one_way, pd.Index([*"abc"])).toarray(), 1 - np.eye(3))


def test_graphs_that_cannot_serve_are_refused():
    parts = Graph.from_arrays([*"abcd"], [*"badc"], [1.0] * 4)
    regions = pd.Index([*"abcd"])
    assert contiguity(parts, regions, k=2).nnz == 4
    with pytest.raises(GraphError, match=r"2 connected components \(a, b \| c, d\), so 1 contiguous"):
        contiguity(parts, regions, k=1)
    with pytest.raises(GraphError, match="c has none"):
        contiguity(Graph.from_arrays([*"abc"], [*"bac"], [1.0, 1.0, 0.0]), pd.Index([*"abc"]))
    with pytest.raises(RegionError, match="lacks e"):
        contiguity(parts, pd.Index([*"abcde"]))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("floor", [2, 4, 20])
def test_max_p_keeps_floor_and_contiguity(seed, floor):
    touching, points = random_map(seed)
    regions = pd.Index([f"r{i:02d}" for i in range(20)])
    features = pd.DataFrame(points, regions)
    found = max_p(features, as_graph(touching, regions), floor, starts=20, rng=1)
    sizes = found.value_counts()
    assert sizes.min() >= floor
    assert sorted(sizes.index) == list(range(1, len(sizes) + 1))
    assert connected(found.to_numpy(), touching)


def test_max_p_finds_as_many_clusters_as_there_can_be():
    regions = pd.Index([f"r{i:02d}" for i in range(12)])
    line = csr_array(triu(np.ones((12, 12)), 1) - triu(np.ones((12, 12)), 2))
    graph = as_graph(csr_array(line + line.T), regions)
    values = pd.DataFrame({"x": np.repeat([3.0, 1.0, 2.0], 4)}, regions)
    assert max_p(values, graph, 4, rng=1).tolist() == [1] * 4 + [3] * 4 + [2] * 4
    assert max_p(values, graph, 3, rng=1).nunique() == 4
    heavy = pd.Series([6.0] + [1.0] * 11, regions)
    assert max_p(values, graph, 6, sizes=heavy, rng=1).max() == 2
    means = values["x"].groupby(max_p(values, graph, 2, rng=1)).mean()
    assert means.is_monotonic_decreasing


def test_max_p_reaches_at_least_what_spopt_reaches():
    """On a map where spopt's heuristic ends; on others it does not."""
    from spopt.region import MaxPHeuristic

    touching, points = random_map(7, n=30, extra=25)
    regions = pd.Index([f"r{i:02d}" for i in range(30)])
    frame = pd.DataFrame(points, columns=[*"xyz"])
    ends = {i: touching[[i]].indices.tolist() for i in range(30)}
    with seeded_globals(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = MaxPHeuristic(frame.assign(one=1), W(ends), [*"xyz"], "one", 2, 2, 99, 1, policy="keep")
        peer.solve()
    found = max_p(frame.set_axis(regions), as_graph(touching, regions), 2, rng=1)
    assert found.max() >= peer.p


def test_max_p_repeats_and_does_not_depend_on_row_order(features, study, shuffled):
    found = max_p(features, study.graph, 3, starts=30, rng=4)
    again = max_p(shuffled(features), study.graph, 3, starts=30, rng=4)
    pd.testing.assert_series_equal(again.loc[features.index], found)
    assert found.index.equals(features.index)
    assert not found.to_numpy().flags.writeable


def test_max_p_refuses_what_cannot_be(features, study):
    with pytest.raises(GraphError, match=r"smaller than the floor of 18: .* 11 more"):
        max_p(features, study.graph, 18)
    with pytest.raises(InputError, match="floor is 0"):
        max_p(features, study.graph, 0)
    with pytest.raises(InputError, match="sizes must be at least 0"):
        max_p(features, study.graph, 2, sizes=pd.Series(-1.0, features.index))
    with pytest.raises(RegionError, match="sizes lacks"):
        max_p(features, study.graph, 2, sizes=pd.Series(1.0, features.index[1:]))
    with pytest.raises(InputError, match="is nan"):
        max_p(features.mask(features > 2), study.graph, 2)


def test_cuts_follow_the_order_of_merges_where_heights_fall():
    """On a line 0 – 10 – 1: the first merge costs more than the second."""
    tree = np.array([[0, 1, 5.0, 2], [2, 3, 3.0, 3]])
    assert cut(tree, 2).tolist() == [0, 0, 1]
    assert [len(set(cut(tree, k))) for k in (1, 2, 3)] == [1, 2, 3]
    assert all(
        len(set(zip(cut(tree, fine), cut(tree, rough), strict=True))) == fine
        for rough, fine in pairwise((1, 2, 3))
    )
