"""Ranks with their uncertainty: what rounding and the choice of weights do to an order."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]


def ranks(scores: Floats) -> Ints:
    """Rank each row of scores, 1 = largest; ties go to the earlier item, so a row is a permutation of 1…m.

    >>> ranks(np.array([[0.2, 0.9, 0.2]])).tolist()
    [[2, 1, 3]]
    """
    order = np.argsort(-np.round(scores, 12), axis=-1, kind="stable")
    result = np.empty_like(order)
    positions = np.broadcast_to(np.arange(1, scores.shape[-1] + 1), order.shape)
    np.put_along_axis(result, order, positions, axis=-1)
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
    low, high = np.quantile(drawn_ranks, [0.05, 0.95], axis=0, method="inverted_cdf")
    return pd.DataFrame(
        {
            "rank": ranks(point_scores[None, :])[0],
            "score": point_scores,
            "rank_low": low.astype(int),
            "rank_high": high.astype(int),
            f"p_top{top}": (drawn_ranks <= top).mean(axis=0),
        }
    )
