"""The periods of a file: which there are, and how the table of one of them is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, get_args

import pandas as pd

from spatialkz.errors import InputError, RegionError, listing
from spatialkz.options import Language, Vintage
from spatialkz.regions import aggregate_table, division_crosswalk, region_table, resolve_regions
from spatialkz.study.schema import Periods
from spatialkz.tables import ActivityTable, Period, RegionTable, TableOptions, require_labels
from spatialkz.tables.labels import same_cells, tidy_label


def periods_of(rows: pd.DataFrame, section: Periods, source: str) -> list[Period]:
    """Periods of a file in order, from the first to the last that are asked for.

    Raises
    ------
    InputError
        If there is no such column, a cell is empty, periods are of two kinds, or the first or last is none.
    """
    found = _column(rows, section.column, source)
    if (found == "").any():
        line = found.index[found == ""][0]
        raise InputError(f"{source}, line {line}: the {section.column} is empty.")
    periods: list[Any] = found.drop_duplicates().astype(object).tolist()
    if len({isinstance(period, str) for period in periods}) > 1:
        raise InputError(f"{source}: {section.column} holds numbers and texts, {listing(periods)}.")
    periods.sort()
    ends = []
    for name, given, end in (("first", section.first, 0), ("last", section.last, -1)):
        fitting = [period for period in periods if given is None or str(period) == str(given)]
        if not fitting:
            raise InputError(f"{source}: [periods] {name} is {given!r}; there are {listing(periods, 30)}.")
        ends.append(periods.index(fitting[0 if end == 0 else -1]))
    return periods[ends[0] : ends[1] + 1]


def _column(rows: pd.DataFrame, column: str, source: str) -> pd.Series:
    """Periods by line: whole numbers where they are, else text."""
    require_labels([column], rows.columns, f"{source} has no column")
    cells = same_cells(rows[column])
    return cells.map(lambda cell: int(cell) if isinstance(cell, float) and cell.is_integer() else str(cell))


def at_period(options: TableOptions, rows: pd.DataFrame, section: Periods, at: Period | None) -> TableOptions:
    """How the table of one period is read: its rows, without columns that are empty in all of them."""
    found = _column(rows, section.column, "The table")
    wanted = at if at is not None else section.at
    period = wanted if wanted is not None else max(found)
    here = rows[found.astype(str) == str(period)]
    empty = (here.map(tidy_label) == "").all(axis=0) if len(here) else pd.Series(dtype=bool)
    drop = options.drop
    if options.value is None:
        drop += tuple(str(name) for name in empty.index[empty] if name not in (*drop, options.base))
    return replace(options, where={**options.where, section.column: period}, drop=drop)


def relabeled(found: RegionTable, rows: Mapping[Any, Any], columns: Mapping[Any, Any]) -> RegionTable:
    """A table under other names of its regions and sectors."""

    def series(old: pd.Series | None, names: Mapping[Any, Any]) -> pd.Series | None:
        return None if old is None else old.rename(index=names)

    return replace(
        found,
        values=found.values.rename(index=rows, columns=columns),
        hidden=found.hidden.rename(index=rows, columns=columns),
        national=series(found.national, columns),
        base=series(found.base, rows),
    )


def breaks_of(section: Periods, periods: Iterable[Period], source: str) -> dict[Period, str]:
    """Breaks by the first period of the new series; those after the last period are none.

    Raises
    ------
    InputError
        If one is at no period of the file.
    """
    known = {str(period): period for period in periods}
    ended = [name for name in section.breaks if name not in known and section.last is None]
    if ended:
        raise InputError(
            f"{source}: [periods.breaks] names {listing(ended)}; there are {listing(known, 30)}."
        )
    return {known[name]: why for name, why in section.breaks.items() if name in known}


def by_crosswalk(table: ActivityTable, walk: pd.DataFrame, section: Periods) -> ActivityTable:
    """A table led to the division of the study by the study's own crosswalk.

    Raises
    ------
    RegionError
        If its regions are the units of no division.
    """
    labels, wanted = set(table.regions), str(section.division)
    require_labels([wanted], walk.columns, f"{section.crosswalk} has no division")
    fitting = [name for name in walk if labels == set(walk[name])]
    if not fitting:
        shared = {name: len(labels & set(walk[name])) for name in walk}
        near = max(shared, key=lambda name: shared[name])
        raise RegionError(
            f"Its regions are not those of a division in {section.crosswalk}; nearest is {near}, which "
            f"has {listing(set(walk[near]) - labels) or 'no other'} and lacks "
            f"{listing(labels - set(walk[near])) or 'none'}."
        )
    return table if wanted in fitting else aggregate_table(table, walk, str(fitting[0]), wanted)


def in_division(table: ActivityTable, wanted: Vintage, names: Language | None) -> ActivityTable:
    """A table of regions of Kazakhstan summed to a coarser division; one that is none is left for its error.

    Raises
    ------
    InputError
        If regions are written in several ways, so that none is theirs in another division.
    """
    resolved = resolve_regions(list(table.regions))
    vintage: Vintage = resolved["vintage"].iloc[0]
    if vintage <= wanted:
        return table
    walk = division_crosswalk()
    if names is not None:
        for before in get_args(Vintage):
            walk[str(before)] = walk[str(before)].map(region_table(before)[f"name_{names}"])
    elif (resolved["code"] != resolved.index).any():
        raise InputError(
            "Regions are summed to another division by their codes (AKM, AST) or by names of ours: write "
            'names = "en" in [regions].'
        )
    return aggregate_table(table, walk, str(vintage), str(wanted))
