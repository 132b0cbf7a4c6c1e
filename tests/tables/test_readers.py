import pandas as pd
import pytest

from spatialkz.errors import InputError, OutputError
from spatialkz.tables import parse_numbers, read_frame, read_region_table, write_table

LONG = "region,sector,lq\nNorth,steel,1.5\nNorth,software,0.5\nSouth,steel,0.5\nSouth,software,1.5\n"
WIDE = "region,steel,software\nNorth,1.5,0.5\nSouth,0.5,1.5\n"


def write(tmp_path, text, name="table.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_text(text, encoding=encoding)
    return path


def expected():
    return pd.DataFrame(
        {"steel": [1.5, 0.5], "software": [0.5, 1.5]}, index=pd.Index(["North", "South"], name="region")
    )


def test_long_and_wide_files_give_the_same_table(tmp_path):
    long = read_region_table(write(tmp_path, LONG, "long.csv"), region="region", sector="sector", value="lq")
    wide = read_region_table(write(tmp_path, WIDE, "wide.csv"))
    pd.testing.assert_frame_equal(long, expected(), check_names=False)
    pd.testing.assert_frame_equal(wide, expected(), check_names=False)


@pytest.mark.parametrize("ending", [".xlsx", ".parquet", ".csv"])
def test_every_format_reads_back_what_was_written(tmp_path, ending):
    path = tmp_path / f"table{ending}"
    write_table(expected().reset_index(), path)
    pd.testing.assert_frame_equal(read_region_table(path), expected(), check_names=False)


def test_parquet_keeps_a_named_index_as_the_region(tmp_path):
    expected().to_parquet(tmp_path / "table.parquet")
    pd.testing.assert_frame_equal(
        read_region_table(tmp_path / "table.parquet"), expected(), check_names=False
    )


@pytest.mark.parametrize(
    "text",
    [
        'region,steel,software\nNorth,"1,5","0,5"\nSouth,"0,5","1,5"\n',
        "region;steel;software\nNorth;1,5;0,5\nSouth;0,5;1,5\n",
        "region\tsteel\tsoftware\nNorth\t1,5\t0,5\nSouth\t0,5\t1,5\n",
        "\ufeffregion,steel,software\r\nNorth,1.5,0.5\r\n\r\nSouth,0.5,1.5\r\n",
    ],
    ids=["quoted decimal comma", "semicolons", "tabs", "BOM, CRLF, blank line"],
)
def test_delimiters_and_decimal_commas(tmp_path, text):
    pd.testing.assert_frame_equal(read_region_table(write(tmp_path, text)), expected(), check_names=False)


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("1 204,5", 1204.5),
        ("1\u00a0204.5", 1204.5),
        ("1,204.5", 1204.5),
        (" 7 ", 7.0),
        ("-3,25", -3.25),
        (4, 4.0),
    ],
)
def test_numbers_as_people_write_them(cell, number):
    raw = pd.DataFrame({"v": [cell]}, index=[2], dtype=object)
    assert parse_numbers(raw, ["v"], source="t")["v"].tolist() == [number]


def test_a_comma_that_could_be_either_is_refused_and_one_clear_cell_settles_it():
    with pytest.raises(InputError, match="decimal sign or separate thousands"):
        parse_numbers(pd.DataFrame({"v": ["1,234", "5"]}), ["v"], source="t")
    settled = parse_numbers(pd.DataFrame({"v": ["1,234", "5,5"]}), ["v"], source="t")
    assert settled["v"].tolist() == [1.234, 5.5]


@pytest.mark.parametrize(
    ("text", "options", "sentence"),
    [
        ("region,steel\nNorth,abc\n", {}, r"cell is no number at line 2, column 'steel' \('abc'\)"),
        ("region,steel\nNorth,1\n\nSouth,\n", {}, r"cell is empty at line 4, column 'steel'"),
        (
            "region,steel\nNorth,NaN\nSouth,1\n",
            {},
            r"marks of unknown cells: 'NaN' \(1 times, first at line 2",
        ),
        ("region,steel\nNorth,1\nNorth,2\n", {}, r"North stands more than once, in lines 2, 3"),
        ("region,steel\n,1\nSouth,2\n", {}, r"line 2: the 'region' cell is empty"),
        ("region,steel\nNorth,1,5\n", {}, r"line 2: 3 cells where the header has 2"),
        ("region,steel,steel\nNorth,1,5\n", {}, r"more than one column named steel"),
        (WIDE, {"region": "county"}, r"no column county; there are region, steel, software"),
        (WIDE, {"sector": "steel"}, r"both its sector and its value column"),
        (WIDE, {"where": {"year": 2020}}, r"no column year"),
        (WIDE, {"where": {"steel": 9}}, r"no row where steel is 9"),
        (
            LONG + "North,steel,9\n",
            {"region": "region", "sector": "sector", "value": "lq"},
            r"North × steel stands more than once, in lines 2, 6",
        ),
        (
            LONG.replace("South,steel,0.5\n", ""),
            {"region": "region", "sector": "sector", "value": "lq"},
            r"1 region × sector pairs have no row \(South × steel\)",
        ),
        ("", {}, "is empty"),
        ("region,steel\n", {}, r"0 rows and 2 columns below its header"),
    ],
)
def test_bad_tables_are_refused_in_one_sentence(tmp_path, text, options, sentence):
    path = write(tmp_path, text)
    with pytest.raises(InputError, match=sentence) as caught:
        read_region_table(path, **options)
    assert "\n" not in str(caught.value)


def test_unreadable_files_are_refused_in_one_sentence(tmp_path):
    with pytest.raises(InputError, match="There is no file"):
        read_frame(tmp_path / "none.csv")
    with pytest.raises(InputError, match=r"table.xlsx cannot be read"):
        read_frame(write(tmp_path, "not a workbook", "table.xlsx"))
    with pytest.raises(InputError, match=r"table.parquet cannot be read"):
        read_frame(write(tmp_path, "not parquet", "table.parquet"))
    with pytest.raises(InputError, match=r"expected CSV, XLSX or Parquet"):
        read_frame(write(tmp_path, "<html><table></table></html>", "table.xls"))


def test_cp1251_is_told_by_its_words_and_read_when_named(tmp_path):
    path = write(tmp_path, "регион;сталь\nСевер;1,5\nЮг;0,5\n", encoding="cp1251")
    assert read_region_table(path).index.tolist() == ["Север", "Юг"]
    assert read_region_table(path, encoding="cp1251").index.tolist() == ["Север", "Юг"]


def test_where_keeps_one_year_and_drops_its_column(tmp_path):
    path = write(tmp_path, "year,region,steel\n2019,North,1\n2020,North,2\n2020,South,3\n")
    table = read_region_table(path, region="region", where={"year": 2020})
    assert table["steel"].to_dict() == {"North": 2.0, "South": 3.0}
    assert table.columns.tolist() == ["steel"]


def test_tables_are_written_only_where_and_how_they_can_be(tmp_path):
    with pytest.raises(InputError, match=r"expected .csv, .json, .parquet, .xlsx"):
        write_table(expected(), tmp_path / "table.doc")
    with pytest.raises(OutputError, match="cannot be written"):
        write_table(expected(), tmp_path / "nowhere" / "table.csv")
