"""What a candidate is by two readings: stars of the European Cluster Observatory, and how it came about.

Stars count size, specialization and focus. By its formation a candidate is linked to related specializations,
or a spin-off where there are none.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, floor
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from libpysal.graph import Graph
from numpy.typing import NDArray

from spatialkz.errors import InputError, is_number, listing
from spatialkz.geography import aligned
from spatialkz.options import StarRounding, StarsWithin
from spatialkz.resampling.pvalues import Floats
from spatialkz.specialization.relatedness import checked_proximity
from spatialkz.tables import check_same_regions, check_table

Measured: TypeAlias = pd.DataFrame | tuple[pd.DataFrame, pd.DataFrame]
Bools = npt.NDArray[np.bool_]

# 0.1 × 30 is a little more than 3 in floating point, and its ceiling must be 3.
_SLACK = 1e-9
_ROUNDED: dict[str, Callable[[float], int]] = {
    "ceil": lambda number: ceil(number - _SLACK),
    "floor": lambda number: floor(number + _SLACK),
    "round": lambda number: floor(number + 0.5 + _SLACK),
}


def stars(
    size: Measured,
    specialization: Measured,
    focus: Measured,
    *,
    size_share: float = 0.10,
    specialization_at: float = 2.0,
    focus_share: float = 0.10,
    rounding: StarRounding = "ceil",
    size_within: StarsWithin = "sector",
    focus_within: StarsWithin = "table",
) -> pd.DataFrame:
    r"""Up to three stars for each region × sector: size, specialization and focus.

    - *size*: among the top 10 % of the regions in the same sector (cluster category),
    - *specialization*: location quotient of at least 2,
    - *focus*: among the top 10 % of all region × sector cells by share of the region's own total.

    The top *s* of *N* cells are :math:`k = \mathrm{round}(sN)` cells: of 17 regions 10 % are 1.7, which
    ``rounding`` makes 2 (``ceil``, ``round``) or 1 (``floor``). A cell is in the top if fewer than *k*
    others are larger, so cells tied at the border all are; a cell of 0 never is.

    Of a measure known as an interval a star is *certain* if the cell earns it whatever the values within the
    intervals are (fewer than *k* others could be larger than its low end) and *possible* if some values would
    earn it (fewer than *k* others are certainly larger than its high end). Intervals are taken as
    independent: where a total ties values to each other, a star may be called possible that no table
    allows.

    Parameters
    ----------
    size, specialization, focus : DataFrame, or (low, high) pair of DataFrames
        Rows are regions, columns sectors. Size in any unit that compares within a sector; specialization as
        location quotients; focus as share of the region's total.
    size_share, focus_share : float
        Share of cells in the top, in (0, 1].
    specialization_at : float
        Location quotient that earns the star.
    rounding : {"ceil", "floor", "round"}
        What becomes of a fraction of a cell; ``round`` takes a half up.
    size_within, focus_within : {"sector", "region", "table"}
        The cells compared: the same sector, the same region, or all.

    Returns
    -------
    DataFrame
        Index (region, sector); columns ``size_certain, size_possible, specialization_certain,
        specialization_possible, focus_certain, focus_possible`` (bool) and ``stars_low, stars_high`` (0–3).

    Raises
    ------
    InputError
        If a share makes a top of no cell, a low end is above its high end, or a cell is missing or negative.
    RegionError
        If the tables differ in regions or sectors.

    References
    ----------
    European Cluster Observatory, *Evaluation of regional cluster strength* (methodology page,
    clusterobservatory.eu): size "within the same cluster category", quotient of 2 or more, top 10 % by focus.

    Examples
    --------
    >>> size = pd.DataFrame({"steel": [5.0, 3.0, 0.0]}, index=["North", "South", "West"])
    >>> lq = pd.DataFrame({"steel": [2.4, 1.9, 0.0]}, index=size.index)
    >>> found = stars(size, (lq - 0.1, lq + 0.1), size / 20)
    Traceback (most recent call last):
    spatialkz.errors.InputError: specialization (low) must be at least 0, but West × steel is -0.1.
    >>> found = stars(size, (lq * 0.9, lq * 1.1), size / 20)
    >>> found.loc[("South", "steel"), ["specialization_certain", "specialization_possible"]].tolist()
    [False, True]
    >>> found["stars_low"].tolist(), found["stars_high"].tolist()
    ([3, 0, 0], [3, 1, 0])
    """
    if rounding not in _ROUNDED:
        raise InputError(f"rounding is {rounding!r}; it must be one of {listing(_ROUNDED)}.")
    if not is_number(specialization_at) or not specialization_at > 0:
        raise InputError(f"specialization_at is {specialization_at}; it must be a positive number.")
    sizes = _interval(size, "size", None)
    quotients = _interval(specialization, "specialization", sizes[0])
    shares = _interval(focus, "focus", sizes[0])
    found: dict[str, Bools] = {}
    found["size_certain"], found["size_possible"] = _top(
        sizes, size_share, _ROUNDED[rounding], size_within, "size"
    )
    for name, quotient in zip(("certain", "possible"), quotients, strict=True):
        found[f"specialization_{name}"] = quotient.to_numpy() >= specialization_at
    found["focus_certain"], found["focus_possible"] = _top(
        shares, focus_share, _ROUNDED[rounding], focus_within, "focus"
    )
    index = pd.MultiIndex.from_product([sizes[0].index, sizes[0].columns], names=["region", "sector"])
    table = pd.DataFrame({name: cells.ravel() for name, cells in found.items()}, index=index)
    for column, kind in (("stars_low", "certain"), ("stars_high", "possible")):
        table[column] = table[[f"{name}_{kind}" for name in ("size", "specialization", "focus")]].sum(axis=1)
    return table


def _interval(measured: Measured, name: str, like: pd.DataFrame | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Low and high end, with the rows and columns of ``like``."""
    pair = measured if isinstance(measured, tuple) else (measured, measured)
    if len(pair) != 2:
        raise InputError(f"{name} is a tuple of {len(pair)} tables; a low and a high one are expected.")
    ends = []
    for values, end in zip(pair, ("low", "high"), strict=True):
        called = name if pair[0] is pair[1] else f"{name} ({end})"
        table = check_table(values, name=called, minimum=0.0)
        like = table if like is None else like
        check_same_regions(table.index, like.index, called, "size")
        check_same_regions(table.columns, like.columns, called, "size")
        ends.append(table.loc[like.index, like.columns])
    low, high = ends
    crossed = np.argwhere(low.to_numpy() > high.to_numpy())
    if len(crossed):
        cells = [f"{low.index[i]} × {low.columns[j]}" for i, j in crossed]
        raise InputError(f"The low end of {name} is above its high end in {listing(cells)}.")
    return low, high


