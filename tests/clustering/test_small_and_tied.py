"""Few regions, equal regions, many clusters: an answer, or one sentence, and never an endless search."""

import numpy as np
import pandas as pd
import pytest
from libpysal.graph import Graph

from spatialkz.clustering import analyse_clusters, cluster_regions
from spatialkz.clustering.validation.joins import is_symmetric
from spatialkz.errors import InputError


def ring(n):
    here = np.arange(n)
    there = np.roll(here, -1)
    return Graph.from_arrays(np.r_[here, there], np.r_[there, here], np.ones(2 * n))


def table(n, columns=4, levels=None, seed=0):
    rng = np.random.default_rng(seed)
    cells = rng.gamma(1.0, size=(n, columns)) if levels is None else rng.integers(0, levels, (n, columns))
    return pd.DataFrame(cells, columns=[f"s{j}" for j in range(columns)])


@pytest.mark.parametrize("k", [27, 29])
def test_more_clusters_than_a_resample_has_regions(k):
    found = cluster_regions(table(30), method="ward", k=k, references=0, resamples=10, rng=1)
    assert found.k == k
    assert found.stability.between(0, 1).all()


@pytest.mark.parametrize(
    ("n", "levels", "seed"), [(5, None, 0), (6, None, 0), (12, 3, 0), (12, 3, 3), (12, 2, 1)]
)
def test_few_or_tied_regions_are_looked_into(n, levels, seed):
    found = analyse_clusters(
        table(n, levels=levels, seed=seed), ring(n), methods=["kmeans"], k=2, resamples=10, draws=9, rng=1
    )
    assert len(found.main.labels) == n
    assert found.to_dict()["structure"]
    assert (found.without_sector.jaccard.stack() <= 1).all()


def test_a_directed_graph_has_no_joins_and_a_complete_one_no_space():
    n = 9
    here = np.repeat(np.arange(n), 2)
    there = (here + np.tile([1, 2], n)) % n
    directed = Graph.from_arrays(here, there, np.ones(2 * n))
    assert not is_symmetric(directed)
    methods = ["kmeans", "clustgeo"]
    found = analyse_clusters(table(n), directed, methods=methods, k=3, resamples=10, draws=9, rng=1)
    assert found.contiguity is None
    assert found.to_dict()["contiguity"] is None
    focal, neighbor = np.nonzero(~np.eye(n, dtype=bool))
    complete = Graph.from_arrays(focal, neighbor, np.ones(len(focal)))
    found = analyse_clusters(table(n), complete, methods=methods, k=3, resamples=10, draws=9, rng=1)
    assert list(found.clusters) == ["kmeans"]


def test_ten_seeds_are_compared(quotients, study):
    found = analyse_clusters(quotients, study.graph, methods=["kmeans"], k=2, resamples=10, draws=9, rng=1)
    assert found.seeds.shape == (10, 10)
    told = found.to_dict()["adjusted_rand_between_seeds"]
    assert told["seeds"] == 10
    # Two hundred starts find the same partition of 17 regions whatever the seed.
    assert told["least"] == pytest.approx(1)


def test_the_path_silhouette_stands_beside_the_other_criteria(quotients, study):
    features = np.log1p(quotients)
    with_graph = cluster_regions(features, graph=study.graph, references=0, resamples=10, rng=1)
    assert with_graph.criteria["path_silhouette"].loc[2:].notna().all()
    assert "path_silhouette" in with_graph.rules.index
    assert "path_silhouette" not in cluster_regions(features, references=0, resamples=10, rng=1).criteria


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"alpha": 0.5}, "spatial weight of clustgeo; kmeans has none"),
        ({"k": "3"}, "k is '3'"),
        ({"k": 2.5}, "k is 2.5"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, told):
    with pytest.raises(InputError, match=told):
        cluster_regions(table(9), rng=1, **options)


@pytest.mark.parametrize("size", [1e160, -1e160])
def test_features_too_large_to_square_are_refused(size):
    with pytest.raises(InputError, match="must not exceed"):
        cluster_regions(table(9) * size, rng=1)
