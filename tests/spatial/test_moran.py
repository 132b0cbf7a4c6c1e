from itertools import combinations, permutations

import geopandas as gpd
import libpysal
import numpy as np
import pandas as pd
import pytest
from esda import Moran
from libpysal.graph import Graph

from spatialkz.errors import GraphError, InputError, Notice, RegionError
from spatialkz.geography import graph_from_pairs
from spatialkz.resampling.shuffles import arrangement_count, arrangements
from spatialkz.spatial import moran


@pytest.fixture(scope="module")
def columbus():
    frame = gpd.read_file(libpysal.examples.get_path("columbus.shp"))
    return frame["CRIME"], Graph.build_contiguity(frame, rook=False)


def test_columbus_crime_on_its_queen_graph(columbus):
    """spdep::moran.test on the neighbors of columbus.shp: I = 0.5001886."""
    assert moran(*columbus, method="normal").to_frame().loc["CRIME", "statistic"] == pytest.approx(
        0.5001886, abs=5e-8
    )


def test_figures_of_the_paper_table(variables, study):
    found = moran(variables, study.graph, rng=42).to_frame()
    wanted = {"electrical": 0.236, "electronics": -0.155, "chemical": -0.065, "research": -0.031}
    for sector, statistic in wanted.items():
        assert found.loc[sector, "statistic"] == pytest.approx(statistic, abs=0.001)
    assert (found["p_value"] > 0.05).all()
    assert found.loc["breadth", "p_value"] > 0.3


def test_statistic_from_its_definition(quotients, study):
    """Written out with loops over the contiguity table, without libpysal or esda."""
    neighbors = {region: list(study.graph[region].index) for region in quotients.index}
    x = quotients["research"]
    z = x - x.mean()
    top = sum(z[i] * z[j] / len(neighbors[i]) for i in neighbors for j in neighbors[i])
    by_hand = top / (z**2).sum()
    assert moran(x, study.graph, method="normal").to_frame()["statistic"].iloc[0] == pytest.approx(
        by_hand, abs=1e-12
    )


def test_permutation_p_values_agree_with_esda(quotients, study):
    """esda reports the smaller tail; twice that is our two-sided p."""
    found = moran(quotients, study.graph, permutations=9999, rng=1).to_frame()
    np.random.seed(1)  # noqa: NPY002 - esda draws from the global state
    for sector in quotients:
        peer = Moran(quotients[sector].to_numpy(), study.graph, permutations=9999)
        assert found.loc[sector, "p_value"] == pytest.approx(min(1, 2 * peer.p_sim), abs=0.03)


def test_one_sided_tails_split_the_two_sided_p(quotients, study):
    tests = {
        alternative: moran(
            quotients, study.graph, alternative=alternative, permutations=999, rng=3
        ).to_frame()
        for alternative in ("two-sided", "greater", "less")
    }
    smaller = np.minimum(tests["greater"]["p_value"], tests["less"]["p_value"])
    np.testing.assert_allclose(tests["two-sided"]["p_value"], np.minimum(1, 2 * smaller))


def test_shuffled_rows_and_a_shuffled_graph_change_nothing(variables, study, shuffled):
    found = moran(variables, study.graph, permutations=199, rng=5).to_frame()
    pd.testing.assert_frame_equal(
        moran(shuffled(variables), study.graph, permutations=199, rng=5).to_frame(), found
    )
    adjacency = shuffled(study.graph.adjacency.reset_index())
    other = Graph.from_arrays(*(adjacency[name].to_numpy() for name in ("focal", "neighbor", "weight")))
    pd.testing.assert_frame_equal(moran(variables, other, permutations=199, rng=5).to_frame(), found)


def test_a_variable_does_not_change_with_its_company(variables, study):
    alone = moran(variables["research"], study.graph, permutations=199, rng=5).to_frame()
    together = moran(variables, study.graph, permutations=199, rng=5).to_frame()
    assert alone.loc["research", "p_value"] == together.loc["research", "p_value"]


def test_the_graph_is_left_as_it_was(quotients, study):
    before = study.graph.adjacency.copy()
    moran(quotients, study.graph, permutations=99, rng=1)
    pd.testing.assert_series_equal(study.graph.adjacency, before)


@pytest.mark.parametrize("draw", ["normal", "lognormal", "zero-inflated"])
def test_size_at_five_percent_with_17_regions(study, draw):
    """Under independence the test rejects at no more than 5 %, within 3 Monte-Carlo standard errors."""
    rng = np.random.default_rng(20)
    n, tables = len(study.table.regions), 800
    cells = {
        "normal": lambda: rng.normal(size=(n, tables)),
        "lognormal": lambda: rng.lognormal(sigma=1.5, size=(n, tables)),
        "zero-inflated": lambda: rng.gamma(0.5, size=(n, tables)) * (rng.random((n, tables)) < 0.6),
    }[draw]()
    values = pd.DataFrame(cells, index=study.table.regions)
    # Many permutations: the tables share them, so with few the rejections would move together.
    rejected = (moran(values, study.graph, permutations=4999, rng=1).to_frame()["p_value"] <= 0.05).mean()
    assert 0.01 < rejected < 0.05 + 3 * np.sqrt(0.05 * 0.95 / tables)


