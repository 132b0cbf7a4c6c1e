"""Read CSV, XLSX and Parquet files into regions × sectors, with errors that name the line."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from spatialkz.errors import InputError, listing

_MISSING = {"", "na", "n/a", "nan", "null", "none", "-", "–", "—", "…", "...", ".."}
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+")
_SPACES = re.compile(r"[\s\u00a0\u202f]")


def read_frame(path: str | Path, *, encoding: str = "utf-8-sig", sheet: str | int = 0) -> pd.DataFrame:
    """Read a file as it stands: text cells stay text, and the index is the line (or sheet row) number.

    Parameters
    ----------
    path : path
        A file ending in ``.csv``, ``.tsv``, ``.txt``, ``.xlsx`` or ``.parquet``; the delimiter of a text
        file (comma, semicolon, tab) is found from its first line.
    encoding : str
        Encoding of a text file.
    sheet : str or int
        Sheet of a workbook.

    Raises
    ------
    InputError
        If the file is missing, unreadable, empty, or of another kind.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no file {path}.")
    ending = path.suffix.lower()
    try:
        if ending in {".csv", ".tsv", ".txt"}:
            frame = _read_text(path, encoding)
        elif ending == ".xlsx":
            frame = _numbered(pd.read_excel(path, sheet_name=sheet, dtype=object))
        elif ending == ".parquet":
            frame = pd.read_parquet(path)
            named = [name for name in frame.index.names if name is not None]
            frame = _numbered(frame.reset_index(level=named).reset_index(drop=True))
        else:
            raise InputError(f"{path.name} ends in {ending or 'nothing'}; expected .csv, .xlsx or .parquet.")
    except InputError:
        raise
    except UnicodeError as error:
        raise InputError(
            f"{path.name} is not {encoding} text; save it as UTF-8 or name its encoding "
            "(Russian Excel often writes cp1251)."
        ) from error
    except Exception as error:  # each reader has errors of its own; the user needs one sentence
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(f"{path.name} cannot be read: {reason.rstrip('.')}.") from error
    frame.columns = [str(column).strip() for column in frame.columns]
    if frame.empty or frame.shape[1] < 2:
        raise InputError(
            f"{path.name} has {len(frame)} rows and {frame.shape[1]} columns below its header; "
            "at least 1 and 2 are needed."
        )
    repeated = frame.columns[frame.columns.duplicated()]
    if len(repeated):
        raise InputError(f"{path.name} has more than one column named {listing(repeated.unique())}.")
    return frame


def _numbered(frame: pd.DataFrame) -> pd.DataFrame:
    """Index the rows as a spreadsheet shows them, below the header in line 1."""
    return frame.set_axis(pd.RangeIndex(2, len(frame) + 2), axis=0)


def _read_text(path: Path, encoding: str) -> pd.DataFrame:
    with path.open(encoding=encoding, newline="") as stream:
        header = stream.readline()
        stream.seek(0)
        delimiter = max("\t;,", key=header.count)
        reader = csv.reader(stream, delimiter=delimiter, strict=True)
        rows = [(reader.line_num, row) for row in reader if row]
    if not rows:
        raise InputError(f"{path.name} is empty.")
    (_, columns), *body = rows
    for line, row in body:
        if len(row) != len(columns):
            raise InputError(
                f"{path.name}, line {line}: {len(row)} cells where the header has {len(columns)} "
                f"(delimiter {delimiter!r}; a decimal comma in a comma-separated file needs quotes)."
            )
    cells, lines = [row for _, row in body], [line for line, _ in body]
    return pd.DataFrame(cells, index=lines, columns=columns, dtype=object)


def parse_numbers(frame: pd.DataFrame, columns: list[str], *, source: str) -> pd.DataFrame:
    """Turn text cells into floats, accepting decimal commas and spaces between thousands.

    A comma is a decimal sign, unless a dot stands in the same cell (then it separates thousands). Where
    *every* comma of the columns could be either (``1,234``), the reading is refused, not guessed.

    Raises
    ------
    InputError
        On text, missing cells, or commas that could be read both ways, naming line and column.

    Examples
    --------
    >>> raw = pd.DataFrame({"lq": ["0,69", "1 204,5", 2]}, index=pd.RangeIndex(2, 5, name="line"))
    >>> parse_numbers(raw, ["lq"], source="table.csv")["lq"].tolist()
    [0.69, 1204.5, 2.0]
    """
    cells = frame[columns].map(lambda cell: _SPACES.sub("", cell) if isinstance(cell, str) else cell)
    texts = [cell for cell in cells.to_numpy().ravel() if isinstance(cell, str)]
    commas = [text for text in texts if "," in text and "." not in text]
    if commas and all(_THOUSANDS.fullmatch(text) for text in commas):
        raise InputError(
            f"{source}: every comma could be a decimal sign or separate thousands ({listing(commas, 3)}); "
            "write a decimal point, or drop the separator."
        )
    numbers = cells.map(_number)
    empty = numbers.isna() & cells.map(_is_missing)
    for complaint, bad in (("is empty", empty), ("is no number", numbers.isna())):
        places = [
            f"line {line}, column {column!r} ({frame.loc[line, column]!r})"
            for column in columns
            for line in numbers.index[bad[column]]
        ]
        if places:
            raise InputError(
                f"{source}: a number was expected, but the cell {complaint} at {listing(places, 3)}."
            )
    return numbers.astype("float64")


