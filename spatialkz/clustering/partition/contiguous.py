"""Clusters that hang together on the map: Ward with contiguity, SKATER, region k-means and max-p."""

from __future__ import annotations

import heapq
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist

from spatialkz.clustering.partition.hierarchical import linkage_matrix
from spatialkz.clustering.partition.labels import Labels, Matrix, sum_of_squares
from spatialkz.errors import GraphError, InputError, is_number, listing
from spatialkz.geography import aligned
from spatialkz.randomness import generator, seeded_globals
from spatialkz.resampling.pvalues import check_number
from spatialkz.results import frozen
from spatialkz.tables import check_same_regions, check_table

if TYPE_CHECKING:
    from libpysal.weights import W


def contiguity(graph: Graph, regions: pd.Index, *, k: int | None = None) -> csr_array:
    """Who touches whom, 0 and 1, symmetric, in the order of ``regions``.

    Two regions touch if either names the other, whatever the weight.

    Parameters
    ----------
    graph : Graph
        Keyed by the same regions, in any order.
    regions : Index
    k : int, optional
        Number of clusters wanted; a graph with more connected components is refused.

    Raises
    ------
    RegionError
        If graph and regions do not carry the same labels.
    GraphError
        If a region has no neighbor, or the graph has more than k connected components; names the regions.

    Examples
    --------
    >>> graph = Graph.from_arrays(["a", "b", "b", "c"], ["b", "a", "c", "b"], [0.5, 1.0, 1.0, 1.0])
    >>> contiguity(graph, pd.Index(["c", "b", "a"])).toarray()
    array([[0., 1., 0.],
           [1., 0., 1.],
           [0., 1., 0.]])
    """
    named = csr_array(aligned(graph, regions).sparse)
    touching = csr_array((named + named.T) > 0, dtype=np.float64)
    touching.eliminate_zeros()
    if k is not None:
        check_parts(touching, k, regions)
    return touching


def check_parts(touching: csr_array, k: int, regions: pd.Index | None = None) -> int:
    """Number of connected components of the graph, if k contiguous clusters can exist on it.

    Raises
    ------
    GraphError
        If the graph has more than k connected components.
    """
    parts, part = connected_components(touching, directed=False)
    if parts > k:
        names = pd.RangeIndex(len(part)) if regions is None else regions
        shown = " | ".join(listing(names[part == number], 3) for number in range(parts))
        raise GraphError(
            f"The graph has {parts} connected components ({shown}), so {k} contiguous clusters cannot "
            "cover it; "
            "ask for more clusters or take a connected graph."
        )
    return int(parts)


def ward_forest(points: Matrix, touching: csr_array) -> Matrix:
    """Tree of Ward's merges between clusters that touch.

    Heights are as in SciPy, and may fall under contiguity. Connected components never merge:
    the last rows join them at infinite height, to make the tree whole.

    Parameters
    ----------
    points : array, shape (regions, features)
    touching : sparse array, shape (regions, regions)

    Returns
    -------
    array, shape (regions − 1, 4)
        Linkage matrix in the order of the merges; cut it with :func:`.hierarchical.cut`.

    Examples
    --------
    >>> line = csr_array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    >>> ward_forest(np.array([[0.0], [9.0], [1.0]]), line).round(2)
    array([[1.  , 2.  , 8.  , 2.  ], [0.  , 3.  , 5.77, 3.  ]])
    """
    from sklearn.cluster import ward_tree

    parts, part = connected_components(touching, directed=False)
    sequences = []
    for number in range(parts):
        members = np.flatnonzero(part == number)
        if len(members) < 2:
            continue
        children, _, _, _, heights = ward_tree(
            points[members], connectivity=touching[members][:, members], return_distance=True
        )
        # A node is named by one of its regions.
        node = members.tolist()
        merges = []
        for (first, second), height in zip(children, heights, strict=True):
            merges.append((float(height), (node[first], node[second])))
            node.append(node[first])
        sequences.append(merges)
    # Parts do not disturb each other: the cheapest merge next, in the order of each part.
    made = list(heapq.merge(*sequences, key=lambda merge: merge[0]))
    heads = np.unique(part, return_index=True)[1]
    made += [(np.inf, (int(heads[0]), int(head))) for head in heads[1:]]
    pairs = np.array([pair for _, pair in made], dtype=np.intp).reshape(-1, 2)
    return linkage_matrix(pairs, np.array([height for height, _ in made]))


