"""Boundaries of any regions: read a file, mend its topology, dissolve regions into larger units."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from spatialkz.errors import InputError, RegionError, listing
from spatialkz.tables import check_labels, check_same_regions

# Shares of the map's extent, which is its longer side; 1e-7 of a country is decimeters.
_SNAP = 1e-7  # points this close are one point
_SLIVER = 1e-6  # an enclosed gap narrower than this is a fault of digitizing, not a lake


def read_boundaries(path: str | Path, id_column: str | None = None) -> gpd.GeoDataFrame:
    """Read the polygons of regions and key them by region label.

    Parameters
    ----------
    path : str or Path
        GeoPackage, GeoJSON, Shapefile or another vector file with one layer, or GeoParquet (``.parquet``).
    id_column : str, optional
        Column with the region labels. By default the only column of unique texts.

    Returns
    -------
    GeoDataFrame
        Index = region labels as str, named after their column; the file's other columns and its CRS.

    Raises
    ------
    InputError
        If the file cannot be read, holds no or several layers, no regions or no CRS, or if the labels
        are not to be found.
    RegionError
        If labels are missing or repeated, or a region has no polygon.

    Examples
    --------
    >>> import tempfile
    >>> square = gpd.GeoDataFrame({"name": ["A"]}, geometry=[shapely.box(0, 0, 1, 1)], crs="EPSG:3857")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     square.to_file(f"{folder}/map.gpkg")
    ...     list(read_boundaries(f"{folder}/map.gpkg").index)
    ['A']
    """
    path = Path(path)
    try:
        frame = _read_layer(path)
    except InputError:
        raise
    except (OSError, ValueError, RuntimeError) as error:  # pyogrio's errors are RuntimeErrors
        raise InputError(f"Cannot read boundaries from {path.name}: {str(error).rstrip('.')}.") from error
    if not isinstance(frame, gpd.GeoDataFrame):
        raise InputError(f"Found a table without geometry in {path.name}; expected polygons of regions.")
    if frame.crs is None:
        raise InputError(
            f"Found no coordinate reference system in {path.name}; expected one, such as EPSG:4326."
        )

    labels = frame[_label_column(frame, id_column, path.name)]
    missing = labels.isna() | (labels.astype(str).str.strip() == "")
    if missing.any():
        places = listing(np.flatnonzero(missing) + 1)
        raise RegionError(
            f"Found no {labels.name} for feature {places} of {path.name}; expected one for each."
        )
    frame = frame.drop(columns=labels.name).set_axis(pd.Index(labels.astype(str), name=labels.name))
    _require_polygons(frame)
    return frame


def clean_coverage(boundaries: gpd.GeoDataFrame, *, tolerance: float | None = None) -> gpd.GeoDataFrame:
    """Make polygons tile their area: no overlaps, no slivers between neighbors, shared borders identical.

    All boundaries are snapped to a grid (the power of ten below 1e-7 of the map's extent) and cut into faces.
    Ground claimed by several regions goes to the smallest of them, so an enclave city is cut out of its
    region; an enclosed gap narrower than 1e-6 of the extent goes to the region it shares the longest border
    with, while wider gaps stay. Then all borders are simplified together, so that neighbors remain neighbors.

    Parameters
    ----------
    boundaries : GeoDataFrame
        Polygons, index = region.
    tolerance : float, optional
        Strength of the simplification, in units of the CRS: detail smaller than triangles of about
        ``tolerance**2`` goes (Visvalingam–Whyatt). By default, and with 0, none.

    Returns
    -------
    GeoDataFrame
        The same regions, columns and CRS with valid two-dimensional polygons that form a coverage.

    Raises
    ------
    InputError
        If the tolerance is not a number ≥ 0.
    RegionError
        If a region is no polygon, lies wholly in smaller ones, or cannot be mended.

    Examples
    --------
    >>> boxes = [shapely.box(0, 0, 4, 4), shapely.box(1, 1, 2, 2)]
    >>> host_and_city = gpd.GeoDataFrame(geometry=boxes, index=["host", "city"], crs="EPSG:3857")
    >>> clean_coverage(host_and_city).area.to_dict()
    {'host': 15.0, 'city': 1.0}
    """
    if tolerance is not None and not (math.isfinite(tolerance) and tolerance >= 0):
        raise InputError(f"Found the tolerance {tolerance}; expected a number of at least 0.")
    _require_polygons(boundaries)
    flat = shapely.force_2d(boundaries.geometry.to_numpy())
    shapes = shapely.make_valid(flat, method="structure", keep_collapsed=False)
    hollow = boundaries.index[shapely.is_empty(shapes)]
    if len(hollow):
        raise RegionError(f"Found regions without area, expected polygons only: {listing(hollow)}.")
    faces, owner = _faces(shapes)
    lost = boundaries.index[~np.isin(np.arange(len(shapes)), owner)]
    if len(lost):
        raise RegionError(
            f"Found regions that lie wholly in smaller ones, expected room of their own: {listing(lost)}."
        )
    tiles = np.array([shapely.coverage_union_all(faces[owner == k]) for k in range(len(shapes))])
    if tolerance:
        tiles = shapely.coverage_simplify(tiles, tolerance)
    sound = shapely.is_valid(tiles) & ~shapely.is_empty(tiles)
    if not (sound.all() and shapely.coverage_is_valid(tiles)):
        fitting = shapely.is_empty(shapely.coverage_invalid_edges(tiles))
        where = listing(boundaries.index[~(sound & fitting)])
        raise RegionError(
            f"Borders do not fit after cleaning with tolerance {tolerance}, expected a coverage: {where}."
        )
    return boundaries.set_geometry(tiles, crs=boundaries.crs)


def dissolve(boundaries: gpd.GeoDataFrame, units: pd.Series[Any]) -> gpd.GeoDataFrame:
    """Join regions into the larger units they belong to.

    Parameters
    ----------
    boundaries : GeoDataFrame
        Polygons, index = region.
    units : Series
        Index = region, in any order; values = label of the unit. Must name exactly the regions given.

    Returns
    -------
    GeoDataFrame
        Index = units in order of first appearance, named like ``units``; only the geometry.

    Raises
    ------
    RegionError
        If the regions of the two inputs differ or repeat, or a region has no unit.

    Examples
    --------
    >>> boxes = [shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1), shapely.box(2, 0, 3, 1)]
    >>> regions = gpd.GeoDataFrame(geometry=boxes, index=["a", "b", "c"], crs="EPSG:3857")
    >>> dissolve(regions, pd.Series({"c": "C", "b": "AB", "a": "AB"}, name="unit")).area.to_dict()
    {'AB': 2.0, 'C': 1.0}
    """
    check_labels(boundaries.index, "region")
    check_labels(units.index, "region")
    check_same_regions(units.dropna().index, boundaries.index, "units", "boundaries")
    only_shapes = gpd.GeoDataFrame(geometry=boundaries.geometry)
    unit_of = units.reindex(boundaries.index).to_numpy()
    return only_shapes.dissolve(by=unit_of, sort=False).rename_axis(units.name)


def _read_layer(path: Path) -> Any:
    if path.suffix.lower() in {".parquet", ".geoparquet"}:
        return gpd.read_parquet(path)
    layers = pyogrio.list_layers(path)[:, 0]
    if len(layers) > 1:
        raise InputError(f"Found several layers in {path.name}, expected one: {listing(layers)}.")
    return gpd.read_file(path)


def _label_column(frame: gpd.GeoDataFrame, id_column: str | None, file: str) -> str:
    columns = [column for column in frame.columns if column != frame.geometry.name]
    if id_column is not None:
        if id_column not in columns:
            raise InputError(
                f"Found no column {id_column!r} in {file}; expected one of {listing(columns, 30)}."
            )
        return id_column
    texts = [c for c in columns if pd.api.types.infer_dtype(frame[c]) == "string" and frame[c].is_unique]
    if len(texts) != 1:
        found = listing(texts, 30) or "none"
        raise InputError(
            f"Columns of unique texts in {file}: {found}; expected exactly one, "
            f"so name the one with the region labels out of {listing(columns, 30)}."
        )
    return str(texts[0])


def _require_polygons(frame: gpd.GeoDataFrame) -> None:
    check_labels(frame.index, "region")
    if frame.empty:
        raise InputError("Found no regions; expected at least one polygon.")
    odd = frame.index[~frame.geom_type.isin(["Polygon", "MultiPolygon"]) | frame.is_empty]
    if len(odd):
        raise RegionError(f"Found regions without a polygon, expected polygons only: {listing(odd)}.")


def _faces(shapes: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Cut all shapes into faces; return those that belong to a shape, and the shapes' positions."""
    west, south, east, north = shapely.total_bounds(shapes)
    extent = max(east - west, north - south)
    grid = 10.0 ** math.floor(math.log10(_SNAP * extent))  # a power of ten leaves round coordinates round
    edges = shapely.union_all(shapely.boundary(shapes), grid_size=grid)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(edges)))
    face, shape = shapely.STRtree(shapes).query(shapely.point_on_surface(faces), predicate="within")
    smallest_first = np.argsort(shapely.area(shapes)[shape], kind="stable")
    owner = np.full(len(faces), -1)
    owner[face[smallest_first[::-1]]] = shape[smallest_first[::-1]]  # the last one written stays

    narrow = 2 * shapely.area(faces) / shapely.length(faces) < _SLIVER * extent
    gaps, owned = np.flatnonzero((owner < 0) & narrow), np.flatnonzero(owner >= 0)
    gap, beside = shapely.STRtree(faces[owned]).query(faces[gaps], predicate="touches")
    gap, beside = gaps[gap], owned[beside]
    shared = shapely.length(shapely.intersection(faces[gap], faces[beside]))
    longest_last = np.argsort(shared, kind="stable")
    owner[gap[longest_last]] = owner[beside[longest_last]]
    return faces[owner >= 0], owner[owner >= 0]
