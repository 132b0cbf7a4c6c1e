"""Tables with suppressed cells made ready to compute with."""

import pickle

import pandas as pd
import pytest

from spatialkz.errors import InputError, RegionError
from spatialkz.tables import ActivityTable, complete_table

NAN = float("nan")
REGIONS, SECTORS = ["North", "South", "West"], ["steel", "law", "care"]


def table(*rows):
    return pd.DataFrame(rows, index=REGIONS[: len(rows)], columns=SECTORS[: len(rows[0])], dtype=float)


def by(labels, *totals):
    return pd.Series(totals, index=labels, dtype=float)


SQUARE = table([NAN, NAN, 1], [NAN, NAN, 2], [5, 5, 3])
ROWS, COLUMNS = by(REGIONS, 11, 6, 13), by(SECTORS, 13, 11, 6)


def test_the_point_in_each_interval_satisfies_the_totals():
    filled = complete_table(SQUARE, kind="volumes", region_totals=ROWS, sector_totals=COLUMNS).values
    assert filled.sum(axis=1).tolist() == pytest.approx(ROWS.tolist())
    assert filled.sum().tolist() == pytest.approx(COLUMNS.tolist())
    assert filled.loc["North", "steel"] == pytest.approx(6)  # the middle of 4 to 8, and so all others


def test_a_table_without_hidden_cells_is_taken_as_it_is():
    plain = complete_table(SQUARE.fillna(1.0), kind="counts")
    assert plain.low is None
    assert not plain.hidden.any(axis=None)
    with pytest.raises(InputError, match="none of them hidden, add up to 3"):
        complete_table(SQUARE.fillna(1.0), kind="counts", region_totals=ROWS)


def test_counts_have_whole_bounds_where_all_that_is_printed_is_whole():
    most = SQUARE * 0 + 2.5
    assert complete_table(SQUARE, kind="counts", largest=most.fillna(2.5)).high.loc["North", "steel"] == 2
    assert complete_table(SQUARE, kind="volumes", largest=2.5).high.loc["North", "steel"] == 2.5
    halves = SQUARE.replace(5, 5.5)
    assert complete_table(halves, kind="counts", largest=2.5).high.loc["North", "steel"] == 2.5


def test_a_base_that_contains_the_sectors_bounds_each_cell():
    base = by(REGIONS, 20, 3, 30)
    done = complete_table(SQUARE, kind="volumes", base=base, largest=9)
    assert done.high.loc[["North", "South"], "steel"].tolist() == [9, 3]
    alone = complete_table(SQUARE, kind="volumes", base=base)
    assert alone.high.loc[["North", "South"], "steel"].tolist() == [20, 3]
    with pytest.raises(InputError, match="No printed total limits"):
        complete_table(SQUARE, kind="volumes", base=base, contained=False)


def test_hidden_quotients_need_a_largest_value():
    with pytest.raises(InputError, match=r"gives no limits for them; state the largest value"):
        complete_table(SQUARE, kind="quotients")
    with pytest.raises(InputError, match=r"do not add up to totals; leave out region_totals"):
        complete_table(SQUARE, kind="quotients", region_totals=ROWS)
    done = complete_table(SQUARE, kind="quotients", largest=3, rounding=0.005)
    low, high = done.interval()
    assert (low.loc["North", "steel"], high.loc["North", "steel"], done.values.loc["North", "steel"]) == (
        0,
        3,
        1.5,
    )
    assert (low.loc["West", "care"], high.loc["West", "care"]) == (2.995, 3.005)


def test_a_cell_that_totals_tell_is_not_hidden():
    done = complete_table(table([1, 2, 3], [4, NAN, 6], [7, 8, 9]), kind="counts", grand_total=45)
    assert not done.hidden.any(axis=None)
    assert done.values.loc["South", "law"] == 5


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"low": SQUARE.fillna(0)}, "both their low and their high ends"),
        ({"low": SQUARE.fillna(2), "high": SQUARE.fillna(3)}, r"North × steel is 1 with low end 2"),
        ({"national_base": 9}, r"needs national totals"),
        ({"national": by(SECTORS, 4, 99, 99)}, r"steel \(4 against 7\)"),
        ({"national": by(SECTORS, 99, 99, 99), "base": by(REGIONS, 20, 20, 20)}, r"the base of the country"),
        ({"national": by(SECTORS, 99, 99, 99), "national_base": 9}, r"goes with a base of the regions"),
    ],
)  # fmt: skip
def test_intervals_and_national_totals_are_checked(options, sentence):
    with pytest.raises(InputError, match=sentence):
        ActivityTable(SQUARE.fillna(1.0), kind="counts", **options)


def test_national_totals_may_miss_the_sum_of_the_regions_by_rounding_alone():
    rounded = {"kind": "volumes", "rounding": 0.5}
    ActivityTable(SQUARE.fillna(1.0), national=by(SECTORS, 6, 99, 99), **rounded)
    with pytest.raises(InputError, match=r"steel \(4 against 5.5\)"):
        ActivityTable(SQUARE.fillna(1.0), national=by(SECTORS, 4, 99, 99), **rounded)


def test_tables_of_other_number_types_and_their_copies_work():
    """Nullable integers, a column without any number, and a table that has been through pickle."""
    odd = SQUARE.astype("Int64")
    odd["law"] = pd.Series([None, None, 5], index=REGIONS, dtype=object)
    odd["care"] = pd.Series([1, 2, 3], index=REGIONS)
    plain = complete_table(SQUARE, kind="counts", region_totals=ROWS, sector_totals=COLUMNS)
    with pytest.raises(InputError, match="must hold numbers, but these columns do not: law"):
        complete_table(odd, kind="counts", region_totals=ROWS, sector_totals=COLUMNS)
    odd["law"] = odd["law"].astype("Int64")
    found = complete_table(odd, kind="counts", region_totals=ROWS, sector_totals=COLUMNS)
    pd.testing.assert_frame_equal(found.values, plain.values)
    copy = pickle.loads(pickle.dumps(found))
    assert copy.levels.cells.called(0) == found.levels.cells.called(0) == "North × steel"
    with pytest.raises(RegionError, match="these repeat: North"):
        complete_table(SQUARE.set_axis(["North", "North", "West"]), kind="counts", largest=3)
