from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from esda import LOSH
from libpysal.graph import Graph

from spatialkz.errors import GraphError, InputError
from spatialkz.geography import aligned, graph_from_pairs
from spatialkz.geography.weights import row_standardized
from spatialkz.resampling.conditional import conditional_test
from spatialkz.spatial import local_heteroscedasticity


@pytest.mark.parametrize("exponent", [1, 2])
def test_statistic_equals_esda(oldcol, exponent):
    table, graph = oldcol
    found = local_heteroscedasticity(table, graph, exponent=exponent, permutations=99).to_frame()["statistic"]
    aligned = graph.transform("r")
    for name in table:
        peer = LOSH(connectivity=aligned).fit(table.loc[aligned.unique_ids, name].to_numpy(), a=exponent)
        np.testing.assert_allclose(found[name].loc[aligned.unique_ids], peer.Hi, atol=1e-10)


def test_p_values_equal_complete_enumeration():
    """Five regions: 120 arrangements, against which 20,000 draws err by half a percent."""
    graph = Graph.from_arrays(list("abbccddebe"), list("bacbdcedeb"), np.ones(10))
    values = pd.Series([1.0, 4.0, 2.0, 9.0, 3.0], index=list("abcde"), name="x")
    neighbors = {name: list(graph[name].index) for name in values.index}

    def scatter(x):
        e = {name: (x[name] - np.mean([x[j] for j in near])) ** 2 for name, near in neighbors.items()}
        return np.array([np.mean([e[j] for j in near]) for near in neighbors.values()]) / np.mean(
            list(e.values())
        )

    every = np.array([scatter(dict(zip(values.index, x, strict=True))) for x in permutations(values)])
    observed = scatter(values.to_dict())
    found = local_heteroscedasticity(values, graph, permutations=20_000, rng=1).to_frame().loc["x"]
    tails = np.minimum((every >= observed - 1e-9).mean(axis=0), (every <= observed + 1e-9).mean(axis=0))
    np.testing.assert_allclose(found["statistic"], observed, atol=1e-12)
    np.testing.assert_allclose(found["expected"], every.mean(axis=0), atol=0.02)
    np.testing.assert_allclose(found["p_value"], np.minimum(1, 2 * tails), atol=0.02)


@pytest.mark.parametrize("kind", ["normal", "lognormal"])
def test_size_with_17_regions_holds_in_each_region(null_tables, study, kind):
    """Standard errors: half a point from 2,000 tables, and .7 from the 999 permutations that they share.

    Permuting the residuals instead rejects 0 % in enclaves and 14 % in another region of lognormal tables.
    """
    found = local_heteroscedasticity(null_tables(kind, 2000), study.graph, permutations=999, rng=2).to_frame()
    rates = (found["p_value"] <= 0.05).groupby("region").mean()
    assert rates.between(0.025, 0.075).all()
    assert 0.045 < rates.mean() < 0.055


def test_neither_permuted_residuals_nor_chi_square_hold_their_level_in_each_region(null_tables, study):
    """Why values are permuted; the upper tail, which is what chi-square has."""
    tables = null_tables("normal", 1000).sort_index()
    weights, graph = (
        row_standardized(study.graph, tables.index),
        aligned(study.graph, tables.index).transform("r"),
    )
    scatter = (tables.to_numpy() - weights @ tables.to_numpy()) ** 2
    options = {
        "method": "exact",
        "permutations": 99,
        "alternative": "greater",
        "rng": 1,
        "stream": "residuals",
    }
    permuted = conditional_test(scatter, weights, tables.index, **options).p_value
    chi_square = np.array([LOSH(graph, "chi-square").fit(tables[name].to_numpy()).pval for name in tables]).T
    for p_value in (permuted, chi_square):
        rates = (p_value <= 0.05).mean(axis=1)
        assert rates.min() < 0.02
        assert rates.max() > 0.06
    found = local_heteroscedasticity(tables, study.graph, permutations=999, alternative="greater", rng=2)
    rates = (found.to_frame()["p_value"] <= 0.05).groupby("region").mean()
    assert rates.between(0.025, 0.075).all()


def test_regions_beside_a_border_of_two_plateaus_scatter(shuffled):
    """A 6 × 6 lattice, low in the west and high in the east: residuals are at the border alone."""
    row, column = np.divmod(np.arange(36), 6)
    near = np.abs(row[:, None] - row) + np.abs(column[:, None] - column) == 1
    i, j = np.nonzero(near)
    labels = np.array([f"c{k:02}" for k in range(36)])
    graph = Graph.from_arrays(labels[i], labels[j], np.ones(len(i)))
    noise = np.random.default_rng(1).normal(scale=0.1, size=36)
    values = pd.Series(np.where(column < 3, 0.0, 5.0) + noise, index=labels, name="x")
    found = local_heteroscedasticity(values, graph, rng=1).to_frame().loc["x"]
    border = np.isin(column, [2, 3])
    assert (found["statistic"][border] > 1).all()
    assert (found["label"][np.isin(column, [0, 5])] == "homogeneous").all()
    again = local_heteroscedasticity(shuffled(values), graph, rng=1).to_frame().loc["x"]
    pd.testing.assert_frame_equal(again.loc[found.index], found)


def test_scale_and_place_of_the_values_play_no_part(quotients, study):
    found = local_heteroscedasticity(quotients, study.graph, permutations=199, rng=1).to_frame()
    for factor, shift in ((1e60, 0.0), (1e-60, 0.0), (1.0, 1000.0)):
        again = local_heteroscedasticity(quotients * factor + shift, study.graph, permutations=199, rng=1)
        np.testing.assert_allclose(again.to_frame()["statistic"], found["statistic"], rtol=1e-7)
        np.testing.assert_array_equal(again.to_frame()["p_value"], found["p_value"])


def test_what_it_refuses(quotients, study):
    two = graph_from_pairs(pd.DataFrame([("a", "b"), ("c", "d")]), pd.Index(list("abcd")))
    with pytest.raises(InputError, match="equals the mean of its neighbors in x"):
        local_heteroscedasticity(pd.Series([1.0, 1.0, 2.0, 2.0], index=list("abcd"), name="x"), two)
    with pytest.raises(InputError, match="exponent is 0"):
        local_heteroscedasticity(quotients, study.graph, exponent=0)
    with pytest.raises(InputError, match="at least 99"):
        local_heteroscedasticity(quotients, study.graph, permutations=9)
    with pytest.raises(GraphError, match="Every region needs a neighbor"):
        local_heteroscedasticity(
            quotients, graph_from_pairs(pd.DataFrame({"a": [], "b": []}), quotients.index)
        )
