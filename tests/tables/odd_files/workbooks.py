"""Workbooks and Parquet files: sheets, merged and hidden cells, formulas, formats, indices, types."""

import datetime
import decimal
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.styles import Font

from . import AS_LONG, HEADER, LONG, ROWS, TABLE, Case, book, packed, raw

SHEET = [HEADER, *ROWS]
EXTENSION = (
    '<extLst><ext uri="{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}"><dataValidations/></ext></extLst></worksheet>'
)


def sheets(**content: list[list]):
    """A workbook with these sheets; one whose name begins with ``hidden`` cannot be seen."""

    def also(sheet) -> None:
        workbook = sheet.parent
        workbook.remove(sheet)
        for name, rows in content.items():
            page = workbook.create_sheet(name)
            for row in rows:
                page.append(row)
            page.sheet_state = "hidden" if name.startswith("hidden") else "visible"

    return book([], also=also)


def cell(place: str, value, **look):
    """A workbook with the table in which one cell is another, or looks otherwise."""

    def also(sheet) -> None:
        if value is not None:
            sheet[place] = value
        for name, what in look.items():
            setattr(sheet[place], name, what)

    return book(SHEET, also=also)


def dimensions(kind: str, which, **look):
    def also(sheet) -> None:
        for name, what in look.items():
            setattr(getattr(sheet, kind)[which], name, what)

    return book(SHEET, also=also)


def patched(build, old: str, new: str):
    """A workbook with another text in the XML of its sheet, as other programs write it."""

    def patch(folder: Path) -> Path:
        path = build(folder)
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        sheet = parts["xl/worksheets/sheet1.xml"].decode()
        assert old in sheet
        parts["xl/worksheets/sheet1.xml"] = sheet.replace(old, new).encode()
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in parts.items():
                archive.writestr(name, content)
        return path

    return patch


def raised(text: str, mark: str) -> CellRichText:
    return CellRichText(text, TextBlock(InlineFont(vertAlign="superscript"), mark))


def far(sheet) -> None:
    sheet["A900000"].font = Font(bold=True)


def codes(sheet) -> None:
    for line in (2, 3):
        sheet.cell(line, 1).number_format = "00000"


LABELS = [["North"], ["South"]]
TWO = pd.DataFrame({"a": [1.0, 3], "b": [2.0, 4]}, index=["N", "S"])
INT_CODES = pd.DataFrame({"a": [1.0, 3], "b": [2.0, 4]}, index=["501", "1001"])

