from itertools import permutations as orders

import numpy as np
import pandas as pd
import pytest
from esda import Geary

from spatialkz.errors import GraphError, InputError, RegionError
from spatialkz.geography import graph_from_pairs
from spatialkz.spatial.geary import geary


@pytest.mark.parametrize("method", ["randomization", "normal"])
def test_columbus_equals_spdep(oldcol, spdep, method):
    table, graph = oldcol
    found = geary(table["CRIME"], graph, method=method).to_frame().loc["CRIME"]
    wanted = spdep(f"geary {method}")
    for name in ("statistic", "expected", "variance", "p_value"):
        assert found[name] == pytest.approx(wanted[name], abs=1e-10)
    assert found["z"] == pytest.approx(-wanted["z"], abs=1e-10)


def test_statistic_equals_esda(quotients, study):
    found = geary(quotients, study.graph, method="normal").to_frame()
    for sector in quotients:
        peer = Geary(quotients[sector].to_numpy(), study.graph, permutations=0)
        assert found.loc[sector, "statistic"] == pytest.approx(peer.C, abs=1e-10)


def test_moments_are_those_of_all_arrangements():
    """Six regions on a path: all 720 arrangements, in plain Python."""
    names = list("abcdef")
    graph = graph_from_pairs(pd.DataFrame({"a": names[:-1], "b": names[1:]}), pd.Index(names))
    x = pd.Series([3.0, 1.0, 4.0, 1.5, 9.0, 2.6], index=names, name="x")
    degree = [1, 2, 2, 2, 2, 1]

    def c(v):
        top = sum((v[i] - v[j]) ** 2 / degree[i] for i in range(6) for j in (i - 1, i + 1) if 0 <= j < 6)
        mean = sum(v) / 6
        return 5 / 12 * top / sum((a - mean) ** 2 for a in v)

    all_values = np.array([c(v) for v in orders(x)])
    found = geary(x, graph, method="randomization").to_frame().loc["x"]
    assert found["statistic"] == pytest.approx(c(list(x)), abs=1e-12)
    assert found["expected"] == pytest.approx(all_values.mean(), abs=1e-12)
    assert found["variance"] == pytest.approx(all_values.var(), abs=1e-12)
    drawn = geary(x, graph, permutations=9999, rng=1).to_frame().loc["x", "p_value"]
    observed = c(list(x))
    tails = [(all_values >= observed - 1e-9).mean(), (all_values <= observed + 1e-9).mean()]
    assert drawn == pytest.approx(min(1, 2 * min(tails)), abs=0.02)


@pytest.mark.parametrize("kind", ["normal", "lognormal", "zero-inflated"])
def test_size_at_five_percent_with_17_regions(study, null_tables, kind):
    found = geary(null_tables(kind, 600), study.graph, permutations=4999, rng=1).to_frame()
    rejected = (found["p_value"] <= 0.05).mean()
    assert 0.01 < rejected < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 600)


def test_shuffled_rows_change_nothing(variables, study, shuffled):
    found = geary(variables, study.graph, permutations=199, rng=5).to_frame()
    again = geary(shuffled(variables), study.graph, permutations=199, rng=5).to_frame()
    pd.testing.assert_frame_equal(again, found)


def test_the_result_tells_itself(variables, study):
    test = geary(variables, study.graph, permutations=199, rng=5)
    assert test.summary().startswith("Geary's c, n = 17, 199 permutations, two-sided")
    assert set(test.to_dict()["variables"]) == set(variables)
    assert (test.envelope["low"] < test.envelope["high"]).all()
    with pytest.raises(ValueError, match="read-only"):
        test.table["p_value"].to_numpy()[0] = 0


def test_bad_input_is_refused(quotients, study):
    graph = study.graph
    with pytest.raises(InputError, match="these are constant: flat"):
        geary(quotients.assign(flat=1.0), graph)
    with pytest.raises(InputError, match="must be finite"):
        geary(quotients.where(quotients > 0.5), graph)
    with pytest.raises(RegionError, match="the graph has Akmola"):
        geary(quotients.drop(index="Akmola"), graph)
    with pytest.raises(InputError, match="at least 4"):
        geary(quotients.iloc[:3], graph)
    with pytest.raises(InputError, match="at least 99"):
        geary(quotients, graph, permutations=10)
    with pytest.raises(InputError, match="one of permutation, normal, randomization"):
        geary(quotients, graph, method="exact")
    empty = graph_from_pairs(pd.DataFrame({"a": [], "b": []}), quotients.index)
    with pytest.raises(GraphError, match="Every region needs a neighbor"):
        geary(quotients, empty)


@pytest.mark.parametrize("kind", ["normal", "lognormal", "zero-inflated"])
def test_size_with_17_regions_and_who_needs_normal_values(null_tables, study, kind):
    """2,000 tables: a rate of 5 % has a standard error of half a point."""
    values = null_tables(kind, 2000)
    rate = {
        method: (geary(values, study.graph, method=method).to_frame()["p_value"] <= 0.05).mean()
        for method in ("randomization", "normal")
    }
    assert 0.035 < rate["randomization"] < 0.07
    if kind == "normal":
        assert 0.035 < rate["normal"] < 0.065
    else:  # as its documentation says
        assert 0.11 < rate["normal"] < 0.19
