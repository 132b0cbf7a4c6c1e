"""A file as a grid of cells: one reader behind CSV, XLSX and Parquet, which changes no cell."""

from __future__ import annotations

import codecs
import csv
import io
import re
import sys
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from spatialkz.errors import InputError, listing

#: A delimiter to the left wins where several part a file equally well: a comma may stand inside a cell.
_DELIMITERS = {"\t": "tab", ";": "semicolon", "|": "vertical bar", ",": "comma"}
_RUSSIAN = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
_KAZAKH = _RUSSIAN + "әғқңөұүһі"
# Letters in which a text must be written for its encoding to be certain.
_ALPHABETS = {
    "cp1251": _RUSSIAN,
    "kz1048": _KAZAKH,
    "ptcp154": _KAZAKH,
    "koi8-r": _RUSSIAN,
    "cp866": _RUSSIAN,
}
_WORD = re.compile(r"[^\W\d_]+")
_SAMPLE = 1_000_000  # characters from which the delimiter is told


@dataclass(frozen=True)
class Grid:
    """The cells of a file as they stand, blank rows left out.

    Attributes
    ----------
    source : str
        What the file is called in a sentence.
    rows : list of lists
        Cells: text, numbers, or None for an empty one; all rows of one width, but for text files.
    lines : list of int
        The line (or sheet row) of each row.
    typed : bool
        Whether a cell that is a number or a text in the file is one here.
    found : tuple of str
        What was told from the content: encoding, delimiter, sheet.
    gaps : frozenset of int
        Lines before which blank lines stand.
    """

    source: str
    rows: list[list[Any]]
    lines: list[int]
    typed: bool = False
    found: tuple[str, ...] = ()
    gaps: frozenset[int] = frozenset()


def read_grid(
    path: str | Path,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | int | None = None,
) -> Grid:
    """Read all cells of a CSV, XLSX or Parquet file; what it is, its content tells and not its name.

    Parameters
    ----------
    path : path
        The file, or ``-`` for standard input.
    encoding : str, optional
        Of a text file. Left out, it is told by content where that is certain: a byte order mark, UTF-8,
        UTF-16, or Russian and Kazakh letters that make words in one encoding only.
    delimiter : str, optional
        Of a text file; left out, the one of tab, semicolon, vertical bar and comma that gives the most rows
        of one width.
    sheet : str or int, optional
        Name or number (from 1) of a sheet; left out, the first one with numbers.

    Raises
    ------
    InputError
        If the file is missing, empty, of another kind, or its encoding or sheet cannot be told.
    """
    content, source = _content(path)
    if content[:4] == b"PAR1":
        return _parquet(content, source)
    if content[:4] == b"PK\x03\x04":
        return _workbook(content, source, sheet)
    if content[:4] == b"\xd0\xcf\x11\xe0":
        raise InputError(f"{source} is a workbook in the old form of Excel (.xls); save it as .xlsx.")
    ending = Path(source).suffix.lower()
    if ending in {".xlsx", ".parquet"} and (b"\0" in content[:1000] or not _looks_like_text(content)):
        raise InputError(f"{source} cannot be read: its content is no {ending.lstrip('.').upper()} file.")
    if content.lstrip()[:1] in (b"<", b"{", b"[") or content[:4] == b"%PDF":
        raise InputError(
            f"{source} is no table (it begins {content.lstrip()[:12].decode('latin-1')!r}); "
            "expected CSV, XLSX or Parquet."
        )
    return _text(content, source, encoding, delimiter)


def read_rows(
    path: str | Path, *, encoding: str | None = None, sheet: str | int | None = None
) -> list[tuple[int, list[Any]]]:
    """Line number and cells of each row of a file that is not blank, its header among them."""
    grid = read_grid(path, encoding=encoding, sheet=sheet)
    return list(zip(grid.lines, grid.rows, strict=True))


def _content(path: str | Path) -> tuple[bytes, str]:
    if str(path) == "-":
        return _whole(sys.stdin.buffer.read(), "standard input"), "standard input"
    path = Path(path)
    if not path.is_file():
        raise InputError(
            f"There is no file {path}." if not path.is_dir() else f"{path} is a folder, not a table."
        )
    try:
        return _whole(path.read_bytes(), path.name), path.name
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error


def _whole(content: bytes, source: str) -> bytes:
    if not content.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise InputError(f"{source} is empty.")
    return content


def _looks_like_text(content: bytes) -> bool:
    return any(mark in content[:10_000] for mark in b",;\t|")


# Text ---------------------------------------------------------------------------------------------------


