"""ActivityTable: a validated table of regions × sectors that knows what its numbers are."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import get_args

import numpy as np
import pandas as pd

from spatialkz.errors import InputError, is_number, listing
from spatialkz.options import NumberKind
from spatialkz.results import Shown
from spatialkz.tables.labels import check_groups, check_labels, check_same_regions, check_table
from spatialkz.tables.levels import Levels, Totals, tighten


@dataclass(frozen=True, repr=False)
class ActivityTable(Shown):
    """Activity of regions in sectors: volumes, counts, or location quotients published as such.

    Parameters
    ----------
    values : DataFrame, shape (regions, sectors)
        Non-negative and complete; index = region, columns = sector. Where a cell is known within an interval
        alone, a point in it.
    kind : {"volumes", "counts", "quotients"}
        Volumes are amounts (money, tonnes); counts are things that were counted (jobs, plants, people).
    unit : str
        Unit of the values, for captions.
    groups : Series, optional
        Sector → base group (``"industry"``, ``"services"``); left out, all sectors are one group ``"all"``.
    base : Series or DataFrame, optional
        Totals of each region that volumes and counts are compared with, one column for each group.
    contained : bool
        Whether the base contains the sectors and is in their unit, so that no cell may exceed it.
    rounding : float
        Half of the last printed digit of published quotients (0.005 for two decimals); 0 when exact.
    low, high : DataFrame, optional
        Lowest and highest value of each cell where some are suppressed; the value itself where it is printed.
        :func:`~spatialkz.tables.complete_table` makes such tables.
    totals : Totals, optional
        Printed totals, which tie what suppressed cells can be.
    national : Series, optional
        Sector → its total in the country, where the regions are a part of it: what quotients compare with.
    national_base : float or Series by group, optional
        The base of the country; needed with ``national`` where there is a ``base``.

    Raises
    ------
    InputError
        If a cell is missing, negative or no number, if groups or base do not fit, if a value lies outside its
        interval, or if the regions hold more than the country.

    Examples
    --------
    >>> jobs = pd.DataFrame({"steel": [30, 5], "software": [10, 45]}, index=["North", "South"])
    >>> ActivityTable(jobs, kind="counts", unit="jobs").sectors.tolist()
    ['steel', 'software']
    """

    values: pd.DataFrame
    kind: NumberKind
    unit: str = ""
    groups: pd.Series = field(default_factory=lambda: pd.Series(dtype=str))
    base: pd.Series | pd.DataFrame | None = None
    rounding: float = 0.0
    contained: bool = True
    low: pd.DataFrame | None = None
    high: pd.DataFrame | None = None
    totals: Totals | None = None
    national: pd.Series | None = None
    national_base: float | pd.Series | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(NumberKind):
            raise InputError(f"kind is {self.kind!r}; it must be one of {listing(get_args(NumberKind))}.")
        if not (is_number(self.rounding) and self.rounding >= 0):
            raise InputError(f"rounding is {self.rounding}; it must be a non-negative number.")
        values = check_table(self.values, name=self.kind, minimum=0)
        check_labels(values.columns, "sector")
        values = values.rename_axis(index="region", columns="sector")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "groups", self._checked_groups(values.columns))
        if self.base is not None:
            base = check_table(self.base, name="base", minimum=0)
            check_same_regions(base.index, values.index, "base")
            object.__setattr__(self, "base", base.loc[values.index])
        if (self.low is None) != (self.high is None):
            raise InputError("A table with intervals needs both their low and their high ends.")
        for name, sign in (("low", 1), ("high", -1)):
            end = getattr(self, name)
            if end is None:
                continue
            end = check_table(end, name=name, minimum=0)
            check_same_regions(end.index, values.index, name)
            check_same_regions(end.columns, values.columns, name)
            end = end.loc[values.index, values.columns].rename_axis(index="region", columns="sector")
            outside = np.argwhere(sign * (values.to_numpy() - end.to_numpy()) < 0)
            if len(outside):
                cells = [
                    f"{values.index[i]} × {values.columns[j]} is {values.iloc[i, j]:g} with {name} end "
                    f"{end.iloc[i, j]:g}"
                    for i, j in outside
                ]
                raise InputError(f"A value must lie within its interval, but {listing(cells)}.")
            object.__setattr__(self, name, end)
        if self.national is not None:
            self._check_national(self.national)
        elif self.national_base is not None:
            raise InputError("national_base is the base of the country and needs national totals beside it.")

    def _check_national(self, national: pd.Series) -> None:
        """Refuse totals of the country that are less than what the regions hold."""
        if self.kind == "quotients":
            raise InputError(
                "Published quotients have their country's totals in them; national is for others."
            )
        if not isinstance(national, pd.Series):
            raise InputError("national must be a Series of numbers by sector.")
        check_table(national, name="national", minimum=0, least_regions=1)
        check_same_regions(national.index, self.sectors, "national")
        national = national.loc[self.sectors].astype("float64")
        object.__setattr__(self, "national", national)
        least = self.interval()[0].sum()
        small = least.index[least > national * (1 + 1e-9) + self.rounding]
        if len(small):
            cells = [f"{sector} ({national[sector]:.10g} against {least[sector]:.10g})" for sector in small]
            raise InputError(
                f"The country must hold at least what its regions hold, but it does not in {listing(cells)}; "
                "check the national totals and their unit."
            )
        if self.base is not None and self.national_base is None:
            raise InputError(
                "With a base of the regions, national totals need the base of the country as well "
                "(national_base)."
            )
        if self.base is None and self.national_base is not None:
            raise InputError(
                "national_base goes with a base of the regions; without one, the base is the sum of sectors."
            )

    def _checked_groups(self, sectors: pd.Index) -> pd.Series:
        none = isinstance(self.groups, pd.Series) and self.groups.empty
        return check_groups(None if none else self.groups, sectors)

    def summary(self) -> str:
        """What the numbers are, of which sectors and regions, in three lines."""
        unit = f" ({self.unit})" if self.unit else ""
        hidden = int(self.hidden.to_numpy().sum())
        lines = [
            f"{self.kind}{unit} of {len(self.regions)} regions in {len(self.sectors)} sectors"
            + (f", {hidden} cells suppressed" if hidden else ""),
            f"Regions: {listing(self.regions, 20)}",
            f"Sectors: {listing(self.sectors, 20)}",
        ]
        return "\n".join(lines)

    @property
    def regions(self) -> pd.Index:
        """Region labels, in the order of the table."""
        return self.values.index

    @property
    def sectors(self) -> pd.Index:
        """Sector labels, in the order of the table."""
        return self.values.columns

    @property
    def hidden(self) -> pd.DataFrame:
        """Which cells are suppressed and not told by the totals either: their interval is no single value."""
        if self.low is None or self.high is None:
            return pd.DataFrame(False, index=self.regions, columns=self.sectors)
        return self.low < self.high

    @property
    def fractions(self) -> pd.DataFrame:
        """Which printed cells are no whole numbers."""
        return (self.values % 1 != 0) & ~self.hidden

    def interval(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Lowest and highest value that each cell stands for, never below zero.

        A printed cell stands for what rounds to it; a suppressed one has its own interval, in which rounding
        is contained.
        """
        low, high = (self.values - self.rounding).clip(lower=0), self.values + self.rounding
        if self.low is None or self.high is None:
            return low, high
        return low.where(~self.hidden, self.low), high.where(~self.hidden, self.high)

    @cached_property
    def levels(self) -> Levels:
        """Cells that vary, and what printed totals leave for them and for the sums they are part of."""
        low, high = self.interval()
        totals = Totals.of(self.values) if self.totals is None else self.totals
        found = Levels.of(low, high, (low < high).to_numpy(), totals.regrouped(self.groups))
        for _ in range(2):
            tighten(found)
        return found