def skater_partitions(points: Matrix, touching: csr_array, ks: Iterable[int]) -> dict[int, Labels]:
    """Cut the minimum spanning tree of the map where it lowers the within-cluster sum of squares most.

    Parameters
    ----------
    points : array, shape (regions, features)
    touching : sparse array, shape (regions, regions)
    ks : iterable of int
        None below the number of connected components of the graph.

    Returns
    -------
    dict
        k → labels; partitions are nested.

    References
    ----------
    Assunção, Neves, Câmara & da Costa Freitas (2006), *Int. J. Geographical Information Science* 20, 797–811.
    """
    from spopt.region.skater import SpanningForest

    wanted = sorted(ks)
    parts = check_parts(touching, wanted[0])
    forest = SpanningForest(dissimilarity=_squared_distances)
    with warnings.catch_warnings():
        # spopt warns that a graph is not connected, which is allowed here.
        warnings.simplefilter("ignore")
        forest.fit(wanted[-1], _spopt_weights(touching), _untied(points), trace=True, islands="ignore")
    return {k: pd.factorize(forest._trace[k - parts][0])[0] for k in wanted}


def region_kmeans_partitions(
    points: Matrix,
    touching: csr_array,
    ks: Iterable[int],
    *,
    starts: int = 20,
    rng: int | np.random.Generator | None = None,
) -> dict[int, Labels]:
    """k-means whose clusters stay connected: grown from random regions, then improved by single moves.

    Parameters
    ----------
    points : array, shape (regions, features)
    touching : sparse array, shape (regions, regions)
        Of a connected graph.
    ks : iterable of int
    starts : int
        Random starts for each k; the least within-cluster sum of squares wins.
    rng : int, Generator or None

    Returns
    -------
    dict
        k → labels.

    Raises
    ------
    GraphError
        If the graph is in more than one part.
    """
    from spopt.region.region_k_means import region_k_means

    # On a graph that is not connected spopt waits for ever for a component without a start.
    check_parts(touching, 1)
    untied, weights = _untied(points), _spopt_weights(touching)
    draw = generator(rng, "region-kmeans")
    found = {}
    for k in sorted(ks):
        with seeded_globals(0):
            tries = [
                region_k_means(untied, k, weights, seed=int(seed))[1]
                for seed in draw.integers(2**31, size=starts)
            ]
        found[k] = pd.factorize(min(tries, key=lambda labels: sum_of_squares(points, labels)))[0]
    return found


def _squared_distances(points: Matrix, others: Matrix | None) -> Matrix:
    squares: Matrix = cdist(points, points if others is None else others, "sqeuclidean")
    return squares


def _spopt_weights(touching: csr_array) -> W:
    from libpysal.weights import W

    ends = np.split(touching.indices, touching.indptr[1:-1])
    return W({place: near.tolist() for place, near in enumerate(ends)}, silence_warnings=True)


def _untied(points: Matrix) -> Matrix:
    """Points with one more column that only tells equal points apart.

    spopt takes a distance of 0 between neighbors for no link (SKATER), and fails on ties between a cluster of
    one region and another center (region k-means).
    """
    step = 1e-9 * np.ptp(points, axis=0).max()
    return np.column_stack([points, step * np.arange(len(points))])


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
    check_number(starts, "starts", 1)
    if not is_number(floor) or not floor > 0:
        raise InputError(f"floor is {floor!r}; it must be above 0.")
    _, part = connected_components(touching, directed=False)
    short = np.bincount(part, size) < floor
    if short.any():
        raise GraphError(
            f"A connected component of the graph is smaller than the floor of {floor:g}: "
            f"{listing(regions[short[part]])}."
        )
    draw = generator(rng, "max_p")
    grown = [_grown(points, touching, size, floor, draw) for _ in range(starts)]
    most = max(labels.max() for labels in grown)
    best = min(
        (_improved(points, touching, size, floor, labels) for labels in grown if labels.max() == most),
        key=lambda labels: sum_of_squares(points, labels),
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
    table = check_table(sizes, name="sizes", minimum=0)
    check_same_regions(table.index, regions, "sizes", "features")
    size: Matrix = table.loc[regions].iloc[:, 0].to_numpy()
    return size