CASES = [
    Case(
        "a sheet of text first",
        sheets(about=[["About"], ["Statistics"]], data=SHEET),
        TABLE,
        notes="sheet 'data' taken, not 'about'",
    ),
    Case(
        "a list of contents first",
        sheets(contents=[["Table", "Title"], [1, "Value added"], [2, "Jobs"]], data=SHEET),
        TABLE,
        notes="sheet 'data' taken, not 'contents'",
    ),
    Case(
        "a hidden sheet first",
        sheets(hidden=[["region", "a"], ["X", 1], ["Y", 2]], data=SHEET),
        TABLE,
        notes="sheet 'data' taken, not 'hidden'",
    ),
    Case(
        "the hidden sheet is named",
        sheets(hidden=[["region", "a"], ["X", 1], ["Y", 2]], data=SHEET),
        pd.DataFrame({"a": [1.0, 2]}, ["X", "Y"]),
        {"sheet": "hidden"},
    ),
    Case(
        "the second sheet by number", sheets(one=[["region", "a"], ["X", 1]], two=SHEET), TABLE, {"sheet": 2}
    ),
    Case(
        "the second sheet by number as text",
        sheets(one=[["region", "a"], ["X", 1]], two=SHEET),
        TABLE,
        {"sheet": "2"},
    ),
    Case(
        "a sheet called by a number",
        sheets(**{"2022": SHEET, "2021": [["region", "a"], ["X", 1]]}),
        TABLE,
        {"sheet": "2022"},
    ),
    Case("no such sheet", sheets(one=SHEET), r"has no sheet 'data'; it has one", {"sheet": "data"}),
    Case("no such number of a sheet", sheets(one=SHEET), r"has no sheet 3; it has 1: one", {"sheet": 3}),
    Case(
        "an empty sheet",
        sheets(one=SHEET, two=[]),
        r"The sheet 'two' of table\.xlsx .*is empty",
        {"sheet": "two"},
    ),
    Case(
        "a sentence names the sheet",
        sheets(one=SHEET, two=[["region", "a"], ["X", "lots"]]),
        r"table\.xlsx \(sheet 'two'\): a number was expected",
        {"sheet": "two"},
    ),
    Case(
        "a superscript in a number",
        cell("C2", raised("17432.1", "2")),
        TABLE,
        notes="footnote marks taken off 1 number",
    ),
    Case(
        "a superscript in a name",
        cell("A2", raised("Akmola", "1)")),
        TABLE,
        notes="footnote marks of Akmola¹⁾ taken off",
    ),
    Case(
        "a superscript in the header",
        cell("C1", raised("information", "3")),
        TABLE,
        notes="footnote marks of information³ taken off",
    ),
    Case(
        "formulas never calculated",
        cell("C2", "=1+1"),
        r"C2 hold formulas without a value, for the workbook was never calculated",
    ),
    Case("a name that is a formula", cell("A2", "=B7"), r"A2 hold formulas without a value"),
    Case(
        "an error of a formula",
        cell("C2", "#DIV/0!"),
        r"no number at line 2, column 'information' \('#DIV/0!'\)",
    ),
    Case(
        "an error as a name", cell("A2", "#N/A"), r"line 2: the 'region' cell is the error #N/A of a formula"
    ),
    Case(
        "an error in the header",
        cell("C1", "#REF!"),
        r"line 1: a cell of the header is the error #REF! of a formula",
    ),
    Case(
        "a date as a number",
        cell("C2", datetime.datetime(2022, 1, 5)),
        r"no number at line 2, column 'information'",
    ),
    Case(
        "a date as a name",
        cell("A2", datetime.datetime(2022, 11, 10)),
        r"line 2: the 'region' cell is a date",
    ),
    Case(
        "a date in the header",
        cell("C1", datetime.datetime(2022, 11, 10)),
        r"line 1: a cell of the header is a date",
    ),
    Case("a time as a number", cell("C2", datetime.time(12, 30)), r"no number at line 2"),
    Case(
        "cells in percent",
        cell("C2", None, number_format="0.0%"),
        TABLE,
        notes=r"1 cells in percent read as shares \(12 % as \.12\)",
    ),
    Case("cells shown rounded", cell("C2", None, number_format="0"), TABLE),
    Case("cells shown in thousands", cell("C2", None, number_format="#,##0,"), TABLE),
    Case(
        "codes shown with zeros in front",
        book([["code", "a", "b"], [501, 1, 2], [1001, 3, 4]], also=codes),
        pd.DataFrame({"a": [1.0, 3], "b": [2.0, 4]}, index=["00501", "01001"]),
    ),
    Case("codes as numbers", book([["code", "a", "b"], [501, 1, 2], [1001.0, 3, 4]]), INT_CODES),
    Case(
        "hidden rows",
        dimensions("row_dimensions", 3, hidden=True),
        TABLE,
        notes=r"hidden rows \(3\) read like the others",
    ),
    Case(
        "hidden columns",
        dimensions("column_dimensions", "C", hidden=True),
        TABLE,
        notes=r"hidden columns \(from C\) read like the others",
    ),
    Case(
        "one number for two merged cells",
        book([["region", "a", "b"], ["N", 1, None], ["S", 3, 4]], merged="B2:C2"),
        r"no number at line 2, column 'a' \('1 \(one number for several merged cells\)'\)",
    ),
    Case(
        "one number for two merged cells, empty ones zero",
        book([["region", "a", "b"], ["N", 1, None], ["S", 3, 4]], merged="B2:C2"),
        r"one number for several merged cells",
        {"unknown": {"": "zero"}},
    ),
    Case(
        "a merged year in the header",
        book(
            [["region", 2021, None, 2022, None], [None, "a", "b", "a", "b"], ["N", 1, 2, 3, 4]],
            merged="A1:A2 B1:C1 D1:E1",
        ),
        pd.DataFrame([[1.0, 2, 3, 4]], ["N"], ["2021: a", "2021: b", "2022: a", "2022: b"]),
        notes="header in lines 1–2",
    ),
    Case(
        "merged codes of regions",
        book(
            [["code", "sector", "value"], [1, "a", 1], [None, "b", 2], [2, "a", 3], [None, "b", 4]],
            merged="A2:A3 A4:A5",
        ),
        TWO.set_axis(["1", "2"]),
        {"region": "code", "sector": "sector", "value": "value"},
    ),
    Case(
        "a title merged far beyond the table",
        book([["Value added", *[None] * 20], *SHEET], merged="A1:U1"),
        TABLE,
        notes=r"header in line 2; titles above it \(line 1\) left out",
    ),
    Case("cells formatted a million lines down", book(SHEET, also=far), TABLE),
    Case(
        "line ends in names",
        book([["region", "a\nb"], ["North\nEast", 1], ["South_x000D_\nWest", 2]]),
        pd.DataFrame({"a b": [1.0, 2]}, ["North East", "South West"]),
    ),
    Case(
        "all cells of a sheet merged",
        patched(book(SHEET, merged="F1:G1"), "F1:G1", "F1:XFD1048576"),
        r"merges the cells F1:XFD1048576 into one",
    ),
    Case("a number of 400 digits", patched(book(SHEET), "17432.1", "9" * 400), r"no number at line 2"),
    Case("formulas with their values", patched(book(SHEET), "<v>17432.1", "<f>A9</f><v>17432.1"), TABLE),
    Case(
        "a formula that gives an empty text",
        patched(
            patched(book(SHEET), "<v>17432.1", "<f>A9</f><v>17432.1"), "<v>28275</v>", "<f>A9</f><v></v>"
        ),
        r"cell is empty at line 2, column 'professional'",
    ),
    Case("a sheet with validations and warnings", patched(book(SHEET), "</worksheet>", EXTENSION), TABLE),
    # Parquet
    Case("an index without a name", packed(TABLE.rename_axis(None)), TABLE),
    Case(
        "an index without a name beside a column called region",
        packed(TABLE.rename_axis(None).assign(region="North")),
        r"no number at line 2, column 'region' \('North'\)",
    ),
    Case(
        "numbers of rows left from a selection",
        packed(TABLE.reset_index().set_axis([0, 3, 5, 9])),
        TABLE,
        notes=r"the numbers of the rows \(an index without a name\) left out",
    ),
    Case("codes as an index without a name", packed(TWO.set_axis([501, 1001])), INT_CODES),
    Case("an index of two levels", packed(LONG.set_index(["region", "sector"])), TABLE, AS_LONG),
    Case(
        "an index called as a column is",
        packed(TABLE.assign(region=1.0)),
        r"more than one column named region",
    ),
    Case(
        "columns of two levels",
        packed(TABLE.set_axis(pd.MultiIndex.from_product([["x"], TABLE.columns]), axis=1)),
        r"column names of 2 levels; expected one",
    ),
    Case("categories", packed(LONG.astype({"region": "category", "sector": "category"})), TABLE, AS_LONG),
    Case("fixed decimals", packed(TABLE.map(lambda value: decimal.Decimal(str(value)))), TABLE),
    Case("numbers as text", packed(TABLE.map(lambda value: f"{value:.1f}".replace(".", ","))), TABLE),
    Case(
        "whole numbers with a missing one",
        packed(pd.DataFrame({"code": [9007199254740993, 2], "a": pd.array([1, None], "Int64")})),
        r"cell is empty at line 3, column 'a'",
    ),
    Case(
        "large codes keep their last digit",
        packed(pd.DataFrame({"code": pd.array([9007199254740993, None, 2], "Int64"), "a": [1.0, np.nan, 2]})),
        pd.DataFrame({"a": [1.0, 2]}, ["9007199254740993", "2"]),
    ),
    Case(
        "true and false",
        packed(pd.DataFrame({"region": ["X", "Y"], "a": [True, False]})),
        r"no number at .*'TRUE'",
    ),
    Case(
        "lists in cells",
        packed(pd.DataFrame({"region": ["X", "Y"], "a": [[1, 2], [3]]})),
        r"no number at line 2, column 'a'",
    ),
    Case(
        "dates in cells",
        packed(pd.DataFrame({"region": ["X", "Y"], "a": pd.to_datetime(["2020-01-01"] * 2)})),
        r"no number at line 2",
    ),
    Case(
        "dates as names",
        packed(pd.DataFrame({"region": pd.to_datetime(["2020-01-01", "2021-01-01"]), "a": [1, 2]})),
        r"line 2: the 'region' cell is a date",
    ),
    Case(
        "bytes as names",
        packed(pd.DataFrame({"region": ["Ақмола".encode(), b"Y"], "a": [1, 2]})),
        pd.DataFrame({"a": [1.0, 2]}, ["Ақмола", "Y"]),
    ),
    Case(
        "infinite numbers",
        packed(pd.DataFrame({"region": ["X", "Y"], "a": [1.0, np.inf]})),
        r"no number at line 3, column 'a' \(inf\)",
    ),
    Case(
        "missing numbers",
        packed(pd.DataFrame({"region": ["X", "Y"], "a": [1.0, np.nan]})),
        r"cell is empty at line 3",
    ),
    Case(
        "years as columns of Parquet",
        packed(TWO.set_axis(["2020", "2021"], axis=1)),
        TWO.set_axis(["2020", "2021"], axis=1),
    ),
    Case(
        "codes as columns of Parquet",
        packed(TWO.set_axis(["62", "63"], axis=1)),
        TWO.set_axis(["62", "63"], axis=1),
    ),
    Case("a column without any cell", packed(TWO.assign(c=None)), r"cell is empty at line 2, column 'c'"),
    Case(
        "letters that are no UTF-8 in Parquet",
        lambda folder: raw(
            packed(TABLE, compression=None)(folder).read_bytes().replace(b"Atyrau", b"Atyra\x83"),
            "table.parquet",
        )(folder),
        r"table\.parquet cannot be read: .*UTF8",
    ),
    Case("no rows", packed(TWO.iloc[:0]), r"0 rows and 3 columns below its header"),
]
