from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from spatialkz.candidates.tiers import _inversions, placement_agreement, site_evidence
from spatialkz.datasets import read_table
from spatialkz.errors import InputError, RegionError
from spatialkz.specialization import breadth

LABELS = list("abcdefgh")


def series(values, dtype=None):
    return pd.Series(values, index=LABELS[: len(values)], dtype=dtype)


TIERS = series([1, 1, 2, 2, 2, 3, 3], "Int64")
RANKS = series([1, 4, 2, 3, 7, 5, 6])


def brute_force_tail(ranks, tiers, alternative):
    observed = stats.kendalltau(ranks, tiers).statistic
    taus = np.array([stats.kendalltau(ranks, order).statistic for order in set(permutations(tiers))])
    above, below = (taus >= observed - 1e-12).mean(), (taus <= observed + 1e-12).mean()
    return {"greater": above, "less": below, "two-sided": min(1, 2 * min(above, below))}[alternative]


@pytest.mark.parametrize("alternative", ["greater", "less", "two-sided"])
def test_exact_p_value_is_that_of_all_arrangements(alternative):
    found = placement_agreement(RANKS, TIERS, alternative=alternative)
    assert found.method == "exact"
    assert found.p_value == pytest.approx(brute_force_tail(RANKS.tolist(), TIERS.tolist(), alternative))
    assert found.tau_b == pytest.approx(stats.kendalltau(RANKS, TIERS.astype(int)).statistic)


def test_arrangements_by_inversions():
    # Two and two: 0011, 0101, 0110 and 1001, 1010, 1100.
    assert _inversions(np.array([2, 2])) == [1, 1, 2, 1, 1]
    assert _inversions(np.array([1, 1, 1])) == [1, 2, 2, 1]
    counts = _inversions(np.array([2, 4, 2, 8]))
    assert sum(counts) == 16 * 15 * 14 * 13 * 12 * 11 * 10 * 9 // (2 * 24 * 2)
    assert counts == counts[::-1]


def test_without_ties_it_is_scipys_exact_test():
    ranks, tiers = series([3, 1, 2, 5, 4, 8, 6, 7]), series(range(1, 9), "Int64")
    for alternative in ("greater", "less", "two-sided"):
        wanted = stats.kendalltau(ranks, tiers.astype(int), method="exact", alternative=alternative)
        found = placement_agreement(ranks, tiers, alternative=alternative)
        assert (found.tau_b, found.p_value) == pytest.approx((wanted.statistic, wanted.pvalue))


def test_ties_in_the_ranking_are_permuted():
    ranks = series([1, 2, 2, 3, 3, 3, 5])
    found = placement_agreement(ranks, TIERS, permutations=4999, rng=3)
    wanted = brute_force_tail(ranks.tolist(), TIERS.tolist(), "greater")
    assert found.method == "permutation"
    assert found.p_value == pytest.approx(wanted, abs=4 * np.sqrt(wanted / 4999))
    assert found.tau_b == pytest.approx(stats.kendalltau(ranks, TIERS.astype(int)).statistic)
    assert placement_agreement(ranks, TIERS, permutations=99, rng=3).p_value >= 0.01


def test_kappa_is_scikit_learns(study, quotients):
    found = placement_agreement(breadth(quotients), study.placement, best="high", permutations=99, rng=1)
    frame = found.to_frame().astype(int)
    wanted = cohen_kappa_score(frame["tier"], frame["tier_by_rank"], weights="linear")
    assert found.kappa == pytest.approx(wanted)
    exact = placement_agreement(RANKS, TIERS)
    frame = exact.to_frame().astype(int)
    assert frame["tier_by_rank"].value_counts().to_dict() == TIERS.value_counts().to_dict()
    assert exact.kappa == pytest.approx(
        cohen_kappa_score(frame["tier"], frame["tier_by_rank"], weights="linear")
    )


def test_regions_by_hand():
    frame = placement_agreement(RANKS, TIERS).to_frame()
    # By rank: a c | d b f | g e.
    assert frame["tier_by_rank"].sort_index().tolist() == [1, 2, 1, 2, 3, 2, 3]
    assert frame["difference"].sort_index().tolist() == [0, 1, -1, 0, 1, -1, 0]
    # b (rank 4, tier 1) stands behind c and d of tier 2, and e (rank 7, tier 2) behind f and g of tier 3.
    assert frame.loc[["b", "e"], ["against", "pairs"]].to_numpy().tolist() == [[2, 5], [2, 4]]
    assert frame.index[:3].tolist() == ["b", "e", "c"]
    assert frame["difference"].abs().is_monotonic_decreasing


