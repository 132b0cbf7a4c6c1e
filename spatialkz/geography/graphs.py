"""Neighbor graphs: built from polygons or from a list of pairs, and put in the order of a table."""

from __future__ import annotations

from typing import Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
from libpysal.graph import Graph

from spatialkz.errors import GraphError, InputError, listing
from spatialkz.tables import check_labels, check_same_regions

Recipe = Literal["queen", "rook"]


def neighbor_graph(regions: gpd.GeoDataFrame, recipe: Recipe = "queen") -> Graph:
    """Binary contiguity graph of polygons.

    Parameters
    ----------
    regions : GeoDataFrame
        Polygons indexed by region label, forming a coverage (neighbors share vertices).
    recipe : {"queen", "rook"}
        Queen neighbors share a point, rook neighbors an edge.

    Returns
    -------
    libpysal.graph.Graph
        Keyed by the region labels; a region without neighbors stays in it as an isolate.

    Raises
    ------
    InputError
        If the recipe is unknown or a geometry is missing or not polygonal.
    RegionError
        If labels repeat.

    Examples
    --------
    >>> from spatialkz.regions import load_boundaries
    >>> graph = neighbor_graph(load_boundaries(2018))
    >>> len(graph.adjacency) // 2, graph["AST"].index.tolist()
    (29, ['AKM'])
    """
    if recipe not in get_args(Recipe):
        raise InputError(f"recipe is {recipe!r}; it must be one of {listing(get_args(Recipe))}.")
    check_labels(regions.index, "region")
    polygonal = regions.geom_type.isin(["Polygon", "MultiPolygon"])
    if not polygonal.all():
        raise InputError(
            f"Contiguity needs a polygon for every region; {listing(regions.index[~polygonal])} has none."
        )
    return Graph.build_contiguity(regions.geometry, rook=recipe == "rook")


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
    first, second = pairs.iloc[:, 0].astype(str), pairs.iloc[:, 1].astype(str)
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


def aligned(graph: Graph, regions: pd.Index) -> Graph:
    """Return the graph with its regions in the order of ``regions``.

    Statistics work by position, so this is the one door through which a graph reaches them.

    Raises
    ------
    RegionError
        If graph and regions do not carry the same labels.
    GraphError
        If a region has no neighbors, a neighbor stands twice, a weight is negative, or a region is its own
        neighbor.
    """
    if not isinstance(graph, Graph):
        raise GraphError(f"graph must be a libpysal.graph.Graph, not {type(graph).__name__}.")
    check_labels(regions, "region")
    check_same_regions(pd.Index(graph.unique_ids), regions, "the graph")
    adjacency = graph.adjacency
    if adjacency.index.has_duplicates:
        twice = adjacency.index[adjacency.index.duplicated()]
        raise GraphError(
            f"Each neighbor may stand once, but {listing(' – '.join(map(str, p)) for p in twice)} repeats."
        )
    if (adjacency < 0).any():
        raise GraphError("Weights of a graph must not be negative.")
    if len(graph.isolates):
        raise GraphError(
            f"Every region needs a neighbor; {listing(graph.isolates)} has none (another graph may help)."
        )
    focal, neighbor = adjacency.index.get_level_values(0), adjacency.index.get_level_values(1)
    if (adjacency[focal == neighbor] > 0).any():
        raise GraphError("A region cannot be its own neighbor, but the graph has self-loops.")
    return Graph(adjacency.reindex(regions, level=0).reindex(regions, level=1), is_sorted=True)
