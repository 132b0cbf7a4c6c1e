"""Tables whose columns are permuted independently, by way of their row sums alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spatialkz.resampling.pvalues import Floats
from spatialkz.resampling.shuffles import STEP, Keys, mixed

# Draws above which compiled code earns back the half second it takes to load.
COMPILE_FROM = 20_000_000


@dataclass(frozen=True)
class ColumnShuffle:
    """What is needed to permute the columns of a table: their uncommon values.

    A column is its commonest value everywhere and a few others somewhere. Only the others are placed, by a
    Fisher–Yates shuffle that stops when all are: a sector in which 3 of 17 regions are specialized takes 3
    draws, not 17.

    Attributes
    ----------
    n : int
        Number of rows.
    start : array of uint64, shape (columns + 1,)
    surplus : array
        Column j's others, less its commonest value, are ``surplus[start[j]:start[j + 1]]``.
    base : float
        Sum of the commonest values.
    """

    n: int
    start: NDArray[np.uint64]
    surplus: Floats
    base: float

    @classmethod
    def of(cls, cells: Floats) -> ColumnShuffle:
        """Take a table (rows × columns) apart."""
        surplus, base = [], 0.0
        for column in cells.T:
            values, count = np.unique(column, return_counts=True)
            common = values[count.argmax()]
            base += common
            surplus.append(np.sort(column[column != common]) - common)
        start = np.cumsum([0, *map(len, surplus)]).astype(np.uint64)
        return cls(len(cells), start, np.concatenate(surplus), float(base))


def row_sums(shuffle: ColumnShuffle, keys: Keys, *, compiled: bool) -> Floats:
    """Row sums of the permuted table for each key; a key and the table decide them, and nothing else.

    The compiled and the NumPy path give the same numbers to the last bit.

    Returns
    -------
    array, shape (keys, n)
    """
    if compiled:
        from spatialkz.resampling.kernels import placed_sums

        out = np.empty((len(keys), shuffle.n))
        placed_sums(shuffle.start, shuffle.surplus, shuffle.base, keys, out)
        return out
    sums = np.full((shuffle.n, len(keys)), shuffle.base)
    order = np.tile(np.arange(shuffle.n)[:, None], (1, len(keys)))
    columns = np.arange(len(keys))
    counter = keys.copy()
    for first, stop in zip(shuffle.start[:-1].astype(int), shuffle.start[1:].astype(int), strict=True):
        for place, surplus in enumerate(shuffle.surplus[first:stop]):
            counter += STEP
            fraction = (mixed(counter) >> np.uint64(11)).astype(np.float64) * 2.0**-53
            chosen = place + (fraction * (shuffle.n - place)).astype(np.intp)
            rows = order[chosen, columns]
            order[chosen, columns] = order[place]
            order[place] = rows
            sums[rows, columns] += surplus
    return sums.T
