"""Contiguity of maps whose borders do not fit: refused before cleaning, right after it."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import MultiPolygon, Polygon, box

from spatialkz.errors import GraphError, InputError
from spatialkz.geography import clean_coverage, movement, neighbor_graph, recipe_family
from spatialkz.geography.coverage import contiguity
from spatialkz.spatial import moran


def world(crs=4326, **shapes):
    return gpd.GeoDataFrame(geometry=list(shapes.values()), index=list(shapes), crs=crs)


def links(regions, recipe="queen", **options):
    graph = neighbor_graph(regions, recipe, isolates="keep", **options)
    return {"".join(sorted(pair)) for pair in graph.adjacency[graph.adjacency > 0].index}


def steps():
    """A's upper edge runs along edges of B, C and D, of which C shares no corner with it."""
    return world(
        3857,
        A=box(0, 0, 6, 1),
        B=box(0, 1, 2, 2),
        C=box(2, 1, 4, 2),
        D=box(4, 1, 6, 2),
        E=box(4, 2, 6, 3),
        F=box(4, 3, 6, 4),
    )


def test_an_edge_along_edges_of_others_is_refused_and_mended():
    with pytest.raises(
        GraphError,
        match="The borders of A, B, C, D overlap or run along each other without the same vertices, "
        r"so neighbors would be missed; mend the map \(clean = true, --clean, clean_coverage\), or",
    ):
        neighbor_graph(steps())
    mended = clean_coverage(steps())
    assert links(mended) == {"AB", "AC", "AD", "BC", "CD", "DE", "CE", "EF"}  # AC is the one that was lost
    assert links(mended, "rook") == {"AB", "AC", "AD", "BC", "CD", "DE", "EF"}
    # Values z with sum 0 and sum of squares 12; I = Σ z × mean of neighbors / Σ z², by hand
    # (2 × −2/3 − 1 × 3/2 + 1 × 0 − 2 × 4/3 + 1 × −2/3 − 1 × 1) / 12 = −43/72; without AC it would be −.833.
    values = pd.Series({"A": 2.0, "B": -1, "C": 1, "D": -2, "E": 1, "F": -1}, name="z")
    found = moran(values, neighbor_graph(mended), permutations=99, rng=1).to_frame()
    assert found["statistic"].item() == pytest.approx(-43 / 72)
    assert str(movement(steps(), mended)) == (
        "no border moved by more than 0 m, no area changed by more than 0.1%"
    )


def shrunk(n, gap):
    return gpd.GeoDataFrame(
        geometry=[
            box(i + gap / 2, j + gap / 2, i + 1 - gap / 2, j + 1 - gap / 2)
            for i in range(n)
            for j in range(n)
        ],
        index=[f"{i}{j}" for i in range(n) for j in range(n)],
        crs=4326,
    )


@pytest.mark.parametrize("gap", [1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3])
def test_gaps_are_refused_and_closed(gap):
    """A square of n × n cells has 2n(n − 1) shared edges and 2(n − 1)² corners."""
    regions = shrunk(5, gap)
    with pytest.raises(GraphError, match=r"Only a gap of at most .* degrees separates 00 – 01, 00 – 10"):
        neighbor_graph(regions)
    mended = clean_coverage(regions)
    assert contiguity(mended.geometry).nnz // 2 == 40 + 32
    assert contiguity(mended.geometry, rook=True).nnz // 2 == 40
    # A degree on the equator is 111.3 km; the grid of the mending is 1e-7 degrees here.
    assert movement(regions, mended).distance < (1.5 * gap + 3e-7) * 111_320
    assert neighbor_graph(regions, gap=0, isolates="keep").isolates.tolist() == regions.index.tolist()


def test_islands_are_no_fault():
    regions = world(A=box(0, 0, 1, 1), B=box(1.0011, 0, 2, 1), C=box(2, 0, 3, 1))
    assert links(regions) == {"BC"}
    with pytest.raises(GraphError, match="A has no neighbors by queen contiguity"):
        neighbor_graph(regions)
    assert links(clean_coverage(regions)) == {"BC"}
    assert links(clean_coverage(regions, gap=0.002)) == {"AB", "BC"}
    with pytest.raises(GraphError, match=r"at most 0.0011 degrees separates A – B, so neighbors"):
        neighbor_graph(regions, gap=0.002)


