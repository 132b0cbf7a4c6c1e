"""The focal test says what is true of tables that owe nothing to its models."""

import numpy as np
import pandas as pd
import pytest
from independent import cases_of, collected, independent_map, independent_table, pattern, tabulated
from scipy.sparse.csgraph import connected_components

QUICK = {"permutations": 99, "simulations": 600}
CLEAR = [("foci", 1.4), ("graded belt", 1.4), ("own belts", 1.4), ("none", 0.0)]


def test_patterns_have_mean_0_and_variance_1_and_the_shape_named():
    graph = independent_map(40)
    adjacent = graph.sparse.toarray() > 0
    rng = np.random.default_rng(1)
    for kind in ("foci", "abrupt belt"):
        for _ in range(30):
            field = pattern(kind, graph, rng)
            assert np.allclose([field.mean(), field.var()], [0, 1])
            assert len(np.unique(field)) == 2
            lifted = field > 0
            assert lifted.sum() in ((3, 4, 5) if kind == "foci" else (4, 5, 6))
            if kind == "abrupt belt":
                assert connected_components(adjacent[np.ix_(lifted, lifted)])[0] == 1


def test_graded_belts_are_correlated_as_the_exponential_of_distance():
    """Differences of neighbors have variance 2 (1 − exp(−1/reach)), of regions two steps apart more."""
    graph, rng = independent_map(40), np.random.default_rng(2)
    adjacent = graph.sparse.toarray() > 0
    fields = np.array([pattern("graded belt", graph, rng, reach=0.5) for _ in range(2000)])
    squares = ((fields[:, :, None] - fields[:, None, :]) ** 2).mean(axis=0)
    apart = (adjacent @ adjacent) & ~adjacent & ~np.eye(graph.n, dtype=bool)
    # A table's field has variance 1, where the covariance given leaves a little less about its mean.
    found = squares[apart].mean() / squares[adjacent].mean()
    assert found == pytest.approx((1 - np.exp(-4)) / (1 - np.exp(-2)), rel=0.02)


def test_quotients_of_many_plants_are_the_exponential_of_the_attraction():
    graph = independent_map(17)
    many = {"sectors": 5, "plants": (10**6, 10**6 + 1), "plant_sigma": 0.0, "amplitude": 0.7}
    quotients, shares, plants = independent_table("foci", graph, np.random.default_rng(3), **many)
    assert np.allclose(quotients.mul(shares, axis=0).sum(), 1)
    assert (plants >= 10**6).all()
    logs = np.log(quotients)
    hubs = logs.iloc[:, 0] > logs.iloc[:, 0].mean()
    share = hubs.mean()
    # A 0/1 pattern of mean p has standard deviation √(p (1 − p)); four of five sectors follow it.
    lift = logs[hubs].mean() - logs[~hubs].mean()
    assert lift.to_numpy() == pytest.approx([0.7 / np.sqrt(share * (1 - share))] * 4 + [0.0], abs=0.03)


def test_own_patterns_differ_and_no_pattern_is_none():
    graph, rng = independent_map(17), np.random.default_rng(4)
    own = np.log(independent_table("own points", graph, rng, plants=(20000, 30000))[0])
    assert own.corr().to_numpy()[np.triu_indices(11, 1)].mean() < 0.3
    none = np.log(independent_table("none", graph, rng, plants=(20000, 30000), plant_sigma=0.0)[0])
    assert none.abs().to_numpy().mean() < 0.1


@pytest.fixture(scope="module")
def clear():
    """Verdicts on four tables of each truth at which no rule could err often."""
    return collected(None, cases_of(CLEAR, 4, seed=11), **QUICK)


def test_clear_truths_are_told_apart(clear):
    counts = pd.crosstab(clear["truth"], clear["verdict"])
    counts = counts.reindex(columns=["focal", "belt", "sector belts", "dispersed"], fill_value=0)
    assert counts.loc["foci", "focal"] >= 3
    assert counts.loc["graded belt", "belt"] >= 2
    assert counts.loc["own belts", "sector belts"] >= 1  # the others are undecided
    assert (clear.loc[clear["truth"] == "own belts", "sectors_p"] <= 0.05).all()
    assert counts.loc["none", "dispersed"] >= 3
    assert counts.loc["graded belt", "focal"] == counts.loc["own belts", "dispersed"] == 0
    assert (counts.loc[["own belts", "none"], ["focal", "belt"]] == 0).all(axis=None)


def test_place_is_not_told_wrongly(clear):
    counts = tabulated(clear)["place_verdict"].groupby("truth").sum()
    assert counts.loc["foci", "adjoining"] <= 1
    assert counts.loc["graded belt"].get("apart", 0) <= 1


@pytest.mark.slow
def test_verdicts_on_thirty_tables_of_each_truth():
    """What was wanted of the rule before it was written, on the bundled map (about ten minutes)."""
    truths = [("foci", 0.5), ("foci", 1.4), ("graded belt", 1.0), ("abrupt belt", 1.0), ("own belts", 1.0)]
    found = collected(None, cases_of([*truths, ("none", 0.0)], 30), permutations=999)
    counts = tabulated(found).droplevel(["map", "sizes", "plants"])
    verdict, place = counts["verdict"], counts["place_verdict"]
    for amplitude in (0.5, 1.4):
        assert verdict.loc[("foci", amplitude), "focal"] >= 24
        assert place.loc[("foci", amplitude), "adjoining"] <= 3
    assert verdict.loc[("graded belt", 1.0), "belt"] >= 20
    assert verdict.loc[("graded belt", 1.0), "focal"] <= 3
    assert verdict.loc[("own belts", 1.0), "dispersed"] <= 5
    assert verdict.loc[("none", 0.0), "dispersed"] >= 25
    assert place.loc[("abrupt belt", 1.0), "apart"] <= 3
