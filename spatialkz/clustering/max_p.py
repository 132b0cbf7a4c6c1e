"""As many contiguous clusters as a floor on their size allows (max-p-regions)."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from spatialkz.clustering.contiguous import contiguity, within_squares
from spatialkz.errors import GraphError, InputError, listing
from spatialkz.randomness import generator
from spatialkz.results import frozen
from spatialkz.tables import check_same_regions, check_table

Matrix: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.intp]


def max_p(
    features: pd.DataFrame,
    graph: Graph,
    floor: float,
    *,
    sizes: pd.Series | None = None,
    starts: int = 200,
    rng: int | np.random.Generator | None = None,
) -> pd.Series:
    """Group regions into as many contiguous clusters as possible, none smaller than a floor.

    The number of clusters is a result here, not a choice. Heuristic: from many random starts clusters are
    grown over neighbors until they reach the floor, regions left over join the neighboring cluster whose
    mean is nearest, and regions then move between clusters while that lowers the within-cluster sum of
    squares and keeps floor and contiguity. Of the partitions with most clusters the one with the least sum
    of squares is returned; neither number is proved optimal. (spopt's heuristic may run without end where
    no region that could leave its cluster touches another.)

    Parameters
    ----------
    features : DataFrame
        Rows are regions, columns indicators on comparable scales.
    graph : Graph
        Keyed by the same regions, in any order.
    floor : float
        Least size of a cluster, in units of ``sizes``.
    sizes : Series, optional
        Size of each region, at least 0, such as population; left out, 1: the floor counts regions.
    starts : int
    rng : int, Generator or None

    Returns
    -------
    Series
        Region → cluster 1, 2 …, numbered by descending mean of the features.

    Raises
    ------
    InputError
        If cells are missing, sizes are negative, or the floor is not above 0.
    RegionError
        If the inputs do not carry the same regions.
    GraphError
        If a region has no neighbor, or a part of the graph is smaller than the floor.

    References
    ----------
    Duque, Anselin & Rey (2012), *J. Regional Science* 52, 397–419; Wei, Rey & Knaap (2021), *Int. J.
    Geographical Information Science* 35, 1384–1405.

    Examples
    --------
    >>> features = pd.DataFrame({"x": [0.0, 1.0, 9.0, 10.0]}, index=list("abcd"))
    >>> graph = Graph.from_arrays([*"abbccd"], [*"bacbdc"], [1.0] * 6)
    >>> max_p(features, graph, 2, rng=1).to_dict()
    {'a': 2, 'b': 2, 'c': 1, 'd': 1}
    """
    table = check_table(features, name="features")
    order, table = table.index, table.sort_index()
    regions, points = table.index, table.to_numpy()
    touching = contiguity(graph, regions)
    size = np.ones(len(regions)) if sizes is None else _sizes(sizes, regions)
    if not floor > 0:
        raise InputError(f"floor is {floor!r}; it must be above 0.")
    _, part = connected_components(touching, directed=False)
    short = np.bincount(part, size) < floor
    if short.any():
        raise GraphError(
            f"A part of the graph is smaller than the floor of {floor:g}: {listing(regions[short[part]])}."
        )
    draw = generator(rng, "max_p")
    grown = [_grown(points, touching, size, floor, draw) for _ in range(starts)]
    most = max(labels.max() for labels in grown)
    best = min(
        (_improved(points, touching, size, floor, labels) for labels in grown if labels.max() == most),
        key=lambda labels: within_squares(points, labels),
    )
    height = pd.Series(points.mean(axis=1)).groupby(best).mean()
    rank = (-height).rank(method="first").astype(np.intp).to_numpy()
    return frozen(pd.Series(rank[best], index=regions, name="cluster").loc[order])


def _grown(
    points: Matrix, touching: csr_array, size: Matrix, floor: float, draw: np.random.Generator
) -> Labels:
    """Clusters grown at random to the floor; what is left over joins the nearest neighboring cluster."""
    labels = np.full(len(points), -1, dtype=np.intp)
    for seed in draw.permutation(len(points)):
        if labels[seed] >= 0:
            continue
        members = [seed]
        while size[members].sum() < floor:
            edge = np.setdiff1d(touching[members].indices, members)
            edge = edge[labels[edge] < 0]
            if not len(edge):
                break
            members.append(draw.choice(edge))
        else:
            labels[members] = labels.max() + 1
    while (labels < 0).any():
        left, near = touching.nonzero()
        open_ends = (labels[left] < 0) & (labels[near] >= 0)
        left, joined = left[open_ends], labels[near[open_ends]]
        means = np.array([points[labels == name].mean(axis=0) for name in range(labels.max() + 1)])
        nearest = ((points[left] - means[joined]) ** 2).sum(axis=1).argmin()
        labels[left[nearest]] = joined[nearest]
    return labels


def _improved(points: Matrix, touching: csr_array, size: Matrix, floor: float, labels: Labels) -> Labels:
    """Single moves between neighboring clusters while they lower the within-cluster sum of squares."""
    labels = labels.copy()

    def cost(members: Labels, region: int) -> float:
        # What the sum of squares grows by when the region joins these members.
        square = ((points[members].mean(axis=0) - points[region]) ** 2).sum()
        return float(len(members) / (len(members) + 1) * square)

    moved = True
    while moved:
        moved = False
        for region in range(len(labels)):
            home = labels[region]
            others = np.setdiff1d(labels[touching[[region]].indices], home)
            stay = np.setdiff1d(np.flatnonzero(labels == home), region)
            if not len(others) or not len(stay) or size[stay].sum() < floor:
                continue
            costs = [cost(np.flatnonzero(labels == other), region) for other in others]
            cheapest = int(np.argmin(costs))
            # The margin keeps rounding from moving a region to and fro.
            lower = costs[cheapest] < cost(stay, region) * (1 - 1e-12)
            if lower and connected_components(touching[stay][:, stay])[0] == 1:
                labels[region], moved = others[cheapest], True
    return labels


def _sizes(sizes: pd.Series, regions: pd.Index) -> Matrix:
    table = check_table(sizes.rename("size"), name="sizes", minimum=0)
    check_same_regions(table.index, regions, "sizes", "features")
    size: Matrix = table.loc[regions, "size"].to_numpy()
    return size
