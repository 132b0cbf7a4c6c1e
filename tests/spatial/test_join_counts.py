from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from esda import Join_Counts

from spatialkz.errors import InputError
from spatialkz.spatial.join_counts import join_counts, local_join_counts


def test_columbus_equals_spdep(oldcol, spdep):
    table, graph = oldcol
    found = join_counts(table["CRIME"] > 35, graph, method="randomization").to_frame().loc["CRIME"]
    for join, theirs in {"BB": "high:high", "WW": "low:low", "BW": "high:low"}.items():
        wanted = spdep(f"joins {theirs}")
        for name in ("statistic", "expected", "variance", "z"):
            assert found.loc[join, name] == pytest.approx(wanted[name], abs=1e-10)


def test_counts_equal_esda_and_add_up(quotients, study):
    marks = quotients >= 1
    found = join_counts(marks, study.graph, permutations=199, rng=1).to_frame()["statistic"]
    for sector in marks:
        peer = Join_Counts(marks[sector].to_numpy().astype(int), study.graph, permutations=0)
        assert found[sector].tolist() == [peer.bb, peer.bw, peer.ww]
        assert found[sector].sum() == 29


def test_permutations_agree_with_all_choices_of_marked_regions(study):
    regions = study.table.regions
    marked = {"Akmola", "Kostanay", "North Kazakhstan", "Nur-Sultan"}
    marks = pd.Series([r in marked for r in regions], index=regions, name="marked")
    edges = {frozenset(pair) for pair in study.graph.adjacency.index}
    counts = np.array(
        [sum(frozenset(p) in edges for p in combinations(c, 2)) for c in combinations(regions, 4)]
    )
    observed = sum(frozenset(p) in edges for p in combinations(marked, 2))
    p_value = min(1, 2 * min((counts >= observed).mean(), (counts <= observed).mean()))
    found = join_counts(marks, study.graph, permutations=19999, rng=1).to_frame().loc[("marked", "BB")]
    assert found["statistic"] == observed
    assert found["expected"] == pytest.approx(counts.mean(), abs=1e-12)
    assert found["variance"] == pytest.approx(counts.var(), abs=1e-12)
    assert found["p_value"] == pytest.approx(p_value, abs=0.005)


def test_one_marked_region_can_show_nothing(study):
    marks = pd.Series(study.table.regions == "Akmola", index=study.table.regions, name="one")
    for method in ("permutation", "randomization"):
        found = join_counts(marks, study.graph, method=method, rng=1).to_frame().loc[("one", "BB")]
        assert np.isnan(found["z"])
        assert found["p_value"] == 1


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_size_at_five_percent_with_17_regions(study, share):
    rng = np.random.default_rng(3)
    marks = pd.DataFrame(rng.random((17, 500)) < share, index=study.table.regions)
    marks = marks.loc[:, marks.nunique() == 2]
    found = join_counts(marks, study.graph, permutations=1999, rng=1).to_frame()["p_value"]
    rejected = (found <= 0.05).groupby("join").mean()
    assert (rejected < 0.05 + 3 * np.sqrt(0.05 * 0.95 / marks.shape[1])).all()


def test_local_counts_equal_spdep(oldcol, local_spdep):
    table, graph = oldcol
    marks = table["CRIME"] > 35
    found = local_join_counts(marks, graph).to_frame().loc["CRIME", "statistic"]
    # spdep counts the marked neighbors of unmarked regions as well; Anselin and Li's count is 0 there.
    np.testing.assert_allclose(found, local_spdep["joins"].where(marks, 0), atol=1e-10)


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_local_p_values_equal_brute_force(quotients, study, alternative):
    marks = (quotients >= 1)["professional"]
    found = local_join_counts(marks, study.graph, alternative=alternative).to_frame().loc["professional"]
    for region in marks.index[marks]:
        neighbors = set(study.graph[region].index)
        others = [name for name in marks.index if name != region]
        counts = np.array([len(neighbors & set(c)) for c in combinations(others, int(marks.sum()) - 1)])

        def p(count, counts=counts):
            tails = {"greater": (counts >= count).mean(), "less": (counts <= count).mean()}
            return tails.get(alternative, min(1, 2 * min(tails.values())))

        observed = int(marks[list(neighbors)].sum())
        assert found.loc[region, "statistic"] == observed
        assert found.loc[region, "expected"] == pytest.approx(counts.mean())
        assert found.loc[region, "p_value"] == pytest.approx(p(observed), abs=1e-12)
        assert found.loc[region, "p_min"] == pytest.approx(min(p(counts.min()), p(counts.max())), abs=1e-12)
    unmarked = found[~marks]
    assert (unmarked["p_value"] == 1).all()
    assert (unmarked["label"] == "unattainable").all()


def test_local_rows_keep_their_order(quotients, study, shuffled):
    marks = shuffled(quotients >= 1)
    test = local_join_counts(marks, study.graph)
    assert test.to_frame().loc["research"].index.tolist() == marks.index.tolist()
    assert "hot" in test.summary() or "not significant" in test.summary()
    assert set(test.to_dict()["variables"]) == set(marks)


def test_bad_input_is_refused(quotients, study):
    with pytest.raises(InputError, match="values of 0 and 1"):
        join_counts(quotients, study.graph)
    with pytest.raises(InputError, match="values of 0 and 1"):
        local_join_counts((quotients >= 1).where(quotients > 0.2), study.graph)
    with pytest.raises(InputError, match="constant"):
        join_counts(quotients >= 0, study.graph)
    with pytest.raises(InputError, match="between 0 and 1"):
        local_join_counts(quotients >= 1, study.graph, alpha=2)
    with pytest.raises(InputError, match="must be a pandas"):
        join_counts([0, 1], study.graph)
