"""Boundaries of any regions: read a file of maps for a table, dissolve regions into larger units."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import shapely

from spatialkz.errors import InputError, RegionError, listing
from spatialkz.geography.coverage import Movement, clean_coverage, misfits, movement, require_polygons
from spatialkz.tables import check_labels, check_same_regions, keep_rows
from spatialkz.tables.labels import known_names, lost_zeros, tidy_label

_LATITUDE, _LONGITUDE = 90.0, 360.0  # degrees; some maps count from 0 to 360
_POLYGONS = ("Polygon", "Surface", "Unknown", "Geometry")


@dataclass(frozen=True)
class Boundaries:
    """A map for a table, and what a user should know of how it was read.

    Attributes
    ----------
    polygons : GeoDataFrame
        Index = the labels of the table, in their order.
    notes : tuple of str
        Sentences on what was left out, does not fit, or was mended.
    moved : Movement, optional
        How far cleaning moved the map, if it was asked for.
    """

    polygons: gpd.GeoDataFrame
    notes: tuple[str, ...] = ()
    moved: Movement | None = None


def read_boundaries(
    path: str | Path,
    id_column: str | None = None,
    *,
    layer: str | None = None,
    where: Mapping[str, object] | None = None,
    crs: str | None = None,
    encoding: str | None = None,
) -> gpd.GeoDataFrame:
    """Read the polygons of regions and key them by region label.

    Parameters
    ----------
    path : str or Path
        GeoPackage, GeoJSON, TopoJSON, Shapefile, KML or another vector file, or GeoParquet (``.parquet``).
    id_column : str, optional
        Column with the region labels. By default the only column of unique texts.
    layer : str, optional
        Layer of the file; needed if several can hold polygons.
    where : mapping, optional
        Column → value, or list of values, of the rows to keep, such as ``{"country": "KZ", "level": 1}``.
    crs : str, optional
        Coordinate reference system of a file that names none, such as ``EPSG:4326``. It replaces that of a
        file only where the coordinates show the file's to be wrong.
    encoding : str, optional
        Encoding of the texts of a Shapefile.

    Returns
    -------
    GeoDataFrame
        Index = region labels as str, named after their column; two-dimensional polygons, the file's other
        columns and its CRS.

    Raises
    ------
    InputError
        If the file cannot be read, holds no or several layers, no regions or no CRS, coordinates are no
        degrees though the CRS says so, a column or value does not exist, or the labels are not to be found.
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
    frame = read_features(path, layer=layer, where=where, crs=crs, encoding=encoding)
    labels = frame[_label_column(frame, id_column, path.name)]
    texts = texts_of(labels)
    if (texts == "").any():
        places = listing(np.flatnonzero(texts == "") + 1)
        raise RegionError(
            f"Found no {labels.name} for feature {places} of {path.name}; expected one for each."
        )
    frame = frame.drop(columns=labels.name).set_axis(pd.Index(texts, name=labels.name))
    frame, _ = polygonal(frame, path.name)
    require_polygons(frame)
    return frame


def boundaries_for(
    path: str | Path,
    regions: pd.Index,
    *,
    id_column: str | None = None,
    codes: Mapping[str, Hashable] | None = None,
    layer: str | None = None,
    where: Mapping[str, object] | None = None,
    crs: str | None = None,
    encoding: str | None = None,
    clean: bool = False,
    gap: float | None = None,
) -> Boundaries:
    """Read the map of a table's regions: the column that names them is found, and other regions are cut off.

    Parameters
    ----------
    path, layer, where, crs, encoding
        As in :func:`read_boundaries`.
    regions : Index
        Labels of the table.
    id_column : str, optional
        Column with the labels. By default the one that holds most of them.
    codes : mapping, optional
        Other names that the map may use → label.
    clean : bool
        Mend borders that do not fit; see :func:`clean_coverage`.
    gap : float, optional
        Widest strip between two regions, in units of the map, that cleaning closes.

    Returns
    -------
    Boundaries

    Raises
    ------
    InputError
        As :func:`read_boundaries`, or if it is open which column names the regions.
    RegionError
        If the map lacks a region, has one more than once, or has no polygon for it.

    Examples
    --------
    >>> import tempfile
    >>> boxes = [shapely.box(x, 0, x + 1, 1) for x in range(3)]
    >>> frame = gpd.GeoDataFrame({"name": ["A", "B", "C"], "code": [1, 2, 3]}, geometry=boxes, crs=4326)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     frame.to_file(f"{folder}/map.gpkg")
    ...     found = boundaries_for(f"{folder}/map.gpkg", pd.Index([2, 1]))
    >>> found.polygons["name"].to_dict(), found.notes
    ({2: 'B', 1: 'A'}, ('The map map.gpkg has 1 region that the table lacks (3); it was left out.',))
    """
    path = Path(path)
    check_labels(regions, "region")
    frame = read_features(path, layer=layer, where=where, crs=crs, encoding=encoding)
    known = known_names(regions, codes)
    column = _naming_column(frame, known, regions, path.name) if id_column is None else id_column
    column = _label_column(frame, column, path.name)
    frame, notes = _cut(frame, column, known, regions, path.name)
    frame, leftovers = polygonal(frame, path.name)
    require_polygons(frame)
    notes += leftovers
    if clean:
        mended = clean_coverage(frame, gap=gap)
        moved = movement(frame, mended)
        return Boundaries(mended, (*notes, f"The map {path.name} was cleaned: {moved}."), moved)
    if len(broken := misfits(shapely.force_2d(frame.geometry.to_numpy()))):
        notes += (
            f"Borders of {listing(frame.index[broken])} in the map {path.name} overlap or do not meet vertex "
            "by vertex; clean = true mends them.",
        )
    return Boundaries(frame, notes)


