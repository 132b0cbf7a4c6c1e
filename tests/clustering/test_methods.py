from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from scipy.cluster.hierarchy import is_valid_linkage
from scipy.sparse import csr_array
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.metrics import adjusted_rand_score

from spatialkz.clustering.partition.contiguous import contiguity
from spatialkz.clustering.partition.hierarchical import choose_alpha, cut
from spatialkz.clustering.partition.labels import sum_of_squares
from spatialkz.clustering.partition.methods import METHODS, partition, partitions, tree
from spatialkz.clustering.partition.mixtures import mixture_bic, mixtures
from spatialkz.errors import GraphError, InputError
from spatialkz.options import PartitionMethod

REFERENCE = Path(__file__).parents[1] / "reference" / "clustering" / "partitions"


@pytest.fixture(scope="module")
def features():
    return pd.read_csv(REFERENCE / "features.csv", index_col="region").drop(columns="mass")


@pytest.fixture(scope="module")
def points(features):
    return features.to_numpy()


@pytest.fixture(scope="module")
def weights(study, features):
    return contiguity(study.graph, features.index)


@pytest.fixture(scope="module")
def three_groups():
    rng = np.random.default_rng(3)
    return np.repeat([[0, 0], [9, 0], [0, 9]], 8, axis=0) + rng.normal(scale=0.7, size=(24, 2))


def test_every_method_is_registered():
    assert set(METHODS) == set(get_args(PartitionMethod))


@pytest.mark.parametrize("method", METHODS)
def test_labels_are_numbered_as_they_occur(points, weights, method):
    for k, labels in partitions(points, [1, 3, 6], method, weights=weights, starts=5, rng=1).items():
        names = pd.unique(labels)
        assert names.tolist() == list(range(len(names)))
        assert len(names) == k or not METHODS[method].exact
        assert len(labels) == 17


@pytest.mark.parametrize("method", METHODS)
def test_clear_groups_are_found(three_groups, method):
    everyone = csr_array(1.0 - np.eye(24))
    options = {"weights": everyone} if METHODS[method].contiguous else {}
    if method == "clustgeo":
        options = {"weights": everyone, "distances": 1.0 - np.eye(24), "alpha": 0.2}
    labels = partition(three_groups, 3, method, rng=1, starts=10, **options)
    assert adjusted_rand_score(np.repeat([0, 1, 2], 8), labels) == 1


