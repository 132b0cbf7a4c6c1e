"""Cells to numbers: decimal marks, thousands, footnotes, and the marks offices write where no number is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal as Fixed
from typing import Any, get_args

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from spatialkz.errors import InputError, listing
from spatialkz.options import DecimalMark, MarkMeaning

#: Marks that offices write in the place of a number, as :func:`mark_of` folds them.
USUAL_MARKS = frozenset("- x * : c d s z .. ... n/a na nan null none nd (d) (s) (x) (na) (z) (c) . #".split())
_FOLDS = str.maketrans({"–": "-", "—": "-", "−": "-", "‒": "-", "…": "...", "х": "x", "Х": "x", "X": "x"})
# Not line ends: 12 over 345 is not 12345.
_SPACES = re.compile("[ \u00a0\u2000-\u200a\u202f\u205f]+")
_TOLD = 100  # cells from which a hint is made
_PLAIN = re.compile(r"[+-]?[\d.,]*\d[\d.,]*", re.ASCII)
_FOOTNOTE = re.compile(r"\s*(?:[⁰¹²³⁴-⁹⁾]+|[*†‡]+|(?<=\s)\d{1,2}\))+$")
_FLAGGED = re.compile(r"^(.*\d\.?)\s*([A-Za-z]{1,3})$")
# A number in groups of three has no 0 in front; a plain one may.
_GROUPED = {
    mark: rf"[1-9]\d{{0,2}}(?:(?:{other}\d{{3}})+|(?: \d{{3}})+|(?:['’]\d{{3}})+)"
    for mark, other in ((".", ","), (",", r"\."))
}
_NUMBER = {
    mark: rf"^[+-]?(?:(?:\d+|{_GROUPED[mark]})(?:[{mark}]\d*)?|[{mark}]\d+)(?:[eE][+-]?\d{{1,3}})?$"
    for mark in (".", ",")
}

_COMPILED = [re.compile(pattern, re.ASCII) for pattern in _NUMBER.values()]
_DIGIT = re.compile(r"\d", re.ASCII)
_KNOWN = frozenset({str, float, int, type(None)})


class Spread(str):
    """A number that stands once for several merged cells; as a name or code it holds for each of them."""


@dataclass(frozen=True)
class Cells:
    """Numbers of a table, and which of its cells the source suppressed.

    Attributes
    ----------
    numbers : DataFrame
        NaN exactly where ``hidden`` is true.
    hidden : DataFrame of bool
        Cells whose number exists and is not published.
    notes : tuple of str
        What was left off the cells.
    """

    numbers: pd.DataFrame
    hidden: pd.DataFrame
    notes: tuple[str, ...] = ()


def mark_of(cell: object) -> str:
    """Fold the spellings of one mark: case, dashes, Latin and Cyrillic x, three dots; "" if empty."""
    if cell is None or (isinstance(cell, float) and np.isnan(cell)) or cell is pd.NaT or cell is pd.NA:
        return ""
    return _SPACES.sub(" ", str(cell)).strip().translate(_FOLDS).lower()


def is_number(cell: object) -> bool:
    """Whether a cell is a number or a text that can be read as one."""
    if isinstance(cell, str):
        if not _DIGIT.search(cell):
            return False
        text = _tidy(without_footnote(cell))
        return any(pattern.match(text) for pattern in _COMPILED)
    return isinstance(cell, int | float | np.number) and not isinstance(cell, bool | np.bool_)


def without_footnote(text: str) -> str:
    """Text without the footnote mark at its end: ``¹``, ``*``, or ``1)`` after a space.

    >>> without_footnote("12 345,6²"), without_footnote("7 1)")
    ('12 345,6', '7')
    """
    bare = _FOOTNOTE.sub("", text)
    return bare if bare.strip() else text


def _tidy(text: str) -> str:
    return _SPACES.sub(" ", text).strip().replace("−", "-")


def check_marks(unknown: Mapping[str, str] | None) -> dict[str, str]:
    """Meaning of each mark by its folded form, or say what is wrong with them."""
    folded: dict[str, str] = {}
    for mark, meaning in (unknown or {}).items():
        if meaning not in get_args(MarkMeaning):
            raise InputError(
                f"The mark {mark!r} is said to mean {meaning!r}; "
                f"it must be one of {listing(get_args(MarkMeaning))}."
            )
        if folded.setdefault(mark_of(mark), meaning) != meaning:
            raise InputError(
                f"The mark {mark!r} is given two meanings: {folded[mark_of(mark)]} and {meaning}."
            )
        if is_number(mark):
            raise InputError(f"The mark {mark!r} is a number, which cannot stand for something else.")
    return folded


def parse_cells(
    frame: pd.DataFrame,
    columns: list[str],
    *,
    source: str,
    decimal: DecimalMark | None = None,
    unknown: Mapping[str, str] | None = None,
    footnotes: bool = True,
) -> Cells:
    """Turn cells into numbers, or into known unknowns.

    The right-most of ``.`` and ``,`` in a cell is its decimal mark, and groups of thousands are of three
    digits, parted by the other mark, a space or an apostrophe. What a cell alone leaves open (``1.204``) is
    decided by the other cells, if all that decide anything agree, or by ``decimal``; it is never guessed.

    Parameters
    ----------
    frame : DataFrame
        Cells as they stand; index = line.
    columns : list of str
        The columns with numbers.
    source : str
        What the file is called in an error sentence.
    decimal : {".", ","}, optional
        The decimal mark of all cells.
    unknown : mapping, optional
        Mark → ``"zero"``, ``"suppressed"``, or ``"flag"`` for letters that may follow a number; the mark
        ``""`` is an empty cell.
    footnotes : bool
        Take footnote marks off the numbers.

    Raises
    ------
    InputError
        On text, empty cells and marks without a meaning, and on numbers that could be read in two ways,
        naming line and column.

    Examples
    --------
    >>> raw = pd.DataFrame({"a": ["1.204,50", "310,00", "x"]}, index=[2, 3, 4])
    >>> parse_cells(raw, ["a"], source="table.csv", unknown={"x": "suppressed"}).numbers["a"].tolist()
    [1204.5, 310.0, nan]
    """
    if decimal not in (None, *get_args(DecimalMark)):
        raise InputError(f"The decimal mark is {decimal!r}; it must be '.' or ','.")
    meanings = check_marks(unknown)
    raw = frame[columns].to_numpy(dtype=object).flatten(order="F")
    for place, cell in enumerate(raw):
        if type(cell) not in _KNOWN:
            raw[place] = _as_known(cell)
    codes, distinct = pd.factorize(raw, use_na_sentinel=False)
    read = _distinct(distinct, meanings, source, decimal, footnotes)
    bad = np.isnan(read.numbers) & ~read.hidden
    if bad.any():
        _refuse_text(frame, columns, distinct, codes, bad, source)

    def shaped(of_distinct: np.ndarray) -> pd.DataFrame:
        cells = of_distinct[codes].reshape(len(columns), len(frame)).T
        return pd.DataFrame(cells, index=frame.index, columns=columns)

    notes = [
        f"{what} taken off {count} {'number' if count == 1 else 'numbers'}"
        for what, of_distinct in (("footnote marks", read.trimmed), ("flags", read.flagged))
        if (count := int(of_distinct[codes].sum()))
    ]
    return Cells(shaped(read.numbers), shaped(read.hidden), tuple(notes))


def _as_known(cell: object) -> object:
    """A cell that can be told from others by its value: True equals 1, and lists have none."""
    if isinstance(cell, Spread):
        return f"{cell} (one number for several merged cells)"
    if isinstance(cell, bool | np.bool_):
        return str(cell)
    if isinstance(cell, int | np.integer):
        return int(cell)
    if isinstance(cell, float | np.floating | Fixed):
        return float(cell)
    return None if not mark_of(cell) else str(cell)


def parse_numbers(
    frame: pd.DataFrame, columns: list[str], *, source: str, decimal: DecimalMark | None = None
) -> pd.DataFrame:
    """Turn cells into floats, where every cell must be a number; see :func:`parse_cells`.

    Examples
    --------
    >>> raw = pd.DataFrame({"lq": ["0,69", "1 204,5", 2]}, index=pd.RangeIndex(2, 5, name="line"))
    >>> parse_numbers(raw, ["lq"], source="table.csv")["lq"].tolist()
    [0.69, 1204.5, 2.0]
    """
    return parse_cells(frame, columns, source=source, decimal=decimal).numbers


@dataclass
class _Read:
    """Distinct cells: numbers (NaN where there is none), suppressed ones, and those that lost a mark."""

    numbers: np.ndarray
    hidden: np.ndarray
    trimmed: np.ndarray
    flagged: np.ndarray


def _distinct(
    cells: np.ndarray, meanings: Mapping[str, str], source: str, decimal: DecimalMark | None, footnotes: bool
) -> _Read:
    read = _Read(np.full(len(cells), np.nan), *(np.zeros(len(cells), dtype=bool) for _ in range(3)))
    texts: list[str] = []
    places: list[int] = []
    flags = {mark for mark, meaning in meanings.items() if meaning == "flag"}
    for place, cell in enumerate(cells):
        if isinstance(cell, str):
            if _PLAIN.fullmatch(cell) and cell not in meanings:
                texts.append(cell)
                places.append(place)
                continue
            meaning = meanings.get(mark_of(cell))
            if meaning is None or meaning == "flag":
                bare = without_footnote(cell) if footnotes else cell
                read.trimmed[place] = bare != cell
                if flags and (found := _FLAGGED.match(bare.strip())) and found[2].lower() in flags:
                    read.flagged[place] = True
                    bare = found[1]
                texts.append(_tidy(bare))
                places.append(place)
                continue
        elif is_number(cell) and cell == cell:
            read.numbers[place] = _finite(cell)
            continue
        else:
            meaning = meanings.get(mark_of(cell))
        if meaning == "zero":
            read.numbers[place] = 0.0
        elif meaning == "suppressed":
            read.hidden[place] = True
    if texts:
        read.numbers[places] = _read(texts, source, decimal)
    read.trimmed &= np.isfinite(read.numbers)
    return read


def _finite(number: Any) -> float:
    """The number, or NaN if it is beyond what a float holds."""
    try:
        value = float(number)
    except OverflowError:
        return np.nan
    return value if np.isfinite(value) else np.nan


def _read(texts: list[str], source: str, decimal: DecimalMark | None) -> np.ndarray:
    """Numbers of texts, NaN where a text is none."""
    array = pa.array(texts, type=pa.string())
    fits = {
        mark: pc.match_substring_regex(array, _NUMBER[mark]).to_numpy(zero_copy_only=False) for mark in ".,"
    }
    if decimal is not None:
        return np.where(fits[decimal], _values(texts, fits[decimal], decimal), np.nan)
    marked = pc.match_substring_regex(array, "[.,]").to_numpy(zero_copy_only=False)
    alone = {".": fits["."] & ~fits[","], ",": fits[","] & ~fits["."]}
    both = fits["."] & fits[","]
    for_certain = {mark: bool((alone[mark] & marked).any()) for mark in ".,"}
    point = alone["."] | (both & ~marked) | (both & for_certain["."])
    comma = alone[","] | (both & marked & for_certain[","])
    open_cells = both & marked
    if open_cells.any() and for_certain["."] == for_certain[","]:
        found = listing([repr(texts[k]) for k in np.flatnonzero(open_cells)], 3)
        examples = {
            mark: texts[np.flatnonzero(alone[mark] & marked)[0]] for mark in ".," if for_certain[mark]
        }
        why = (
            f"other cells write both {examples['.']!r} and {examples[',']!r}"
            if examples
            else "no other cell tells which"
        )
        raise InputError(
            f"{source}: the mark in {found} could be a decimal sign or separate thousands, and {why}; "
            'say which mark is the decimal one (decimal = "," in a study, --decimal , on the command line).'
        )
    values = np.full(len(texts), np.nan)
    for fitting, mark in ((point, "."), (comma, ",")):
        values = np.where(fitting, _values(texts, fitting, mark), values)
    return values


def _values(texts: list[str], fitting: np.ndarray, decimal: str) -> np.ndarray:
    values = np.full(len(texts), np.nan)
    drop = str.maketrans("", "", "., '’".replace(decimal, ""))
    chosen = np.flatnonzero(fitting)
    values[chosen] = [_finite(texts[k].translate(drop).replace(",", ".")) for k in chosen]
    return values


def _refuse_text(
    frame: pd.DataFrame,
    columns: list[str],
    distinct: np.ndarray,
    codes: np.ndarray,
    bad: np.ndarray,
    source: str,
) -> None:
    """Say where cells are no numbers: text first, then marks, for they come in numbers, then empty cells."""
    counts = np.bincount(codes, minlength=len(distinct))
    first = np.full(len(distinct), len(codes))
    np.minimum.at(first, codes, np.arange(len(codes)))
    order = [k for k in np.argsort(first, kind="stable") if bad[k]]

    def where(k: int) -> str:
        column, row = divmod(int(first[k]), len(frame))
        return f"line {frame.index[row]}, column {columns[column]!r}"

    folded = {k: mark_of(distinct[k]) for k in order}
    text = [k for k in order if folded[k] and folded[k] not in USUAL_MARKS]
    if text:
        first_ones = ", ".join(f"{where(k)} ({_short(distinct[k])})" for k in text[:3])
        more = f" and {len(text) - 3} more" if len(text) > 3 else ""
        hint = _hint([str(distinct[k]) for k in text[:_TOLD]])
        raise InputError(
            f"{source}: a number was expected, but the cell is no number at {first_ones}{more}{hint}."
        )
    marks = [k for k in order if folded[k]]
    if marks:
        told = [f"{str(distinct[k]).strip()!r} ({counts[k]} times, first at {where(k)})" for k in marks]
        mark = str(distinct[marks[0]]).strip()
        raise InputError(
            f"{source}: a number was expected, but there are marks of unknown cells: {listing(told)}; "
            f"say what each means, zero or suppressed ([table.unknown] '{mark}' = \"zero\" in a study, "
            f"--unknown {mark}=zero on the command line)."
        )
    empty = np.flatnonzero(np.isin(codes, order))
    told = [f"line {frame.index[k % len(frame)]}, column {columns[k // len(frame)]!r}" for k in empty[:4]]
    more = f" and {len(empty) - 3} more" if len(empty) > 3 else ""
    raise InputError(
        f"{source}: a number was expected, but the cell is empty at {', '.join(told[:3])}{more}; write 0 "
        'where there is nothing, or say what empty cells mean ([table.unknown] "" = "zero", --unknown =zero).'
    )


def _short(cell: object) -> str:
    text = repr(cell)
    return text if len(text) <= 60 else f"{text[:50]}…{text[-1]}"


def _hint(cells: list[str]) -> str:
    """What to do about cells that are nearly numbers."""
    if all(re.fullmatch(r".*\d\s*%", cell.strip()) for cell in cells):
        return "; write percent as plain numbers"
    found = [_FLAGGED.match(cell.strip()) for cell in cells]
    flags = {match[2] for match in found if match is not None and is_number(match[1])}
    if not flags or not all(found):
        return ""
    flag = sorted(flags)[0]
    return (
        f"; if {listing(sorted(flags))} may follow a number, say so "
        f'([table.unknown] {flag} = "flag", --unknown {flag}=flag)'
    )
