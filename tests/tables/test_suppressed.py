"""Bounds of suppressed cells: by hand, by enumeration, by plain linear programs, and on printed figures."""

import itertools
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from spatialkz.errors import InputError
from spatialkz.tables import Totals, bound_suppressed, complete_table, fill_suppressed

NAN = float("nan")
REGIONS, SECTORS = ["North", "South", "West"], ["steel", "law", "care"]


def table(*rows):
    return pd.DataFrame(rows, index=REGIONS[: len(rows)], columns=SECTORS[: len(rows[0])], dtype=float)


def by(labels, *totals):
    return pd.Series(totals, index=labels, dtype=float)


def cells(found):
    return {(row.region, row.sector): (row.low, row.high) for row in found.to_frame().itertuples()}


SQUARE = table([NAN, NAN, 1], [NAN, NAN, 2], [5, 5, 3])
ROWS, COLUMNS = by(REGIONS, 11, 6, 13), by(SECTORS, 13, 11, 6)


@pytest.mark.parametrize("method", ["auto", "exact", "shuttle"])
def test_a_square_of_hidden_cells_has_the_bounds_of_its_margins(method):
    """What is left is 10 and 4 in rows, 8 and 6 in columns: Fréchet's max(0, r + c − n) to min(r, c)."""
    found = bound_suppressed(SQUARE, region_totals=ROWS, sector_totals=COLUMNS, method=method)
    assert cells(found) == {
        ("North", "steel"): (4, 8),
        ("North", "law"): (2, 6),
        ("South", "steel"): (0, 4),
        ("South", "law"): (0, 4),
    }
    assert found.low.loc["West", "care"] == found.high.loc["West", "care"] == 3
    assert found.hidden.to_numpy().sum() == 4


def test_a_cell_alone_in_a_row_or_column_is_told_by_its_total():
    one = table([1, 2, 3], [4, NAN, 6], [7, 8, 9])
    for totals in (
        {"region_totals": by(REGIONS, NAN, 15, NAN)},
        {"sector_totals": by(SECTORS, NAN, 15, NAN)},
        {"grand_total": 45},
    ):
        found = bound_suppressed(one, **totals)
        assert cells(found) == {("South", "law"): (5, 5)}
        assert found.method == "exact"
    assert "leave one value alone in 1" in found.summary()


def test_one_cell_leads_to_the_next():
    chain = table([NAN, NAN, 1], [2, NAN, NAN], [5, 5, NAN])
    found = bound_suppressed(chain, region_totals=by(REGIONS, 6, 9, 13), sector_totals=by(SECTORS, 8, 13, 7))
    assert cells(found) == {
        ("North", "steel"): (1, 1),
        ("North", "law"): (4, 4),
        ("South", "law"): (4, 4),
        ("South", "care"): (3, 3),
        ("West", "care"): (3, 3),
    }


def test_the_largest_and_smallest_value_stated_bound_cells_and_through_totals_the_others():
    found = bound_suppressed(SQUARE, largest=2, smallest=1)
    assert set(cells(found).values()) == {(1, 2)}
    found = bound_suppressed(SQUARE, region_totals=ROWS, largest=by(SECTORS, NAN, 3, NAN))
    assert cells(found)["North", "steel"] == (7, 10)
    most = table([9, NAN, NAN], [NAN, NAN, NAN], [NAN, NAN, NAN])
    found = bound_suppressed(SQUARE, region_totals=ROWS, largest=most)
    assert cells(found)["North", "law"] == (1, 10)


def test_totals_of_groups_bound_what_row_totals_leave_open():
    groups = pd.Series({"steel": "industry", "law": "services", "care": "services"})
    printed = pd.DataFrame({"services": [8.0, 5.0, NAN]}, index=REGIONS)
    found = bound_suppressed(SQUARE, region_totals=ROWS, group_totals=printed, groups=groups)
    assert cells(found)["North", "law"] == (7, 7)
    assert cells(found)["North", "steel"] == (3, 3)
    assert cells(found)["South", "steel"] == (1, 1)
    # Services of 7 in a row of 6.
    with pytest.raises(InputError, match=r"what is hidden in .*South.* would have to be at least"):
        bound_suppressed(SQUARE, region_totals=ROWS, group_totals=printed + 2, groups=groups)


