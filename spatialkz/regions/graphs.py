"""Graph and boundaries of the regions of a study: the user's own, or the bundled ones of Kazakhstan."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import geopandas as gpd
import pandas as pd

from spatialkz import datasets
from spatialkz.errors import InputError
from spatialkz.geography import Neighbors, Queen, Recipe, graph_from_pairs, neighbor_graph, read_neighbors
from spatialkz.geography.recipes import check_option
from spatialkz.options import GraphPolicy, WeightsInFile
from spatialkz.regions.boundaries import load_boundaries
from spatialkz.regions.names import region_table
from spatialkz.tables import check_same_regions

_NAMES = ["code", "name_en", "name_ru", "name_kk"]


def bundled_boundaries(regions: pd.DataFrame) -> gpd.GeoDataFrame | None:
    """Polygons of resolved regions under their own labels; None for regions that carry no code."""
    if "code" not in regions:
        return None
    return load_boundaries(regions["vintage"].iloc[0]).loc[regions["code"]].set_axis(regions.index, axis=0)


def region_codes(regions: pd.DataFrame) -> dict[str, object]:
    """Other names of resolved regions, codes and names in three languages → label; empty for others.

    Examples
    --------
    >>> from spatialkz.regions import resolve_regions
    >>> region_codes(resolve_regions(["ВКО"]))["East Kazakhstan"]
    'ВКО'
    """
    named = [regions[column] for column in _NAMES if column in regions]
    return {str(name): label for column in named for label, name in column.items()}


def region_graph(
    regions: pd.DataFrame,
    graph: Recipe | Path,
    polygons: gpd.GeoDataFrame | None = None,
    *,
    isolates: GraphPolicy = "error",
    parts: GraphPolicy = "keep",
    gap: float | None = None,
    weights: WeightsInFile = "read",
    directed: bool = False,
    encoding: str | None = None,
) -> Neighbors:
    """Neighbor graph of a study's regions, and notes on how it was made.

    Parameters
    ----------
    regions : DataFrame
        Index = region label; with columns ``code`` and ``vintage`` where the regions were resolved.
    graph : Recipe or path
        A recipe, or a file of neighbors by label, code or name; see :func:`read_neighbors`.
    polygons : GeoDataFrame, optional
        The user's own boundaries, by label.
    isolates, parts : {"error", "keep", "attach"}
        What is done about regions without neighbors and about a graph in parts; see :func:`neighbor_graph`.
    gap : float, optional
        Widest strip that contiguity takes for a fault of the map; see :func:`neighbor_graph`.
    weights, directed, encoding
        How a file of neighbors is read; see :func:`read_neighbors`.

    Raises
    ------
    InputError
        If a recipe is asked for and there is nothing to build it from.
    RegionError
        If the boundaries are of other regions.
    """
    check_option(isolates, "isolates", get_args(GraphPolicy))
    check_option(parts, "parts", get_args(GraphPolicy))
    if polygons is not None:
        check_same_regions(polygons.index, regions.index, "the map")
        polygons = polygons.loc[regions.index]
    if isinstance(graph, Path):
        attaches = "attach" in (isolates, parts)
        return read_neighbors(
            graph,
            regions.index,
            codes=region_codes(regions),
            encoding=encoding,
            weights=weights,
            directed=directed,
            isolates=isolates,
            parts=parts,
            places=bundled_boundaries(regions) if attaches and polygons is None else polygons,
        )
    if polygons is None and graph == Queen() and _are_all(regions):
        # The published list of neighbors; equal to the graph of the bundled polygons, without reading them.
        label_of = dict(zip(regions["code"], regions.index, strict=True))
        pairs = datasets.read_table(f"contiguity_{regions['vintage'].iloc[0]}")
        return Neighbors(graph_from_pairs(pairs.map(label_of.__getitem__), regions.index))
    polygons = bundled_boundaries(regions) if polygons is None else polygons
    if polygons is None:
        raise InputError("Neighbors are needed: name a file of neighbors, or a file of boundaries.")
    return Neighbors(neighbor_graph(polygons, graph, isolates=isolates, parts=parts, gap=gap))


def _are_all(regions: pd.DataFrame) -> bool:
    """Whether the regions are all those of a division of the country."""
    return "code" in regions and len(regions) == len(region_table(regions["vintage"].iloc[0]))
