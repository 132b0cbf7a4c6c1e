"""Where in a grid of cells the table stands: titles above, a header of one or more lines, notes below."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from spatialkz.errors import InputError, listing
from spatialkz.tables.labels import tidy_label
from spatialkz.tables.reading.headers import (
    NEAR_TOP,
    NOTE,
    cell_at,
    extent,
    find_header,
    has_number,
    is_lead,
    is_note,
    lead_column,
    name_columns,
    refuse_marks_as_header,
    single,
    texts,
    word,
    years,
)
from spatialkz.tables.reading.numbers import USUAL_MARKS, is_number, mark_of
from spatialkz.tables.reading.options import Grid

_SECTION = re.compile(r"(:$)|^(в том числе|из них|оның ішінде|including|of which)\b", re.IGNORECASE)
_FIRSTS = frozenset(["А", "A", "а", "a", "0", "1", 0, 1, None])  # of a line that numbers the columns
_LONG_NOTE = 60  # letters that no name of a region has


@dataclass(frozen=True)
class Layout:
    """A table cut out of a grid.

    Attributes
    ----------
    frame : DataFrame
        Cells as they stand, columns = header, index = line.
    header : tuple of int
        Lines of the header.
    notes : tuple of str
        What was found around and in the table, for one line to the user.
    """

    frame: pd.DataFrame
    header: tuple[int, ...]
    notes: tuple[str, ...] = field(default=())


def find_table(
    grid: Grid,
    *,
    header: Sequence[int] | None = None,
    skip: int = 0,
    footnotes: bool = True,
    numeric: bool = True,
) -> Layout:
    """Cut the table out of a grid.

    The header begins with the first line that fills at least half of the columns; further lines belong to it
    as long as their first cell is empty or repeats, and they hold no number but years. Numbers are a header
    only if they are years in order, or stand beside a word such as region. Below it a line that numbers the
    columns, a header that a page break repeats, headings without numbers such as "of which:", and notes at
    the end are left out, and named.

    Parameters
    ----------
    grid : Grid
    header : sequence of int, optional
        Lines of the header, as the file counts them; left out, they are found.
    skip : int
        Lines at the top that are left out before anything is looked for.
    footnotes : bool
        Take footnote marks off names.
    numeric : bool
        Whether it is a table of numbers, which has titles and notes; else the first line is the header.

    Raises
    ------
    InputError
        If there is no header, a column with cells has no name, names repeat, a second table follows, or a
        line has another width than the header of a text file.
    """
    kept = (
        [place for place, line in enumerate(grid.lines) if line > skip] if skip else [*range(len(grid.lines))]
    )
    if not kept:
        raise InputError(f"{grid.source} has nothing below its first {skip} lines.")
    if header is not None:
        heads = _named_lines(grid, header)
    elif numeric and not grid.named:
        heads = find_header(grid, kept)
    else:
        heads = [kept[0]]
    refuse_marks_as_header(grid, heads)
    body = list(range(heads[-1] + 1, len(grid.lines)))
    notes = []
    if heads[0] > 0 or len(heads) > 1:
        notes.append(f"header in {_span(grid, heads)}")
    if heads[0] > 0:
        notes.append(f"titles above it ({_span(grid, range(heads[0]))}) left out")
    if between := sorted(set(range(heads[0], heads[-1])) - set(heads)):
        notes.append(f"lines between ({_span(grid, between)}) left out")
    lead = lead_column(grid.rows, [*heads, *body[:NEAR_TOP]])
    names, more = name_columns(grid, heads, lead, footnotes)
    notes += more
    if numeric and not grid.named:
        body, left_out = _body(grid, heads, body, lead)
        notes += left_out
    frame = _frame(grid, names, body, lead)
    return Layout(frame, tuple(grid.lines[place] for place in heads), (*grid.found, *notes))


def _named_lines(grid: Grid, header: Sequence[int]) -> list[int]:
    places = {line: place for place, line in enumerate(grid.lines)}
    lacking = [line for line in header if line not in places]
    if not header or lacking:
        raise InputError(
            f"{grid.source} has no header in line {listing(lacking) or '?'}; "
            f"its lines that are not blank run from {grid.lines[0]} to {grid.lines[-1]}."
        )
    return sorted({places[line] for line in header})


# The body -------------------------------------------------------------------------------------------------


def _body(grid: Grid, heads: list[int], body: list[int], lead: int) -> tuple[list[int], list[str]]:
    """Rows of the table, and what was left out."""
    rows, notes = grid.rows, []
    end = _end(grid, body)
    if end < len(body):
        notes.append(f"notes ({_span(grid, body[end:])}) left out")
        body = body[:end]
    sections = {place for place in body if _is_section(rows[place])}
    if sections:
        told = [
            f"{tidy_label(texts(rows[place])[0])} (line {grid.lines[place]})" for place in sorted(sections)
        ]
        notes.append(f"headings {listing(told, 3)} left out")
    repeated = set(_repeated_headers(grid, heads, body, lead))
    if repeated:
        notes.append(f"the repeated header ({_span(grid, sorted(repeated))}) left out")
    width = max(extent(rows[place]) for place in heads)
    counting = _counting_rows(rows, [place for place in body if place not in sections], lead, width)
    if counting:
        notes.append(f"the numbers of the columns ({_span(grid, counting)}) left out")
    without = sections | repeated | set(counting)
    return [place for place in body if place not in without] if without else body, notes


def _repeated_headers(grid: Grid, heads: list[int], body: list[int], lead: int) -> list[int]:
    """Lines that repeat the header after a page break; a header that differs begins another table."""
    rows = grid.rows
    own = word(cell_at(rows[heads[-1]], lead)) or word(cell_at(rows[heads[0]], lead))
    firsts: dict[str, list[int]] = {}
    for place in body:
        cell = rows[place][lead] if lead < len(rows[place]) else None
        if isinstance(cell, str):
            firsts.setdefault(cell, []).append(place)
    suspects = [
        place for cell, places in firsts.items() if word(cell) == own or is_lead(cell) for place in places
    ]
    headers = [[tidy_label(cell) for cell in texts(rows[head])] for head in heads]
    found = []
    for place in sorted(suspects):
        line = grid.lines[place]
        same = [tidy_label(cell) for cell in texts(rows[place])] in headers
        before = rows[place - 1]
        numbers = any(is_number(cell) for cell in rows[place])
        if same and line not in grid.gaps and not single(before):
            found.append(place)
        elif same or (word(rows[place][lead]) == own and own) or (numbers and years(rows[place])):
            raise InputError(
                f"{grid.source}, line {line}: here the header of a second table begins "
                f"({listing([tidy_label(cell) for cell in texts(rows[place])], 4)}); keep one table in a "
                "file or sheet, or name the lines of the header of the last one (--header)."
            )
    return found


def _end(grid: Grid, body: list[int]) -> int:
    """Where the notes begin: after the last line of numbers or texts, at one that looks like a note."""
    rows = grid.rows
    end = len(body)
    while end and not _holds(rows[body[end - 1]]):
        end -= 1
    if end == 0:
        return len(body)
    for k in range(end, len(body)):
        text = str(texts(rows[body[k]])[0])
        apart = grid.lines[body[k]] in grid.gaps and text.rstrip().endswith(".")
        if NOTE.match(text) or len(text) > _LONG_NOTE or apart:
            return k
    return len(body)


def _holds(row: Sequence[Any]) -> bool:
    """Whether a row is of the table for certain: it has numbers, or several texts and no sign of a note."""
    if has_number(row):
        return not is_note(row)
    return not (single(row) or NOTE.match(str(texts(row)[0])))


def _is_section(row: Sequence[Any]) -> bool:
    if len(row) > 1 and row[0] is not None and row[1] is not None and row[0] != row[1]:
        return False  # most rows, told at once
    if not single(row) or is_number(texts(row)[0]):
        return False
    merged = len(texts(row)) > 2 and mark_of(texts(row)[0]) not in USUAL_MARKS
    return merged or bool(_SECTION.search(str(texts(row)[0]).strip()))


def _counting_rows(rows: Sequence[Sequence[Any]], body: list[int], lead: int, width: int) -> list[int]:
    """Rows that number the columns (А 1 2 3), as Russian tables do."""
    found = [
        place
        for place in body
        if len(rows[place]) > lead and rows[place][lead] in _FIRSTS and _counts(rows[place], lead, width)
    ]
    if not found:
        return []
    names = {tidy_label(cell_at(rows[place], lead)) for place in body} - {""}
    names -= {tidy_label(rows[place][lead]) for place in found}
    # Where regions are called A, B, C or 1, 2, 3, it is one of them.
    by_number = any(is_number(rows[place][lead]) for place in found)
    return [] if any(name in "BbБбВвCc" or (by_number and name.isdecimal()) for name in names) else found


def _counts(row: Sequence[Any], lead: int, width: int) -> bool:
    """Whether a row counts all columns, with letters or nothing before the numbers."""
    cells = [tidy_label(cell) for cell in row[lead : extent(row)]]
    letters = [cell for cell in cells if not re.fullmatch(r"\d{1,3}", cell, re.ASCII)]
    numbers = [int(cell) for cell in cells[len(letters) :] if re.fullmatch(r"\d{1,3}", cell, re.ASCII)]
    if lead + len(cells) != width or len(letters) + len(numbers) != len(cells) or not numbers:
        return False
    if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        return False
    if "".join(letters).upper() in {"А", "A", "АБ", "AB", "АВ"}:
        return numbers[0] in (1, 2)
    return not "".join(letters) and numbers[0] in (0, 1, 2) and len(numbers) > 2


def _frame(grid: Grid, names: list[str], body: list[int], lead: int) -> pd.DataFrame:
    width, rows = len(names), grid.rows
    ragged = [place for place in body if len(rows[place]) != width]
    if not grid.typed:
        for place in ragged:
            if len(rows[place]) < width or any(cell is not None for cell in rows[place][width:]):
                raise InputError(
                    f"{grid.source}, line {grid.lines[place]}: {len(rows[place])} cells where the header has "
                    f"{width}; a decimal comma in a comma-separated file needs quotes (delimiter says what "
                    "separates cells)."
                )
    whole = [rows[place] for place in body]
    if ragged:
        whole = [[*row[:width], *[None] * (width - len(row))] for row in whole]
    cells = np.array(whole, dtype=object).reshape(len(body), width)
    _refuse_torn(grid, names, cells)
    used = [name != "" or any(cell is not None for cell in cells[:, k]) for k, name in enumerate(names)]
    unnamed = [k for k, name in enumerate(names) if used[k] and not name]
    if unnamed == [lead] and "region" not in names:
        names = [*names[:lead], "region", *names[lead + 1 :]]
    elif unnamed:
        raise InputError(
            f"{grid.source}: column {unnamed[0] + 1} holds cells but has no name in the header; "
            "name it or empty it."
        )
    columns = [name for name, wanted in zip(names, used, strict=True) if wanted]
    repeated = [name for name, count in Counter(columns).items() if count > 1]
    if repeated:
        where = [k + 1 for k, name in enumerate(names) if name == repeated[0]]
        raise InputError(
            f"{grid.source} has more than one column named {listing(repeated)} (columns {listing(where)}); "
            "give each a name of its own."
        )
    if not len(body) or len(columns) < 2:
        raise InputError(
            f"{grid.source} has {len(body)} rows and {len(columns)} columns below its header; "
            "at least 1 and 2 are needed."
        )
    return pd.DataFrame(
        cells[:, used], index=[grid.lines[place] for place in body], columns=columns, dtype=object
    )


def _refuse_torn(grid: Grid, names: list[str], cells: np.ndarray) -> None:
    """Refuse cells that another delimiter would part in every row."""
    for mark in grid.torn if len(cells) else "":
        called = {"\t": "a tab", ";": "a semicolon", "|": "a vertical bar"}[mark]
        if any(mark in name for name in names) and all(
            any(mark in cell for cell in row if cell is not None) for row in cells
        ):
            raise InputError(
                f"{grid.source}: {called} stands in the header and in every row; name what separates cells "
                f"(delimiter = {mark!r} in a study, --delimiter on the command line)."
            )


def _span(grid: Grid, places: Sequence[int]) -> str:
    """Line 3, or lines 3–5."""
    first, last = grid.lines[places[0]], grid.lines[places[-1]]
    return f"line {first}" if len(places) == 1 else f"lines {first}–{last}"
