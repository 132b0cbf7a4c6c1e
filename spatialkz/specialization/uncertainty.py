"""What else each quotient could be: within rounding, what is suppressed, or the sampling error of counts."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from spatialkz.errors import InputError
from spatialkz.resampling.pvalues import Floats
from spatialkz.specialization.completions import quotient_range, ratio, sums_of, varies
from spatialkz.specialization.counts.inference import quotient_test
from spatialkz.specialization.margins import table_margins
from spatialkz.specialization.quotients import table_quotients
from spatialkz.tables import ActivityTable
from spatialkz.tables.levels import moved_to_totals

# Sweeps over the totals after which a drawn table meets them closely enough for ranks.
_SWEEPS = 10
# Of the 95 % interval on either side.
_TAIL = 0.025

# Whole numbers up to here are all floats.
_MOST_UNITS = 2.0**53


def check_counts(table: ActivityTable) -> None:
    """Refuse counts whose units could not be told apart one by one.

    Raises
    ------
    InputError
        If a sector has more than 2^53 (about 9e15) units in all.
    """
    totals = table.values.sum()
    if table.kind == "counts" and totals.max() > _MOST_UNITS:
        raise InputError(
            f"{totals.idxmax()} has {totals.max():g} units in all, more than can be counted exactly (9e15); "
            'count in a larger unit, or call them volumes (kind = "volumes").'
        )


def quotient_interval(table: ActivityTable) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lowest and highest value of each quotient.

    Published quotients: all values that the printed one can stand for. Counts: the 95 % interval of
    :func:`spatialkz.specialization.quotient_test` (binomial). Volumes carry no error that is known: the
    quotient, twice; so do counts that are fractions. Where cells are suppressed or rounded, all values over
    what they can be (:func:`spatialkz.specialization.quotient_range`), for counts widened by the lowest and
    highest end that the binomial interval has over them.

    Parameters
    ----------
    table : ActivityTable

    Returns
    -------
    tuple of DataFrame, each regions × sectors

    Examples
    --------
    >>> jobs = pd.DataFrame({"steel": [30, 10], "law": [10, 30]}, index=["North", "South"])
    >>> low, high = quotient_interval(ActivityTable(jobs, kind="counts"))
    >>> print(low.loc["North", "steel"].round(2), high.loc["North", "steel"].round(2))
    1.18 1.75
    """
    if table.kind == "quotients":
        return table.interval()
    if table.kind != "counts" or table.fractions.any(axis=None):
        return quotient_range(table)
    if varies(table):
        return sampled_range(table)
    quotients = table_quotients(table)
    found = quotient_test(table).to_frame()
    low, high = (
        found[end].unstack("sector").loc[quotients.index, quotients.columns] for end in ("low", "high")
    )
    return low, high


def drawn_quotients(table: ActivityTable, size: int, rng: np.random.Generator) -> Floats:
    r"""Draw tables of quotients within their error.

    Published quotients are uniform within their rounding. The units of a counted sector choose regions anew
    by its observed shares, :math:`q^*_j \sim \mathrm{Mult}(q_j, q_{ij} / q_j)`, shares of the base held; a
    cell of 0 stays 0. Volumes, and counts that are fractions, are repeated as they are.

    A suppressed or rounded cell is drawn first, uniformly within its interval, and all such cells are then
    moved within their intervals until printed totals are met (:func:`spatialkz.tables.fill_suppressed` does
    the same from the middles, with more sweeps). Draws are spread over what is possible; no distribution of
    what is hidden is known.

    Parameters
    ----------
    table : ActivityTable
    size : int
        Number of tables.
    rng : Generator

    Returns
    -------
    array, shape (size, regions, sectors)

    Examples
    --------
    >>> jobs = pd.DataFrame({"steel": [30, 10], "law": [10, 30]}, index=["North", "South"])
    >>> drawn = drawn_quotients(ActivityTable(jobs, kind="counts"), 2000, np.random.default_rng(1))
    >>> print(np.quantile(drawn[:, 0, 0], [0.025, 0.975]))
    [1.25 1.75]
    """
    if table.kind == "quotients":
        low, high = (end.to_numpy() for end in table.interval())
        return np.asarray(low + (high - low) * rng.random((size, *low.shape)))
    sampled = table.kind == "counts" and not table.fractions.any(axis=None)
    if varies(table):
        cells, bases = _drawn_tables(table, size, rng)
    elif not sampled:
        return np.broadcast_to(table_quotients(table).to_numpy(), (size, *table.values.shape))
    else:
        cells = np.broadcast_to(table.values.to_numpy(), (size, *table.values.shape))
        bases = table_margins(table).base_shares.to_numpy()
    national = None if table.national is None else table.national.to_numpy()
    sectors = cells.sum(axis=1) if national is None else np.broadcast_to(national, cells.shape[::2])
    shares = ratio(cells, sectors[:, None, :])
    if sampled:
        for j in range(shares.shape[2]):
            shares[:, :, j] = _chosen_anew(sectors[:, j], shares[:, :, j], rng, whole=national is None)
    return np.asarray(shares / bases, dtype=np.float64)


