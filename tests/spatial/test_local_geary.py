from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from esda import Geary_Local, Geary_Local_MV
from libpysal.weights import W

from spatialkz.errors import InputError
from spatialkz.spatial.geary import local_geary


def test_columbus_equals_spdep(oldcol, local_spdep):
    table, graph = oldcol
    one = local_geary(table["CRIME"], graph, permutations=99, rng=1).to_frame()["statistic"]
    np.testing.assert_allclose(one, local_spdep["geary"], atol=1e-10)
    three = local_geary(table[["CRIME", "INC", "HOVAL"]], graph, multivariate=True, permutations=99, rng=1)
    np.testing.assert_allclose(
        three.to_frame().loc["all", "statistic"], local_spdep["geary_three"], atol=1e-10
    )


def test_statistic_equals_esda_but_for_its_scale(oldcol):
    """esda regroups regions by label, so it is given numbers in their order."""
    table, graph = oldcol
    n = len(table)
    peers = W({i: [int(j) - 1 for j in graph[str(i + 1)].index] for i in range(n)}, silence_warnings=True)
    found = local_geary(table, graph, permutations=99).to_frame()["statistic"]
    for name in table:
        peer = Geary_Local(connectivity=peers, permutations=0).fit(table[name].to_numpy())
        np.testing.assert_allclose(found[name] * n / (n - 1), peer.localG, atol=1e-10)
    together = (
        local_geary(table, graph, multivariate=True, permutations=99).to_frame().loc["all", "statistic"]
    )
    peer = Geary_Local_MV(connectivity=peers, permutations=0).fit([table[name].to_numpy() for name in table])
    np.testing.assert_allclose(together * n / (n - 1), peer.localG, atol=1e-10)


@pytest.mark.parametrize("multivariate", [False, True])
def test_exact_p_values_equal_brute_force(quotients, study, multivariate):
    x = quotients[["research", "electronics"]] if multivariate else quotients[["research"]]
    z = (x - x.mean()) / x.std()
    variable = "all" if multivariate else "research"
    found = local_geary(x, study.graph, multivariate=multivariate).to_frame().loc[variable]
    for region in ("Nur-Sultan", "Almaty City", "Pavlodar", "Kyzylorda"):
        gaps = {
            name: float(((z.loc[region] - z.loc[name]) ** 2).mean()) for name in x.index if name != region
        }
        neighbors = list(study.graph[region].index)
        means = np.array([np.mean(c) for c in combinations(gaps.values(), len(neighbors))])
        observed = np.mean([gaps[name] for name in neighbors])

        def two_sided(c, means=means):
            return min(1, 2 * min((means >= c - 1e-9).mean(), (means <= c + 1e-9).mean()))

        assert found.loc[region, "statistic"] == pytest.approx(observed, abs=1e-10)
        assert found.loc[region, "expected"] == pytest.approx(means.mean(), abs=1e-10)
        assert found.loc[region, "p_value"] == pytest.approx(two_sided(observed), abs=1e-12)
        wanted = min(two_sided(means.max()), two_sided(means.min()))
        assert found.loc[region, "p_min"] == pytest.approx(wanted, abs=1e-12)


def test_labels(quotients, study):
    found = local_geary(quotients, study.graph, alpha=0.2).to_frame()
    significant = found[(found["p_value"] <= 0.2) & (found["p_min"] <= 0.2)]
    assert len(significant) > 5
    below = significant["statistic"] < significant["expected"]
    assert significant.loc[below, "label"].isin(["hot", "cold", "alike"]).all()
    assert (significant.loc[~below, "label"] == "unlike").all()
    together = local_geary(quotients, study.graph, multivariate=True, alpha=0.2).to_frame()["label"]
    assert together.isin(["alike", "unlike", "not significant", "unattainable"]).all()


@pytest.mark.parametrize("kind", ["normal", "lognormal", "zero-inflated"])
def test_size_at_five_percent_with_17_regions(study, null_tables, kind):
    values = null_tables(kind, 150)
    for test in (local_geary(values, study.graph), local_geary(values, study.graph, multivariate=True)):
        p_value = test.to_frame()["p_value"]
        assert (p_value <= 0.05).mean() < (0.055 if len(p_value) > 100 else 0.3)


def test_shuffled_rows_change_nothing(quotients, study, shuffled):
    for method in ("exact", "permutation"):
        first = local_geary(quotients, study.graph, method=method, permutations=199, rng=4).to_frame()
        second = local_geary(
            shuffled(quotients), study.graph, method=method, permutations=199, rng=4
        ).to_frame()
        pd.testing.assert_frame_equal(second.loc[first.index], first)


def test_bad_input_is_refused(quotients, study):
    with pytest.raises(InputError, match="constant"):
        local_geary(quotients.assign(flat=1.0), study.graph)
    with pytest.raises(InputError, match="between 0 and 1"):
        local_geary(quotients, study.graph, alpha=0)
    with pytest.raises(InputError, match="must be finite"):
        local_geary(quotients.where(quotients > 0.5), study.graph, multivariate=True)
