from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

import spatialkz
from spatialkz.datasets import read_table
from spatialkz.errors import InputError
from spatialkz.specialization import (
    audit_quotients,
    certainty,
    focus_interval,
    location_quotient,
    sector_share_interval,
)
from spatialkz.specialization.published.adding_up import ShareSet
from spatialkz.tables import ActivityTable


@pytest.fixture(scope="module")
def audit(study):
    return audit_quotients(study.table.values, study.table.groups)


def table_with_known_base(seed, regions=12, sectors=6):
    rng = np.random.default_rng(seed)
    base = pd.Series(rng.dirichlet(np.ones(regions)), index=[f"r{i}" for i in range(regions)])
    shape = (regions, sectors)
    cells = rng.gamma(0.7, size=shape) * base.to_numpy()[:, None] * rng.random(sectors) * 0.1
    values = pd.DataFrame(cells, index=base.index, columns=[f"s{j}" for j in range(sectors)])
    return values, base, location_quotient(values, base, contained=False)


def test_figures_of_table_1(audit):
    assert audit.feasible("industry")
    assert audit.feasible("services")
    assert not audit.feasible()
    assert audit.slack["joint"] == pytest.approx(0.405, abs=0.001)
    services = audit.base_shares["services"]
    np.testing.assert_allclose(services.loc["Nur-Sultan"], [0.144, 0.395], atol=0.001)
    np.testing.assert_allclose(services.loc["Almaty City"], [0.066, 0.411], atol=0.001)
    np.testing.assert_allclose(services.loc["Atyrau", "low"], 0.028, atol=0.001)
    both = audit.sector_share("research", ["Nur-Sultan", "Almaty City"])
    np.testing.assert_allclose(both, [0.52, 0.79], atol=0.005)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_a_true_table_is_feasible_and_its_shares_lie_within_the_bounds(seed):
    """Round the quotients of a known economy: the audit must allow what is true."""
    values, base, quotients = table_with_known_base(seed)
    audit = audit_quotients(quotients.round(2))
    assert audit.feasible()
    bounds = audit.base_shares["all"]
    assert (bounds["low"] <= base + 1e-7).all()
    assert (base <= bounds["high"] + 1e-7).all()
    share = values["s0"] / values["s0"].sum()
    for regions in (["r0"], ["r1", "r2", "r3"], list(base.index)):
        low, high = audit.sector_share("s0", regions)
        assert low - 1e-7 <= share[regions].sum() <= high + 1e-7
    low, high = audit.share_bounds()
    assert ((low <= values / values.sum() + 1e-7) & (values / values.sum() <= high + 1e-7)).to_numpy().all()


def test_bounds_are_reached_by_shares_that_satisfy_the_identity(audit):
    """Tight from the inside: extreme points found independently stay within the bounds and come near them."""
    shares = audit.share_sets["services"]
    rng = np.random.default_rng(1)
    matrix = np.vstack([shares.low.to_numpy().T, -shares.high.to_numpy().T])
    limits = np.concatenate([np.ones(5), -np.ones(5)])
    corners = np.array(
        [linprog(rng.normal(size=17), matrix, limits, np.ones((1, 17)), [1]).x for _ in range(400)]
    )
    bounds = audit.base_shares["services"]
    assert (corners.min(axis=0) >= bounds["low"] - 1e-7).all()
    assert (corners.max(axis=0) <= bounds["high"] + 1e-7).all()
    largest = bounds["high"].idxmax()
    assert corners[:, bounds.index.get_loc(largest)].max() > 0.9 * bounds.loc[largest, "high"]


def test_slack_by_hand():
    """Two regions, both below the national average: the identity misses by what the larger one lacks."""
    low = audit_quotients(pd.DataFrame({"x": [0.5, 0.8]}, index=["a", "b"]), rounding=0.0)
    assert low.slack["all"] == pytest.approx(0.2)
    assert "no base shares satisfy" in low.findings[0]
    with pytest.raises(InputError, match="The group all of x is infeasible"):
        low.sector_share("x", ["a"])
    assert low.to_dict()["groups"]["all"] == {
        "feasible": False,
        "slack": pytest.approx(0.2),
        "base_shares": {},
    }


def test_two_regions_have_their_base_shares_exactly():
    """s·2 + (1 − s)·0.5 = 1 gives s = 1/3."""
    audit = audit_quotients(pd.DataFrame({"x": [2.0, 0.5]}, index=["a", "b"]), rounding=0.0)
    np.testing.assert_allclose(audit.base_shares["all"].loc["a"], [1 / 3, 1 / 3], atol=1e-9)
    np.testing.assert_allclose(audit.sector_share("x", ["a"]), [2 / 3, 2 / 3], atol=1e-9)


def test_conflicts_are_infeasible_and_minimal(study):
    values = study.table.values
    whole = ShareSet((values - 0.005).clip(lower=0), values + 0.005)
    found = whole.conflicts(most=4)
    assert len(found) == 18
    groups = study.table.groups
    for sectors in found:
        assert not whole.feasible(sectors)
        assert all(whole.feasible(rest) for rest in combinations(sectors, len(sectors) - 1))
        assert groups[list(sectors)].nunique() == 2  # each mixes industry and services
    one = whole.one_conflict()
    assert not whole.feasible(one)
    assert all(whole.feasible(rest) for rest in combinations(one, len(one) - 1))


