import itertools

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from libpysal.graph import Graph
from scipy.spatial import Delaunay as SciPyDelaunay
from scipy.spatial.distance import cdist
from shapely import Point, Polygon, box
from small_maps import UTM, cloud, dense, lattice

from spatialkz.geography import (
    CityMerged,
    Delaunay,
    DistanceBand,
    Gabriel,
    InverseDistance,
    Kernel,
    KNearest,
    Queen,
    Rook,
    neighbor_graph,
)
from spatialkz.regions import load_boundaries

ALL = ["queen", "rook", "knn:k=3", "knn:k=3,symmetric=true", "distance_band", "distance_band:threshold=900"]
ALL += ["inverse_distance:power=2", "kernel", "kernel:function=gaussian,bandwidth=400", "gabriel"]
ALL += ["delaunay", "city_merged", "city_merged:base=rook", "queen|knn:k=2", "queen&knn:k=4"]


@pytest.fixture(scope="module")
def country():
    return load_boundaries(2018)


def kilometers(points):
    xy = shapely.get_coordinates(points.geometry.to_numpy())
    return cdist(xy, xy) / 1000


# Against libpysal and SciPy on projected points.


@pytest.mark.parametrize("k", [1, 4, 59])
def test_nearest_equals_libpysal(k):
    points = cloud()
    np.testing.assert_array_equal(
        dense(points, "knn", k=k), Graph.build_knn(points.geometry, k=k).sparse.todense()
    )


@pytest.mark.parametrize("threshold", [20.0, 60.0, 1000.0])
def test_distance_band_and_inverse_distance_equal_libpysal(threshold):
    points = cloud()
    band = Graph.build_distance_band(points.geometry, threshold * 1000)
    np.testing.assert_array_equal(dense(points, "distance_band", threshold=threshold), band.sparse.todense())
    with np.errstate(divide="ignore"):  # libpysal divides by the distance of a region from itself
        inverse = Graph.build_distance_band(points.geometry, threshold * 1000, binary=False, alpha=-2.0)
    np.testing.assert_allclose(
        dense(points, "inverse_distance", threshold=threshold, power=2), inverse.sparse.todense() * 1e6
    )


@pytest.mark.parametrize("function", ["triangular", "parabolic", "bisquare", "cosine"])
def test_kernels_with_an_edge_equal_libpysal(function):
    points = cloud()
    expected = Graph.build_kernel(points.geometry, kernel=function, bandwidth=80_000, decay=True)
    np.testing.assert_allclose(
        dense(points, Kernel(function, bandwidth=80)), expected.sparse.todense(), atol=1e-12
    )


@pytest.mark.parametrize(
    ("function", "formula"),
    [("gaussian", lambda z: np.exp(-(z**2) / 2)), ("exponential", lambda z: np.exp(-z))],
)
def test_kernels_without_an_edge_reach_every_region(function, formula):
    points = cloud(20)
    expected = formula(kilometers(points) / 150)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(dense(points, Kernel(function, bandwidth=150)), expected, rtol=1e-12)


def test_adaptive_kernel_by_hand():
    line = gpd.GeoDataFrame(
        geometry=[Point(x, 0) for x in (0, 1000, 3000, 7000)], index=list("abcd"), crs=UTM
    )
    expected = [[0, 1 - 1 / 3, 0, 0], [1 - 1 / 2, 0, 0, 0], [0, 1 - 2 / 3, 0, 0], [0, 0, 1 - 4 / 6, 0]]
    np.testing.assert_allclose(dense(line, "kernel", k=1), expected)
    assert (dense(cloud(), Kernel("bisquare", k=6)) > 0).sum(axis=1).tolist() == [6] * 60


def test_triangulation_equals_scipy():
    points = cloud()
    xy = shapely.get_coordinates(points.geometry.to_numpy())
    expected = np.zeros((60, 60))
    for triangle in SciPyDelaunay(xy).simplices:
        for i, j in itertools.permutations(triangle, 2):
            expected[i, j] = 1
    np.testing.assert_array_equal(dense(points, "delaunay"), expected)


@pytest.mark.filterwarnings("ignore:The numba package")
def test_gabriel_equals_libpysal_and_its_definition():
    points = cloud(40)
    d2 = kilometers(points) ** 2
    free = [[all(d2[i, j] < d2[i, k] + d2[j, k] for k in range(40) if k not in (i, j)) for j in range(40)]
            for i in range(40)]  # fmt: skip
    expected = np.array(free) & ~np.eye(40, dtype=bool)
    np.testing.assert_array_equal(dense(points, "gabriel"), expected)
    theirs = Graph.build_triangulation(points.geometry, method="gabriel").sparse.todense()
    np.testing.assert_array_equal(dense(points, "gabriel"), theirs)


