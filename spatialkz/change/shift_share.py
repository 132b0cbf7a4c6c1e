"""Shift–share: what of a region's growth is the country's, its sectors', its neighbors' and its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd
from libpysal.graph import Graph

from spatialkz.errors import InputError, listing
from spatialkz.geography.weights import row_standardized
from spatialkz.options import ShiftShareMethod
from spatialkz.resampling.checks import check_choice
from spatialkz.resampling.pvalues import Floats
from spatialkz.results import Result, json_ready
from spatialkz.tables import ActivityTable, Panel, Period
from spatialkz.tables.panel import check_panel

#: Label of what a base holds beside the sectors of the table.
REST = "other sectors"


@dataclass(frozen=True, repr=False)
class ShiftShare(Result):
    """Result of :func:`shift_share`.

    Attributes
    ----------
    table : DataFrame
        What :meth:`to_frame` returns.
    first, last : int or str
    method : str
    """

    table: pd.DataFrame
    first: Period
    last: Period
    method: ShiftShareMethod

    @property
    def parts(self) -> list[str]:
        """Columns that add up to the change."""
        return [name for name in self.table.columns if name not in ("before", "after", "change")]

    def to_frame(self) -> pd.DataFrame:
        """Index ``(region, sector)``; ``before, after, change`` and the parts, in the unit of the table."""
        return self.table.copy()

    def by_region(self) -> pd.DataFrame:
        """The same, summed over the sectors of each region."""
        return self.table.groupby(level="region", sort=False).sum()

    def to_dict(self) -> dict[str, object]:
        """Periods, method, and both tables, ready for JSON."""
        return {
            "first": self.first,
            "last": self.last,
            "method": self.method,
            "regions": json_ready(self.by_region()),
            "cells": json_ready(self.table.reset_index().to_dict("records")),
        }

    def summary(self) -> str:
        """Parts by region, in percent of what it had before."""
        sums = self.by_region()
        shares = 100 * sums[["change", *self.parts]].div(sums["before"], axis=0)
        return (
            f"Shift–share from {self.first} to {self.last} ({self.method}), % of the first period\n"
            f"{shares.to_string(float_format='{:.1f}'.format)}"
        )


def shift_share(
    panel: Panel,
    first: Period | None = None,
    last: Period | None = None,
    *,
    method: ShiftShareMethod = "classic",
    graph: Graph | None = None,
    across_breaks: bool = False,
) -> ShiftShare:
    r"""Split the growth of each region and sector into parts that add up to it exactly.

    With :math:`x` the value of the first period, and the growth rates :math:`g` of the country,
    :math:`g_j` of the sector in it, :math:`g_{ij}` of the cell:

    - ``classic`` (Dunn 1960): ``national`` :math:`x g`, ``mix`` :math:`x (g_j - g)`, ``regional``
      :math:`x (g_{ij} - g_j)`.
    - ``esteban-marquillas`` (1972): ``regional`` parted with the value the cell would have if the region had
      the country's structure, :math:`x^* = X_i X_j / X`: ``competitive`` :math:`x^* (g_{ij} - g_j)` and
      ``allocation`` :math:`(x - x^*)(g_{ij} - g_j)`.
    - ``spatial`` (after Nazara & Hewings 2004): ``regional`` parted with the growth of the sector among the
      neighbors, :math:`\breve g_{ij}` of :math:`\sum_k w_{ik} x_{kj}`: ``neighbors``
      :math:`x (\breve g_{ij} - g_j)` and ``own`` :math:`x (g_{ij} - \breve g_{ij})`.
    - ``dynamic`` (Barff & Knight 1988): the classic parts from each period to the next, added up.

    Parameters
    ----------
    panel : Panel
        Volumes or counts. Where a single base contains the sectors, what it holds beside them is a sector of
        its own, ``other sectors``, so that the parts of a region are those of its whole base.
    first, last, across_breaks
        As in :func:`quotient_change`. Money of two years holds inflation, which falls into ``national``.
    method : {"classic", "esteban-marquillas", "spatial", "dynamic"}
    graph : libpysal.graph.Graph, optional
        Who neighbors whom; for ``spatial``.

    Raises
    ------
    InputError
        If the table holds quotients, a sector of the country begins at 0, or the method needs growth of a
        cell that begins at 0.

    References
    ----------
    Dunn, E. S. (1960). A statistical and analytical technique for regional analysis. Papers of the Regional
    Science Association 6, 97–112. Esteban-Marquillas, J. M. (1972). Shift- and share analysis revisited.
    Regional and Urban Economics 2, 249–261. Nazara, S., & Hewings, G. J. D. (2004). Spatial structure and
    taxonomy of decomposition in shift-share analysis. Growth and Change 35, 476–490. Barff, R. A., & Knight,
    P. L. (1988). Dynamic shift-share analysis. Growth and Change 19, 1–10.

    Examples
    --------
    >>> before = pd.DataFrame({"law": [10, 10], "steel": [10, 10]}, index=["North", "South"])
    >>> after = pd.DataFrame({"law": [20, 10], "steel": [10, 10]}, index=["North", "South"])
    >>> panel = Panel({1: ActivityTable(before, kind="counts"), 2: ActivityTable(after, kind="counts")})
    >>> shift_share(panel).by_region().loc["North", ["change", "national", "mix", "regional"]].tolist()
    [10.0, 5.0, 0.0, 5.0]
    """
    check_choice(method, get_args(ShiftShareMethod))
    part = check_panel(panel).between(first, last, across_breaks=across_breaks)
    if part.tables[part.periods[-1]].kind == "quotients":
        raise InputError("Shift–share is of volumes or counts; quotients have no growth of their own.")
    if (graph is not None) != (method == "spatial"):
        told = "needs a graph" if graph is None else f"is not for {method}"
        raise InputError(f"A graph of neighbors is for the spatial method: it {told}.")
    periods = part.periods if method == "dynamic" else [part.periods[0], part.periods[-1]]
    if part.sectors.empty:
        raise InputError(f"The periods {listing(part.periods)} have no sector in common.")
    tables = [_whole(part.tables[period], part.sectors, part.regions) for period in periods]
    sums: dict[str, pd.DataFrame] = {}
    for start, old, new in zip(periods, tables, tables[1:], strict=False):
        for name, cells in _parts(old, new, method, graph, start).items():
            sums[name] = sums[name] + cells if name in sums else cells
    columns = {"before": tables[0], "after": tables[-1], "change": tables[-1] - tables[0], **sums}
    table = pd.DataFrame({name: cells.stack() for name, cells in columns.items()})
    return ShiftShare(table.rename_axis(index=["region", "sector"]), periods[0], periods[-1], method)


def _whole(table: ActivityTable, sectors: pd.Index, regions: pd.Index) -> pd.DataFrame:
    """Values of the common sectors, and the rest of a base that contains them."""
    values = table.values.loc[regions, sectors]
    base = table.base
    if not table.contained or not isinstance(base, pd.DataFrame) or base.shape[1] > 1:
        return values
    rest = base.iloc[:, 0].loc[regions] - values.sum(axis=1)
    if (rest < -table.rounding).any():
        return values  # sectors that overlap are no parts of their base
    return values.assign(**{REST: rest.clip(lower=0)}) if (rest > 0).any() else values


def _parts(
    old: pd.DataFrame, new: pd.DataFrame, method: ShiftShareMethod, graph: Graph | None, period: Period
) -> dict[str, pd.DataFrame]:
    x, y = old.to_numpy(), new.to_numpy()
    national = x.sum(axis=0)
    if (national <= 0).any():
        raise InputError(
            f"In {period} the country has nothing in {listing(old.columns[national <= 0])}, so its growth "
            "there is unknown; leave the sector out."
        )
    growth, by_sector = y.sum() / x.sum() - 1, y.sum(axis=0) / national - 1
    regional = y - x - x * by_sector  # x (g_ij − g_j), also where x is 0
    found: dict[str, Floats] = {"national": x * growth, "mix": x * (by_sector - growth)}
    if method == "esteban-marquillas":
        empty = np.argwhere((x == 0) & (y > 0))
        if len(empty):
            cells = [f"{old.index[i]} × {old.columns[j]}" for i, j in empty]
            raise InputError(
                f"Cells that begin at 0 have no growth rate ({listing(cells)}), which esteban-marquillas "
                "needs; take classic."
            )
        like = np.outer(x.sum(axis=1), national) / x.sum()
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.where(x > 0, y / np.where(x > 0, x, 1.0) - 1, by_sector) - by_sector
        found["competitive"] = like * rate
        found["allocation"] = regional - found["competitive"]
    elif method == "spatial" and graph is not None:
        weights = row_standardized(graph, old.index)
        around, later = weights @ x, weights @ y
        empty = np.argwhere((around == 0) & (x > 0))
        if len(empty):
            cells = [f"{old.index[i]} × {old.columns[j]}" for i, j in empty]
            raise InputError(
                f"The neighbors of {listing(cells)} have nothing there, so no growth; take classic."
            )
        rate = np.where(around > 0, later / np.where(around > 0, around, 1.0) - 1, by_sector)
        found["neighbors"] = x * (rate - by_sector)
        found["own"] = regional - found["neighbors"]
    else:
        found["regional"] = regional
    return {name: pd.DataFrame(cells, old.index, old.columns) for name, cells in found.items()}
