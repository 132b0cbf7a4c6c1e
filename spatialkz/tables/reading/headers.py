"""The header of a table in a grid of cells: which lines it has, and what they name each column."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from spatialkz.errors import InputError, listing
from spatialkz.tables.labels import refuse_no_name, tidy_label, without_mark
from spatialkz.tables.reading.numbers import USUAL_MARKS, is_number, mark_of
from spatialkz.tables.reading.options import Grid

_YEARS = range(1800, 2200)
_LONGEST_STEP = 10  # years between two columns
_JOINT = ": "  # between the lines of a header
_HYPHEN = re.compile(r"(?<=[^\W\d_])-[ \t]*\r?\n[ \t]*(?=[^\W\d_A-ZА-ЯЁ])")
NOTE = re.compile(
    r"^\s*([*†‡⁰¹²³⁴-⁹]|\d{1,2}\)|\(\d{1,2}\)|©|[_=—–-]{3,}\s*$)|"
    r"^\W*(источник|примечани|сноск|дереккөз|ескерт|source|note|footnote|legend|copyright)\w*\b",
    re.IGNORECASE,
)
NEAR_TOP = 1000  # rows among which a header is looked for
# What stands over the names of regions and is no name of one.
_LEADS = frozenset(
    "region,regions,area,areas,county,counties,state,states,district,districts,province,municipality,"
    "territory,country,name,names,code,codes,id,geo,geography,geo\\time,year,sector,industry,row labels,"
    "регион,регионы,область,области,район,районы,территория,территории,наименование,название,код,"
    "показатель,показатели,год,отрасль,названия строк,өңір,өңірлер,аймақ,аймақтар,облыс,облыстар,атауы,"
    "аты,коды,жыл".split(",")
)


# Rows -----------------------------------------------------------------------------------------------------


def texts(row: Sequence[Any]) -> list[Any]:
    """Cells of a row that are not empty."""
    return [cell for cell in row if cell is not None]


def has_number(row: Sequence[Any]) -> bool:
    """Whether a row holds a number beside its first cell, or as its first of several."""
    return len(texts(row)) > 1 and any(is_number(cell) for cell in row)


def single(row: Sequence[Any]) -> bool:
    """Whether a row says one thing only: a title, a unit, a note."""
    cells = texts(row)
    return bool(cells) and all(tidy_label(cell) == tidy_label(cells[0]) for cell in cells)


def years(row: Iterable[Any]) -> list[int] | None:
    """Numbers of a row if they are all years."""
    numbers = [str(cell).strip() for cell in row if is_number(cell)]
    years = [int(float(cell)) for cell in numbers if re.fullmatch(r"\d{4}(\.0)?", cell, re.ASCII)]
    return years if len(years) == len(numbers) and all(year in _YEARS for year in years) else None


def is_note(row: Sequence[Any]) -> bool:
    """Whether a row begins with a word such as source or note."""
    match = NOTE.match(str(texts(row)[0]))
    return match is not None and match[2] is not None


def word(cell: Any) -> str:
    """A cell as a word to look up."""
    return (cell if isinstance(cell, str) else tidy_label(cell)).casefold().rstrip(":. ")


def is_lead(cell: Any) -> bool:
    """Whether a cell is a word that stands over the names of regions, such as region."""
    return word(cell) in _LEADS


def extent(row: Sequence[Any]) -> int:
    """Number of the last cell of a row that is not empty."""
    return max((place + 1 for place, cell in enumerate(row) if cell is not None), default=0)


def lead_column(rows: Sequence[Sequence[Any]], places: list[int]) -> int:
    """The first column of the table: the first one with a cell in a row of several."""
    first = (
        next(place for place, cell in enumerate(rows[k]) if cell is not None)
        for k in places
        if len(texts(rows[k])) > 1
    )
    return min(first, default=0)


def cell_at(row: Sequence[Any], place: int) -> Any:
    """Cell of a row of a text file, which may be shorter than others."""
    return row[place] if place < len(row) else None


# The header -----------------------------------------------------------------------------------------------


def find_header(grid: Grid, kept: list[int]) -> list[int]:
    """Rows of the header; see :func:`spatialkz.tables.reading.layout.find_table`."""
    rows = grid.rows
    numeric = [place for place in kept[:NEAR_TOP] if has_number(rows[place]) and not is_note(rows[place])]
    if not numeric:
        return [kept[0]]
    width = max(extent(rows[place]) for place in numeric)
    lead = lead_column(rows, numeric)
    wide = [place for place in kept[:NEAR_TOP] if 2 * len(texts(rows[place])) >= width - lead]
    # Of a table of two columns the header may be one name, beside an empty corner.
    wide = [place for place in wide if not single(rows[place]) or _beside_corner(rows[place], lead)]
    # Where all numbers are like years, those of the first row may be numbers too.
    only_years = all(years(rows[place]) for place in numeric)
    for k, start in enumerate(wide):
        named = is_lead(cell_at(rows[start], lead)) or start not in numeric
        if not _may_be_header(rows[start], lead) or (only_years and not named):
            # Two cells of a title may fill half of a narrow table, above a line that is its header.
            if not any(_is_named(rows[place], lead) for place in wide[k + 1 : k + 5]):
                _refuse_numbers(grid, start)
            continue
        heads = [start]
        for place in kept[kept.index(start) + 1 :]:
            if place >= numeric[-1] or not _continues(rows[place], [rows[head] for head in heads], lead):
                break
            heads.append(place)
        below = [place for place in wide[k + 1 : k + 5] if place > heads[-1]]
        if not any(is_lead(cell_at(rows[head], lead)) for head in heads) and any(
            _is_named(rows[place], lead) for place in below
        ):
            continue
        return heads
    return _refuse_numbers(grid, numeric[0])


def _beside_corner(row: Sequence[Any], lead: int) -> bool:
    return extent(row) > lead + 1 and cell_at(row, lead) is None


def _is_named(row: Sequence[Any], lead: int) -> bool:
    """Whether a row begins with a word such as region, and holds no numbers but years."""
    return is_lead(cell_at(row, lead)) and years(row) is not None


def _may_be_header(row: Sequence[Any], lead: int) -> bool:
    """Whether a row has no numbers, or such as are names: years in order, or codes beside a word."""
    if not any(is_number(cell) for cell in row):
        return True
    first = cell_at(row, lead)
    if is_lead(first):
        return True
    found = years(row)
    if not found or is_number(first) or any(not is_number(cell) for cell in texts(row[lead + 1 :])):
        return False
    steps = {later - earlier for earlier, later in pairwise(found)}
    in_order = len(steps) == 1 and 0 < abs(next(iter(steps))) <= _LONGEST_STEP
    return in_order or (first is None and len(found) == 1)


def _refuse_numbers(grid: Grid, place: int) -> list[int]:
    line = grid.lines[place]
    found = listing([tidy_label(cell) for cell in grid.rows[place] if is_number(cell)], 3)
    raise InputError(
        f"{grid.source} has no header: line {line}, the first of the table, holds numbers ({found}); "
        "write the names of the columns above it, or say that it is the header "
        f"(header = {line} in a study, --header {line})."
    )


def refuse_marks_as_header(grid: Grid, heads: list[int]) -> None:
    """Refuse a header with a mark of an unknown cell: it is a row of a table that has none."""
    for place in heads:
        marks = [
            tidy_label(cell)
            for cell in grid.rows[place]
            if cell is not None and mark_of(cell) in USUAL_MARKS and not re.search(r"\w", str(cell))
        ]
        if marks:
            raise InputError(
                f"{grid.source} has no header: line {grid.lines[place]}, the first of the table, holds "
                f"{marks[0]!r}, which stands for an unknown number; write the names of the columns above it."
            )


def _continues(row: Sequence[Any], heads: Sequence[Sequence[Any]], lead: int) -> bool:
    """Whether a row goes on with a header: lower lines of names over several columns, or a unit."""
    first = tidy_label(cell_at(row, lead))
    firsts = {tidy_label(cell_at(head, lead)) for head in heads} - {""}
    cells = texts(row[lead + 1 :])
    if not cells or (firsts and first not in {"", *firsts}):
        return False
    if all(mark_of(cell) in USUAL_MARKS for cell in cells) or is_number(first):
        return False
    if any(is_number(cell) for cell in row) and not (years(row) and len(cells) > 1):
        return False
    if not first:
        return True
    over = heads[0][lead + 1 : extent(row)]
    return len(set(texts(over))) < len(over) or extent(heads[0]) < extent(row)


def _joined(cell: Any) -> Any:
    """A name without the hyphens that part its words at the end of a line."""
    return _HYPHEN.sub("", cell) if isinstance(cell, str) else cell


def name_columns(grid: Grid, heads: list[int], lead: int, footnotes: bool) -> tuple[list[str], list[str]]:
    """Name of each column, and notes on what was left off."""
    width = max(extent(grid.rows[place]) for place in heads)
    if grid.typed:
        width = max(width, len(grid.rows[heads[0]]))
    for place in heads:
        for cell in grid.rows[place]:
            refuse_no_name(cell, f"{grid.source}, line {grid.lines[place]}: a cell of the header")
    lines = [[tidy_label(_joined(cell)) for cell in grid.rows[place][:width]] for place in heads]
    lines = [line + [""] * (width - len(line)) for line in lines]
    notes = []
    kept = []
    for k, line in enumerate(lines):
        # One text over all columns but the first is a unit or a title.
        named = [place for place in range(lead + 1, width) if any(other[place] for other in lines)]
        others = [other for j, other in enumerate(lines) if j != k]
        said = {line[place] for place in named} - {""}
        if len(said) == 1 < len(named) and all(any(other[place] for other in others) for place in named):
            notes.append(f"{next(iter(said))!r} over the columns left out")
            line = [text if place <= lead else "" for place, text in enumerate(line)]
        kept.append(line)
    for upper, lower in pairwise(kept):
        for place in range(lead + 2, width):
            if not upper[place] and lower[place] and lower[place - 1] and upper[place - 1]:
                upper[place] = upper[place - 1]  # a name over several columns stands over the first only
    names, marked = [], []
    for place in range(width):
        parts: list[str] = []
        for line in kept:
            bare = without_mark(line[place]) if footnotes else line[place]
            marked += [line[place]] if bare != line[place] else []
            if bare and bare not in parts:
                parts.append(bare)
        names.append(_JOINT.join(parts))
    if marked:
        notes.append(f"footnote marks of {listing(dict.fromkeys(marked), 3)} taken off")
    return names, notes
