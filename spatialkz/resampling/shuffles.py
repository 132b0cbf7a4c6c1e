"""Orders of the regions: random ones from a counter, and all arrangements of values some of which are equal.

Random order *r* of a seed is the same whoever draws it, and when.
"""

from __future__ import annotations

from math import comb, prod

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]

# Steele, Lea & Flood (2014), SplitMix64: the increment of the counter, and the multipliers of the mixing.
STEP = np.uint64(0x9E3779B97F4A7C15)
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def order_keys(rng: np.random.Generator, count: int) -> Keys:
    """One key for each random order; the only numbers that are drawn from ``rng``.

    >>> order_keys(np.random.default_rng(1), 3)[:2] == order_keys(np.random.default_rng(1), 2)
    array([ True,  True])
    """
    seed = rng.integers(2**64, dtype=np.uint64)
    return mixed(seed + STEP * np.arange(1, count + 1, dtype=np.uint64))


def mixed(counter: Keys) -> Keys:
    """SplitMix64's finalizer: neighboring counters become unrelated 64-bit numbers."""
    counter = (counter ^ (counter >> np.uint64(30))) * FIRST
    counter = (counter ^ (counter >> np.uint64(27))) * SECOND
    return counter ^ (counter >> np.uint64(31))


def random_orders(n: int, keys: Keys) -> npt.NDArray[np.uint32]:
    """Fisher–Yates shuffle of 0 … n−1 for each key, all keys at once.

    The same numbers as :func:`spatialkz.resampling.kernels.shuffle`, without compiled code.

    Returns
    -------
    array, shape (n, keys)
        A column for each key.
    """
    order = np.tile(np.arange(n, dtype=np.uint32)[:, None], (1, len(keys)))
    columns = np.arange(len(keys))
    counter = keys.copy()
    for last in range(n - 1, 0, -1):
        counter += STEP
        # 53 random bits as a fraction of 1: the choice among last + 1 places is biased by less than n / 2^53.
        fraction = (mixed(counter) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        chosen = (fraction * (last + 1)).astype(np.intp)
        order[last], order[chosen, columns] = order[chosen, columns], order[last].copy()
    return order


def arrangement_count(repeats: npt.ArrayLike) -> int:
    r"""In how many ways values can be arranged of which so many are equal: :math:`n! / \prod_g m_g!`.

    >>> arrangement_count([12, 5]), arrangement_count([1] * 6)
    (6188, 720)
    """
    groups = [int(size) for size in np.asarray(repeats)]
    return prod(comb(sum(groups[: place + 1]), size) for place, size in enumerate(groups))


def arrangements(repeats: npt.ArrayLike, ranks: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """Those of all distinct arrangements, in lexicographic order, that have these ranks.

    Parameters
    ----------
    repeats : array, shape (levels,)
        How often each level occurs.
    ranks : array of int
        From 0 to one less than :func:`arrangement_count`, which is to be far below 2^63.

    Returns
    -------
    array, shape (regions, ranks)
        Numbers of levels.

    Examples
    --------
    >>> arrangements([2, 1], np.arange(3)).T.tolist()
    [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
    """
    repeats = np.asarray(repeats, dtype=np.int64)
    columns, rank = np.arange(len(ranks)), ranks.astype(np.int64)
    left = np.repeat(repeats[:, None], len(ranks), axis=1)
    ways = np.full(len(ranks), arrangement_count(repeats))
    found = np.empty((repeats.sum(), len(ranks)), dtype=np.intp)
    for place in range(len(found)):
        # Of the ways to fill the places that are left, this share begins with each level.
        begin = ways * left // (len(found) - place)
        ends = begin.cumsum(axis=0)
        level = (rank >= ends).sum(axis=0)
        ways = begin[level, columns]
        rank -= ends[level, columns] - ways
        left[level, columns] -= 1
        found[place] = level
    return found
