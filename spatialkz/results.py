"""What all results share: read-only tables, a form that JSON can carry, and a form that fits a screen."""

from __future__ import annotations

import json
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from spatialkz.writing import replaced_file

Table = TypeVar("Table", pd.DataFrame, pd.Series)
# A screen: what a terminal or a cell of a notebook shows without scrolling.
LINES, WIDTH = 25, 100


class Shown(ABC):
    """What shows itself by its summary, on at most a screen; its dataclasses have ``repr=False``."""

    @abstractmethod
    def summary(self) -> str:
        """What it is, as text."""

    def __repr__(self) -> str:
        return on_a_screen(self.summary())

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"


class Result(Shown):
    """Base of all results: frozen dataclasses whose tables cannot be written to.

    A result is read by its attributes, by :meth:`to_frame`, :meth:`to_dict` and :meth:`summary`; what these
    return is a copy. In a notebook it shows the head of its summary and of its main table.
    """

    def __post_init__(self) -> None:
        self.__setstate__(vars(self))

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Arrays that were pickled can be written to again.
        self.__dict__.update({name: _read_only(value) for name, value in state.items()})

    @abstractmethod
    def to_frame(self) -> pd.DataFrame:
        """The main table, a copy."""

    @abstractmethod
    def to_dict(self) -> dict[str, object]:
        """Everything, ready for JSON."""

    def _repr_html_(self) -> str:
        told = escape(on_a_screen(self.summary(), LINES // 2))
        return f"<pre>{told}</pre>\n{self.to_frame().to_html(max_rows=LINES // 2 - 4, max_cols=8)}"


def on_a_screen(text: str, lines: int = LINES, width: int = WIDTH) -> str:
    r"""Cut a text to a screen: sentences are wrapped, rows of tables end early, and a last line says so.

    >>> print(on_a_screen("Three words here\none  row  of  a  table\nmore\nand more", 4, 12))
    Three words
    here
    one  row  o…
    … 2 more lines, 1 longer; summary() has them whole
    """
    shown: list[str] = []
    for line in text.splitlines():
        if "  " in line.strip() and len(line) > width:
            shown.append(f"{line[: width - 1]}…")
        else:
            indent = " " * (len(line) - len(line.lstrip()))
            shown += textwrap.wrap(line, width, subsequent_indent=indent) or [""]
    more = len(shown) - lines
    kept = shown if more <= 0 else shown[: lines - 1]
    cut = sum(len(line) == width and line.endswith("…") for line in kept)
    if more > 0 or cut:
        kept = kept[: lines - 1]
        left = [f"{len(shown) - len(kept)} more lines"] if len(shown) > len(kept) else []
        left += [f"{cut} longer"] if cut else []
        kept.append(f"… {', '.join(left)}; summary() has them whole")
    return "\n".join(kept)


def _read_only(value: Any) -> Any:
    """A locked copy of a table, an array, or a mapping of tables; anything else as it is."""
    if isinstance(value, pd.DataFrame):
        return frozen(value)
    if isinstance(value, pd.Series):
        return frozen(value)
    if isinstance(value, np.ndarray):
        value = value.copy()
        value.flags.writeable = False
    elif isinstance(value, Mapping):
        return {name: _read_only(cell) for name, cell in value.items()}
    return value


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
