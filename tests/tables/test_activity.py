import numpy as np
import pandas as pd
import pytest

from spatialkz.errors import InputError, RegionError
from spatialkz.tables import ActivityTable, check_table


def table(**cells):
    return pd.DataFrame({"steel": [1.0, 2.0], **cells}, index=["North", "South"])


@pytest.mark.parametrize(
    ("values", "error", "sentence"),
    [
        (table(steel=[1, np.nan]), InputError, r"counts must be finite, but South × steel is nan"),
        (table(steel=[1, np.inf]), InputError, r"South × steel is inf"),
        (table(steel=[-1, 2]), InputError, r"counts must be at least 0, but North × steel is -1"),
        (table(steel=["a", "b"]), InputError, r"must hold numbers, but these columns do not: steel"),
        (table(steel=[True, False]), InputError, r"must hold numbers"),
        (table().set_axis(["North", "North"]), RegionError, r"these repeat: North"),
        (table().set_axis(["North", None]), RegionError, r"region label is missing at position 2"),
        (table().iloc[:1], InputError, r"1 regions and 1 columns; at least 2 and 1"),
        (table().drop(columns="steel"), InputError, r"2 regions and 0 columns"),
        ([[1, 2]], InputError, r"must be a pandas DataFrame or Series, not list"),
    ],
)
def test_bad_values_are_refused(values, error, sentence):
    with pytest.raises(error, match=sentence):
        ActivityTable(values, kind="counts")


def test_kind_rounding_groups_and_base_are_checked():
    with pytest.raises(InputError, match="it must be one of volumes, counts, quotients"):
        ActivityTable(table(), kind="shares")
    with pytest.raises(InputError, match="non-negative"):
        ActivityTable(table(), kind="quotients", rounding=-0.1)
    with pytest.raises(InputError, match="groups has no entry for steel"):
        ActivityTable(table(), kind="counts", groups=pd.Series({"iron": "industry"}))
    with pytest.raises(RegionError, match=r"base lacks South; base has East"):
        ActivityTable(table(), kind="counts", base=pd.Series({"North": 1, "East": 2}))


def test_base_is_joined_by_label_not_by_position():
    base = pd.Series({"South": 20.0, "North": 10.0}, name="total")
    assert ActivityTable(table(), kind="counts", base=base).base["total"].tolist() == [10.0, 20.0]


def test_the_interval_of_a_printed_value_stops_at_zero():
    low, high = ActivityTable(table(steel=[0.0, 2.0]), kind="quotients", rounding=0.005).interval()
    assert low["steel"].tolist() == [0.0, 1.995]
    assert high["steel"].tolist() == [0.005, 2.005]


def test_a_check_never_touches_its_input():
    values = table(steel=[1, 2])
    check_table(values)
    assert values["steel"].dtype == np.int64