def test_a_missing_total_follows_from_the_others():
    found = bound_suppressed(
        table([NAN, 4, 1], [NAN, 2, 2], [NAN, 5, 3]),
        region_totals=by(REGIONS, 8, 7, NAN),
        grand_total=25,
    )
    assert cells(found)["West", "steel"] == (2, 2)


def test_rounded_totals_and_cells_widen_the_interval():
    one = table([1, 2, 3], [4, NAN, 6], [7, 8, 9])
    assert cells(bound_suppressed(one, region_totals=by(REGIONS, 6, 15, 24), rounding=0.5)) == {
        ("South", "law"): (4.5, 5.5)
    }
    found = bound_suppressed(one, region_totals=by(REGIONS, 6, 15, 24), rounding=0.5, cell_rounding=0.5)
    assert cells(found) == {("South", "law"): (3.5, 6.5)}
    found = bound_suppressed(one, region_totals=by(REGIONS, 6, 15, 24), rounding=0.7, whole=True)
    assert cells(found) == {("South", "law"): (5, 5)}


def test_the_country_bounds_its_part_from_above():
    found = bound_suppressed(SQUARE, national=by(SECTORS, 14, 12, 99))
    assert cells(found)["North", "steel"] == (0, 9)
    assert cells(found)["South", "law"] == (0, 7)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, r"No printed total limits .* North × steel, North × law.*state the largest value"),
        ({"region_totals": by(REGIONS, 11, 1, 13)}, r"region South add up to 2, more than the total of 1"),
        ({"region_totals": by(REGIONS, 11, 6, 14)}, r"region West, none of them hidden, add up to 13, less"),
        ({"sector_totals": by(SECTORS, 4, 11, 6)}, r"sector steel add up to 5, more than the total of 4"),
        ({"region_totals": ROWS, "sector_totals": COLUMNS.replace(11, 12)}, r"totals contradict each other"),
        ({"region_totals": ROWS, "largest": 3}, r"region North .*at least 10 and at most 6"),
        ({"region_totals": ROWS, "smallest": 3}, r"region South .*at least 6 and at most 4"),
        ({"region_totals": ROWS, "grand_total": 31}, r"the whole table .*at least 15 and at most 14"),
        ({"region_totals": by(["North", "South"], 1, 2)}, r"region_totals lacks West"),
        ({"region_totals": by(REGIONS, -1, 2, 3)}, r"region_totals must be .*North is -1"),
        ({"region_totals": by([*REGIONS, "West"], 1, 2, 3, 4)}, r"these repeat: West"),
        ({"largest": 1, "smallest": 2}, r"cannot be less than its smallest, 2, but 1 was stated"),
        ({"largest": 5, "method": "simplex"}, r"one of auto, exact, shuttle"),
        ({"largest": 5, "rounding": -1}, r"rounding is -1"),
        ({"grand_total": -5}, r"grand_total is -5"),
        ({"group_totals": pd.DataFrame({"x": ROWS})}, r"need groups"),
        (
            {"region_totals": ROWS - 0.5, "largest": 9, "whole": True},
            r"region West .*add up to 13, more than",
        ),
        ({"region_totals": ROWS.replace(6, 6.5), "whole": True}, r"region South .*at least 5 and at most 4"),
    ],
)
def test_contradictions_and_bad_options_are_told_in_one_sentence(options, sentence):
    with pytest.raises(InputError, match=sentence) as told:
        bound_suppressed(SQUARE, **options)
    assert str(told.value).count(". ") == 0


def test_a_set_of_cells_without_any_solution_is_named():
    """Three regions must put at least 2.1 each into three sectors that have 2 each; no total alone tells."""
    regions, sectors = list("ABCD"), ["x", "y", "z", "w"]
    unknown = pd.DataFrame(NAN, index=regions, columns=sectors)
    most = pd.DataFrame(1e6, index=regions, columns=sectors)
    most.loc[["A", "B", "C"], "w"] = 0.9
    printed = {"region_totals": by(regions, 3, 3, 3, NAN), "sector_totals": by(sectors, 2, 2, 2, NAN)}
    with pytest.raises(
        InputError, match=r"^No values of the hidden cells A × x, .* satisfy all their totals"
    ):
        bound_suppressed(unknown, **printed, largest=most)
    assert bound_suppressed(unknown, **printed, largest=most, method="shuttle").outer > 0
    most.loc[["A", "B", "C"], "w"] = 1.0
    found = bound_suppressed(unknown, **printed, largest=most)
    assert cells(found)["A", "w"] == pytest.approx((1, 1))
    assert cells(found)["D", "x"] == pytest.approx((0, 0))


