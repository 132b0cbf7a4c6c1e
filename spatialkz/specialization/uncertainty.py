"""What else each quotient of a table could be: within its rounding, or the sampling error of counts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from spatialkz.inference import Floats
from spatialkz.specialization.counts.quotient_test import quotient_test
from spatialkz.specialization.margins import margins
from spatialkz.specialization.quotients import table_quotients
from spatialkz.tables import ActivityTable


def quotient_interval(table: ActivityTable) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lowest and highest value of each quotient.

    Published quotients: all values that the printed one can stand for. Counts: the 95 % interval of
    :func:`spatialkz.specialization.quotient_test` (binomial). Volumes carry no error that is known: the
    quotient, twice.

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
    if table.kind != "counts":
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
    known = margins(table.values, table.base, groups=table.groups, contained=table.contained)
    base, total = known.base_shares.to_numpy(), known.sector_totals.to_numpy()
    drawn = np.empty((size, *base.shape))
    for j, share in enumerate(known.sector_shares.to_numpy().T):
        drawn[:, :, j] = rng.multinomial(round(total[j]), share, size=size) / total[j]
    return np.asarray(drawn / base, dtype=np.float64)
