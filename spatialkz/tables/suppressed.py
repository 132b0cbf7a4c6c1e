"""Suppressed cells: which values they can have, given all that is printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, vstack
from scipy.sparse.csgraph import connected_components

from spatialkz.errors import InputError, is_number, listing
from spatialkz.options import BoundMethod
from spatialkz.results import Result, json_ready
from spatialkz.tables.labels import check_same_regions, check_table
from spatialkz.tables.levels import Floats, Ints, Levels, Mask, Totals, cleaned, tighten

# Hidden cells that hang together up to which "auto" solves linear programs: about a second.
_EXACT_CELLS = 500
# The shuttle stops where no bound moves by more than this share of the largest number; each sweep is valid.
_SETTLED, _SWEEPS = 1e-7, 200


@dataclass(frozen=True, repr=False)
class SuppressedBounds(Result):
    """Result of :func:`bound_suppressed`.

    Attributes
    ----------
    low, high : DataFrame, shape (regions, sectors)
        Lowest and highest possible value of each cell; both the printed value where there is one.
    hidden : DataFrame of bool
        Which cells are not printed.
    method : {"exact", "shuttle"}
        ``exact``: every bound is reached by some table that satisfies all totals. ``shuttle``: at least one
        bound is an outer one, which holds but may be wider than need be.
    outer : int
        Number of hidden cells whose bounds may be wider than need be; 0 if exact.
    """

    low: pd.DataFrame
    high: pd.DataFrame
    hidden: pd.DataFrame
    method: Literal["exact", "shuttle"]
    outer: int

    def to_frame(self) -> pd.DataFrame:
        """A row for each hidden cell: ``region, sector, low, high``."""
        row, column = np.nonzero(self.hidden.to_numpy())
        return pd.DataFrame(
            {
                "region": self.hidden.index[row],
                "sector": self.hidden.columns[column],
                "low": self.low.to_numpy()[row, column],
                "high": self.high.to_numpy()[row, column],
            }
        )

    def to_dict(self) -> dict[str, object]:
        """Method and hidden cells, ready for JSON."""
        cells = [json_ready(row) for row in self.to_frame().to_dict("records")]
        return {"method": self.method, "outer": self.outer, "cells": cells}

    def summary(self) -> str:
        """How many cells are hidden, how they were bounded, and how far that tells them."""
        cells = self.to_frame()
        told = int((cells["low"] == cells["high"]).sum())
        how = "All bounds are exact (linear programming)."
        if self.outer:
            how = (
                f"The bounds of {self.outer} of them are outer bounds (shuttle algorithm): the true value "
                "lies within, but they may be wider than need be."
            )
        return (
            f"{len(cells)} of {self.hidden.size} cells are hidden; the totals leave one value alone in "
            f"{told}. {how}"
        )


def bound_suppressed(
    values: pd.DataFrame,
    *,
    region_totals: pd.Series | None = None,
    sector_totals: pd.Series | None = None,
    grand_total: float | None = None,
    group_totals: pd.DataFrame | None = None,
    groups: pd.Series | None = None,
    national: pd.Series | None = None,
    largest: float | pd.Series | pd.DataFrame | None = None,
    smallest: float = 0.0,
    rounding: float = 0.0,
    cell_rounding: float = 0.0,
    whole: bool = False,
    method: BoundMethod = "auto",
) -> SuppressedBounds:
    r"""Lowest and highest value of each suppressed cell of a table whose totals are printed.

    Over all tables :math:`x` that repeat the printed cells, have :math:`l \le x_{ij} \le u_{ij}` in hidden
    ones (the smallest and largest value stated), and satisfy each printed total within its rounding,

    .. math:: T - r \le \sum_{(i, j) \in T} x_{ij} \le T + r,

    the bounds of a cell are the least and largest :math:`x_{ij}`.

    ``exact`` finds them by linear programming, for each set of hidden cells that totals tie together; the
    program is one of transport, so that with whole totals the bounds are those of whole numbers too.
    ``shuttle`` lets bounds wander between cells and totals until they settle (Buzzigoli & Giusti): a cell is
    at least its total less the upper bounds of all others in it, and at most its total less their lower
    bounds. These are *outer* bounds: the true value lies within, but they may be wider than need be.
    ``auto`` solves programs where at most 500 hidden cells hang together, and takes the outer bounds of the
    others.

    Parameters
    ----------
    values : DataFrame, shape (regions, sectors)
        At least 0, and NaN exactly where a cell is hidden.
    region_totals, sector_totals : Series, optional
        Printed sums of rows and columns by label; NaN where a total is itself not published.
    grand_total : float, optional
        Printed sum of all cells.
    group_totals : DataFrame, shape (regions, groups), optional
        Printed sums of each region over the sectors of a group; needs ``groups``.
    groups : Series, optional
        Sector → group.
    national : Series, optional
        Sectors in the country of which the regions are a part: their sums can be at most that.
    largest : float, Series by sector or DataFrame, optional
        Largest value that a hidden cell can have (2, where fewer than 3 firms are hidden).
    smallest : float
        Smallest value that a hidden cell can have (1, where zeros are printed).
    rounding : float
        Half of the last printed digit of the totals.
    cell_rounding : float
        Half of the last printed digit of the cells.
    whole : bool
        Whether values are whole numbers, so that all limits are rounded inwards.
    method : {"auto", "exact", "shuttle"}

    Returns
    -------
    SuppressedBounds
        Floating-point noise is rounded off: bounds have twelve digits of the largest number.

    Raises
    ------
    InputError
        If printed cells contradict a total, no values satisfy all totals, a hidden cell has no upper bound,
        or an option is unknown.
    RegionError
        If the labels of totals are not those of the table.

    References
    ----------
    Buzzigoli & Giusti (1999), in *Statistical Data Protection '98*, Eurostat, 131–147, and MPRA paper 49245
    (shuttle algorithm); Fischetti & Salazar (2001), *Management Science* 47, 1008–1027 (the programs of
    someone who wants to know).

    Examples
    --------
    >>> nan = float("nan")
    >>> jobs = pd.DataFrame({"steel": [nan, nan, 5], "law": [nan, nan, 5], "care": [1, 2, 3]},
    ...                     index=["North", "South", "West"])
    >>> found = bound_suppressed(jobs, region_totals=pd.Series({"North": 11, "South": 6, "West": 13}),
    ...                          sector_totals=pd.Series({"steel": 13, "law": 11, "care": 6}))
    >>> print(found.to_frame().to_string(index=False))
    region sector  low  high
     North  steel  4.0   8.0
     North    law  2.0   6.0
     South  steel  0.0   4.0
     South    law  0.0   4.0
    """
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
    return bounds_within(
        values,
        totals,
        largest=largest,
        smallest=smallest,
        cell_rounding=cell_rounding,
        whole=whole,
        method=method,
    )


def bounds_within(
    values: pd.DataFrame,
    totals: Totals,
    *,
    largest: float | pd.Series | pd.DataFrame | None = None,
    smallest: float = 0.0,
    cell_rounding: float = 0.0,
    whole: bool = False,
    method: BoundMethod = "auto",
) -> SuppressedBounds:
    """Bounds of hidden cells as :func:`bound_suppressed` finds them, from totals that were checked."""
    if method not in get_args(BoundMethod):
        raise InputError(f"method is {method!r}; it must be one of {listing(get_args(BoundMethod))}.")
    printed, hidden = printed_cells(values)
    for name, value in (("smallest", smallest), ("cell_rounding", cell_rounding)):
        if not (is_number(value) and value >= 0):
            raise InputError(f"{name} is {value}; it must be a non-negative number.")
    mask = hidden.to_numpy()
    most = _largest(largest, printed, smallest)
    low = (printed - cell_rounding).clip(lower=0).where(~hidden, smallest)
    high = (printed + cell_rounding).where(~hidden, most)
    levels = Levels.of(low, high, mask, totals)
    if whole:
        levels.make_whole()
    outer = _bounded(levels, method)
    ends = _settled(levels, whole, cell_rounding == 0)

    def table(end: Floats) -> pd.DataFrame:
        cells = printed.to_numpy(copy=True)
        cells[mask] = end
        return pd.DataFrame(cells, index=hidden.index, columns=hidden.columns)

    return SuppressedBounds(table(ends[0]), table(ends[1]), hidden, "shuttle" if outer else "exact", outer)


def printed_cells(values: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Printed cells, 0 in the place of hidden ones, and which are hidden."""
    hidden = values.isna()
    # Columns without any number may be of any type.
    nothing = hidden.columns[hidden.all()]
    filled = values.astype(dict.fromkeys(nothing, "float64")).fillna(0.0)
    return check_table(filled, name="values", minimum=0), hidden