def test_bounds_are_those_of_all_whole_tables():
    """Every table of whole numbers with these margins, enumerated."""
    rng = np.random.default_rng(4)
    for _ in range(40):
        true = rng.integers(0, 5, (3, 3)).astype(float)
        hidden = rng.random((3, 3)) < 0.7
        if not hidden.any():
            continue
        rows, columns = by(REGIONS, *true.sum(axis=1)), by(SECTORS, *true.sum(axis=0))
        places = np.argwhere(hidden)
        candidates = []
        for values in itertools.product(range(5), repeat=len(places)) if len(places) < 7 else ():
            trial = true.copy()
            trial[hidden] = values
            if (trial.sum(axis=1) == rows.to_numpy()).all() and (
                trial.sum(axis=0) == columns.to_numpy()
            ).all():
                candidates.append(values)
        if not candidates:
            continue
        found = bound_suppressed(
            table(*np.where(hidden, NAN, true)),
            region_totals=rows,
            sector_totals=columns,
            largest=4,
            whole=True,
        ).to_frame()
        assert found["low"].tolist() == np.min(candidates, axis=0).tolist()
        assert found["high"].tolist() == np.max(candidates, axis=0).tolist()


def made_up(rng, shape):
    """A skewed table of whole numbers, and which cells are hidden."""
    n, k = shape
    counts = rng.poisson(rng.lognormal(2.5, 1.5, shape)).astype(float)
    frame = pd.DataFrame(counts, index=[f"r{i}" for i in range(n)], columns=[f"s{j}" for j in range(k)])
    return frame, rng.random(shape) < rng.choice([0.1, 0.3, 0.6])


def told_of(rng, frame, hidden):
    """A random choice of what is printed beside the cells."""
    groups = pd.Series(np.where(np.arange(frame.shape[1]) % 2, "odd", "even"), index=frame.columns)
    told = {"region_totals": frame.sum(axis=1), "sector_totals": frame.sum()}
    told["region_totals"] = told["region_totals"].mask(rng.random(len(frame)) < 0.3)
    if rng.random() < 0.5:
        told["sector_totals"] = told["sector_totals"].mask(rng.random(frame.shape[1]) < 0.3)
    if rng.random() < 0.5:
        told["grand_total"] = frame.to_numpy().sum()
    if rng.random() < 0.5:
        told |= {"groups": groups, "group_totals": frame.T.groupby(groups).sum().T}
    if rng.random() < 0.5:
        told["rounding"] = float(rng.choice([0.5, 3.0]))
    return {**told, "largest": float(frame.to_numpy()[hidden].max(initial=1) * 1.5)}


def plain_programs(frame, hidden, told):
    """Least and largest value of each hidden cell by one linear program each, written out without any wit."""
    places = np.argwhere(hidden)
    r = told.get("rounding", 0.0)
    sets = [(frame.index == region, slice(None), total) for region, total in told["region_totals"].items()]
    sets += [(slice(None), frame.columns == s, total) for s, total in told["sector_totals"].items()]
    if "grand_total" in told:
        sets.append((slice(None), slice(None), told["grand_total"]))
    if "group_totals" in told:
        for region, group in itertools.product(frame.index, told["group_totals"]):
            members = (told["groups"] == group).to_numpy()
            sets.append((frame.index == region, members, told["group_totals"].loc[region, group]))
    matrix, limits = [], []
    for row, column, total in sets:
        inside = np.zeros(frame.shape, dtype=bool)
        inside[np.ix_(np.arange(len(frame))[row], np.arange(frame.shape[1])[column])] = True
        if np.isnan(total):
            continue
        line = inside[hidden].astype(float)
        left = total - frame.to_numpy()[inside & ~hidden].sum()
        matrix += [line, -line]
        limits += [left + r, r - left]
    ends = []
    for cell in range(len(places)):
        cost = np.eye(len(places))[cell]
        box = [(0, told["largest"])] * len(places)
        ends.append([sign * linprog(sign * cost, matrix, limits, bounds=box).fun for sign in (1, -1)])
    return np.array(ends)


