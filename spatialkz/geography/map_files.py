"""Files of maps: layers, rows, coordinate reference systems and shapes, before regions are named."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import shapely

from spatialkz.errors import InputError, listing
from spatialkz.tables import keep_rows
from spatialkz.tables.labels import tidy_label

_LATITUDE, _LONGITUDE = 90.0, 360.0  # degrees; some maps count from 0 to 360
_POLYGONS = ("Polygon", "Surface", "Unknown", "Geometry")


def read_features(
    path: Path,
    *,
    layer: str | None = None,
    where: Mapping[str, object] | None = None,
    crs: str | None = None,
    encoding: str | None = None,
) -> gpd.GeoDataFrame:
    """Features of one layer with the rows that are wanted, in a coordinate reference system they can be in.

    See :func:`read_boundaries` for the options and errors.
    """
    return _located(_features(path, layer, where, encoding), crs, path.name)


def polygonal(frame: gpd.GeoDataFrame, file: str) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    """Two-dimensional shapes; collections become their polygons, and what else was in them is told."""
    shapes = shapely.force_2d(frame.geometry.to_numpy())
    mixed = frame.geom_type.to_numpy() == "GeometryCollection"
    told = []
    for at in np.flatnonzero(mixed):
        pieces = shapely.get_parts(shapes[[at]])
        areas = np.array([piece for piece in pieces if piece.geom_type in {"Polygon", "MultiPolygon"}])
        if len(areas):
            shapes[at] = shapely.multipolygons(shapely.get_parts(areas))
        if len(areas) < len(pieces):
            told.append(frame.index[at])
    notes = (
        (f"Points or lines beside the polygons of {listing(told)} in {file} were left out.",) if told else ()
    )
    return frame.set_geometry(shapes, crs=frame.crs), notes


def _features(
    path: Path, layer: str | None, where: Mapping[str, object] | None, encoding: str | None
) -> gpd.GeoDataFrame:
    """Features of one layer, with the rows that are wanted."""
    try:
        frame = _read_layer(path, layer, encoding)
    except InputError:
        raise
    except (OSError, ValueError, RuntimeError, LookupError) as error:  # pyogrio's errors are RuntimeErrors
        raise InputError(f"Cannot read boundaries from {path.name}: {str(error).rstrip('.')}.") from error
    if not isinstance(frame, gpd.GeoDataFrame):
        raise InputError(f"Found a table without geometry in {path.name}; expected polygons of regions.")
    return keep_rows(frame, where or {}, f"the map {path.name}")


def _read_layer(path: Path, layer: str | None, encoding: str | None) -> Any:
    if path.suffix.lower() in {".parquet", ".geoparquet"}:
        return gpd.read_parquet(path)
    layers = {str(name): str(kind) for name, kind in pyogrio.list_layers(path)}
    if layer is None:
        mapped = [name for name, kind in layers.items() if any(word in kind for word in _POLYGONS)]
        if len(mapped) > 1:
            raise InputError(
                f"Found several layers in {path.name}, expected one: {listing(mapped, 30)}; name it (layer)."
            )
        layer = mapped[0] if mapped else None
    elif layer not in layers:
        raise InputError(f"Found no layer {layer!r} in {path.name}; expected one of {listing(layers, 30)}.")
    texts = {"encoding": encoding} if encoding and path.suffix.lower() in {".shp", ".dbf", ".zip"} else {}
    frame = gpd.read_file(path, layer=layer, **texts)
    # Whole numbers with gaps come as floats, which would write the code 1 as 1.0.
    about = pyogrio.read_info(path, layer=layer, **texts)
    whole = [name for name, kind in zip(about["fields"], about["dtypes"], strict=True) if "int" in kind]
    return frame.astype({name: "Int64" for name in whole if frame[name].dtype.kind == "f"})


def texts_of(values: pd.Series[Any]) -> pd.Series[str]:
    """Values as text without spaces around it, empty where missing."""
    return values.astype(object).where(values.notna(), None).map(tidy_label).astype(object)


def _located(frame: gpd.GeoDataFrame, crs: str | None, file: str) -> gpd.GeoDataFrame:
    """The features with a coordinate reference system that their coordinates can be in."""
    try:
        given = None if crs is None else pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError:
        raise InputError(
            f"crs is {crs!r}; expected a coordinate reference system, such as EPSG:4326 (degrees)."
        ) from None
    if frame.crs is None or (given is not None and _out_of_range(frame, frame.crs)):
        if given is None:
            raise InputError(
                f"Found no coordinate reference system in {file}; expected one, so name it: crs = "
                "'EPSG:4326' (--crs) if its coordinates are longitude and latitude."
            )
        frame = frame.set_crs(given, allow_override=True)
    elif given is not None and given != frame.crs:
        raise InputError(
            f"{file} says that its coordinates are in {frame.crs.name}, but crs is {crs!r}; leave crs out."
        )
    if far := _out_of_range(frame, frame.crs):
        raise InputError(
            f"Coordinates of {file} reach {far}, which are no longitude and latitude, as {frame.crs.name} "
            "wants (and GeoJSON without a word on it); name their coordinate reference system (crs, --crs)."
        )
    return frame


def _out_of_range(frame: gpd.GeoDataFrame, crs: pyproj.CRS) -> str:
    """The farthest corner of the map if coordinates cannot be degrees, though they should be."""
    if not crs.is_geographic or frame.empty:
        return ""
    west, south, east, north = np.degrees(frame.total_bounds * crs.axis_info[0].unit_conversion_factor)
    lon, lat = max(-west, east), max(-south, north)
    return f"{lon:g}, {lat:g}" if lon > _LONGITUDE * (1 + 1e-9) or lat > _LATITUDE * (1 + 1e-9) else ""
