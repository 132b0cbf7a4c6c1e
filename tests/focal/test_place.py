"""Contiguity: the statistics it gathers, connected components by brute force, power, bad input."""

import json
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from libpysal.graph import Graph
from scipy.sparse import csr_array

from spatialkz.errors import GraphError, InputError, RegionError
from spatialkz.focal.concentration import relative_concentration_test
from spatialkz.focal.questions.place import contiguity_test, count_components, random_components
from spatialkz.focal.questions.size_null import table_base_shares
from spatialkz.resampling.shuffles import order_keys
from spatialkz.spatial import cross_moran, join_counts, moran, moran_power
from spatialkz.specialization import audit_table, concentration


def lattice(side):
    at = np.arange(side * side).reshape(side, side)
    pairs = np.vstack([np.c_[at[:, :-1].ravel(), at[:, 1:].ravel()], np.c_[at[:-1].ravel(), at[1:].ravel()]])
    first, second = np.vstack([pairs, pairs[:, ::-1]]).T
    order = np.lexsort((second, first))
    return Graph.from_arrays(first[order], second[order], np.ones(len(order)))


def components_of(chosen, weights):
    """Number of connected components, by walking from region to region."""
    near, left, found = weights.toarray() > 0, set(map(int, chosen)), 0
    while left:
        found, front = found + 1, {left.pop()}
        while front:
            front = {j for i in front for j in left if near[i, j] or near[j, i]}
            left -= front
    return found


def statistics(test, graph="graph"):
    return test.to_frame().loc[graph]


def test_statistics_are_those_of_the_spatial_room(study, quotients):
    found = statistics(contiguity_test(quotients, study.graph, rng=1))
    breadth = (quotients >= 1).sum(axis=1).rename("breadth")
    marks = (quotients >= 1).astype(float)
    one = moran(breadth, study.graph, rng=1).to_frame().loc["breadth"]
    for column in ("statistic", "expected", "variance"):
        assert found.loc["breadth", column] == pytest.approx(one[column])
    assert found.loc["breadth", "p_value"] == pytest.approx(one["p_value"], abs=0.03)
    trace = cross_moran(marks, study.graph, permutations=99, rng=1).joint.to_frame().loc["trace", "statistic"]
    assert found.loc["sector mean", "statistic"] == pytest.approx(trace / 11)
    joins = join_counts(marks, study.graph, method="randomization").to_frame().xs("BB", level="join")
    assert found.loc["joins", "statistic"] == joins["statistic"].sum()
    assert found.loc["joins", "expected"] == pytest.approx(joins["expected"].sum())
    assert found.loc["breadth", "p_value"] > 0.3


def test_power_and_high_outliers_are_told(study, quotients):
    test = contiguity_test(quotients, study.graph, permutations=99, rng=1)
    power = moran_power(study.graph, (0.5, 0.8))
    assert test.power.loc["graph", "power_08"] == pytest.approx(power.table["power"][0.8])
    assert test.power.loc["graph", "detectable"] == pytest.approx(power.detectable["positive"])
    outliers = test.high_outliers().droplevel(0)
    assert outliers.loc["Almaty City", "label"] == "unattainable"
    assert test.foci == ("Nur-Sultan", "Almaty City")
    json.dumps(test.to_dict(), allow_nan=False)
    assert "Foci: Nur-Sultan, Almaty City" in test.summary()


def test_a_belt_is_found_and_scattered_hubs_are_not():
    side = 6
    graph, near = lattice(side), np.arange(side * side) // side < 2
    rng = np.random.default_rng(1)
    belt = pd.DataFrame(np.where(near[:, None], 1.4, 0.6) + 0.2 * rng.random((36, 8)))
    found = statistics(contiguity_test(belt, graph, alternative="greater", permutations=999, rng=1))
    assert (found["p_value"] <= 0.01).all()
    assert (found["p_value"] == found["p_contiguous"]).all()
    hubs = pd.DataFrame(np.full((36, 8), 0.6))
    hubs.loc[[0, 10, 26, 35]] = 1.5
    found = statistics(contiguity_test(hubs, graph, alternative="greater", permutations=999, rng=1))
    assert found.loc["connected components", "statistic"] == 4
    assert (found["p_value"] > 0.3).all()
    scattered = statistics(contiguity_test(hubs, graph, alternative="less", permutations=999, rng=1))
    assert (scattered["p_value"] < found["p_value"]).all()


def test_components_of_a_set_are_those_of_a_walk(study):
    weights = csr_array(study.graph.sparse)
    every = list(combinations(range(17), 4))
    counted, exact = random_components(4, weights, order_keys(np.random.default_rng(1), 10))
    assert exact
    assert counted.tolist() == [components_of(chosen, weights) for chosen in every]
    assert count_components(np.ones((1, 17), dtype=bool), weights).tolist() == [1]


