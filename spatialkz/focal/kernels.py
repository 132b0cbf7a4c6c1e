"""Compiled kernel of the column permutations; imported only where it pays for loading it."""

from __future__ import annotations

from typing import Any

import numpy as np

from spatialkz.spatial.compiled import compiled
from spatialkz.spatial.shuffles import FIRST, SECOND, STEP

# Arrays as numba sees them; their types are told in the docstring.
Array = Any

# Index arithmetic is unsigned throughout: signed indices cost a branch each.
_1 = np.uint64(1)
_11, _27, _30, _31 = (np.uint64(i) for i in (11, 27, 30, 31))


@compiled(error_model="numpy")
def placed_sums(start: Array, surplus: Array, base: float, keys: Array, out: Array) -> None:
    """Row sums of a table for each key, its columns permuted independently.

    The numbers of :func:`spatialkz.focal.column_null.row_sums`, in the same order of operations.

    Parameters
    ----------
    start : array of uint64, shape (columns + 1,)
        The uncommon values of column j are ``surplus[start[j]:start[j + 1]]``.
    surplus : array of float64
        How far each uncommon value is above the column's commonest.
    base : float
        Sum of the commonest values.
    keys : array of uint64
        A permutation of all columns each.
    out : array of float64, shape (keys, n)
    """
    n = np.uint64(out.shape[1])
    order = np.empty(n, np.uint32)
    chosen = np.empty(n, np.uint32)
    columns = np.uint64(len(start)) - _1
    for r in range(np.uint64(len(keys))):
        for i in range(n):
            order[i] = i
            out[r, i] = base
        counter = keys[r]
        for j in range(columns):
            count = start[j + _1] - start[j]
            # All places of the column first: a loop without memory of itself, which vector units can run.
            for e in range(count):
                x = counter + STEP * (e + _1)
                x = (x ^ (x >> _30)) * FIRST
                x = (x ^ (x >> _27)) * SECOND
                x = x ^ (x >> _31)
                # Signed, because only those turn into fractions and back in one instruction.
                left = np.float64(np.int64(x >> _11)) * 2.0**-53 * np.float64(np.int64(n - e))
                chosen[e] = np.uint32(np.int64(e) + np.int64(left))
            counter += STEP * count
            # Any order is as good as 0 … n−1 to start from, so the last column's is kept.
            for e in range(count):
                row = order[chosen[e]]
                order[chosen[e]] = order[e]
                order[e] = row
                out[r, row] += surplus[start[j] + e]
