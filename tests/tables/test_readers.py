import io
import sys

import numpy as np
import pandas as pd
import pytest

from spatialkz.errors import InputError, OutputError
from spatialkz.specialization import location_quotient
from spatialkz.tables import (
    FileOptions,
    TableOptions,
    parse_numbers,
    read_frame,
    read_region_table,
    read_table_file,
    write_table,
)
from spatialkz.tables.reading.sums import nested_codes

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


def test_german_numbers_give_the_quotient_of_the_hand_calculation(tmp_path):
    """Alpha: 1204.50 of 1291.75 in a, of all 2465.25 of 58652.75; quotient .93246 / .04203 = 22.18."""
    path = write(tmp_path, "region;a;b\nAlpha;1.204,50;87,25\nBeta;310,00;55.000,25\nGamma;950,75;1.100,00\n")
    assert location_quotient(read_region_table(path)).loc["Alpha", "a"] == pytest.approx(22.18, abs=0.005)


def test_the_total_and_the_base_are_kept_beside_the_table(tmp_path):
    path = write(tmp_path, "region;a;b;all\nX;1;2;10\nY;3;x;20\nTotal;4;x;30\n")
    options = TableOptions(total="Total", base="all", unknown={"x": "suppressed"})
    table = read_table_file(path, options)
    assert table.values.loc["X"].to_dict() == {"a": 1.0, "b": 2.0}
    assert table.hidden.to_numpy().tolist() == [[False, False], [False, True]]
    assert table.national["a"] == 4
    assert np.isnan(table.national["b"])
    assert table.base.to_dict() == {"X": 10.0, "Y": 20.0}
    assert table.national_base == 30


def test_a_suppressed_base_is_refused(tmp_path):
    path = write(tmp_path, "region;a;all\nX;1;10\nY;3;x\n")
    with pytest.raises(InputError, match=r"the base 'all' is suppressed in Y; a base must be known"):
        read_table_file(path, TableOptions(base="all", unknown={"x": "suppressed"}))


def test_a_table_comes_through_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(WIDE.encode("utf-16"))))
    pd.testing.assert_frame_equal(read_region_table("-"), expected(), check_names=False)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"region,a\nX,lots\n")))
    with pytest.raises(InputError, match=r"standard input: a number was expected"):
        read_region_table("-")


def test_files_that_are_none(tmp_path):
    with pytest.raises(InputError, match="is a folder, not a table"):
        read_frame(tmp_path)
    with pytest.raises(InputError, match=r"cannot be read: .*too long"):
        read_frame(tmp_path / ("a" * 300))
    with pytest.raises(InputError, match="cannot be read"):
        read_frame(tmp_path / "a\0b")


def test_a_side_file_keeps_its_text_and_its_lines(tmp_path):
    frame = read_frame(write(tmp_path, "region,tier\n\nNA,1\n01,\n"))
    assert frame.to_dict("index") == {3: {"region": "NA", "tier": "1"}, 4: {"region": "01", "tier": None}}


@pytest.mark.parametrize("encoding", ["cp1251", "utf-8", "utf-16"])
def test_the_encoding_of_the_table_does_not_spoil_a_side_file_whose_own_is_certain(tmp_path, encoding):
    path = write(tmp_path, "регион,тип\nАлматы,1\n", encoding=encoding)
    assert read_frame(path, encoding="cp1251").iloc[0].tolist() == ["Алматы", "1"]


def test_tables_are_written_only_where_and_how_they_can_be(tmp_path):
    with pytest.raises(InputError, match=r"expected .csv, .json, .parquet, .xlsx"):
        write_table(expected(), tmp_path / "table.doc")
    with pytest.raises(OutputError, match="cannot be written"):
        write_table(expected(), tmp_path / "nowhere" / "table.csv")


def test_a_text_file_has_no_sheets_and_hyphens_at_the_end_of_a_line_are_none_of_a_name(tmp_path):
    path = write(tmp_path, 'регион;"промыш-\nленность";"юго-\nЗапад"\nСевер;1;2\nЮг;3;4\n')
    assert read_region_table(path).columns.tolist() == ["промышленность", "юго- Запад"]
    with pytest.raises(InputError, match=r"table\.csv is a text file and has no sheet 2"):
        read_frame(path, FileOptions(sheet=2))


def test_number_ranges_contain_codes_whose_sum_they_are():
    table = pd.DataFrame({"31-33": [9, 7], "311": [5, 3], "334": [4, 4], "44-45": [3, 3], "441": [1, 2]})
    assert nested_codes(table) == {"31-33": ["311", "334"]}