def _is_missing(cell: object) -> bool:
    return bool(pd.isna(cell)) or (isinstance(cell, str) and cell.lower() in _MISSING)  # type: ignore[call-overload]


def _number(cell: object) -> float:
    if isinstance(cell, str):
        cell = cell.replace(",", "" if "." in cell else ".")
    if isinstance(cell, bool):
        return float("nan")
    try:
        return float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")


def read_region_table(
    path: str | Path,
    *,
    region: str | None = None,
    sector: str | None = None,
    value: str | None = None,
    where: Mapping[str, object] | None = None,
    encoding: str = "utf-8-sig",
) -> pd.DataFrame:
    """Read a long or wide file into a table, index = region, columns = sector or variable.

    Parameters
    ----------
    path : path
        CSV, XLSX or Parquet.
    region : str, optional
        Column with the region; left out, the first column.
    sector, value : str, optional
        Given both, the file is long: a row for each region × sector. Given neither, it is wide: every
        column but ``region`` is a variable.
    where : mapping, optional
        Column → value of the rows to keep (``{"year": 2020}``); these columns are then dropped.
    encoding : str
        Encoding of a text file.

    Raises
    ------
    InputError
        If a named column is missing, a cell is no number, a region × sector pair stands twice or is absent.
    """
    path = Path(path)
    frame = read_frame(path, encoding=encoding)
    region = region or str(frame.columns[0])
    if (sector is None) != (value is None):
        raise InputError("A long table needs both its sector and its value column; a wide one needs neither.")
    wanted = [column for column in (region, sector, value, *(where or {})) if column is not None]
    missing = [column for column in wanted if column not in frame.columns]
    if missing:
        raise InputError(
            f"{path.name} has no column {listing(missing)}; it has {listing(frame.columns, 12)}."
        )
    for column, kept in (where or {}).items():
        rows = frame[column].astype(str).str.strip() == str(kept)
        if not rows.any():
            raise InputError(f"{path.name} has no row where {column} is {kept}.")
        frame = frame[rows].drop(columns=column)
    frame = frame.assign(**{region: _labels(frame[region], region, path.name)})
    if sector is None or value is None:
        return _wide(frame, region, path.name)
    frame = frame.assign(**{sector: _labels(frame[sector], sector, path.name)})
    return _long(frame, region, sector, value, path.name)


def split_base(
    values: pd.DataFrame, base: str, folder: str | Path = "."
) -> tuple[pd.DataFrame, pd.Series | pd.DataFrame]:
    """Take the base of quotients out of the table if it is one of its columns, else read it from a file.

    Raises
    ------
    InputError
        If ``base`` is neither a column nor a file in ``folder``.
    """
    if base in values.columns:
        return values.drop(columns=base), values[base]
    path = Path(folder) / base
    if not path.is_file():
        raise InputError(f"The base {base!r} is neither a column ({listing(values.columns, 12)}) nor a file.")
    return values, read_region_table(path)


def _labels(column: pd.Series, name: str, source: str) -> pd.Series:
    labels = column.map(lambda cell: "" if pd.isna(cell) else str(cell).strip())
    if (labels == "").any():
        raise InputError(f"{source}, line {labels.index[labels == ''][0]}: the {name!r} cell is empty.")
    return labels


def _refuse_repeats(frame: pd.DataFrame, keys: list[str], source: str) -> None:
    repeated = frame.duplicated(keys, keep=False)
    if repeated.any():
        first = frame.loc[repeated, keys].iloc[0]
        lines = frame.index[(frame[keys] == first).all(axis=1)]
        raise InputError(f"{source}: {' × '.join(first)} stands more than once, in lines {listing(lines)}.")


def _wide(frame: pd.DataFrame, region: str, source: str) -> pd.DataFrame:
    _refuse_repeats(frame, [region], source)
    columns = [str(column) for column in frame.columns if column != region]
    table = parse_numbers(frame, columns, source=source)
    return table.set_axis(pd.Index(frame[region], name="region"), axis=0)


def _long(frame: pd.DataFrame, region: str, sector: str, value: str, source: str) -> pd.DataFrame:
    _refuse_repeats(frame, [region, sector], source)
    values = parse_numbers(frame, [value], source=source)[value]
    table = frame.assign(**{value: values}).pivot(index=region, columns=sector, values=value)
    table = table.loc[frame[region].unique(), frame[sector].unique()]
    if table.isna().to_numpy().any():
        pairs = [f"{row} × {column}" for column in table for row in table.index[table[column].isna()]]
        raise InputError(
            f"{source}: {len(pairs)} region × sector pairs have no row ({listing(pairs, 3)}); "
            "write 0 where there is no activity."
        )
    return table.rename_axis(index="region", columns=None)
