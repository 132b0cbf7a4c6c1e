"""The smallest attainable p-value of drawn regions heeds the values, as that of enumerated ones does."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from libpysal.graph import Graph

from spatialkz.resampling.conditional import _extreme_share
from spatialkz.spatial import local_moran

VALUES = {
    "distinct": np.arange(9.0),
    "zeros": np.r_[np.zeros(7), 1, 2],
    "levels": np.array([0, 0, 1, 1, 1, 2, 2, 3, 3.0]),
    "one": np.r_[1.0, np.zeros(8)],
}


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("d", [1, 2, 3, 8])
def test_share_of_the_sets_with_the_largest_sum_by_enumeration(kind, d):
    values = VALUES[kind]
    regions = np.arange(len(values))
    found = _extreme_share(values, regions, np.full(len(values), d))
    for i in regions:
        sums = np.array([values[list(chosen)].sum() for chosen in combinations(np.delete(regions, i), d)])
        assert found[i] == pytest.approx((sums >= sums.max() - 1e-12).mean())


def lattice(side):
    cells = np.arange(side * side).reshape(side, side)
    one = np.r_[cells[:, :-1].ravel(), cells[:-1].ravel()]
    other = np.r_[cells[:, 1:].ravel(), cells[1:].ravel()]
    ends = np.lexsort((np.r_[other, one], np.r_[one, other]))
    focal, neighbor = np.r_[one, other][ends], np.r_[other, one][ends]
    return Graph.from_arrays(focal, neighbor, np.ones(len(focal)))


def test_a_single_cell_leaves_most_regions_of_a_large_map_without_a_chance():
    values = pd.Series(0.0, range(400))
    values[55] = 1.0
    found = local_moran(values, lattice(20), permutations=999, rng=1).to_frame().reset_index()
    found = found.set_index("region")
    inner = found.loc[210]
    # With four neighbors of 399 others the one may be among them: 4 / 399, twice for two sides.
    assert inner["p_min"] == pytest.approx(2 * 4 / 399)
    assert (found["p_value"] >= 0.5 * found["p_min"]).all()


def test_many_neighbors_do_not_overflow():
    values = np.r_[np.zeros(1500), np.ones(1500)]
    found = _extreme_share(values, np.array([0, 2999]), np.array([600, 600]))
    assert ((found > 0) & (found < 1e-150)).all()


def test_with_unequal_weights_ties_leave_the_smallest_p_value_to_the_order():
    """Which of two equal neighbors stands where changes nothing, but other values in their places do."""
    graph = lattice(20)
    uneven = Graph(graph.adjacency * np.random.default_rng(1).uniform(0.5, 2, len(graph.adjacency)))
    values = pd.Series(np.random.default_rng(2).integers(0, 3, 400).astype(float), range(400))
    found = local_moran(values, uneven, permutations=999, rng=1).to_frame()
    assert (found["p_min"] <= 0.011).mean() > 0.9
    assert found["p_min"].between(0, 1, inclusive="right").all()
