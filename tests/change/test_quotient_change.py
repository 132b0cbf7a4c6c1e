"""Changes of quotients with their intervals, and specializations that come and go."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import spatialkz
from spatialkz.change import quotient_change, specialization_turnover
from spatialkz.errors import InputError
from spatialkz.tables import ActivityTable, Panel

REGIONS = [f"r{i}" for i in range(8)]


def counts(rng, expected):
    return pd.DataFrame(rng.poisson(expected), REGIONS, ["a", "b"])


def panel(*tables, kind="counts", base=None, **options):
    return Panel(
        {
            2010 + 5 * i: ActivityTable(table, kind=kind, base=base, **options)
            for i, table in enumerate(tables)
        }
    )


def test_exact_interval_is_the_one_of_a_binomial_share():
    """Against scipy's own Clopper–Pearson interval of x1 of x0 + x1."""
    rng, people = np.random.default_rng(1), pd.Series(np.arange(8) * 100 + 500, REGIONS)
    before, after = counts(rng, 20), counts(rng, 30)
    found = quotient_change(panel(before, after, base=people, contained=False)).to_frame()
    x0, x1 = before.at["r3", "b"], after.at["r3", "b"]
    share = people["r3"] / people.sum()
    e0, e1 = before["b"].sum() * share, after["b"].sum() * share
    ends = stats.binomtest(int(x1), int(x0 + x1), e1 / (e0 + e1)).proportion_ci(0.95)
    row = found.loc[("r3", "b")]
    assert row["low"] == pytest.approx(ends.low / (1 - ends.low) * e0 / e1)
    assert row["high"] == pytest.approx(ends.high / (1 - ends.high) * e0 / e1)
    assert row["ratio"] == pytest.approx((x1 / e1) / (x0 / e0))
    assert row["low"] <= row["ratio"] <= row["high"]


@pytest.mark.parametrize("method", ["exact", "bootstrap"])
def test_intervals_cover(method):
    """Quotients that never change: the interval of the ratio holds 1 in about 95 % of cells."""
    rng, people = np.random.default_rng(2), pd.Series(np.arange(8) * 100 + 500.0, REGIONS)
    expected = np.outer(people / people.mean(), [40.0, 60.0])
    hits = rejected = cells = 0
    for _ in range(60):
        tables = counts(rng, expected), counts(rng, expected)
        found = quotient_change(
            panel(*tables, base=people, contained=False), method=method, resamples=299, rng=rng
        ).to_frame()
        hits += int(((found["low"] <= 1) & (found["high"] >= 1)).sum())
        rejected += int((found["p_value"] <= 0.05).sum())
        cells += len(found)
    assert 0.93 <= hits / cells <= 0.995
    if method == "exact":
        assert rejected / cells <= 0.06


def test_published_quotients_by_their_rounding():
    before = pd.DataFrame({"a": [0.5, 1.2]}, index=["n", "s"])
    found = quotient_change(panel(before, before * 2, kind="quotients", rounding=0.05)).to_frame()
    assert found.loc[("n", "a"), ["low", "high"]].tolist() == pytest.approx([0.95 / 0.55, 1.05 / 0.45])
    assert found["p_value"].isna().all()


def test_money_has_no_interval():
    found = quotient_change(spatialkz.load_study("kazakhstan-gva").panel, 2011, 2020)
    assert found.method == "none"
    table = found.to_frame()
    assert table[["low", "high", "p_value"]].isna().all(axis=None)
    row = table.loc[("Nur-Sultan", "Information and communication")]
    assert row[["lq_before", "lq_after"]].round(2).tolist() == [1.35, 2.97]
    assert "Nur-Sultan" in found.summary()


def test_wrong_use():
    gva = spatialkz.load_study("kazakhstan-gva").panel
    with pytest.raises(InputError, match="exact intervals are for counts, and the table holds volumes"):
        quotient_change(gva, 2011, 2020, method="exact")
    with pytest.raises(InputError, match="the series breaks"):
        quotient_change(gva, 2020, 2024)
    with pytest.raises(InputError, match="confidence is 2"):
        quotient_change(gva, 2011, 2020, confidence=2)
    few = panel(*(counts(np.random.default_rng(0), 9) for _ in range(2)))
    with pytest.raises(InputError, match="resamples"):
        quotient_change(few, method="bootstrap", resamples=5)
    assert len(quotient_change(gva, 2020, 2024, across_breaks=True).to_frame()) == 17 * 3


def test_turnover_says_how_often_and_how_sure():
    base = {"a": [1.5, 0.5, 0.99, 1.0], "b": [1.0, 1.0, 1.0, 1.0]}
    tables = [pd.DataFrame(base, index=list("nesw")) for _ in range(3)]
    tables[1].loc["n", "a"] = 0.9
    tables[2].loc["e", "a"], tables[2].loc["s", "a"], tables[2].loc["w", "a"] = 2.0, 1.0, 0.5
    found = specialization_turnover(panel(*tables, kind="quotients", rounding=0.05)).xs("a", level="sector")
    assert found["state"].tolist() == ["stayed", "entered", "entered", "left"]
    assert found["sure"].tolist() == [True, True, False, False]  # .99 and 1.0 may be either
    assert found["periods"].tolist() == [2, 1, 1, 2]
    assert found["crossings"].tolist() == [2, 1, 1, 1]
