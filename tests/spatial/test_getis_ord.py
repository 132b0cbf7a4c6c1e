from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from esda import G, G_Local

from spatialkz.errors import InputError
from spatialkz.spatial.getis_ord import getis_ord, local_getis_ord


def test_columbus_equals_spdep(oldcol, spdep):
    table, graph = oldcol
    found = getis_ord(table["CRIME"], graph, method="randomization").to_frame().loc["CRIME"]
    for name, wanted in spdep("global_g").items():
        assert found[name] == pytest.approx(wanted, abs=1e-10)


def test_statistic_equals_esda(quotients, study):
    found = getis_ord(quotients, study.graph, method="randomization").to_frame()
    for sector in quotients:
        peer = G(quotients[sector].to_numpy(), study.graph, permutations=0)
        assert found.loc[sector, "statistic"] == pytest.approx(peer.G, abs=1e-10)


def test_local_columbus_equals_spdep(oldcol, local_spdep):
    table, graph = oldcol
    for star, name in ((False, "g"), (True, "g_star")):
        found = (
            local_getis_ord(table["CRIME"], graph, star=star, permutations=99, rng=1).to_frame().loc["CRIME"]
        )
        np.testing.assert_allclose(found["statistic"], local_spdep[name], atol=1e-10)
        np.testing.assert_allclose(found["z"], local_spdep[f"{name}_z"], atol=1e-10)


def test_local_statistic_equals_esda(quotients, study):
    """esda row-standardizes Gi by default; asked for binary weights it is the same."""
    found = local_getis_ord(quotients, study.graph).to_frame()
    for sector in quotients:
        peer = G_Local(quotients[sector].to_numpy(), study.graph, transform="B", permutations=0)
        np.testing.assert_allclose(found.loc[sector, "statistic"], peer.Gs, atol=1e-10)


def brute_force(x, neighbors, region):
    others = [x[name] for name in x.index if name != region]
    sums = np.array([sum(c) for c in combinations(others, len(neighbors))])

    def two_sided(value):
        return min(1, 2 * min((sums >= value - 1e-9).mean(), (sums <= value + 1e-9).mean()))

    return two_sided(x[neighbors].sum()), min(two_sided(sums.max()), two_sided(sums.min()))


@pytest.mark.parametrize("sector", ["research", "electronics"])
def test_local_p_values_equal_brute_force(quotients, study, sector):
    x = quotients[sector]
    plain = local_getis_ord(x, study.graph).to_frame()
    star = local_getis_ord(x, study.graph, star=True).to_frame()
    pd.testing.assert_series_equal(plain["p_value"], star["p_value"])
    pd.testing.assert_series_equal(plain["label"], star["label"])
    for region in ("Nur-Sultan", "Almaty City", "Pavlodar", "Zhambyl", "Kyzylorda"):
        p_value, p_min = brute_force(x, list(study.graph[region].index), region)
        assert plain.loc[(sector, region), "p_value"] == pytest.approx(p_value, abs=1e-12)
        assert plain.loc[(sector, region), "p_min"] == pytest.approx(p_min, abs=1e-12)


def test_permutation_agrees_with_enumeration(quotients, study):
    exact = local_getis_ord(quotients, study.graph)
    drawn = local_getis_ord(quotients, study.graph, method="permutation", rng=2)
    assert (exact.methods == "exact").all()
    assert (drawn.methods == "permutation").all()
    assert (exact.to_frame()["p_value"] - drawn.to_frame()["p_value"]).abs().max() < 0.03


def test_labels_follow_direction_and_level(quotients, study):
    found = local_getis_ord(quotients, study.graph, alpha=0.2).to_frame()
    significant = found[(found["p_value"] <= 0.2) & (found["p_min"] <= 0.2)]
    assert len(significant) > 5
    assert (significant["label"] == np.where(significant["z"] > 0, "hot", "cold")).all()
    assert (found.loc[found["p_min"] > 0.2, "label"] == "unattainable").all()
    enclave = local_getis_ord(quotients, study.graph).to_frame().xs("Nur-Sultan", level="region")
    assert (enclave["label"] == "unattainable").all()


@pytest.mark.parametrize("kind", ["normal", "lognormal", "zero-inflated"])
def test_size_at_five_percent_with_17_regions(study, null_tables, kind):
    values = null_tables(kind, 600)
    rejected = (getis_ord(values, study.graph, permutations=4999, rng=1).to_frame()["p_value"] <= 0.05).mean()
    assert 0.01 < rejected < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 600)
    local = local_getis_ord(values.iloc[:, :100], study.graph, permutations=999).to_frame()
    assert (local["p_value"] <= 0.05).mean() < 0.055


def test_shuffled_rows_change_nothing(quotients, study, shuffled):
    for method in ("exact", "permutation"):
        first = local_getis_ord(quotients, study.graph, method=method, permutations=199, rng=4).to_frame()
        second = local_getis_ord(
            shuffled(quotients), study.graph, method=method, permutations=199, rng=4
        ).to_frame()
        pd.testing.assert_frame_equal(second.loc[first.index], first)


def test_bad_input_is_refused(quotients, study):
    with pytest.raises(InputError, match="at least 0"):
        getis_ord(quotients - 1, study.graph)
    with pytest.raises(InputError, match="two regions with positive values; there are fewer in lone"):
        getis_ord(quotients.assign(lone=(quotients.index == "Akmola") * 1.0), study.graph)
    with pytest.raises(InputError, match="constant"):
        local_getis_ord(quotients.assign(flat=1.0), study.graph)
    with pytest.raises(InputError, match="one of auto, exact, permutation"):
        local_getis_ord(quotients, study.graph, method="fast")