def test_exact_bounds_are_those_of_plain_programs_and_the_shuttle_holds_them():
    rng = np.random.default_rng(11)
    narrower = 0
    for shape in [(4, 4), (6, 5), (5, 8)] * 6:
        frame, hidden = made_up(rng, shape)
        if not hidden.any():
            continue
        told = told_of(rng, frame, hidden)
        expected = plain_programs(frame, hidden, told)
        exact = bound_suppressed(frame.mask(hidden), **told, method="exact")
        ends = exact.to_frame()[["low", "high"]].to_numpy()
        np.testing.assert_allclose(ends, expected, atol=1e-5)
        outer = bound_suppressed(frame.mask(hidden), **told, method="shuttle")
        wide = outer.to_frame()[["low", "high"]].to_numpy()
        assert (wide[:, 0] <= ends[:, 0] + 1e-9).all()
        assert (ends[:, 1] <= wide[:, 1] + 1e-9).all()
        narrower += (np.ptp(wide, axis=1) > np.ptp(ends, axis=1) + 1e-6).sum()
        assert exact.method == "exact"
        if outer.outer:
            assert "outer bounds" in outer.summary()
        filled = fill_suppressed(
            frame.mask(hidden), exact, Totals.of(frame, **{k: v for k, v in told.items() if k != "largest"})
        )
        assert_meets(filled, frame, hidden, exact, told)
    assert narrower  # the programs do tell more than the shuttle, somewhere


def assert_meets(filled, frame, hidden, bounds, told):
    r = told.get("rounding", 0.0) + 1e-6 * frame.to_numpy().sum()
    assert ((bounds.low <= filled) & (filled <= bounds.high)).all(axis=None)
    assert (filled.to_numpy()[~hidden] == frame.to_numpy()[~hidden]).all()
    assert ((filled.sum(axis=1) - told["region_totals"]).dropna().abs() <= r).all()
    assert ((filled.sum() - told["sector_totals"]).dropna().abs() <= r).all()


def test_the_benchmark_in_small_holds_every_true_value():
    """Made-up tables and printed ones, 10 % hidden, totals printed; the page has the long run."""
    made = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "suppressed.py"))
    for source in ("multinomial", "printed"):
        row = made["simulation"](source, tables=20, seed=5)
        assert row["outside"] == 0
        assert row["cells"] > 100
        assert 0 < row["width_of_total"] < 0.5


def test_printed_figures_rounded_to_billions_hold_the_true_value_too():
    """Cells and totals are rounded each for itself, so they add up within rounding alone."""
    made = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "suppressed.py"))
    rng = np.random.default_rng(2)
    held = 0
    for true in made["printed_tables"](9):
        hidden = rng.random(true.shape) < 0.25
        found = bound_suppressed(
            (true / 1000).round().mask(hidden),
            region_totals=(true.sum(axis=1) / 1000).round(),
            sector_totals=(true.sum() / 1000).round(),
            rounding=0.5,
            cell_rounding=0.5,
        )
        inside = (found.low <= true / 1000) & (true / 1000 <= found.high)
        assert inside.to_numpy()[hidden].all()
        held += (found.high - found.low).to_numpy()[hidden].min() > 0.9
    assert held  # a cell alone in its row is not told exactly any more


def test_labels_decide_not_positions():
    turned = bound_suppressed(SQUARE, region_totals=ROWS[::-1], sector_totals=COLUMNS[::-1])
    assert cells(turned) == cells(bound_suppressed(SQUARE, region_totals=ROWS, sector_totals=COLUMNS))


def test_rounded_cells_may_miss_a_rounded_total():
    """10.2 + 3.3 + 1.2 = 14.7 beside 14.8; the hidden cell of N is 34.1 - 30.5 - 2.4 = 1.2 up to .15."""
    nan = float("nan")
    values = pd.DataFrame(
        {"a": [10.2, 30.5, 7.0], "b": [3.3, 2.4, 5.0], "c": [1.2, nan, nan]}, index=["E", "N", "S"]
    )
    totals = pd.Series({"E": 14.8, "N": 34.1, "S": 14.0})
    table = complete_table(values, kind="volumes", rounding=0.05, region_totals=totals)
    assert table.low.loc["N", "c"] == pytest.approx(1.05)
    assert table.high.loc["N", "c"] == pytest.approx(1.35)
    assert table.values.loc["N", "c"] == pytest.approx(1.2)
    with pytest.raises(InputError, match="The cells of region E, none of them hidden, add up to"):
        complete_table(values, kind="volumes", region_totals=totals)
