"""Where regions are: one point for each, and kilometers between them, planar or along the ellipsoid."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial import KDTree

from spatialkz.errors import InputError, listing
from spatialkz.geography.coverage import contiguity
from spatialkz.tables import check_labels, check_same_regions

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]

_SAME = 1e-9  # share of the map's extent (millimeters in a country) below which two distances are equal


class Places:
    """Points of regions and the distances between them in kilometers.

    Longitude and latitude are never used as plane coordinates: where the points come in degrees, or in a
    Mercator projection, whose scale runs away with latitude, distances are geodesics on the ellipsoid of
    their coordinate reference system (Karney 2013). In any other projection they are straight lines in it.

    Parameters
    ----------
    points : GeoSeries
        One point for each region, index = region, with a coordinate reference system.

    Attributes
    ----------
    xyz : array, shape (n, 2) or (n, 3)
        Kilometers: plane coordinates, or geocentric ones. The straight line between two of them is the
        distance, or a lower bound of the geodesic, which makes a tree of them search both exactly.
    plane : array, shape (n, 2)
        Kilometers: plane coordinates, or a stereographic projection about the middle of the points, which
        keeps circles round, as triangulations want it.
    rank : array, shape (n,)
        Place of each region from west to east, then from south to north: how ties are broken.
    tolerance : float
        Kilometers within which two distances count as equal, 1e-9 of the extent.

    Raises
    ------
    InputError
        If there is no coordinate reference system, coordinates do not fit it, or two points coincide.

    References
    ----------
    Karney (2013), *Journal of Geodesy* 87, 43–55.
    """

    def __init__(self, points: gpd.GeoSeries) -> None:
        crs = points.crs
        if crs is None:
            raise InputError(
                "Distances need a coordinate reference system, but the regions have none; "
                "name it, as in regions.set_crs(4326)."
            )
        self.labels = points.index
        self._geod: pyproj.Geod | None = None
        if crs.is_geocentric:
            raise InputError(f"Distances need degrees or a map projection, but {crs.name} is geocentric.")
        if _is_mercator(crs):
            points, crs = points.to_crs(crs.geodetic_crs), crs.geodetic_crs
        raw = shapely.get_coordinates(points.to_numpy())
        if crs.is_geographic:
            # Whatever the unit of the angle, as the reference system has it in radians.
            self._lonlat = np.degrees(raw * crs.axis_info[0].unit_conversion_factor)
            off = ~np.isfinite(raw).all(axis=1) | (np.abs(self._lonlat[:, 1]) > 90)
            _refuse(self.labels[off], f"are no longitude and latitude, as {crs.name} says they were")
            geod = crs.get_geod()
            self._geod = geod
            self.xyz, self.plane = _geocentric(self._lonlat, geod), _stereographic(self._lonlat, geod)
        else:
            _refuse(self.labels[~np.isfinite(raw).all(axis=1)], "are not finite")
            self.xyz = self.plane = raw * crs.axis_info[0].unit_conversion_factor / 1000
        self.tolerance = float(_SAME * np.ptp(self.xyz, axis=0).max(initial=0.0))
        # Ties are broken from west to east, then from south to north: by place, never by row or label.
        self.rank = np.argsort(np.lexsort((raw[:, 1], raw[:, 0])))
        twins = KDTree(self.xyz).query_pairs(self.tolerance, output_type="ndarray")
        if len(twins):
            pairs = listing(f"{self.labels[i]} and {self.labels[j]}" for i, j in np.sort(twins, axis=0))
            raise InputError(f"Every region needs a point of its own, but these coincide: {pairs}.")

    def between(self, i: Positions, j: Positions) -> Floats:
        """Kilometers between the regions at positions ``i`` and ``j``."""
        if self._geod is None:
            return np.asarray(np.linalg.norm(self.xyz[i] - self.xyz[j], axis=1), dtype=float)
        meters = self._geod.inv(*self._lonlat[i].T, *self._lonlat[j].T)[2]
        return np.asarray(meters, dtype=float) / 1000

    def within(self, threshold: float = np.inf) -> csr_array:
        """Matrix of the distances up to ``threshold`` kilometers, each pair both ways."""
        n, reach = len(self.labels), threshold + self.tolerance
        if np.isinf(threshold):
            i, j = np.triu_indices(n, k=1)
        else:
            i, j = KDTree(self.xyz).query_pairs(reach, output_type="ndarray").T
        kilometers = self.between(i, j)
        near = kilometers <= reach
        i, j, kilometers = i[near], j[near], kilometers[near]
        return csr_array(
            (np.r_[kilometers, kilometers], (np.r_[i, j], np.r_[j, i])),
            shape=(n, n),
        )

    def nearest(
        self, k: int = 1, of: Positions | None = None, among: Positions | None = None
    ) -> tuple[Positions, Floats]:
        """Positions of the ``k`` nearest other regions and the kilometers to them, nearest first.

        Parameters
        ----------
        k : int
            At most the number of other regions.
        of, among : array of positions
            Whose neighbors are sought, and out of which regions. By default all.

        Returns
        -------
        positions, kilometers : arrays, shape (len(of), k)
        """
        everyone = np.arange(len(self.labels))
        of, among = (everyone if chosen is None else chosen for chosen in (of, among))
        tree = KDTree(self.xyz[among])
        # No geodesic is shorter than the chord below it, so whatever is as near as the k-th nearest by chord
        # lies within a chord of that length.
        first = among[tree.query(self.xyz[of], k=range(1, min(k + 1, len(among)) + 1))[1]]
        i = np.repeat(of, first.shape[1])
        reach = self.between(i, first.ravel()).reshape(first.shape).max(axis=1) + 2 * self.tolerance
        near = tree.query_ball_point(self.xyz[of], reach)
        row = np.repeat(np.arange(len(of)), [len(found) for found in near])
        j = among[np.concatenate(near).astype(np.intp)]
        other = of[row] != j
        row, j = row[other], j[other]
        kilometers = self.between(of[row], j)
        order = np.lexsort((self.rank[j], np.round(kilometers / self.tolerance), row))
        start = np.searchsorted(row[order], np.arange(len(of)))
        chosen = order[start[:, None] + np.arange(k)]
        return j[chosen], kilometers[chosen]


class RegionGeometry:
    """What a recipe may ask of the regions; each part is checked when it is first asked for.

    Attributes
    ----------
    labels : Index
        Region labels, in the order of the regions.
    polygons : GeoSeries
        A polygon for every region.
    places : Places
        A point for every region, and the distances between them.

    Raises
    ------
    InputError
        If ``regions`` is no GeoDataFrame, or what is asked for is missing for a region.
    RegionError
        If labels repeat, or those of ``points`` are others.
    """

    def __init__(
        self,
        regions: gpd.GeoDataFrame,
        points: str | gpd.GeoSeries | None = None,
        gap: float | None = None,
    ) -> None:
        if not isinstance(regions, gpd.GeoDataFrame):
            raise InputError(f"regions must be a GeoDataFrame, not {type(regions).__name__}.")
        check_labels(regions.index, "region")
        if len(regions) < 2:
            raise InputError(f"Neighbors need at least two regions; there are {len(regions)}.")
        self._regions, self._points, self.labels = regions, points, regions.index
        self._gap, self._contiguity = gap, dict[bool, csr_array]()

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def has_polygons(self) -> bool:
        """Whether every region has a polygon."""
        return bool(self._polygonal.all())

    @property
    def _polygonal(self) -> NDArray[np.bool_]:
        shapes = self._regions.geometry
        return np.asarray(shapes.geom_type.isin(["Polygon", "MultiPolygon"]) & ~shapes.is_empty, dtype=bool)

    @property
    def polygons(self) -> gpd.GeoSeries:
        """Polygons of the regions."""
        if not self.has_polygons:
            lacking = listing(self.labels[~self._polygonal])
            raise InputError(f"Contiguity needs a polygon for every region; {lacking} has none.")
        return self._regions.geometry

    def contiguity(self, *, rook: bool = False) -> csr_array:
        """Weights of 1 between polygons that share a vertex or an edge; see :func:`coverage.contiguity`."""
        if rook not in self._contiguity:
            self._contiguity[rook] = contiguity(self.polygons, rook=rook, gap=self._gap)
        return self._contiguity[rook]

    @cached_property
    def places(self) -> Places:
        """Points of the regions: their own, or representative points of their polygons."""
        points = self._given_points()
        if points is None:
            shapes = self._regions.geometry
            _need_all(shapes, "geometry")
            # Inside its region always, which a centroid is not.
            points = shapes.where(shapes.geom_type == "Point", shapes.representative_point())
        return Places(points)

    def _given_points(self) -> gpd.GeoSeries | None:
        points: Any = self._points
        if points is None:
            return None
        if isinstance(points, str):
            if points not in self._regions.columns:
                columns = listing(self._regions.columns, 20)
                raise InputError(f"There is no column {points!r} of points; the columns are {columns}.")
            points = self._regions[points]
        if not isinstance(points, gpd.GeoSeries):
            raise InputError("points must be a GeoSeries, or the name of a column that holds points.")
        check_labels(points.index, "point")
        check_same_regions(points.index, self.labels, "points", "regions")
        points = points.reindex(self.labels)
        _need_all(points, "point")
        odd = points.geom_type != "Point"
        if odd.any():
            raise InputError(f"points must be points, but these are not: {listing(self.labels[odd])}.")
        return points


def _need_all(shapes: gpd.GeoSeries, what: str) -> None:
    lacking = shapes.isna() | shapes.is_empty
    if lacking.any():
        names = listing(shapes.index[lacking])
        raise InputError(f"Distances need a {what} for every region; {names} has none.")


def _refuse(labels: pd.Index, complaint: str) -> None:
    if len(labels):
        raise InputError(f"The coordinates of {listing(labels)} {complaint}.")


def _is_mercator(crs: pyproj.CRS) -> bool:
    method = crs.coordinate_operation.method_name if crs.is_projected and crs.coordinate_operation else ""
    return "Mercator" in method and not any(kind in method for kind in ("Transverse", "Oblique"))


def _geocentric(lonlat: Floats, geod: pyproj.Geod) -> Floats:
    """Earth-centered coordinates in kilometers of points on the ellipsoid."""
    lon, lat = np.radians(lonlat).T
    normal = geod.a / np.sqrt(1 - geod.es * np.sin(lat) ** 2)
    around = normal * np.cos(lat)
    xyz: Floats = np.c_[around * np.cos(lon), around * np.sin(lon), normal * (1 - geod.es) * np.sin(lat)]
    return xyz / 1000


def _stereographic(lonlat: Floats, geod: pyproj.Geod) -> Floats:
    """Plane coordinates in kilometers about the middle of the points."""
    lon, lat = np.radians(lonlat).T
    x, y, z = (np.cos(lat) * np.cos(lon)).mean(), (np.cos(lat) * np.sin(lon)).mean(), np.sin(lat).mean()
    plane = pyproj.Proj(
        proj="stere",
        lon_0=np.degrees(np.arctan2(y, x)),
        lat_0=np.degrees(np.arctan2(z, np.hypot(x, y))),
        a=geod.a,
        b=geod.b,
    )
    return np.column_stack(plane(*lonlat.T)) / 1000
