"""Firms with coordinates: which region each lies in, and which lie in none or on a border."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from spatialkz.errors import InputError, listing, notice
from spatialkz.geography.coverage import require_polygons
from spatialkz.options import DecimalMark, OnBorder
from spatialkz.tables import check_labels
from spatialkz.tables.engines import Register, opened

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH = 500_000


@dataclass(frozen=True)
class PlacedPoints:
    """The region of each point.

    Attributes
    ----------
    regions : Series
        Point → region; missing where it lies in none, or on a border.
    outside : Index
        Points that lie in no region.
    on_border : Series
        Point that lies in or between several regions → these, as text.
    nowhere : Index
        Points without coordinates.
    """

    regions: pd.Series
    outside: pd.Index
    on_border: pd.Series
    nowhere: pd.Index

    def summary(self) -> str:
        """How many points were placed, and how many not, and why."""
        return _told(len(self.regions), len(self.outside), len(self.nowhere), self.on_border.value_counts())


def place_points(
    points: gpd.GeoSeries | gpd.GeoDataFrame, boundaries: gpd.GeoDataFrame, *, border: OnBorder = "none"
) -> PlacedPoints:
    """Find the region that each point lies in, by a spatial join.

    Parameters
    ----------
    points : GeoSeries or GeoDataFrame
        Points, in any coordinate reference system.
    boundaries : GeoDataFrame
        Polygons, index = region.
    border : {"none", "first"}
        Where a point lies on the border of several regions, or where their polygons overlap: no region, or
        the first of them in the order of ``boundaries``.

    Returns
    -------
    PlacedPoints

    Raises
    ------
    InputError
        If there are other shapes than points, a coordinate reference system is missing, or all points lie
        outside.
    RegionError
        If a region has no polygon, or labels repeat.

    Examples
    --------
    >>> halves = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)],
    ...                           index=["West", "East"], crs=4326)
    >>> firms = gpd.GeoSeries.from_xy([0.5, 1.5, 1, 9], [0.5] * 4, index=list("abcd"), crs=4326)
    >>> placed = place_points(firms, halves)
    >>> placed.regions.dropna().to_dict(), placed.outside.tolist(), placed.on_border.to_dict()
    ({'a': 'West', 'b': 'East'}, ['d'], {'c': 'West, East'})
    """
    if not isinstance(points, gpd.GeoSeries | gpd.GeoDataFrame):
        raise InputError(f"points must be a GeoSeries or GeoDataFrame, not {type(points).__name__}.")
    _check_boundaries(boundaries, border)
    shapes = points.geometry
    if shapes.crs is None:
        raise InputError(
            "The points have no coordinate reference system; set it, such as EPSG:4326 (degrees)."
        )
    bare = shapes.isna() | shapes.is_empty
    odd = shapes.index[(shapes.geom_type != "Point") & ~bare]
    if len(odd):
        raise InputError(f"points must be points, but these are not: {listing(odd)}.")
    moved = shapes.to_crs(boundaries.crs)
    place, several = _placed(moved.to_numpy(), boundaries, border)
    outside = (place == _OUTSIDE) & ~bare.to_numpy()
    if bare.all():
        raise InputError("No point has coordinates.")
    if outside.sum() == (~bare).sum():
        _refuse_all_outside(moved[~bare].to_numpy(), boundaries)
    return PlacedPoints(
        pd.Series(_labels(place, boundaries.index), index=shapes.index, name="region", dtype=object),
        shapes.index[outside],
        pd.Series(list(several.values()), index=shapes.index[list(several)], name="regions", dtype=object),
        shapes.index[bare],
    )


def place_register(
    register: Register,
    boundaries: gpd.GeoDataFrame,
    x: str,
    y: str,
    *,
    columns: list[str] | tuple[str, ...] = (),
    name: str = "region",
    crs: str = "EPSG:4326",
    border: OnBorder = "none",
    texts: list[str] | tuple[str, ...] = (),
    numbers: list[str] | tuple[str, ...] = (),
    decimal: DecimalMark = ".",
) -> pa.Table:
    """Give each row of a register the region that its coordinates lie in, some rows at a time.

    Parameters
    ----------
    register : frame, dataset, or names of files
        As in :func:`~spatialkz.tables.aggregate_register`, but for frames of a cluster.
    boundaries, border
        As in :func:`place_points`.
    x, y : str
        Columns with longitude and latitude, or with coordinates in ``crs``.
    columns : list of str
        Columns to keep.
    name : str
        Column that is added.
    crs : str
        Coordinate reference system of the coordinates.
    texts, numbers : list of str
        Which columns of CSV files are texts, such as codes with leading zeros, and which are numbers beside
        the coordinates; others are told by content.
    decimal : {".", ","}
        Decimal mark in CSV files.

    Returns
    -------
    pyarrow.Table
        The columns to keep and the region, which is missing where there is none; for
        :func:`~spatialkz.tables.aggregate_register`. A :class:`~spatialkz.errors.Notice` says how many points
        have no region, and why.

    Raises
    ------
    InputError
        As :func:`place_points`, or if a column is missing or the register is on a cluster.
    """
    import pyarrow as pa
    import pyproj

    _check_boundaries(boundaries, border)
    if name in columns:
        raise InputError(f"The register has a column {name!r} already; give the new one another name.")
    frame = opened(register, [x, y, *columns], texts=texts, numbers=(x, y, *numbers), decimal=decimal)
    schema = frame.collect_schema()
    for column in (x, y):
        if not schema[column].is_numeric():
            raise InputError(
                f"The column {column} must hold coordinates, but it is of type {schema[column]}."
            )
    try:
        move = pyproj.Transformer.from_crs(crs, boundaries.crs, always_xy=True)
    except pyproj.exceptions.CRSError:
        raise InputError(f"crs is {crs!r}; expected one such as EPSG:4326 (degrees).") from None
    parts: list[pa.Table] = []
    rows, outside, nowhere, borders, strays = 0, 0, 0, pd.Series(dtype="int64"), None
    for batch in _batches(frame, list(dict.fromkeys([x, y, *columns]))):
        lon, lat = (batch[column].to_numpy(zero_copy_only=False).astype("float64") for column in (x, y))
        bare = ~(np.isfinite(lon) & np.isfinite(lat))
        points = shapely.points(*move.transform(np.where(bare, np.nan, lon), np.where(bare, np.nan, lat)))
        points[bare] = None
        place, several = _placed(points, boundaries, border)
        labels = pa.DictionaryArray.from_arrays(
            pa.array(np.where(place < 0, 0, place), mask=place < 0), boundaries.index.astype(str).tolist()
        )
        parts.append(pa.table({**{column: batch[column] for column in columns}, name: labels}))
        rows, nowhere = rows + len(lon), nowhere + int(bare.sum())
        missed = (place == _OUTSIDE) & ~bare
        outside += int(missed.sum())
        strays = points[missed] if strays is None else strays
        borders = borders.add(pd.Series(several, dtype=object).value_counts(), fill_value=0)
    if not rows:
        raise InputError("The register has no rows.")
    if nowhere == rows:
        raise InputError(f"No row has coordinates in {x} and {y}.")
    if strays is not None and outside == rows - nowhere:
        _refuse_all_outside(strays, boundaries)
    if outside or nowhere or len(borders):
        notice(_told(rows, outside, nowhere, borders, border))
    return pa.concat_tables(parts, promote_options="permissive")


_OUTSIDE, _BORDER = -1, -2


def _placed(
    points: Any, boundaries: gpd.GeoDataFrame, border: OnBorder
) -> tuple[np.ndarray[Any, np.dtype[np.int64]], dict[int, str]]:
    """Number of the region of each point, or why it has none; and the regions of points that have several."""
    # The few polygons ask the tree of the many points, so that each polygon is prepared once.
    region, point = shapely.STRtree(points).query(boundaries.geometry.to_numpy(), predicate="intersects")
    order = np.lexsort((region, point))
    region, point = region[order], point[order]
    found, first, number = np.unique(point, return_index=True, return_counts=True)
    place = np.full(len(points), _OUTSIDE)
    place[found] = region[first]
    many = number > 1
    several = {
        int(at): ", ".join(map(str, boundaries.index[region[start : start + n]]))
        for at, start, n in zip(found[many], first[many], number[many], strict=True)
    }
    if border == "none":
        place[found[many]] = _BORDER
    return place, several


def _labels(place: np.ndarray[Any, Any], regions: pd.Index) -> list[object]:
    names = regions.tolist()
    return [names[at] if at >= 0 else None for at in place]


def _batches(frame: Any, columns: list[str]) -> Iterator[Any]:
    """The rows in Arrow batches, with the columns that are needed."""
    import narwhals as nw

    chosen = frame.select(*columns)
    if isinstance(chosen, nw.LazyFrame):
        if not chosen.implementation.is_duckdb():
            raise InputError(
                "Points of a lazy frame or a cluster cannot be placed from here; write it to Parquet files, "
                "and give their names."
            )
        yield from chosen.to_native().to_arrow_reader(_BATCH)
    else:
        yield from chosen.to_arrow().combine_chunks().to_batches(_BATCH)


def _check_boundaries(boundaries: gpd.GeoDataFrame, border: OnBorder) -> None:
    if border not in get_args(OnBorder):
        raise InputError(f"border is {border!r}; it must be one of {listing(get_args(OnBorder))}.")
    if not isinstance(boundaries, gpd.GeoDataFrame):
        raise InputError(f"boundaries must be a GeoDataFrame, not {type(boundaries).__name__}.")
    check_labels(boundaries.index, "region")
    if boundaries.crs is None:
        raise InputError(
            "The boundaries have no coordinate reference system; set it, such as EPSG:4326 (degrees)."
        )
    require_polygons(boundaries)


def _refuse_all_outside(points: Any, boundaries: gpd.GeoDataFrame) -> None:
    x, y = shapely.get_x(points[0]), shapely.get_y(points[0])
    west, south, east, north = boundaries.total_bounds
    turned = shapely.points(shapely.get_y(points), shapely.get_x(points))
    swapped = (_placed(turned, boundaries, "first")[0] >= 0).any()
    hint = "longitude and latitude are swapped" if swapped else "check their coordinate reference system"
    raise InputError(
        f"No point lies in any region: the first is at {x:.6g}, {y:.6g}, and the regions reach from "
        f"{west:.6g}, {south:.6g} to {east:.6g}, {north:.6g}; {hint}."
    )


def _told(rows: int, outside: int, nowhere: int, borders: pd.Series, border: OnBorder = "none") -> str:
    on_border = int(borders.sum())
    lacking = outside + nowhere + (on_border if border == "none" else 0)
    parts = [f"{outside:,} outside all of them"] if outside else []
    parts += [f"{nowhere:,} without coordinates"] if nowhere else []
    if on_border:
        told = "" if border == "none" else ", which count for the first"
        parts.append(f"{on_border:,} on a border of several ({listing(borders.index, 3)}){told}")
    return f"{rows - lacking:,} of {rows:,} points lie in a region" + (
        f"; {', '.join(parts)}." if parts else "."
    )
