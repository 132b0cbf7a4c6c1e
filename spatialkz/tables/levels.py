"""Cells that are known within limits, and printed totals as limits of their sums."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array

from spatialkz.errors import InputError, is_number, listing
from spatialkz.tables.labels import check_groups, check_labels, check_same_regions

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.intp]
Mask: TypeAlias = npt.NDArray[np.bool_]

# Sums of floating-point numbers agree with printed totals up to this share of the largest number.
_NOISE = 1e-11


@dataclass
class Level:
    """Sums of one kind, or the cells themselves: the limits of each, and which of them a cell is part of.

    Attributes
    ----------
    low, high : array, shape (nodes,)
        Limits of what varies; what is fixed has been taken off.
    of_cell : array, shape (cells,)
        Node of each cell that varies.
    fixed : pair of arrays, shape (nodes,)
        Lowest and highest sum of the cells that do not vary.
    called : callable
        Node → what it is called in a sentence.
    """

    low: Floats
    high: Floats
    of_cell: Ints
    fixed: tuple[Floats, Floats]
    called: Callable[[int], str]

    @cached_property
    def matrix(self) -> csr_array:
        """Which cells (columns) make up which sums (rows)."""
        n = len(self.of_cell)
        return csr_array((np.ones(n), (self.of_cell, np.arange(n))), shape=(len(self.low), n))

    def whole(self) -> tuple[Floats, Floats]:
        """Limits of the sums with what is fixed."""
        return self.low + self.fixed[0], self.high + self.fixed[1]


@dataclass
class Levels:
    """Cells that vary and every sum they are part of.

    Attributes
    ----------
    cells, parts, regions, sectors, groups, table : Level
        ``parts`` are sums of a region within a group of sectors, ``groups`` of a group in all regions.
    relations : list
        (part, sum, code): each node of the first level belongs to the node of the second that the code says.
    printed : list of Level
        Sums of which some have limits of their own.
    scale : float
        The largest number.
    varying : array of bool, shape (regions, sectors)
        Which cells of the table vary, in the order of ``cells``.
    """

    cells: Level
    parts: Level
    regions: Level
    sectors: Level
    groups: Level
    table: Level
    relations: list[tuple[Level, Level, Ints]]
    printed: list[Level]
    scale: float
    varying: Mask

    @property
    def noise(self) -> float:
        """Differences below this are floating point."""
        return _NOISE * self.scale

    @property
    def sums(self) -> list[Level]:
        """All levels but the cells, from the smallest sums to the largest."""
        return [self.parts, self.regions, self.sectors, self.groups, self.table]

    def make_whole(self) -> None:
        """Round all limits inwards, where what varies is whole numbers."""
        for level in (self.cells, *self.sums):
            level.low = np.ceil(level.low - min(self.noise, 1e-3))
            level.high = np.floor(level.high + min(self.noise, 1e-3))

    @classmethod
    def of(cls, low: pd.DataFrame, high: pd.DataFrame, varying: Mask, totals: Totals) -> Levels:
        """Take the cells that do not vary, each within its own limits, off the totals.

        Raises
        ------
        InputError
            If these cells alone contradict a total.
        """
        regions, sectors = low.index, low.columns
        n, k = low.shape
        code, names = pd.factorize(totals.groups.loc[sectors])
        g = len(names)
        i, j = np.arange(n).repeat(k), np.tile(np.arange(k), n)
        by_part = (totals.group_low.loc[regions, names], totals.group_high.loc[regions, names])
        by_region, by_sector = totals.regions.loc[regions], totals.sectors.loc[sectors]
        everything = [by_region, by_sector, *by_part, high]
        cells = [frame.to_numpy().ravel() for frame in everything]
        found = np.concatenate([*cells, np.array(totals.grand)])
        scale = float(np.abs(found[np.isfinite(found)]).max(initial=0.0))
        at = varying.ravel()
        ends = low.to_numpy().ravel(), high.to_numpy().ravel()

        def level(node: Ints, limits: tuple[Floats, Floats], called: Callable[[int], str]) -> Level:
            least, most = (_summed(node[~at], end[~at], len(limits[0])) for end in ends)
            _check(least, most, limits, np.bincount(node[at], minlength=len(least)), called, _NOISE * scale)
            # Without the noise of subtraction.
            left = cleaned(limits[0] - most, scale), cleaned(limits[1] - least, scale)
            return Level(*left, node[at], (least, most), called)

        open_ended = np.full(g, -np.inf), np.full(g, np.inf)
        row, column = i[at], j[at]
        single = Level(
            ends[0][at],
            ends[1][at],
            np.arange(len(row)),
            (np.zeros(len(row)), np.zeros(len(row))),
            partial(_cell_name, regions[row], sectors[column]),
        )
        part = level(
            i * g + code[j],
            (by_part[0].to_numpy().ravel(), by_part[1].to_numpy().ravel()),
            partial(_part_name, regions, names),
        )
        region = level(i, _columns(by_region), partial(_name, "region", regions))
        sector = level(j, _columns(by_sector), partial(_name, "sector", sectors))
        group = level(code[j], open_ended, partial(_name, "group", names))
        grand = np.array(totals.grand)
        table = level(np.zeros(n * k, dtype=np.intp), (grand[:1], grand[1:]), _table_name)
        relations = [
            (single, part, part.of_cell),
            (single, sector, sector.of_cell),
            (part, region, np.arange(n * g) // g),
            (part, group, np.arange(n * g) % g),
            (sector, group, code),
            (region, table, np.zeros(n, dtype=np.intp)),
            (group, table, np.zeros(g, dtype=np.intp)),
        ]
        sums = [part, region, sector, group, table]
        printed = [level for level in sums if np.isfinite([level.low, level.high]).any()]
        return cls(single, part, region, sector, group, table, relations, printed, scale, varying)


def _summed(node: Ints, values: Floats, m: int) -> Floats:
    return np.bincount(node, values, m).astype(np.float64)


def cleaned(values: Floats, scale: float) -> Floats:
    """Values to twelve digits of the largest number."""
    return np.round(values, int(12 - np.ceil(np.log10(scale)))) if scale > 0 else values


def _name(kind: str, labels: pd.Index, node: int) -> str:
    return f"{kind} {labels[node]}"


def _cell_name(regions: pd.Index, sectors: pd.Index, node: int) -> str:
    return f"{regions[node]} × {sectors[node]}"


def _part_name(regions: pd.Index, groups: pd.Index, node: int) -> str:
    region, group = divmod(node, len(groups))
    return f"region {regions[region]}" + (f" in group {groups[group]}" if len(groups) > 1 else "")


def _table_name(_: int) -> str:
    return "the whole table"


def _columns(limits: pd.DataFrame) -> tuple[Floats, Floats]:
    return limits["low"].to_numpy(), limits["high"].to_numpy()


def _check(
    least: Floats,
    most: Floats,
    limits: tuple[Floats, Floats],
    hidden: Ints,
    called: Callable[[int], str],
    noise: float,
) -> None:
    """Refuse totals that printed cells alone contradict, naming the first."""
    more = np.flatnonzero(least > limits[1] + noise)
    if len(more):
        node = more[0]
        raise InputError(
            f"The printed cells of {called(node)} add up to {_number(least[node])}, more than the total of "
            f"{_number(limits[1][node])}; check both, or state how far numbers are rounded."
        )
    less = np.flatnonzero((hidden == 0) & (most < limits[0] - noise))
    if len(less):
        node = less[0]
        raise InputError(
            f"The cells of {called(node)}, none of them hidden, add up to {_number(most[node])}, less than "
            f"the total of {_number(limits[0][node])}; check both, or state how far numbers are rounded."
        )


def _number(value: float) -> str:
    return f"{value:.10g}"


def tighten(levels: Levels) -> float:
    """Draw the limits of parts and sums to each other once, in place; the largest change of a cell.

    A sum lies between the sums of its parts' limits, and a part is at least what the sum leaves when all
    other parts are as high as they can be, and at most what it leaves when they are as low as they can be.

    Raises
    ------
    InputError
        If nothing lies within the limits of a sum or cell.
    """
    before = levels.cells.low.copy(), levels.cells.high.copy()
    # Up to the largest sums and down again, so that nothing waits for the next call.
    for part, whole, code in (*levels.relations, *levels.relations[-2::-1]):
        m = len(whole.low)
        lowest = _others(part.low, code, m)
        highest = _others(part.high, code, m)
        np.maximum(whole.low, lowest[0], out=whole.low)
        np.minimum(whole.high, highest[0], out=whole.high)
        np.minimum(part.high, whole.high[code] - lowest[1], out=part.high)
        np.maximum(part.low, whole.low[code] - highest[1], out=part.low)
        for level in (whole, part):
            crossed = np.flatnonzero(level.low > level.high + levels.noise)
            if len(crossed):
                node = crossed[0]
                raise InputError(
                    "The totals contradict each other or the values stated for hidden cells: what is hidden "
                    f"in {level.called(node)} would have to be at least {_number(level.low[node])} and at "
                    f"most {_number(level.high[node])}; check its totals, and the smallest and largest value "
                    "stated."
                )
            if (level.low > level.high).any():
                # Noise; left crossed it would grow from sum to sum.
                level.low, level.high = np.minimum(level.low, level.high), np.maximum(level.low, level.high)
    with np.errstate(invalid="ignore"):
        moved = [
            np.abs(new - old) for new, old in zip((levels.cells.low, levels.cells.high), before, strict=True)
        ]
    # From ∞ to a number is a change too; from ∞ to ∞ is none.
    return float(max(np.nan_to_num(change, nan=0.0, posinf=np.inf).max(initial=0.0) for change in moved))


def _others(limits: Floats, code: Ints, m: int) -> tuple[Floats, Floats]:
    """Sums of the parts' limits, and for each part the sum of all others."""
    endless = np.isinf(limits)
    finite = np.where(endless, 0.0, limits)
    total = _summed(code, finite, m)
    if not endless.any():
        return total, total[code] - finite
    # Of −∞ and ∞ only one occurs in the limits of a level.
    sign = np.sign(limits[endless][0]) * np.inf
    count = np.bincount(code, endless, m)
    whole = np.where(count > 0, sign, total)
    return whole, np.where(count[code] > endless, sign, total[code] - finite)


