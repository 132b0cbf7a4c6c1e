"""Compiled kernels; imported only where a problem is large enough to pay for loading them (about 0.5 s)."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from spatialkz.spatial.shuffles import FIRST, SECOND, STEP

# Arrays as numba sees them; their types are told in the docstrings.
Array = Any

# Index arithmetic is unsigned throughout: signed indices cost a branch each and hinder vectorization.
_0, _1, _2, _3, _4 = (np.uint64(i) for i in range(5))
_11, _27, _30, _31 = (np.uint64(i) for i in (11, 27, 30, 31))
_LANES = np.uint64(32)
# Rows asked for this many steps before they are needed: about the latency of memory.
_AHEAD = 8
# Products summed in single precision before the sum moves on to double precision.
FLUSH_EVERY = 32


@intrinsic
def _prefetch(_: Any, array: Any, row: Any, column: Any) -> Any:
    """Ask the processor to fetch the cache line of ``array[row, column]``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        struct = context.make_array(signature.args[0])(context, builder, arguments[0])
        cell = cgutils.get_item_pointer(  # type: ignore[no-untyped-call]
            context, builder, signature.args[0], struct, list(arguments[1:]), wraparound=False
        )
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        fetch = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
            builder.module, kind, "llvm.prefetch.p0"
        )
        # For reading (0), to be kept in all caches (3), data (1).
        builder.call(fetch, [builder.bitcast(cell, pointer), number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(array, row, column), generate


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def cross_products(
    values: Array,
    site: Array,
    start: Array,
    slot: Array,
    weight: Array,
    reach: Array,
    size: np.uint64,
    keys: Array,
    together: int,
    out: Array,
) -> None:
    """Sum over edges of weight × product of the permuted values at both ends, for each key and variable.

    Regions are visited in an order in which neighbors are near each other. A ring of the last rows holds the
    permuted values of all regions still to be met as neighbors, so each permutation gathers each row of
    ``values`` once, and everything else happens in cache.

    Parameters
    ----------
    values : array, shape (n, K)
        Single or double precision, rows of whole cache lines where K is large.
    site : array of uint32, shape (n,)
        Region visited at each step.
    start, slot, weight
        Edges in CSR form: edges of step i are ``start[i]:start[i + 1]``, ``slot`` is the neighbor's step
        modulo ``size``. Each pair stands once, at its first step.
    reach : array of uint64, shape (n,)
        Last step needed as a neighbor up to step i; not decreasing.
    size : uint64
        Rows of the ring.
    keys : array of uint64
        A permutation each.
    together : int
        Permutations side by side in a row of the ring, so that few variables still fill vectors.
    out : array of float64, shape (keys, K)
    """
    n, K = np.uint64(len(values)), np.uint64(values.shape[1])
    line = np.uint64(64 // values.itemsize)
    ahead = np.uint64(_AHEAD)
    order = np.empty(n, np.uint32)
    rows = np.zeros((together, n + ahead), np.uint32)
    ring = np.zeros((size, (together * K + _LANES - _1) // _LANES * _LANES), values.dtype)
    sums = np.zeros(ring.shape[1], values.dtype)
    out[:] = 0.0
    first = _0
    count = np.uint64(len(keys))
    while first < count:
        m = min(np.uint64(together), count - first)
        # Whole vectors always, so that a variable is summed in the same way whatever stands beside it.
        width = (m * K + _LANES - _1) // _LANES * _LANES
        for p in range(m):
            shuffle(order, keys[first + p])
            for i in range(n):
                rows[p, i] = order[site[i]]
        loaded, free, own, e, pending = _0, _0, _0, _0, 0
        for i in range(n):
            while loaded <= reach[i]:
                for p in range(m):
                    row = np.uint64(rows[p, loaded + ahead])
                    for k in range(_0, K, line):
                        _prefetch(values, row, k)  # type: ignore[call-arg]
                    row = np.uint64(rows[p, loaded])
                    shift = p * K
                    for k in range(K):
                        ring[free, shift + k] = values[row, k]
                loaded += _1
                free += _1
                if free == size:
                    free = _0
            stop = start[i + _1]
            # Four edges at a time: one pass over the sums instead of four.
            while e < stop:
                if e + _4 <= stop:
                    a, b, c, d = slot[e], slot[e + _1], slot[e + _2], slot[e + _3]
                    wa, wb, wc, wd = weight[e], weight[e + _1], weight[e + _2], weight[e + _3]
                    for k in range(width):
                        sums[k] += ring[own, k] * (
                            (wa * ring[a, k] + wb * ring[b, k]) + (wc * ring[c, k] + wd * ring[d, k])
                        )
                    e += _4
                else:
                    a, wa = slot[e], weight[e]
                    for k in range(width):
                        sums[k] += ring[own, k] * (wa * ring[a, k])
                    e += _1
                pending += 1
                if pending == FLUSH_EVERY:
                    _flush(sums, out, first, m, K)
                    pending = 0
            own += _1
            if own == size:
                own = _0
        _flush(sums, out, first, m, K)
        sums[:] = 0.0
        first += m


@njit(cache=True, nogil=True, inline="always")
def _flush(sums: Array, out: Array, first: np.uint64, m: np.uint64, K: np.uint64) -> None:
    """Move single-precision sums on to double precision."""
    for p in range(m):
        shift = p * K
        for k in range(K):
            out[first + p, k] += sums[shift + k]
            sums[shift + k] = 0.0


@njit(cache=True, nogil=True, error_model="numpy")
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
