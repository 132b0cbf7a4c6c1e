"""Files of neighbors: pairs with and without header and weights, GAL and GWT."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from libpysal.graph import Graph
from shapely import Point

from spatialkz.errors import GraphError, InputError, RegionError
from spatialkz.geography import read_neighbors
from spatialkz.spatial import moran

NAMES = pd.Index(["A", "B", "C", "D"])


@pytest.fixture
def read(tmp_path):
    def reader(text, regions=NAMES, file="pairs.csv", **options):
        (tmp_path / file).write_text(text, encoding="utf-8")
        return read_neighbors(tmp_path / file, regions, **options)

    return reader


def matrix(found, regions=NAMES):
    assert list(found.graph.unique_ids) == list(regions)
    return found.graph.sparse.todense().tolist()


RING = [[0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0]]


@pytest.mark.parametrize("header", ["", "region,neighbor\n", "from;to\n", "1,2\n"])
def test_the_first_pair_is_kept_without_a_header(read, header):
    text = header + "A,B\nB,C\nC,D\nD,A\n"
    found = read(text.replace(",", ";") if ";" in header else text)
    assert matrix(found) == RING
    assert found.notes == ()


def test_moran_of_a_ring_without_header(read):
    """Values 1, 2, 4, 9 have z = −3, −2, 0, 5; around the ring Σ z_i z_j = 6 + 0 + 0 − 15 = −9, Σ z² = 38."""
    values = pd.Series([1.0, 2, 4, 9], index=NAMES, name="x")
    ring = read("A,B\nB,C\nC,D\nD,A\n").graph
    found = moran(values, ring, permutations=99, rng=1).to_frame()
    assert found["statistic"].item() == pytest.approx(-9 / 38)
    # Without the first pair it would be (0 × −2 − ... ) / 38: B keeps C alone and A keeps D alone.
    lost = read("x,y\nB,C\nC,D\nD,A\n").graph
    other = moran(values, lost, permutations=99, rng=1).to_frame()["statistic"].item()
    assert other == pytest.approx((-3 * 5 - 2 * 0 + 0 * (-2 + 5) / 2 + 5 * (0 - 3) / 2) / 38)


def test_a_first_line_that_is_half_a_region_is_refused(read):
    with pytest.raises(
        RegionError, match="first line names the region A, but 'neighbor' is not one; expected two"
    ):
        read("A,neighbor\nA,B\nB,C\nC,D\n")
    with pytest.raises(RegionError, match="first line names the region B, but 'from' is not one"):
        read("from,B\nA,B\nB,C\nC,D\n")
    # Z stands below as well, so it is a region, though not of the table.
    found = read("A,Z\nZ,B\nA,B\nB,C\nC,D\n")
    assert found.notes == ("pairs.csv has 1 region that the table lacks (Z); its pairs were left out.",)


@pytest.mark.parametrize("ending", ["xlsx", "parquet"])
def test_other_tables(ending, tmp_path):
    pairs = pd.DataFrame({"a": [1, 2], "b": [2, 3], "w": [1.5, 2]})
    path = tmp_path / f"pairs.{ending}"
    pairs.to_excel(path, index=False) if ending == "xlsx" else pairs.to_parquet(path)
    regions = pd.Index([1, 2, 3])
    assert matrix(read_neighbors(path, regions), regions) == [[0, 1.5, 0], [1.5, 0, 2], [0, 2, 0]]


def test_weights_are_read_or_ignored_when_told(read):
    text = "region,neighbor,weight\nA,B,1\nB,C,9\nC,D,0.5\n"
    assert matrix(read(text)) == [[0, 1, 0, 0], [1, 0, 9, 0], [0, 9, 0, 0.5], [0, 0, 0.5, 0]]
    assert matrix(read(text, weights="ignore")) == [[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]]
    assert matrix(read("A,B,1\nB,C,9\nC,D,0.5\n")) == matrix(read(text))
    assert matrix(read('A;B;"1,5"\nB;C;9\nC;D;2,25\n'))[0][1] == 1.5
    assert matrix(read("A,B,\nB,C,\nC,D,\n")) == matrix(read(text, weights="ignore"))  # an empty column


def test_weights_of_either_way_are_kept(read):
    found = read("A,B,1\nB,A,3\nB,C,2\nC,B,2\nC,D,5\n")
    assert matrix(found) == [[0, 1, 0, 0], [3, 0, 2, 0], [0, 2, 0, 5], [0, 0, 5, 0]]
    assert found.notes == (
        "pairs.csv gives some pairs both ways and others one way only (C – D), which were taken for both "
        "ways.",
    )
    one_way = read("A,B\nB,C\nC,D\nD,A\n", directed=True)
    assert matrix(one_way) == [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0]]
    assert one_way.notes == ()


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("A,B,0\nB,C,1\nC,D,1\n", InputError, "line 1: the weight of A – B is 0; expected a positive number"),
        ("x,y,w\nA,B,1\nB,C,-2\n", InputError, "line 3: the weight of B – C is -2; expected a positive"),
        ("x,y,w\nA,B,1\nB,C,inf\n", InputError, r"cell is no number at line 3, column 'w' \('inf'\)"),
        ("x,y,w\nA,B,1\nB,C,\n", InputError, "line 3.*; the third column is read as weights, unless"),
        ("x,y,kind\nA,B,land\nB,C,sea\n", InputError, r"'kind' \('land'\).*; the third column is"),
        ("x,y,w,km,note\nA,B,1,2,3\n", InputError, r"more columns \(km, note\) than two of regions and"),
        ("A,B,1,7\nB,C,1,7\n", InputError, r"more columns \(4\) than two of regions"),
        ("x,y\nA,A\nB,C\n", GraphError, "line 2: a region cannot be its own neighbor, but A is"),
        ("x,y,w\nA,B,1\nA,B,2\n", GraphError, "A – B stands in lines 2 and 3 with the weights 1 and 2"),
        ("x,y\nA,B\nC,\n", RegionError, "line 3: expected two regions, found 'C' alone"),
        ("x,y\nP,Q\n", RegionError, "names no region of the table: found P, Q, expected such as A, B, C"),
        ("x,y\nA,B\nB,C\n", GraphError, "D has no neighbors in pairs.csv; add their pairs, or isolates="),
    ],
)  # fmt: skip
def test_what_is_no_list_of_neighbors_is_refused(read, text, error, says):
    with pytest.raises(error, match=says) as caught:
        read(text)
    assert str(caught.value).count(". ") == 0


def test_more_regions_than_the_table_are_cut_and_told(read):
    found = read("x,y\nA,B\nB,C\nC,D\nD,Y\nY,Z\nX,X\nA,W\n")
    assert matrix(found) == [[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]]
    assert found.notes == (
        "pairs.csv has 4 regions that the table lacks (Y, Z, X, W); their pairs were left out.",
    )


def test_lost_zeros_are_named_and_not_matched(read):
    codes = pd.Index(["01", "02", "10"])
    says = "pairs.csv writes 1 where the table writes 01: leading zeros were lost, so keep the column as text"
    for text in ("x,y\n1,2\n2,10\n", "x,y\n1,2\n"):
        with pytest.raises(RegionError, match=says):
            read(text, codes)
    with pytest.raises(
        RegionError, match=r"writes 1\.0 where the table writes 1: a code was read as a number"
    ):
        read("x,y\n1.0,2.0\n", pd.Index([1, 2]))


def test_codes_and_spaces_around_names(read):
    found = read("x,y\n a ,B \nc,d\nB,c\n", codes={"a": "A", "c": "C", "d": "D"})
    assert matrix(found) == [[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]]


def test_policies_hold_for_files(read):
    parts = "x,y\nA,B\nC,D\n"
    assert matrix(read(parts)) == [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]
    with pytest.raises(
        GraphError, match=r"The graph in pairs.csv has 2 connected components \(A, B \| C, D\); add their"
    ):
        read(parts, parts="error")
    row = gpd.GeoDataFrame(geometry=[Point(x, 0) for x in (0, 1, 3, 5)], index=NAMES, crs=3857)
    joined = read(parts, parts="attach", places=row.iloc[::-1])
    assert matrix(joined) == [[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]]
    lone = "x,y,w\nA,B,4\nB,C,2\n"
    assert list(read(lone, isolates="keep").graph.isolates) == ["D"]
    assert matrix(read(lone, isolates="attach", places=row))[3] == [0, 0, 2, 0]  # the smallest weight
    for option in ({"isolates": "attach"}, {"isolates": "keep", "parts": "attach"}):
        text = lone if option["isolates"] == "attach" else parts
        with pytest.raises(
            InputError, match=r"needs boundaries or points beside pairs\.csv, but there are none"
        ):
            read(text, **option)
    for option in ("isolates", "parts", "weights"):
        with pytest.raises(InputError, match=f"{option} is 'drop'; it must be one of"):
            read(parts, **{option: "drop"})


def star(regions):
    rows = np.array(list(regions), dtype=object)
    return Graph.from_arrays(
        np.r_[np.repeat(rows[0], 2), rows[1:3]],
        np.r_[rows[1:3], np.repeat(rows[0], 2)],
        np.array([1.0, 2, 3, 4]),
    )


@pytest.mark.parametrize(
    "names", [["01", "02", "03"], ["East Side", "West", "New East Side"], ["NA", "x", "1"]]
)
def test_gal_and_gwt_as_libpysal_writes_them(names, tmp_path):
    """libpysal itself reads 01 as 1, NA as missing, and stumbles over spaces in GAL files."""
    regions = pd.Index(names)
    star(names).to_gal(tmp_path / "map.gal")
    assert matrix(read_neighbors(tmp_path / "map.gal", regions), regions) == [[0, 1, 1], [1, 0, 0], [1, 0, 0]]
    star(names).to_gwt(tmp_path / "map.gwt")
    weighted = read_neighbors(tmp_path / "map.gwt", regions)
    assert matrix(weighted, regions) == [[0, 1, 2], [3, 0, 0], [4, 0, 0]]
    plain = read_neighbors(tmp_path / "map.gwt", regions, weights="ignore")
    assert matrix(plain, regions) == [[0, 1, 1], [1, 0, 0], [1, 0, 0]]


def test_gal_as_geoda_writes_it(read):
    text = "0 4 map CODE\nA 1\nB\nB 2\nA C\nC 1\nB\nD 0\n\n"
    found = read(text, file="map.gal", isolates="keep")
    assert matrix(found) == [[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    one_way = read("2\nA 1\nB\nB 0\n\n", NAMES[:2], "map.gal", isolates="keep")
    assert matrix(one_way, NAMES[:2]) == [[0, 1], [0, 0]]


def test_gwt_says_that_its_third_column_may_be_distances(read):
    found = read("0 2 map CODE\nA B 12.5\nB A 12.5\nB Z 3\n", NAMES[:2], "map.gwt")
    assert matrix(found, NAMES[:2]) == [[0, 12.5], [12.5, 0]]
    assert found.notes == (
        "map.gwt has 1 region that the table lacks (Z); its pairs were left out.",
        "The third column of map.gwt was read as weights; where it holds distances, as GeoDa writes them, "
        "give weights = 'ignore'.",
    )
    assert len(read("0 2 map CODE\nA B 1\nB A 1\n", NAMES[:2], "map.gwt").notes) == 0


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("map.gal", "", "line 1: expected the number of regions"),
        ("map.gal", "A 1\nB\n", "line 1: expected the number of regions"),
        ("map.gal", "3\nA 1\nB\nB 1\nA\n", "announces 3 regions and has 2"),
        ("map.gal", "2\nA one\nB\nB 1\nA\n", "line 2: expected a region and its number of neighbors, found"),
        ("map.gal", "2\nA 2\nB\nB 1\nA\n", "line 3: expected 2 regions, found 'B'"),
        ("map.gwt", "0 2 m c\nA B\n", "line 2: expected two regions and a weight, found 'A B'"),
        ("map.gwt", "0 2 m c\nA 1\n", "line 2: expected 2 regions, found 'A'"),
    ],
)  # fmt: skip
def test_broken_gal_and_gwt_are_refused(read, file, text, says):
    with pytest.raises(InputError, match=says):
        read(text, file=file)


def test_files_that_cannot_be_read(tmp_path):
    for file in ("absent.gal", "absent.csv", "pairs.doc"):
        with pytest.raises(InputError, match=file):
            read_neighbors(tmp_path / file, NAMES)
    (tmp_path / "map.gal").write_bytes("2\nАлматы 1\nB\n".encode("cp1251"))
    with pytest.raises(InputError, match=r"map\.gal cannot be read as utf-8-sig text"):
        read_neighbors(tmp_path / "map.gal", NAMES)
    text = "2\nАлматы 1\nB\nB 1\nАлматы\n"
    (tmp_path / "map.gal").write_bytes(text.encode("cp1251"))
    regions = pd.Index(["Алматы", "B"])
    assert matrix(read_neighbors(tmp_path / "map.gal", regions, encoding="cp1251"), regions) == [
        [0, 1],
        [1, 0],
    ]
