"""Reading, mending and dissolving polygons, on maps small enough to know the answer."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from libpysal.graph import Graph
from shapely import MultiPolygon, Point, Polygon, box

from spatialkz.errors import InputError, RegionError
from spatialkz.geography import clean_coverage, dissolve, read_boundaries

CRS = "EPSG:32642"


def regions(**shapes) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=list(shapes.values()), index=list(shapes), crs=CRS)


def tiles(frame: gpd.GeoDataFrame) -> bool:
    return bool(shapely.coverage_is_valid(frame.geometry.to_numpy()) and frame.is_valid.all())


@pytest.fixture
def plain() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"name": ["West", "Восток"], "number": [1, 2]}, geometry=[box(0, 0, 1, 1), box(1, 0, 2, 1)], crs=CRS
    )


@pytest.mark.parametrize("ending", ["gpkg", "geojson", "shp", "parquet"])
def test_reads_every_format(ending, plain, tmp_path):
    path = tmp_path / f"map.{ending}"
    if ending == "parquet":
        plain.to_parquet(path)
    elif ending == "geojson":
        plain.to_file(path, RFC7946=False)
    else:
        plain.to_file(path, encoding="utf-8")
    for found in (read_boundaries(path), read_boundaries(str(path), "name")):
        assert list(found.index) == ["West", "Восток"]
        assert found.index.name == "name"
        assert found.crs == plain.crs
        assert list(found["number"]) == [1, 2]
        assert found.geometry.geom_equals(plain.geometry.set_axis(found.index)).all()
    assert list(read_boundaries(path, "number").index) == ["1", "2"]


def test_label_column_must_be_clear(plain, tmp_path):
    path = tmp_path / "map.parquet"
    plain.assign(code=["W", "E"]).to_parquet(path)
    with pytest.raises(InputError, match="name, code; expected exactly one"):
        read_boundaries(path)
    plain.drop(columns="name").to_parquet(path)
    with pytest.raises(InputError, match=r"none; expected exactly one.*number"):
        read_boundaries(path)
    with pytest.raises(InputError, match=r"no column 'nom'.*expected one of number"):
        read_boundaries(path, "nom")
    plain.assign(country="KZ").to_parquet(path)  # repeated texts cannot be labels
    assert read_boundaries(path).index.name == "name"


@pytest.mark.parametrize(
    ("spoil", "error", "says"),
    [
        (lambda f: f.assign(name=["West", None]), RegionError, "no name for feature 2"),
        (lambda f: f.assign(name=["West", " "]), RegionError, "no name for feature 2"),
        (lambda f: f.assign(name=["West", "West"]), RegionError, "West"),
        (lambda f: f.set_crs(None, allow_override=True), InputError, "coordinate reference system"),
        (lambda f: f.set_geometry([box(0, 0, 1, 1), Point(1, 1)], crs=CRS), RegionError, "Восток"),
        (lambda f: f.set_geometry([box(0, 0, 1, 1), None], crs=CRS), RegionError, "Восток"),
        (lambda f: f.set_geometry([Polygon(), box(0, 0, 1, 1)], crs=CRS), RegionError, "West"),
        (lambda f: f.iloc[:0], InputError, "no regions"),
        (lambda f: pd.DataFrame(f.drop(columns="geometry")), InputError, "map.parquet"),
    ],
)
def test_refuses_what_is_no_map_of_regions(spoil, error, says, plain, tmp_path):
    spoil(plain).to_parquet(tmp_path / "map.parquet")
    with pytest.raises(error, match=says) as caught:
        read_boundaries(tmp_path / "map.parquet", "name")
    assert str(caught.value).count(". ") == 0  # one sentence


def test_refuses_unreadable_files(plain, tmp_path):
    (tmp_path / "text.gpkg").write_text("not a map")
    (tmp_path / "text.parquet").write_text("not a map")
    (tmp_path / "table.csv").write_text("name\nWest\n")
    for file in ("text.gpkg", "text.parquet", "absent.gpkg", "absent.parquet", "table.csv"):
        with pytest.raises(InputError, match=file):
            read_boundaries(tmp_path / file)
    for layer in ("first", "second"):
        plain.to_file(tmp_path / "two.gpkg", layer=layer)
    with pytest.raises(InputError, match=r"several layers.*first, second"):
        read_boundaries(tmp_path / "two.gpkg")


def test_enclave_is_cut_out_of_its_host():
    mended = clean_coverage(regions(host=box(0, 0, 10, 10), city=box(4, 4, 6, 6)))
    assert mended.area.to_dict() == {"host": 96, "city": 4}
    assert Graph.build_contiguity(mended, rook=True)["city"].index.tolist() == ["host"]
    assert tiles(mended)


@pytest.mark.parametrize("order", [["big", "small"], ["small", "big"]])
def test_disputed_ground_goes_to_the_smaller_region(order):
    frame = regions(big=box(0, 0, 6, 4), small=box(5, 0, 8, 4)).loc[order]
    mended = clean_coverage(frame)
    assert mended.area.to_dict() == {"big": 20, "small": 12}
    assert list(mended.index) == order
    assert tiles(mended)
    assert not tiles(frame)


def test_narrow_gaps_close_and_wide_ones_stay():
    def with_gap(width):
        left = Polygon([(0, 0), (5, 0), (5, 2), (5 - width, 5), (5, 8), (5, 10), (0, 10)])
        return clean_coverage(regions(left=left, right=box(5, 0, 10, 10)))

    narrow, wide = with_gap(4e-6), with_gap(1.0)
    assert narrow.area.sum() == pytest.approx(100, abs=1e-9)
    assert wide.area.sum() == pytest.approx(97)
    assert tiles(narrow)
    assert tiles(wide)


def test_gap_goes_to_the_longest_border():
    # A sliver below C and above A and B: C has its whole length, A and B half of it each.
    sliver = 3e-6
    upper = Polygon([(0, 5), (5, 5 + sliver), (10, 5), (10, 10), (0, 10)])
    frame = regions(A=box(0, 0, 5, 5), B=box(5, 0, 10, 5), C=upper)
    mended = clean_coverage(frame)
    assert mended.area["C"] == pytest.approx(50, abs=1e-9)
    assert mended.area["C"] > frame.area["C"]
    assert tiles(mended)


@pytest.mark.parametrize("noise", [0, 1e-9, 1e-8])
def test_rounding_errors_do_not_change_who_neighbors_whom(noise):
    n, rng = 6, np.random.default_rng(1)
    steps = np.linspace(0, 1, 5)[:-1]
    ring = np.array(
        [
            *((t, 0) for t in steps),
            *((1, t) for t in steps),
            *((1 - t, 1) for t in steps),
            *((0, 1 - t) for t in steps),
        ]
    )
    shapes = {
        f"{i},{j}": Polygon(ring + np.array([i, j]) + rng.normal(0, noise, ring.shape))
        for i in range(n)
        for j in range(n)
    }
    mended = clean_coverage(regions(**shapes))
    rook = Graph.build_contiguity(mended, rook=True)
    queen = Graph.build_contiguity(mended, rook=False)
    assert rook.n_edges == 4 * n * (n - 1)
    assert queen.n_edges == 4 * n * (n - 1) + 4 * (n - 1) ** 2
    assert (mended.geom_type == "Polygon").all()
    assert mended.area.to_numpy() == pytest.approx(1, abs=1e-5)


def test_z_and_invalid_rings_are_mended():
    deep = Polygon([(0, 0, 5), (1, 0, 5), (1, 1, 5), (0, 1, 5)])
    bow_tie = Polygon([(2, 0), (3, 1), (3, 0), (2, 1)])
    mended = clean_coverage(regions(deep=deep, tie=bow_tie))
    assert not mended.has_z.any()
    assert mended.is_valid.all()
    assert mended.area.to_dict() == {"deep": 1, "tie": 0.5}


def test_simplification_keeps_neighbors_and_thins_borders():
    t = np.linspace(0, 10, 201)
    wavy = np.column_stack([t, 5 + 0.01 * np.sin(40 * t)])
    frame = regions(
        south=Polygon([*wavy, (10, 0), (0, 0)]),
        north=Polygon([*wavy, (10, 10), (0, 10)]),
        city=box(4, 1, 6, 3),
    )
    exact, simple = clean_coverage(frame), clean_coverage(frame, tolerance=0.2)
    assert simple.count_coordinates().sum() < exact.count_coordinates().sum() / 10
    assert tiles(simple)
    assert simple.area.to_dict() == pytest.approx({"south": 46, "north": 50, "city": 4}, rel=0.01)
    for mended in (exact, simple):
        assert set(Graph.build_contiguity(mended, rook=True).adjacency.index) == {
            ("south", "north"), ("north", "south"), ("south", "city"), ("city", "south")
        }  # fmt: skip


def test_columns_crs_and_input_are_kept():
    frame = regions(a=box(0, 0, 2, 2), b=box(1, 0, 3, 2)).assign(people=[1, 2]).rename_geometry("shape")
    before = frame.copy()
    mended = clean_coverage(frame, tolerance=0)
    assert frame.equals(before)
    assert mended.crs == frame.crs
    assert mended.geometry.name == "shape"
    assert list(mended["people"]) == [1, 2]


def test_mending_a_coverage_changes_nothing():
    once = clean_coverage(regions(a=box(0, 0, 2, 2), b=box(1, 0, 3, 2), c=box(0, 2, 3, 3)))
    assert once.geometry.geom_equals(clean_coverage(once).geometry).all()


@pytest.mark.parametrize(
    ("frame", "error", "says"),
    [
        (regions(a=box(0, 0, 2, 2), b=box(0, 0, 2, 2)), RegionError, "wholly inside smaller ones"),
        (regions(a=box(0, 0, 2, 1), b=box(0, 0, 1, 1), c=box(1, 0, 2, 1)), RegionError, "is left of them: a"),
        (regions(a=box(0, 0, 1, 1), b=Point(0, 0)), RegionError, "polygons only: b"),
        (regions(a=box(0, 0, 1, 1), b=MultiPolygon()), RegionError, "polygons only: b"),
        (regions(a=box(0, 0, 1, 1), b=Polygon([(0, 0), (1, 1), (0, 0)])), RegionError, "without area.*: b"),
        (regions(a=Polygon([(0, 0), (0, 0), (0, 0)])), RegionError, "without area.*: a"),
        (regions(a=box(0, 0, 1, 1)).iloc[[0, 0]], RegionError, "repeat: a"),
        (regions(a=box(0, 0, 1, 1)).iloc[:0], InputError, "no regions"),
    ],
)
def test_what_cannot_be_mended_is_refused(frame, error, says):
    with pytest.raises(error, match=says):
        clean_coverage(frame)


@pytest.mark.parametrize("tolerance", [-1, float("nan"), float("inf")])
def test_tolerance_must_be_a_length(tolerance):
    with pytest.raises(InputError, match="tolerance"):
        clean_coverage(regions(a=box(0, 0, 1, 1)), tolerance=tolerance)


def test_dissolve_joins_by_label_not_by_position():
    frame = regions(a=box(0, 0, 1, 1), b=box(1, 0, 2, 1), c=box(2, 0, 4, 1))
    units = pd.Series({"c": "right", "a": "left", "b": "left"}, name="unit")
    joined = dissolve(frame.assign(people=1), units)
    assert joined.area.to_dict() == {"left": 2, "right": 2}
    assert joined.index.name == "unit"
    assert list(joined.columns) == ["geometry"]
    assert joined.crs == frame.crs
    assert tiles(joined)


@pytest.mark.parametrize(
    ("units", "says"),
    [
        ({"a": "left"}, "b"),
        ({"a": "left", "b": None}, "b"),
        ({"a": "left", "b": "left", "z": "left"}, "z"),
    ],
)
def test_dissolve_refuses_other_regions(units, says):
    with pytest.raises(RegionError, match=says):
        dissolve(regions(a=box(0, 0, 1, 1), b=box(1, 0, 2, 1)), pd.Series(units, dtype=object))


def test_dissolve_refuses_repeated_regions():
    frame = regions(a=box(0, 0, 1, 1), b=box(1, 0, 2, 1))
    with pytest.raises(RegionError, match="repeat: a"):
        dissolve(frame, pd.Series(["x", "x", "y"], index=["a", "a", "b"]))
    with pytest.raises(RegionError, match="repeat: a"):
        dissolve(frame.loc[["a", "a", "b"]], pd.Series({"a": "x", "b": "y"}))
