"""Tables of 0 and 1 with given sums of rows and columns and cells that must stay 0, drawn by a Markov chain.

Imported only where it is needed: loading the compiler takes half a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import bmat, csr_array
from scipy.sparse.csgraph import connected_components

from spatialkz.resampling.kernels import compiled
from spatialkz.resampling.pvalues import Floats
from spatialkz.resampling.shuffles import FIRST, SECOND, STEP, Keys, order_keys

# Arrays as numba sees them; their types are told in the docstrings.
Array = Any

_1, _11, _27, _30, _31 = (np.uint64(i) for i in (1, 11, 27, 30, 31))
# Steps on the way to a draw, for each 1 of the table and at least; and steps of all draws together.
_STEPS_EACH, _LEAST_STEPS, _MOST_STEPS = 10, 200, 50_000_000


def can_move(ones: NDArray[np.bool_], allowed: NDArray[np.bool_]) -> bool:
    """Whether another table has the same sums of rows and columns and its ones among the allowed cells.

    >>> two = np.eye(2, dtype=bool)
    >>> can_move(two, np.ones((2, 2), dtype=bool)), can_move(two, two)
    (True, False)
    """
    # One cell can be emptied and another filled along a circle of rows and columns.
    steps = bmat([[None, csr_array(ones)], [csr_array((allowed & ~ones).T), None]])
    circles, _ = connected_components(steps, connection="strong")
    return bool(circles < sum(ones.shape))


def drawn_sums(
    ones: NDArray[np.bool_],
    allowed: NDArray[np.bool_],
    tables: Floats,
    draws: int,
    rng: np.random.Generator,
    weights: Floats | None = None,
) -> Floats:
    r"""Sums of ``tables`` over the ones of random tables with the margins of ``ones``.

    All tables of 0 and 1 with the same sums of rows and columns and no 1 outside the allowed cells are
    equally likely, or with ``weights`` likely in proportion to :math:`\exp(\sum w_{ij} X_{ij})`.

    A step begins at a random row and goes on along a random 1 of the row, a random allowed 0 of its column, a
    random 1 of that row and so on until a row or column comes up again; on the circle so closed ones and
    zeros change places. The shortest circle is a checkerboard, but with forbidden cells checkerboards alone
    do not reach every table (Rao, Jana & Bandyopadhyay 1996). Since every row keeps its ones and every column
    its allowed zeros, a circle is as likely as its reverse and the chain is symmetric; weights enter by
    Metropolis' rule. A walk leads from the table to a hub, and each draw is a walk of the same length from
    the hub, so that the table and the draws are exchangeable however long the walks are (Besag & Clifford
    1989).

    Parameters
    ----------
    ones, allowed : array of bool, shape (rows, columns)
        Ones only where allowed.
    tables : array, shape (tables, rows, columns)
    draws : int
    rng : Generator
    weights : array, shape (rows, columns), optional

    Returns
    -------
    array, shape (draws, tables)

    References
    ----------
    Rao, Jana & Bandyopadhyay (1996), *Sankhyā A* 58, 225–242; Besag & Clifford (1989), *Biometrika* 76,
    633–642.

    Examples
    --------
    >>> three = np.eye(3, dtype=bool)
    >>> allowed = three | np.roll(three, 1, axis=1)
    >>> sums = drawn_sums(three, allowed, np.eye(3)[None], 99, np.random.default_rng(1))
    >>> sorted({int(one) for one in sums[:, 0]})
    [0, 3]
    """
    state = _Lists.of(ones, allowed)
    steps = max(_LEAST_STEPS, min(_STEPS_EACH * int(ones.sum()), _MOST_STEPS // draws))
    lean = np.zeros(ones.shape) if weights is None else np.asarray(weights, dtype=np.float64)
    keys = order_keys(rng, draws + 1)
    found = np.empty((draws, len(tables)))
    tables = np.ascontiguousarray(tables, dtype=np.float64)
    _draw(*state.parts, np.flatnonzero(ones.any(axis=1)), lean, steps, keys, tables, found)
    return found


@dataclass(frozen=True)
class _Lists:
    """Columns of the ones of each row, and rows of the allowed zeros of each column."""

    parts: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]

    @classmethod
    def of(cls, ones: NDArray[np.bool_], allowed: NDArray[np.bool_]) -> _Lists:
        zeros = (allowed & ~ones).T
        return cls((*_listed(ones), *_listed(zeros)))


def _listed(cells: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    counts = cells.sum(axis=1)
    lists = np.full((len(cells), max(1, counts.max(initial=0))), -1, dtype=np.int64)
    for place, row in enumerate(cells):
        lists[place, : counts[place]] = np.flatnonzero(row)
    return lists, counts.astype(np.int64)


@compiled(inline="always")
def _mixed(counter: np.uint64) -> np.uint64:
    """SplitMix64's finalizer, as :func:`spatialkz.resampling.shuffles.mixed`."""
    x = (counter ^ (counter >> _30)) * FIRST
    x = (x ^ (x >> _27)) * SECOND
    return x ^ (x >> _31)