def test_two_regions_are_gabriel_neighbors():
    assert dense(cloud(2), "gabriel").tolist() == [[0, 1], [1, 0]]


def test_contiguity_and_gabriel_on_a_lattice():
    grid = lattice(3, 3)
    assert dense(grid, Queen()).sum() == 40
    rook = dense(grid, Rook())
    assert rook.sum() == 24
    np.testing.assert_array_equal(dense(grid, Gabriel()), rook)  # a point on the circle cuts the diagonal
    np.testing.assert_array_equal(dense(grid, DistanceBand(1.0)), rook)  # the threshold is included
    np.testing.assert_array_equal(dense(grid, DistanceBand()), rook)
    np.testing.assert_array_equal(dense(grid, DistanceBand(1.5)), dense(grid, Queen()))


def test_ties_go_west_to_east_then_south_to_north():
    graph = neighbor_graph(lattice(3, 3), "knn", k=2)
    assert set(graph["11"].index) == {"01", "10"}
    assert set(graph["00"].index) == {"01", "10"}


def test_city_merged_by_hand():
    hole = box(2, 2, 3, 3).union(box(5, 2, 6, 3))
    shapes = [
        box(0, 0, 8, 5).difference(hole),
        box(2, 2, 3, 3),
        box(5, 2, 6, 3),
        box(8, 0, 9, 5),
        box(9, 0, 10, 5),
    ]
    regions = gpd.GeoDataFrame(
        geometry=shapely.set_precision(shapes, 1), index=["host", "c1", "c2", "next", "end"], crs=UTM
    )
    # The host must have the vertices it shares with its neighbors; "end" has one neighbor but is no enclave.
    graph = neighbor_graph(regions, "city_merged")
    assert set(graph["c1"].index) == {"host", "c2", "next"}
    assert set(graph["c2"].index) == {"host", "c1", "next"}
    assert set(graph["next"].index) == {"host", "end", "c1", "c2"}
    assert set(graph["end"].index) == {"next"}
    # A base with weights: the city copies the host's, and keeps its own.
    base, merged = (dense(regions, r) for r in (InverseDistance(), CityMerged(InverseDistance())))
    np.testing.assert_array_equal(base, merged)
    near = CityMerged(KNearest(1))
    plain, merged = dense(regions, KNearest(1)), dense(regions, near)
    gained = (merged > plain) & (plain == 0)
    assert {(regions.index[i], regions.index[j]) for i, j in np.argwhere(gained)} <= {
        (a, b) for a, b in itertools.permutations(regions.index, 2) if {a, b} & {"c1", "c2"}
    }


def test_two_regions_in_one_hole_are_no_enclaves():
    hole = Polygon([(2, 2), (3, 2), (4, 2), (4, 3), (3, 3), (2, 3)])
    shapes = [box(0, 0, 6, 5).difference(hole), box(2, 2, 3, 3), box(3, 2, 4, 3), box(6, 0, 7, 5)]
    regions = gpd.GeoDataFrame(geometry=shapes, index=["host", "c1", "c2", "next"], crs=UTM)
    np.testing.assert_array_equal(dense(regions, "city_merged"), dense(regions, "queen"))


# Geodesics.


def test_distances_in_degrees_are_geodesics():
    """At 51° north a degree of longitude is 70 km and one of latitude 111 km: degrees would err."""
    here, east, north = Point(71, 51), Point(72.4, 51), Point(71, 52)
    regions = gpd.GeoDataFrame(geometry=[here, east, north], index=["here", "east", "north"], crs=4326)
    geod = pyproj.Geod(ellps="WGS84")
    to_east, to_north = (geod.inv(here.x, here.y, p.x, p.y)[2] / 1000 for p in (east, north))
    assert to_east < to_north
    weights = neighbor_graph(regions, "inverse_distance")["here"]
    np.testing.assert_allclose(weights[["east", "north"]], [1 / to_east, 1 / to_north], rtol=1e-12)
    assert neighbor_graph(regions, "knn", k=1)["here"].index.tolist() == ["east"]
    band = neighbor_graph(regions, "distance_band", threshold=to_east, isolates="keep")
    assert band["here"].index.tolist() == ["east"]