def _chosen_anew(units: Floats, shares: Floats, rng: np.random.Generator, *, whole: bool) -> Floats:
    """Shares of the regions once the units of a sector have chosen regions anew; shape (draws, regions)."""
    whole_units = np.where(units > 0, np.maximum(np.rint(units), 1.0), 0.0).astype(np.int64)
    if not whole:
        # The rest of the country, of which the regions are a part.
        shares = np.hstack([shares, np.maximum(1 - shares.sum(axis=1, keepdims=True), 0.0)])
    same = (whole_units == whole_units[0]).all() and (shares == shares[0]).all()
    drawn = (
        rng.multinomial(int(whole_units[0]), shares[0], len(shares))
        if same
        else rng.multinomial(whole_units, shares)
    )
    found = drawn / np.maximum(whole_units, 1)[:, None]
    return np.asarray(found if whole else found[:, :-1])


def _drawn_tables(table: ActivityTable, size: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Tables drawn within intervals and totals, and their base shares; shape (size, regions, sectors)."""
    levels = table.levels
    least, most = levels.cells.low[:, None], levels.cells.high[:, None]
    cells = least + (most - least) * rng.random((len(least), size))
    drawn = np.broadcast_to(table.values.to_numpy(), (size, *levels.varying.shape)).copy()
    drawn[:, levels.varying] = moved_to_totals(cells, levels, sweeps=_SWEEPS).T
    if table.base is not None:
        return drawn, table_margins(table).base_shares.to_numpy()
    code, names = pd.factorize(table.groups)
    sums = np.stack([drawn[:, :, code == g].sum(axis=2) for g in range(len(names))], axis=2)
    whole = sums.sum(axis=1, keepdims=True)[:, :, code]
    if table.national is not None:
        whole = table_margins(table).base_totals.to_numpy()
    return drawn, np.asarray(sums[:, :, code] / whole)


def sampled_range(table: ActivityTable) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lowest and highest end of the binomial 95 % interval over all that the cells of counts can be.

    An outer interval: the region's share of the sector and its share of the base are bounded one by one.
    """
    sums = sums_of(table)
    low, high = quotient_range(table)
    ends = []
    for end, cell in enumerate(sums.cell):
        other = 1 - end
        sector = np.clip(cell + sums.below[other], sums.sector[0], sums.sector[1])
        rest = np.maximum(sector - cell, 0.0)
        if end == 0:
            some = np.where(cell > 0, cell, 1.0)
            limit = np.where(cell > 0, special.betaincinv(some, rest + 1, _TAIL), 0.0)
        else:
            some = np.where(rest > 0, rest, 1.0)
            limit = np.where(rest > 0, special.betainccinv(cell + 1, some, _TAIL), 1.0)
        ends.append(ratio(limit * sums.whole[end], sums.region[other]))
    return (
        pd.DataFrame(np.minimum(low, ends[0]), index=low.index, columns=low.columns),
        pd.DataFrame(np.maximum(high, ends[1]), index=high.index, columns=high.columns),
    )
