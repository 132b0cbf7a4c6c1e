"""How a candidate came about: linked to related specializations, or a spin-off where there are none."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from numpy.typing import NDArray

from spatialkz.errors import InputError, is_number
from spatialkz.geography import aligned
from spatialkz.resampling.pvalues import Floats
from spatialkz.specialization.relatedness import checked_proximity
from spatialkz.tables import check_table

Ints: TypeAlias = NDArray[np.intp]


class _Cells(NamedTuple):
    """Positions of the candidates."""

    region: Ints
    sector: Ints


def formation(
    quotients: pd.DataFrame,
    graph: Graph,
    proximity: pd.DataFrame | None = None,
    *,
    threshold: float = 1.0,
    related: float = 0.5,
) -> pd.DataFrame:
    r"""Formation path of every candidate (region × sector with LQ ≥ threshold).

    Centers of a new technology form either *linked* to places where related activity is, or as a *spin-off*
    in a place without, around one leading organization or sector (Shapira & Youtie 2008). Here a candidate
    :math:`(i, j)` is linked if a specialization is related to it by at least ``related``, either another
    one in the region or any in a neighboring region:

    .. math:: \max_{k \ne j:\, M_{ik} = 1} \phi_{jk} \ge c \quad\text{or}\quad
        \max_{k:\, M_{hk} = 1,\, h \sim i} \phi_{jk} \ge c, \qquad \phi_{jj} = 1.

    Without given proximities, :math:`\phi` is the smaller conditional probability
    (:func:`spatialkz.specialization.proximity`) over all regions *but i*: two sectors that are together only
    here are no evidence of being related. With few regions it is rough; the numbers stand beside the path.

    Parameters
    ----------
    quotients : DataFrame, shape (regions, sectors)
    graph : Graph
        Who neighbors whom.
    proximity : DataFrame, shape (sectors, sectors), optional
        Proximities from a larger economy, symmetric, from 0 to 1; they are used as they are.
    threshold : float
        The quotient from which a region counts as specialized, positive.
    related : float
        The proximity :math:`c` from which two sectors count as related, above 0 and at most 1. At 0.5, the
        region of one sector has the other at least every second time, whichever is the more common.

    Returns
    -------
    DataFrame
        Index ``(region, sector)``; ``lq``, ``leading`` (largest quotient of the region), ``path`` (``linked``
        or ``spin-off``), ``link`` (``region``, ``neighbor``, ``both`` or empty), ``home_proximity,
        home_sector`` (the closest other specialization of the region) and ``near_proximity, near_sector,
        near_region`` (the closest one of a neighbor, there with the largest quotient). A proximity is 0 and
        the names are empty where there is none.

    Raises
    ------
    InputError
        If a cell is negative or missing, an option is out of range, or the proximities are not of these
        sectors, negative, above 1 or asymmetric.
    RegionError, GraphError
        If the graph does not carry these regions.

    References
    ----------
    Shapira & Youtie (2008), *Economic Development Quarterly* 22, 187–199; the rule is ours.

    Examples
    --------
    >>> from libpysal.graph import Graph
    >>> lq = pd.DataFrame({"chips": [2.0, 1.5, 1.2, 0], "code": [1.5, 2.0, 0, 0]}, index=list("abcd"))
    >>> lq["steel"] = [0, 0, 0, 3.0]
    >>> ring = Graph.from_adjacency(
    ...     pd.DataFrame({"focal": list("abcd"), "neighbor": list("badc"), "weight": 1})
    ... )
    >>> formation(lq, ring)["path"].to_dict()
    {('a', 'chips'): 'linked', ('a', 'code'): 'linked', ('b', 'chips'): 'linked',
     ('b', 'code'): 'linked', ('c', 'chips'): 'spin-off', ('d', 'steel'): 'spin-off'}
    """
    table = check_table(quotients, name="quotients", minimum=0)
    for name, value, most in (("threshold", threshold, np.inf), ("related", related, 1.0)):
        if not is_number(value) or not 0 < value <= most:
            raise InputError(f"{name} is {value}; it must be positive and at most {most:g}.")
    weights = aligned(graph, table.index).sparse.tocsr()
    lq = table.to_numpy()
    specialized = lq >= threshold
    cells = _Cells(*np.nonzero(specialized))
    phi = (
        _proximity_elsewhere(specialized, cells)
        if proximity is None
        else checked_proximity(proximity, table.columns)[cells.sector]
    )
    if phi.size and phi.max() > 1:
        raise InputError(f"proximity must be at most 1, but the largest is {phi.max():g}.")
    own = np.arange(len(cells.sector)), cells.sector
    phi[own] = 1.0
    # Where a neighbor is specialized; the largest quotient among the neighbors says it.
    nearby = np.maximum.reduceat(lq[weights.indices], weights.indptr[:-1], axis=0)
    near = np.where(nearby[cells.region] >= threshold, phi, 0.0)
    home = np.where(specialized[cells.region], phi, 0.0)
    home[own] = 0.0
    # As objects, so that labels of any kind can stand beside none.
    regions, sectors = (labels.astype(object).to_numpy() for labels in table.axes)
    closest = {}
    for where, candidates in (("home", home), ("near", near)):
        position = candidates.argmax(axis=1) if len(candidates) else np.empty(0, dtype=np.intp)
        value = candidates[np.arange(len(candidates)), position]
        closest[where] = (value, position, np.where(value > 0, sectors[position], ""))
    hosts = [
        neighbors[lq[neighbors, k].argmax()]
        for i, k in zip(cells.region, closest["near"][1], strict=True)
        for neighbors in [weights.indices[weights.indptr[i] : weights.indptr[i + 1]]]
    ]
    at_home, at_neighbor = closest["home"][0] >= related, closest["near"][0] >= related
    link = np.select([at_home & at_neighbor, at_home, at_neighbor], ["both", "region", "neighbor"], "")
    return pd.DataFrame(
        {
            "lq": lq[cells],
            "leading": lq[cells] == lq.max(axis=1)[cells.region],
            "path": np.where(at_home | at_neighbor, "linked", "spin-off"),
            "link": link,
            "home_proximity": closest["home"][0],
            "home_sector": closest["home"][2],
            "near_proximity": closest["near"][0],
            "near_sector": closest["near"][2],
            "near_region": np.where(closest["near"][0] > 0, regions[np.array(hosts, dtype=np.intp)], ""),
        },
        index=pd.MultiIndex.from_arrays(
            [table.index[cells.region], table.columns[cells.sector]], names=["region", "sector"]
        ),
    )


def region_formation(cells: pd.DataFrame, regions: pd.Index) -> pd.DataFrame:
    """Formation path of each region from those of its candidates.

    Parameters
    ----------
    cells : DataFrame
        Result of :func:`formation`.
    regions : Index
        All regions.

    Returns
    -------
    DataFrame
        Index ``region``; ``formation`` (``linked`` if at least one candidate is, ``spin-off`` if there are
        candidates and none is, ``none`` without candidates), ``candidates, linked`` (numbers), and
        ``leading_sector, leading_path`` (of the largest quotient among the candidates; empty without).

    Examples
    --------
    >>> cells = pd.DataFrame(
    ...     {"path": ["spin-off"], "lq": [3.0]}, index=pd.MultiIndex.from_tuples([("d", "steel")])
    ... )
    >>> region_formation(cells, pd.Index(["c", "d"]))["formation"].to_dict()
    {'c': 'none', 'd': 'spin-off'}
    """
    path = cells["path"].rename_axis(["region", "sector"])
    counts = pd.DataFrame(
        {
            "candidates": path.groupby("region").size(),
            "linked": (path == "linked").groupby("region").sum(),
        }
    ).reindex(regions, fill_value=0)
    first = cells["lq"].rename_axis(["region", "sector"]).groupby("region").idxmax()
    leading = pd.DataFrame(
        {
            "leading_sector": [sector for _, sector in first],
            "leading_path": [path[label] for label in first],
        },
        index=first.index,
        dtype=object,
    ).reindex(regions, fill_value="")
    kinds = np.select([counts["linked"] > 0, counts["candidates"] > 0], ["linked", "spin-off"], "none")
    table = pd.concat([counts, leading], axis=1).rename_axis(index="region")
    table.insert(0, "formation", kinds)
    return table


def _proximity_elsewhere(specialized: NDArray[np.bool_], cells: _Cells) -> Floats:
    """Proximity of each candidate's sector to every sector, over all regions but its own."""
    marks = specialized.astype(np.int64)
    # The candidate's own sector is present here, so leaving the region out takes away its whole row.
    here = marks[cells.region]
    together = (marks.T @ marks)[cells.sector] - here
    ubiquity = marks.sum(axis=0)
    larger = np.maximum(ubiquity[cells.sector][:, None] - 1, ubiquity[None, :] - here)
    phi: Floats = np.divide(together, larger, out=np.zeros(larger.shape), where=larger > 0)
    return phi
