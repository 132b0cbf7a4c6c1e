"""Ranks in each draw, and what the draws say of them: quantiles, pairs, groups and tiers."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from spatialkz.candidates.scoring.normalization import Floats
from spatialkz.resampling.parallel import in_blocks

Ints = npt.NDArray[np.intp]

# A score takes 40 bits of a sorting key, so scores closer than 1e-12 of a draw's range are tied.
_SCORE_BITS, _KEY_BITS = 40, 62


def ranks(scores: Floats, rng: np.random.Generator | None = None) -> Ints:
    """Rank each row of scores, 1 = largest; a row is a permutation of 1…m whatever is tied.

    Parameters
    ----------
    scores : array, shape (draws, items)
    rng : Generator, optional
        Breaks ties at random, so that over many draws no label is favored; left out, the earlier item leads.

    >>> ranks(np.array([[0.2, 0.9, 0.2]])).tolist()
    [[2, 1, 3]]
    """
    n = scores.shape[-1]
    if rng is None:
        order = np.argsort(-np.round(scores, 12), axis=-1, kind="stable")
    else:
        # One integer holds score, lot and item; sorting it is faster than sorting positions by score.
        item_bits = max(1, (n - 1).bit_length())
        score_bits = min(_SCORE_BITS, _KEY_BITS - 12 - item_bits)
        lot_bits = _KEY_BITS - score_bits - item_bits
        high = scores.max(axis=-1, keepdims=True).astype(np.float64)
        span = high - scores.min(axis=-1, keepdims=True)
        key = np.rint((high - scores) * (2.0**score_bits / np.where(span == 0, 1, span))).astype(np.int64)
        key <<= lot_bits
        key |= rng.integers(1 << lot_bits, size=scores.shape, dtype=np.int64)
        key <<= item_bits
        key |= np.arange(n)
        key.sort(axis=-1)
        order = key & ((1 << item_bits) - 1)
    result = np.empty(order.shape, dtype=np.int16 if n < 2**15 else np.int32)
    places = np.broadcast_to(np.arange(1, n + 1, dtype=result.dtype), order.shape)
    np.put_along_axis(result, order, places, axis=-1)
    return result


def rank_quantiles(drawn_ranks: Ints, levels: tuple[float, ...] = (0.05, 0.5, 0.95)) -> Ints:
    r"""Quantiles of the ranks of each item over the draws: :math:`\min\{k : P(R \leq k) \geq p\}`.

    Being quantiles of one distribution, they are in the order of their levels whatever the draws are, and a
    quantile at level *p* is at most *k* if and only if :math:`P(R \leq k) \geq p`.

    Parameters
    ----------
    drawn_ranks : array, shape (draws, items)
    levels : tuple of float

    Returns
    -------
    array, shape (levels, items)

    >>> rank_quantiles(np.array([[1, 2], [1, 2], [2, 1]])).tolist()
    [[1, 1], [1, 2], [2, 2]]
    """
    draws, n = drawn_ranks.shape
    at = [quantile_of_lots(level, draws) - 1 for level in levels]
    task = partial(_order_statistics, drawn_ranks, at)
    return np.concatenate(in_blocks(task, n, 5.0 * draws * n, most=256)).T


def quantile_of_lots(level: float, size: int) -> int:
    """Quantile of a number that is equally likely to be any of 1…size.

    >>> [quantile_of_lots(level, 4) for level in (0.05, 0.5, 0.95)]
    [1, 2, 4]
    """
    return max(1, int(np.ceil(level * size - 1e-9)))


def _order_statistics(drawn_ranks: Ints, at: list[int], part: slice) -> npt.NDArray[np.int_]:
    """Order statistics of a block of items."""
    return np.sort(drawn_ranks[:, part].T, axis=-1)[:, at].astype(np.int_)


def share_above(drawn_ranks: Ints) -> npt.NDArray[np.float64]:
    """Share of draws in which the item of the row is ranked above that of the column.

    >>> share_above(np.array([[1, 2], [1, 2], [2, 1], [1, 2]]))
    array([[0.  , 0.75],
           [0.25, 0.  ]])
    """
    draws, n = drawn_ranks.shape
    items_first = np.ascontiguousarray(drawn_ranks.T)
    parts = in_blocks(partial(_count_above, items_first), n, 1.0 * draws * n * n)
    return np.asarray(np.concatenate(parts) / draws)


def _count_above(items_first: Ints, part: slice) -> npt.NDArray[np.int_]:
    """In how many draws each item of a block is above each item."""
    return np.array([(row < items_first).sum(axis=1) for row in items_first[part]])


def undecided_groups(above: npt.NDArray[np.float64], order: Ints, level: float) -> list[list[int]]:
    """Longest runs of items, in the order given, in which no pair is told apart.

    A pair is told apart if one is above the other in at least ``level`` of the draws. Being undecided is not
    transitive, so an item may stand in several runs, as in the letter displays of multiple comparisons.

    >>> above = np.array([[0.0, 0.8, 0.99], [0.2, 0.0, 0.8], [0.01, 0.2, 0.0]])
    >>> undecided_groups(above, np.array([0, 1, 2]), 0.95)
    [[0, 1], [1, 2]]
    """
    apart = np.maximum(above, above.T) >= level
    runs: list[list[int]] = []
    start = 0
    for stop in range(len(order)):
        while apart[order[stop], order[start:stop]].any():
            start += 1
        if stop + 1 == len(order) or apart[order[stop + 1], order[start : stop + 1]].any():
            runs.append(order[start : stop + 1].tolist())
    return runs


def rank_tiers(drawn_ranks: Ints, order: Ints, level: float) -> Ints:
    """Tier of each item, 1 the first: runs, in the order given, that begin where a pair is told apart.

    An item begins a new tier if it and any item of the tier so far are told apart: one is above the other in
    at least ``level`` of the draws. So no pair within a tier is told apart, and the first tier is the first
    of :func:`undecided_groups`. An item may still not be told apart from some of the tier before.

    >>> rank_tiers(np.array([[1, 2, 3]] * 19 + [[2, 1, 3]]), np.array([0, 1, 2]), 0.96).tolist()
    [1, 1, 2]
    """
    draws, n = drawn_ranks.shape
    ordered = np.ascontiguousarray(drawn_ranks[:, order].T)
    tiers = np.ones(n, dtype=np.intp)
    start = 0
    for item in range(1, n):
        tiers[item] = tiers[item - 1]
        # The first items of a tier are the likeliest to be told apart from the next one.
        for member in range(start, item):
            ahead = np.count_nonzero(ordered[member] < ordered[item])
            if max(ahead, draws - ahead) / draws >= level:
                start = item
                tiers[item] += 1
                break
    result = np.empty(n, dtype=np.intp)
    result[order] = tiers
    return result