def _top(
    interval: tuple[pd.DataFrame, pd.DataFrame],
    share: float,
    rounded: Callable[[float], int],
    within: StarsWithin,
    name: str,
) -> tuple[Bools, Bools]:
    """Which cells are certainly, and which possibly, among the top ``share``."""
    if not is_number(share) or not 0 < share <= 1:
        raise InputError(f"{name}_share is {share}; it must be above 0 and at most 1.")
    arranged: dict[str, Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]] = {
        "sector": lambda cells: cells.T,
        "region": lambda cells: cells,
        "table": lambda cells: cells.reshape(1, -1),
    }
    if within not in arranged:
        raise InputError(f"{name}_within is {within!r}; it must be one of {listing(arranged)}.")
    low, high = (arranged[within](table.to_numpy()) for table in interval)
    number = low.shape[1]
    top = rounded(share * number)
    if top < 1:
        raise InputError(
            f"{share:.0%} of {number} cells are rounded to none, so no cell could earn the star for {name}."
        )
    certain, possible = np.empty(low.shape, dtype=np.bool_), np.empty(low.shape, dtype=np.bool_)
    for row, (bottom, ceiling) in enumerate(zip(low, high, strict=True)):
        # Others that could be larger: all high ends above the own low end, but for the own one.
        larger = number - np.searchsorted(np.sort(ceiling), bottom, side="right") - (ceiling > bottom)
        certain[row] = (larger < top) & (bottom > 0)
        larger = number - np.searchsorted(np.sort(bottom), ceiling, side="right")
        possible[row] = (larger < top) & (ceiling > 0)
    shape = interval[0].shape
    if within == "sector":
        return certain.T, possible.T
    return certain.reshape(shape), possible.reshape(shape)


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
