"""How a file is to be read, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from spatialkz.options import AbsentPair, DecimalMark


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
    decimal: DecimalMark | None = None
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
    absent: AbsentPair | None = None
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