@pytest.mark.parametrize("recipe", ["knn:k=4", "gabriel", "delaunay", "kernel:k=3"])
@pytest.mark.parametrize("crs", [4326, 3857, 3395, 4284, 2163, "+proj=aeqd +lat_0=46 +lon_0=69 +units=km"])
def test_the_coordinate_reference_system_does_not_matter(recipe, crs):
    if crs == 2163:
        crs = "+proj=aeqd +lat_0=46 +lon_0=69 +units=us-ft"
    points = cloud(40, crs=4326)
    moved = points.to_crs(crs)
    np.testing.assert_allclose(dense(moved, recipe), dense(points, recipe), atol=5e-3)


def test_geodesic_neighbors_equal_all_pairs():
    """The tree searches chords; the answer must be that of geodesics, also around the globe."""
    rng = np.random.default_rng(7)
    lonlat = np.c_[rng.uniform(-180, 180, 80), np.degrees(np.arcsin(rng.uniform(-1, 1, 80)))]
    regions = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*lonlat.T), crs=4326)
    i, j = (x.ravel() for x in np.indices((80, 80)))
    d = np.reshape(pyproj.Geod(ellps="WGS84").inv(*lonlat[i].T, *lonlat[j].T)[2], (80, 80)) / 1000
    order = np.argsort(d, axis=1)[:, 1:]
    expected = np.zeros((80, 80))
    np.put_along_axis(expected, order[:, :5], 1, axis=1)
    np.testing.assert_array_equal(dense(regions, "knn", k=5), expected)
    np.testing.assert_array_equal(dense(regions, "distance_band", threshold=3000), (d <= 3000) & (d > 0))


def test_points_may_be_given(country):
    shifted = country.representative_point().iloc[::-1]
    by_hand = neighbor_graph(country, "knn", k=3, points=shifted)
    assert by_hand == neighbor_graph(country, "knn", k=3)
    capitals = country.assign(capital=shifted.to_crs(UTM))
    assert neighbor_graph(capitals, "knn", k=2, points="capital").n_edges == 34
    one = country.representative_point()
    one["AST"] = Point(76.0, 43.0)
    assert "ALA" in neighbor_graph(country, "knn", k=2, points=one)["AST"].index


# Properties.


@pytest.mark.parametrize("line", ALL)
def test_order_and_labels_of_regions_do_not_matter(country, line):
    plain = neighbor_graph(country, line)
    assert list(plain.unique_ids) == list(country.index)
    shuffled = country.sample(frac=1, random_state=3)
    turned = neighbor_graph(shuffled, line)
    assert list(turned.unique_ids) == list(shuffled.index)
    place = country.index.get_indexer(shuffled.index)
    expected = plain.sparse.todense()
    np.testing.assert_allclose(turned.sparse.todense(), expected[np.ix_(place, place)], rtol=1e-9)
    renamed = country.set_axis(range(100, 117))
    np.testing.assert_array_equal(neighbor_graph(renamed, line).sparse.todense(), expected)


@settings(max_examples=25, deadline=None)
@given(st.integers(4, 25), st.integers(0, 10_000), st.integers(1, 3))
def test_laws(n, seed, k):
    points = cloud(n, seed)
    near, band, gabriel, delaunay = (
        dense(points, r) for r in (KNearest(k), DistanceBand(), Gabriel(), Delaunay())
    )
    assert (near.sum(axis=1) == k).all()
    assert (gabriel <= delaunay).all()
    assert (dense(points, KNearest(1)) <= band).all()
    for matrix in (band, gabriel, delaunay):
        assert (matrix == matrix.T).all()
    mutual = dense(points, KNearest(k, symmetric=True))
    np.testing.assert_array_equal(mutual, np.maximum(near, near.T))
    a, b = KNearest(k), Gabriel()
    np.testing.assert_array_equal(dense(points, a | b), np.maximum(near, gabriel))
    np.testing.assert_array_equal(dense(points, a & b), np.minimum(near, gabriel))
    np.testing.assert_array_equal(dense(points, a | b), dense(points, b | a))
    np.testing.assert_array_equal(dense(points, a | a), near)
    np.testing.assert_array_equal(dense(points, a & (a | b)), near)
    np.testing.assert_array_equal(dense(points, InverseDistance() & b), gabriel)  # weights become 1
    assert neighbor_graph(points, Gabriel()).n_components == 1


def test_triangulation_of_a_lattice_does_not_depend_on_the_order():
    grid = lattice(4, 4)
    turned = grid.sample(frac=1, random_state=5)
    assert neighbor_graph(turned, "delaunay").n_edges == neighbor_graph(grid, "delaunay").n_edges
    place = grid.index.get_indexer(turned.index)
    np.testing.assert_array_equal(dense(turned, "delaunay"), dense(grid, "delaunay")[np.ix_(place, place)])
