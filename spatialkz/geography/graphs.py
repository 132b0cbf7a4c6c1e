"""Neighbor graphs: built by a recipe or from a list of pairs, and put in the order of a table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
from libpysal.graph import Graph
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from spatialkz.errors import GraphError, listing
from spatialkz.geography.places import Layout, Places
from spatialkz.geography.recipe_names import as_recipe
from spatialkz.geography.recipes import Recipe, check_option
from spatialkz.options import GraphPolicy
from spatialkz.tables import check_labels, check_same_regions

# What is done about regions without neighbors, and about a graph in several parts.


def neighbor_graph(
    regions: gpd.GeoDataFrame,
    recipe: str | Recipe = "queen",
    *,
    points: str | gpd.GeoSeries | None = None,
    isolates: GraphPolicy = "error",
    parts: GraphPolicy = "keep",
    gap: float | None = None,
    **options: Any,
) -> Graph:
    """Graph of who neighbors whom, by a recipe.

    Parameters
    ----------
    regions : GeoDataFrame
        Polygons or points, index = region label. Contiguity needs polygons whose borders fit, vertex by
        vertex (see :func:`clean_coverage`), and reaches across ±180°. Distances need a coordinate reference
        system, and are kilometers: geodesics where it is geographic (or Mercator), straight lines in any
        other map projection.
    recipe : str or Recipe
        A name, a line such as ``knn:k=4``, or a recipe object; see :func:`as_recipe`.
    points : str or GeoSeries, optional
        Where distances are measured from and to: a column of ``regions``, or points by region label, in a
        coordinate reference system of their own. By default a representative point inside each polygon.
    isolates : {"error", "keep", "attach"}
        A region without neighbors is refused, stays without (statistics will then refuse the graph), or is
        linked both ways with its nearest region.
    parts : {"keep", "error", "attach"}
        Groups of regions with no link between them stay apart, are refused, or are each linked with the
        nearest region outside, until one part is left. Isolates that are kept are no part.
    gap : float, optional
        Widest strip between two regions that contiguity takes for a fault of the map and refuses, in units of
        its coordinates. By default 0.001 degrees or 100 m, at most a thousandth of the extent; 0 if regions
        that are apart are truly so.
    **options
        Options of a recipe given by name, such as ``k`` or ``threshold``; others are refused.

    Returns
    -------
    libpysal.graph.Graph
        Keyed by the region labels, in the order of ``regions``, not transformed. A link made by attaching has
        the smallest weight that the recipe gave, which is 1 for all recipes that do not weight.

    Raises
    ------
    InputError
        If recipe or option is unknown, or the regions lack what the recipe needs: polygons, geometry, a
        coordinate reference system, points of their own, more than k others.
    RegionError
        If labels repeat, or a table of the recipe names other regions.
    GraphError
        If there are isolates or parts under ``"error"``, or borders of polygons do not fit and would hide
        neighbors.

    Examples
    --------
    >>> from spatialkz.regions import load_boundaries
    >>> boundaries = load_boundaries(2018)
    >>> graph = neighbor_graph(boundaries)
    >>> len(graph.adjacency) // 2, graph["AST"].index.tolist()
    (29, ['AKM'])
    >>> neighbor_graph(boundaries, "knn", k=3)["AST"].index.tolist()
    ['AKM', 'KRG', 'SKO']
    """
    check_option(isolates, "isolates", get_args(GraphPolicy))
    check_option(parts, "parts", get_args(GraphPolicy))
    made = as_recipe(recipe, **options)
    layout = Layout(regions, points, gap)
    return settled(
        made.weights(layout), layout.labels, lambda: layout.places, isolates, parts, source=f"by {made}"
    )


def graph_from_pairs(pairs: pd.DataFrame, regions: pd.Index) -> Graph:
    """Binary undirected graph from a table whose first two columns name neighbors, each pair once or twice.

    Raises
    ------
    RegionError
        If a pair names a region that is not in ``regions``.
    GraphError
        If a region is paired with itself.

    Examples
    --------
    >>> pairs = pd.DataFrame({"region": ["a", "b"], "neighbor": ["b", "c"]})
    >>> graph_from_pairs(pairs, pd.Index(["a", "b", "c"]))["b"].index.tolist()
    ['a', 'c']
    """
    check_labels(regions, "region")
    # Files hold text; labels may be numbers.
    label_of = {str(label): label for label in regions}
    first, second = (
        pairs.iloc[:, place].astype(str).map(lambda name: label_of.get(name, name)) for place in (0, 1)
    )
    named = pd.Index(pd.concat([first, second]).unique())
    check_same_regions(named.union(regions), regions, "the list of neighbors")
    if (first == second).any():
        raise GraphError(f"A region cannot be its own neighbor: {listing(first[first == second])}.")
    both = pd.DataFrame({"focal": [*first, *second], "neighbor": [*second, *first]}).drop_duplicates()
    # libpysal marks a region without neighbors by a self-loop of weight 0.
    lone = regions.difference(named)
    focal = np.array([*both["focal"], *lone], dtype=object)
    neighbor = np.array([*both["neighbor"], *lone], dtype=object)
    return Graph.from_arrays(focal, neighbor, np.repeat([1.0, 0.0], [len(both), len(lone)]))


def aligned(graph: Graph, regions: pd.Index, name: str = "the graph") -> Graph:
    """Return the graph with its regions in the order of ``regions``.

    Statistics work by position, so this is the one door through which a graph reaches them. Errors call the
    graph by the name given.

    Raises
    ------
    RegionError
        If graph and regions do not carry the same labels.
    GraphError
        If a region has no neighbors, a neighbor stands twice, a weight is negative or not finite, or a region
        is its own neighbor.
    """
    if not isinstance(graph, Graph):
        raise GraphError(f"graph must be a libpysal.graph.Graph, not {type(graph).__name__}.")
    check_labels(regions, "region")
    check_same_regions(pd.Index(graph.unique_ids), regions, name)
    adjacency = graph.adjacency
    if adjacency.index.has_duplicates:
        twice = adjacency.index[adjacency.index.duplicated()]
        raise GraphError(
            f"Each neighbor may stand once, but {listing(' – '.join(map(str, p)) for p in twice)} repeats."
        )
    if (adjacency < 0).any():
        raise GraphError("Weights of a graph must not be negative.")
    endless = adjacency.index[~np.isfinite(adjacency)]
    if len(endless):
        raise GraphError(
            f"Weights of a graph must be finite, but not so for "
            f"{listing(' – '.join(map(str, pair)) for pair in endless)}."
        )
    if len(graph.isolates):
        raise GraphError(
            f"Every region needs a neighbor; {listing(graph.isolates)} has none (another graph may help)."
        )
    focal, neighbor = adjacency.index.get_level_values(0), adjacency.index.get_level_values(1)
    if (adjacency[focal == neighbor] > 0).any():
        raise GraphError("A region cannot be its own neighbor, but the graph has self-loops.")
    return Graph(adjacency.reindex(regions, level=0).reindex(regions, level=1), is_sorted=True)


def settled(
    weights: csr_array,
    labels: pd.Index,
    places: Callable[[], Places],
    isolates: GraphPolicy,
    parts: GraphPolicy,
    *,
    source: str,
    remedy: str = "choose another recipe",
) -> Graph:
    """Graph of weights by position, once something was done about isolates and parts; see neighbor_graph."""
    check_option(isolates, "isolates", get_args(GraphPolicy))
    check_option(parts, "parts", get_args(GraphPolicy))
    # A weight too small for a float is no link: whoever has no other is an isolate, and treated as one.
    weights.eliminate_zeros()
    lone = np.flatnonzero(np.diff(weights.indptr) == 0)
    if isolates == "error" and len(lone):
        raise GraphError(
            f"{listing(labels[lone])} has no neighbors {source}; {remedy}, or isolates='attach' or 'keep'."
        )
    if isolates == "attach" and len(lone):
        nearest, _ = places().nearest(of=lone)
        weights = _linked(weights, lone, nearest[:, 0])
    groups = _parts(weights)
    if parts == "error" and len(groups) > 1:
        sizes = " | ".join(listing(labels[group], 3) for group in groups)
        raise GraphError(
            f"The graph {source} is in {len(groups)} parts ({sizes}); {remedy}, or parts='attach' or 'keep'."
        )
    while parts == "attach" and len(groups) > 1:
        links = np.array([_way_out(group, np.concatenate(groups), places()) for group in groups])
        weights = _linked(weights, links[:, 0], links[:, 1])
        groups = _parts(weights)
    weights.sort_indices()
    return Graph.from_sparse(weights, ids=labels.to_numpy())


def _parts(weights: csr_array) -> list[np.ndarray]:
    """Positions of the regions in each part; regions without any link are none."""
    count, label = connected_components(weights, directed=True, connection="weak")
    groups = [np.flatnonzero(label == k) for k in range(count)] if count > 1 else [np.arange(len(label))]
    return [group for group in groups if len(group) > 1]


def _way_out(part: np.ndarray, everyone: np.ndarray, places: Places) -> tuple[int, int]:
    """The shortest link from a part to a region outside it."""
    nearest, kilometers = places.nearest(of=part, among=np.setdiff1d(everyone, part))
    shortest = int(np.lexsort((places.rank[part], kilometers[:, 0]))[0])
    return int(part[shortest]), int(nearest[shortest, 0])


def _linked(weights: csr_array, i: np.ndarray, j: np.ndarray) -> csr_array:
    """Add links both ways where there are none, with the smallest weight there is."""
    least = weights.data.min() if weights.nnz else 1.0
    rows, columns = np.r_[i, j], np.r_[j, i]
    new = csr_array((np.ones(len(rows)), (rows, columns)), shape=weights.shape)
    new = csr_array(((new - new.multiply(weights > 0)) > 0).astype(float))
    return csr_array(weights + new * least)
