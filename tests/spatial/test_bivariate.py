from itertools import combinations
from itertools import permutations as orders

import numpy as np
import pandas as pd
import pytest
from esda import Moran_BV, Moran_Local_BV

from spatialkz.errors import InputError, RegionError
from spatialkz.geography import graph_from_pairs
from spatialkz.spatial import moran
from spatialkz.spatial.bivariate import bivariate_moran, local_bivariate_moran


def test_columbus_equals_spdep(oldcol, spdep, local_spdep):
    table, graph = oldcol
    both = table[["CRIME", "INC"]]
    found = bivariate_moran(both, both, graph, method="randomization").to_frame()["statistic"]
    assert found["CRIME", "INC"] == pytest.approx(spdep("bivariate CRIME INC")["statistic"], abs=1e-10)
    assert found["INC", "CRIME"] == pytest.approx(spdep("bivariate INC CRIME")["statistic"], abs=1e-10)
    local = local_bivariate_moran(table["CRIME"], table["INC"], graph, permutations=99, rng=1).to_frame()
    np.testing.assert_allclose(local["statistic"], local_spdep["bivariate"], atol=1e-10)


def test_statistics_equal_esda(quotients, study):
    x, y = quotients["research"], quotients["programming"]
    found = bivariate_moran(x, y, study.graph, method="randomization").to_frame()["statistic"].iloc[0]
    graph = study.graph.to_W()
    assert found == pytest.approx(Moran_BV(x.to_numpy(), y.to_numpy(), graph, permutations=0).I, abs=1e-10)
    local = local_bivariate_moran(x, y, study.graph).to_frame()
    peer = Moran_Local_BV(x.to_numpy(), y.to_numpy(), graph, permutations=0)
    np.testing.assert_allclose(local["statistic"], peer.Is, atol=1e-10)
    names = {1: "HH", 2: "LH", 3: "LL", 4: "HL"}
    assert local["quadrant"].tolist() == [names[q] for q in peer.q]


def test_a_variable_with_itself_is_moran(quotients, study):
    x = quotients[["research", "electrical"]]
    found = bivariate_moran(x, x, study.graph, method="randomization").to_frame()
    wanted = moran(x, study.graph, method="randomization").to_frame()
    for sector in x:
        for name in ("statistic", "expected", "variance", "z", "p_value"):
            assert found.loc[(sector, sector), name] == pytest.approx(wanted.loc[sector, name], abs=1e-10)


def test_moments_are_those_of_all_arrangements():
    """Six regions on a path: all 720 arrangements of the pairs, on unsymmetric weights."""
    names = list("abcdef")
    graph = graph_from_pairs(pd.DataFrame({"a": names[:-1], "b": names[1:]}), pd.Index(names))
    x = pd.Series([3.0, 1.0, 4.0, 1.5, 9.0, 2.6], index=names, name="x")
    y = pd.Series([2.0, 2.5, 3.0, 0.5, 4.0, 8.0], index=names, name="y")
    a, b = ((v - v.mean()) / np.sqrt(((v - v.mean()) ** 2).sum()) for v in (x, y))
    a, b = a.to_numpy(), b.to_numpy()

    def statistic(order):
        around = [np.mean([b[order[j]] for j in (i - 1, i + 1) if 0 <= j < 6]) for i in range(6)]
        return sum(a[order[i]] * around[i] for i in range(6))

    every = np.array([statistic(order) for order in orders(range(6))])
    found = bivariate_moran(x, y, graph, method="randomization").to_frame().iloc[0]
    assert found["statistic"] == pytest.approx(statistic(range(6)), abs=1e-12)
    assert found["expected"] == pytest.approx(every.mean(), abs=1e-12)
    assert found["variance"] == pytest.approx(every.var(), abs=1e-12)
    observed = found["statistic"]
    tails = [(every >= observed - 1e-9).mean(), (every <= observed + 1e-9).mean()]
    drawn = bivariate_moran(x, y, graph, rng=1).to_frame()["p_value"].iloc[0]
    assert drawn == pytest.approx(min(1, 2 * min(tails)), abs=0.02)


def test_local_p_values_equal_brute_force(quotients, study):
    x, y = quotients["research"], quotients["programming"]
    found = local_bivariate_moran(x, y, study.graph).to_frame().loc[("research", "programming")]
    for region in ("Nur-Sultan", "Pavlodar", "Kyzylorda"):
        neighbors = list(study.graph[region].index)
        own = x[region] - x.mean()
        others = [own * (y[name] - y.mean()) for name in y.index if name != region]
        sums = np.array([np.mean(c) for c in combinations(others, len(neighbors))])
        observed = own * (y[neighbors].mean() - y.mean())
        tails = [(sums >= observed - 1e-9).mean(), (sums <= observed + 1e-9).mean()]
        assert found.loc[region, "p_value"] == pytest.approx(min(1, 2 * min(tails)), abs=1e-12)


@pytest.mark.parametrize("kind", ["normal", "lognormal", "zero-inflated"])
def test_size_holds_for_variables_that_are_correlated(study, null_tables, kind):
    """Within regions y follows x; esda's test of y alone would take that for a spatial pattern."""
    x, noise = null_tables(kind, 25), null_tables(kind, 25, seed=21)
    y = x + 0.3 * noise
    found = bivariate_moran(x, y, study.graph, permutations=4999, rng=1).to_frame()["p_value"]
    # 625 pairs of 50 variables are not independent, so the bound is wider than binomial.
    assert 0.01 < (found <= 0.05).mean() < 0.085


def test_shuffled_rows_change_nothing(quotients, study, shuffled):
    x, y = quotients[["research", "vehicles"]], quotients[["programming"]]
    found = bivariate_moran(x, y, study.graph, permutations=199, rng=5).to_frame()
    again = bivariate_moran(x, shuffled(y), study.graph, permutations=199, rng=5).to_frame()
    pd.testing.assert_frame_equal(again, found)
    local = local_bivariate_moran(x, y, study.graph).to_frame()
    pd.testing.assert_frame_equal(
        local_bivariate_moran(shuffled(x), y, study.graph).to_frame().loc[local.index], local
    )


def test_results_tell_themselves(quotients, study):
    x, y = quotients[["research", "vehicles"]], quotients[["programming"]]
    test = bivariate_moran(x, y, study.graph, permutations=99, rng=5)
    assert set(test.to_dict()["variables"]) == {"research × programming", "vehicles × programming"}
    local = local_bivariate_moran(x, y, study.graph)
    assert set(local.to_dict()["variables"]["research × programming"]) == set(study.table.regions)
    assert "Local bivariate Moran's I" in local.summary()


def test_bad_input_is_refused(quotients, study):
    x, y = quotients["research"], quotients["programming"]
    with pytest.raises(RegionError, match="lagged lacks Akmola"):
        bivariate_moran(x, y.drop("Akmola"), study.graph)
    with pytest.raises(InputError, match="constant"):
        bivariate_moran(x, y * 0, study.graph)
    with pytest.raises(InputError, match="lagged must be finite"):
        local_bivariate_moran(x, y.where(y > 0.5), study.graph)
    with pytest.raises(InputError, match="one of permutation, randomization"):
        bivariate_moran(x, y, study.graph, method="normal")
