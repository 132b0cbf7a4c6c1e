"""From a table with suppressed cells to one to compute with: each cell has an interval and a point in it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from spatialkz.errors import InputError, listing
from spatialkz.options import BoundMethod, NumberKind
from spatialkz.tables.activity import ActivityTable
from spatialkz.tables.labels import check_same_regions, check_table
from spatialkz.tables.levels import Levels, Totals, moved_to_totals
from spatialkz.tables.suppressed import SuppressedBounds, bounds_within, printed_cells

_SWEEPS = 5_000


def fill_suppressed(
    values: pd.DataFrame,
    bounds: SuppressedBounds,
    totals: Totals | None = None,
    *,
    cell_rounding: float = 0.0,
) -> pd.DataFrame:
    """Put a point of its interval into each hidden cell, so that the cells add up to the printed totals.

    Every hidden cell starts in the middle of its interval. Then one total after another is met by moving its
    hidden cells by the same share of the room that each has left to its bound, until all totals are met at
    once; no cell leaves its interval. A choice among many values that fit equally well, not an estimate.

    Parameters
    ----------
    values : DataFrame, shape (regions, sectors)
        NaN where a cell is hidden.
    bounds : SuppressedBounds
        Of the same cells.
    totals : Totals, optional
        What was printed; left out, middles are taken as they are.
    cell_rounding : float
        Half of the last printed digit of the cells, whose sums may miss the totals by as much for each.

    Returns
    -------
    DataFrame, shape (regions, sectors)

    Examples
    --------
    >>> from spatialkz.tables import bound_suppressed
    >>> nan = float("nan")
    >>> jobs = pd.DataFrame({"steel": [nan, nan], "law": [nan, 9.0]}, index=["North", "South"])
    >>> told = {"region_totals": pd.Series({"North": 8, "South": 12})}
    >>> bounds = bound_suppressed(jobs, **told, largest=6)
    >>> fill_suppressed(jobs, bounds, Totals.of(jobs, **told))
           steel  law
    North    4.0  4.0
    South    3.0  9.0
    """
    hidden = bounds.hidden.to_numpy()
    totals = Totals.of(values) if totals is None else totals
    printed = np.where(hidden, 0.0, cell_rounding)
    levels = Levels.of((bounds.low - printed).clip(lower=0), bounds.high + printed, hidden, totals)
    low, high = levels.cells.low, levels.cells.high
    cells = moved_to_totals(((low + high) / 2)[:, None], levels, sweeps=_SWEEPS)[:, 0]
    filled = values.astype("float64").to_numpy(copy=True)
    filled[hidden] = np.clip(cells, low, high)
    return pd.DataFrame(filled, index=values.index, columns=values.columns)


def complete_table(
    values: pd.DataFrame,
    *,
    kind: NumberKind,
    unit: str = "",
    groups: pd.Series | None = None,
    base: pd.Series | pd.DataFrame | None = None,
    contained: bool = True,
    rounding: float = 0.0,
    region_totals: pd.Series | None = None,
    sector_totals: pd.Series | None = None,
    grand_total: float | None = None,
    group_totals: pd.DataFrame | None = None,
    national: pd.Series | None = None,
    national_base: float | pd.Series | None = None,
    largest: float | pd.Series | pd.DataFrame | None = None,
    smallest: float = 0.0,
    method: BoundMethod = "auto",
) -> ActivityTable:
    """Make an activity table of one with suppressed cells, each bounded by all that is printed.

    Parameters
    ----------
    values : DataFrame, shape (regions, sectors)
        NaN exactly where a cell is suppressed; a table without any is taken as it is.
    kind, unit, groups, base, contained, rounding, national, national_base
        As of :class:`ActivityTable`; ``rounding`` is half of the last printed digit of cells and totals
        alike. A base that contains the sectors bounds each cell, and national totals each sector's sum.
    region_totals, sector_totals, grand_total, group_totals, largest, smallest, method
        As of :func:`bound_suppressed`.

    Returns
    -------
    ActivityTable
        With ``low`` and ``high``; ``values`` has the points of :func:`fill_suppressed`. Bounds of counts
        whose printed numbers are whole are whole numbers; their points need not be.

    Raises
    ------
    InputError, RegionError
        As of :func:`bound_suppressed` and :class:`ActivityTable`.

    Examples
    --------
    >>> nan = float("nan")
    >>> jobs = pd.DataFrame({"steel": [nan, nan, 5], "law": [nan, nan, 5], "care": [1, 2, 3]},
    ...                     index=["North", "South", "West"])
    >>> table = complete_table(jobs, kind="counts",
    ...                        region_totals=pd.Series({"North": 11, "South": 6, "West": 13}),
    ...                        sector_totals=pd.Series({"steel": 13, "law": 11, "care": 6}))
    >>> pd.DataFrame({"low": table.low.loc["North"], "value": table.values.loc["North"],
    ...               "high": table.high.loc["North"]})
           low  value  high
    sector
    steel  4.0    6.0   8.0
    law    2.0    4.0   6.0
    care   1.0    1.0   1.0
    """
    told = {"region_totals": region_totals, "sector_totals": sector_totals, "group_totals": group_totals}
    given = [name for name, totals in (*told.items(), ("grand_total", grand_total)) if totals is not None]
    totals = Totals.of(
        values,
        region_totals=region_totals,
        sector_totals=sector_totals,
        grand_total=grand_total,
        group_totals=group_totals,
        groups=groups,
        national=national,
        rounding=rounding,
    )
    printed, hidden = printed_cells(values)
    if kind == "quotients" and given:
        raise InputError(f"Published quotients do not add up to totals; leave out {listing(given)}.")
    if kind == "quotients" and largest is None and hidden.any(axis=None):
        cells = [f"{values.index[i]} × {values.columns[j]}" for i, j in np.argwhere(hidden.to_numpy())]
        raise InputError(
            f"The quotients {listing(cells)} are hidden, and without base shares the adding-up identity "
            "gives "
            "no limits for them; state the largest value of a hidden quotient."
        )
    most = largest
    if base is not None and contained and hidden.any(axis=None):
        most = _at_most_base(values, base, groups, largest)
    bounds = bounds_within(
        values,
        totals,
        largest=most,
        smallest=smallest,
        cell_rounding=rounding,
        whole=kind == "counts" and not rounding and _whole(printed, grand_total, *told.values()),
        method=method,
    )
    some = bool(hidden.any(axis=None))
    return ActivityTable(
        fill_suppressed(values, bounds, totals, cell_rounding=rounding) if some else values,
        kind=kind,
        unit=unit,
        groups=pd.Series(dtype=str) if groups is None else groups,
        base=base,
        rounding=rounding,
        contained=contained,
        low=bounds.low if some else None,
        high=bounds.high if some else None,
        totals=totals if some else None,
        national=national,
        national_base=national_base,
    )


def _at_most_base(
    values: pd.DataFrame,
    base: pd.Series | pd.DataFrame,
    groups: pd.Series | None,
    largest: float | pd.Series | pd.DataFrame | None,
) -> pd.DataFrame:
    """Largest value stated of each cell, or the base that contains it if that is less."""
    bases = check_table(base, name="base", minimum=0)
    check_same_regions(bases.index, values.index, "base")
    bases = bases.loc[values.index]
    group_of = pd.Series("", index=values.columns) if groups is None else groups.reindex(values.columns)
    limits = {
        sector: bases[group_of[sector]] if group_of[sector] in bases else bases.max(axis=1)
        for sector in values.columns
    }
    most = pd.DataFrame(limits, index=values.index)
    if largest is None:
        return most
    if isinstance(largest, pd.DataFrame):
        check_same_regions(largest.index, values.index, "largest")
        check_same_regions(largest.columns, values.columns, "largest")
        return most.where(~(largest.loc[most.index, most.columns] < most), largest)
    if isinstance(largest, pd.Series):
        check_same_regions(largest.index, values.columns, "largest")
        return most.where(~most.gt(largest, axis=1), most * 0 + largest)
    return most.clip(upper=largest)


def _whole(*numbers: pd.DataFrame | pd.Series | float | None) -> bool:
    """Whether all of them that are known are whole."""
    cells = [
        np.ravel(part.astype("float64") if isinstance(part, pd.DataFrame | pd.Series) else float(part))
        for part in numbers
        if part is not None
    ]
    known = np.concatenate([part[~np.isnan(part)] for part in cells])
    return bool((known % 1 == 0).all())