def test_perfect_and_reversed_agreement():
    order = series(range(1, 8))
    same = placement_agreement(order, TIERS)
    assert same.kappa == 1
    # 1 of the 7! / (2! 3! 2!) arrangements.
    assert same.p_value == pytest.approx(1 / 210)
    assert same.tau_b == pytest.approx(np.sqrt(16 / 21))
    opposite = placement_agreement(order, TIERS, best="high")
    assert opposite.tau_b == -same.tau_b
    assert opposite.p_value == 1
    assert placement_agreement(-order, TIERS, best="high").tau_b == same.tau_b


def test_ties_across_a_border_get_one_tier():
    frame = placement_agreement(series([1, 2, 2, 2, 5, 6, 7]), TIERS, permutations=99, rng=1).to_frame()
    # Positions 2 to 4 share 3, which lies in the second tier of positions 3 to 5.
    assert frame["tier_by_rank"].sort_index().tolist() == [1, 2, 2, 2, 2, 3, 3]


def test_unplaced_regions_are_left_out_and_named(study, quotients):
    found = placement_agreement(breadth(quotients), study.placement, best="high", permutations=99, rng=1)
    assert found.unplaced == ("Turkestan",)
    assert len(found.to_frame()) == found.to_dict()["n"] == 16
    assert "Turkestan" in found.summary()


def test_p_values_are_uniform_under_the_null(study):
    rng = np.random.default_rng(6)
    p_values = [
        placement_agreement(
            pd.Series(rng.permutation(17), index=study.placement.index), study.placement
        ).p_value
        for _ in range(300)
    ]
    # Discrete and so at least as large as uniform.
    assert stats.kstest(p_values, "uniform", alternative="greater").pvalue > 0.01
    assert np.mean(np.array(p_values) <= 0.1) == pytest.approx(0.09, abs=0.05)


def test_the_same_in_any_order(study, quotients, shuffled):
    ranking = breadth(quotients)
    one = placement_agreement(ranking, study.placement, best="high", permutations=199, rng=5)
    other = placement_agreement(shuffled(ranking), study.placement, best="high", permutations=199, rng=5)
    assert one.to_dict() == other.to_dict()


def test_sites_with_the_evidence_of_their_region(quotients):
    evidence = breadth(quotients).to_frame()
    sites = read_table("kazakhstan-2022/sites")
    found = site_evidence(sites, evidence).set_index("site")
    assert len(found) == len(sites)
    assert found.loc["Talgar", ["region", "breadth"]].tolist() == ["Almaty Region", 2]
    assert found.loc["Akkol", ["region", "breadth"]].tolist() == ["Akmola", 1]
    assert found.loc["Kurchatov", ["region", "breadth"]].tolist() == ["East Kazakhstan", 4]
    assert found.loc["Alatau (village)", "breadth"] == 10
    with pytest.raises(RegionError, match="Sites lie in Akmola"):
        site_evidence(sites, evidence.drop("Akmola"))
    with pytest.raises(InputError, match="both have the column kind"):
        site_evidence(sites, evidence.assign(kind=1))
    with pytest.raises(InputError, match="lacks the column site"):
        site_evidence(sites.drop(columns="site"), evidence)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"ranking": RANKS.drop("a")}, RegionError, "the ranking lacks a"),
        ({"ranking": RANKS.where(RANKS != 3)}, InputError, "must be finite"),
        ({"ranking": RANKS * 0}, InputError, "ranks that differ"),
        ({"tiers": TIERS * 0 + 1}, InputError, "tiers that differ"),
        ({"tiers": TIERS.where(TIERS == 1)}, InputError, "at least 3 regions with a tier, but there are 2"),
        ({"best": "first"}, InputError, "best is 'first'"),
        ({"alternative": "more"}, InputError, "alternative is 'more'"),
        ({"permutations": 9}, InputError, "permutations is 9"),
    ],
)
def test_bad_input_is_refused(change, error, message):
    with pytest.raises(error, match=message):
        placement_agreement(**{"ranking": RANKS, "tiers": TIERS, **change})
