"""Null tables of co-location and spread: columns shuffled, or chance by the size of the regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from spatialkz.focal.questions.grades import checked_quotients, graded, graded_cells
from spatialkz.focal.questions.size_null import CHUNK, Shares, SizeNull, dealt_in_order, optional_size_null
from spatialkz.options import ColocationNull, Grade
from spatialkz.resampling.checks import check_permutations, seeds_of
from spatialkz.resampling.engine import COMPILE_COLUMNS_FROM, ColumnShuffle, row_sums
from spatialkz.resampling.parallel import in_blocks
from spatialkz.resampling.pvalues import TIE, Floats
from spatialkz.resampling.shuffles import Keys, order_keys

# Draws kept whole for the envelope; it needs no more.
_ENVELOPE = 999
RowSums: TypeAlias = Floats


class Draws(NamedTuple):
    """What is kept of simulated tables: statistics of each, sums over all, and some whole."""

    ratio: Floats
    maximum: Floats
    at_least: Floats  # by region: draws with a sum at least the observed one
    total: Floats  # by region: sum over draws
    covered: Floats  # regions with a positive sum
    top: Floats  # sum of the largest tenth of the sums, at least two
    best: Floats  # mean of the largest cell of each region; missing where only sums are made
    ordered: Floats  # first draws × regions, the largest first


@dataclass(frozen=True)
class NullTables:
    """Null tables of one table of quotients, simulated once for all tests that look at them.

    Attributes
    ----------
    quotients, table : DataFrame, shape (regions, sectors)
        As given, and sorted.
    grades : tuple
        Degrees of specialization that will be looked at.
    threshold : float
        Of the grade ``count``.
    sizes : SizeNull or None
        Null of unequal sizes, where base shares are known.
    permutations : int
    seeds : SeedSequence
    """

    quotients: pd.DataFrame
    table: pd.DataFrame
    grades: tuple[Grade, ...]
    threshold: float
    sizes: SizeNull | None
    permutations: int
    seeds: np.random.SeedSequence

    @classmethod
    def of(
        cls,
        quotients: pd.DataFrame,
        grades: tuple[Grade, ...],
        threshold: float,
        base_shares: Shares | Sequence[Shares] | None,
        units: float | pd.Series | None,
        permutations: int,
        rng: int | np.random.Generator | None,
    ) -> NullTables:
        """Check what is given; nothing is simulated yet."""
        check_permutations(permutations)
        table = checked_quotients(quotients)
        for grade in grades:
            graded(table, grade, threshold)
        sizes = optional_size_null(table, base_shares, units)
        seeds = seeds_of(rng, "piling")  # a stream of its own, by a name that later runs must repeat
        return cls(quotients, table, grades, threshold, sizes, permutations, seeds)

    @cached_property
    def cells(self) -> dict[Grade, Floats]:
        """Graded cells."""
        return {grade: graded(self.table, grade, self.threshold).to_numpy() for grade in self.grades}

    def draws(self, grade: Grade, null: ColocationNull) -> Draws:
        """Null tables in short."""
        if null == "sizes":
            return self._by_size[grade]
        if grade not in self._shuffled:
            self._shuffled[grade] = simulate(self.cells[grade], self.permutations, self.seeds)
        return self._shuffled[grade]

    @cached_property
    def _shuffled(self) -> dict[Grade, Draws]:
        return {}

    @cached_property
    def _by_size(self) -> dict[Grade, Draws]:
        """All grades of the same tables."""
        if self.sizes is None:
            raise ValueError("There are no base shares, and so no null of unequal sizes.")
        task = partial(_size_block, self.cells, self.sizes, self.seeds, self.threshold)
        cells = self.table.size * len(self.grades)
        parts = in_blocks(task, self.permutations, 20 * self.permutations * cells, multiple=CHUNK)
        return {grade: _joined([part[grade] for part in parts]) for grade in self.grades}


def broadest(n: int) -> int:
    """How many of ``n`` regions count as the broadest: a tenth, at least two."""
    return max(2, round(n / 10))


def variance_ratio(sums: RowSums, cells: Floats) -> Floats:
    """Variance of the row sums (last axis) over the sum of the variances of the columns."""
    return np.asarray(sums.var(axis=-1) / cells.var(axis=0).sum())


def simulate(
    cells: Floats, permutations: int, seeds: np.random.SeedSequence, *, compiled: bool | None = None
) -> Draws:
    """Row sums of tables in which every order of a column is equally likely, in short."""
    shuffle = ColumnShuffle.of(cells)
    keys = order_keys(np.random.default_rng(seeds), permutations)
    steps = permutations * (len(shuffle.surplus) + len(cells))
    compiled = steps > COMPILE_COLUMNS_FROM if compiled is None else compiled
    task = partial(_column_block, cells, shuffle, keys, compiled)
    most = CHUNK if compiled else max(1, 8_000_000 // len(cells))
    return _joined(in_blocks(task, permutations, steps, multiple=CHUNK, most=most))


def _joined(parts: Sequence[Draws]) -> Draws:
    ratio, maximum, at_least, total, *others = zip(*parts, strict=True)
    return Draws(
        np.concatenate(ratio),
        np.concatenate(maximum),
        np.sum(at_least, axis=0),
        np.sum(total, axis=0),
        *map(np.concatenate, others),
    )


def _column_block(cells: Floats, shuffle: ColumnShuffle, keys: Keys, compiled: bool, part: slice) -> Draws:
    return _in_short(cells, row_sums(shuffle, keys[part], compiled=compiled), part=part)


def _size_block(
    observed: dict[Grade, Floats],
    sizes: SizeNull,
    seeds: np.random.SeedSequence,
    threshold: float,
    part: slice,
) -> dict[Grade, Draws]:
    found: dict[Grade, list[tuple[Floats, Floats, Floats]]] = {grade: [] for grade in observed}
    for first in range(part.start, part.stop, CHUNK):
        chunk = slice(first, min(first + CHUNK, part.stop))
        if sizes.counted:
            drawn = sizes.quotients(seeds, chunk)
            made = {grade: graded_cells(drawn, grade, threshold) for grade in observed}
        else:
            order = sizes.scores(seeds, chunk).argsort(axis=1)
            made = {grade: dealt_in_order(cells, order) for grade, cells in observed.items()}
        for grade, tables in made.items():
            own, best = tables.var(axis=1).sum(axis=1), tables.max(axis=2).mean(axis=1)
            found[grade].append((tables.sum(axis=2), own, best))
    return {
        grade: _in_short(observed[grade], *map(np.concatenate, zip(*blocks, strict=True)), part=part)
        for grade, blocks in found.items()
    }


def _in_short(
    cells: Floats, sums: RowSums, own: Floats | None = None, best: Floats | None = None, *, part: slice
) -> Draws:
    """``own`` are the sums of the variances of the columns, where they are not those of ``cells``."""
    observed = cells.sum(axis=1)
    least = observed - TIE * np.maximum(1.0, np.abs(observed))
    tenth = broadest(len(cells))
    ratio = variance_ratio(sums, cells)
    if own is not None:
        # A table in which no sector varies shows neither co-location nor spread.
        ratio = np.divide(sums.var(axis=1), own, out=np.ones_like(own), where=own > 0)
    return Draws(
        ratio,
        sums.max(axis=1),
        (sums >= least).sum(axis=0),
        sums.sum(axis=0),
        (sums > 0).sum(axis=1).astype(np.float64),
        np.partition(sums, -tenth, axis=1)[:, -tenth:].sum(axis=1),
        np.full(len(sums), np.nan) if best is None else best,
        np.sort(sums[: max(0, _ENVELOPE - part.start)], axis=1)[:, ::-1],
    )
