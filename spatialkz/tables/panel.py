"""Tables of the same regions over several periods, with the breaks of the series between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import pandas as pd

from spatialkz.errors import InputError, RegionError, listing
from spatialkz.results import Shown
from spatialkz.tables.activity import ActivityTable
from spatialkz.tables.labels import check_same_regions

Period: TypeAlias = int | str


@dataclass(frozen=True, repr=False)
class Panel(Shown):
    """Tables of one kind of number for the same regions, by period.

    Attributes
    ----------
    tables : mapping
        Period → table; periods are whole numbers or texts that sort in time (``2024Q1``). Sectors may be
        missing from some of them.
    breaks : mapping
        First period of a new series → what changed before it. No change is computed across a break unless
        that is asked for by name.

    Raises
    ------
    InputError
        If there is no table, periods or kinds of number are mixed, or a break is at no period.
    RegionError
        If regions appear or vanish between periods.

    Examples
    --------
    >>> jobs = pd.DataFrame({"law": [3, 1], "steel": [2, 4]}, index=["North", "South"])
    >>> panel = Panel({year: ActivityTable(jobs * year, kind="counts") for year in (2020, 2021)})
    >>> panel.periods, panel.sectors.tolist()
    ([2020, 2021], ['law', 'steel'])
    """

    tables: Mapping[Period, ActivityTable]
    breaks: Mapping[Period, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.tables:
            raise InputError("A panel needs a table for at least one period.")
        if len({isinstance(period, str) for period in self.tables}) > 1:
            raise InputError(
                f"Periods must be all whole numbers or all texts, but are {listing(self.tables)}."
            )
        tables = dict(sorted(self.tables.items()))
        last, newest = list(tables.items())[-1]
        for period, table in tables.items():
            try:
                check_same_regions(table.regions, newest.regions, str(period), str(last))
            except RegionError as error:
                raise RegionError(
                    f"Regions appear or vanish between {period} and {last}, and a change needs the same "
                    f"ones ({str(error).rstrip('.')}); lead all periods to one division with a crosswalk, "
                    "or leave periods out."
                ) from None
            if table.kind != newest.kind:
                raise InputError(f"{period} holds {table.kind}, but {last} {newest.kind}; expected one kind.")
            if table.unit and newest.unit and table.unit != newest.unit:
                raise InputError(
                    f"{period} is in {table.unit}, but {last} in {newest.unit}; expected one unit throughout."
                )
        object.__setattr__(self, "tables", tables)
        strange = [period for period in self.breaks if period not in tables]
        if strange:
            raise InputError(
                f"A break is named by the first period of the new series, but {listing(strange)} is none; "
                f"there are {listing(tables, 30)}."
            )

    @property
    def periods(self) -> list[Period]:
        """Periods in order."""
        return list(self.tables)

    @property
    def regions(self) -> pd.Index:
        """Region labels, in the order of the last period."""
        return list(self.tables.values())[-1].regions

    @property
    def sectors(self) -> pd.Index:
        """Sectors that every period has, in the order of the last one."""
        *others, last = self.tables.values()
        return last.sectors[[all(sector in table.sectors for table in others) for sector in last.sectors]]

    def between(
        self, first: Period | None = None, last: Period | None = None, *, across_breaks: bool = False
    ) -> Panel:
        """The panel from one period to another.

        Parameters
        ----------
        first, last : int or str, optional
            Left out, the first and the last there are.
        across_breaks : bool
            Whether a break of the series may lie between them.

        Raises
        ------
        InputError
            If a period is unknown, the two are one or in the wrong order, or a break lies between them.
        """
        first, last = (
            end if given is None else self.known(given)
            for given, end in ((first, self.periods[0]), (last, self.periods[-1]))
        )
        start, stop = self.periods.index(first), self.periods.index(last)
        if stop <= start:
            raise InputError(
                f"A change needs two periods in order, and from {first} to {last} is none; there are "
                f"{listing(self.periods, 30)}."
            )
        kept = self.periods[start : stop + 1]
        breaks = {period: self.breaks[period] for period in kept[1:] if period in self.breaks}
        if breaks and not across_breaks:
            told = "; ".join(f"at {period}: {why}" for period, why in breaks.items())
            raise InputError(
                f"Between {first} and {last} the series breaks ({told}), so a change would mix the two; end "
                f"before it, begin after it, or say that it may be crossed (--across-breaks)."
            )
        return replace(self, tables={period: self.tables[period] for period in kept}, breaks=breaks)

    def unbroken(self, at: Period | None = None) -> Panel:
        """The longest part around a period (the last, if left out) that no break interrupts.

        Raises
        ------
        InputError
            If the period is unknown, or alone between two breaks.
        """
        at = self.known(at)
        starts = [period for period in self.periods if period in self.breaks]
        before = [period for period in starts if self._not_after(period, at)]
        after = [period for period in starts if period not in before]
        first = before[-1] if before else self.periods[0]
        last = self.periods[self.periods.index(after[0]) - 1] if after else self.periods[-1]
        return self.between(first, last)

    def _not_after(self, one: Period, other: Period) -> bool:
        return self.periods.index(one) <= self.periods.index(other)

    def known(self, period: Period | None) -> Period:
        """The period as the panel writes it, 2020 for "2020"; the last for none.

        Raises
        ------
        InputError
            If there is none.
        """
        if period is None:
            return self.periods[-1]
        found = [known for known in self.periods if str(known) == str(period)]
        if not found:
            raise InputError(f"There is no period {period!r}; there are {listing(self.periods, 30)}.")
        return found[0]

    def summary(self) -> str:
        """Periods, breaks and the last table, in a few lines."""
        lines = [f"{len(self.tables)} periods from {self.periods[0]} to {self.periods[-1]}"]
        lines += [f"Break at {period}: {why}" for period, why in self.breaks.items()]
        return "\n".join([*lines, list(self.tables.values())[-1].summary()])


def check_panel(panel: object) -> Panel:
    """Refuse what is no panel.

    Raises
    ------
    InputError
        With what it is.
    """
    if not isinstance(panel, Panel):
        raise InputError(f"panel must be a Panel of tables by period, not {type(panel).__name__}.")
    return panel
