import time

import numpy as np
import pandas as pd
import pytest

from spatialkz.errors import InputError
from spatialkz.geography import graph_from_pairs
from spatialkz.spatial.power import dependence_confidence_set, moran_power
from spatialkz.spatial.residuals import residual_moran


def autoregressive(graph, regions, rho, count, seed):
    """Simulated SAR values, a column for each replicate."""
    n = len(regions)
    matrix = np.zeros((n, n))
    for i, region in enumerate(regions):
        for neighbor in graph[region].index:
            matrix[i, regions.get_loc(neighbor)] = 1 / len(graph[region])
    noise = np.random.default_rng(seed).normal(size=(n, count))
    return pd.DataFrame(np.linalg.solve(np.eye(n) - rho * matrix, noise), index=regions)


@pytest.mark.parametrize("rho", [-0.7, 0.0, 0.5, 0.85])
def test_power_is_that_of_the_simulated_permutation_test(study, rho):
    values = autoregressive(study.graph, study.table.regions, rho, 800, seed=8)
    # Residuals from the constant alone: Moran's permutation test of the values.
    test = residual_moran(values, study.graph, method="permutation", permutations=1999, rng=1)
    found = test.to_frame()["p_value"]
    power = moran_power(study.graph, rho).to_frame()["power"].iloc[0]
    error = np.sqrt(power * (1 - power) / 800)
    # The permutation test's own critical values vary from table to table, which costs it a little power.
    assert (found <= 0.05).mean() == pytest.approx(power, abs=3 * error + 0.02)


def test_power_of_17_regions(study):
    start = time.perf_counter()
    test = moran_power(study.graph)
    assert time.perf_counter() - start < 1
    table = test.to_frame()["power"]
    assert table[0.0] == pytest.approx(0.05, abs=1e-9)
    for side, sign in (("positive", 1), ("negative", -1)):
        rho = test.detectable[side]
        assert sign * rho > 0.5
        assert moran_power(study.graph, rho).to_frame()["power"].iloc[0] == pytest.approx(0.8, abs=1e-4)
    assert "80% power: ρ = 0.86 and ρ = -0.93" in test.summary()
    assert test.to_dict()["detectable"]["positive"] == test.detectable["positive"]


def test_one_sided_tests_look_one_way(study):
    both, greater = moran_power(study.graph, 0.5), moran_power(study.graph, 0.5, alternative="greater")
    assert greater.to_frame()["power"].iloc[0] > both.to_frame()["power"].iloc[0]
    assert set(greater.detectable) == {"positive"}
    assert greater.critical[0] == -np.inf
    assert greater.to_dict()["critical"][0] is None
    assert set(moran_power(study.graph, 0.5, alternative="less").detectable) == {"negative"}


def test_a_graph_on_which_nothing_is_detectable():
    names = pd.Index(list("abcde"))
    complete = pd.DataFrame([(a, b) for a in names for b in names if a < b])
    complete = complete[~((complete[0] == "a") & (complete[1] == "b"))]
    test = moran_power(graph_from_pairs(complete, names))
    assert test.detectable["positive"] is None
    assert "none of positive sign" in test.summary()


@pytest.mark.parametrize("rho", [0.0, 0.6])
def test_confidence_set_covers_the_truth(study, rho):
    values = autoregressive(study.graph, study.table.regions, rho, 1000, seed=9)
    parts = dependence_confidence_set(values, study.graph)
    inside = ((parts["low"] <= rho) & (parts["high"] >= rho)).groupby("variable").any()
    assert inside.mean() == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / 1000))


@pytest.mark.filterwarnings("ignore:p-values of the method")
def test_confidence_set_holds_zero_where_the_exact_test_does_not_reject(oldcol, study, quotients):
    table, graph = oldcol
    for values, where in ((table, graph), (quotients, study.graph)):
        parts = dependence_confidence_set(values, where)
        holds = ((parts["low"] <= 0) & (parts["high"] >= 0)).groupby("variable").any()
        p_value = residual_moran(values, where).to_frame()["p_value"]
        pd.testing.assert_series_equal(holds, p_value > 0.05, check_names=False, check_like=True)
    crime = dependence_confidence_set(table["CRIME"], graph).loc["CRIME"]
    assert len(crime) == 1
    assert crime["low"].iloc[0] > 0.3


def test_ends_of_the_confidence_set_are_where_p_is_the_level(oldcol):
    table, graph = oldcol
    crime = table["CRIME"]
    means = pd.Series({region: crime[graph[region].index].mean() for region in crime.index})
    for level in (0.8, 0.95):
        low, high = dependence_confidence_set(crime, graph, level=level).loc[("CRIME", 1)]
        for rho in (low, high):
            filtered = (crime - rho * means).rename("filtered")
            p_value = residual_moran(filtered, graph).to_frame().loc["filtered", "p_value"]
            if rho == 1:  # the edge of what is searched, not rejected
                assert p_value > 1 - level
            else:
                assert p_value == pytest.approx(1 - level, abs=1e-8)


def test_order_of_regions_does_not_matter(study, quotients, shuffled):
    first = dependence_confidence_set(quotients, study.graph)
    pd.testing.assert_frame_equal(dependence_confidence_set(shuffled(quotients), study.graph), first)


def test_bad_input_is_refused(study, quotients):
    with pytest.raises(InputError, match="rho is 1; it must lie between -1 and 1"):
        moran_power(study.graph, [0.5, 1.0])
    with pytest.raises(InputError, match="target is 80"):
        moran_power(study.graph, target=80)
    with pytest.raises(InputError, match="alpha is 0"):
        moran_power(study.graph, alpha=0)
    with pytest.raises(InputError, match="level is 95"):
        dependence_confidence_set(quotients, study.graph, level=95)
    with pytest.raises(InputError, match=r"must be a libpysal.graph.Graph"):
        moran_power("queen")
    three = graph_from_pairs(pd.DataFrame([("a", "b"), ("b", "c")]), pd.Index(list("abc")))
    with pytest.raises(InputError, match="at least 4"):
        moran_power(three)
