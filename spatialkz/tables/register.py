"""A register of firms, plants or people as a table of regions × sectors, on whatever engine holds it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import get_args

import numpy as np
import pandas as pd

from spatialkz.errors import InputError, listing, notice
from spatialkz.options import DecimalMark, LeftOut, NumberKind, PrefixOverlap, RegisterBase, SectorLevel
from spatialkz.tables.activity import ActivityTable
from spatialkz.tables.classification import Classification, Prefixes, code_texts
from spatialkz.tables.engines import Pass, Register, opened, sums
from spatialkz.tables.labels import refuse_twins, tidy_distinct

_MOST_CELLS = 100_000_000
_SUMS = ["rows", "given", "total", "square"]


@dataclass(frozen=True, repr=False)
class RegisterTable(ActivityTable):
    """An :class:`ActivityTable` that was added up from a register, and what the register told besides.

    Attributes
    ----------
    rows : int
        Rows of the register that were kept, those in no cell too.
    plants : DataFrame, shape (regions, sectors), optional
        Number of rows with a value in each cell; None in a table made of this one with other labels.
    herfindahl : Series, optional
        Sector → sum of the squared shares of its plants, which
        :func:`~spatialkz.specialization.ellison_glaeser` takes; NaN where a sector has no activity.
    left_out : DataFrame
        Index ``reason``; columns ``rows, value``: what stands in no cell.
    """

    rows: int = 0
    plants: pd.DataFrame | None = None
    herfindahl: pd.Series | None = None
    left_out: pd.DataFrame = field(default_factory=pd.DataFrame)

    def __post_init__(self) -> None:
        super().__post_init__()
        # A table aggregated from this one has other regions or sectors, which plants no longer fit.
        if self.plants is not None and not self.plants.axes[0].equals(self.regions):
            object.__setattr__(self, "plants", None)
        if self.herfindahl is not None and not self.herfindahl.index.equals(self.sectors):
            object.__setattr__(self, "plants", None)
            object.__setattr__(self, "herfindahl", None)

    def summary(self) -> str:
        """What the numbers are, from how many rows, and what stands in no cell."""
        lines = [super().summary(), f"From {self.rows:,} rows of a register."]
        if len(self.left_out):
            lines.append(_told(self.left_out, self.rows))
        return "\n".join(lines)


def aggregate_register(
    frame: Register,
    region: str,
    sector: str,
    value: str | None = None,
    *,
    regions: Prefixes = None,
    sectors: Prefixes | SectorLevel = None,
    plants: bool = False,
    base: RegisterBase | pd.Series | pd.DataFrame = "sectors",
    contained: bool = True,
    kind: NumberKind | None = None,
    unit: str = "",
    where: Mapping[str, object] | None = None,
    constant: tuple[str, ...] | list[str] = (),
    missing: LeftOut = "error",
    unmatched: LeftOut = "error",
    overlap: PrefixOverlap = "error",
    region_digits: int | None = None,
    sector_digits: int | None = None,
    decimal: DecimalMark = ".",
) -> RegisterTable:
    r"""Add up a register of firms, plants or people to a table of regions × sectors.

    The engine that holds the register adds it up, in one pass; only the sums come back. Whole numbers give
    the same table on every engine, others differ in the last digits at most.

    Parameters
    ----------
    frame : frame, dataset, or names of files
        pandas, Polars (eager or lazy), DuckDB relation, PyArrow table or dataset, Dask or PySpark; or a name,
        a pattern, a folder or a list of names of Parquet or CSV files, which DuckDB reads without loading
        them.
    region, sector : str
        Columns with the codes.
    value : str, optional
        Column with jobs or output; left out, rows are counted.
    regions, sectors : int, mapping or Series, optional
        How codes become labels: a number of leading characters (KATO 2, NUTS 4, FIPS 5), or prefix → label.
        ``sectors`` can name a level of NACE Rev. 2, which OKED shares: ``"section", "division", "group",
        "class"``; ``"technology"``, Eurostat's high-tech and knowledge-intensive aggregation by division, or
        ``"technology-3"``, with the five groups that it puts elsewhere. Dots and the letter of a section do
        not count. Left out, each code is a label.
    plants : bool
        Each row is a plant: count them, and sum the squares of their shares.
    base : {"sectors", "all"}, Series or DataFrame
        Base of the quotients: the sum of the table's sectors, the sum of all rows of a region (those without
        a sector too), or one of your own.
    contained : bool
        Whether a base of your own contains the sectors and is in their unit.
    kind : {"counts", "volumes"}, optional
        Counts if rows are counted, else volumes; jobs are counts.
    unit : str
        Unit of the values, for captions.
    where : mapping, optional
        Column → value, or list of values, of the rows to keep, such as ``{"year": 2022}``.
    constant : list of str
        Columns that must have a single value in the rows that are kept, such as the year or the unit.
    missing : {"error", "leave-out"}
        What is done about rows without a value.
    unmatched : {"error", "leave-out"}
        What is done about codes that have no label.
    overlap : {"error", "longest"}
        What is done where one prefix begins with another that has a different label.
    region_digits, sector_digits : int, optional
        Digits of codes that lost leading zeros, which so come back.
    decimal : {".", ","}
        Decimal mark in CSV files.

    Returns
    -------
    RegisterTable
        An :class:`ActivityTable`; a pair of region and sector without a row is 0. Rows without a region or
        sector code are in no cell: a :class:`~spatialkz.errors.Notice` says how many they are and what share
        of the value they hold, as does ``left_out``; another names regions of a mapping that have no row.

    Raises
    ------
    InputError
        If a column or file is missing, values are negative, missing or no numbers, codes have no or two
        labels, a constant column has two values, or there are no rows.
    SpatialKZError
        If the engine fails, such as when all workers of a cluster are lost.

    Notes
    -----
    With :math:`z_k` the share of plant *k* in its sector, ``herfindahl`` is :math:`\sum_k z_k^2 =
    \sum_k v_k^2 / (\sum_k v_k)^2` (Ellison & Glaeser 1997, *Journal of Political Economy* 105, 889–927).

    Examples
    --------
    >>> firms = pd.DataFrame({
    ...     "kato": ["710000000", "750000000", "750000000", "710000000"],
    ...     "oked": ["62.01", "62011", "20.1", "J63"],
    ...     "jobs": [30, 10, 50, 5],
    ... })
    >>> table = aggregate_register(firms, "kato", "oked", "jobs", regions={"71": "Astana", "75": "Almaty"},
    ...                            sectors="section", kind="counts", unit="jobs", plants=True)
    >>> table.values
    sector     C     J
    region
    Astana   0.0  35.0
    Almaty  50.0  10.0
    >>> float(table.herfindahl["J"].round(4))  # (30² + 10² + 5²) / 45²
    0.5062
    """
    for option, given in (("missing", missing), ("unmatched", unmatched)):
        if given not in get_args(LeftOut):
            raise InputError(f"{option} is {given!r}; it must be one of {listing(get_args(LeftOut))}.")
    if isinstance(base, str) and base not in get_args(RegisterBase):
        raise InputError(
            f"base is {base!r}; it must be one of {listing(get_args(RegisterBase))}, or a table."
        )
    kind = kind or ("counts" if value is None else "volumes")
    if kind == "quotients":
        raise InputError("A register adds up to volumes or counts; quotients are computed from them.")
    names = {"region": Classification.of(regions, "region", overlap)}
    names["sector"] = Classification.of(sectors, "sector", overlap)
    wanted = Pass(
        region,
        sector,
        value,
        squares=plants and value is not None,
        widths=(names["region"].cut(region_digits), names["sector"].cut(sector_digits)),
        where=where or {},
        constant=tuple(constant),
    )
    source = opened(
        frame,
        wanted.columns,
        texts=(region, sector),
        numbers=() if value is None else (value,),
        decimal=decimal,
    )
    found = sums(source, wanted)
    if value is not None and missing == "leave-out" and found["total"].isna().any():
        found = sums(source, wanted, no_value=True)
    found = _checked(found, wanted)
    _refuse_values(found, value, missing)
    _refuse_mixed(found, wanted.constant)
    digits = {"region": region_digits, "sector": sector_digits}
    told = {name: _labelled(found[name], name, names[name], digits[name]) for name in names}
    if unmatched == "error":
        for name, column in (("region", region), ("sector", sector)):
            _refuse_unmatched(found, told[name], name, column)
    found, left_out = _parted(found.assign(**told))
    placed = found.dropna(subset=["region", "sector"])
    if placed.empty:
        raise InputError(f"None of the {found['rows'].sum():,} rows has both a region and a sector code.")
    if len(left_out):
        notice(_told(left_out, int(found["rows"].sum()), value))
    _refuse_too_wide(placed)
    table = _table(placed, names, "total")
    if absent := [label for label in names["region"].known if label not in table.index]:
        notice(f"{len(absent)} of {len(names['region'].known)} regions have no row: {listing(absent)}.")
    if isinstance(base, str):
        total = found.groupby("region", observed=True)["total"].sum()
        base = total.loc[table.index].rename("base") if base == "all" else None  # type: ignore[assignment]
    squares = placed.groupby("sector", observed=True)["square"].sum().loc[table.columns]
    return RegisterTable(
        table,
        kind,
        unit=unit,
        base=base,  # type: ignore[arg-type]
        contained=contained,
        rows=int(found["rows"].sum()),
        plants=_table(placed, names, "given").astype("int64") if plants else None,
        herfindahl=_shares(squares, table.sum()) if plants else None,
        left_out=left_out,
    )


def _checked(found: pd.DataFrame, wanted: Pass) -> pd.DataFrame:
    """Sums of one kind on every engine, in one order."""
    rows = int(found["rows"].sum())
    if not rows:
        kept = listing(f"{column} = {value}" for column, value in wanted.where.items())
        raise InputError(f"No row of the register has {kept}." if kept else "The register has no rows.")
    if wanted.value is None:
        # Of plants without a size, each counts as one.
        found = found.assign(given=found["rows"], total=found["rows"], square=found["rows"], low=1.0)
    elif not wanted.squares:
        found = found.assign(square=0.0)
    numbers = dict.fromkeys((*_SUMS, "low"), "float64") | {"rows": "int64", "given": "int64"}
    return found.astype(numbers)


def _shares(squares: pd.Series, totals: pd.Series) -> pd.Series:
    return (squares.set_axis(totals.index) / totals.where(totals > 0) ** 2).rename("herfindahl")


def _refuse_values(found: pd.DataFrame, value: str | None, missing: LeftOut) -> None:
    """Refuse values that are negative, infinite or (unless they are left out) missing, by their codes."""
    negative = found["low"] < 0
    endless = ~np.isfinite(found["total"]) | ~np.isfinite(found["square"])
    for bad, what in ((negative, "negative"), (endless, "NaN, infinite or too large")):
        if bad.any():
            raise InputError(
                f"Values of {value} must be finite and not negative, but some are {what} in "
                f"{_codes(found[bad])}; mend them, or leave those rows out."
            )
    lacking = found["rows"] - found["given"]
    if missing == "error" and lacking.any():
        raise InputError(
            f"{lacking.sum():,} of {found['rows'].sum():,} rows have no {value}, as in "
            f"{_codes(found[lacking > 0])}; fill them, or leave them out (missing = 'leave-out')."
        )


def _refuse_mixed(found: pd.DataFrame, constant: tuple[str, ...]) -> None:
    for k, column in enumerate(constant):
        least, most = found[f"least_{k}"].dropna(), found[f"most_{k}"].dropna()
        held, rows = int(found[f"given_{k}"].sum()), int(found["rows"].sum())
        if not held or held < rows:
            raise InputError(f"{rows - held:,} of {rows:,} rows have no {column}, which must be one for all.")
        if least.min() != most.max():
            raise InputError(
                f"The column {column} must have one value in all rows, but it has at least {least.min()} and "
                f"{most.max()}; keep the rows of one (where)."
            )


def _codes(found: pd.DataFrame) -> str:
    cells = found[["region", "sector"]].apply(tidy_distinct).replace("", "no code")
    return listing(sorted(f"{row.region} × {row.sector}" for row in cells.itertuples()), 3)


def _labelled(codes: pd.Series, what: str, names: Classification, digits: int | None) -> pd.Series:
    """Label of each code, as category; missing where it has none, "" where there is no code."""
    place, distinct = pd.factorize(codes, use_na_sentinel=False)
    given = pd.Series(distinct)
    texts = tidy_distinct(given)
    exact = names.labels is not None and set(texts) <= {"", *names.labels}
    if digits or (names.width is not None and not exact):
        texts = code_texts(given, what, digits)
    which, labels = pd.factorize(np.array([text and names.label(text) for text in texts], dtype=object))
    return pd.Series(pd.Categorical.from_codes(which[place], pd.Index(labels)), index=codes.index)


def _refuse_unmatched(found: pd.DataFrame, labels: pd.Series, what: str, column: str) -> None:
    bad = labels.isna()
    if bad.any():
        codes = tidy_distinct(found.loc[bad, what])
        rows = found.loc[bad, "rows"].groupby(codes).sum().sort_values(ascending=False, kind="stable")
        cells = [f"{code} ({number:,} rows)" for code, number in rows.items()]
        raise InputError(
            f"{len(rows)} codes of {column} have no {what}: {listing(cells)}; mend them, add their prefixes "
            f"({what}s), or leave them out (unmatched = 'leave-out')."
        )


def _parted(found: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The sums with None where there is no label, and what stands in no cell, by reason."""
    reasons: dict[str, list[float]] = {}

    def add(rows: pd.Series, value: pd.Series, reason: str) -> None:
        if rows.sum():
            reasons[reason] = [int(rows.sum()), float(value.sum())]

    placed = found
    for name in ("region", "sector"):
        empty, unknown = placed[name] == "", placed[name].isna()
        for which, reason in ((empty, f"no {name} code"), (unknown, f"a code of no {name}")):
            add(placed.loc[which, "rows"], placed.loc[which, "total"], reason)
        placed = placed[~(empty | unknown)]
    add(placed["rows"] - placed["given"], placed["total"] * 0, "no value")
    left_out = pd.DataFrame.from_dict(reasons, orient="index", columns=["rows", "value"])
    labels = {name: found[name].where(found[name] != "") for name in ("region", "sector")}
    return found.assign(**labels), left_out.rename_axis("reason")


