"""Contiguity of polygons, refused where faults of the map would hide neighbors, and mending these faults."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from libpysal.graph import Graph
from numpy.typing import NDArray
from scipy.sparse import csr_array

from spatialkz.errors import GraphError, InputError, RegionError, listing
from spatialkz.tables import check_labels

Shapes = NDArray[Any]
Positions = NDArray[np.intp]

_GAP = 0.001  # degrees, about 100 m; also the share of the map's extent that a gap is at most
_FUZZ = 1 + 1e-6  # 1.001 − 1 is a little more than 0.001
_RUN = 3.0  # corners that meet run along each other for a gap or two; borders do so for longer
_MEND = "mend the map (clean = true, --clean, clean_coverage)"
# Shares of the map's extent, which is its longer side; 1e-7 of a country is decimeters.
_SNAP = 1e-7  # points this close are one point
_SLIVER = 1e-6  # an enclosed gap narrower than this is a fault of digitizing, not a lake
_REACH = 1.5  # times the widest gap to be closed
_CORNER = 2.5  # times a gap: how far apart corners can be where gaps meet
_ROUNDS = 3  # of closing gaps
_NAMED = 0.001  # share of its area from which on the change of a region is named


def default_gap(regions: gpd.GeoSeries) -> float:
    """Widest strip between two regions that counts as a fault of the map, in units of its coordinates.

    It is 0.001 degrees or 100 meters, and at most a thousandth of the map's extent.

    Examples
    --------
    >>> boxes = [shapely.box(0, 0, 40, 10), shapely.box(40, 0, 80, 10)]
    >>> default_gap(gpd.GeoSeries(boxes, crs=4326)), default_gap(gpd.GeoSeries(boxes, crs=3857))
    (0.001, 0.08)
    """
    west, south, east, north = shapely.total_bounds(regions.to_numpy())
    share = _GAP * float(max(east - west, north - south))
    if regions.crs is None:
        return share
    if regions.crs.is_geographic:
        return min(share, _GAP)
    return min(share, 100 / float(regions.crs.axis_info[0].unit_conversion_factor))


def contiguity(regions: gpd.GeoSeries, *, rook: bool = False, gap: float | None = None) -> csr_array:
    """Matrix of 1 for regions that share a vertex or, for rook, an edge; the edges of the world are joined.

    A map in degrees that is cut where its first and last meridian meet (±180°) has neighbors across the cut.

    Parameters
    ----------
    regions : GeoSeries
        Polygons.
    rook : bool
        Count shared edges only.
    gap : float, optional
        Widest strip between two regions, in units of the coordinates, that counts as a fault of the map;
        :func:`default_gap` by default, 0 if all regions that are apart are truly so.

    Raises
    ------
    GraphError
        If borders overlap or share an edge without sharing its vertices, or two regions without a link are
        no farther apart than the gap and no region lies between them.
    InputError
        If the gap is not a number ≥ 0.

    Examples
    --------
    >>> regions = gpd.GeoSeries([shapely.box(0, 0, 1, 1), shapely.box(1, 1, 2, 2)])
    >>> contiguity(regions).nnz, contiguity(regions, rook=True).nnz
    (2, 0)
    """
    gap = checked_gap(regions, gap)
    shapes = shapely.force_2d(regions.to_numpy())
    if len(broken := misfits(shapes)):
        raise GraphError(
            f"The borders of {listing(regions.index[broken])} overlap or run along each other without the "
            f"same vertices, so neighbors would be missed; {_MEND}, or choose another recipe, such as knn."
        )
    linked = by_vertices(shapes)
    i, j, width = apart(shapes, linked, gap)
    chosen = by_vertices(shapes, rook=True) if rook else linked
    if rook and not len(i):
        i, j = _unshared(shapes, linked, chosen, gap)
        width = np.full(len(i), gap)
    if len(i):
        pairs = listing(f"{regions.index[a]} – {regions.index[b]}" for a, b in zip(i, j, strict=True))
        raise GraphError(
            f"Only a gap of at most {width.max():.3g} {unit_of(regions.crs)} separates {pairs}, so neighbors "
            f"would be missed; {_MEND}, set gap = 0 if such regions do not touch in fact, or choose another "
            "recipe, such as knn."
        )
    return _joined(chosen, *_across_the_cut(shapes, regions.crs, rook, gap))


def misfits(shapes: Shapes) -> Positions:
    """Positions of shapes that overlap, or run along each other without the same vertices."""
    if shapely.coverage_is_valid(shapes):
        return np.array([], dtype=np.intp)
    edges = shapely.coverage_invalid_edges(shapes)
    own = np.flatnonzero(~shapely.is_empty(edges))
    # Of two shapes one inside the other, only the edges of the inner one are marked.
    around = shapely.STRtree(shapes).query(edges[own], predicate="within")[1]
    return np.union1d(own, around).astype(np.intp)


def checked_gap(regions: gpd.GeoSeries, gap: float | None) -> float:
    """Return a gap that is a number of at least 0, by default :func:`default_gap`."""
    if gap is None:
        return default_gap(regions)
    if isinstance(gap, bool) or not isinstance(gap, int | float) or not 0 <= gap < np.inf:
        raise InputError(f"gap is {gap!r}; it must be a number of at least 0.")
    return float(gap)


def unit_of(crs: pyproj.CRS | None) -> str:
    """Name of the unit of coordinates, in the plural."""
    if crs is None:
        return "map units"
    name = str(crs.axis_info[0].unit_name)
    return {"metre": "meters", "foot": "feet", "US survey foot": "US survey feet"}.get(name, f"{name}s")


def by_vertices(shapes: Shapes, *, rook: bool = False) -> csr_array:
    """Matrix of 1 for shapes that share a vertex or an edge, by position."""
    weights = csr_array(Graph.build_contiguity(gpd.GeoSeries(shapes), rook=rook).sparse.astype(float))
    weights.eliminate_zeros()
    return weights


def apart(shapes: Shapes, linked: csr_array, gap: float) -> tuple[Positions, Positions, NDArray[np.float64]]:
    """Pairs without a link that are no farther apart than the gap, with no other shape between them."""
    i, j = shapely.STRtree(shapes).query(_frames(shapes, gap * _FUZZ))
    linked_i, linked_j = linked.nonzero()
    order = np.lexsort((j, i))
    i, j = i[order], j[order]
    unlinked = ~np.isin(i * len(shapes) + j, linked_i * len(shapes) + linked_j) & (i < j)
    i, j = i[unlinked], j[unlinked]
    shapely.prepare(shapes)
    near = shapely.dwithin(shapes[i], shapes[j], gap * _FUZZ)
    i, j = i[near], j[near]
    bridges = shapely.shortest_line(shapes[i], shapes[j])
    width = shapely.length(bridges)
    middle = shapely.line_interpolate_point(bridges, 0.5, normalized=True)
    bridge, shape = shapely.STRtree(shapes).query(middle, predicate="intersects")
    between = (shape != i[bridge]) & (shape != j[bridge])
    free = ~np.isin(np.arange(len(i)), bridge[between]) | (width == 0)
    return i[free], j[free], width[free]


def _unshared(shapes: Shapes, queen: csr_array, rook: csr_array, gap: float) -> tuple[Positions, Positions]:
    """Pairs that share a vertex and no edge, but run along each other with only a gap between."""
    i, j = csr_array(queen - rook).nonzero()
    upper = i < j
    i, j = i[upper], j[upper]
    if not (len(i) and gap):
        return i[:0], j[:0]
    edges = shapely.coverage_invalid_edges(shapes, gap_width=gap * _FUZZ)
    at_gap = ~(shapely.is_empty(edges[i]) | shapely.is_empty(edges[j]))
    i, j = i[at_gap], j[at_gap]
    along = shapely.length(shapely.intersection(edges[i], shapely.buffer(edges[j], gap)))
    return i[along > _RUN * gap], j[along > _RUN * gap]


def _across_the_cut(
    shapes: Shapes, crs: pyproj.CRS | None, rook: bool, gap: float
) -> tuple[Positions, Positions]:
    """Pairs that meet where a map of the whole round of longitudes is cut."""
    nobody = np.array([], dtype=np.intp)
    if crs is None or not crs.is_geographic:
        return nobody, nobody
    turn = 2 * np.pi / crs.axis_info[0].unit_conversion_factor
    reach = max(gap, 1e-9 * turn)
    west, _, east, _ = shapely.total_bounds(shapes)
    if east - west < turn - 2 * reach:
        return nobody, nobody
    parts, owner = shapely.get_parts(shapes, return_index=True)
    bounds = shapely.bounds(parts)
    first, last = bounds[:, 0] <= east - turn + 2 * reach, bounds[:, 2] >= west + turn - 2 * reach
    turned = shapely.transform(parts[first], lambda xy: xy + np.array([turn, 0]))
    i, j = shapely.STRtree(parts[last]).query(turned, predicate="dwithin", distance=2 * reach)
    if rook:
        strips = shapely.buffer(parts[last][j], 2 * reach)
        along = shapely.length(shapely.intersection(shapely.boundary(turned[i]), strips))
        i, j = i[along > 2 * _RUN * reach], j[along > 2 * _RUN * reach]
    i, j = owner[first][i], owner[last][j]
    return i[i != j], j[i != j]


def _joined(weights: csr_array, i: Positions, j: Positions) -> csr_array:
    if not len(i):
        return weights
    more = csr_array((np.ones(2 * len(i)), (np.r_[i, j], np.r_[j, i])), shape=weights.shape)
    return csr_array(((weights + more) > 0).astype(float))


def _frames(shapes: Shapes, margin: float) -> Shapes:
    west, south, east, north = shapely.bounds(shapes).T
    frames: Shapes = shapely.box(west - margin, south - margin, east + margin, north + margin)
    return frames


def clean_coverage(
    boundaries: gpd.GeoDataFrame, *, tolerance: float | None = None, gap: float | None = None
) -> gpd.GeoDataFrame:
    """Make polygons tile their area: no overlaps, no gaps between neighbors, shared borders identical.

    Where only a gap separates two regions, the border of one is snapped to corners of the other. All borders
    are put on a grid (the power of ten below 1e-7 of the map's extent) and cut into faces. Ground claimed by
    several regions goes to the smallest of them, so an enclave city is cut out of its region; an enclosed gap
    that is narrow (twice its area over its outline) goes to the region it shares the longest border with,
    while wider gaps stay. Then all borders are simplified together, so that neighbors remain neighbors.

    Parameters
    ----------
    boundaries : GeoDataFrame
        Polygons, index = region.
    tolerance : float, optional
        Strength of the simplification, in units of the CRS: detail smaller than triangles of about
        ``tolerance**2`` goes (Visvalingam–Whyatt). By default, and with 0, none.
    gap : float, optional
        Widest strip between two regions, in units of the CRS, that is a fault of the map. By default 0.001
        degrees or 100 m, at most a thousandth of the extent; with 0 only enclosed gaps narrower than 1e-6 of
        the extent are closed.

    Returns
    -------
    GeoDataFrame
        The same regions, columns and CRS with valid two-dimensional polygons that form a coverage.

    Raises
    ------
    InputError
        If the tolerance or the gap is not a number ≥ 0.
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
    require_polygons(boundaries)
    gap = checked_gap(boundaries.geometry, gap)
    flat = shapely.force_2d(boundaries.geometry.to_numpy())
    shapes = shapely.make_valid(flat, method="structure", keep_collapsed=False)
    hollow = boundaries.index[shapely.is_empty(shapes)]
    if len(hollow):
        raise RegionError(f"Found regions without area, expected polygons only: {listing(hollow)}.")
    tiles = _tiles(shapes, boundaries.index, gap)
    if len(apart(tiles, by_vertices(tiles), gap)[0]):  # where ground that was contended for is now open
        tiles = _tiles(tiles, boundaries.index, gap)
    if tolerance:
        tiles = shapely.coverage_simplify(tiles, tolerance)
    unsound = np.flatnonzero(~shapely.is_valid(tiles) | shapely.is_empty(tiles))
    i, j, _ = apart(tiles, by_vertices(tiles), gap)
    broken = boundaries.index[np.unique(np.r_[unsound, misfits(tiles), i, j])]
    if len(broken):
        raise RegionError(
            f"Borders still do not fit after cleaning with tolerance {tolerance or 0:g} and gap {gap:g}, "
            f"expected a coverage: {listing(broken)}."
        )
    return boundaries.set_geometry(tiles, crs=boundaries.crs)


@dataclass(frozen=True)
class Movement:
    """How far cleaning moved a map.

    Attributes
    ----------
    distance : float
        The longest way from a corner or the middle of an edge of a region's old border to its new border, or
        from those of a new border to any old one.
    unit : str
        Unit of the distance: ``m``, or ``map units`` without a coordinate reference system.
    area : Series
        Index = region: change of its area as a share of the area before.
    """

    distance: float
    unit: str
    area: pd.Series[float]

    def __str__(self) -> str:
        changed = self.area[self.area.abs() > _NAMED].sort_values(key=abs, ascending=False)
        named = listing(f"{region} ({share:+.1%})" for region, share in changed.items())
        whose = f"area changed in {named}" if named else f"no area changed by more than {_NAMED:.1%}"
        return f"no border moved by more than {self.distance:.3g} {self.unit}, {whose}"


def movement(before: gpd.GeoDataFrame, after: gpd.GeoDataFrame) -> Movement:
    """Measure how far borders moved and how areas changed from one map to another of the same regions.

    Where coordinates are degrees, distances are meters along the ellipsoid.

    Examples
    --------
    >>> apart = gpd.GeoSeries([shapely.box(0, 0, 1000, 1000), shapely.box(1001, 0, 2000, 1000)], crs=3857)
    >>> map_with_gap = gpd.GeoDataFrame(geometry=apart).set_axis(["a", "b"])
    >>> print(movement(map_with_gap, clean_coverage(map_with_gap)))
    no border moved by more than 1 m, area changed in b (+0.1%)
    """
    after = after.loc[before.index]
    old, new = (shapely.boundary(shapely.force_2d(frame.geometry.to_numpy())) for frame in (before, after))
    ways = [_ways(_segments(a), _segments(b)) for a, b in zip(old, new, strict=True)]
    ways.append(_ways(_segments(new), _segments(old)))
    start, end = np.concatenate(ways).reshape(-1, 2, 2).transpose(1, 0, 2)
    crs = before.crs
    if crs is not None and crs.is_geographic:
        degrees = np.degrees(crs.axis_info[0].unit_conversion_factor)
        length = crs.get_geod().inv(*(start * degrees).T, *(end * degrees).T)[2]
    else:
        length = np.hypot(*(end - start).T) * (1 if crs is None else crs.axis_info[0].unit_conversion_factor)
    area = pd.Series(shapely.area(after.geometry.to_numpy()), index=before.index)
    area = area / shapely.area(before.geometry.to_numpy()) - 1
    return Movement(float(np.max(length, initial=0.0)), "map units" if crs is None else "m", area)


def require_polygons(frame: gpd.GeoDataFrame) -> None:
    """Refuse a table of regions without rows, or with a row that is no polygon."""
    check_labels(frame.index, "region")
    if frame.empty:
        raise InputError("Found no regions; expected at least one polygon.")
    odd = frame.index[~frame.geom_type.isin(["Polygon", "MultiPolygon"]) | frame.is_empty]
    if len(odd):
        raise RegionError(f"Found regions without a polygon, expected polygons only: {listing(odd)}.")


def _tiles(shapes: Shapes, labels: pd.Index, gap: float) -> Shapes:
    """Shapes without overlaps and gaps."""
    faces, owner = _faces(_closed(shapes, gap), gap)
    lost = labels[~np.isin(np.arange(len(shapes)), owner)]
    if len(lost):
        raise RegionError(
            f"These regions lie wholly inside smaller ones, so nothing is left of them: {listing(lost)}."
        )
    tiles: Shapes = np.array([shapely.coverage_union_all(faces[owner == k]) for k in range(len(shapes))])
    return tiles if shapely.coverage_is_valid(tiles) else shapely.coverage_clean(tiles)


def _closed(shapes: Shapes, gap: float) -> Shapes:
    """Snap the borders of regions to each other where only a gap separates them."""
    i, j, width = _astray(shapes, gap)
    for _ in range(_ROUNDS):
        if not len(i):
            break
        reach = _REACH * float(width.max())
        shapes = _snapped(shapes, np.unique(np.r_[i, j]), reach)
        i, j, width = _parted(shapes, gap)  # overlaps made by snapping are left to the faces
    return shapes


def _parted(shapes: Shapes, gap: float) -> tuple[Positions, Positions, NDArray[np.float64]]:
    """Pairs that only a gap separates, and its width; corners where gaps meet are farther apart."""
    linked = by_vertices(shapes)
    i, j, width = apart(shapes, linked, gap)
    if not len(i):
        return i, j, width
    parted = csr_array((np.ones(2 * len(i)), (np.r_[i, j], np.r_[j, i])), shape=linked.shape)
    around = parted @ parted
    i, j, width = apart(shapes, linked, _CORNER * gap)
    chosen = (width > 0) & ((parted[i, j] > 0) | (around[i, j] > 0))
    return i[chosen], j[chosen], width[chosen]


def _astray(shapes: Shapes, gap: float) -> tuple[Positions, Positions, NDArray[np.float64]]:
    """Pairs that only a gap separates, or that overlap by no more than a gap, and the width of either."""
    i, j, width = _parted(shapes, gap)
    odd = misfits(shapes)
    row, b = shapely.STRtree(shapes).query(shapes[odd], predicate="intersects")
    a = odd[row]
    a, b = a[a < b], b[a < b]
    common = shapely.intersection(shapes[a], shapes[b])
    area = shapely.area(common)
    mean = np.divide(2 * area, shapely.length(common), out=np.zeros(len(a)), where=area > 0)
    slim = (mean > 0) & (mean <= gap)
    widest = np.minimum(2 * mean[slim], gap)  # as in a lens
    return np.r_[i, a[slim]], np.r_[j, b[slim]], np.r_[width, widest]


def _snapped(shapes: Shapes, chosen: Positions, reach: float) -> Shapes:
    """Snap the chosen shapes to corners of what is near: the larger first, then all again."""
    shapes = shapes.copy()
    row, near = shapely.STRtree(shapes).query(shapes[chosen], predicate="dwithin", distance=2 * reach)
    beside = {int(at): near[(row == k) & (near != at)] for k, at in enumerate(chosen)}
    settled = np.ones(len(shapes), dtype=bool)
    settled[chosen] = False
    larger_first: list[int] = chosen[np.argsort(-shapely.area(shapes[chosen]), kind="stable")].tolist()
    for at in 2 * larger_first:
        corners = np.unique(shapely.get_coordinates(shapes[beside[at][settled[beside[at]]]]), axis=0)
        settled[at] = True
        border = shapely.boundary(shapes[at])
        shapely.prepare(border)
        corners = corners[shapely.dwithin(border, shapely.points(corners), reach)]
        if len(corners):
            moved = shapely.snap(shapes[at], shapely.multipoints(corners), reach)
            with suppress(shapely.GEOSException):  # a knot that cannot be untied stays as it was
                shapes[at] = shapely.make_valid(moved, method="structure", keep_collapsed=False)
    return shapes


def _segments(borders: Any) -> Shapes:
    points, line = shapely.get_coordinates(shapely.get_parts(borders), return_index=True)
    along = line[1:] == line[:-1]
    segments: Shapes = shapely.linestrings(np.stack([points[:-1][along], points[1:][along]], axis=1))
    return segments


def _ways(segments: Shapes, border: Shapes) -> NDArray[np.float64]:
    """Shortest ways from starts and middles of segments to a border, shape (n, 2 ends, 2 coordinates)."""
    points = shapely.line_interpolate_point(
        np.r_[segments, segments], np.repeat([0, 0.5], len(segments)), normalized=True
    )
    _, nearest = shapely.STRtree(border).query_nearest(points, all_matches=False)
    ways: NDArray[np.float64] = shapely.get_coordinates(shapely.shortest_line(points, border[nearest]))
    return ways.reshape(-1, 2, 2)


def _faces(shapes: Shapes, gap: float) -> tuple[Shapes, Positions]:
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

    narrow = 2 * shapely.area(faces) / shapely.length(faces) < max(_SLIVER * extent, gap)
    slivers, owned = np.flatnonzero((owner < 0) & narrow), np.flatnonzero(owner >= 0)
    sliver, beside = shapely.STRtree(faces[owned]).query(faces[slivers], predicate="touches")
    sliver, beside = slivers[sliver], owned[beside]
    shared = shapely.length(shapely.intersection(faces[sliver], faces[beside]))
    longest_last = np.argsort(shared, kind="stable")
    owner[sliver[longest_last]] = owner[beside[longest_last]]
    return faces[owner >= 0], owner[owner >= 0]
