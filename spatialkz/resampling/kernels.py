"""Compiled loops of permutation tests; how kernels are compiled: once for all runs where that can be kept.

Imported only where a problem pays for loading them (0.5 s).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.core.caching import FunctionCache
from numba.core.dispatcher import Dispatcher
from numba.extending import intrinsic

from spatialkz.errors import notice
from spatialkz.resampling.shuffles import FIRST, SECOND, STEP

# Arrays as numba sees them; their types are told in the docstrings.
Array = Any

# Index arithmetic is unsigned throughout: signed indices cost a branch each and hinder vectorization.
_0, _1 = np.uint64(0), np.uint64(1)
_11, _27, _30, _31 = (np.uint64(i) for i in (11, 27, 30, 31))
# Rows asked for this many steps before they are needed: about the latency of memory.
_AHEAD = 8
# Bytes of a cache line.
LINE_BYTES = 64
# Products summed in single precision before the sum moves on to double precision.
FLUSH_EVERY = 32


class _Cache(FunctionCache):
    """numba's cache, but a file in it that is cut short or cannot be written is as good as none."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """What was compiled before, or None."""
        try:
            return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        except Exception as error:  # A file cut short can fail in any way.
            notice(f"The cache of compiled code cannot be read and is made anew: {_said(error)}.")
            # Emptied, so that what is compiled now can be kept.
            with suppress(OSError):
                self.flush()  # type: ignore[no-untyped-call]
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep what was compiled, if that can be done."""
        try:
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]
        except Exception as error:
            notice(f"Compiled code cannot be kept, so the next run compiles again: {_said(error)}.")


def _said(error: Exception) -> str:
    """What went wrong, in one line."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorate a kernel that is compiled on its first call and then runs without the interpreter's lock.

    Parameters
    ----------
    **options
        As for :func:`numba.njit`, but for ``cache`` and ``nogil``.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        kernel: Any = njit(nogil=True, **options)(function)
        if isinstance(kernel, Dispatcher):
            # numba refuses where neither the package, nor the home, nor NUMBA_CACHE_DIR can be written.
            with suppress(RuntimeError, OSError):
                kernel._cache = _Cache(function)  # type: ignore[attr-defined,no-untyped-call]
        return kernel

    return decorate


@intrinsic
def prefetch_line(_: Any, array: Any, row: Any, column: Any) -> Any:
    """Ask the processor to fetch the cache line of ``array[row, column]``, which numba has no word for.

    More than doubles the speed where the values outgrow the cache (``benchmarks/spatial.py global-100k``).
    """

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        struct = context.make_array(array)(context, builder, arguments[0])
        cell = cgutils.get_item_pointer(  # type: ignore[no-untyped-call]
            context, builder, array, struct, list(arguments[1:]), wraparound=False
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
                        for k in range(K):
                            ring[free, shift + k] = values[row, k]
                    else:
                        for k in range(_0, K, line):
                            prefetch_line(values, later, k)  # type: ignore[call-arg]
                        for k in range(K):
                            ring[free, shift + k] = values[row, k]
                loaded += _1
                free += _1
                if free == size:
                    free = _0
            a, b = ring[own[q, 0]], ring[own[q, 1]]
            n0, n1, n2, n3 = ring[slot[q, 0]], ring[slot[q, 1]], ring[slot[q, 2]], ring[slot[q, 3]]
            m0, m1, m2, m3 = ring[slot[q, 4]], ring[slot[q, 5]], ring[slot[q, 6]], ring[slot[q, 7]]
            u0, u1, u2, u3 = weight[q, 0], weight[q, 1], weight[q, 2], weight[q, 3]
            w0, w1, w2, w3 = weight[q, 4], weight[q, 5], weight[q, 6], weight[q, 7]
            for k in range(width):
                first_sum = (u0 * n0[k] + u1 * n1[k]) + (u2 * n2[k] + u3 * n3[k])
                second_sum = (w0 * m0[k] + w1 * m1[k]) + (w2 * m2[k] + w3 * m3[k])
                sums[k] += a[k] * first_sum + b[k] * second_sum
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


@compiled(error_model="numpy")
def placed_sums(start: Array, surplus: Array, base: float, keys: Array, out: Array) -> None:
    """Row sums of a table for each key, its columns permuted independently.

    The numbers of :func:`spatialkz.resampling.engine.row_sums`, in the same order of operations.

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
