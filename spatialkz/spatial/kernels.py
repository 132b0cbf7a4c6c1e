"""Compiled kernels; imported only where a problem is large enough to pay for loading them (about 0.5 s)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.np.unsafe.ndarray import to_fixed_tuple

from spatialkz.spatial.cache_lines import add_products, copy_line, prefetch_line
from spatialkz.spatial.compiled import compiled
from spatialkz.spatial.engine import LINE_BYTES
from spatialkz.spatial.shuffles import FIRST, SECOND, STEP

# Arrays as numba sees them; their types are told in the docstrings.
Array = Any

# Index arithmetic is unsigned throughout: signed indices cost a branch each and hinder vectorization.
_0, _1 = np.uint64(0), np.uint64(1)
_11, _27, _30, _31 = (np.uint64(i) for i in (11, 27, 30, 31))
# Rows asked for this many steps before they are needed: about the latency of memory.
_AHEAD = 8
# Products summed in single precision before the sum moves on to double precision.
FLUSH_EVERY = 32


@compiled()
def shuffle(order: Array, key: np.uint64) -> None:
    """Fisher–Yates shuffle of 0 … n−1; the numbers of :func:`random_orders`."""
    n = np.uint64(len(order))
    for i in range(n):
        order[i] = i
    counter = key
    last = n - _1
    while last > _0:
        counter += STEP
        x = (counter ^ (counter >> _30)) * FIRST
        x = (x ^ (x >> _27)) * SECOND
        x = x ^ (x >> _31)
        chosen = np.uint64(np.float64(x >> _11) * 2.0**-53 * np.float64(last + _1))
        order[last], order[chosen] = order[chosen], order[last]
        last -= _1


@compiled(error_model="numpy", fastmath={"contract"})
def cross_products(
    values: Array,
    site: Array,
    own: Array,
    slot: Array,
    weight: Array,
    reach: Array,
    keys: Array,
    ring: Array,
    together: int,
    out: Array,
) -> None:
    """Sum over edges of weight × product of the permuted values at both ends, for each key and variable.

    Regions are visited in an order in which neighbors are near each other. A ring of the last rows holds the
    permuted values of all regions still to be met as neighbors, so each permutation gathers each row of
    ``values`` once, and everything else happens in cache. There, reading and writing is what takes the time:
    the edges of two regions are added in one pass over the sums.

    Parameters
    ----------
    values : array, shape (n, K)
        Single or double precision; rows fill whole cache lines where K is large.
    site : array of uint32, shape (n,)
        Region visited at each step.
    own, slot, weight : arrays, shapes (passes, 2), (passes, 8), (passes, 8)
        Each pass adds up to four edges for each of two regions; ``own`` and ``slot`` are the steps of the
        regions and of their neighbors modulo the rows of the ring. Each pair of neighbors stands once; places
        left over have weight 0.
    reach : array of uint64, shape (passes,)
        Last step needed by each pass; not decreasing.
    keys : array of uint64
        A permutation each.
    ring : array, shape (size + 1, columns)
        Zeros; columns are whole cache lines that hold ``together`` × K. The last row is for the sums.
    together : int
        Permutations side by side in a row of the ring, so that few variables still fill vectors.
    out : array of float64, shape (keys, K)
    """
    n, K = np.uint64(len(values)), np.uint64(values.shape[1])
    size = np.uint64(len(ring) - 1)
    line = np.uint64(LINE_BYTES // values.itemsize)
    ahead = np.uint64(_AHEAD)
    order = np.empty(n, np.uint32)
    rows = np.zeros((together, n + ahead), np.uint32)
    sums = ring[size]
    out[:] = 0.0
    first = _0
    count = np.uint64(len(keys))
    while first < count:
        m = min(np.uint64(together), count - first)
        # Whole lines always, so that a variable is summed in the same way whatever stands beside it.
        width = (m * K + line - _1) // line * line
        for p in range(m):
            shuffle(order, keys[first + p])
            for i in range(n):
                rows[p, i] = order[site[i]]
        loaded, free, pending = _0, _0, 0
        for q in range(np.uint64(len(own))):
            while loaded <= reach[q]:
                for p in range(m):
                    row, later = np.uint64(rows[p, loaded]), np.uint64(rows[p, loaded + ahead])
                    shift = p * K
                    if line > K:
                        prefetch_line(values, later, _0)  # type: ignore[call-arg]
                        for k in range(K):
                            ring[free, shift + k] = values[row, k]
                    else:
                        for k in range(_0, K, line):
                            prefetch_line(values, later, k)  # type: ignore[call-arg]
                            copy_line(ring, free, shift + k, values, row, k)
                loaded += _1
                free += _1
                if free == size:
                    free = _0
            regions: Any = to_fixed_tuple(own[q], 2)  # type: ignore[call-arg]
            neighbors: Any = to_fixed_tuple(slot[q], 8)
            weights: Any = to_fixed_tuple(weight[q], 8)
            for k in range(_0, width, line):
                add_products(sums, ring, k, regions, neighbors, weights)
            pending += 1
            if pending == FLUSH_EVERY:
                _flush(sums, out, first, m, K)
                pending = 0
        _flush(sums, out, first, m, K)
        first += m


@compiled(inline="always")
def _flush(sums: Array, out: Array, first: np.uint64, m: np.uint64, K: np.uint64) -> None:
    """Move single-precision sums on to double precision."""
    for p in range(m):
        shift = p * K
        for k in range(K):
            out[first + p, k] += sums[shift + k]
            sums[shift + k] = 0.0


@compiled(error_model="numpy")
def conditional_counts(
    values: Array, own: Array, start: Array, weight: Array, drawn: Array, bounds: Array, counts: Array
) -> None:
    """How often a simulated lag is at least, and at most, the observed one: any weights.

    Parameters
    ----------
    values : array, shape (n, K)
    own : array, shape (m,)
        The regions tested.
    start, weight
        Their weights: those of region ``own[i]`` are ``weight[start[i]:start[i + 1]]``.
    drawn : array of uint32, shape (R, most + 1)
        Distinct regions, drawn once for all; the last stands in for the tested region where that is drawn.
    bounds : array, shape (2, m, K)
        A lag ≥ the first counts as at least, ≤ the second as at most.
    counts : array of int64, shape (2, m, K)
    """
    K = np.uint64(values.shape[1])
    lag = np.empty(values.shape[1])
    spare = np.uint64(drawn.shape[1] - 1)
    for r in range(np.uint64(len(drawn))):
        for i in range(np.uint64(len(own))):
            lag[:] = 0.0
            place = _0
            for e in range(start[i], start[i + _1]):
                row = np.uint64(drawn[r, place])
                if row == own[i]:
                    row = np.uint64(drawn[r, spare])
                w = weight[e]
                for k in range(K):
                    lag[k] += w * values[row, k]
                place += _1
            for k in range(K):
                counts[_0, i, k] += lag[k] >= bounds[_0, i, k]
                counts[_1, i, k] += lag[k] <= bounds[_1, i, k]
