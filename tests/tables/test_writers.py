"""Tables as files: text stays text, numbers stay numbers, and an earlier file is never half replaced."""

import json

import openpyxl
import pandas as pd
import pytest

from spatialkz.errors import InputError, Notice, OutputError
from spatialkz.tables import write_table

LABELS = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\tx", "\rx", "#N/A", "😀", "plain"]
TABLE = pd.DataFrame({"region": LABELS, "=x": range(9)})


def test_labels_are_text_in_a_workbook(tmp_path):
    write_table(TABLE, tmp_path / "table.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "table.xlsx").active
    cells = list(sheet.columns)
    # A carriage return is a line break to XML.
    assert [cell.value for cell in cells[0][1:]] == [label.replace("\r", "\n") for label in LABELS]
    assert {cell.data_type for cell in cells[0]} == {"s"}
    assert cells[1][0].data_type == "s"
    # What a spreadsheet would take for a formula as soon as the cell is edited.
    assert [cell.quotePrefix for cell in cells[0][1:]] == [True, *[False] * 5, True, False, False]


def test_a_csv_file_holds_labels_as_they_are_and_tells_which_are_dangerous(tmp_path):
    with pytest.warns(Notice, match=r"table\.csv holds labels that a spreadsheet takes for formulas") as told:
        write_table(TABLE, tmp_path / "table.csv")
    assert "'=x', \"=cmd|' /C calc'!A0\", '+1+1' and 4 more" in str(told[0].message)
    with (tmp_path / "table.csv").open(newline="") as file:
        assert "=cmd|' /C calc'!A0,0\n+1+1,1\n" in file.read()


@pytest.mark.parametrize("label", ["-1.5", "+3", "-", "=", "a=b", "North-East"])
def test_numbers_and_plain_labels_are_not_told(tmp_path, label):
    write_table(pd.DataFrame({"region": [label], "x": [-1.0]}), tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_text() == f"region,x\n{label},-1.0\n"


def test_json_keeps_every_digit_and_knows_no_number_that_is_none(tmp_path):
    table = pd.DataFrame(
        {"p": [1.2345678901234567e-12, float("nan")], "tier": pd.array([1, None], dtype="Int64")}
    )
    write_table(table, tmp_path / "table.json")
    found = json.loads((tmp_path / "table.json").read_text())
    assert found == [{"p": 1.2345678901234567e-12, "tier": 1}, {"p": None, "tier": None}]


@pytest.mark.parametrize(
    ("label", "ending", "sentence"),
    [
        ("a\x07b", "xlsx", r"the label 'a\\x07b' has a control character; remove it, or write .csv"),
        ("A" * 50_000, "xlsx", "a cell holds at most 32767 letters, and 'AAAAAAAAAAAAAAAAAAAA'… has 50000"),
        ("\ud800", "csv", "surrogates not allowed"),
        ("\ud800", "json", "surrogates not allowed"),
        ("\ud800", "parquet", "surrogates not allowed"),
    ],
)
def test_what_a_form_cannot_hold_is_one_sentence_and_costs_no_earlier_file(tmp_path, label, ending, sentence):
    path = tmp_path / f"table.{ending}"
    path.write_text("earlier")
    table = pd.DataFrame({"region": pd.Series([label], dtype=object)})
    with pytest.raises(OutputError, match=f"cannot hold this table: .*{sentence}"):
        write_table(table, path)
    assert path.read_text() == "earlier"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_long_names_and_control_characters_come_back_elsewhere(tmp_path, ending):
    labels = ["A" * 50_000, "a\x07b", "a\x00b"]
    write_table(pd.DataFrame({"region": labels}), tmp_path / f"table.{ending}")
    readers = {"csv": pd.read_csv, "json": pd.read_json, "parquet": pd.read_parquet}
    assert readers[ending](tmp_path / f"table.{ending}")["region"].tolist() == labels


def test_a_sheet_that_is_too_small_and_columns_of_several_kinds_are_told(tmp_path):
    wide = pd.DataFrame([[0] * 16_385])
    with pytest.raises(
        OutputError, match="at most 1048576 rows and 16384 columns, and it would take 2 and 16385"
    ):
        write_table(wide, tmp_path / "table.xlsx")
    mixed = pd.DataFrame({"x": [1, "one"]})
    with pytest.raises(
        OutputError, match=r"table\.parquet cannot hold this table: .*Could not convert 'one'"
    ):
        write_table(mixed, tmp_path / "table.parquet")
    twice = pd.DataFrame([[1, 2]], columns=["x", "x"])
    with pytest.raises(OutputError, match="its columns are not unique"):
        write_table(twice, tmp_path / "table.json")
    with pytest.raises(InputError, match="ends in nothing; expected"):
        write_table(mixed, tmp_path / "table")


@pytest.mark.parametrize("ending", ["csv", "json", "parquet", "xlsx"])
def test_a_full_disk_is_one_sentence(tmp_path, ending):
    path = tmp_path / f"full.{ending}"
    path.symlink_to("/dev/full")
    with pytest.raises(OutputError, match=rf"full\.{ending} cannot be written: .*No space left on device"):
        write_table(pd.DataFrame({"x": range(9)}), path)