def _largest(
    largest: float | pd.Series | pd.DataFrame | None, printed: pd.DataFrame, smallest: float
) -> pd.DataFrame:
    """Largest value stated of each cell, ∞ where none is."""
    if isinstance(largest, pd.Series):
        check_same_regions(largest.index, printed.columns, "largest")
        stated = pd.DataFrame([largest.loc[printed.columns]] * len(printed), index=printed.index)
    elif isinstance(largest, pd.DataFrame):
        check_same_regions(largest.index, printed.index, "largest")
        check_same_regions(largest.columns, printed.columns, "largest")
        stated = largest.loc[printed.index, printed.columns]
    else:
        stated = printed * 0.0 + (np.inf if largest is None else float(largest))
    found = stated.astype("float64").fillna(np.inf)
    if (found < smallest).any(axis=None):
        raise InputError(
            f"The largest value of a hidden cell cannot be less than its smallest, {smallest:g}, but "
            f"{found.to_numpy().min():g} was stated."
        )
    return found


def _bounded(levels: Levels, method: BoundMethod) -> int:
    """Bound the cells in place; the number of those with outer bounds."""
    for _ in range(_SWEEPS):
        if tighten(levels) <= _SETTLED * levels.scale:
            break
    endless = np.flatnonzero(np.isinf(levels.cells.high))
    if len(endless):
        names = [levels.cells.called(int(node)) for node in endless]
        raise InputError(
            f"No printed total limits the hidden cells {listing(names)} from above; give the totals of their "
            "regions or sectors, or state the largest value that a hidden cell can have."
        )
    parts, kept = _components(levels)
    outer = 0
    for cells in parts:
        if method == "exact" or (method == "auto" and len(cells) <= _EXACT_CELLS):
            _solve(levels, cells, kept)
        else:
            outer += len(cells)
    return outer


