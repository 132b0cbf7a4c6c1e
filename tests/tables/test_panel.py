"""Tables of several periods: same regions, one kind of number, no change across a break."""

import pandas as pd
import pytest

from spatialkz.errors import InputError, RegionError
from spatialkz.tables import ActivityTable, Panel

JOBS = pd.DataFrame({"law": [3, 1, 4], "steel": [2, 4, 1]}, index=["North", "South", "West"])
PANEL = Panel(
    {year: ActivityTable(JOBS * (year - 2000), kind="counts") for year in (2012, 2010, 2011, 2013, 2014)},
    {2013: "new classification"},
)


def test_periods_stand_in_order_and_sectors_are_those_of_all():
    assert PANEL.periods == [2010, 2011, 2012, 2013, 2014]
    more = Panel({2010: PANEL.tables[2010], 2011: ActivityTable(JOBS.assign(code=1), kind="counts")})
    assert more.sectors.tolist() == ["law", "steel"]
    assert "Break at 2013: new classification" in PANEL.summary()


def test_a_break_is_crossed_only_when_asked():
    with pytest.raises(InputError, match=r"Between 2010 and 2014 the series breaks \(at 2013: new class"):
        PANEL.between()
    assert PANEL.between(across_breaks=True).periods == PANEL.periods
    assert PANEL.between("2010", 2012).periods == [2010, 2011, 2012]
    assert PANEL.between(2013).breaks == {}  # it begins with the new series
    assert PANEL.unbroken(2011).periods == [2010, 2011, 2012]
    assert PANEL.unbroken().periods == [2013, 2014]


@pytest.mark.parametrize(
    ("first", "last", "complaint"),
    [
        (2010, 2010, "from 2010 to 2010 is none"),
        (2012, 2010, "two periods in order"),
        (2009, None, "no period 2009; there are 2010, 2011"),
    ],
)
def test_periods_that_make_no_change(first, last, complaint):
    with pytest.raises(InputError, match=complaint):
        PANEL.between(first, last)


def test_one_period_is_no_change():
    with pytest.raises(InputError, match="needs two periods"):
        Panel({2010: PANEL.tables[2010]}).between()


def test_faulty_panels():
    table, other = PANEL.tables[2010], ActivityTable(JOBS.rename(index={"West": "East"}), kind="counts")
    with pytest.raises(
        RegionError, match=r"appear or vanish between 2010 and 2011.*2010 has East.*crosswalk"
    ):
        Panel({2010: other, 2011: table})
    with pytest.raises(InputError, match="2010 holds volumes, but 2011 counts"):
        Panel({2010: ActivityTable(JOBS, kind="volumes"), 2011: table})
    with pytest.raises(InputError, match="whole numbers or all texts"):
        Panel({2010: table, "2011": table})
    with pytest.raises(InputError, match="2009 is none"):
        Panel({2010: table}, {2009: "why"})
    with pytest.raises(InputError, match="at least one period"):
        Panel({})
