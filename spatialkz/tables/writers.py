"""Write a table in the form its file name asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import IO

import pandas as pd

from spatialkz.errors import OutputError, listing, notice
from spatialkz.results import json_ready
from spatialkz.tables.checks import CONTROL
from spatialkz.writing import check_ending, replaced_file

# What a spreadsheet cell can hold.
_MOST_LETTERS, _MOST_ROWS, _MOST_COLUMNS = 32_767, 1_048_576, 16_384
_FORMULA = re.compile(r"[=+\-@\t\r].")


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write ``table`` (its index is not written) as CSV, JSON, Parquet or XLSX.

    Text is text: in a workbook a label such as ``=A1`` is no formula. A CSV file cannot say so; a
    :class:`~spatialkz.errors.Notice` names labels that a spreadsheet would take for formulas there.

    Raises
    ------
    InputError
        If the ending of the path names none of these.
    OutputError
        If the file cannot be written, or its form cannot hold the table. An earlier file stays as it was.
    """
    path = Path(path)
    check_ending(path)
    writer = _WRITERS[path.suffix.lower()]
    try:
        with replaced_file(path) as beside:
            writer(table, beside)
    except (ValueError, TypeError, OverflowError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise OutputError(f"{path} cannot hold this table: {reason}.") from error
    if writer is write_csv:
        tell_formulas(table, str(path))


def write_csv(table: pd.DataFrame, target: Path | IO[str], digits: int | None = None) -> None:
    """Write plain CSV, with that many digits, or as many as tell numbers apart."""
    form = None if digits is None else f"%.{digits}g"
    table.to_csv(target, index=False, float_format=form, lineterminator="\n")


def tell_formulas(table: pd.DataFrame, where: str) -> None:
    """Tell which labels a spreadsheet that opens ``where`` would take for formulas."""
    found = [
        label for label in dict.fromkeys(_texts(table)) if _FORMULA.match(label) and not _is_number(label)
    ]
    if found:
        notice(
            f"{where} holds labels that a spreadsheet takes for formulas ({listing(map(repr, found), 3)}): "
            "import these columns as text, or write .xlsx, where they are text."
        )


def _texts(table: pd.DataFrame) -> Iterator[str]:
    """Column names, and the different texts of each column."""
    yield from (name for name in table.columns if isinstance(name, str))
    for place in range(table.shape[1]):
        column = table.iloc[:, place]
        if not pd.api.types.is_numeric_dtype(column.dtype):
            yield from (label for label in column.unique() if isinstance(label, str))


def _is_number(label: str) -> bool:
    try:
        float(label)
    except ValueError:
        return False
    return True


def _write_json(table: pd.DataFrame, path: Path) -> None:
    # pandas would cut numbers after some decimals, and make a small p-value 0.
    if not table.columns.is_unique:
        raise ValueError("its columns are not unique")
    rows = json_ready(table.to_dict("records"))
    text = json.dumps(rows, ensure_ascii=False, indent=2, allow_nan=False, default=str)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def _write_xlsx(table: pd.DataFrame, path: Path) -> None:
    if len(table) >= _MOST_ROWS or table.shape[1] > _MOST_COLUMNS:
        raise ValueError(
            f"a sheet has at most {_MOST_ROWS} rows and {_MOST_COLUMNS} columns, and it would take "
            f"{len(table) + 1} and {table.shape[1]}; write .csv or .parquet"
        )
    for label in _texts(table):
        if len(label) > _MOST_LETTERS:
            raise ValueError(
                f"a cell holds at most {_MOST_LETTERS} letters, and {label[:20]!r}… has {len(label)}; "
                "write .csv or .parquet"
            )
        if CONTROL.search(label):
            raise ValueError(f"the label {label[:40]!r} has a control character; remove it, or write .csv")
    # In memory, because a workbook that meets a full disk speaks up again when it is let go.
    content = BytesIO()
    with pd.ExcelWriter(content, engine="openpyxl") as book:
        table.to_excel(book, index=False)
        (sheet,) = book.sheets.values()
        for row in sheet.iter_rows():
            for cell in row:
                # openpyxl makes formulas and error values of such text; a quote keeps it text when edited.
                if cell.data_type in {"f", "e"}:
                    cell.data_type, cell.quotePrefix = "s", True
    path.write_bytes(content.getvalue())


_WRITERS: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    ".csv": write_csv,
    ".json": _write_json,
    ".parquet": lambda table, path: table.to_parquet(path, index=False),
    ".xlsx": _write_xlsx,
}
