"""A file as a grid of cells, in the encoding that its bytes tell: one reader behind CSV, XLSX and Parquet."""

from __future__ import annotations

import codecs
import csv
import io
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from spatialkz.errors import InputError
from spatialkz.tables.labels import tidy_label
from spatialkz.tables.reading.options import Grid

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
_RUSSIAN = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
_SLAVIC = (_RUSSIAN, "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя", "абвгдеёжзійклмнопрстуўфхцчшыьэюя")
_KAZAKH = (_RUSSIAN + "әғқңөұүһі",)
# In one of these alphabets an encoding must write all words beyond ASCII.
_ALPHABETS = {"cp1251": _SLAVIC, "kz1048": _KAZAKH, "ptcp154": _KAZAKH}
# What it must not be mistaken for, but is never certain: Greek reads as words in it.
_RARE = dict.fromkeys(("koi8-r", "cp866", "iso8859-5", "mac-cyrillic"), _SLAVIC[:1])
_VOWELS = frozenset("аеёиоуыэюяєіїәөұү")
# Of 100 letters 42 are vowels in Russian, 45 in Kazakh; 23 in Greek and 22 in Hebrew read as Russian.
_LEAST_VOWELS, _LEAST_LETTERS = 0.32, 12
_SIGNS = frozenset("µªº")  # letters to Unicode, in no word
_WORD = re.compile(r"[^\W\d_]+")
# No letter, or a sign in the place of a first letter.
_NO_WORD = re.compile(r"[\ufffd\x80-\x9f\u2500-\u259f]|(?<!\w)[^\x00-\x7f\w\s«“„‘](?=[^\W\d_])")
_NEEDS_NO_MENTION = {"utf-8", "utf-8-sig", "utf-16", "utf-32"}
_SNIFFED = 200_000  # bytes of lines with letters beyond ASCII
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


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
        from spatialkz.tables.reading import workbooks

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


def decode(content: bytes, source: str, encoding: str | None = None) -> tuple[str, tuple[str, ...]]:
    """Text of a file, and what was told from its bytes.

    A byte order mark, or letters beyond ASCII that are valid UTF-8, are certain and go before ``encoding``.

    Raises
    ------
    InputError
        If the encoding cannot be told, is not known, or is not that of the file.
    """
    certain = _certain(content)
    found: tuple[str, ...] = ()
    name = encoding or ""
    if encoding is None:
        name = certain or _by_words(content, source)
        found = () if certain in _NEEDS_NO_MENTION else (f"encoding {name}",)
    elif certain and not content.isascii() and not _same_family(certain, encoding):
        name, found = certain, (f"encoding {certain.removesuffix('-sig')}, not {encoding} as stated",)
    try:
        if codecs.lookup(name).name.startswith(("utf-16", "utf-32")) and b"\0" not in content:
            raise UnicodeError  # any bytes make letters of some script
        text = content.decode(name)
    except UnicodeError:
        raise InputError(
            f"{source} is not {name} text; save it as UTF-8 or name its encoding "
            "(Russian Excel often writes cp1251)."
        ) from None
    except (LookupError, ValueError):
        raise InputError(
            f"{source}: the encoding {name!r} is not known; expected one such as utf-8 or cp1251."
        ) from None
    if "\0" in text:
        line = 1 + len(re.findall(r"\r\n|\r|\n", text[: text.index("\0")]))
        raise InputError(
            f"{source}, line {line}: there is a null character, which no text has; the file is damaged, "
            "or its encoding is another (name it)."
        )
    return text.removeprefix("\ufeff"), found


def _same_family(certain: str, stated: str) -> bool:
    try:
        return codecs.lookup(stated).name[:6] == codecs.lookup(certain).name[:6]
    except (LookupError, ValueError):
        return True  # which is then refused by its name


def _certain(content: bytes) -> str | None:
    """Encoding that the bytes alone make certain."""
    for mark, name in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return name
    for start, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        high = content[start::2]
        if b"\0" in high and (high.count(0) + high.count(4)) > 0.9 * len(high):
            return name  # Latin letters and digits are in block 0, Cyrillic ones in block 4
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return "utf-8"


def _by_words(content: bytes, source: str) -> str:
    """The one encoding in which all letters beyond ASCII make words, if they are enough to be sure."""
    lines = b"\n".join(line for line in content.splitlines() if not line.isascii())[:_SNIFFED]
    fitting: dict[str, str] = {}
    for name, alphabets in (_ALPHABETS | _RARE).items():
        text = lines.decode(name, errors="replace")
        if text not in fitting.values() and _reads_as_words(text, alphabets):
            fitting[name] = text
    if len(fitting) == 1:
        name, text = fitting.popitem()
        letters = "".join(_words(text)).lower()
        vowels = sum(letter in _VOWELS for letter in letters)
        if name in _ALPHABETS and len(letters) >= _LEAST_LETTERS and vowels >= _LEAST_VOWELS * len(letters):
            return name
        fitting = {name: text}
    raise InputError(f"{source} is not UTF-8 text; {_samples(lines, list(fitting))}")


def _words(text: str) -> list[str]:
    return [word for word in _WORD.findall(text) if not word.isascii() and word not in _SIGNS]


def _reads_as_words(text: str, alphabets: tuple[str, ...]) -> bool:
    """Whether letters beyond ASCII are of one alphabet, in words of common case."""
    words = _words(text)
    letters = set("".join(words).lower())
    return (
        not _NO_WORD.search(text)
        and any(letters <= set(alphabet) for alphabet in alphabets)
        and all(word.islower() or word.isupper() or word[1:].islower() for word in words)
    )


def _samples(lines: bytes, names: list[str]) -> str:
    """How a word reads in the encodings that it could be: the word on which most of them differ."""
    words = {word[:40] for word in re.split(rb"[ ,;\t\r\n|\"]", lines) if not word.isascii()}
    readings = [
        _readings(word, names or ["cp1252", "cp1250", "cp1254", "cp1251"]) for word in sorted(words)[:1000]
    ]
    read = max(readings, key=lambda found: (len(found), sum(map(len, found))))
    if not read:
        return "it holds bytes of none of the usual encodings; save it as UTF-8."
    told = " or ".join(f"{text!r} in {name}" for text, name in read.items())
    return (
        f'name its encoding: it has {told} (encoding = "{next(iter(read.values()))}" in a study, '
        "--encoding on the command line)."
    )


def _readings(word: bytes, names: list[str]) -> dict[str, str]:
    """Text of a word, and the first encoding that gives it; none that mixes two scripts."""
    read: dict[str, str] = {}
    for name in names:
        text = word.decode(name, errors="replace")
        if not re.search(r"\ufffd|[\x80-\x9f]|[A-Za-z][а-яА-Я]|[а-яА-Я][A-Za-z]", text):
            read.setdefault(text, name)
    return read