@compiled(inline="always")
def _fraction(counter: np.uint64) -> float:
    """53 random bits as a fraction of 1."""
    return np.float64(_mixed(counter) >> _11) * 2.0**-53


@compiled()
def _draw(
    ones: Array,
    held: Array,
    zeros: Array,
    free: Array,
    active: Array,
    weights: Array,
    steps: int,
    keys: Keys,
    tables: Array,
    out: Array,
) -> None:
    """Walk to the hub with the first key, and from the hub with each of the others; sum the tables."""
    _walk(ones, held, zeros, free, active, weights, steps, keys[0])
    own, others = np.empty_like(ones), np.empty_like(zeros)
    for draw in range(len(out)):
        own[:], others[:] = ones, zeros
        _walk(own, held, others, free, active, weights, steps, keys[draw + 1])
        for table in range(len(tables)):
            total = 0.0
            for row in range(len(own)):
                for slot in range(held[row]):
                    total += tables[table, row, own[row, slot]]
            out[draw, table] = total


@compiled()
def _walk(
    ones: Array,
    held: Array,
    zeros: Array,
    free: Array,
    active: Array,
    weights: Array,
    steps: int,
    key: np.uint64,
) -> None:
    """Steps of the chain in place; ``held`` and ``free`` say how many of each row of the lists count."""
    counter = key
    row_at, column_at = np.full(len(ones), -1), np.full(len(zeros), -1)
    rows, row_slots = np.empty(len(ones), np.int64), np.empty(len(ones), np.int64)
    columns, column_slots = np.empty(len(zeros) + 1, np.int64), np.empty(len(zeros) + 1, np.int64)
    for _ in range(steps):
        counter += STEP
        if _mixed(counter) & _1:
            continue  # half of the steps stay, so that the chain has no period
        counter += STEP
        row = active[int(_fraction(counter) * len(active))]
        rows[0], row_at[row] = row, 0
        last, entered, begin, by_row = 0, 0, -1, False
        while True:
            counter += STEP
            slot = int(_fraction(counter) * held[row])
            row_slots[last] = slot
            column = ones[row, slot]
            if column_at[column] >= 0:
                begin = column_at[column]
                break
            columns[last], column_at[column] = column, last
            entered = last + 1
            if free[column] == 0:
                break
            counter += STEP
            slot = int(_fraction(counter) * free[column])
            column_slots[last] = slot
            row = zeros[column, slot]
            if row_at[row] >= 0:
                begin, by_row = row_at[row], True
                break
            last += 1
            rows[last], row_at[row] = row, last
            if held[row] == 0:
                break
        if begin >= 0:
            # Each row of the circle gives up the column it was left by for the one it was reached by.
            first = begin if by_row else begin + 1
            gain = 0.0
            for place in range(first, last + 1):
                left = columns[place] if by_row or place < last else columns[begin]
                reached = columns[place - 1] if not by_row or place > begin else columns[last]
                gain += weights[rows[place], reached] - weights[rows[place], left]
            counter += STEP
            if gain >= 0.0 or _fraction(counter) < np.exp(gain):
                for place in range(first, last + 1):
                    reached = columns[place - 1] if not by_row or place > begin else columns[last]
                    ones[rows[place], row_slots[place]] = reached
                for place in range(begin, last + 1 if by_row else last):
                    before = rows[place] if by_row or place > begin else rows[last]
                    zeros[columns[place], column_slots[place]] = before
        for place in range(last + 1):
            row_at[rows[place]] = -1
        for place in range(entered):
            column_at[columns[place]] = -1