def moved_to_totals(cells: Floats, levels: Levels, *, sweeps: int) -> Floats:
    """Move cells within their limits until every sum lies within its own, as far as some sweeps reach.

    One sum after another: where it is too small, each of its cells goes up by the same share of its room to
    the upper limit, where too large, down by the same share of its room to the lower one. The sum is then
    right, and the sums that cross it are less wrong than before.

    Parameters
    ----------
    cells : array, shape (cells, tables)
        Changed in place.
    levels : Levels
    sweeps : int
        At most.
    """
    low, high = levels.cells.low[:, None], levels.cells.high[:, None]
    for _ in range(sweeps):
        worst = 0.0
        for level in levels.printed:
            matrix = level.matrix
            total = matrix @ cells
            short = np.maximum(level.low[:, None] - total, 0.0)
            over = np.maximum(total - level.high[:, None], 0.0)
            worst = max(worst, short.max(initial=0.0), over.max(initial=0.0))
            if short.any():
                share = np.minimum(short / np.maximum(matrix @ high - total, 1e-300), 1.0)
                cells += share[level.of_cell] * (high - cells)
            if over.any():
                share = np.minimum(over / np.maximum(total - matrix @ low, 1e-300), 1.0)
                cells -= share[level.of_cell] * (cells - low)
        if worst <= levels.noise:
            break
    return cells