@pytest.mark.parametrize("method", ["exact-normal", "saddlepoint"])
def test_exact_methods_hold_their_level_for_normal_values(study, method):
    rng = np.random.default_rng(5)
    values = pd.DataFrame(rng.normal(size=(17, 2000)), index=study.table.regions)
    rejected = (moran(values, study.graph, method=method).to_frame()["p_value"] <= 0.05).mean()
    assert abs(rejected - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 2000)


def test_exact_tails_agree_with_simulated_normal_values(study):
    rng = np.random.default_rng(6)
    values = pd.DataFrame(rng.normal(size=(17, 20_000)), index=study.table.regions)
    simulated = moran(values, study.graph, method="normal").to_frame()["statistic"]
    found = moran(
        study.table.values["electrical"], study.graph, method="exact-normal", alternative="greater"
    ).to_frame()
    above = (simulated >= found.loc["electrical", "statistic"]).mean()
    assert found.loc["electrical", "p_value"] == pytest.approx(above, abs=3 * np.sqrt(above / 20_000))


def test_it_finds_dependence_that_is_there():
    """A smooth trend is detected: 'not significant' above is not for want of a working test."""
    lattice = [(i, j) for i in range(7) for j in range(7)]
    names = [f"{i}-{j}" for i, j in lattice]
    pairs = pd.DataFrame(
        [
            (f"{i}-{j}", f"{i + a}-{j + b}")
            for i, j in lattice
            for a, b in ((0, 1), (1, 0))
            if i + a < 7 and j + b < 7
        ]
    )
    trend = pd.Series([i + j for i, j in lattice], index=names, name="trend", dtype=float)
    found = moran(trend, graph_from_pairs(pairs, pd.Index(names)), permutations=999, rng=1).to_frame()
    assert found.loc["trend", "p_value"] == pytest.approx(0.002)  # the smallest two-sided p of 999


def test_bad_input_is_refused(quotients, study):
    graph = study.graph
    with pytest.raises(InputError, match="these are constant: flat"):
        moran(quotients.assign(flat=1.0), graph)
    with pytest.raises(InputError, match="Akmola × research is nan"):
        moran(
            quotients.mask((quotients.index == "Akmola")[:, None] & (quotients.columns == "research")), graph
        )
    with pytest.raises(RegionError, match="the graph has Akmola, which the table does not"):
        moran(quotients.drop(index="Akmola"), graph)
    with pytest.raises(RegionError, match="the graph lacks Gotham"):
        moran(quotients.rename(index={"Akmola": "Gotham"}), graph)
    with pytest.raises(InputError, match="at least 4"):
        moran(quotients.iloc[:3], graph)
    with pytest.raises(InputError, match="at least 99"):
        moran(quotients, graph, permutations=10)
    with pytest.raises(InputError, match="one of permutation, auto, exact, normal, randomization"):
        moran(quotients, graph, method="exactly")
    with pytest.raises(InputError, match="one of two-sided, greater, less"):
        moran(quotients, graph, alternative="both")
    with pytest.raises(InputError, match="non-negative integer"):
        moran(quotients, graph, rng=-1)
    with pytest.raises(GraphError, match=r"must be a libpysal.graph.Graph, not W"):
        moran(quotients, graph.to_W())


@pytest.mark.parametrize("method", ["randomization", "normal"])
def test_columbus_equals_spdep(oldcol, spdep, method):
    table, graph = oldcol
    found = moran(table["CRIME"], graph, method=method).to_frame().loc["CRIME"]
    wanted = spdep(f"moran {method}")
    for name in ("statistic", "expected", "variance", "z", "p_value"):
        assert found[name] == pytest.approx(wanted[name], abs=1e-10)


SIX = list("abcdef")
# Neither regular nor symmetric in any way, so that few arrangements tie.
SMALL = graph_from_pairs(pd.DataFrame({"one": list("aabcdd"), "other": list("bccdef")}), pd.Index(SIX))


def statistic_by_hand(values, graph):
    """Moran's I of a dictionary, in plain Python."""
    neighbors = {region: list(graph[region].index) for region in values}
    mean = sum(values.values()) / len(values)
    z = {region: value - mean for region, value in values.items()}
    products = sum(z[i] * z[j] / len(neighbors[i]) for i in neighbors for j in neighbors[i])
    return products / sum(one**2 for one in z.values())


