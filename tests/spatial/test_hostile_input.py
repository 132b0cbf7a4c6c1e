"""Input that once slipped through: no room to vary, overflow, what is no number of draws."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from libpysal.graph import Graph
from scipy.stats import kstest

import spatialkz
from spatialkz.clustering import cluster_regions, structure_test
from spatialkz.errors import GraphError, InputError, RegionError
from spatialkz.focal import focal_test
from spatialkz.geography import graph_from_pairs, neighbor_graph, recipe_family
from spatialkz.pipeline import analyse
from spatialkz.spatial import (
    bivariate_moran,
    dependence_confidence_set,
    detectable_dependence,
    geary,
    getis_ord,
    graph_sensitivity,
    local_moran,
    moran,
    moran_power,
    residual_moran,
)
from spatialkz.specialization import concentration_test, quotient_test
from spatialkz.study import Choices

N = 12
REGIONS = [f"r{i:02d}" for i in range(N)]
X = pd.Series(np.random.default_rng(1).normal(size=N), index=REGIONS, name="x")


def complete():
    focal, neighbor = np.nonzero(~np.eye(N, dtype=bool))
    return Graph.from_arrays(np.array(REGIONS)[focal], np.array(REGIONS)[neighbor], np.ones(len(focal)))


def ring(weight=1.0):
    turned = REGIONS[1:] + REGIONS[:1]
    weights = np.ones(2 * N)
    weights[0] = weight
    return Graph.from_arrays(REGIONS + turned, turned + REGIONS, weights)


@pytest.mark.parametrize("method", ["permutation", "exact-normal", "saddlepoint", "normal", "randomization"])
def test_where_every_region_neighbors_all_others_nothing_is_evidence(method):
    tables = pd.DataFrame(np.random.default_rng(3).normal(size=(N, 20)), index=REGIONS)
    found = spatialkz.moran(tables, complete(), method=method, permutations=99, rng=1).to_frame()
    assert (found["p_value"] == 1).all()
    assert found["z"].isna().all()
    assert found["statistic"].to_numpy() == pytest.approx(-1 / (N - 1))


def test_such_a_graph_detects_nothing_and_says_so():
    assert detectable_dependence(X, complete()) is None
    power = moran_power(complete(), [0.0, 0.8])
    assert power.to_frame()["power"].tolist() == [0, 0]
    assert set(power.detectable.values()) == {None}
    with pytest.raises(GraphError, match="All regions are neighbors of each other with equal weights"):
        dependence_confidence_set(X, complete())


@pytest.mark.parametrize("test", [spatialkz.moran, spatialkz.local_moran, geary, getis_ord])
def test_weights_and_values_beyond_what_a_float_can_square_are_refused(test):
    positive = X - X.min() + 1
    with pytest.raises(GraphError, match="must be finite, but not so for r00 – r01"):
        test(positive, ring(np.inf))
    with pytest.raises(InputError, match=r"must not exceed 1e\+70 in size, but r00 × x"):
        test(positive * 1e160, ring())
    with pytest.raises(InputError, match="differ by less than 1e-70 in x"):
        test(positive * 1e-170, ring())
    with pytest.raises(InputError, match="constant: x"):
        test(pd.Series(np.where(np.arange(N) % 3 == 0, 0.1 + 0.2, 0.3), index=REGIONS, name="x"), ring())


def test_a_weight_too_large_to_add_is_refused():
    turned = REGIONS[1:] + REGIONS[:1]
    huge = Graph.from_arrays(REGIONS + turned, turned + REGIONS, np.full(2 * N, 1.7e308))
    with pytest.raises(GraphError, match="too large to add up"):
        spatialkz.moran(X, huge)


@pytest.mark.parametrize("size", [1e-60, 1e60])
def test_the_unit_of_values_changes_no_p_value(size):
    one, other = (spatialkz.moran(X * unit, ring(), permutations=199, rng=1).to_frame() for unit in (1, size))
    pd.testing.assert_frame_equal(one, other, rtol=1e-9)


@pytest.mark.parametrize("permutations", [98, 999.5, None, True, float("nan"), "999"])
def test_what_is_no_number_of_permutations_is_refused(permutations):
    with pytest.raises(InputError, match="at least 99"):
        spatialkz.moran(X, ring(), permutations=permutations)


def test_labels_of_two_kinds_or_levels_are_refused():
    mixed = X.set_axis([*REGIONS[:-1], 11], axis=0)
    with pytest.raises(RegionError, match="of one kind, but are int, str"):
        spatialkz.moran(mixed, ring())
    with pytest.raises(RegionError, match="2 levels"):
        spatialkz.moran(X.set_axis(pd.MultiIndex.from_product([REGIONS, ["a"]])), ring())


def test_getis_ord_on_a_large_map_of_nearly_equal_values_has_uniform_p_values():
    """G is of the size of 1 / n there, and what counts as a tie must be smaller."""
    side = 60
    cells = np.arange(side * side).reshape(side, side)
    one = np.r_[cells[:, :-1].ravel(), cells[:-1].ravel()]
    other = np.r_[cells[:, 1:].ravel(), cells[1:].ravel()]
    pairs = pd.DataFrame({"one": one, "other": other})
    graph = graph_from_pairs(pairs, pd.RangeIndex(side * side))
    values = 100 * (1 + 1e-4 * np.random.default_rng(5).normal(size=(side * side, 60)))
    found = getis_ord(pd.DataFrame(values), graph, permutations=999, rng=1).to_frame()
    by_moments = getis_ord(pd.DataFrame(values), graph, method="randomization").to_frame()
    assert kstest(found["p_value"], "uniform").pvalue > 0.01
    assert (found["p_value"] - by_moments["p_value"]).abs().max() < 0.1


def test_a_perfect_fit_far_from_zero_is_seen():
    design = pd.DataFrame({"a": np.random.default_rng(2).normal(size=N)}, index=REGIONS)
    with pytest.raises(InputError, match="perfectly"):
        residual_moran((1e6 + 3 * design["a"]).rename("y"), ring(), design)


def test_what_a_one_sided_test_could_detect_is_that_of_the_one_sided_test(study):
    values = study.table.values[["electrical"]]
    table = spatialkz.moran(values, study.graph, permutations=99, rng=1).to_frame()
    both, up, down = (
        detectable_dependence(values, study.graph, alternative=side).beside(table)["detectable_rho"].iloc[0]
        for side in ("two-sided", "greater", "less")
    )
    assert 0.7 < up < both
    assert down < 0
    for side, name, rho in (("greater", "positive", up), ("less", "negative", down)):
        assert moran_power(study.graph, [rho], alternative=side).to_frame()["power"].iloc[0] == pytest.approx(
            0.8, abs=1e-4
        ), name


def test_one_call_runs_a_family_of_recipes(study):
    found = graph_sensitivity(study.table.values[["electrical"]], study.boundaries, permutations=99, rng=1)
    assert list(found.labels) == list(recipe_family(study.boundaries))
    queen = spatialkz.moran(study.table.values[["electrical"]], study.graph, permutations=99, rng=1)
    assert found.to_frame().loc[("electrical", "queen"), "statistic"] == pytest.approx(
        queen.to_frame()["statistic"].iloc[0]
    )


def test_the_graph_with_other_regions_is_named(study):
    graphs = {"queen": study.graph, "strange": ring()}
    with pytest.raises(RegionError, match="Graph 'strange'"):
        graph_sensitivity(study.table.values, graphs, permutations=99)


def test_weights_too_small_for_a_float_leave_isolates_to_the_policy(study):
    points = study.boundaries.to_crs(3857).assign(geometry=lambda frame: frame.representative_point())
    with pytest.raises(GraphError, match="has no neighbors"):
        neighbor_graph(points, "inverse_distance", power=200)


def test_pairs_name_regions_whose_labels_are_numbers():
    graph = graph_from_pairs(pd.DataFrame({"a": ["1", "2"], "b": [2, 3]}), pd.Index([1, 2, 3]))
    assert graph[2].index.tolist() == [1, 3]


@pytest.mark.parametrize("recipe", ["knn:k=4", "distance_band:threshold=9000"])
def test_a_run_accepts_directed_and_complete_graphs(recipe):
    study = spatialkz.load_study("kazakhstan-gva-2022")
    choices = Choices(permutations=99, resamples=10, draws=100, simulations=600)
    graph = neighbor_graph(study.boundaries, recipe)
    findings = analyse(replace(study, graph=graph, choices=choices))
    # One cluster has no joins to be counted, and neighbors that are so one way only make none.
    directed = recipe.startswith("knn")
    assert (findings.clustering.contiguity is None) == (directed or findings.clustering.main.k == 1)
    if not directed:
        assert (findings.moran.to_frame()["p_value"] == 1).all()
        assert findings.detectable is None


def test_many_variables_are_tested_some_at_a_time_with_the_same_bits(study, monkeypatch):
    values = pd.DataFrame(np.random.default_rng(1).random((17, 12)), index=study.table.regions)
    whole = moran(values, study.graph, permutations=199, rng=3), geary(values, study.graph, rng=3)
    monkeypatch.setattr("spatialkz.resampling.pvalues._MOST_DRAWN", 1000)
    parts = moran(values, study.graph, permutations=199, rng=3), geary(values, study.graph, rng=3)
    for one, many in zip(whole, parts, strict=True):
        pd.testing.assert_frame_equal(many.to_frame(), one.to_frame(), check_exact=True)
        pd.testing.assert_frame_equal(many.envelope, one.envelope, check_exact=True)


BOOTSTRAP = "parametric-bootstrap"
JOBS = pd.DataFrame({"a": [30, 10, 5], "b": [10, 30, 9]}, index=list("xyz"))


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("permutations", lambda values, graph, most: moran(values, graph, permutations=most)),
        ("permutations", lambda values, graph, most: local_moran(values, graph, permutations=most)),
        ("permutations", lambda values, graph, most: geary(values, graph, permutations=most)),
        (
            "permutations",
            lambda values, graph, most: bivariate_moran(
                values["research"], values["electrical"], graph, permutations=most
            ),
        ),
        ("permutations", lambda values, graph, most: focal_test(values, graph, permutations=most)),
        ("simulations", lambda values, graph, most: focal_test(values, graph, simulations=most)),
        ("resamples", lambda values, _, most: cluster_regions(values, resamples=most)),
        ("references", lambda values, _, most: cluster_regions(values, references=most)),
        ("draws", lambda values, _, most: structure_test(values, draws=most)),
        (
            "resamples",
            lambda _v, _g, most: quotient_test(JOBS, method=BOOTSTRAP, resamples=most),
        ),
        ("permutations", lambda _v, _g, most: concentration_test(JOBS, permutations=most)),
    ],
)
def test_numbers_of_draws_that_would_never_end_are_refused(study, name, call):
    with pytest.raises(InputError, match=f"{name} is 1000000000000; a whole number, at least .* 10,000,000"):
        call(study.table.values, study.graph, 10**12)


def test_draws_of_a_ranking_and_of_a_study_have_a_limit(study):
    with pytest.raises(InputError, match="draws is 1000000000000; a whole number, at least 100 "):
        spatialkz.rank_candidates(study, draws=10**12)
    with pytest.raises(InputError, match=r"permutations is 1e\+12; it must lie from 99 to 1e\+07"):
        Choices(permutations=10**12)
