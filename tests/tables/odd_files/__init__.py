"""Broken and odd files, made from gross value added of 2022 (``data/gva_by_region.csv``, million tenge).

Each case is a file, what it is read with, and its right table or the sentence that refuses it. The files are
made when the tests run; none is stored.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import openpyxl
import pandas as pd

from spatialkz import datasets

CODES = {"AKM": "Akmola", "AKT": "Aktobe", "ATY": "Atyrau", "KRG": "Karagandy"}
SECTORS = {"C": "manufacturing", "J": "information", "M": "professional"}


def figures() -> pd.DataFrame:
    source = datasets.read_table("gva_by_region")
    table = source[source["year"] == 2022].set_index("region").loc[list(CODES), list(SECTORS)]
    return table.rename(index=CODES, columns=SECTORS).rename_axis(index="region")


TABLE = figures()
ROWS = [[region, *row] for region, row in zip(TABLE.index, TABLE.to_numpy().tolist(), strict=True)]
HEADER = ["region", *TABLE.columns]
RUSSIAN = {
    "Akmola": "Акмолинская",
    "Aktobe": "Актюбинская",
    "Atyrau": "Атырауская",
    "Karagandy": "Карагандинская",
}
KAZAKH = {"Akmola": "Ақмола", "Aktobe": "Ақтөбе", "Atyrau": "Атырау", "Karagandy": "Қарағанды"}
IN_RUSSIAN = TABLE.rename(index=RUSSIAN).set_axis(["обработка", "информация", "наука"], axis=1)
IN_KAZAKH = TABLE.rename(index=KAZAKH).set_axis(["өңдеу", "ақпарат", "ғылым"], axis=1)
LONG = TABLE.stack().rename("value").rename_axis(["region", "sector"]).reset_index()
AS_LONG = {"region": "region", "sector": "sector", "value": "value"}


@dataclass(frozen=True)
class Case:
    """A file, and what reading it must give."""

    name: str
    build: Callable[[Path], Path]
    expected: pd.DataFrame | str  # the table, or a pattern of the sentence that refuses the file
    options: dict = field(default_factory=dict)
    notes: str = ""  # a pattern of what is told of the file; nothing must be told if it is empty
    hidden: frozenset = frozenset()  # suppressed cells, (region, column)


def raw(content: bytes, name: str = "table.csv") -> Callable[[Path], Path]:
    def build(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content)
        return path

    return build


def text(content: str, encoding: str = "utf-8", name: str = "table.csv") -> Callable[[Path], Path]:
    return raw(content.encode(encoding), name)


def number(value: float, decimal: str = ".", group: str = "", digits: int = 1) -> str:
    return f"{value:,.{digits}f}".replace(",", "\0").replace(".", decimal).replace("\0", group)


def written(
    table: pd.DataFrame = TABLE,
    delimiter: str = ",",
    decimal: str = ".",
    group: str = "",
    lead: str = "region",
) -> str:
    """A table as text, one line a region."""
    lines = [[lead, *table.columns]]
    lines += [
        [region, *(number(cell, decimal, group) for cell in row)] for region, *row in table.itertuples()
    ]
    return "".join(delimiter.join(line) + "\n" for line in lines)


def book(
    rows: list[list], *, merged: str = "", also: Callable | None = None, name: str = "table.xlsx"
) -> Callable[[Path], Path]:
    """A workbook with one sheet of these rows; ``merged`` areas, and ``also(sheet)`` at the end."""

    def build(folder: Path) -> Path:
        workbook = openpyxl.Workbook()
        sheet = workbook.active
        for row in rows:
            sheet.append(row)
        for area in merged.split():
            sheet.merge_cells(area)
        if also is not None:
            also(sheet)
        path = folder / name
        workbook.save(path)
        return path

    return build


def packed(frame: pd.DataFrame, **options) -> Callable[[Path], Path]:
    """A Parquet file."""

    def build(folder: Path) -> Path:
        buffer = io.BytesIO()
        frame.to_parquet(buffer, **options)
        return raw(buffer.getvalue(), "table.parquet")(folder)

    return build


def changed(cells: dict[tuple[str, str], float] | None = None, table: pd.DataFrame = TABLE) -> pd.DataFrame:
    """The table with other cells."""
    table = table.copy()
    for (region, sector), value in (cells or {}).items():
        table.loc[region, sector] = value
    return table


def both(
    name: str, content: str, expected, options: dict | None = None, notes: str = "", merged: str = ""
) -> list[Case]:
    """The same rows as a text file and as a workbook."""
    rows = [
        [float(cell) if cell.replace(".", "", 1).isdecimal() else cell or None for cell in line.split(";")]
        for line in content.rstrip("\n").split("\n")
    ]
    options = options or {}
    return [
        *([] if merged else [Case(name, text(content), expected, options, notes)]),
        Case(f"{name}, in a workbook", book(rows, merged=merged), expected, options, notes),
    ]


def two(a: list[float], b: list[float], *regions: str, names: tuple[str, str] = ("a", "b")) -> pd.DataFrame:
    return pd.DataFrame({names[0]: a, names[1]: b}, index=list(regions))
