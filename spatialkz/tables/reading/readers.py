"""Read CSV, XLSX and Parquet files into regions × sectors, with errors that name the line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from spatialkz.errors import InputError, listing
from spatialkz.options import DecimalMark
from spatialkz.tables.labels import (
    refuse_no_name,
    refuse_twins,
    require_labels,
    same_cells,
    tidy_distinct,
    tidy_label,
    without_mark,
)
from spatialkz.tables.reading.grids import read_grid
from spatialkz.tables.reading.layout import find_table
from spatialkz.tables.reading.numbers import Cells, parse_cells
from spatialkz.tables.reading.options import FileOptions, Grid, RegionTable, TableOptions
from spatialkz.tables.reading.sums import refuse_sums


def read_frame(
    path: str | Path, options: FileOptions | None = None, *, encoding: str | None = None
) -> pd.DataFrame:
    """Read a file whose first line is its header: text cells stay text, and the index is the line number.

    Parameters
    ----------
    path : path
        A CSV, XLSX or Parquet file.
    options : FileOptions, optional
    encoding : str, optional
        Encoding of a text file, instead of ``options``.

    Raises
    ------
    InputError
        If the file is missing, unreadable, empty, or of another kind.
    """
    options = options or FileOptions(encoding=encoding)
    return find_table(
        _grid(path, options), header=options.header, skip=options.skip, footnotes=False, numeric=False
    ).frame


def _grid(path: str | Path, options: FileOptions) -> Grid:
    return read_grid(path, encoding=options.encoding, delimiter=options.delimiter, sheet=options.sheet)


def read_region_table(
    path: str | Path,
    *,
    region: str | None = None,
    sector: str | None = None,
    value: str | None = None,
    where: Mapping[str, object] | None = None,
    encoding: str | None = None,
    decimal: DecimalMark | None = None,
) -> pd.DataFrame:
    """Read a long or wide file into a complete table, index = region, columns = sector or variable.

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
        Column → value, or list of values, of the rows to keep (``{"year": 2020}``); these columns are
        dropped.
    encoding : str, optional
        Encoding of a text file; left out, it is told by content.
    decimal : {".", ","}, optional
        Decimal mark; left out, it is told by content.

    Raises
    ------
    InputError
        If a named column is missing, a cell is no number, a region × sector pair stands twice or is absent.

    See Also
    --------
    read_table_file : reads whatever :class:`TableOptions` can say, suppressed cells among it.
    """
    options = TableOptions(
        region=region, sector=sector, value=value, where=where or {}, encoding=encoding, decimal=decimal
    )
    return read_table_file(path, options, sectors=False).values


def read_table_file(
    path: str | Path, options: TableOptions | None = None, *, sectors: bool = True
) -> RegionTable:
    """Read a file into regions × sectors, and say what was found and left out on the way.

    Parameters
    ----------
    path : path
        CSV, XLSX or Parquet; ``-`` for standard input.
    options : TableOptions, optional
    sectors : bool
        Whether the columns are sectors, of which none may be the sum of others; else any variables.

    Raises
    ------
    InputError
        If a named column is missing, a cell is no number and no known mark, a region × sector pair stands
        twice or is absent, or a row, column or code is the sum of others.
    """
    options = options or TableOptions()
    if options.sector is not None and options.value is None:
        raise InputError("A long table needs both its sector and its value column; a wide one needs neither.")
    grid = _grid(path, options)
    layout = find_table(grid, header=options.header, skip=options.skip, footnotes=options.footnotes)
    source, frame, notes = grid.source, layout.frame, list(layout.notes)
    region, sector, value = (
        None if name is None else tidy_label(name) for name in (options.region, options.sector, options.value)
    )
    region = region or str(frame.columns[0])
    where = {tidy_label(column): wanted for column, wanted in options.where.items()}
    named = [name for name in (region, sector, value, *where) if name is not None]
    require_labels(named, frame.columns, f"{source} has no column")
    if twice := [name for name in dict.fromkeys(named) if named.count(name) > 1]:
        raise InputError(
            f"{source}: the column {twice[0]!r} is named for two purposes; name another for one."
        )
    whole, frame = frame, keep_rows(frame, where, source)
    if where and options.absent is not None:
        # Else a region that has no row is no region of the table, as of a year before it was founded.
        here = set(tidy_distinct(frame[region]))
        if gone := [label for label in tidy_distinct(whole[region]).unique() if label not in here]:
            notes.append(f"{listing(gone, 3)} left without a row by where, and so out of the table")
    frame = frame.assign(**{region: _labels(frame[region], region, source, options.footnotes, notes)})
    frame = _without_regions(frame, region, options, source, notes)
    columns = [str(column) for column in frame.columns if column not in {region, *where}]
    if sector is not None and value is not None:
        table = _long(frame, (region, sector, value), options, source, notes)
    else:
        table = _wide(frame, region, columns if value is None else [value], options, source, notes)
    table = _without_base(_renamed(table, options, source), options, source)
    refuse_twins(table.values.index.tolist(), "region", source)
    refuse_twins(table.values.columns.tolist(), "sector", source)
    if not options.keep_sums:
        refuse_sums(table.values, source, sectors=sectors)
    told = (f"{source}: {'; '.join(notes)}.",) if notes else ()
    return replace(table, notes=told)


def keep_rows(frame: pd.DataFrame, where: Mapping[str, object], source: str) -> pd.DataFrame:
    """Keep the rows whose cells are the wanted ones, and drop the columns that then say nothing.

    Parameters
    ----------
    frame : DataFrame
    where : mapping
        Column → value or list of values; numbers match whatever way they are written (``2015`` and
        ``2015.0``).
    source : str
        What the table is called in an error sentence.

    Raises
    ------
    InputError
        If there is no such column, or no row is left; the values there are, are listed.

    Examples
    --------
    >>> frame = pd.DataFrame({"year": ["2015.0", "2016.0"], "jobs": ["1", "2"]})
    >>> keep_rows(frame, {"year": 2016}, "jobs.csv")["jobs"].tolist()
    ['2']
    """
    require_labels(where, frame.columns, f"{source} has no column")
    for column, wanted in where.items():
        several = isinstance(wanted, list | tuple | set)
        given = list(wanted) if isinstance(wanted, list | tuple | set) else [wanted]
        cells, values = same_cells(frame[column]), set(same_cells(pd.Series(given, dtype=object)))
        unknown = sorted(tidy_label(value) for value in values - set(cells.unique()))
        if unknown or not values:
            there = [label or "(empty)" for label in tidy_distinct(frame[column]).unique()]
            raise InputError(
                f"{source} has no row where {column} is {listing(unknown) or 'one of no values'}; "
                f"it has {listing(there, 12)}."
            )
        frame = frame[cells.isin(values)]
        if not several or len(values) == 1:
            frame = frame.drop(columns=column)
    return frame


def _labels(column: pd.Series, name: str, source: str, footnotes: bool, notes: list[str]) -> pd.Series:
    """Labels of a column; those that lost a footnote mark are noted."""
    for cell in column.drop_duplicates():
        if not isinstance(cell, str) or cell.startswith("#"):
            line = next(line for line, other in column.items() if other is cell or other == cell)
            refuse_no_name(cell, f"{source}, line {line}: the {name!r} cell")
    labels = tidy_distinct(column)
    if (labels == "").any():
        raise InputError(
            f"{source}, line {labels.index[labels == ''][0]}: the {name!r} cell is empty; write the name in "
            "every line, or take out lines that are no part of the table."
        )
    if not footnotes:
        return labels
    bare = {label: without_mark(label) for label in labels.unique()}
    if marked := [label for label, other in bare.items() if label != other]:
        notes.append(f"footnote marks of {listing(marked, 3)} taken off")
    return labels.map(bare)


def _without_regions(
    frame: pd.DataFrame, region: str, options: TableOptions, source: str, notes: list[str]
) -> pd.DataFrame:
    dropped = [tidy_label(label) for label in options.drop_regions]
    require_labels(
        dropped, frame[region].unique(), f"drop_regions names regions that {source} does not have:"
    )
    if not dropped:
        return frame
    notes.append(f"{listing(dropped)} left out as stated")
    frame = frame[~frame[region].isin(dropped)]
    if frame.empty:
        raise InputError(f"{source} has no row left after drop_regions.")
    return frame


def _refuse_repeats(frame: pd.DataFrame, keys: list[str], source: str) -> None:
    repeated = frame.duplicated(keys, keep=False)
    if not repeated.any():
        return
    first = frame.loc[repeated, keys].iloc[0]
    rows = frame[(frame[keys] == first).all(axis=1)]
    others = [column for column in frame.columns if column not in keys]
    # What tells the rows apart must not be a number that merely differs.
    telling = [
        column
        for column in others
        if same_cells(rows[column]).nunique() == len(rows)
        and same_cells(frame[column]).nunique() <= len(frame) / 2
    ]
    hint = ""
    if telling:
        hint = (
            f"; the column {telling[0]!r} tells them apart: keep one of its values (where = "
            f'{{ {telling[0]} = "{tidy_label(rows[telling[0]].iloc[-1])}" }}, --where {telling[0]}='
            f"{tidy_label(rows[telling[0]].iloc[-1])})"
        )
    raise InputError(
        f"{source}: {' × '.join(first)} stands more than once, in lines {listing(rows.index)}{hint}."
    )


def _wide(
    frame: pd.DataFrame,
    region: str,
    columns: list[str],
    options: TableOptions,
    source: str,
    notes: list[str],
) -> RegionTable:
    if options.value is None:
        dropped = [tidy_label(column) for column in options.drop]
        require_labels(dropped, columns, f"drop names columns that {source} does not have:")
        columns = [column for column in columns if column not in dropped]
    if not columns:
        raise InputError(f"{source} has no column beside {region}; expected one for each sector.")
    _refuse_repeats(frame, [region], source)
    cells = _cells(frame, columns, options, source, notes)
    bare = frame[region][frame[columns].isna().all(axis=1)]
    if len(bare):
        notes.append(f"{listing(bare)} without any number, as empty cells are stated to be")
    regions = pd.Index(frame[region], name="region")
    values, hidden = (part.set_axis(regions, axis=0) for part in (cells.numbers, cells.hidden))
    return _national(values, hidden, options, source)


def _long(
    frame: pd.DataFrame,
    names: tuple[str, str, str],
    options: TableOptions,
    source: str,
    notes: list[str],
) -> RegionTable:
    region, sector, value = names
    frame = frame.assign(**{sector: _labels(frame[sector], sector, source, options.footnotes, notes)})
    dropped = [tidy_label(label) for label in options.drop]
    require_labels(dropped, frame[sector].unique(), f"drop names sectors that {source} does not have:")
    frame = frame[~frame[sector].isin(dropped)]
    if frame.empty:
        raise InputError(f"{source} has no row left after drop.")
    _refuse_repeats(frame, [region, sector], source)
    cells = _cells(frame, [value], options, source, notes)
    rows, row_labels = pd.factorize(frame[region])
    columns, column_labels = pd.factorize(frame[sector])
    shape = (len(row_labels), len(column_labels))
    present = np.zeros(shape, dtype=bool)
    numbers, hidden = np.full(shape, np.nan), np.zeros(shape, dtype=bool)
    present[rows, columns] = True
    numbers[rows, columns] = cells.numbers[value]
    hidden[rows, columns] = cells.hidden[value]
    if not present.all():
        absent = np.argwhere(~present)
        if options.absent is None:
            pairs = [f"{row_labels[i]} × {column_labels[j]}" for i, j in absent]
            raise InputError(
                f"{source}: {len(pairs)} region × sector pairs have no row ({listing(pairs, 3)}); write 0 "
                'where there is no activity, or say what absence means (absent = "zero", or "suppressed").'
            )
        numbers[~present] = 0.0 if options.absent == "zero" else np.nan
        hidden |= ~present & (options.absent == "suppressed")
        notes.append(f"{len(absent)} absent pairs taken as {options.absent}")
    index, labels = pd.Index(row_labels, name="region"), pd.Index(column_labels)
    values = pd.DataFrame(numbers, index=index, columns=labels)
    return _national(values, pd.DataFrame(hidden, index=index, columns=labels), options, source)


def _cells(
    frame: pd.DataFrame, columns: list[str], options: TableOptions, source: str, notes: list[str]
) -> Cells:
    cells = parse_cells(
        frame,
        columns,
        source=source,
        decimal=options.decimal,
        unknown=options.unknown,
        footnotes=options.footnotes,
    )
    notes += cells.notes
    return cells


def _national(values: pd.DataFrame, hidden: pd.DataFrame, options: TableOptions, source: str) -> RegionTable:
    """Take the national total out of the rows."""
    if options.total is None:
        return RegionTable(values, hidden)
    label = tidy_label(options.total)
    require_labels([label], values.index, f"total names a row that {source} does not have:")
    rest = values.index != label
    return RegionTable(values[rest], hidden[rest], pd.Series(values.loc[label], name="national"))


def _without_base(table: RegionTable, options: TableOptions, source: str) -> RegionTable:
    """Take the base out of the columns, if it is one."""
    base, values = options.base, table.values
    if base is None or base not in values.columns:
        return table
    if values[base].isna().any():
        lacking = values.index[values[base].isna()]
        raise InputError(
            f"{source}: the base {base!r} is suppressed in {listing(lacking)}; a base must be known."
        )
    if values.shape[1] == 1:
        raise InputError(f"{source} has no column beside its base {base!r}; expected one for each sector.")
    national = table.national
    return replace(
        table,
        values=values.drop(columns=base),
        hidden=table.hidden.drop(columns=base),
        base=values[base],
        national=None if national is None else national.drop(base),
        national_base=None if national is None or np.isnan(national[base]) else float(national[base]),
    )


def _renamed(table: RegionTable, options: TableOptions, source: str) -> RegionTable:
    if not options.rename:
        return table
    names = {tidy_label(old): tidy_label(new) for old, new in options.rename.items()}
    regions, sectors = table.values.index, table.values.columns
    require_labels(names, [*regions, *sectors], f"rename names labels that {source} does not have:")

    def new(labels: Iterable[str]) -> list[str]:
        return [names.get(label, label) for label in labels]

    index, columns = pd.Index(new(regions), name="region"), pd.Index(new(sectors))
    for what, found in (("region", index), ("sector", columns)):
        if not found.is_unique:
            raise InputError(
                f"rename gives two {what}s of {source} one name: "
                f"{listing(found[found.duplicated()].unique())}."
            )
    national = table.national
    if national is not None:
        national = national.set_axis(columns)
    values, hidden = (
        part.set_axis(index, axis=0).set_axis(columns, axis=1) for part in (table.values, table.hidden)
    )
    return replace(table, values=values, hidden=hidden, national=national)