def _text(content: bytes, source: str, encoding: str | None, delimiter: str | None) -> Grid:
    found = []
    if encoding is None:
        encoding, certain = _encoding(content, source)
        found += [] if certain else [f"encoding {encoding}"]
    try:
        wide = codecs.lookup(encoding).name.startswith(("utf-16", "utf-32"))
        if wide and b"\0" not in content:
            raise UnicodeError  # any bytes make letters of some script
        text = content.decode(encoding)
    except LookupError:
        raise InputError(
            f"The encoding {encoding!r} is not known; expected one such as utf-8 or cp1251."
        ) from None
    except UnicodeError:
        raise InputError(
            f"{source} is not {encoding} text; save it as UTF-8 or name its encoding "
            "(Russian Excel often writes cp1251)."
        ) from None
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        raise InputError(f"{source} is no {encoding} text: it holds null characters; name its encoding.")
    if delimiter is None:
        delimiter = _delimiter(text)
    elif len(delimiter) != 1:
        raise InputError(f"The delimiter is {delimiter!r}; it must be one character.")
    rows: list[list[Any]] = []
    lines: list[int] = []
    gaps: set[int] = set()
    last = 0
    for first, last_line, row in _parsed(text, delimiter, source):
        if any(cell.strip() for cell in row):
            gaps |= {first} if lines and first > last + 1 else set()
            last = last_line
            rows.append([cell if cell.strip() else None for cell in row])
            lines.append(first)
    if not rows:
        raise InputError(f"{source} is empty.")
    return Grid(source, rows, lines, found=tuple(found), gaps=frozenset(gaps))


def _parsed(text: str, delimiter: str, source: str) -> list[tuple[int, int, list[str]]]:
    """First line, last line and cells of each record."""
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    records, before = [], 0
    try:
        for row in reader:
            records.append((before + 1, reader.line_num, row))
            before = reader.line_num
    except csv.Error as error:
        raise InputError(
            f"{source}, line {before + 1}: the quotation marks of a cell do not fit ({error}); "
            'write a quotation mark inside a quoted cell twice ("").'
        ) from None
    return records


def _delimiter(text: str) -> str:
    """The candidate by which the largest share of rows has one and the same width of at least two."""
    sample = text if len(text) <= _SAMPLE else text[: text.rfind("\n", 0, _SAMPLE) + 1]
    best, chosen = 0.0, ","
    for candidate in _DELIMITERS:
        try:
            widths = Counter(
                len(row) for _, _, row in _parsed(sample, candidate, "") if any(cell.strip() for cell in row)
            )
        except InputError:
            continue
        rows = widths.total()
        share = max((count for width, count in widths.items() if width > 1), default=0) / max(rows, 1)
        if share > best:
            best, chosen = share, candidate
    return chosen


