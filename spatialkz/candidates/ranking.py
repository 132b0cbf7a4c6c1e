"""Scores turned into ranks, and drawn ranks into what can be said of an order."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from spatialkz.resampling.parallel import in_blocks

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.signedinteger]

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


def rank_summary(point_scores: Floats, drawn_ranks: Ints, top: int) -> pd.DataFrame:
    """Score, rank, 5–95 % rank interval and P(rank ≤ top) of each item.

    Parameters
    ----------
    point_scores : array, shape (items,)
        Scores at the point values and default weights.
    drawn_ranks : array, shape (draws, items)
    top : int

    Returns
    -------
    DataFrame
        Columns ``rank, score, rank_low, rank_high, p_top{top}``.
    """
    low, high = rank_interval(drawn_ranks)
    return pd.DataFrame(
        {
            "rank": ranks(point_scores[None, :])[0].astype(int),
            "score": point_scores,
            "rank_low": low,
            "rank_high": high,
            f"p_top{top}": (drawn_ranks <= top).mean(axis=0),
        }
    )


def rank_interval(drawn_ranks: Ints) -> tuple[Ints, Ints]:
    """Smallest ranks that at least 5 % and 95 % of the draws do not exceed, for each item.

    >>> rank_interval(np.array([[1, 2], [1, 2], [2, 1]]))
    (array([1, 1]), array([2, 2]))
    """
    draws, n = drawn_ranks.shape
    at = [max(0, int(np.ceil(level * draws - 1e-9)) - 1) for level in (0.05, 0.95)]
    task = partial(_order_statistics, drawn_ranks, at)
    ends = np.concatenate(in_blocks(task, n, 5.0 * draws * n, most=256))
    return ends[:, 0], ends[:, 1]


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


def undecided_groups(above: npt.NDArray[np.float64], mean_rank: Floats, level: float) -> list[list[int]]:
    """Longest runs of items, in order of mean rank, in which no pair is told apart.

    A pair is told apart if one is above the other in at least ``level`` of the draws. Being undecided is not
    transitive, so an item may stand in several runs, as in the letter displays of multiple comparisons.

    >>> above = np.array([[0.0, 0.8, 0.99], [0.2, 0.0, 0.8], [0.01, 0.2, 0.0]])
    >>> undecided_groups(above, np.array([1.0, 2.0, 3.0]), 0.95)
    [[0, 1], [1, 2]]
    """
    order = np.argsort(mean_rank, kind="stable")
    apart = np.maximum(above, above.T) >= level
    runs: list[list[int]] = []
    start = 0
    for stop in range(len(order)):
        while apart[order[stop], order[start:stop]].any():
            start += 1
        if stop + 1 == len(order) or apart[order[stop + 1], order[start : stop + 1]].any():
            runs.append(order[start : stop + 1].tolist())
    return runs
