"""Contiguity of polygons, refused where faults of the map would hide neighbors."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from libpysal.graph import Graph
from numpy.typing import NDArray
from scipy.sparse import csr_array

from spatialkz.errors import GraphError, InputError, listing

Shapes = NDArray[Any]
Positions = NDArray[np.intp]

_GAP = 0.001  # degrees, about 100 m; also the share of the map's extent that a gap is at most
_FUZZ = 1 + 1e-6  # 1.001 − 1 is a little more than 0.001
_RUN = 3.0  # corners that meet run along each other for a gap or two; borders do so for longer
_MEND = "mend the map (clean = true, --clean, clean_coverage)"


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
            f"same vertices, which hides neighbors; {_MEND}, or choose another recipe, such as knn."
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
            f"Only a gap of at most {width.max():.3g} {unit_of(regions.crs)} parts {pairs}, which hides "
            f"neighbors; {_MEND}, set gap = 0 if such regions are truly apart, or choose another recipe, "
            "such as knn."
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
