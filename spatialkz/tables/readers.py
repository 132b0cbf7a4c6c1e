"""Read CSV, XLSX and Parquet files into regions × sectors, with errors that name the line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from spatialkz.errors import InputError, listing
from spatialkz.tables.grids import Grid, read_grid
from spatialkz.tables.labels import refuse_twins, require_labels, tidy_label, without_mark
from spatialkz.tables.layout import find_table
from spatialkz.tables.numbers import Decimal, is_number, parse_cells
from spatialkz.tables.sums import refuse_sums

Absent = Literal["zero", "suppressed"]


@dataclass(frozen=True)
class FileOptions:
    """How the cells of a file are to be read; what is left out is told by content.

    Attributes
    ----------
    encoding : str, optional
        Encoding of a text file.
    delimiter : str, optional
        What parts the cells of a text file.
    decimal : {".", ","}, optional
        Decimal mark of numbers written as text.
    sheet : str or int, optional
        Name or number of a workbook's sheet.
    header : tuple of int, optional
        Lines of the header.
    skip : int
        Lines at the top to leave out.
    footnotes : bool
        Take footnote marks off names and numbers.
    """

    encoding: str | None = None
    delimiter: str | None = None
    decimal: Decimal | None = None
    sheet: str | int | None = None
    header: tuple[int, ...] | None = None
    skip: int = 0
    footnotes: bool = True


@dataclass(frozen=True)
class TableOptions(FileOptions):
    """Which cells of a file make up a table of regions × sectors, and what they are called.

    Attributes
    ----------
    region : str, optional
        Column with the region; left out, the first column.
    sector, value : str, optional
        Given both, the file is long: a row for each region × sector. A value alone keeps that column.
    where : mapping
        Column → value, or list of values, of the rows to keep; these columns are then dropped.
    unknown : mapping
        Mark → ``"zero"``, ``"suppressed"`` or ``"flag"``; see :func:`spatialkz.tables.parse_cells`.
    absent : {"zero", "suppressed"}, optional
        What a region × sector pair without a row in a long file means; left out, it is refused.
    drop, drop_regions : tuple of str
        Columns and regions to leave out.
    rename : mapping
        Old → new label of regions and sectors.
    total : str, optional
        Region whose row is the national total.
    base : str, optional
        Column with the base of each region, if there is one of that name; it is no sector.
    keep_sums : bool
        Accept rows, columns and codes that are sums of others.
    """

    region: str | None = None
    sector: str | None = None
    value: str | None = None
    where: Mapping[str, object] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)
    absent: Absent | None = None
    drop: tuple[str, ...] = ()
    drop_regions: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    total: str | None = None
    base: str | None = None
    keep_sums: bool = False

    def for_side_file(self) -> FileOptions:
        """What a file beside the table has in common with it: the encoding and the decimal mark."""
        return FileOptions(encoding=self.encoding, decimal=self.decimal)


@dataclass(frozen=True)
class RegionTable:
    """A table as it was read.

    Attributes
    ----------
    values : DataFrame
        Index = region, columns = sector or variable; NaN exactly where ``hidden`` is true.
    hidden : DataFrame of bool
        Cells that the source suppressed.
    national : Series, optional
        The row of the national total, by column; NaN where it is suppressed.
    base : Series, optional
        The base of each region, where it is a column of the table.
    national_base : float, optional
        The base in the row of the national total.
    notes : tuple of str
        What was told from the content, left out or renamed.
    """

    values: pd.DataFrame
    hidden: pd.DataFrame
    national: pd.Series | None = None
    base: pd.Series | None = None
    national_base: float | None = None
    notes: tuple[str, ...] = ()


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
    decimal: Decimal | None = None,
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
    layout = find_table(
        _grid(path, options), header=options.header, skip=options.skip, footnotes=options.footnotes
    )
    source = "standard input" if str(path) == "-" else Path(path).name
    frame, notes = layout.frame, list(layout.notes)
    region = options.region or str(frame.columns[0])
    wanted = [name for name in (region, options.sector, options.value, *options.where) if name is not None]
    require_labels(wanted, frame.columns, f"{source} has no column")
    frame = keep_rows(frame, options.where, source)
    if options.value is None:
        require_labels(options.drop, frame.columns, f"drop names columns that {source} does not have:")
        frame = frame.drop(columns=list(options.drop))
    labels, marked = _labels(frame[region], region, source, options.footnotes)
    frame = frame.assign(**{region: labels})
    if marked:
        notes.append(f"footnote marks of {listing(marked, 3)} taken off")
    frame, left_out = _without_regions(frame, region, options, source)
    refuse_twins(frame[region].unique(), "region", source)
    if options.sector is not None and options.value is not None:
        table, more = _long(frame, region, options, source)
    else:
        table, more = _wide(frame, region, options, source)
    table = _without_base(_renamed(table, options, source), options, source)
    if not options.keep_sums:
        refuse_sums(table.values, source, sectors=sectors)
    notes += more + left_out
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
        values = {_same(value) for value in (wanted if isinstance(wanted, list | tuple | set) else [wanted])}
        cells = frame[column].map(_same)
        unknown = sorted(str(value) for value in values if value not in set(cells))
        if unknown or not values:
            there = list(dict.fromkeys(tidy_label(cell) or "(empty)" for cell in frame[column]))
            raise InputError(
                f"{source} has no row where {column} is {listing(unknown) or 'one of no values'}; "
                f"it has {listing(there, 12)}."
            )
        frame = frame[cells.isin(values)]
        if not several or len(values) == 1:
            frame = frame.drop(columns=column)
    return frame


def _same(cell: object) -> object:
    """What two cells have in common that say the same: a number its value, a text its letters."""
    text = tidy_label(cell)
    try:
        return float(text) if is_number(text) else text
    except ValueError:
        return text


def _labels(column: pd.Series, name: str, source: str, footnotes: bool) -> tuple[pd.Series, list[str]]:
    """Labels of a column, and those that lost a footnote mark."""
    dates = column.map(lambda cell: hasattr(cell, "isoformat"))
    if dates.any():
        line = dates.index[dates][0]
        raise InputError(
            f"{source}, line {line}: the {name!r} cell is a date ({column[line]}), not a name; make it text."
        )
    labels = column.map(tidy_label)
    if (labels == "").any():
        raise InputError(f"{source}, line {labels.index[labels == ''][0]}: the {name!r} cell is empty.")
    if not footnotes:
        return labels, []
    bare = labels.map(without_mark)
    return bare, list(dict.fromkeys(labels[bare != labels]))


def _without_regions(
    frame: pd.DataFrame, region: str, options: TableOptions, source: str
) -> tuple[pd.DataFrame, list[str]]:
    dropped = [tidy_label(label) for label in options.drop_regions]
    require_labels(
        dropped, frame[region].unique(), f"drop_regions names regions that {source} does not have:"
    )
    if not dropped:
        return frame, []
    return frame[~frame[region].isin(dropped)], [f"{listing(dropped)} left out as stated"]


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
        if rows[column].map(_same).nunique() == len(rows)
        and frame[column].map(_same).nunique() <= len(frame) / 2
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
    frame: pd.DataFrame, region: str, options: TableOptions, source: str
) -> tuple[RegionTable, list[str]]:
    _refuse_repeats(frame, [region], source)
    columns = [str(column) for column in frame.columns if column != region]
    if options.value is not None:
        columns = [options.value]
    elif not columns:
        raise InputError(f"{source} has no column beside {region}; expected one for each sector.")
    cells = _cells(frame, columns, options, source)
    regions = pd.Index(frame[region], name="region")
    values, hidden = (part.set_axis(regions, axis=0) for part in (cells.numbers, cells.hidden))
    return _national(values, hidden, options, source), list(cells.notes)


def _long(
    frame: pd.DataFrame, region: str, options: TableOptions, source: str
) -> tuple[RegionTable, list[str]]:
    sector, value = str(options.sector), str(options.value)
    labels, _ = _labels(frame[sector], sector, source, options.footnotes)
    frame = frame.assign(**{sector: labels})
    dropped = [tidy_label(label) for label in options.drop]
    require_labels(dropped, frame[sector].unique(), f"drop names sectors that {source} does not have:")
    frame = frame[~frame[sector].isin(dropped)]
    if frame.empty:
        raise InputError(f"{source} has no row left after drop.")
    refuse_twins(frame[sector].unique(), "sector", source)
    _refuse_repeats(frame, [region, sector], source)
    cells = _cells(frame, [value], options, source)
    rows, row_labels = pd.factorize(frame[region])
    columns, column_labels = pd.factorize(frame[sector])
    shape = (len(row_labels), len(column_labels))
    present = np.zeros(shape, dtype=bool)
    numbers, hidden = np.full(shape, np.nan), np.zeros(shape, dtype=bool)
    present[rows, columns] = True
    numbers[rows, columns] = cells.numbers[value]
    hidden[rows, columns] = cells.hidden[value]
    notes = list(cells.notes)
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
    index, names = pd.Index(row_labels, name="region"), pd.Index(column_labels)
    values = pd.DataFrame(numbers, index=index, columns=names)
    return _national(values, pd.DataFrame(hidden, index=index, columns=names), options, source), notes


def _cells(frame: pd.DataFrame, columns: list[str], options: TableOptions, source: str) -> Any:
    return parse_cells(
        frame,
        columns,
        source=source,
        decimal=options.decimal,
        unknown=options.unknown,
        footnotes=options.footnotes,
    )


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
