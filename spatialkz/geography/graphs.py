"""Neighbor graphs: built by a recipe, its name, or a list of pairs, and put in the order of a table."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import MISSING, fields
from functools import reduce
from operator import and_, or_
from pathlib import PurePath
from typing import Any, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
from libpysal.graph import Graph
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from spatialkz.errors import GraphError, InputError, listing
from spatialkz.geography.distances import (
    Delaunay,
    DistanceBand,
    Gabriel,
    InverseDistance,
    Kernel,
    KNearest,
    TravelTime,
)
from spatialkz.geography.places import Places, RegionGeometry
from spatialkz.geography.recipes import CityMerged, Queen, Recipe, Rook, check_option, enclaves
from spatialkz.options import GraphPolicy
from spatialkz.tables import check_labels, check_same_regions

RECIPES: dict[str, type[Recipe]] = {
    "queen": Queen,
    "rook": Rook,
    "knn": KNearest,
    "distance_band": DistanceBand,
    "inverse_distance": InverseDistance,
    "kernel": Kernel,
    "gabriel": Gabriel,
    "delaunay": Delaunay,
    "travel_time": TravelTime,
    "city_merged": CityMerged,
}
_FAMILY = (
    "queen",
    "rook",
    "knn:k=3",
    "knn:k=4",
    "knn:k=5",
    "distance_band",
    "inverse_distance",
    "gabriel",
    "city_merged",
)


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
        If there are isolates or several connected components under ``"error"``, or borders of polygons do not
        fit, so that neighbors would be missed.

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
    layout = RegionGeometry(regions, points, gap)
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
    if not isinstance(pairs, pd.DataFrame) or pairs.shape[1] < 2:
        raise GraphError("pairs must be a DataFrame whose first two columns name neighbors.")
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

    Statistics work by position, so every graph is checked here before it reaches them. Errors call the
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
    """Graph of weights by position, with the policies of neighbor_graph about isolates and components."""
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
            f"The graph {source} has {len(groups)} connected components ({sizes}); {remedy}, or "
            "parts='attach' or 'keep'."
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


def as_recipe(recipe: str | Recipe, **options: Any) -> Recipe:
    """Make a recipe out of its name and options, or of one line of text.

    The line is ``name`` or ``name:option=value,option=value``; ``|`` between recipes takes the neighbors of
    either, ``&`` those of both and binds tighter.

    Parameters
    ----------
    recipe : str or Recipe
        ``queen``, ``rook``, ``knn``, ``distance_band``, ``inverse_distance``, ``kernel``, ``gabriel``,
        ``delaunay``, ``travel_time``, ``city_merged``, a line, or a recipe, which is returned as it is.
    **options
        Options of the named recipe, which are the parameters of its class.

    Raises
    ------
    InputError
        If the name, an option or a value is not known to a recipe.

    Examples
    --------
    >>> as_recipe("knn", k=3) == as_recipe("knn:k=3")
    True
    >>> print(as_recipe("queen | knn:k=2"))
    queen contiguity or 2 nearest neighbors
    """
    if isinstance(recipe, Recipe):
        if options:
            raise InputError(f"The recipe is made already; {listing(options)} cannot change it.")
        return recipe
    if not isinstance(recipe, str):
        raise InputError(f"recipe must be a name or a graph recipe, not {type(recipe).__name__}.")
    either = [part.split("&") for part in recipe.split("|")]
    if len(either) == 1 and len(either[0]) == 1:
        return _named(recipe, options)
    if options:
        raise InputError(f"It is not clear to which recipe of {recipe!r} the option {listing(options)} goes.")
    return reduce(or_, (reduce(and_, (_named(part, {}) for part in both)) for both in either))


def names_recipe(text: str) -> bool:
    """Whether a text is meant for :func:`as_recipe`, and not as the name of a file.

    Examples
    --------
    >>> names_recipe("distance_band:threshold=350.5"), names_recipe("bishop"), names_recipe("pairs.csv")
    (True, True, False)
    """
    first = re.split(r"[:|&]", text, maxsplit=1)[0].strip()
    return first in RECIPES or not PurePath(text).suffix


def recipe_family(regions: gpd.GeoDataFrame | None = None) -> dict[str, Recipe]:
    """Recipes over which a result should hold: contiguity, nearness and enclaves.

    Parameters
    ----------
    regions : GeoDataFrame, optional
        Leave out what these regions cannot carry, or what would repeat: contiguity where there are no
        polygons or their borders do not fit, ``k`` nearest where there are too few regions, rook where it
        equals queen, and merged cities where there are no enclaves.

    Returns
    -------
    dict
        Line for :func:`as_recipe` → recipe.

    Examples
    --------
    >>> list(recipe_family())
    ['queen', 'rook', 'knn:k=3', 'knn:k=4', 'knn:k=5', 'distance_band', 'inverse_distance', 'gabriel',
     'city_merged']
    """
    family = {line: as_recipe(line) for line in _FAMILY}
    if regions is None:
        return family
    layout = RegionGeometry(regions)
    left_out = {line for line, r in family.items() if isinstance(r, KNearest) and r.k >= len(layout)}
    if not layout.has_polygons:
        left_out |= {"queen", "rook", "city_merged"}
    else:
        try:
            if not (Queen().weights(layout) != Rook().weights(layout)).nnz:
                left_out.add("rook")
            if enclaves(layout).empty:
                left_out.add("city_merged")
        except GraphError:  # borders that do not fit hide neighbors
            left_out |= {"queen", "rook", "city_merged"}
    if len(layout) < 3:
        left_out.add("gabriel")
    return {line: recipe for line, recipe in family.items() if line not in left_out}


def _named(line: str, options: dict[str, Any]) -> Recipe:
    name, _, text = (part.strip() for part in line.partition(":"))
    if name not in RECIPES:
        raise InputError(f"recipe is {name!r}; it must be one of {listing(RECIPES, len(RECIPES))}.")
    written = dict(_option(part, line) for part in text.split(",")) if text else {}
    twice = written.keys() & options.keys()
    if twice:
        raise InputError(f"The recipe {name} is given {listing(sorted(twice))} twice.")
    given = written | options
    known = [field.name for field in fields(RECIPES[name])]  # type: ignore[arg-type]
    unknown = [option for option in given if option not in known]
    if unknown:
        has = f"known are {listing(known)}" if known else "it has none"
        raise InputError(f"The recipe {name} has no option {listing(unknown)}; {has}.")
    if isinstance(given.get("base"), str):
        given["base"] = as_recipe(given["base"])
    needed = [f.name for f in fields(RECIPES[name]) if f.default is f.default_factory is MISSING]  # type: ignore[arg-type]
    lacking = [option for option in needed if option not in given]
    if lacking:
        raise InputError(f"The recipe {name} needs the option {listing(lacking)}.")
    return RECIPES[name](**given)


def _option(text: str, line: str) -> tuple[str, Any]:
    option, sign, value = (part.strip() for part in text.partition("="))
    if not (option and sign and value):
        raise InputError(f"{text.strip()!r} in the recipe {line.strip()!r} is not of the form option=value.")
    if value.lower() in {"true", "false"}:
        return option, value.lower() == "true"
    for number in (int, float):
        try:
            return option, number(value)
        except ValueError:
            continue
    return option, value
