"""Look at a table: where its regions, sectors and values are, and what its numbers are."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from spatialkz.errors import InputError, listing
from spatialkz.regions.names import known_names
from spatialkz.study.draft import Draft
from spatialkz.tables.labels import tidy_distinct, tidy_label, without_mark
from spatialkz.tables.reading.grids import read_grid
from spatialkz.tables.reading.layout import find_table
from spatialkz.tables.reading.numbers import USUAL_MARKS, is_number, mark_of, parse_cells
from spatialkz.tables.reading.options import FileOptions
from spatialkz.tables.reading.sums import nested_codes, total_columns, total_rows

# What offices mean by a mark, most often; the study file says it aloud.
_USUAL_ZERO = {"-"}
_PEOPLE = re.compile(r"emp|job|persons|workers|beschäft|personal|занят|работ|жұмыс", re.IGNORECASE)
_MOST_DIGITS = 4
_CODE_NAME = re.compile(
    r"(^|[\W_])(code|codes|id|fips|geoid|geo|naics|nace|isic|sic|okved|nuts|lvl|level|код|schlüssel|ags)"
    r"($|[\W_\d])",
    re.IGNORECASE,
)
_LEVEL_NAME = re.compile(r"lvl|level|уровень|ebene|niveau", re.IGNORECASE)
_FLAG = re.compile(r"\(?[A-Za-z*]{1,2}\)?")
_YEARS = range(1900, 2101)
_MOSTLY = 0.9
_HALF = 0.5
_FEW = 20


def look(path: Path, options: FileOptions, places: Collection[str]) -> Draft:
    """Read the table as it stands, and tell its shape."""
    draft = Draft()
    grid = read_grid(path, encoding=options.encoding, delimiter=options.delimiter, sheet=options.sheet)
    layout = find_table(grid, header=options.header, skip=options.skip, footnotes=options.footnotes)
    draft.notes += [f"{path.name}: {'; '.join(layout.notes)}."] if layout.notes else []
    draft.put("file", path.name)
    for key in ("encoding", "delimiter", "sheet", "header", "skip", "decimal"):
        value = getattr(options, key)
        if value is not None and value != 0:
            draft.put(key, value)
    columns = tell_columns(layout.frame, places)
    draft.put("region", columns.region)
    if region_labels(layout.frame[columns.region]).is_unique:
        _wide(draft, layout.frame, columns)
    else:
        _long(draft, layout.frame, columns)
    return draft


def _wide(draft: Draft, frame: pd.DataFrame, columns: Columns) -> None:
    kept = {columns.region, *columns.values, *draft.table.get("where", {})}
    draft.leave_out([str(column) for column in frame if column not in kept])
    _numbers(draft, frame[list(columns.values)].set_axis(region_labels(frame[columns.region]).array, axis=0))


def _long(draft: Draft, frame: pd.DataFrame, columns: Columns) -> None:
    where: dict[str, Any] = {}
    for column in columns.years:
        found = sorted({year_of(cell) for cell in frame[column].unique()})
        if len(found) > 1:
            where[column] = found[-1]
            frame = frame[frame[column].map(year_of) == found[-1]]
            draft.questions.append(f"{column} = {found[-1]} was taken out of {listing(found, 12)}.")
    if where:
        draft.put("where", where)
    if region_labels(frame[columns.region]).is_unique:
        _wide(draft, frame, columns)
        return
    keys = key_columns(frame, columns)
    values = [name for name in columns.values if tidy_distinct(frame[name]).nunique() > 1]
    if keys is None or not values:
        draft.questions.append("which column holds the sectors (sector), and which the values (value)?")
        draft.put("sector", "?")
        draft.put("value", "?")
        return
    sector, taken = keys
    for column in taken:
        labels = tidy_distinct(frame[column])
        best = labels.value_counts(sort=False).idxmax()
        frame = _only(draft, frame, column, labels, str(best), where)
    if level := level_column(frame, sector, columns):
        labels = tidy_distinct(frame[level])
        sizes = tidy_distinct(frame[sector]).groupby(labels).nunique()
        best = sizes[sizes > 1].index[0] if (sizes > 1).any() else sizes.index[0]
        frame = _only(draft, frame, level, labels, str(best), where)
    hidden = False
    for column in columns.flags:
        empty = tidy_distinct(frame[column]) == ""
        if not empty.all():
            marks = tidy_distinct(frame[column])[~empty].unique()
            draft.questions.append(
                f"rows with {listing(marks)} in {column!r} were taken as suppressed; so is a region × sector "
                "pair without any row."
            )
            where[column], hidden, frame = "", True, frame[empty]
    if where:
        draft.put("where", where)
    draft.put("sector", sector)
    value = _value(frame, values)
    more = [column for column in values if column != value]
    draft.put(
        "value",
        value,
        more=f"others are {listing(more, 8)}" if more else "",
        question=f"the values are {value!r}; the other columns with numbers are {listing(more, 8)}."
        if more
        else "",
    )
    table = pd.DataFrame(
        {
            "region": region_labels(frame[columns.region]),
            "sector": tidy_distinct(frame[sector]),
            "value": frame[value],
        }
    )
    wide = table.pivot(index="region", columns="sector", values="value")
    wide = wide.loc[table["region"].unique(), table["sector"].unique()].astype(object)
    absent = wide.size - len(table)
    if absent and hidden:
        draft.put("absent", "suppressed")
        filler: Any = "x"
    elif absent:
        draft.put(
            "absent",
            "zero",
            question=f"{absent} region × sector pairs have no row and were taken as zero; are they?",
        )
        filler = 0
    else:
        filler = None
    present = pd.DataFrame(True, index=wide.index, columns=wide.columns)
    if absent:
        present = table.assign(here=True).pivot(index="region", columns="sector", values="here")
        present = present.reindex(index=wide.index, columns=wide.columns).notna()
        wide = wide.where(present, filler)
    _numbers(draft, wide, absent=~present)


def _only(
    draft: Draft, frame: pd.DataFrame, column: str, labels: pd.Series, value: str, where: dict[str, Any]
) -> pd.DataFrame:
    """Keep the rows with one value of a column, and ask about it."""
    where[column] = int(value) if re.fullmatch(r"0|[1-9]\d{0,8}", value) else value
    found = sorted(labels.unique())
    draft.questions.append(f"{column} = {value or 'empty'} was taken out of {listing(found, 12)}.")
    return frame[labels == value]


def _value(frame: pd.DataFrame, values: list[str]) -> str:
    """The first column of whole numbers, of people before others."""
    whole = [column for column in values if _whole(frame[column])]
    people = [column for column in whole if _PEOPLE.search(column)]
    return (people or whole or values)[0]


def _whole(column: pd.Series) -> bool:
    return all(
        re.fullmatch(r"[\d\s\u00a0]+([.,]0*)?", tidy_label(cell)) for cell in column if is_number(cell)
    )


def _numbers(draft: Draft, cells: pd.DataFrame, absent: pd.DataFrame | None = None) -> None:
    """What the cells of a table of regions × sectors are, and which of its margins are sums."""
    marks: dict[str, str] = {}
    there = cells if absent is None else cells.where(~absent, 0)
    for cell in pd.unique(there.to_numpy().ravel()):
        if not is_number(cell) and mark_of(cell) in USUAL_MARKS | {""}:
            mark = tidy_label(cell)
            marks[mark] = "zero" if mark_of(cell) in _USUAL_ZERO else "suppressed"
    if marks:
        told = listing([f"{mark or 'an empty cell'} as {meaning}" for mark, meaning in marks.items()])
        draft.put("unknown", marks, question=f"marks in the place of numbers were taken so: {told}.")
    values = _parsed(draft, cells, marks if absent is None else {**marks, "x": "suppressed"})
    rows = list(total_rows(values))
    if rows:
        draft.put("total", rows[0])
        if rows[1:]:
            draft.put("drop_regions", rows[1:])
        values = values.drop(index=rows)
    columns = list(total_columns(values))
    if columns:
        draft.put("base", columns[0])
        draft.leave_out(columns[1:])
        values = values.drop(columns=columns)
    nowhere = [str(column) for column in values if (values[column] == 0).all()]
    if nowhere:
        draft.leave_out(nowhere, f"{listing(nowhere)} have no activity anywhere and were left out.")
        values = values.drop(columns=nowhere)
    inner = sorted({other for others in nested_codes(values).values() for other in others})
    if inner:
        draft.leave_out(
            inner, f"{listing(inner)} were left out as parts of other sectors; or leave those out instead."
        )
        values = values.drop(columns=inner)
    _kind(draft, values.to_numpy(dtype=float))


def _parsed(draft: Draft, cells: pd.DataFrame, marks: dict[str, str]) -> pd.DataFrame:
    lines = cells.reset_index(drop=True)
    lines.columns = pd.RangeIndex(lines.shape[1]).astype(str)
    how: dict[str, Any] = {"source": str(draft.table["file"]), "unknown": marks}
    try:
        parsed = parse_cells(lines, list(lines.columns), decimal=draft.table.get("decimal"), **how).numbers
    except InputError as error:
        if "decimal" not in str(error) or "decimal" in draft.table:
            raise
        draft.put("decimal", ",", question=str(error))
        parsed = parse_cells(lines, list(lines.columns), decimal=",", **how).numbers
    return parsed.set_axis(cells.index, axis=0).set_axis(cells.columns, axis=1)


def _kind(draft: Draft, values: np.ndarray) -> None:
    known = values[np.isfinite(values)]
    printed = [
        digits
        for digits in range(_MOST_DIGITS + 1)
        if np.allclose(known, known.round(digits), rtol=1e-12, atol=0)
    ]
    draft.digits = printed[0] if printed else None
    whole = draft.digits == 0
    quotients = len(known) and known.max() < 100 and not whole and 0.1 < np.median(known) < 3
    if quotients and "base" not in draft.table and "total" not in draft.table:
        kind, why = "quotients", "the numbers look like published location quotients"
        if draft.digits is not None:
            draft.put("rounding", round(0.5 * 10**-draft.digits, 10))
    elif whole:
        kind, why = "counts", "all numbers are whole"
    else:
        kind, why = "volumes", "not all numbers are whole"
    draft.put("kind", kind, question=f"kind = {kind}, for {why}; is that so?")


@dataclass(frozen=True)
class Columns:
    """Columns of a table by what they are.

    Attributes
    ----------
    region : str
    labels : tuple of str
        Others that hold names or codes, not all the same.
    values, years, flags : tuple of str
        Columns of numbers, of years, and of marks that stand beside suppressed values.
    """

    region: str
    labels: tuple[str, ...]
    values: tuple[str, ...]
    years: tuple[str, ...]
    flags: tuple[str, ...]


def tell_columns(frame: pd.DataFrame, places: Collection[str]) -> Columns:
    """Tell what the columns are; ``places`` are names and codes of regions that a map or list has."""
    names = [str(column) for column in frame]
    numbers = [name for name in names if _numeric(frame[name])]
    years = tuple(name for name in numbers if _all_years(frame[name]))
    codes = {name for name in numbers if name not in years and _codes(frame[name], name)}
    values = tuple(
        name for name in numbers if name not in {*years, *codes} and not _numbers_rows(frame[name])
    )
    labels = [name for name in names if name in codes or name not in numbers]
    flags = tuple(name for name in labels if _flags(frame, name, values))
    labels = [name for name in labels if name not in flags and tidy_distinct(frame[name]).nunique() > 1]
    region = _region(frame, labels, places) if labels else names[0]
    return Columns(
        region,
        tuple(name for name in labels if name != region),
        tuple(name for name in values if name != region),
        years,
        flags,
    )


def region_labels(column: pd.Series) -> pd.Series:
    """Labels of regions without footnote marks."""
    return tidy_distinct(column).map(without_mark)


def year_of(cell: object) -> int:
    """Year of a cell such as ``2015.0``."""
    return int(float(tidy_label(cell)))


def key_columns(frame: pd.DataFrame, columns: Columns) -> tuple[str, tuple[str, ...]] | None:
    """The column that with the region tells rows apart, and those of which one value must be taken first."""
    names = [name for name in columns.labels if frame[name].nunique(dropna=False) > 1]
    keys = {name: tidy_distinct(frame[name]) for name in names} | {
        columns.region: region_labels(frame[columns.region])
    }
    table = pd.DataFrame(keys)
    by_size = sorted(names, key=lambda name: -table[name].nunique())
    few = [name for name in names if table[name].nunique() <= _FEW]
    for count in range(3):
        for sector in by_size:
            for taken in combinations([name for name in few if name != sector], count):
                if not table.duplicated([columns.region, sector, *taken]).any():
                    return sector, taken
    return None


def level_column(frame: pd.DataFrame, sector: str, columns: Columns) -> str | None:
    """The column that says on which level of a classification a sector stands."""
    for name in columns.labels:
        if name != sector and _LEVEL_NAME.search(name):
            levels = tidy_distinct(frame[name]).groupby(tidy_distinct(frame[sector])).nunique()
            if (levels == 1).all() and frame[name].nunique() > 1:
                return name
    return None


def _numeric(column: pd.Series) -> bool:
    cells = column[column.map(lambda cell: mark_of(cell) not in USUAL_MARKS | {""})]
    return len(cells) > 0 and cells.map(is_number).mean() >= _MOSTLY


def _all_years(column: pd.Series) -> bool:
    texts = tidy_distinct(column).unique()
    return all(re.fullmatch(r"\d{4}(\.0)?", text) and year_of(text) in _YEARS for text in texts)


def _codes(column: pd.Series, name: str) -> bool:
    texts = tidy_distinct(column)
    return bool(_CODE_NAME.search(name)) or bool(texts.str.fullmatch(r"0\d+").any())


def _numbers_rows(column: pd.Series) -> bool:
    return len(column) > 2 and [tidy_label(cell) for cell in column] == [
        str(k + 1) for k in range(len(column))
    ]


def _flags(frame: pd.DataFrame, name: str, values: tuple[str, ...]) -> bool:
    """Whether a column marks rows whose values are not published: they are then 0, empty, or a mark."""
    texts = tidy_distinct(frame[name])
    marked = texts != ""
    if not marked.any() or marked.all() or not all(_FLAG.fullmatch(text) for text in texts[marked].unique()):
        return False
    unpublished = frame.loc[marked, list(values)].map(
        lambda cell: mark_of(cell) in USUAL_MARKS | {"", "0", "0.0"}
    )
    return bool(unpublished.any(axis=1).all()) if len(values) else False


def _region(frame: pd.DataFrame, labels: list[str], places: Collection[str]) -> str:
    """The column whose labels are places; else the first."""
    shares = {}
    for name in labels:
        distinct = list(region_labels(frame[name]).unique())
        found = [label for label in distinct if label in places] if places else known_names(distinct)
        shares[name] = len(found) / len(distinct)
    best = max(shares, key=lambda name: shares[name])
    return best if shares[best] >= _HALF else labels[0]