def map_labels(path: str | Path, regions: pd.Index) -> list[str]:
    """Labels of a map in the column that names most regions of a table.

    Raises
    ------
    InputError
        As :func:`boundaries_for`.
    """
    frame = read_features(Path(path))
    return list(texts_of(frame[_naming_column(frame, known_names(regions), regions, Path(path).name)]))


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


def _columns(frame: gpd.GeoDataFrame) -> list[str]:
    return [str(column) for column in frame.columns if column != frame.geometry.name]


def _label_column(frame: gpd.GeoDataFrame, id_column: str | None, file: str) -> str:
    columns = _columns(frame)
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


def _naming_column(frame: gpd.GeoDataFrame, known: Mapping[str, int], regions: pd.Index, file: str) -> str:
    """The column that names most regions of the table."""
    read = {column: texts_of(frame[column]) for column in _columns(frame)}
    placed = {column: texts[texts.isin(known)].map(known) for column, texts in read.items()}
    # Of columns that name as many, one that names each once: regions, not the districts in them.
    rank = {column: (places.nunique(), places.is_unique) for column, places in placed.items()}
    best = max(rank.values(), default=(0, True))
    if not best[0]:
        reasons = [
            clause
            for column, texts in read.items()
            for clause in lost_zeros(texts, regions, what=f"its column {column!r}")
        ] or [f"expected such as {listing(regions, 3)} in one of {listing(read, 30)}, so name it (id)"]
        raise InputError(f"The map {file} has no column that names regions of the table; {reasons[0]}.")
    winners = [column for column in rank if rank[column] == best]
    if any(not placed[column].equals(placed[winners[0]]) for column in winners):
        raise InputError(
            f"Columns {listing(winners)} of the map {file} name regions of the table, but not for the same "
            "polygons; name the right one (id)."
        )
    return winners[0]


def _cut(
    frame: gpd.GeoDataFrame, column: str, known: Mapping[str, int], regions: pd.Index, file: str
) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    """Rows of the table's regions in their order, and a note on the others."""
    texts = texts_of(frame[column])
    place = texts.map(known)
    extra = texts[place.isna()].replace("", "one without a name").unique().tolist()
    lacking = regions[~np.isin(np.arange(len(regions)), place.dropna())]
    if len(lacking):
        reasons = lost_zeros(extra, lacking, what="it")
        if not reasons and extra:
            reasons = [f"it has {listing(extra)}, which the table does not"]
        raise RegionError(
            "; ".join([f"The map {file} lacks {listing(lacking)} in its column {column!r}", *reasons]) + "."
        )
    twice = place[place.notna() & place.duplicated()].astype(int).unique()
    if len(twice):
        raise RegionError(
            f"The map {file} has {listing(regions[twice])} more than once in its column {column!r}; keep one "
            "level or country (where), or join the parts of each region first."
        )
    frame = frame.assign(**{column: texts})[place.notna().to_numpy()]
    order = np.argsort(place.dropna().to_numpy())
    # The labels of the table, which the map may have as codes or as text.
    frame = frame.iloc[order].drop(columns=column).set_axis(regions)
    many = len(extra) > 1
    note = (
        f"The map {file} has {len(extra)} region{'s' * many} that the table lacks ({listing(extra)}); "
        f"{'they were' if many else 'it was'} left out."
    )
    return frame, (note,) if extra else ()


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
            f"Coordinates of {file} reach {far}, but {frame.crs.name} (which GeoJSON means if it names none) "
            "needs longitude and latitude; name their coordinate reference system (crs, --crs)."
        )
    return frame


def _out_of_range(frame: gpd.GeoDataFrame, crs: pyproj.CRS) -> str:
    """The farthest corner of the map if coordinates cannot be degrees, though they should be."""
    if not crs.is_geographic or frame.empty:
        return ""
    west, south, east, north = np.degrees(frame.total_bounds * crs.axis_info[0].unit_conversion_factor)
    lon, lat = max(-west, east), max(-south, north)
    return f"{lon:g}, {lat:g}" if lon > _LONGITUDE * (1 + 1e-9) or lat > _LATITUDE * (1 + 1e-9) else ""