def test_a_region_between_is_no_gap():
    """A and D are 0.0003 apart, and their neighbors B and C share the short edge between them."""
    e = 3e-4
    regions = world(
        A=box(0, 1, 1, 2),
        B=Polygon([(1, 1), (1, 2), (2, 2), (2, 1 + e), (1 + e, 1)]),
        C=box(0, 0, 1, 1),
        D=Polygon([(1, 0), (1 + e, 1), (2, 1 + e), (2, 0)]),
        E=Polygon([(1, 0), (1, 1), (1 + e, 1)]),
    )
    assert links(regions) == {"AB", "AC", "AE", "BC", "BD", "BE", "CD", "CE", "DE"}


def test_rook_refuses_a_wedge_that_may_hide_a_border():
    upper = Polygon([(0, 1), (1, 1.0005), (1, 2), (0, 2)])
    regions = world(A=box(0, 0, 1, 1), B=upper)
    assert links(regions) == {"AB"}
    with pytest.raises(GraphError, match=r"gap of at most 0.001 degrees separates A – B"):
        neighbor_graph(regions, "rook")
    wide = world(A=box(0, 0, 1, 1), B=Polygon([(0, 1), (1, 1.5), (1, 2), (0, 2)]))
    assert links(wide, "rook") == set()


@pytest.mark.parametrize(
    ("regions", "named"),
    [
        (world(A=box(0, 0, 1.1, 1), B=box(1, 0, 2, 1), C=box(2, 0, 3, 1)), "A, B"),
        (world(A=box(0, 0, 4, 4), B=box(1, 1, 2, 2), C=box(4, 0, 5, 4)), "A, B"),
        (world(A=box(0, 0, 1, 1), B=box(0, 0, 1, 1), C=box(1, 0, 2, 1)), "A, B"),
    ],
)
def test_overlaps_and_twins_are_named(regions, named):
    for recipe in ("queen", "rook", "city_merged", "rook|queen"):
        with pytest.raises(GraphError, match=f"The borders of {named} overlap"):
            neighbor_graph(regions, recipe)


def test_the_family_leaves_out_what_overlapping_maps_cannot_carry():
    regions = world(A=box(0, 0, 1.1, 1), B=box(1, 0, 2, 1), C=box(2, 0, 3, 1))
    assert not {"queen", "rook", "city_merged"} & set(recipe_family(regions))


def test_recipes_without_contiguity_do_not_mind():
    assert neighbor_graph(shrunk(3, 1e-4), "knn", k=2).n_edges == 18
    family = recipe_family(shrunk(3, 1e-4))
    assert "knn:k=4" in family
    assert not {"queen", "rook", "city_merged"} & set(family)


def test_heights_do_not_part_neighbors():
    deep = Polygon([(0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)])
    high = Polygon([(1, 0, 9), (2, 0, 9), (2, 1, 9), (1, 1, 9)])
    assert links(world(A=deep, B=high), "rook") == {"AB"}


def test_maps_cut_at_the_antimeridian_are_joined():
    regions = world(
        A=box(170, 0, 180, 10),
        B=box(-180, 2, -170, 8),  # its western edge lies along the middle of A's eastern one
        C=box(-180, 10, -170, 20),  # meets A in a corner
        D=box(-170, 2, -160, 8),
        E=MultiPolygon([box(170, 30, 180, 40), box(-180, 30, -170, 40)]),
    )
    assert links(regions) == {"AB", "AC", "BD"}
    assert links(regions, "rook") == {"AB", "BD"}
    assert links(regions.iloc[:2].set_crs(3857, allow_override=True)) == set()
    near = world(A=box(170, 0, 179.9998, 10), B=box(-179.9998, 0, -170, 10), C=box(160, 0, 170, 10))
    assert links(near, "rook") == {"AB", "AC"}
    whole = world(A=box(0, 0, 120, 10), B=box(120, 0, 240, 10), C=box(240, 0, 360, 10))
    assert links(whole) == {"AB", "AC", "BC"}


def test_cleaning_tells_how_far_borders_moved():
    regions = world(3857, A=box(0, 0, 1000, 1000), B=box(1004, 0, 2000, 1000), C=box(1900, 0, 3000, 1000))
    mended = clean_coverage(regions, gap=5)
    moved = movement(regions, mended)
    # B and C contend for 100 m; B is smaller and keeps them. A or B gives way by 4 m.
    assert moved.distance == pytest.approx(100, abs=0.01)
    assert moved.area["C"] == pytest.approx(-100 / 1100, abs=1e-4)
    assert moved.area[["A", "B"]].abs().sum() == pytest.approx(0.004, abs=1e-4)
    assert str(moved).startswith("no border moved by more than 100 m, area changed in C (-9.1%), B (+0.4%)")
    bare = movement(*(frame.set_crs(None, allow_override=True) for frame in (regions, mended)))
    assert bare.unit == "map units"


