"""A file as a grid of cells: one reader behind CSV, XLSX and Parquet, which trims cells and no more."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spatialkz.errors import InputError
from spatialkz.tables.encodings import decode
from spatialkz.tables.labels import tidy_label

#: A delimiter to the left wins where several part a file equally well: a comma may stand inside a cell.
_DELIMITERS = "\t;|,"
_SAMPLE = 200_000  # characters from which the delimiter is told
_SEPARATOR = re.compile(r'"?sep=([^\r\n"])"?[;,\t ]*(?:\r\n|\r|\n)', re.IGNORECASE)
_FOREIGN = (
    (
        re.compile(rb"\xd0\xcf\x11\xe0.*E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e", re.DOTALL),
        "is protected by a password; save it without one",
    ),
    (re.compile(rb"\xd0\xcf\x11\xe0"), "is a workbook in the old form of Excel (.xls); save it as .xlsx"),
    (re.compile(rb"\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf|Rar!"), "is packed; unpack it first"),
    (re.compile(rb"%PDF|\x89PNG|\xff\xd8\xff|SQLite format 3"), "is no table; expected CSV, XLSX or Parquet"),
    (
        re.compile(rb"(\xef\xbb\xbf)?\s*<(!|\?xml|html|table|head|body|style|div|meta)", re.IGNORECASE),
        "is a web page or XML, whatever its name says; expected CSV, XLSX or Parquet",
    ),
    (re.compile(rb'(\xef\xbb\xbf)?\s*(\{\s*["}]|\[\s*[\[{\]])'), "is JSON; expected CSV, XLSX or Parquet"),
)


@dataclass(frozen=True)
class Grid:
    """The cells of a file as they stand, blank rows left out.

    Attributes
    ----------
    source : str
        What the file is called in a sentence.
    rows : sequence of sequences
        Cells: text, numbers, or None for an empty one; all rows of one width, but for text files.
    lines : list of int
        The line (or sheet row) of each row.
    typed : bool
        Whether a cell that is a number or a text in the file is one here.
    found : tuple of str
        What was told from the content: encoding, delimiter, sheet.
    gaps : frozenset of int
        Lines before which blank lines stand.
    named : bool
        Whether the first row surely is the header, as in Parquet.
    torn : str
        Delimiters that stand within cells without quotation marks.
    """

    source: str
    rows: Sequence[Sequence[Any]]
    lines: list[int]
    typed: bool = False
    found: tuple[str, ...] = ()
    gaps: frozenset[int] = frozenset()
    named: bool = False
    torn: str = ""


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
    if content[:4] in (b"PAR1", b"PK\x03\x04"):
        from spatialkz.tables import workbooks

        if content[:4] == b"PAR1":
            return workbooks.parquet(content, source)
        return workbooks.workbook(content, source, sheet)
    for pattern, what in _FOREIGN:
        if pattern.match(content[:1_000_000]):
            raise InputError(f"{source} {what}.")
    ending = Path(source).suffix.lower()
    if ending in {".xlsx", ".parquet"} and (
        b"\0" in content[:1000] or not any(mark in content[:10_000] for mark in b",;\t|")
    ):
        raise InputError(f"{source} cannot be read: its content is no {ending.lstrip('.').upper()} file.")
    if sheet is not None:
        raise InputError(f"{source} is a text file and has no sheet {sheet!r}; leave out the sheet.")
    return _text(content, source, encoding, delimiter)


def read_rows(
    path: str | Path, *, encoding: str | None = None, sheet: str | int | None = None
) -> list[tuple[int, Sequence[Any]]]:
    """Line number and cells of each row of a file that is not blank, its header among them."""
    grid = read_grid(path, encoding=encoding, sheet=sheet)
    return list(zip(grid.lines, grid.rows, strict=True))


def _content(path: str | Path) -> tuple[bytes, str]:
    if str(path) == "-":
        return _whole(sys.stdin.buffer.read(), "standard input")
    path = Path(path)
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder, not a table.")
        return _whole(path.read_bytes(), tidy_label(path.name))
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{tidy_label(path)} cannot be read: {getattr(error, 'strerror', None) or error}."
        ) from error


def _whole(content: bytes, source: str) -> tuple[bytes, str]:
    if not content.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise InputError(f"{source} is empty.")
    return content, source


def _text(content: bytes, source: str, encoding: str | None, delimiter: str | None) -> Grid:
    text, found = decode(content, source, encoding)
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '\r\n"'):
        raise InputError(
            f"{source}: the delimiter is {delimiter!r}; it must be one character, and no quotation mark."
        )
    if stated := _SEPARATOR.match(text):  # Excel's own first line, which is no row
        delimiter = delimiter or stated[1]
        text = "\n" + text[stated.end() :]
    bare = re.sub(r'"[^"]*"', "", text) if '"' in text else text
    unquoted = "".join(mark for mark in "\t;|" if mark in bare)
    if delimiter is None:
        delimiter = _delimiter(text, unquoted)
    rows: list[Sequence[Any]] = []
    lines: list[int] = []
    gaps: set[int] = set()
    before, blank = 0, False
    for line, row in _records(text, delimiter, source):
        cells: tuple[Any, ...] = tuple(map(str.strip, row))
        if not cells or not all(cells):
            if not any(cells):
                before, blank = line, True
                continue
            cells = tuple(cell or None for cell in cells)
        if blank and rows:
            gaps.add(before + 1)
        blank = False
        rows.append(cells)
        lines.append(before + 1)
        before = line
    if not rows:
        raise InputError(f"{source} is empty.")
    torn = unquoted.replace(delimiter, "")
    return Grid(source, rows, lines, found=found, gaps=frozenset(gaps), torn=torn)


def _records(text: str, delimiter: str, source: str) -> Iterator[tuple[int, list[str]]]:
    """Last line and cells of each record."""
    csv.field_size_limit(2**31 - 1)
    # A space after a delimiter must not hide the quotation mark behind it.
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=delimiter != " "
    )
    line = 0
    try:
        for row in reader:
            yield reader.line_num, row
            line = reader.line_num
    except csv.Error as error:
        raise InputError(
            f"{source}, line {line + 1}: the quotation marks of a cell do not fit ({error}); "
            'write a quotation mark inside a quoted cell twice ("").'
        ) from None


def _delimiter(text: str, unquoted: str) -> str:
    """The candidate by which most rows have one and the same width of at least two, and whole cells.

    A cell that holds another candidate without quotation marks (but a comma) or one of these tells of a
    wrong one.
    """
    sample = text if len(text) <= _SAMPLE else text[: text.rfind("\n", 0, _SAMPLE) + 1] or text
    best, chosen = 0.0, ","
    for candidate in _DELIMITERS:
        torn = re.compile(f'["{unquoted.replace(candidate, "")}]')
        widths: Counter[int] = Counter()
        count = 0
        try:
            for _, row in _records(sample, candidate, ""):
                count += any(map(str.strip, row))
                if len(row) > 1 and not torn.search("".join(row)) and any(map(str.strip, row)):
                    widths[len(row)] += 1
        except InputError:
            continue
        if not count:
            return candidate
        share = max(widths.values(), default=0) / max(count, 1)
        if share > best:
            best, chosen = share, candidate
    return chosen
