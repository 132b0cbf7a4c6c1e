"""The trend of focality: statistics by hand, and a test that heeds the dependence between years."""

import numpy as np
import pandas as pd
import pytest
from libpysal.graph import Graph

import spatialkz
from spatialkz.change import analyse_change, focality_trend
from spatialkz.errors import InputError
from spatialkz.tables import ActivityTable, Panel

N = 12
RING = Graph.from_arrays(
    [i for i in range(N) for _ in range(2)], [j % N for i in range(N) for j in (i - 1, i + 1)], [1.0] * 2 * N
)


def panel(stack):
    """Periods × regions × sectors of quotients."""
    return Panel(
        {
            year: ActivityTable(pd.DataFrame(table, columns=list("abcd")), kind="quotients")
            for year, table in enumerate(stack)
        }
    )


def wandering(rng, years=8, sectors=4, keep=0.9):
    """Log quotients of each region and sector that follow themselves from year to year."""
    logs = np.empty((years, N, sectors))
    logs[0] = rng.normal(size=(N, sectors))
    for year in range(1, years):
        logs[year] = keep * logs[year - 1] + np.sqrt(1 - keep**2) * rng.normal(size=(N, sectors))
    return np.exp(logs)


def test_statistics_by_hand():
    stack = wandering(np.random.default_rng(1))
    found = focality_trend(panel(stack), RING, permutations=199, rng=1)
    marks = stack >= 1
    breadth = marks.sum(axis=2)
    wanted = breadth.var(axis=1) / marks.var(axis=1).sum(axis=1)
    observed = found.periods["observed"]
    np.testing.assert_allclose(observed["colocation"], wanted)
    assert observed["spread"].tolist() == (breadth > 0).sum(axis=1).tolist()
    z = breadth[3] - breadth[3].mean()
    assert observed[("place", 3)] == pytest.approx(
        sum(z[i] * (z[i - 1] + z[(i + 1) % N]) / 2 for i in range(N)) / (z @ z)
    )
    assert found.trend.loc["colocation", "slope"] == pytest.approx(np.polyfit(range(8), wanted, 1)[0])


def test_level_of_the_trend_where_years_follow_each_other():
    """Independent sectors that drift slowly: 5 % reject; a regression on the year would reject far more."""
    from scipy import stats

    rng, rejected, turned, naive = np.random.default_rng(2), [], [], []
    for _ in range(100):
        found = focality_trend(panel(wandering(rng, years=12, keep=0.97)), RING, permutations=199, rng=rng)
        rejected.append(found.trend["p_value"] <= 0.05)
        turned.append(found.trend["p_reversal"] <= 0.05)
        values = found.periods["observed"]["colocation"]
        naive.append(stats.linregress(range(12), values).pvalue <= 0.05)
    assert (np.mean(rejected, axis=0) <= 0.1).all()
    assert (np.mean(turned, axis=0) <= 0.1).all()
    assert np.mean(naive) > 0.25  # the years are not twelve draws


def test_a_trend_is_found():
    """Sectors that come to share their regions year by year."""
    rng = np.random.default_rng(3)
    common, found = rng.normal(size=(N, 1)), []
    own = np.log(wandering(rng))
    stack = np.stack([np.exp((1 - t / 7) * own[t] + 1.5 * t / 7 * common) for t in range(8)])
    found = focality_trend(panel(stack), RING, permutations=499, rng=1).trend
    assert found.loc["colocation", "slope"] > 0
    assert found.loc["colocation", "p_value"] < 0.05


def test_all_questions_of_a_study():
    study = spatialkz.load_study("kazakhstan-gva")
    found = analyse_change(study.panel, study.graph, 2014, 2022, permutations=99, rng=1)
    table = found.to_frame()
    assert len(table) == 17 * 4  # three sectors and what the base holds beside them
    assert set(found.shares) == {"classic", "esteban-marquillas", "spatial", "dynamic"}
    assert table["change"].sum() == pytest.approx(
        study.panel.tables[2022].base.to_numpy().sum() - study.panel.tables[2014].base.to_numpy().sum()
    )
    assert "Not in every period" in found.notes[0]
    assert set(found.to_dict()) >= {"change", "convergence", "transitions", "shift_share", "focality"}
    again = analyse_change(study.panel, study.graph, 2014, 2022, permutations=99, rng=1)
    assert again.to_dict() == found.to_dict()
    short = analyse_change(study.panel, study.graph, 2021, 2022, permutations=99, rng=1)
    assert short.focality is None
    assert any("A trend needs at least 4 periods" in note for note in short.notes)


def test_wrong_use():
    stack = wandering(np.random.default_rng(1))
    with pytest.raises(InputError, match="at least 4 periods"):
        focality_trend(panel(stack[:3]), RING)
    with pytest.raises(InputError, match="In 2 every region is specialized in the same sectors"):
        focality_trend(panel(np.where(np.arange(8)[:, None, None] == 2, 2.0, stack)), RING)
