r"""Quotients over all tables that a table with intervals can stand for.

With :math:`x` the cell, :math:`A` the rest of its region's base, :math:`B` the rest of its sector and
:math:`C` all others in its base group,

.. math:: LQ = \frac{x\,Q}{R\,K}, \qquad R = x + A,\; K = x + B,\; Q = x + A + B + C,

where a sum has limits of its own if it is printed, and does not vary if it is known. For a given :math:`x`
the quotient falls in :math:`A` and :math:`B` and grows in :math:`C`; what is left is a function of :math:`x`,
whose extremes are at its ends, where a limit starts to hold, or where its derivative is 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from spatialkz.errors import InputError, listing
from spatialkz.resampling.pvalues import Floats
from spatialkz.specialization.margins import table_margins
from spatialkz.specialization.quotients import table_quotients
from spatialkz.tables import ActivityTable

Limits = tuple[Floats, Floats]

# A cell of 0 in a region or sector where nothing else is sure is a share of 0/0: take a small part instead.
_TINY = 1e-12
# Relative width from which quotients of sectors without hidden cells are said to vary.
_WORTH_TELLING = 1e-6


@dataclass(frozen=True)
class Sums:
    """Limits of the cell, of the sums it is part of, and of what else is in them; regions × sectors."""

    cell: Limits
    region: Limits
    sector: Limits
    whole: Limits
    beside: Limits  # A
    below: Limits  # B
    elsewhere: Limits  # C


def sums_of(table: ActivityTable) -> Sums:
    """Limits of each cell of volumes or counts, and of the sums that its quotient is made of."""
    levels, known = table.levels, table_margins(table)
    ends = [end.to_numpy(copy=True) for end in table.interval()]
    for end, limit in zip(ends, (levels.cells.low, levels.cells.high), strict=True):
        end[levels.varying] = limit
    shape = ends[0].shape
    code, names = pd.factorize(table.groups)
    least, most = ([end[:, code == g].sum(axis=1) for g in range(len(names))] for end in ends)
    row = [np.stack(part, axis=1)[:, code] for part in (least, most)]
    column = [np.broadcast_to(end.sum(axis=0), shape) for end in ends]
    group = [np.broadcast_to(np.array([part.sum() for part in end])[code], shape) for end in (least, most)]
    free = np.full(shape, -np.inf), np.full(shape, np.inf)
    if table.base is None:
        region = _pair(end.reshape(shape[0], -1)[:, code] for end in levels.parts.whole())
        beside = row[0] - ends[0], row[1] - ends[1]
    else:
        region, beside = (known.bases.to_numpy(), known.bases.to_numpy()), free
    if table.national is None:
        sector = _pair(np.broadcast_to(end, shape) for end in levels.sectors.whole())
        below = column[0] - ends[0], column[1] - ends[1]
    else:
        sector, below = (np.broadcast_to(table.national.to_numpy(), shape),) * 2, free
    if table.base is None and table.national is None:
        whole = _pair(np.broadcast_to(end[code], shape) for end in levels.groups.whole())
        elsewhere = _pair(group[e] - row[e] - column[e] + ends[e] for e in (0, 1))
    else:
        whole, elsewhere = (np.broadcast_to(known.base_totals.to_numpy(), shape),) * 2, free
    return Sums((ends[0], ends[1]), region, sector, whole, beside, below, elsewhere)


def _pair(ends: Iterable[Floats]) -> Limits:
    low, high = ends
    return low, high


def varies(table: ActivityTable) -> bool:
    """Whether volumes or counts are known within intervals alone, be it by rounding or by suppression."""
    exact = table.low is None and not table.rounding
    return table.kind != "quotients" and not exact and bool(table.levels.varying.any())


def quotient_range(table: ActivityTable) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lowest and highest value that each quotient takes over all tables within intervals and printed totals.

    Sums that are printed, a base that is given and national totals do not vary; the row sum of a region whose
    total is not printed varies with its suppressed cells. The interval is exact where one sum varies, and an
    outer one where totals tie several to each other. Sampling error is not in it.

    Parameters
    ----------
    table : ActivityTable

    Returns
    -------
    tuple of DataFrame, each regions × sectors

    Examples
    --------
    >>> nan = float("nan")
    >>> jobs = pd.DataFrame({"steel": [nan, nan], "law": [20.0, 40.0]}, index=["North", "South"])
    >>> from spatialkz.tables import complete_table
    >>> table = complete_table(jobs, kind="counts", sector_totals=pd.Series({"steel": 40, "law": 60}),
    ...                        base=pd.Series({"North": 50, "South": 50}), largest=30)
    >>> low, high = quotient_range(table)
    >>> low["steel"].tolist(), high["steel"].tolist()
    ([0.5, 0.5], [1.5, 1.5])
    """
    if table.kind == "quotients":
        return table.interval()
    quotients = table_quotients(table)
    if not varies(table):
        return quotients, quotients
    sums = sums_of(table)
    return _around(quotients, _least_quotient(sums), _largest_quotient(sums))


