"""Where in a grid of cells the table stands: titles above, a header of one or more lines, notes below."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pandas as pd

from spatialkz.errors import InputError, listing
from spatialkz.tables.grids import Grid
from spatialkz.tables.labels import tidy_label, without_mark
from spatialkz.tables.numbers import USUAL_MARKS, is_number, mark_of

_YEARS = range(1800, 2200)
_JOINT = ": "  # between the lines of a header
_SECTION = re.compile(r"(:$)|^(в том числе|из них|оның ішінде|including|of which)\b", re.IGNORECASE)
_NOTE = re.compile(
    r"^\s*([*†‡⁰¹²³⁴-⁹]|\d{1,2}\)|\(\d{1,2}\)|©|"
    r"(источник|примечани|сноск|дереккөз|ескерт|source|note|footnote|legend|copyright)\w*\b)",
    re.IGNORECASE,
)
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
    as long as their first cell is empty or repeats. Below it a line of units, a line that numbers the
    columns, lines without numbers such as "of which:", and notes at the end are left out, and named.

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
        If there is no header, a column with cells has no name, names repeat, or a line has another width than
        the header of a text file.
    """
    kept = [place for place, line in enumerate(grid.lines) if line > skip]
    if not kept:
        raise InputError(f"{grid.source} has nothing below its first {skip} lines.")
    heads = _named_lines(grid, header) if header is not None else None
    if heads is None:
        heads = _find_header(grid, kept) if numeric else [kept[0]]
    body = [place for place in kept if place > heads[-1]]
    notes = []
    above = [grid.lines[place] for place in range(heads[0])]
    if heads[0] > 0 or len(heads) > 1:
        notes.append(f"header in {_span([grid.lines[place] for place in heads])}")
    if above:
        notes.append(f"titles above it ({_span(above)}) left out")
    names, marked = _names(grid, heads, body, footnotes)
    if numeric:
        body, left_out = _body(grid, body)
        notes += left_out
    frame = _frame(grid, names, body)
    if marked:
        notes.append(f"footnote marks of {listing(marked, 3)} taken off")
    return Layout(frame, tuple(grid.lines[place] for place in heads), (*grid.found, *notes))


def _named_lines(grid: Grid, header: Sequence[int]) -> list[int]:
    places = {line: place for place, line in enumerate(grid.lines)}
    lacking = [line for line in header if line not in places]
    if not header or lacking:
        raise InputError(
            f"{grid.source} has no header in line {listing(lacking) or '?'}; "
            f"its lines that are not blank run from {grid.lines[0]} to {grid.lines[-1]}."
        )
    return sorted(places[line] for line in header)


def _texts(row: Sequence[Any]) -> list[Any]:
    return [cell for cell in row if cell is not None]


def _has_number(row: Sequence[Any]) -> bool:
    return len(_texts(row)) > 1 and any(is_number(cell) for cell in row)


def _single(row: Sequence[Any]) -> bool:
    """Whether a row says one thing only: a title, a unit, a note."""
    return len({tidy_label(cell) for cell in _texts(row)}) == 1


def _all_years(row: Sequence[Any]) -> bool:
    numbers = [cell for cell in row if is_number(cell)]
    return all(
        re.fullmatch(r"\d{4}(\.0)?", str(cell).strip()) and int(float(cell)) in _YEARS for cell in numbers
    )


def _find_header(grid: Grid, kept: list[int]) -> list[int]:
    rows = grid.rows
    numeric = [place for place in kept if _has_number(rows[place])]
    if not numeric:
        return [kept[0]]
    width = max(_extent(rows[place]) for place in numeric)
    wide = (place for place in kept if 2 * len(_texts(rows[place])) >= width and not _single(rows[place]))
    first = next((place for place in wide if place < numeric[0]), numeric[0])
    if first == numeric[0]:
        named = any(not is_number(cell) for cell in _texts(rows[first]))
        if named and _all_years(rows[first]) and len(numeric) > 1:
            return [first]
        line = grid.lines[first]
        found = listing([cell for cell in rows[first] if is_number(cell)], 3)
        raise InputError(
            f"{grid.source} has no header: line {line}, the first of the table, holds numbers ({found}); "
            "write the names of the columns above it, or say that it is the header "
            f"(header = {line} in a study, --header {line})."
        )
    heads = [first]
    for place in kept[kept.index(first) + 1 :]:
        if place >= numeric[-1] or not _continues(rows[place], [rows[head] for head in heads]):
            break
        heads.append(place)
    return heads


def _continues(row: Sequence[Any], heads: list[list[Any]]) -> bool:
    """Whether a row goes on with a header: lower lines of names over several columns, or a unit."""
    lead = tidy_label(row[0])
    leads = {tidy_label(head[0]) for head in heads} - {""}
    numbers = any(is_number(cell) for cell in row)
    if numbers and not (_all_years(row) and lead in {"", *leads} and len(_texts(row)) > 1):
        return False
    if not lead and _single(row):
        return True
    over = heads[0][1 : _extent(row)]
    spanning = len(set(_texts(over))) < len(over) or _extent(heads[0]) < _extent(row)
    return spanning and (lead in {"", *leads} or not leads)


def _extent(row: Sequence[Any]) -> int:
    return max((place + 1 for place, cell in enumerate(row) if cell is not None), default=0)


