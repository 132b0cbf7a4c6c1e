"""Workbooks and Parquet files as grids of cells."""

from __future__ import annotations

import datetime
import decimal
import io
import re
import warnings
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow.parquet

from spatialkz.errors import InputError, listing
from spatialkz.tables.labels import tidy_label
from spatialkz.tables.reading.numbers import Spread, is_number
from spatialkz.tables.reading.options import Grid

_RAISED = str.maketrans("0123456789)", "⁰¹²³⁴⁵⁶⁷⁸⁹⁾")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")  # control characters, as XLSX writes them
_MOST_MERGED = 1_000_000  # cells
_OTHER_PACKAGES = {
    "xl/workbook.bin": "is a binary workbook (.xlsb); save it as .xlsx",
    "content.xml": "is an OpenDocument file; save it as .xlsx",
    "word/document.xml": "is a text document; expected CSV, XLSX or Parquet",
}


def workbook(content: bytes, source: str, sheet: str | int | None) -> Grid:
    """Cells of one sheet of an XLSX file: the one named or numbered, or the first visible one with numbers.

    Raises
    ------
    InputError
        If it is no workbook, has no such sheet, or holds formulas that were never calculated.
    """
    try:
        names = set(zipfile.ZipFile(io.BytesIO(content)).namelist())
        if "xl/workbook.xml" not in names:
            what = next((said for name, said in _OTHER_PACKAGES.items() if name in names), None)
            raise InputError(
                f"{source} {what or 'is a packed file but no workbook; expected CSV, XLSX or Parquet'}."
            )
        _refuse_vast_merges(content, source)
        book = _load(content, data_only=True, rich_text=True)
    except InputError:
        raise
    except Exception as error:  # openpyxl passes on whatever its parsers raise
        raise InputError(f"{source} cannot be read: {_reason(error)}.") from error
    sheets = {page.title: page for page in book.worksheets}
    if not sheets:
        raise InputError(f"{source} has no sheet of cells.")
    name = _sheet_name(sheets, source, sheet)
    others = [repr(other) for other in sheets if other != name]
    found = () if sheet is not None or not others else (f"sheet {name!r} taken, not {listing(others, 12)}",)
    called = f"{source} (sheet {name!r})" if others else source
    _refuse_uncalculated(content, sheets[name], called)
    return _sheet(sheets[name], called, found)


def _sheet_parts(content: bytes) -> Iterator[bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                yield archive.read(name)


def _refuse_vast_merges(content: bytes, source: str) -> None:
    """Refuse merged areas so large that the library would make a cell of each place in them for hours."""
    from openpyxl.utils import range_boundaries

    for part in _sheet_parts(content):
        for area in re.findall(rb'<mergeCell ref="([A-Z0-9:]+)"', part):
            left, top, right, bottom = range_boundaries(area.decode())
            if None not in (left, top, right, bottom) and (right - left) * (bottom - top) > _MOST_MERGED:
                raise InputError(f"{source} merges the cells {area.decode()} into one; take that apart.")


def _load(content: bytes, **options: bool) -> Any:
    import openpyxl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and validations, which are no cells
        return openpyxl.load_workbook(io.BytesIO(content), **options)


def _sheet_name(sheets: dict[str, Any], source: str, sheet: str | int | None) -> str:
    if sheet is None:
        visible = [name for name, page in sheets.items() if page.sheet_state == "visible"] or list(sheets)
        return next((name for name in visible if _has_numbers(sheets[name])), visible[0])
    if isinstance(sheet, str) and sheet in sheets:
        return sheet
    if isinstance(sheet, int) or sheet.isdecimal():
        if not 1 <= int(sheet) <= len(sheets):
            raise InputError(f"{source} has no sheet {sheet}; it has {len(sheets)}: {listing(sheets, 12)}.")
        return list(sheets)[int(sheet) - 1]
    raise InputError(f"{source} has no sheet {sheet!r}; it has {listing(sheets, 12)}.")


def _filled(page: Any) -> list[Any]:
    # Its rows would run to the last formatted one, a million lines down.
    return [cell for cell in page._cells.values() if cell.value is not None]


def _has_numbers(page: Any) -> bool:
    """Whether two rows have numbers beside their first cell, which in a list of contents is a number too."""
    cells = _filled(page)
    first = min((cell.column for cell in cells), default=0)
    return len({cell.row for cell in cells if cell.column > first and is_number(cell.value)}) > 1


def _refuse_uncalculated(content: bytes, page: Any, source: str) -> None:
    """Refuse a sheet whose formulas all lack a value: no spreadsheet program has calculated it."""
    if not any(re.search(rb"<f[ >/]", part) for part in _sheet_parts(content)):
        return
    rows = _load(content, read_only=True)[page.title].iter_rows()
    formulas = [cell.coordinate for row in rows for cell in row if getattr(cell, "data_type", "") == "f"]
    if formulas and all(page[place].value is None for place in formulas):
        raise InputError(
            f"{source}: {listing(formulas, 3)} hold formulas without a value, for the workbook was never "
            "calculated; open it in a spreadsheet program and save it."
        )


def _sheet(page: Any, source: str, found: tuple[str, ...]) -> Grid:
    cells: dict[int, dict[int, Any]] = defaultdict(dict)
    percent = 0
    for cell in _filled(page):
        value = _value(cell)
        if value is not None:
            cells[cell.row][cell.column] = value
            percent += isinstance(value, int | float) and cell.has_style and "%" in cell.number_format
    if not cells:
        raise InputError(f"The sheet {page.title!r} of {source} is empty.")
    width, last = max(max(row) for row in cells.values()), max(cells)
    for area in page.merged_cells.ranges:
        corner = cells.get(area.min_row, {}).get(area.min_col)
        if corner is None:
            continue
        spread = range(area.min_row, min(area.max_row, last) + 1)
        columns = range(area.min_col, min(area.max_col, width) + 1)
        if len(spread) * len(columns) > 1 and is_number(corner):
            corner = cells[area.min_row][area.min_col] = Spread(tidy_label(corner))
        for line in spread:
            cells[line].update(dict.fromkeys(columns, corner))
    lines = sorted(line for line, row in cells.items() if row)
    gaps = {line for before, line in pairwise(lines) if line > before + 1}
    hidden = [line for line in lines if line in page.row_dimensions and page.row_dimensions[line].hidden]
    if hidden:
        found += (f"hidden rows ({listing(hidden)}) read like the others",)
    letters = [
        letter
        for letter, column in page.column_dimensions.items()
        if column.hidden and (column.min or 0) <= width
    ]
    if letters:
        found += (f"hidden columns (from {listing(letters)}) read like the others",)
    if percent:
        found += (f"{percent} cells in percent read as shares (12 % as .12)",)
    rows = [[cells[line].get(column) for column in range(1, width + 1)] for line in lines]
    return Grid(source, rows, lines, typed=True, found=found, gaps=frozenset(gaps))


def _value(cell: Any) -> Any:
    """Value of a cell; a superscript is written as one, so that no footnote becomes a digit of a number."""
    from openpyxl.cell.rich_text import CellRichText, TextBlock

    value = cell.value
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return _with_zeros(value, cell.number_format) if cell.has_style else value
    if isinstance(value, CellRichText):
        parts: list[str] = []
        for part in value:
            raised = (
                isinstance(part, TextBlock) and part.font is not None and part.font.vertAlign == "superscript"
            )
            text = part.text if isinstance(part, TextBlock) else str(part)
            parts.append(text.translate(_RAISED) if raised else text)
        value = "".join(parts)
    elif isinstance(value, str) and cell.has_style and cell.font.vertAlign == "superscript":
        value = value.translate(_RAISED)
    if isinstance(value, str):
        return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value).strip() or None
    return value