def _around(point: pd.DataFrame, low: Floats, high: Floats) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Limits as tables, the value itself where they differ from it by floating point alone."""
    value = point.to_numpy()
    ends = (
        np.where(np.isclose(end, value, rtol=1e-11, atol=0), value, outward(end, value))
        for end, outward in ((low, np.minimum), (high, np.maximum))
    )
    least, most = (pd.DataFrame(end, index=point.index, columns=point.columns) for end in ends)
    return least, most


def _largest_quotient(sums: Sums) -> Floats:
    low, high = sums.cell
    a, b, c = sums.beside[0], sums.below[0], sums.elsewhere[1]
    region, sector, whole = sums.region[0], sums.sector[0], sums.whole[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        product = a * b
        places = [
            low,
            high,
            region - a,
            sector - b,
            whole - c - a - b,
            c + region + sector - whole,
            (product + np.sqrt(product**2 + c * product * (a + b + c))) / c,
            np.sqrt(product),
        ]
    found = np.zeros_like(low)
    for place in places:
        x = np.clip(np.where(np.isfinite(place), place, low), low, high)
        x = np.maximum(x, _TINY * high)
        in_region, in_sector = np.maximum(x + a, region), np.maximum(x + b, sector)
        total = np.minimum(c + in_region + in_sector - x, whole)
        found = np.maximum(found, ratio(x * total, in_region * in_sector))
    return found


def _least_quotient(sums: Sums) -> Floats:
    low, high = sums.cell
    a, b, c = sums.beside[1], sums.below[1], sums.elsewhere[0]
    region, sector, whole = sums.region[1], sums.sector[1], sums.whole[0]
    with np.errstate(invalid="ignore"):
        places = [low, high, region - a, sector - b, whole - c - a - b, region + sector + c - whole]
    found = np.full_like(low, np.inf)
    for place in places:
        x = np.clip(np.where(np.isfinite(place), place, low), low, high)
        in_region, in_sector = np.minimum(x + a, region), np.minimum(x + b, sector)
        total = np.maximum(c + in_region + in_sector - x, whole)
        found = np.minimum(found, ratio(x * total, in_region * in_sector))
    return found


def ratio(part: Floats, whole: Floats) -> Floats:
    """Part over whole, 0 where there is nothing."""
    return np.divide(part, whole, out=np.zeros(np.broadcast_shapes(part.shape, whole.shape)), where=whole > 0)


def share_range(table: ActivityTable) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lowest and highest share of each sector that each region holds, for volumes and counts."""
    share = table_margins(table).sector_shares
    if not varies(table):
        return share, share
    sums = sums_of(table)
    return _share_limits(sums.cell, sums.below, sums.sector, share)


def focus_range(table: ActivityTable) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lowest and highest share of each region's base that each sector has, for volumes and counts."""
    found = table_margins(table)
    share = found.activity / found.bases
    if not varies(table):
        return share, share
    sums = sums_of(table)
    return _share_limits(sums.cell, sums.beside, sums.region, share)


def _share_limits(
    cell: Limits, rest: Limits, whole: Limits, point: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A cell's share of a sum grows with the cell and falls with the rest."""
    low = ratio(cell[0], np.minimum(cell[0] + rest[1], whole[1]))
    high = ratio(cell[1], np.maximum(cell[1] + rest[0], whole[0]))
    return _around(point, low, high)


def complete_sectors(table: ActivityTable) -> pd.Index:
    """Sectors without a hidden cell, the only ones that tests of a whole column can take."""
    return table.sectors[~table.hidden.any().to_numpy()]


def complete_quotients(table: ActivityTable) -> pd.DataFrame:
    """Quotients of the sectors without a hidden cell, for tests of whole columns.

    Raises
    ------
    InputError
        If every sector has a hidden cell.
    """
    found = table_quotients(table)[complete_sectors(table)]
    if found.empty:
        hidden = table.hidden
        cells = [f"{sector} ({listing(hidden.index[hidden[sector]], 2)})" for sector in hidden]
        raise InputError(
            "Autocorrelation, clusters and the focal test need sectors without hidden cells, but every "
            "sector "
            f"has some: {listing(cells, 4)}; merge sectors or leave out regions, or compute only quotients "
            "(spatialkz lq) and ranked candidates (spatialkz rank)."
        )
    return found


def hidden_notes(table: ActivityTable) -> tuple[str, ...]:
    """What hidden and fractional cells mean for a run, one sentence each; empty where there are none."""
    notes = []
    hidden = table.hidden
    if hidden.any(axis=None):
        cells = [
            f"{sector} ({listing(hidden.index[hidden[sector]], 3)})"
            for sector in hidden
            if hidden[sector].any()
        ]
        notes.append(
            f"Cells are hidden in {listing(cells)}: autocorrelation (breadth there included), clusters, "
            "concentration and the focal test leave these sectors out; quotients and ranks take them with "
            "all values that their intervals allow."
        )
        kept = complete_sectors(table)
        if table.kind != "quotients" and len(kept):
            low, high = (end[kept].to_numpy() for end in quotient_range(table))
            wide = float(((high - low) / np.where(high > 0, high, 1.0)).max())
            if wide > _WORTH_TELLING:
                notes.append(
                    "Hidden cells are part of the bases of the other sectors too, whose quotients they leave "
                    f"open by up to {wide:.2g} of their value; the tests take the point values."
                )
    if table.kind == "counts" and table.fractions.any(axis=None):
        notes.append(
            "Counts are fractions (full-time equivalents, say): tests that need whole numbers are left out, "
            "and intervals and ranks are without sampling error."
        )
    return tuple(notes)