@pytest.mark.parametrize("method", METHODS)
def test_the_seed_repeats_the_result_and_input_is_not_changed(points, weights, method):
    before, links = points.copy(), weights.toarray()
    first, second = (partition(points, 4, method, weights=weights, starts=3, rng=9) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(points, before)
    np.testing.assert_array_equal(weights.toarray(), links)


@pytest.mark.parametrize("method", [name for name, known in METHODS.items() if not known.random])
def test_the_seed_is_no_matter_where_nothing_is_random(points, weights, method):
    first, second = (partition(points, 5, method, weights=weights, rng=seed) for seed in (1, 2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("method", ["ward", "average", "complete"])
def test_linkage_is_scikit_learns_and_rs(points, method):
    labels = pd.read_csv(REFERENCE / "labels.csv").set_index(["method", "k"])
    heights = pd.read_csv(REFERENCE / "heights.csv").set_index("method")["height"]
    np.testing.assert_allclose(tree(points, method)[:, 2], heights[method], rtol=1e-10)
    for k, found in partitions(points, range(2, 9), method).items():
        assert adjusted_rand_score(labels.loc[(method, k), "cluster"], found) == 1
        peer = AgglomerativeClustering(k, linkage=method).fit_predict(points)
        assert adjusted_rand_score(peer, found) == 1


def test_kmeans_is_no_worse_than_scikit_learns(points):
    for k, labels in partitions(points, range(2, 8), "kmeans", rng=1).items():
        peer = KMeans(k, n_init=50, random_state=1).fit(points)
        assert sum_of_squares(points, labels) <= peer.inertia_ * (1 + 1e-9)


@pytest.mark.parametrize("method", [name for name, known in METHODS.items() if known.tree])
def test_partitions_are_cut_from_the_tree(points, weights, method):
    alpha = 0.4 if method == "clustgeo" else None
    merges = tree(points, method, weights=weights, alpha=alpha)
    assert is_valid_linkage(merges)
    for k, labels in partitions(points, [2, 5, 9], method, weights=weights, alpha=alpha).items():
        np.testing.assert_array_equal(labels, cut(merges, k))


def test_alpha_left_out_is_chosen_by_the_two_curves(study, features, points, weights):
    choice = choose_alpha(features, study.graph, 4)
    found = partition(points, 4, "clustgeo", weights=weights)
    np.testing.assert_array_equal(
        found, partition(points, 4, "clustgeo", weights=weights, alpha=choice.alpha)
    )


def best_k(points, **options):
    return mixture_bic(points, range(1, 6), starts=3, rng=1, **options)["bic"].idxmin()


def test_bic_finds_the_groups_and_seldom_any_in_noise(three_groups):
    """Of 17 × 11 noise about 1 table in 40 is taken for clusters; without a floor of variance nearly all."""
    assert best_k(three_groups) == 3
    noise = [np.random.default_rng(seed).normal(size=(17, 11)) for seed in range(20)]
    assert sum(best_k(table) > 1 for table in noise) <= 2
    assert sum(best_k(table, least_variance=1e-3) > 1 for table in noise) >= 10
    with pytest.raises(InputError, match="least_variance is 0"):
        mixtures(three_groups, [2], least_variance=0.0)


def test_bic_is_its_formula(points):
    found = mixture_bic(points, [1, 3], rng=1)
    fitted = mixtures(points, [1, 3], rng=1)
    for k, mixture in fitted.items():
        free = {"spherical": 1, "diag": 11}[mixture.covariance_type]
        expected = -2 * mixture.score(points) * 17 + (k * (11 + free) + k - 1) * np.log(17)
        assert found.loc[k, "bic"] == pytest.approx(expected, rel=1e-12)
        assert found.loc[k, "clusters"] <= k


def test_bad_input_is_refused(points, weights):
    with pytest.raises(InputError, match="one of kmeans, ward"):
        partition(points, 3, "dbscan")
    for method in METHODS:
        with pytest.raises(InputError, match="18"):
            partition(points, 18, method, weights=weights)
        with pytest.raises(InputError, match="nan"):
            partition(np.where(points > 2, np.nan, points), 3, method, weights=weights)
        if METHODS[method].needs_graph:
            with pytest.raises(GraphError, match="needs a graph"):
                partition(points, 3, method)
    with pytest.raises(InputError):
        partition(points, 0, "ward")
    for alpha in (-0.01, 1.01, np.nan):
        with pytest.raises(InputError, match="it must be from 0"):
            partition(points, 3, "clustgeo", weights=weights, alpha=alpha)
    with pytest.raises(InputError, match="weights have shape"):
        partition(points, 3, "skater", weights=weights[:5][:, :5])
    with pytest.raises(GraphError, match="not distances"):
        partition(points, 3, "skater", distances=np.ones((17, 17)))
    with pytest.raises(InputError, match="has no tree; those with one are ward, average"):
        tree(points, "kmeans")
    with pytest.raises(InputError, match="needs an alpha"):
        tree(points, "clustgeo", weights=weights)
    with pytest.raises(InputError, match="one region"):
        tree(points[:1], "ward")


@pytest.mark.parametrize("method", METHODS)
def test_equal_regions_and_constant_columns(points, weights, method):
    twice = points.copy()
    twice[1], twice[:, 0] = twice[0], 2.0
    labels = partition(twice, 4, method, weights=weights, starts=5, rng=1)
    assert len(np.unique(labels)) == 4 or not METHODS[method].exact
    with pytest.raises(InputError, match="17"):
        partition(twice, 17, method, weights=weights)
