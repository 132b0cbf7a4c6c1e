"""Boundaries of any regions: read a file, mend its topology, dissolve regions into larger units."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio

from spatialkz.errors import InputError, RegionError, listing
from spatialkz.geography.mending import require_polygons
from spatialkz.tables import check_labels, check_same_regions


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
    >>> import tempfile, shapely
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
    require_polygons(frame)
    return frame


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
    >>> import shapely
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
