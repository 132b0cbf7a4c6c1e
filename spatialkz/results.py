"""What all results share: read-only tables and a form that JSON can carry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from spatialkz.writing import replaced_file

Table = TypeVar("Table", pd.DataFrame, pd.Series)


def frozen(table: Table) -> Table:
    """Copy a table onto arrays that cannot be written to.

    >>> frozen(pd.Series([1.0, 2.0])).to_numpy().flags.writeable
    False
    """
    if isinstance(table, pd.Series):
        return pd.Series(_locked(table), index=table.index, name=table.name, dtype=table.dtype, copy=False)
    # By way of Series, which keep the dtype; a bare array of text would become another.
    columns = {name: frozen(column) for name, column in table.items()}
    return pd.DataFrame(columns, index=table.index, columns=table.columns, copy=False)


def _locked(column: pd.Series) -> Any:
    """Copy of the values; those that pandas keeps in arrays of its own stay there."""
    if not isinstance(column.dtype, np.dtype):
        return column.array.copy()
    values = column.to_numpy(copy=True)
    values.flags.writeable = False
    return values


def json_ready(value: object) -> object:
    """Turn results into what :mod:`json` writes: plain numbers, text, lists, dicts; NaN becomes null.

    >>> json_ready({"p": np.float64(0.5), "labels": pd.Series({"North": 1})})
    {'p': 0.5, 'labels': {'North': 1}}
    """
    if isinstance(value, pd.DataFrame):
        return {str(row): json_ready(cells) for row, cells in value.to_dict("index").items()}
    if isinstance(value, pd.Series):
        return {str(label): json_ready(cell) for label, cell in value.items()}
    if isinstance(value, Mapping):
        return {str(key): json_ready(cell) for key, cell in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [json_ready(cell) for cell in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is pd.NA or value is pd.NaT or (isinstance(value, float) and not np.isfinite(value)):
        return None
    return value


def write_json(content: Mapping[str, object], path: Path) -> None:
    """Write a result as JSON, the same bytes for the same content."""
    # Ten digits are more than any input carries; the rest is noise that differs between machines.
    rounded = json.loads(
        json.dumps(json_ready(content), default=str), parse_float=lambda text: float(f"{float(text):.10g}")
    )
    text = json.dumps(rounded, ensure_ascii=False, indent=2, allow_nan=False)
    with replaced_file(path) as beside:
        beside.write_text(text + "\n", encoding="utf-8", newline="\n")