def _with_zeros(value: float, shown: str) -> Any:
    """A code that is shown with leading zeros (format 00000) as its text, which still reads as a number."""
    if re.fullmatch("0{2,}", shown) and float(value).is_integer() and value >= 0:
        return f"{int(value):0{len(shown)}d}"
    return value


def parquet(content: bytes, source: str) -> Grid:
    """Cells of a Parquet file, its index (if it has labels) as the first columns.

    Raises
    ------
    InputError
        If the file is damaged, or names of columns repeat or have several levels.
    """
    try:
        table = pyarrow.parquet.read_table(io.BytesIO(content))
        table.validate(full=True)
        frame = table.to_pandas(integer_object_nulls=True)
    except Exception as error:  # pyarrow passes on whatever its decoders raise
        raise InputError(f"{source} cannot be read: {_reason(error)}.") from error
    if frame.columns.nlevels > 1:
        raise InputError(f"{source} has column names of {frame.columns.nlevels} levels; expected one.")
    names = [str(name) for name in frame.columns]
    columns = [_plain(frame.iloc[:, place]) for place in range(len(names))]
    found: tuple[str, ...] = ()
    index = frame.index
    unnamed = index.nlevels == 1 and index.name is None
    numbered = unnamed and index.dtype.kind in "iu"
    if numbered and (index == np.arange(len(index))).all():
        pass
    elif numbered and index.is_monotonic_increasing and any(map(_has_names, columns)):
        found = ("the numbers of the rows (an index without a name) left out",)
    else:
        # Labels without a name are labels all the same.
        levels = [
            str(name) if name is not None else f"level {level}" for level, name in enumerate(index.names)
        ]
        if unnamed:
            levels = ["region" if "region" not in names else "index"]
        columns = [_plain(index.get_level_values(k).to_series()) for k in range(index.nlevels)] + columns
        names = levels + names
    cells = list(zip(*columns, strict=True))
    blank = (None,) * len(names)
    lines = [1, *(line for line, row in enumerate(cells, 2) if row != blank)]
    rows = [names, *(row for row in cells if row != blank)]
    return Grid(source, rows, lines, typed=True, found=found, named=True)


def _has_names(cells: list[Any]) -> bool:
    return any(isinstance(cell, str) and not is_number(cell) for cell in cells)


def _plain(column: Any) -> list[Any]:
    """Cells of a column as texts, numbers, dates, or None."""
    present = column.notna().to_numpy()
    cells = column.astype(object).tolist()
    if column.dtype.kind in "iufM" and not hasattr(column, "cat"):
        return [cell if there else None for cell, there in zip(cells, present, strict=True)]
    return [_one(cell) if there else None for cell, there in zip(cells, present, strict=True)]


def _one(cell: Any) -> Any:
    if isinstance(cell, str):
        return cell.strip() or None
    if isinstance(cell, bytes):
        return cell.decode("utf-8", errors="backslashreplace").strip() or None
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, decimal.Decimal):
        return int(cell) if cell.is_finite() and cell == cell.to_integral_value() else float(cell)
    return cell if isinstance(cell, int | float | datetime.date | datetime.time) else str(cell)


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return (text if len(text) <= 200 else f"{text[:199]}…").rstrip(".")
