"""Write a table in the form its file name asks for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from spatialkz.errors import InputError, OutputError, listing

_WRITERS: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    ".csv": lambda table, path: table.to_csv(path, index=False, lineterminator="\n"),
    ".json": lambda table, path: table.to_json(path, orient="records", force_ascii=False, indent=2),
    ".parquet": lambda table, path: table.to_parquet(path, index=False),
    ".xlsx": lambda table, path: table.to_excel(path, index=False),
}


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write ``table`` (its index is not written) as CSV, JSON, Parquet or XLSX.

    Raises
    ------
    InputError
        If the ending of the path names none of these.
    OutputError
        If the file cannot be written.
    """
    path = Path(path)
    writer = _WRITERS.get(path.suffix.lower())
    if writer is None:
        raise InputError(f"{path.name} ends in {path.suffix or 'nothing'}; expected {listing(_WRITERS)}.")
    try:
        writer(table, path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}.") from error