@dataclass(frozen=True)
class Totals:
    """Limits of the sums of a table, by label; −∞ and ∞ where nothing was printed.

    Attributes
    ----------
    regions, sectors : DataFrame
        Columns ``low, high``.
    group_low, group_high : DataFrame, shape (regions, groups)
    grand : tuple of float
    groups : Series
        Sector → group.
    """

    regions: pd.DataFrame
    sectors: pd.DataFrame
    group_low: pd.DataFrame
    group_high: pd.DataFrame
    grand: tuple[float, float]
    groups: pd.Series

    @classmethod
    def of(
        cls,
        values: pd.DataFrame,
        *,
        region_totals: pd.Series | None = None,
        sector_totals: pd.Series | None = None,
        grand_total: float | None = None,
        group_totals: pd.DataFrame | None = None,
        groups: pd.Series | None = None,
        national: pd.Series | None = None,
        rounding: float = 0.0,
    ) -> Totals:
        """Check printed totals against the labels of a table."""
        if not isinstance(values, pd.DataFrame):
            raise InputError(f"values must be a pandas DataFrame, not {type(values).__name__}.")
        regions, sectors = values.index, values.columns
        check_labels(regions, "region")
        check_labels(sectors, "column")
        if not (is_number(rounding) and rounding >= 0):
            raise InputError(f"rounding is {rounding}; it must be a non-negative number.")
        if group_totals is not None and groups is None:
            raise InputError("Totals of groups need groups, which say to which of them each sector belongs.")
        group_of = check_groups(groups, sectors)
        by_sector = _limits(sector_totals, sectors, "sector_totals", rounding)
        if national is not None:
            # The table may be a part of the country, so these bound its sums from above alone.
            by_sector["high"] = by_sector["high"].combine(
                _limits(national, sectors, "national", rounding)["high"], min
            )
        names = pd.Index(group_of.unique())
        printed = pd.DataFrame(np.nan, index=regions, columns=names)
        if group_totals is not None:
            unknown = group_totals.columns.difference(names)
            if len(unknown):
                raise InputError(
                    f"group_totals has {listing(unknown)}, but the groups of sectors are {listing(names)}."
                )
            for name in group_totals:
                printed[name] = _checked(group_totals[name], regions, f"group_totals ({name})")
        grand = np.nan if grand_total is None else float(grand_total)
        if np.isinf(grand) or grand < 0:
            raise InputError(f"grand_total is {grand:g}; a number of at least 0 was expected.")
        low, high = printed - rounding, printed + rounding
        return cls(
            regions=_limits(region_totals, regions, "region_totals", rounding),
            sectors=by_sector,
            group_low=low.fillna(-np.inf),
            group_high=high.fillna(np.inf),
            grand=(-np.inf, np.inf) if np.isnan(grand) else (grand - rounding, grand + rounding),
            groups=group_of,
        )

    def regrouped(self, groups: pd.Series) -> Totals:
        """The same totals for other groups of sectors; those by group are left out if groups differ."""
        if groups.equals(self.groups):
            return self
        names = pd.Index(groups.unique())
        nothing = pd.DataFrame(np.inf, index=self.regions.index, columns=names)
        return replace(self, groups=groups, group_low=-nothing, group_high=nothing)


def _limits(printed: pd.Series | None, labels: pd.Index, name: str, rounding: float) -> pd.DataFrame:
    found = pd.Series(np.nan, index=labels) if printed is None else _checked(printed, labels, name)
    return pd.DataFrame(
        {"low": (found - rounding).fillna(-np.inf), "high": (found + rounding).fillna(np.inf)}
    )


def _checked(printed: pd.Series, labels: pd.Index, name: str) -> pd.Series:
    if not isinstance(printed, pd.Series) or not pd.api.types.is_numeric_dtype(printed.dtype):
        raise InputError(f"{name} must be a Series of numbers by label, NaN where no total is published.")
    if not printed.index.is_unique:
        repeated = printed.index[printed.index.duplicated()].unique()
        raise InputError(f"{name} may name each label once, but these repeat: {listing(repeated)}.")
    check_same_regions(printed.index, labels, name)
    found = printed.loc[labels].astype("float64")
    wrong = found.index[(found < 0) | np.isinf(found)]
    if len(wrong):
        cells = [f"{label} is {found[label]:g}" for label in wrong]
        raise InputError(f"{name} must be finite and at least 0, but {listing(cells)}.")
    return found