def _components(levels: Levels) -> tuple[list[Ints], LinearConstraint]:
    """Sets of cells that totals tie together, and the totals that cells could miss."""
    cells = levels.cells
    free = cells.high - cells.low > levels.noise
    implied: dict[int, Mask] = {}
    for part, whole, code in levels.relations:
        m = len(whole.low)
        least, most = np.bincount(code, part.low, m), np.bincount(code, part.high, m)
        follows = (least >= whole.low - levels.noise) & (most <= whole.high + levels.noise)
        implied[id(whole)] = implied.get(id(whole), np.zeros(m, dtype=bool)) | follows
    matrices, low, high = [], [], []
    for level in levels.sums:
        keep = ~implied[id(level)]
        if keep.any():
            matrices.append(level.matrix[keep])
            low.append(level.low[keep])
            high.append(level.high[keep])
    n = len(cells.low)
    if not matrices:
        return [], LinearConstraint(np.zeros((0, n)))
    matrix = vstack(matrices, format="csr")
    kept = LinearConstraint(matrix.tocsc(), np.concatenate(low), np.concatenate(high))
    touched = coo_array(matrix)
    use = free[touched.col]
    links = coo_array(
        (np.ones(use.sum()), (touched.row[use] + n, touched.col[use])), shape=(n + matrix.shape[0],) * 2
    )
    _, label = connected_components(links, directed=False)
    tied = np.flatnonzero(free & (np.bincount(label, minlength=n)[label] > 1)[:n])
    order = tied[np.argsort(label[tied], kind="stable")]
    return np.split(order, np.flatnonzero(np.diff(label[order])) + 1) if len(order) else [], kept


def _solve(levels: Levels, cells: Ints, kept: LinearConstraint) -> None:
    """Exact bounds of cells that hang together, in place.

    A program is solved only where no table seen so far reaches the bound that is known already.
    """
    low, high = levels.cells.low, levels.cells.high
    part = kept.A[:, cells]
    rows = np.unique(part.indices)
    part, rest = part[rows], (kept.A @ low - part @ low[cells])[rows]
    # A power of two, so that scaling changes no digit; the solver's tolerances are absolute.
    unit = 2.0 ** (np.ceil(np.log2(high[cells].max())) - 16)
    ends = low[cells] / unit, high[cells] / unit
    seen = np.full(len(cells), np.inf), np.full(len(cells), -np.inf)
    box = Bounds(*(end.copy() for end in ends))
    slack = 0.0

    def solved(cost: Floats) -> Floats:
        nonlocal slack
        for slack in (slack, levels.noise):  # noqa: B020
            limits = LinearConstraint(
                part, (kept.lb[rows] - rest - slack) / unit, (kept.ub[rows] - rest + slack) / unit
            )
            found = milp(cost, constraints=limits, bounds=box)
            if found.x is not None:
                np.minimum(seen[0], found.x, out=seen[0])
                np.maximum(seen[1], found.x, out=seen[1])
                return np.asarray(found.x, dtype=np.float64)
        names = [levels.cells.called(int(cell)) for cell in cells]
        raise InputError(
            f"No values of the hidden cells {listing(names)} satisfy all their totals; check these totals, "
            "and the smallest and largest value stated."
        )

    for sign, end, reached in ((1.0, ends[0], seen[0]), (-1.0, ends[1], seen[1])):
        # Many cells at their bound in one table, then each that is left alone.
        solved(np.full(len(cells), sign))
        for cell in range(len(cells)):
            if abs(reached[cell] - end[cell]) > 1e-9 * ends[1].max():
                cost = np.zeros(len(cells))
                cost[cell] = sign
                end[cell] = solved(cost)[cell]
    low[cells], high[cells] = ends[0] * unit, ends[1] * unit


def _settled(levels: Levels, whole: bool, exact_cells: bool) -> tuple[Floats, Floats]:
    """Bounds without floating-point noise."""
    low, high = levels.cells.low, levels.cells.high
    met = (low > high) | (exact_cells & (high - low <= levels.noise))
    low, high = np.where(met, (low + high) / 2, low), np.where(met, (low + high) / 2, high)
    # Whole limits of all sums leave whole bounds.
    return (low.round(), high.round()) if whole else (cleaned(low, levels.scale), cleaned(high, levels.scale))
