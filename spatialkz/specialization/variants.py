"""Other location quotients: additive, normalized, standardized within a sector, and with neighbors."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from spatialkz.errors import GraphError, InputError, is_number, listing
from spatialkz.options import DegreesLost, ShareOf
from spatialkz.specialization.margins import margins
from spatialkz.tables import check_same_regions, check_table

if TYPE_CHECKING:
    from libpysal.graph import Graph


def additive_quotient(
    values: pd.DataFrame,
    base: pd.Series | pd.DataFrame | None = None,
    *,
    groups: pd.Series | None = None,
    share_of: ShareOf = "base",
    contained: bool = True,
) -> pd.DataFrame:
    r"""Difference of the two shares whose ratio is the location quotient.

    .. math::

        A_{ij} = \frac{q_{ij}}{Q_i} - \frac{q_j}{Q} = \frac{q_j}{Q} (LQ_{ij} - 1)
        \quad\text{or}\quad
        A'_{ij} = \frac{q_{ij}}{q_j} - \frac{Q_i}{Q} = \frac{Q_i}{Q} (LQ_{ij} - 1)

    The first, the additive revealed comparative advantage, says by how much the sector's share of the region
    exceeds its share of the country; in each region it sums to 0 over the sectors, if the base is their sum.
    The second says by how much the region's share of the sector exceeds its share of the base; in each sector
    it sums to 0 over the regions. A share of a total, from −1 to 1; 0 is the national average. A small sector
    (first form) or a small region (second form) never gets far from 0.

    Parameters
    ----------
    values : DataFrame, shape (regions, sectors)
        Volumes or counts, all in one unit.
    base : Series or DataFrame, optional
        Base of each region; with ``groups``, a DataFrame with one column for each group. Left out, the sum of
        the region's row, within each group.
    groups : Series, optional
        Sector → base group.
    share_of : {"base", "sector"}
        ``"base"`` is the first form, shares of the region's base; ``"sector"`` the second.
    contained : bool
        Whether the base contains the sectors and is in their unit, so that no cell may exceed it.

    Returns
    -------
    DataFrame, shape (regions, sectors)

    Raises
    ------
    InputError
        If ``share_of`` is neither, or the margins are bad (see :func:`margins`).
    RegionError
        If the regions of ``base`` are not those of ``values``.

    References
    ----------
    Hoen & Oosterhaven (2006), *Annals of Regional Science* 40, 677–691, for the first form; their formula is
    quoted after a secondary source, the help page of the Stata module ``rca`` (Ansari 2013).

    Examples
    --------
    >>> jobs = pd.DataFrame({"steel": [30, 10], "software": [10, 30]}, index=["North", "South"])
    >>> additive_quotient(jobs)
           steel  software
    North   0.25     -0.25
    South  -0.25      0.25
    """
    if share_of not in get_args(ShareOf):
        raise InputError(f"share_of is {share_of!r}; it must be one of {listing(get_args(ShareOf))}.")
    found = margins(values, base, groups=groups, contained=contained)
    if share_of == "sector":
        return found.sector_shares - found.base_shares
    return found.activity / found.bases - found.sector_totals / found.base_totals


def normalized_rca(
    values: pd.DataFrame,
    base: pd.Series | pd.DataFrame | None = None,
    *,
    groups: pd.Series | None = None,
    contained: bool = True,
) -> pd.DataFrame:
    r"""Normalized revealed comparative advantage: activity beyond the national average, over the whole base.

    .. math:: N_{ij} = \frac{q_{ij}}{Q} - \frac{q_j Q_i}{Q^2} = \frac{Q_i}{Q} \frac{q_j}{Q} (LQ_{ij} - 1)

    Sums to 0 over the regions of each sector, and over the sectors of each region if the base is their sum,
    so that values may be added and compared across regions and sectors. A share of the national base, from
    −1/4 to 1/4; 0 is the national average. With base groups each group has its own :math:`Q`.

    Parameters
    ----------
    values : DataFrame, shape (regions, sectors)
        Volumes or counts, all in one unit.
    base : Series or DataFrame, optional
        Base of each region; with ``groups``, a DataFrame with one column for each group. Left out, the sum of
        the region's row, within each group.
    groups : Series, optional
        Sector → base group.
    contained : bool
        Whether the base contains the sectors and is in their unit, so that no cell may exceed it.

    Returns
    -------
    DataFrame, shape (regions, sectors)

    Raises
    ------
    InputError
        If the margins are bad (see :func:`margins`).
    RegionError
        If the regions of ``base`` are not those of ``values``.

    References
    ----------
    Yu, Cai & Leung (2009), *Annals of Regional Science* 43, 267–282; the abstract was read, the formula is
    secondary.

    Examples
    --------
    >>> jobs = pd.DataFrame({"steel": [30, 10], "software": [10, 30]}, index=["North", "South"])
    >>> normalized_rca(jobs)
           steel  software
    North  0.125    -0.125
    South -0.125     0.125
    """
    found = margins(values, base, groups=groups, contained=contained)
    expected = found.base_shares * found.sector_totals / found.base_totals
    return found.activity / found.base_totals - expected


def standardized_quotient(quotients: pd.DataFrame, *, ddof: DegreesLost = 1) -> pd.DataFrame:
    r"""Standard score of each quotient within its sector, across the regions.

    .. math:: z_{ij} = \frac{LQ_{ij} - \overline{LQ}_j}{s_j}

    with mean and standard deviation over the regions, each counting once. In standard deviations; 0 is the
    mean of the regions, which is not the national average LQ = 1. It is meant to find a sector's exceptional
    regions (z > 1.96 under normality); quotients are skewed, so prefer :func:`log_standardized_quotient` or,
    for counts, a test of each quotient.

    Parameters
    ----------
    quotients : DataFrame, shape (regions, sectors)
        Location quotients.
    ddof : {1, 0}
        1 divides the sum of squares by regions − 1, 0 by regions.

    Returns
    -------
    DataFrame, shape (regions, sectors)

    Raises
    ------
    InputError
        If a cell is negative or missing, or a sector is the same everywhere.

    References
    ----------
    O'Donoghue & Gleave (2004), *Regional Studies* 38, 419–427.

    Examples
    --------
    >>> standardized_quotient(pd.DataFrame({"steel": [0.5, 1.0, 1.5]}))["steel"].tolist()
    [-1.0, 0.0, 1.0]
    """
    return _standard_scores(check_table(quotients, name="quotients", minimum=0), ddof)


def log_standardized_quotient(
    quotients: pd.DataFrame, *, floor: float | None = None, ddof: DegreesLost = 1
) -> pd.DataFrame:
    r"""Standard score of the logarithm of each quotient within its sector, across the regions.

    .. math:: z_{ij} = \frac{\ln LQ_{ij} - \overline{\ln LQ}_j}{s_j}

    The base of the logarithm does not matter. In standard deviations; 0 is the geometric mean of the regions.

    Parameters
    ----------
    quotients : DataFrame, shape (regions, sectors)
        Location quotients.
    floor : float, optional
        Quotients below it count as it. Left out, a quotient of 0, which has no logarithm, is refused. The
        choice moves every score of the sector, so vary it: half the printed precision is one natural value,
        the smallest quotient that one job would give another.
    ddof : {1, 0}
        1 divides the sum of squares by regions − 1, 0 by regions.

    Returns
    -------
    DataFrame, shape (regions, sectors)

    Raises
    ------
    InputError
        If a cell is negative, missing, or 0 without a ``floor``; if ``floor`` is not positive; or if a sector
        is the same everywhere.

    References
    ----------
    Tian (2013), *Journal of Regional Analysis and Policy* 43, 186–197.

    Examples
    --------
    >>> log_standardized_quotient(pd.DataFrame({"steel": [0.5, 1.0, 2.0]}))["steel"].tolist()
    [-1.0, 0.0, 1.0]
    """
    table = check_table(quotients, name="quotients", minimum=0)
    if floor is None:
        empty = [f"{table.index[i]} × {table.columns[j]}" for i, j in np.argwhere(table.to_numpy() == 0)]
        if empty:
            raise InputError(
                f"A logarithm needs positive quotients, but there is 0 in {listing(empty)}; "
                "give floor, the value that smaller quotients count as."
            )
    elif not (is_number(floor) and floor > 0):
        raise InputError(f"floor is {floor}; it must be a positive number.")
    else:
        table = table.clip(lower=floor)
    logarithms = np.log(table.to_numpy())
    return _standard_scores(pd.DataFrame(logarithms, index=table.index, columns=table.columns), ddof)


def _standard_scores(table: pd.DataFrame, ddof: int) -> pd.DataFrame:
    if ddof not in (0, 1):
        raise InputError(f"ddof is {ddof!r}; it must be 0 or 1.")
    low, high = table.min(), table.max()
    # Quotients that are equal but for rounding have no spread to divide by.
    constant = (high - low) <= 1e-12 * np.maximum(1.0, high.abs())
    if constant.any():
        raise InputError(
            f"A standard score needs regions that differ, but they are all the same in "
            f"{listing(table.columns[constant])}."
        )
    return (table - table.mean()) / table.std(ddof=ddof)


def windowed_quotient(
    values: pd.DataFrame,
    graph: Graph,
    base: pd.Series | pd.DataFrame | None = None,
    *,
    groups: pd.Series | None = None,
    self_weight: float = 1.0,
    contained: bool = True,
) -> pd.DataFrame:
    r"""Location quotient of the window around each region: the region and its neighbors, weighted.

    .. math:: WLQ_{ij} = \frac{\sum_k w_{ik} q_{kj} \,/\, \sum_k w_{ik} Q_k}{q_j / Q}

    where the sums contain the region itself with weight :math:`w_{ii}` = ``self_weight``. Cromley and Hanink
    call it the focal location quotient. Dimensionless; above 1 the window is specialized, even if the region
    in its middle is not. Without neighbors it is the simple quotient; with the whole country as window it is
    1. Volumes are averaged, not quotients, so a large neighbor counts for more.

    Parameters
    ----------
    values : DataFrame, shape (regions, sectors)
        Volumes or counts, all in one unit.
    graph : libpysal.graph.Graph
        Keyed by the regions, in any order; regions without neighbors are allowed. Binary weights or a kernel
        that is 1 at distance 0; with row-standardized weights a self-weight of 1 counts as much as all
        neighbors together.
    base : Series or DataFrame, optional
        Base of each region; with ``groups``, a DataFrame with one column for each group. Left out, the sum of
        the region's row, within each group.
    groups : Series, optional
        Sector → base group.
    self_weight : float
        Weight of the region itself, at least 0.
    contained : bool
        Whether the base contains the sectors and is in their unit, so that no cell may exceed it.

    Returns
    -------
    DataFrame, shape (regions, sectors)

    Raises
    ------
    InputError
        If the margins are bad (see :func:`margins`) or ``self_weight`` is negative or missing.
    RegionError
        If the regions of ``base`` or ``graph`` are not those of ``values``.
    GraphError
        If ``graph`` is no graph, repeats a neighbor, has negative or missing weights or a region as its own
        neighbor, or a region has neither neighbors nor a weight of its own.

    References
    ----------
    Cromley & Hanink (2012), *Geographical Analysis* 44, 398–410, eq. (1), after the help page and source of
    the R package lctools 0.2-10 (secondary).

    Examples
    --------
    >>> from spatialkz.geography import graph_from_pairs
    >>> jobs = pd.DataFrame({"steel": [6, 2, 4], "law": [2, 2, 8]}, index=["North", "Center", "South"])
    >>> pairs = pd.DataFrame({"region": ["North"], "neighbor": ["Center"]})
    >>> windowed_quotient(jobs, graph_from_pairs(pairs, jobs.index)).round(3)
            steel    law
    North   1.333  0.667
    Center  1.333  0.667
    South   0.667  1.333
    """
    if not (is_number(self_weight) and self_weight >= 0):
        raise InputError(f"self_weight is {self_weight}; it must be a number of at least 0.")
    found = margins(values, base, groups=groups, contained=contained)
    weights = _weights(graph, found.activity.index)
    alone = (weights.sum(axis=1) + self_weight) == 0
    if alone.any():
        raise GraphError(
            f"A window needs some weight, but {listing(found.activity.index[alone])} has no neighbors and "
            "self_weight is 0."
        )
    activity, bases = found.activity.to_numpy(), found.bases.to_numpy()
    inside = (weights @ activity + self_weight * activity) / (weights @ bases + self_weight * bases)
    national = (found.sector_totals / found.base_totals).to_numpy()
    return pd.DataFrame(inside / national, index=found.activity.index, columns=found.activity.columns)


def _weights(graph: Graph, regions: pd.Index) -> csr_array:
    """Weights of the neighbors in the order of the regions; isolates are empty rows."""
    from libpysal.graph import Graph as GraphClass  # here, because it takes over a second

    if not isinstance(graph, GraphClass):
        raise GraphError(f"graph must be a libpysal.graph.Graph, not {type(graph).__name__}.")
    check_same_regions(pd.Index(graph.unique_ids), regions, "the graph")
    adjacency = graph.adjacency
    if adjacency.index.has_duplicates:
        twice = adjacency.index[adjacency.index.duplicated()]
        raise GraphError(
            f"Each neighbor may stand once, but {listing(' – '.join(map(str, p)) for p in twice)} repeats."
        )
    weights = adjacency.to_numpy(dtype=float)
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise GraphError("Weights of a graph must be numbers of at least 0.")
    rows = regions.get_indexer(adjacency.index.get_level_values(0))
    columns = regions.get_indexer(adjacency.index.get_level_values(1))
    if (weights[rows == columns] > 0).any():
        raise GraphError("A region cannot be its own neighbor; its weight in the window is self_weight.")
    return csr_array((weights, (rows, columns)), shape=(len(regions), len(regions)))
