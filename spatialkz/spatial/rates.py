"""Moran's I of rates whose populations differ: the empirical Bayes index of Assunção and Reis.

The standardization is esda's; its loop over ``Moran_Rate`` is not (3,025 regions × 20 variables, 999
permutations: 0.9 s, 0.03 s here).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from libpysal.graph import Graph

from spatialkz.errors import InputError, listing
from spatialkz.options import Alternative, MoranMethod
from spatialkz.spatial.moran import MoranTest, moran
from spatialkz.tables import check_same_regions, check_table


def rate_deviates(events: pd.DataFrame | pd.Series, population: pd.Series) -> pd.DataFrame:
    r"""Rates in standard deviations from the overall rate, each region by its own population.

    .. math:: z_i = \frac{p_i - b}{\sqrt{v_i}}, \quad p_i = \frac{e_i}{P_i}, \quad
        b = \frac{\sum e}{\sum P}, \quad v_i = a + \frac{b}{P_i}, \quad
        a = \frac{\sum_i P_i (p_i - b)^2}{\sum P} - \frac{b}{\bar P}

    where :math:`v_i` would be negative it is :math:`b / P_i`.

    Parameters
    ----------
    events : DataFrame or Series
        Counts, not negative; rows are regions, columns kinds of event.
    population : Series
        Population at risk (of the same unit for all regions), positive; the same regions in any order.

    Returns
    -------
    DataFrame
        Like ``events``; no unit.

    Raises
    ------
    InputError
        If a cell is missing, an event count is negative, no event happened, or a population is not positive.
    RegionError
        If events and population differ in their regions.

    References
    ----------
    Assunção & Reis (1999), *Statistics in Medicine* 18, 2147–2162.

    Examples
    --------
    >>> events = pd.Series([3, 1, 0, 4], index=list("abcd"), name="events")
    >>> people = pd.Series([100, 50, 60, 90], index=list("abcd"))
    >>> rate_deviates(events, people)["events"].round(3).tolist()
    [0.264, -0.323, -1.453, 1.294]
    """
    counts = check_table(events, name="events", minimum=0.0)
    if not isinstance(population, pd.Series):
        raise InputError(f"population must be a pandas Series, not {type(population).__name__}.")
    people = check_table(population.rename("population"), name="population")["population"]
    check_same_regions(people.index, counts.index, "the population", against="the table of events")
    people = people.loc[counts.index]
    if (people <= 0).any():
        raise InputError(
            f"A rate needs a positive population; not so in {listing(people.index[people <= 0])}."
        )
    none = counts.columns[counts.sum() == 0]
    if len(none):
        raise InputError(f"A rate needs events in some region; there are none of {listing(none)}.")
    from esda.smoothing import assuncao_rate

    found: pd.DataFrame = counts.apply(lambda kind: assuncao_rate(kind.to_numpy(), people.to_numpy()))
    return found


def rate_moran(
    events: pd.DataFrame | pd.Series,
    population: pd.Series,
    graph: Graph,
    *,
    method: MoranMethod = "permutation",
    permutations: int = 9999,
    alternative: Alternative = "two-sided",
    rng: int | np.random.Generator | None = None,
) -> MoranTest:
    r"""Moran's I of :func:`rate_deviates`: rates of small populations weigh no more than they should.

    Null hypothesis: the standardized rates are arranged over the regions without regard to neighborhood. Raw
    rates would break it even without any pattern, as those of small populations vary more.

    Parameters
    ----------
    events, population
        As in :func:`rate_deviates`.
    graph, method, permutations, alternative, rng
        As in :func:`spatialkz.spatial.moran`.

    Returns
    -------
    MoranTest

    Raises
    ------
    InputError, RegionError, GraphError
        As :func:`rate_deviates` and :func:`spatialkz.spatial.moran`.

    References
    ----------
    Assunção & Reis (1999), *Statistics in Medicine* 18, 2147–2162 (``spdep::EBImoran.mc`` with
    ``subtract_mean_in_numerator=TRUE``, ``esda.Moran_Rate``).

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> events = pd.Series(range(17), index=study.table.regions, name="events")
    >>> people = pd.Series(1000.0, index=study.table.regions)
    >>> bool(rate_moran(events, people, study.graph, rng=1).to_frame().loc["events", "p_value"] > 0)
    True
    """
    return moran(
        rate_deviates(events, population),
        graph,
        method=method,
        permutations=permutations,
        alternative=alternative,
        rng=rng,
    )