def _names(grid: Grid, heads: list[int], body: list[int], footnotes: bool) -> tuple[list[str], list[str]]:
    """Name of each column, and the names that lost a footnote mark."""
    width = max(_extent(grid.rows[place]) for place in heads)
    if grid.typed:
        width = max([width, *(_extent(grid.rows[place]) for place in body)])
    lines = [[tidy_label(cell) for cell in grid.rows[place][:width]] for place in heads]
    lines = [line + [""] * (width - len(line)) for line in lines]
    # One text in all columns but the first is a unit.
    kept = [line for line in lines if len({*line[1:]} - {""}) > 1 or len(lines) == 1 or line[0]] or lines
    for upper, lower in pairwise(kept):
        for place in range(1, width):
            beside = upper[place - 1]
            if not upper[place] and lower[place] and lower[place - 1] and beside:
                upper[place] = beside  # a name over several columns stands over the first of them only
    names, marked = [], []
    for place in range(width):
        parts: list[str] = []
        for line in kept:
            bare = without_mark(line[place]) if footnotes else line[place]
            marked += [line[place]] if bare != line[place] else []
            if bare and bare not in parts:
                parts.append(bare)
        names.append(_JOINT.join(parts))
    return names, list(dict.fromkeys(marked))


def _body(grid: Grid, body: list[int]) -> tuple[list[int], list[str]]:
    """Rows of the table, and what was left out."""
    rows, notes = grid.rows, []
    if body and _numbers_columns(rows[body[0]], [rows[place] for place in body[1:]]):
        notes.append(f"the numbers of the columns (line {grid.lines[body[0]]}) left out")
        body = body[1:]
    end = _end(grid, body)
    if end < len(body):
        notes.append(f"notes ({_span([grid.lines[place] for place in body[end:]])}) left out")
        body = body[:end]
    sections = [place for place in body if _is_section(rows[place])]
    if sections:
        told = [f"{tidy_label(_texts(rows[place])[0])} (line {grid.lines[place]})" for place in sections]
        notes.append(f"headings {listing(told, 3)} left out")
    return [place for place in body if place not in set(sections)], notes


def _end(grid: Grid, body: list[int]) -> int:
    """Where the notes begin: after the last line of numbers or texts, at one that looks like a note."""
    texts = [str(_texts(grid.rows[place])[0]) for place in body]
    holds = [
        _has_number(grid.rows[place]) or not (_single(grid.rows[place]) or _NOTE.match(text))
        for place, text in zip(body, texts, strict=True)
    ]
    last = max((k for k, row in enumerate(holds) if row), default=len(body))
    for k in range(last + 1, len(body)):
        apart = grid.lines[body[k]] in grid.gaps and texts[k].rstrip().endswith(".")
        if _NOTE.match(texts[k]) or len(texts[k]) > _LONG_NOTE or apart:
            return k
    return len(body)


def _is_section(row: Sequence[Any]) -> bool:
    if not _single(row) or is_number(_texts(row)[0]):
        return False
    merged = len(_texts(row)) > 2 and mark_of(_texts(row)[0]) not in USUAL_MARKS
    return merged or bool(_SECTION.search(str(_texts(row)[0]).strip()))


def _numbers_columns(row: Sequence[Any], others: list[list[Any]]) -> bool:
    """Whether a row numbers the columns (А 1 2 3), as Russian tables do."""
    lead, *rest = row
    values = [cell for cell in rest if cell is not None]
    if len(values) < 2 or not all(re.fullmatch(r"\d{1,3}(\.0)?", str(cell).strip()) for cell in values):
        return False
    counted = [int(float(cell)) for cell in values]
    if counted != list(range(counted[0], counted[0] + len(counted))) or counted[0] not in (1, 2):
        return False
    label = tidy_label(lead)
    alone = all(len(tidy_label(other[0])) > 2 for other in others if other[0] is not None)
    return alone and label in {"", "А", "A", "а", "a", "Б", "1", "0"}


def _frame(grid: Grid, names: list[str], body: list[int]) -> pd.DataFrame:
    width = len(names)
    if not grid.typed:
        for place in body:
            row = grid.rows[place]
            if len(row) != width and (len(row) < width or any(cell is not None for cell in row[width:])):
                raise InputError(
                    f"{grid.source}, line {grid.lines[place]}: {len(row)} cells where the header has "
                    f"{width}; a decimal comma in a comma-separated file needs quotes (delimiter says what "
                    "parts cells)."
                )
    cells = [[*grid.rows[place][:width], *[None] * (width - len(grid.rows[place]))] for place in body]
    used = [name != "" or any(row[k] is not None for row in cells) for k, name in enumerate(names)]
    unnamed = [k for k, name in enumerate(names) if used[k] and not name]
    if unnamed == [0] and "region" not in names:
        names = ["region", *names[1:]]
    elif unnamed:
        raise InputError(
            f"{grid.source}: column {unnamed[0] + 1} holds cells but has no name in the header; "
            "name it or empty it."
        )
    columns = [name for name, wanted in zip(names, used, strict=True) if wanted]
    repeated = sorted({name for name in columns if columns.count(name) > 1}, key=columns.index)
    if repeated:
        where = [k + 1 for k, name in enumerate(names) if name == repeated[0]]
        raise InputError(
            f"{grid.source} has more than one column named {listing(repeated)} (columns {listing(where)}); "
            "give each a name of its own."
        )
    frame = pd.DataFrame(
        [[cell for cell, wanted in zip(row, used, strict=True) if wanted] for row in cells],
        index=[grid.lines[place] for place in body],
        columns=columns,
        dtype=object,
    )
    if frame.empty or frame.shape[1] < 2:
        raise InputError(
            f"{grid.source} has {len(frame)} rows and {frame.shape[1]} columns below its header; "
            "at least 1 and 2 are needed."
        )
    return frame


def _span(lines: list[int]) -> str:
    """Line 3, or lines 3–5."""
    return f"line {lines[0]}" if len(lines) == 1 else f"lines {lines[0]}–{lines[-1]}"