def _encoding(content: bytes, source: str) -> tuple[str, bool]:
    """Encoding of a text, and whether it needs no mention."""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            return name, True
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        if b"\0" not in content:
            return "utf-8", True
    zeros = [content[start::2].count(0) / max(len(content) // 2, 1) for start in (0, 1)]
    if max(zeros) > 0.2:
        return ("utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"), False
    fitting: dict[str, str] = {}
    for name, alphabet in _ALPHABETS.items():
        text = content.decode(name, errors="replace")
        if text not in fitting.values() and _reads_as_words(text, alphabet):
            fitting[name] = text
    if len(fitting) == 1:
        return next(iter(fitting)), False
    raise InputError(f"{source} is not UTF-8 text; {_samples(content, list(fitting))}")


def _reads_as_words(text: str, alphabet: str) -> bool:
    """Whether all letters beyond ASCII are of the alphabet, in words of one script and of common case."""
    if re.search(r"[\ufffd\x80-\x9f\u2500-\u259f]", text):
        return False
    beyond = [word for word in _WORD.findall(text) if not word.isascii()]
    return bool(beyond) and all(
        set(word.lower()) <= set(alphabet) and (word.islower() or word.isupper() or word[1:].islower())
        for word in beyond
    )


def _samples(content: bytes, names: list[str]) -> str:
    """How the first word beyond ASCII reads in the encodings that it could be."""
    start = next(place for place, byte in enumerate(content) if byte > 127)
    left = max(content.rfind(mark, 0, start) for mark in b' ,;\t\n|"')
    word = re.split(rb"[ ,;\t\r\n|\"]", content[left + 1 :], maxsplit=1)[0][:40]
    read = []
    for name in names or ["cp1251", "cp1252", "cp1250", "cp1254"]:
        try:
            read.append(f"{word.decode(name)!r} in {name}")
        except UnicodeDecodeError:
            continue
    return f"name its encoding: it has {' or '.join(read) or 'bytes of none of the usual ones'}."


# Workbooks ------------------------------------------------------------------------------------------------


def _workbook(content: bytes, source: str, sheet: str | int | None) -> Grid:
    import openpyxl

    try:
        names = zipfile.ZipFile(io.BytesIO(content)).namelist()
        if "xl/workbook.xml" not in names:
            raise InputError(f"{source} is a packed file but no workbook; expected CSV, XLSX or Parquet.")
        book = openpyxl.load_workbook(io.BytesIO(content), data_only=True, rich_text=True)
    except InputError:
        raise
    except Exception as error:  # openpyxl passes on whatever its parsers raise
        raise InputError(f"{source} cannot be read: {_reason(error)}.") from error
    sheets = {page.title: page for page in book.worksheets}
    if not sheets:
        raise InputError(f"{source} has no sheet of cells.")
    if isinstance(sheet, int) or (isinstance(sheet, str) and sheet not in sheets and sheet.isdigit()):
        place = int(sheet)
        if not 1 <= place <= len(sheets):
            raise InputError(f"{source} has no sheet {place}; it has {len(sheets)}: {listing(sheets, 12)}.")
        sheet = list(sheets)[place - 1]
    if sheet is None:
        with_numbers = [
            name for name, page in sheets.items() if page.sheet_state == "visible" and _has_numbers(page)
        ]
        sheet = next(iter(with_numbers or sheets))
        found = (f"sheet {sheet!r} of {listing(map(repr, sheets), 12)}",) if len(sheets) > 1 else ()
    elif sheet in sheets:
        found = ()
    else:
        raise InputError(f"{source} has no sheet {sheet!r}; it has {listing(sheets, 12)}.")
    return _sheet(sheets[sheet], source, found)


def _has_numbers(page: Any) -> bool:
    rows = (row for row in page.iter_rows(values_only=True))
    return sum(any(isinstance(cell, int | float) for cell in row) for row in rows) >= 2


def _sheet(page: Any, source: str, found: tuple[str, ...]) -> Grid:
    cells = {(cell.row, cell.column): _cell(cell) for row in page.iter_rows() for cell in row}
    width = max((column for (_, column), cell in cells.items() if cell is not None), default=0)
    for area in page.merged_cells.ranges:
        corner = cells.get((area.min_row, area.min_col))
        if isinstance(corner, str):  # one number for several cells is left where it stands, the others empty
            for place in area.cells:
                cells[place] = corner
            width = max(width, min(area.max_col, page.max_column))
    rows: list[list[Any]] = []
    lines: list[int] = []
    gaps: set[int] = set()
    for line in range(1, page.max_row + 1):
        row = [cells.get((line, column)) for column in range(1, width + 1)]
        if any(cell is not None for cell in row):
            gaps |= {line} if lines and lines[-1] < line - 1 else set()
            rows.append(row)
            lines.append(line)
    if not rows:
        raise InputError(f"The sheet {page.title!r} of {source} is empty.")
    return Grid(source, rows, lines, typed=True, found=found, gaps=frozenset(gaps))


def _cell(cell: Any) -> Any:
    """Value of a cell; a superscript is written as one, so that no footnote becomes a digit of a number."""
    from openpyxl.cell.rich_text import CellRichText, TextBlock

    value = cell.value
    if isinstance(value, CellRichText):
        parts: list[str] = []
        for part in value:
            raised = (
                isinstance(part, TextBlock) and part.font is not None and part.font.vertAlign == "superscript"
            )
            text = part.text if isinstance(part, TextBlock) else str(part)
            parts.append(text.translate(_RAISED) if raised else text)
        value = "".join(parts)
    elif isinstance(value, str) and cell.font is not None and cell.font.vertAlign == "superscript":
        value = value.translate(_RAISED)
    return None if isinstance(value, str) and not value.strip() else value


_RAISED = str.maketrans("0123456789)", "⁰¹²³⁴⁵⁶⁷⁸⁹⁾")


# Parquet --------------------------------------------------------------------------------------------------


def _parquet(content: bytes, source: str) -> Grid:
    try:
        frame = pd.read_parquet(io.BytesIO(content))
    except Exception as error:  # pyarrow passes on whatever its decoders raise
        raise InputError(f"{source} cannot be read: {_reason(error)}.") from error
    plain = isinstance(frame.index, pd.RangeIndex) and frame.index.name is None
    if not plain:
        # Labels without a name are labels all the same.
        names = [f"level {k}" if name is None else str(name) for k, name in enumerate(frame.index.names)]
        if frame.index.nlevels == 1 and frame.index.name is None:
            names = ["region"]
        taken = [name for name in names if name in frame.columns]
        if taken:
            raise InputError(f"{source} has {listing(taken)} both as index and as column; rename one.")
        frame = frame.rename_axis(index=names).reset_index()
    columns = list(frame.columns)
    if isinstance(frame.columns, pd.MultiIndex):
        raise InputError(f"{source} has column names of {frame.columns.nlevels} levels; expected one.")
    cells = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    return Grid(source, [[str(name) for name in columns], *cells], list(range(1, len(cells) + 2)), typed=True)


def _reason(error: Exception) -> str:
    text = str(error).strip()
    return (text.splitlines()[0] if text else type(error).__name__).rstrip(".")
