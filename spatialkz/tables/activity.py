"""ActivityTable: a validated table of regions × sectors that knows what its numbers are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import pandas as pd

from spatialkz.errors import InputError, listing
from spatialkz.tables.checks import check_labels, check_same_regions, check_table

Kind = Literal["volumes", "counts", "quotients"]


@dataclass(frozen=True)
class ActivityTable:
    """Activity of regions in sectors: volumes, counts, or location quotients published as such.

    Parameters
    ----------
    values : DataFrame, shape (regions, sectors)
        Non-negative and complete; index = region, columns = sector.
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

    Raises
    ------
    InputError
        If a cell is missing, negative or no number, or if groups or base do not fit.

    Examples
    --------
    >>> jobs = pd.DataFrame({"steel": [30, 5], "software": [10, 45]}, index=["North", "South"])
    >>> ActivityTable(jobs, kind="counts", unit="jobs").sectors.tolist()
    ['steel', 'software']
    """

    values: pd.DataFrame
    kind: Kind
    unit: str = ""
    groups: pd.Series = field(default_factory=lambda: pd.Series(dtype=str))
    base: pd.Series | pd.DataFrame | None = None
    rounding: float = 0.0
    contained: bool = True

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise InputError(f"kind is {self.kind!r}; it must be one of {listing(get_args(Kind))}.")
        if not (np.isfinite(self.rounding) and self.rounding >= 0):
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

    def _checked_groups(self, sectors: pd.Index) -> pd.Series:
        if self.groups.empty:
            return pd.Series("all", index=sectors, name="group")
        missing = sectors.difference(self.groups.dropna().index)
        if len(missing):
            raise InputError(f"groups must name a base group for every sector; {listing(missing)} has none.")
        return self.groups.loc[sectors].astype(str).rename("group")

    @property
    def regions(self) -> pd.Index:
        """Region labels, in the order of the table."""
        return self.values.index

    @property
    def sectors(self) -> pd.Index:
        """Sector labels, in the order of the table."""
        return self.values.columns

    def interval(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Lowest and highest value that each printed cell stands for, never below zero."""
        return (self.values - self.rounding).clip(lower=0), self.values + self.rounding