def test_cutting_out_an_enclave_moves_no_border():
    regions = world(host=box(0, 0, 4, 4), city=box(1, 1, 2, 2))
    moved = movement(regions, clean_coverage(regions))
    assert moved.distance == 0
    assert str(moved).endswith("area changed in host (-6.2%)")


def test_regions_and_islets_smaller_than_the_gap_stay():
    speck = world(A=box(0, 0, 1, 1), B=box(1.0005, 0.5, 1.0006, 0.5001), C=box(1.0007, 0, 2, 1))
    mended = clean_coverage(speck)
    assert links(mended) == {"AB", "BC", "AC"}
    assert mended.geometry["B"].area > 0
    regions = world(A=MultiPolygon([box(0, 0, 1, 1), box(5, 5, 5.0001, 5.0001)]), B=box(1.0005, 0, 2, 1))
    mended = clean_coverage(regions)
    assert len(shapely.get_parts(mended.geometry["A"])) == 2
    assert links(mended) == {"AB"}


@pytest.mark.parametrize("gap", [-1, float("nan"), float("inf"), "0.1", True])
def test_a_gap_is_a_length(gap):
    for function in (clean_coverage, neighbor_graph):
        with pytest.raises(InputError, match=r"gap is .*; it must be a number of at least 0"):
            function(shrunk(2, 0), gap=gap)


@pytest.mark.parametrize("jitter", [1e-8, 1e-6, 1e-4])
def test_corners_digitized_apart_are_joined_again(jitter):
    """Each cell has its own copy of every corner, moved at random, as if drawn by hand."""
    rng = np.random.default_rng(3)
    cells = shapely.segmentize(shrunk(5, 0).geometry.to_numpy(), 0.25)

    def drawn(cell):
        corners = shapely.get_coordinates(cell)[:-1]
        return Polygon(corners + rng.uniform(-jitter / 2, jitter / 2, corners.shape))

    mended = clean_coverage(shrunk(5, 0).set_geometry([drawn(cell) for cell in cells], crs=4326))
    assert contiguity(mended.geometry).nnz // 2 == 72
    assert contiguity(mended.geometry, rook=True).nnz // 2 == 40


@pytest.mark.parametrize("gap", [1e-6, 1e-4, 1e-3])
def test_corners_that_gaps_meet_in_are_joined(gap):
    """Irregular cells drawn in by half a gap; slanting corners end up more than a gap apart."""
    n, k = 6, 4
    rng = np.random.default_rng(0)
    x, y = np.meshgrid(np.linspace(0, n, n * k + 1), np.linspace(0, n, n * k + 1))
    at = np.stack([x, y], axis=2) + rng.normal(0, 0.05, (*x.shape, 2))
    rim = [(0, s) for s in range(k)] + [(s, k) for s in range(k)]
    rim += [(k, k - s) for s in range(k)] + [(k - s, 0) for s in range(k)]
    cells = [Polygon([at[a * k + i, b * k + j] for i, j in rim]) for a in range(n) for b in range(n)]
    drawn_in = shapely.buffer(cells, -gap / 2, join_style="mitre", mitre_limit=2)
    mended = clean_coverage(gpd.GeoDataFrame(geometry=drawn_in, crs=4326))
    assert contiguity(mended.geometry).nnz // 2 == 2 * n * (n - 1) + 2 * (n - 1) ** 2
    assert contiguity(mended.geometry, rook=True).nnz // 2 == 2 * n * (n - 1)


def test_ground_open_after_a_dispute_is_closed():
    """The smaller of two takes what they contend for; what that leaves open is closed as well."""
    regions = world(
        3857,
        A=box(0, 0, 1000, 1000),
        B=box(998, 0, 2000, 1000),
        C=box(2000.5, 0, 3000, 400),
        D=box(1999.5, 400, 3000, 1000),
    )
    mended = clean_coverage(regions)
    assert links(mended, "rook") == {"AB", "BC", "BD", "CD"}