def _told(left_out: pd.DataFrame, rows: int, value: str | None = None) -> str:
    number = int(left_out["rows"].sum())
    parts = [f"{part.rows:,.0f} with {part.Index}" for part in left_out.itertuples()]
    amount = f"; they hold {left_out['value'].sum():,.10g} of {value}" if value else ""
    share = 100 * number / rows
    return f"{number:,} of {rows:,} rows ({share:.2g} %) stand in no cell: {listing(parts)}{amount}."


def _table(placed: pd.DataFrame, names: Mapping[str, Classification], column: str) -> pd.DataFrame:
    """Sums of one column as regions × sectors, labels in the order of their classification."""
    cells = placed.groupby(["region", "sector"], observed=True)[column].sum()
    table = cells.unstack(fill_value=0)
    table.index, table.columns = (pd.Index(axis.tolist(), name=axis.name) for axis in table.axes)
    ordered = {}
    for name, labels in (("region", table.index), ("sector", table.columns)):
        refuse_twins(labels, name, "The register")
        ordered[name] = list(_in_order(names[name].known, set(labels)))
    return table.loc[ordered["region"], ordered["sector"]].astype("float64")


def _refuse_too_wide(placed: pd.DataFrame) -> None:
    """Refuse a table that no memory holds, as codes of single firms would make."""
    regions, sectors = (placed[name].nunique() for name in ("region", "sector"))
    if regions * sectors > _MOST_CELLS:
        raise InputError(
            f"The register has {regions:,} regions and {sectors:,} sectors, {regions * sectors:,} cells; "
            "check the columns, or say how codes become labels (regions, sectors)."
        )


def _in_order(known: list[str], there: set[str]) -> Iterator[str]:
    yield from (label for label in known if label in there)
    yield from sorted(there.difference(known))
