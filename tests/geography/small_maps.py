"""Small maps on which graphs are built, and their matrices."""

import geopandas as gpd
import numpy as np
from shapely import box

from spatialkz.geography import neighbor_graph

UTM = 32642


def cloud(n=60, seed=1, crs=UTM):
    """Points scattered over 300 × 300 km about the middle of a UTM zone."""
    xy = np.random.default_rng(seed).uniform([350e3, 5000e3], [650e3, 5300e3], (n, 2))
    return gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(*xy.T), index=[f"r{i}" for i in range(n)], crs=UTM
    ).to_crs(crs)


def lattice(rows, columns, size=1000):
    cells = [(x, y) for y in range(rows) for x in range(columns)]
    return gpd.GeoDataFrame(
        geometry=[box(x * size, y * size, (x + 1) * size, (y + 1) * size) for x, y in cells],
        index=[f"{x}{y}" for x, y in cells],
        crs=UTM,
    )


def dense(regions, recipe, **options):
    return neighbor_graph(regions, recipe, isolates="keep", **options).sparse.todense()
