"""Quotients of tables with hidden cells, against tables that fill them in, and of a part of a country."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from spatialkz.errors import InputError
from spatialkz.specialization import (
    audit_table,
    certainty,
    complete_quotients,
    complete_sectors,
    drawn_quotients,
    focus_interval,
    hidden_notes,
    location_quotient,
    quotient_interval,
    quotient_range,
    quotient_test,
    sector_share_interval,
    table_concentration,
    table_quotients,
)
from spatialkz.tables import ActivityTable, complete_table

NAN = float("nan")
GROUPS = pd.Series({"a": "industry", "b": "industry", "c": "services", "d": "services", "e": "services"})


def case(seed, *, shape=(6, 5)):
    rng = np.random.default_rng(seed)
    values = pd.DataFrame(
        rng.integers(1, 60, shape).astype(float), index=list("rstuvwxyz")[: shape[0]], columns=list("abcde")
    )
    hidden = rng.random(shape) < 0.7
    hidden[0, 0] = True
    hidden[:, [1, 4]] = False  # so that no region can be without a base
    return values, hidden


def printed(values, told):
    """What is printed beside the cells, by name."""
    base = values.sum(axis=1) * 2
    known = {
        "rows": {"region_totals": values.sum(axis=1)},
        "columns": {"sector_totals": values.sum()},
        "groups": {"group_totals": values.T.groupby(GROUPS).sum().T},
        "base": {"base": base},
        "country": {"national": values.sum() * 3},
        "country and base": {"national": values.sum() * 3, "base": base, "national_base": base.sum() * 4},
    }
    return {key: value for name in told for key, value in known[name].items()}


TOLD = [
    (),
    ("rows",),
    ("columns",),
    ("rows", "columns"),
    ("groups", "columns"),
    ("base",),
    ("base", "columns"),
    ("country",),
    ("rows", "country"),
    ("country and base",),
]


def completions(values, hidden, options, rng, count=60):
    """Corners of what printed totals allow, by linear programs of random costs, and points between."""
    places = np.argwhere(hidden)
    matrix, right = [], []
    for name, axis in (("region_totals", 0), ("sector_totals", 1)):
        if name in options:
            for label, total in enumerate(options[name]):
                line = (places[:, axis] == label).astype(float)
                matrix.append(line)
                right.append(total - np.where(hidden, 0, values).sum(axis=1 - axis)[label])
    if "group_totals" in options:
        for group in ("industry", "services"):
            members = GROUPS.eq(group).to_numpy()
            for i, total in enumerate(options["group_totals"][group]):
                matrix.append(((places[:, 0] == i) & members[places[:, 1]]).astype(float))
                right.append(total - np.where(hidden, 0, values)[i, members].sum())
    corners = []
    for _ in range(count):
        cost = rng.normal(size=len(places)) * (rng.random(len(places)) < rng.choice([0.1, 0.5, 1.0]))
        found = linprog(
            cost, A_eq=matrix or None, b_eq=right or None, bounds=[(0, 70)] * len(places), method="highs-ds"
        )
        corners.append(found.x)
    corners = np.array(corners)
    mixed = rng.dirichlet(np.full(4, 0.5), count)[:, :, None] * corners[rng.integers(0, count, (count, 4))]
    for filled in [*corners, *mixed.sum(axis=1)]:
        table = values.copy()
        cells = table.to_numpy(copy=True)
        cells[hidden] = filled
        yield pd.DataFrame(cells, index=values.index, columns=values.columns)


@pytest.mark.parametrize("told", TOLD, ids=" and ".join)
def test_quotients_of_all_completions_lie_within_the_range_and_reach_it(told):
    values, hidden = case(3)
    options = printed(values, told)
    table = complete_table(values.mask(hidden), kind="volumes", groups=GROUPS, largest=70, **options)
    low, high = (end.to_numpy() for end in quotient_range(table))
    share_low, share_high = (end.to_numpy() for end in sector_share_interval(table))
    focus_low, focus_high = (end.to_numpy() for end in focus_interval(table))
    seen, country = [], {k: options[k] for k in ("national", "national_base") if k in options}
    for filled in completions(values, hidden, options, np.random.default_rng(1)):
        lq = location_quotient(filled, options.get("base"), groups=GROUPS, **country).to_numpy()
        seen.append(lq)
        assert (low - 1e-7 <= lq).all()
        assert (lq <= high + 1e-7).all()
        share = (filled / options.get("national", filled.sum())).to_numpy()
        assert (share_low - 1e-9 <= share).all()
        assert (share <= share_high + 1e-9).all()
        by_group = filled.T.groupby(GROUPS).sum().T[GROUPS].to_numpy()
        focus = filled.to_numpy() / (options["base"].to_numpy()[:, None] if "base" in options else by_group)
        assert (focus_low - 1e-9 <= focus).all()
        assert (focus <= focus_high + 1e-9).all()
    width = (high - low)[hidden]
    reached = ((np.max(seen, axis=0) - np.min(seen, axis=0))[hidden] / np.maximum(width, 1e-9))[width > 1e-6]
    assert len(reached) > 3
    # Where nothing but the cell varies the range is reached.
    assert np.median(reached) > (0.99 if {"columns", "base"} <= set(told) else 0.3)


def test_the_range_by_hand():
    """One hidden cell x in a 2 × 2 table: LQ = x (x + 60) / ((x + 20)(x + 10)), largest inside."""
    jobs = pd.DataFrame({"steel": [NAN, 10.0], "law": [20.0, 30.0]}, index=["North", "South"])
    low, high = quotient_range(complete_table(jobs, kind="volumes", largest=100))
    x = np.linspace(0, 100, 400_001)
    quotient = x * (x + 60) / ((x + 20) * (x + 10))
    assert low.loc["North", "steel"] == 0
    assert high.loc["North", "steel"] == pytest.approx(quotient.max(), abs=1e-9)
    assert quotient.argmax() not in (0, len(x) - 1)

    assert high.loc["South", "law"] == pytest.approx((30 / 40 / (50 / (x + 60))).max())
    assert low.loc["South", "law"] == pytest.approx((30 / 40 / (50 / (x + 60))).min())


def test_a_printed_row_total_holds_the_denominator():
    jobs = pd.DataFrame({"steel": [NAN, 10.0], "law": [NAN, 30.0]}, index=["North", "South"])
    table = complete_table(jobs, kind="volumes", region_totals=pd.Series({"North": 20, "South": 40}))
    low, high = quotient_range(table)
    # x of 20 in steel: 1 / ((x + 10) / 60) at most 1 / .5 = 2; in South 10/40 / ((x + 10)/60) from .5 to 1.5.
    assert (low.loc["North", "steel"], high.loc["North", "steel"]) == pytest.approx((0, 2))
    assert (low.loc["South", "steel"], high.loc["South", "steel"]) == pytest.approx((0.5, 1.5))


def test_rounded_volumes_have_intervals_too():
    volumes = ActivityTable(pd.DataFrame({"a": [10.0, 20], "b": [30.0, 5]}), kind="volumes", rounding=0.5)
    low, high = quotient_range(volumes)
    point = table_quotients(volumes)
    assert (low < point).all(axis=None)
    assert (point < high).all(axis=None)
    for signs in np.ndindex(2, 2, 2, 2):
        corner = volumes.values + (np.reshape(signs, (2, 2)) - 0.5)
        lq = location_quotient(corner)
        assert ((low <= lq + 1e-12) & (lq <= high + 1e-12)).all(axis=None)


@pytest.mark.parametrize("told", TOLD, ids=" and ".join)
@pytest.mark.parametrize("kind", ["volumes", "counts"])
def test_draws_lie_within_the_interval_and_meet_printed_totals(told, kind):
    values, hidden = case(5)
    table = complete_table(values.mask(hidden), kind=kind, groups=GROUPS, largest=70, **printed(values, told))
    drawn = drawn_quotients(table, 500, np.random.default_rng(2))
    low, high = (end.to_numpy() for end in quotient_range(table))
    if kind == "volumes":
        assert (low - 1e-6 <= drawn).all()
        assert (drawn <= high + 1e-6).all()
    assert drawn[:, hidden].std(axis=0).max() > 0
    assert np.isfinite(drawn).all()
    if "groups" in told and kind == "volumes":
        # Group totals are the bases, so with base shares that are known Σ share × LQ = 1 in every draw.
        by_group = values.T.groupby(GROUPS).sum()
        base = (by_group.T / by_group.sum(axis=1))[GROUPS].to_numpy()
        np.testing.assert_allclose((base * drawn).sum(axis=1), 1, atol=5e-3)


def test_counts_with_hidden_cells_have_the_union_of_binomial_intervals():
    values, hidden = case(3)
    base = values.sum(axis=1) * 2
    told = {"base": base, "sector_totals": values.sum(), "region_totals": values.sum(axis=1)}
    table = complete_table(values.mask(hidden), kind="counts", groups=GROUPS, **told)
    low, high = quotient_interval(table)
    for filled in (table.low, table.high):
        # The ends one by one: with sector totals and base known only the cell itself matters.
        for i, j in np.argwhere(hidden):
            region, sector = values.index[i], values.columns[j]
            whole = values[[sector]].copy()
            rest = values.index[1 if i == 0 else 0]
            moved = filled.loc[region, sector] - whole.loc[region, sector]
            whole.loc[region, sector] += moved
            whole.loc[rest, sector] -= moved
            if whole.loc[rest, sector] < 0:
                continue
            cell = quotient_test(whole, base).to_frame().loc[(region, sector)]
            assert low.loc[region, sector] <= cell["low"] + 1e-9
            assert high.loc[region, sector] >= cell["high"] - 1e-9
    known = quotient_test(values, base).to_frame()
    for region in values.index:
        assert low.loc[region, "e"] == pytest.approx(known.loc[(region, "e"), "low"])
        assert high.loc[region, "e"] == pytest.approx(known.loc[(region, "e"), "high"])


def test_certainty_says_what_hidden_values_leave_open():
    jobs = pd.DataFrame({"a": [NAN, NAN, 10.0], "b": [30.0, 30.0, 30.0]}, index=["r", "s", "t"])
    table = complete_table(jobs, kind="counts", base=pd.Series({"r": 100, "s": 100, "t": 100}), largest=20)
    found = certainty(table)
    assert found["a"].tolist() == ["likely", "likely", "likely"]
    assert found["b"].tolist() == ["sure"] * 3


def test_a_part_of_a_country_has_the_quotients_it_has_in_the_country():
    values, _ = case(8)
    part = values.index[:3]
    for base in (None, values.sum(axis=1) * 2):
        country = {"national": values.sum()}
        if base is not None:
            country |= {"base": base[part], "national_base": base.sum()}
        table = ActivityTable(values.loc[part], kind="counts", groups=GROUPS, **country)
        whole = ActivityTable(values, kind="counts", groups=GROUPS, base=base)
        pd.testing.assert_frame_equal(table_quotients(table), table_quotients(whole).loc[part])
        for method in ("binomial", "hypergeometric"):
            columns = ["lq", "low", "high", "p_value"]
            found = quotient_test(table, method=method).to_frame()[columns]
            expected = quotient_test(whole, method=method).to_frame().loc[found.index, columns]
            pd.testing.assert_frame_equal(found, expected)
        drawn = drawn_quotients(table, 4000, np.random.default_rng(1))
        np.testing.assert_allclose(drawn.mean(axis=0), table_quotients(table), rtol=0.1)


def test_a_sector_that_only_the_rest_of_the_country_has_is_zero_not_refused():
    values = pd.DataFrame({"a": [0.0, 0.0], "b": [1.0, 2.0]}, index=["r", "s"])
    table = ActivityTable(values, kind="volumes", national=pd.Series({"a": 5.0, "b": 9.0}))
    assert table_quotients(table)["a"].tolist() == [0, 0]
    with pytest.raises(InputError, match="there is none in a"):
        table_quotients(ActivityTable(values, kind="volumes"))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"national": pd.Series({"a": 100.0, "b": 100.0})}, r"national totals need the base of the country"),
        ({"national": pd.Series({"a": 100.0})}, r"national lacks b"),
        (
            {"national": pd.Series({"a": 100.0, "b": 100.0}), "national_base": 50.0},
            r"at least that of its regions, but it is 50 against 80",
        ),
        (
            {"national": pd.Series({"a": 1000.0, "b": 100.0}), "national_base": 90.0},
            r"contains the sectors, but a, b has more|contains the sectors, but a",
        ),
    ],
)
def test_national_totals_that_do_not_fit_are_refused(options, sentence):
    values = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}, index=["r", "s"])
    with pytest.raises(InputError, match=sentence):
        location_quotient(values, pd.Series({"r": 40.0, "s": 40.0}), **options)


def test_tests_that_need_every_whole_count_name_the_cells():
    values, hidden = case(3)
    table = complete_table(values.mask(hidden), kind="counts", largest=70)
    with pytest.raises(InputError, match=r"needs every count, but these cells are hidden: r × a"):
        quotient_test(table)
    halves = ActivityTable(values + 0.5, kind="counts")
    with pytest.raises(InputError, match=r"whole numbers, but r × a is .*full-time equivalents is not known"):
        quotient_test(halves)


def test_fractional_counts_run_without_sampling_error():
    values, _ = case(3)
    table = ActivityTable(values + 0.5, kind="counts")
    low, high = quotient_interval(table)
    pd.testing.assert_frame_equal(low, table_quotients(table))
    pd.testing.assert_frame_equal(high, table_quotients(table))
    drawn = drawn_quotients(table, 3, np.random.default_rng(1))
    np.testing.assert_array_equal(drawn[2], table_quotients(table))
    assert "full-time equivalents" in hidden_notes(table)[0]
    assert hidden_notes(ActivityTable(values, kind="counts")) == ()


def test_whole_columns_are_taken_without_the_sectors_that_have_hidden_cells():
    values, hidden = case(3)
    table = complete_table(
        values.mask(hidden), kind="counts", region_totals=values.sum(axis=1), sector_totals=values.sum()
    )
    kept = complete_sectors(table)
    assert "e" in kept
    assert "a" not in kept
    assert complete_quotients(table).columns.tolist() == kept.tolist()
    assert table_concentration(table).index.tolist() == kept.tolist()
    assert "a (" in hidden_notes(table)[0]
    alone = complete_table(
        values[["a"]].mask(hidden[:, :1]), kind="counts", base=values.sum(axis=1), largest=70
    )
    with pytest.raises(InputError, match=r"every sector has some: a \(r.*spatialkz rank"):
        complete_quotients(alone)


def test_hidden_row_bases_are_said_to_leave_other_quotients_open():
    values, hidden = case(3)
    open_rows = complete_table(values.mask(hidden), kind="volumes", largest=70)
    assert any("part of the bases of the other sectors" in note for note in hidden_notes(open_rows))
    told = {"region_totals": values.sum(axis=1), "sector_totals": values.sum()}
    closed = complete_table(values.mask(hidden), kind="volumes", **told)
    assert len(hidden_notes(closed)) == 1


def test_the_audit_takes_hidden_quotients_as_intervals(study):
    """A feasible table stays feasible when cells are hidden, and bounds can only widen."""
    hidden = study.table.values.copy()
    hidden.iloc[2, 0] = hidden.iloc[5, 3] = NAN
    table = complete_table(hidden, kind="quotients", groups=study.table.groups, rounding=0.005, largest=12)
    found, full = audit_table(table), audit_table(study.table)
    for group in full.base_shares:
        assert found.feasible(group)
        assert (found.base_shares[group]["low"] <= full.base_shares[group]["low"] + 1e-7).all()
        assert (found.base_shares[group]["high"] >= full.base_shares[group]["high"] - 1e-7).all()