def test_plausible_shares_are_allowed_and_nearest(audit, study):
    entropy = audit.plausible_shares()
    np.testing.assert_allclose(entropy.sum(), 1, atol=1e-9)
    gva = read_table("gva_by_region").query("year == 2020").set_index("region")["GRP"]
    prior = gva.loc[study.regions["code"]].set_axis(study.regions.index)
    near = audit.plausible_shares(prior)
    for group, shares in audit.share_sets.items():
        for candidate in (entropy[group], near[group]):
            assert (candidate @ shares.low).max() <= 1 + 1e-6
            assert (candidate @ shares.high).min() >= 1 - 1e-6
        assert _entropy(entropy[group]) > _entropy(near[group])
        assert _divergence(near[group], prior / prior.sum()) < _divergence(
            entropy[group], prior / prior.sum()
        )
    np.testing.assert_allclose(audit.implied_shares(near).sum(), 1)


def test_a_prior_that_is_allowed_is_its_own_nearest():
    _, base, quotients = table_with_known_base(3)
    audit = audit_quotients(quotients.round(2))
    np.testing.assert_allclose(audit.plausible_shares(base)["all"], base, atol=1e-9)


def _entropy(shares):
    return -(shares * np.log(shares)).sum()


def _divergence(shares, prior):
    return (shares * np.log(shares / prior)).sum()


def test_a_large_table_gets_outer_bounds_that_hold():
    values, base, quotients = table_with_known_base(5, regions=400, sectors=20)
    audit = audit_quotients(quotients.round(2))
    assert not audit.tight
    assert audit.to_dict()["bounds"] == "outer"
    assert (base <= audit.base_shares["all"]["high"] + 1e-9).all()
    low, high = audit.share_bounds()
    share = values / values.sum()
    assert ((low <= share + 1e-9) & (share <= high + 1e-9)).to_numpy().all()


def test_order_of_rows_and_columns_does_not_matter(audit, study, shuffled):
    other = audit_quotients(shuffled(study.table.values).iloc[:, ::-1], study.table.groups[::-1])
    assert other.slack["joint"] == pytest.approx(audit.slack["joint"], abs=1e-8)
    bounds = other.base_shares["services"].loc[study.table.regions]
    np.testing.assert_allclose(bounds, audit.base_shares["services"], atol=1e-7)


def test_bad_input_is_refused(audit, study):
    values = study.table.values
    with pytest.raises(InputError, match="Akmola × chemical is nan"):
        audit_quotients(values.replace(0.69, np.nan))
    with pytest.raises(InputError, match="at least 0"):
        audit_quotients(-values)
    with pytest.raises(InputError, match="no entry for research"):
        audit_quotients(values, study.table.groups.drop("research"))
    with pytest.raises(InputError, match="non-negative"):
        audit_quotients(values, rounding=-1)
    with pytest.raises(InputError, match="no sector 'gold'; it has chemical"):
        audit.sector_share("gold", ["Akmola"])
    with pytest.raises(InputError, match="no region Gotham"):
        audit.sector_share("research", ["Gotham"])
    with pytest.raises(InputError, match="positive in every region; they are not in Akmola"):
        audit.plausible_shares(pd.Series(1.0, index=values.index).drop("Akmola"))


def test_shares_of_volumes_are_exact_and_of_quotients_bounded(study, audit):
    volumes = spatialkz.load_study("kazakhstan-gva-2020").table
    low, high = sector_share_interval(volumes)
    pd.testing.assert_frame_equal(low, high)
    np.testing.assert_allclose(low.sum(), 1)
    low, high = sector_share_interval(study.table, audit)
    assert (low <= high + 1e-9).to_numpy().all()
    assert high.loc["Nur-Sultan", "programming"] < 1
    unknown = sector_share_interval(study.table)
    assert unknown[0].to_numpy().max() == 0
    assert unknown[1].to_numpy().min() == 1


def test_focus_from_quotients_contains_the_truth_and_is_exact_for_volumes():
    values, base, quotients = table_with_known_base(11)
    truth = values.div(base, axis=0)
    table = ActivityTable(quotients.round(2), kind="quotients", rounding=0.005)
    low, high = focus_interval(table)
    scale = truth.max().max()  # the identity holds for any scale at which no region exceeds its base
    assert ((low <= truth / scale + 1e-9) & (truth / scale <= high + 1e-9)).to_numpy().all()
    national = values.sum() / base.sum()
    low, high = focus_interval(table, national)
    assert ((low <= truth + 1e-9) & (truth <= high + 1e-9)).to_numpy().all()
    exact, same = focus_interval(ActivityTable(values, kind="volumes", base=base))
    pd.testing.assert_frame_equal(exact, same)
    np.testing.assert_allclose(exact, truth)
    with pytest.raises(InputError, match="share from 0 to 1 for every sector; s0 has none"):
        focus_interval(table, national.drop("s0"))
    with pytest.raises(InputError, match="larger than all of a region's base in s0"):
        focus_interval(table, national * 0 + 0.99)


def test_every_candidate_of_the_paper_is_sure(study):
    found = certainty(study.table)
    assert (found == "sure").sum().sum() == 41
    assert (found == "no").sum().sum() == 187 - 41
    assert certainty(ActivityTable(pd.DataFrame({"x": [1.0, 3.0], "y": [3.0, 1.0]}), kind="counts")).size == 4
