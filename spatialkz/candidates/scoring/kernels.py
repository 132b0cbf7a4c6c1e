"""Compiled kernels; imported only where a problem is large enough to pay for loading them."""

from __future__ import annotations

from typing import Any

import numpy as np

from spatialkz.resampling.kernels import compiled

# Arrays as numba sees them; their types are told in the docstrings.
Array = Any

_DIGITS = 2048


@compiled(error_model="numpy", inline="always")
def _won(own: np.float32, other: np.float32, weight: np.float32) -> Any:
    """Weight of a win, minus that of a loss."""
    zero = np.float32(0)
    return (weight if own > other else zero) - (weight if own < other else zero)


@compiled(error_model="numpy", fastmath={"contract"})
def majorities(values: Array, weights: Array, tie: np.float32, out: Array) -> None:
    """Majorities won minus lost by each item, each pair looked at once.

    Parameters
    ----------
    values : array of float32, shape (draws, indicators, items)
    weights : array of float32, shape (draws, indicators)
    tie : float32
        The lead up to which neither side has won.
    out : array, shape (draws, items)
    """
    draws, m, n = values.shape
    lead = np.empty(n, np.float32)
    won = np.empty(n, np.int32)
    for d in range(draws):
        won[:] = 0
        for i in range(n):
            lead[:] = 0.0
            # Four indicators at a time: one pass over the leads instead of four.
            for k in range(0, m - 3, 4):
                p, q, r, s = (
                    values[d, k, i:],
                    values[d, k + 1, i:],
                    values[d, k + 2, i:],
                    values[d, k + 3, i:],
                )
                u, v, w, x = weights[d, k : k + 4]
                a, b, c, e = p[0], q[0], r[0], s[0]
                for j in range(n - i):
                    lead[j] += (_won(a, p[j], u) + _won(b, q[j], v)) + (_won(c, r[j], w) + _won(e, s[j], x))
            for k in range(m - m % 4, m):
                p, u = values[d, k, i:], weights[d, k]
                a = p[0]
                for j in range(n - i):
                    lead[j] += _won(a, p[j], u)
            later = won[i:]
            total = np.int32(0)
            for j in range(n - i):
                win = np.int32(lead[j] > tie) - np.int32(lead[j] < -tie)
                total += win
                later[j] -= win
            won[i] += total
        for i in range(n):
            out[d, i] = won[i]


@compiled(error_model="numpy")
def mid_ranks(values: Array, bits: Array, out: Array) -> None:
    """(Mean rank from below − 1) / (n − 1) in each row, by radix sort with three digits of eleven bits.

    Parameters
    ----------
    values : array of float32, shape (rows, items)
    bits : array of uint32, shape (rows, items)
        The same memory; its order, after a flip of signs, is that of the numbers.
    out : array of float32, shape (rows, items)
    """
    rows, n = values.shape
    key, other_key = np.empty(n, np.uint32), np.empty(n, np.uint32)
    place, other_place = np.empty(n, np.uint32), np.empty(n, np.uint32)
    count = np.empty((3, _DIGITS), np.uint32)
    sign, all_bits, digit = np.uint32(1 << 31), np.uint32(0xFFFFFFFF), np.uint32(_DIGITS - 1)
    scale = np.float32(0.5 / (n - 1))
    for row in range(rows):
        count[:] = 0
        for i in range(n):
            # −0 and 0 are one number.
            k = bits[row, i] if values[row, i] != 0 else np.uint32(0)
            k ^= all_bits if k & sign else sign
            key[i], place[i] = k, i
            count[0, k & digit] += np.uint32(1)
            count[1, (k >> np.uint32(11)) & digit] += np.uint32(1)
            count[2, k >> np.uint32(22)] += np.uint32(1)
        for part in range(3):
            shift, before = np.uint32(11 * part), np.uint32(0)
            for value in range(_DIGITS):
                before, count[part, value] = before + count[part, value], before
            for i in range(n):
                d = (key[i] >> shift) & digit
                to = count[part, d]
                count[part, d] += np.uint32(1)
                other_key[to], other_place[to] = key[i], place[i]
            key, other_key, place, other_place = other_key, key, other_place, place
        first = 0
        while first < n:
            last = first
            while last + 1 < n and key[last + 1] == key[first]:
                last += 1
            share = np.float32(first + last) * scale
            for i in range(first, last + 1):
                out[row, place[i]] = share
            first = last + 1
