"""Where results go: a file, a terminal, or plain CSV down a pipe."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spatialkz.errors import OutputError, say

if TYPE_CHECKING:
    import pandas as pd


def emit(table: pd.DataFrame, output: Path | None, leading: list[str] | None = None) -> None:
    """Write to a file, show (the leading columns) on a terminal, or send plain CSV down a pipe."""
    from spatialkz.tables import write_table

    if output is not None:
        write_table(table, output)
    elif sys.stdout is None:
        raise OutputError("Standard output is closed; name a file with --output.")
    elif sys.stdout.isatty():
        shown = table if leading is None else table[leading]
        print(shown.to_string(index=False, float_format="{:.4g}".format, na_rep="–"))
    else:
        _send(table)


def _send(table: pd.DataFrame) -> None:
    """Plain CSV down a pipe, in UTF-8 where its encoding lacks letters of the table."""
    from spatialkz.tables.writers import tell_formulas, write_csv

    buffer = io.StringIO()
    write_csv(table, buffer, digits=10)
    tell_formulas(table, "The output")
    text = buffer.getvalue()
    encoding = sys.stdout.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError as error:
        tell(
            [f"Standard output is {encoding}, which lacks {text[error.start]!r}; the table is sent as UTF-8."]
        )
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8"))
    else:
        sys.stdout.write(text)


def emit_result(
    found: Any, output: Path | None, table: Callable[[], pd.DataFrame], say: Callable[[], object]
) -> None:
    """Write a result whole as JSON or as its table, or say it in words."""
    from spatialkz.results import write_json

    if output is None:
        say()
    elif output.suffix == ".json":
        write_json(found.to_dict(), output)
    else:
        emit(table(), output)


def tell(notes: Iterable[str]) -> None:
    """Say on standard error what was found in the input, left out or cut."""
    for note in notes:
        say(note)


def four_digits(cell: str | float) -> str:
    """A number in four digits, text as it is; a dash where nothing was computed."""
    if isinstance(cell, str):
        return cell
    return "–" if isnan(cell) else f"{cell:.4g}"
