"""What else each quotient of a table could be: within its rounding, or the sampling error of counts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from spatialkz.errors import InputError
from spatialkz.inference import Floats
from spatialkz.specialization.counts.quotient_test import quotient_test
from spatialkz.specialization.margins import margins
from spatialkz.specialization.quotients import table_quotients
from spatialkz.tables import ActivityTable

# Whole numbers up to here are all floats.
_MOST_UNITS = 2.0**53


def counted_whole(table: ActivityTable) -> bool:
    """Whether the table brings counts, and all of them whole numbers, as tests of counts need.

    >>> jobs = pd.DataFrame({"steel": [30, 10.5], "law": [10, 30]}, index=["North", "South"])
    >>> counted_whole(ActivityTable(jobs, kind="counts"))
    False
    """
    parts = [table.values] if table.base is None else [table.values, table.base]
    return table.kind == "counts" and not any((part.to_numpy() % 1).any() for part in parts)


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
            f"{totals.idxmax()} has {totals.max():g} units in all, more than can be told apart (9e15); "
            'count in a larger unit, or call them volumes (kind = "volumes").'
        )


def quotient_interval(table: ActivityTable) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lowest and highest value of each quotient.

    Published quotients: all values that the printed one can stand for. Counts: the 95 % interval of
    :func:`spatialkz.specialization.quotient_test` (binomial). Volumes, and counts that are no whole numbers,
    carry no error that is known: the quotient, twice.

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
    quotients = table_quotients(table)
    if not counted_whole(table):
        return quotients, quotients
    found = quotient_test(table).to_frame()
    low, high = (
        found[end].unstack("sector").loc[quotients.index, quotients.columns] for end in ("low", "high")
    )
    return low, high


def drawn_quotients(table: ActivityTable, size: int, rng: np.random.Generator) -> Floats:
    r"""Draw tables of quotients within their error.

    Published quotients are uniform within their rounding. The units of a counted sector choose regions anew
    by its observed shares, :math:`q^*_j \sim \mathrm{Mult}(q_j, q_{ij} / q_j)`, shares of the base held; a
    cell of 0 stays 0. Volumes are repeated as they are.

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
    if table.kind != "counts":
        return np.broadcast_to(table_quotients(table).to_numpy(), (size, *table.values.shape))
    check_counts(table)
    known = margins(table.values, table.base, groups=table.groups, contained=table.contained)
    base, total = known.base_shares.to_numpy(), known.sector_totals.to_numpy()
    drawn = np.empty((size, *base.shape))
    for j, share in enumerate(known.sector_shares.to_numpy().T):
        # Fractions, such as full-time equivalents, are units in all, if not in each region.
        units = max(1, round(total[j]))
        drawn[:, :, j] = rng.multinomial(units, share, size=size) / units
    return np.asarray(drawn / base, dtype=np.float64)