def shares(observed, every, alternative):
    above = sum(one >= observed - 1e-9 for one in every) / len(every)
    below = sum(one <= observed + 1e-9 for one in every) / len(every)
    return {"greater": above, "less": below, "two-sided": min(1, 2 * min(above, below))}[alternative]


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
@pytest.mark.parametrize(
    "cells",
    [[0.3, 2.0, 1.1, 5.0, 0.2, 4.0], [1, 1, 0, 0, 1, 0], [0.3, 0.1 + 0.2, 0, 0, 7, 7], [3, 0, 0, 0, 0, 0]],
)
def test_exact_p_values_equal_brute_force_over_all_720_permutations(cells, alternative):
    found = moran(pd.Series(cells, SIX, name="x"), SMALL, method="exact", alternative=alternative)
    every = [statistic_by_hand(dict(zip(SIX, order, strict=True)), SMALL) for order in permutations(cells)]
    row = found.to_frame().loc["x"]
    assert row["p_value"] == pytest.approx(shares(every[0], every, alternative), abs=1e-12)
    assert (row["expected"], row["variance"]) == pytest.approx((np.mean(every), np.var(every)))
    assert found.permutations == 0
    assert row["method"] == "exact"


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_exact_p_values_of_a_marked_column_equal_all_6188_sets(study, alternative):
    regions = study.table.regions
    chosen = ["Almaty City", "Almaty Region", "Nur-Sultan", "Akmola", "Karaganda"]
    assert set(chosen) <= set(regions)
    marked = pd.Series(regions.isin(chosen).astype(int), regions, name="x")
    found = moran(marked, study.graph, method="auto", alternative=alternative).to_frame().loc["x"]
    weights = pd.DataFrame(0.0, regions, regions)
    for region in regions:
        weights.loc[region, study.graph[region].index] = 1 / len(study.graph[region])
    z, every = weights.to_numpy(), []
    for some in combinations(range(17), 5):
        x = np.isin(range(17), some) - 5 / 17
        every.append(x @ z @ x / (x @ x))
    assert len(every) == 6188
    wanted = shares(found["statistic"], every, alternative)
    assert found["p_value"] == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("cells", [[0.3, 2.0, 1.1, 5.0, 0.2, 4.0], [1, 1, 0, 0, 2, 0]])
def test_under_the_null_each_exact_p_value_is_reached_just_as_often_as_it_says(cells):
    """Over all arrangements the share with p ≤ a is a for each a that occurs: all p-values are attained."""
    orders = pd.DataFrame(dict(enumerate(permutations(cells))), index=SIX)
    for alternative in ("greater", "less"):
        p = moran(orders, SMALL, method="exact", alternative=alternative).to_frame()["p_value"].round(9)
        reached = p.value_counts(normalize=True).sort_index().cumsum()
        np.testing.assert_allclose(reached.to_numpy(), reached.index.to_numpy(), atol=1e-8)
    both = moran(orders, SMALL, method="exact").to_frame()["p_value"].round(9)
    assert all((both <= level).mean() <= level + 1e-8 for level in both.unique())


def test_arrangements_are_all_there_are_each_once():
    for repeats in ([1, 1, 1, 1], [2, 3], [1, 3, 2], [4, 1, 1, 1]):
        cells = np.repeat(np.arange(len(repeats)), repeats)
        wanted = sorted(set(permutations(cells.tolist())))
        found = arrangements(repeats, np.arange(arrangement_count(repeats)))
        assert [tuple(order) for order in found.T.tolist()] == wanted
    assert arrangement_count([1] * 17) == 355_687_428_096_000


def test_auto_enumerates_where_arrangements_are_few_and_permutes_the_rest_as_before(quotients, study):
    table = quotients[["research"]].assign(marked=np.arange(17) < 5, one=np.arange(17) == 3).astype(float)
    found = moran(table, study.graph, method="auto", rng=1)
    assert found.to_frame()["method"].tolist() == ["permutation", "exact", "exact"]
    assert found.permutations == 9999
    drawn = moran(table, study.graph, rng=1)
    gap = (found.to_frame()["p_value"] - drawn.to_frame()["p_value"]).abs()
    assert gap["research"] == 0
    # Twice a tail, of which the Monte-Carlo error is at most 0.5 / √9,999.
    assert gap.max() < 3 * 2 * 0.5 / np.sqrt(9999)
    assert "exact or 9999 permutations" in found.summary()
    assert moran(table["one"], study.graph, method="auto").to_frame().loc["one", "p_value"] >= 1 / 17


def test_too_many_arrangements_are_refused_with_advice(quotients, study):
    with pytest.raises(InputError, match=r"17 regions at most 11,764,705, but research has .*'exact-normal'"):
        moran(quotients[["research"]], study.graph, method="exact")
    with pytest.raises(InputError, match=r"all has about 10\^14; use the method 'auto' or 'permutation'"):
        moran(pd.Series(np.arange(17), study.table.regions, name="all"), study.graph, method="exact")


def test_a_mark_of_a_component_has_no_p_value_of_2e_308():
    """Moran's I is then the largest there is: normal values never reach it, 2 of 20 arrangements do."""
    two = graph_from_pairs(pd.DataFrame({"one": list("abcdef"), "other": list("bcaefd")}), pd.Index(SIX))
    marked = pd.Series([1, 1, 1, 0, 0, 0], SIX, name="x")
    with pytest.warns(Notice, match="x has 2 different values in 6 regions, the commonest in 3; use"):
        normal = moran(marked, two, method="exact-normal", alternative="greater").to_frame().loc["x"]
    assert normal["p_value"] <= 2.0**-52
    exact = moran(marked, two, method="auto", alternative="greater").to_frame().loc["x"]
    assert exact["p_value"] == pytest.approx(0.1)
