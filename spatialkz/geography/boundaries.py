"""Boundaries of any regions: read a map for a table, dissolve regions into larger units."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from spatialkz.errors import InputError, RegionError, listing
from spatialkz.geography.coverage import misfits
from spatialkz.geography.map_files import polygonal, read_features, texts_of
from spatialkz.geography.mending import Movement, clean_coverage, movement, require_polygons
from spatialkz.tables import check_labels, check_same_regions
from spatialkz.tables.labels import known_names, lost_zeros


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
