"""The location quotient of a region together with its neighbors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from spatialkz.errors import GraphError, InputError, listing
from spatialkz.specialization.margins import margins
from spatialkz.tables import check_same_regions

if TYPE_CHECKING:
    from libpysal.graph import Graph


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
    if not (np.isfinite(self_weight) and self_weight >= 0):
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
