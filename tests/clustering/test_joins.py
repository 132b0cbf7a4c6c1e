import itertools

import numpy as np
import pandas as pd
import pytest
from libpysal.graph import Graph

from spatialkz.clustering.validation.joins import cluster_contiguity
from spatialkz.errors import GraphError, InputError, RegionError


def chain(n):
    focal = np.r_[np.arange(n - 1), np.arange(1, n)]
    neighbor = np.r_[np.arange(1, n), np.arange(n - 1)]
    return Graph.from_arrays(focal, neighbor, np.ones(len(focal)))


def test_parts_and_joins_of_a_chain():
    labels = pd.Series([1, 1, 1, 2, 1, 2, 2, 3])
    found = cluster_contiguity(labels, chain(8), permutations=199, rng=1)
    frame = found.to_frame()
    assert frame["regions"].tolist() == [4, 3, 1]
    assert frame["components"].tolist() == [2, 2, 1]
    assert frame["largest_component"].tolist() == [3, 2, 1]
    assert frame["joins"].tolist() == [2, 1, 0]
    # m n_c (n_c − 1) / (n (n − 1)) with 7 joins.
    np.testing.assert_allclose(frame["expected"], [7 * 12 / 56, 7 * 6 / 56, 0])
    assert found.joins == 3
    assert frame.loc[3, "p_value"] == 1
    assert "4 regions in 2 connected components" in found.summary()
    assert found.to_dict()["joins"] == 3


def test_p_values_approach_those_of_all_arrangements():
    labels = pd.Series([1, 1, 1, 2, 2, 3, 3])
    joins = np.array(
        [
            [sum(a == b == c for a, b in itertools.pairwise(order)) for c in (1, 2, 3)]
            for order in set(itertools.permutations(labels))
        ]
    )
    found = cluster_contiguity(labels, chain(7), permutations=9999, rng=1)
    exact = (joins >= [2, 1, 1]).mean(axis=0)
    np.testing.assert_allclose(found.to_frame()["p_value"], exact, atol=0.02)
    assert found.p_value == pytest.approx((joins.sum(axis=1) >= 4).mean(), abs=0.005)


def test_the_overall_test_holds_its_level():
    draw, graph = np.random.default_rng(2), chain(17)
    p_values = [
        cluster_contiguity(
            pd.Series(draw.permutation(np.repeat([1, 2, 3], [7, 6, 4]))), graph, permutations=99, rng=seed
        ).p_value
        for seed in range(60)
    ]
    assert np.mean(np.array(p_values) <= 0.1) <= 0.1 + 3 * np.sqrt(0.09 / 60)
    assert np.mean(p_values) > 0.4


def test_regions_are_joined_by_label(study, shuffled):
    labels = (study.table.values["electronics"] >= 0.5).map({True: "high", False: "low"})
    one = cluster_contiguity(labels, study.graph, permutations=199, rng=1)
    other = cluster_contiguity(shuffled(labels), study.graph, permutations=199, rng=1)
    pd.testing.assert_frame_equal(one.to_frame(), other.to_frame())
    assert one.p_value == other.p_value
    # Every join is within a cluster or between two.
    between = labels.loc[study.graph.adjacency.index.get_level_values(0)].to_numpy()
    same = between == labels.loc[study.graph.adjacency.index.get_level_values(1)].to_numpy()
    assert one.joins == same.sum() / 2


def test_bad_input_is_refused(study):
    labels = pd.Series(1, index=study.table.values.index)
    with pytest.raises(InputError, match="1 clusters; at least 2"):
        cluster_contiguity(labels, study.graph)
    with pytest.raises(InputError, match="must be a pandas Series"):
        cluster_contiguity([1, 2], study.graph)
    halves = pd.Series(np.arange(17) % 2, index=labels.index)
    with pytest.raises(RegionError, match="Akmola"):
        cluster_contiguity(halves.drop("Akmola"), study.graph)
    with pytest.raises(InputError, match="permutations"):
        cluster_contiguity(halves, study.graph, permutations=9)
    one_way = Graph.from_arrays([0, 1, 2, 3], [1, 2, 3, 0], np.ones(4))
    with pytest.raises(GraphError, match="one way only"):
        cluster_contiguity(pd.Series([1, 1, 2, 2]), one_way, permutations=99)