def test_drawn_sets_agree_with_all_sets():
    weights = csr_array(lattice(6).sparse)
    drawn, exact = random_components(12, weights, order_keys(np.random.default_rng(1), 4000))
    rng = np.random.default_rng(2)
    other = [components_of(rng.choice(36, 12, replace=False), weights) for _ in range(2000)]
    assert not exact
    assert drawn.mean() == pytest.approx(np.mean(other), abs=0.15)


def test_the_order_of_rows_and_columns_changes_nothing(study, quotients, shuffled):
    mixed = shuffled(quotients)[quotients.columns[::-1]]
    one, other = (
        contiguity_test(table, study.graph, permutations=199, rng=3) for table in (quotients, mixed)
    )
    pd.testing.assert_frame_equal(one.to_frame(), other.to_frame())
    pd.testing.assert_frame_equal(one.local.sort_index(), other.local.sort_index())


def test_graphs_see_the_same_permutations(study, quotients):
    graphs = {"once": study.graph, "twice": study.graph}
    found = contiguity_test(quotients, graphs, permutations=199, rng=1).to_frame()
    pd.testing.assert_frame_equal(found.loc["once"], found.loc["twice"])


def test_the_size_is_kept_when_whole_regions_are_exchangeable(study):
    p_values = []
    for r in range(40):
        rng = np.random.default_rng(r)
        # Co-located, but anywhere.
        table = pd.DataFrame(
            rng.lognormal(size=(17, 6)) * rng.lognormal(sigma=0.8, size=(17, 1)), study.table.regions
        )
        test = contiguity_test(table, study.graph, permutations=99, rng=r)
        p_values.append(statistics(test)["p_value"])
    share = (pd.DataFrame(p_values) <= 0.05).mean()
    assert (share[["breadth", "sector mean", "joins"]] < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 40)).all()


# ---- bad input, and tables that say nothing


def test_a_table_of_equal_breadth_says_so(study, quotients):
    test = contiguity_test(quotients * 0, study.graph, permutations=99, rng=1)
    assert test.reason == "every region has the same breadth"
    assert (test.to_frame()["p_value"] == 1).all()
    assert test.to_frame()["statistic"].isna().all()
    assert (test.to_frame()["note"] != "").all()
    json.dumps(test.to_dict(), allow_nan=False)


def test_bad_input_is_refused(study, quotients):
    with pytest.raises(InputError, match="at least one"):
        contiguity_test(quotients, {})
    with pytest.raises(InputError, match="must be finite"):
        contiguity_test(quotients.mask(quotients > 12), study.graph)
    with pytest.raises(RegionError):
        contiguity_test(quotients.iloc[:-1], study.graph)
    island = Graph.from_dicts({"a": {}, "b": {"c": 1.0}, "c": {"b": 1.0}, "d": {"c": 1.0}, "e": {"b": 1.0}})
    with pytest.raises(GraphError, match="Graph 'isolated'"):
        contiguity_test(quotients.iloc[:5].set_axis(list("abcde")), {"isolated": island})


# ---- concentration


@pytest.fixture(scope="module")
def shares(study):
    return table_base_shares(study.table, audit_table(study.table))[0]


def test_concentration_is_that_of_the_indices(study, quotients, shares):
    found = relative_concentration_test(quotients, shares, permutations=99, rng=1).to_frame()
    services = study.table.groups.index[study.table.groups == "services"]
    base = shares[services[0]]
    volumes = quotients[services].mul(base, axis=0)
    plain = concentration(volumes, base, contained=False)
    got = found["statistic"].unstack("index").loc[services, "locational_gini"]
    np.testing.assert_allclose(got, plain["locational_gini"], rtol=1e-9)


def test_concentration_keeps_its_size_and_finds_one_concentrated_sector():
    size = 1 / np.arange(1, 18)
    base = pd.Series(size / size.sum(), [f"r{i:02d}" for i in range(17)])
    hits = []
    for r in range(60):
        rng = np.random.default_rng(r)
        drawn = pd.DataFrame(rng.dirichlet(24 * base, 9).T, base.index).div(base, axis=0)
        drawn[9] = rng.dirichlet(3 * base) / base
        test = relative_concentration_test(drawn, base, permutations=199, index=["hoover"], rng=r)
        hits.append((test.to_frame()["p_value"] <= 0.05).to_numpy())
    share = np.mean(hits, axis=0)
    assert share[:9].mean() < 0.11
    assert share[9] > 0.8


def test_bad_concentration_input_is_refused(quotients, shares):
    with pytest.raises(InputError, match="nowhere active"):
        relative_concentration_test(quotients.assign(research=0.0), shares)
    with pytest.raises(InputError, match="index names theil_l"):
        relative_concentration_test(quotients, shares, index=["theil_l"])
    groups = pd.Series("rest", quotients.columns)
    groups["research"] = "alone"
    with pytest.raises(InputError, match="research has no other"):
        relative_concentration_test(quotients, shares, groups=groups, permutations=99)
