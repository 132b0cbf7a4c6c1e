"""`spatialkz register` from files to a table that other commands read."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely

FIRMS = """kato;oked;jobs;year;lon;lat
711110000;62.01;30,5;2022;0,5;0,5
751110000;62.02;10;2022;1,5;0,5
751110000;01.11;50;2022;1,5;0,6
711110000;20.1;9;2022;0,6;0,5
;63.1;5;2022;0,4;0,5
711110000;62.01;7;2021;0,5;0,5
"""


@pytest.fixture(autouse=True)
def firms(monkeypatch, tmp_path):
    """A folder to work in, with a register."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "firms.csv").write_text(FIRMS, encoding="utf-8")


COLUMNS = ["--sector", "oked", "--value", "jobs", "--decimal", ",", "--where", "year=2022"]


def test_a_register_becomes_a_table_that_lq_reads(call):
    how = ["--regions", "kato", "--sectors", "section", "--base", "all", "--plants", "plants.csv"]
    status, _, err = call("register", "*.csv", "--region", "kato", *COLUMNS, *how, "-o", "table.parquet")
    assert status == 0
    told = "1 of 5 rows (20 %) stand in no cell: 1 with no region code; they hold 5 of jobs."
    assert err.startswith(f"spatialkz: {told}\nspatialkz: 18 of 20 regions have no row: Abai, ")
    table = pd.read_parquet("table.parquet").set_index("region")
    assert table.to_dict("index") == {
        "Almaty City": {"A": 50.0, "C": 0.0, "J": 10.0, "base": 60.0},
        "Astana": {"A": 0.0, "C": 9.0, "J": 30.5, "base": 39.5},
    }
    plants = pd.read_csv("plants.csv").set_index("sector")
    assert plants["plants"].to_dict() == {"A": 1, "C": 1, "J": 2}
    assert plants.loc["J", "herfindahl"] == pytest.approx((30.5**2 + 10**2) / 40.5**2)
    status, out, _ = call("lq", "table.parquet", "--base", "base")
    assert status == 0
    assert "Astana" in out


def test_points_and_prefixes_come_from_files(call, tmp_path):
    boxes = [shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)]
    frame = gpd.GeoDataFrame({"name": ["West", "East"]}, geometry=boxes, crs=4326)
    frame.to_file(tmp_path / "map.gpkg")
    (tmp_path / "sectors.csv").write_text("prefix,label\n62,IT\n63,IT\n0,farms\n2,works\n", encoding="utf-8")
    place = ["--boundaries", "map.gpkg", "--x", "lon", "--y", "lat"]
    status, out, _ = call("register", "firms.csv", *place, *COLUMNS, "--sectors", "sectors.csv")
    assert status == 0
    assert out.splitlines() == ["region,IT,farms,works", "East,10,50,0", "West,35.5,0,9"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Name the column with the region code (--region), or a map (--boundaries) and coordinates"),
        (["--region", "kato", "--x", "lon"], "Name the column with the region code"),
        (
            ["--region", "kato", "--regions", "nuts"],
            "--regions is 'nuts'; expected a number, kato, or a file",
        ),
        (
            ["--region", "kato", "--sectors", "branch"],
            "--sectors is 'branch'; expected a number, one of section",
        ),
        (["--region", "kato", "--constant", "lon"], "lon must have one value in all rows"),
        (["--region", "oblast"], "The register has no column oblast; there are"),
    ],
)
def test_wrong_use_is_told_in_one_sentence(call, arguments, sentence):
    status, out, err = call("register", "firms.csv", *COLUMNS, *arguments)
    assert (status, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1
