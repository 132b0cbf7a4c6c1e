"""Maps as people have them: layers, levels, codes, missing or wrong CRS, KML, TopoJSON."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import GeometryCollection, MultiPolygon, Point, box

from spatialkz.errors import InputError, RegionError
from spatialkz.geography import boundaries_for, neighbor_graph, read_boundaries

NAMES = pd.Index(["A", "B", "C"], name="region")


def strip(**columns):
    n = len(next(iter(columns.values())))
    return gpd.GeoDataFrame(columns, geometry=[box(x, 0, x + 1, 1) for x in range(n)], crs=4326)


@pytest.fixture
def save(tmp_path):
    def saver(frame, file="borders.gpkg"):
        path = tmp_path / file
        if path.suffix == ".parquet":
            frame.to_parquet(path)
        else:
            frame.to_file(path)
        return path

    return saver


def where_is(found):
    """West edge of each region: the strips above stand in the order of their rows."""
    return {label: round(shapely.bounds(shape)[0]) for label, shape in found.polygons.geometry.items()}


def test_the_column_of_labels_is_the_one_that_names_the_regions(save):
    frame = strip(iso=["X1", "X2", "X3", "X4"], title=["C", "A", "Z", " B "], code=[3, 1, 9, 2])
    path = save(frame)
    found = boundaries_for(path, NAMES)
    assert found.polygons.index.equals(NAMES)
    assert where_is(found) == {"A": 1, "B": 3, "C": 0}
    assert found.notes == ("The map borders.gpkg has 1 region that the table lacks (Z); it was left out.",)
    assert where_is(boundaries_for(path, pd.Index([2, 3]))) == {2: 3, 3: 0}
    coded = boundaries_for(path, pd.Index(["P", "Q"]), codes={"X2": "P", "X1": "Q"})
    assert where_is(coded) == {"P": 1, "Q": 0}
    assert where_is(boundaries_for(path, pd.Index(["X3"]), id_column="iso")) == {"X3": 2}


def test_columns_that_contradict_each_other_are_asked_about(save):
    alike = save(strip(name=["A", "B", "C"], name_en=["A", "B", "C"]))
    assert where_is(boundaries_for(alike, NAMES)) == {"A": 0, "B": 1, "C": 2}
    path = save(strip(rank=[2, 1, 3], number=[1, 2, 3]), "two.gpkg")
    with pytest.raises(
        InputError,
        match=r"Columns rank, number of the map two\.gpkg name regions of the table, but not for the same "
        r"polygons; name the right one \(id\)",
    ):
        boundaries_for(path, pd.Index([1, 2, 3]))
    assert where_is(boundaries_for(path, pd.Index([1, 2, 3]), id_column="rank")) == {1: 1, 2: 0, 3: 2}


def test_it_is_the_map_that_lacks_a_region(save):
    path = save(strip(name=["A", "B", "Cee"]))
    with pytest.raises(
        RegionError,
        match=r"The map borders\.gpkg lacks C in its column 'name'; it has Cee, which the table does not",
    ):
        boundaries_for(path, NAMES)
    with pytest.raises(
        InputError, match=r"no column that names regions of the table; expected such as P, Q in one of name"
    ):
        boundaries_for(path, pd.Index(["P", "Q"]))
    with pytest.raises(InputError, match=r"Found no column 'nom' in borders\.gpkg; expected one of name"):
        boundaries_for(path, NAMES, id_column="nom")


@pytest.mark.parametrize("file", ["borders.gpkg", "borders.geojson", "borders.shp", "borders.parquet"])
def test_lost_zeros_and_decimals_are_named(save, file):
    zeros = "writes 01 where the table writes 1: leading zeros were lost, so keep the column as text"
    some = save(strip(code=["01", "02", "10"]), file)
    with pytest.raises(RegionError, match=f"The map {file} lacks 1, 2 in its column 'code'; it {zeros}"):
        boundaries_for(some, pd.Index([1, 2, 10]))
    with pytest.raises(InputError, match=f"names regions of the table; its column 'code' {zeros}"):
        boundaries_for(some, pd.Index(["1", "2"]))
    decimals = save(strip(code=["1.0", "2.0", "x"]), f"decimals-{file}")
    with pytest.raises(
        InputError, match=r"its column 'code' writes 1\.0 where the table writes 1: a code was read"
    ):
        boundaries_for(decimals, pd.Index([1, 2]))
    # Whole numbers that stand beside an empty cell are still whole numbers.
    holes = strip(code=pd.array([1, None, 2], dtype="Int64"), other=["x", "y", "z"])
    assert where_is(boundaries_for(save(holes, f"holes-{file}"), pd.Index(["1", "2"]))) == {"1": 0, "2": 2}


def test_levels_and_countries_are_kept_by_where(save):
    frame = strip(name=["A", "A", "B", "B", "C"], level=[1, 2, 1, 2, 1], of=["KZ", "KZ", "KZ", "UZ", "KZ"])
    path = save(frame)
    with pytest.raises(
        RegionError,
        match=r"has A, B more than once in its column 'name'; keep one level or country \(where\)",
    ):
        boundaries_for(path, NAMES)
    for level in (1, "1", 1.0, "1.0", [1], ["1", 1]):
        assert where_is(boundaries_for(path, NAMES, where={"level": level})) == {"A": 0, "B": 2, "C": 4}
    both = boundaries_for(path, pd.Index(["A", "B"]), where={"level": [2, 3][:1], "of": ["KZ", "UZ"]})
    assert where_is(both) == {"A": 1, "B": 3}
    with pytest.raises(InputError, match=r"the map borders.gpkg has no row where level is 3; it has 1, 2\."):
        boundaries_for(path, NAMES, where={"level": [1, 3]})
    with pytest.raises(
        InputError, match=r"the map borders\.gpkg has no column tier; there are name, level, of"
    ):
        read_boundaries(path, "name", where={"tier": 1})
    assert list(read_boundaries(path, where={"level": 1}).index) == ["A", "B", "C"]


def test_a_repeated_name_elsewhere_does_not_matter(save):
    path = save(strip(district=["A", "A", "B"], region=["A", "B", "C"]))
    assert where_is(boundaries_for(path, NAMES)) == {"A": 0, "B": 1, "C": 2}
    path = save(strip(name=["A", "Z", "Z", "B", "C"]), "more.gpkg")
    assert boundaries_for(path, NAMES).notes == (
        "The map more.gpkg has 1 region that the table lacks (Z); it was left out.",
    )


def test_layers(save):
    path = save(strip(name=["A", "B"]))
    points = gpd.GeoDataFrame({"name": ["A"]}, geometry=[Point(0, 0)], crs=4326)
    points.to_file(path, layer="capitals")
    assert list(read_boundaries(path).index) == ["A", "B"]  # the only layer with polygons
    strip(name=["K", "L"]).to_file(path, layer="districts")
    with pytest.raises(
        InputError, match=r"several layers in borders.gpkg, expected one: borders, districts; name it"
    ):
        read_boundaries(path)
    assert list(read_boundaries(path, layer="districts").index) == ["K", "L"]
    with pytest.raises(
        InputError, match=r"no layer 'roads' in borders\.gpkg; expected one of borders, capitals, dist"
    ):
        read_boundaries(path, layer="roads")


TOPOLOGY = {
    "type": "Topology",
    "objects": {
        "regions": {
            "type": "GeometryCollection",
            "geometries": [
                {"type": "Polygon", "properties": {"name": name}, "arcs": [[at]]}
                for at, name in enumerate("AB")
            ],
        }
    },
    "arcs": [[[x, 0], [x + 1, 0], [x + 1, 1], [x, 1], [x, 0]] for x in (0, 1)],
}


@pytest.mark.parametrize("file", ["map.topojson", "map.json"])
def test_topojson_takes_a_coordinate_reference_system(tmp_path, file):
    (tmp_path / file).write_text(json.dumps(TOPOLOGY))
    with pytest.raises(
        InputError,
        match=r"no coordinate reference system in .*; expected one, so name it: crs = 'EPSG:4326' \(--crs\)",
    ):
        read_boundaries(tmp_path / file, "name")
    found = read_boundaries(tmp_path / file, "name", crs="EPSG:4326")
    assert found.crs == "EPSG:4326"
    assert neighbor_graph(found, "rook")["A"].index.tolist() == ["B"]


def test_a_shapefile_without_prj(save, tmp_path):
    path = save(strip(name=["A", "B"]), "map.shp")
    (tmp_path / "map.prj").unlink()
    assert read_boundaries(path, crs="EPSG:32642").crs == "EPSG:32642"
    with pytest.raises(
        InputError, match="crs is 'EPSG:0'; expected a coordinate reference system, such as EPSG:4326"
    ):
        read_boundaries(path, crs="EPSG:0")


def test_a_coordinate_reference_system_that_is_there_holds(save):
    path = save(strip(name=["A", "B"]))
    assert read_boundaries(path, crs="EPSG:4326").crs == "EPSG:4326"
    with pytest.raises(
        InputError, match=r"borders\.gpkg says that its coordinates are in WGS 84, but crs is 'EPSG:3857'"
    ):
        read_boundaries(path, crs="EPSG:3857")


def test_coordinates_that_are_no_degrees_are_refused(tmp_path):
    """GeoJSON without a word on its coordinates counts as degrees, whatever they are."""
    meters = strip(name=["A", "B"]).set_crs(None, allow_override=True).translate(500_000, 5_000_000)
    features = [
        {"type": "Feature", "properties": {"name": name}, "geometry": shapely.geometry.mapping(shape)}
        for name, shape in zip("AB", meters, strict=True)
    ]
    path = tmp_path / "meters.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    says = r"Coordinates of meters.geojson reach 500002, 5e\+06, but WGS"
    for crs in (None, "EPSG:4326"):
        with pytest.raises(InputError, match=says):
            read_boundaries(path, crs=crs)
    found = read_boundaries(path, crs="EPSG:32642")
    assert found.crs == "EPSG:32642"
    assert found.area.to_dict() == {"A": 1, "B": 1}


KML = """<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Folder>
<name>Regions</name><Placemark><name>A</name><MultiGeometry>{first}{islet}</MultiGeometry></Placemark>
<Placemark><name>B</name><MultiGeometry><Point><coordinates>1.5,0.5,0</coordinates></Point>{second}</MultiGeometry>
</Placemark></Folder></Document></kml>"""


def kml_polygon(x, width=1):
    corners = [(x, 0), (x + width, 0), (x + width, 1), (x, 1), (x, 0)]
    text = " ".join(f"{a},{b},{a + b}" for a, b in corners)
    return (
        f"<Polygon><outerBoundaryIs><LinearRing><coordinates>{text}</coordinates></LinearRing>"
        "</outerBoundaryIs></Polygon>"
    )


def test_kml_with_heights_and_label_points(tmp_path):
    path = tmp_path / "map.kml"
    path.write_text(KML.format(first=kml_polygon(0), islet=kml_polygon(5), second=kml_polygon(1)))
    found = boundaries_for(path, pd.Index(["B", "A"]))
    assert found.polygons.crs == "EPSG:4326"
    assert not found.polygons.has_z.any()
    assert found.polygons.geom_type.to_dict() == {"B": "MultiPolygon", "A": "MultiPolygon"}
    assert found.notes == ("Points or lines beside the polygons of B in map.kml were left out.",)
    assert neighbor_graph(found.polygons, "rook")["A"].index.tolist() == ["B"]


def test_collections_of_polygons_are_polygons(save):
    frame = strip(name=["A", "B", "C"])
    pieces = GeometryCollection([box(0, 0, 0.5, 1), MultiPolygon([box(0.6, 0, 1, 1)])])
    path = save(frame.set_geometry([pieces, *frame.geometry[1:]], crs=4326), "map.geojson")
    found = boundaries_for(path, NAMES)
    assert found.polygons.geometry["A"].area == pytest.approx(0.9)
    assert found.notes == ()
    path = save(
        frame.set_geometry([GeometryCollection([Point(0, 0)]), *frame.geometry[1:]], crs=4326), "p.geojson"
    )
    with pytest.raises(RegionError, match="regions without a polygon, expected polygons only: A"):
        boundaries_for(path, NAMES)
    assert list(boundaries_for(path, NAMES[1:]).polygons.index) == ["B", "C"]


def test_borders_that_do_not_fit_are_told_or_mended(save):
    frame = strip(name=["A", "B", "C"])
    path = save(frame.set_geometry([box(0, 0, 1.001, 1), *frame.geometry[1:]], crs=4326))
    assert boundaries_for(path, NAMES).notes == (
        "Borders of A, B in the map borders.gpkg overlap or do not meet vertex by vertex; "
        "clean = true mends them.",
    )
    mended = boundaries_for(path, NAMES, clean=True)
    # A thousandth of a degree on the equator is 111.3 m.
    assert mended.moved.distance == pytest.approx(111.3, abs=0.1)
    assert mended.notes == (
        "The map borders.gpkg was cleaned: no border moved by more than 111 m, "
        "no area changed by more than 0.1%.",
    )
    assert neighbor_graph(mended.polygons, "rook").n_edges == 4
    parted = save(frame.set_geometry([box(0, 0, 0.998, 1), *frame.geometry[1:]], crs=4326), "gap.gpkg")
    assert boundaries_for(parted, NAMES).notes == ()  # an island, as far as anybody can say
    closed = boundaries_for(parted, NAMES, clean=True, gap=0.002)
    assert neighbor_graph(closed.polygons, "rook").n_edges == 4
    assert np.isclose(closed.moved.area["A"], 0.002 / 0.998) or np.isclose(closed.moved.area["B"], 0.002)


def test_a_shapefile_in_another_encoding(save, tmp_path):
    path = save(strip(name=["Алматы", "Астана"]), "map.shp")
    table = (tmp_path / "map.dbf").read_bytes()
    for name in ("Алматы", "Астана"):
        table = table.replace(name.encode(), name.encode("cp1251").ljust(2 * len(name)))
    (tmp_path / "map.dbf").write_bytes(table)
    (tmp_path / "map.cpg").unlink()
    assert list(read_boundaries(path, "name", encoding="cp1251").index) == ["Алматы", "Астана"]
