"""Hartigan's exchange of single points, which leaves many partitions where Lloyd's iteration stops."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spatialkz.clustering._runs import Labels, Matrix, Weights, as_centers, cluster_sums, within_sums


def exchanged(
    points: Matrix,
    weights: Weights,
    run_row: Labels,
    run_k: Labels,
    labels: NDArray[Any],
    iterations: int,
) -> tuple[NDArray[Any], Weights]:
    """Hartigan's exchange: move points while moving one of them alone would lower the sum of squares.

    Lloyd's iteration stops at many partitions that this one leaves, and never the other way round. All points
    that gain move at once; where that does not lower the sum, half as many of the best, down to one alone.
    """
    n, runs, most = len(points), len(run_k), int(run_k.max())
    labels, squares = labels.copy(), (points[:, :-1] ** 2).sum(axis=1)
    sums = cluster_sums(points, weights[run_row], labels, most)
    inertia = within_sums(points, weights, run_row, sums)
    limit = np.full(runs, n)
    active = np.arange(runs)
    for _ in range(iterations):
        gain, target = _gains(points, squares, weights[run_row[active]], labels[active], sums[:, active])
        gain[gain <= 1e-10 * inertia[active, None] / n] = 0.0
        moves = np.minimum(limit[active], np.count_nonzero(gain, axis=1))
        active, gain, target, moves = (part[moves > 0] for part in (active, gain, target, moves))
        if not len(active):
            break
        least = np.take_along_axis(-np.sort(-gain, axis=1), moves[:, None] - 1, axis=1)
        new = np.where(gain >= least, target, labels[active]).astype(labels.dtype)
        # Summed afresh, so that rounding does not build up.
        moved = cluster_sums(points, weights[run_row[active]], new, most)
        sum_of_squares = within_sums(points, weights, run_row[active], moved)
        lower = sum_of_squares < inertia[active]
        taken = active[lower]
        labels[taken], sums[:, taken], inertia[taken] = new[lower], moved[:, lower], sum_of_squares[lower]
        limit[active] = np.where(lower, n, moves // 2)
    return labels, inertia


def _gains(
    points: Matrix, squares: Matrix, weights: Matrix, labels: NDArray[Any], sums: Matrix
) -> tuple[Matrix, Labels]:
    """By how much moving each point alone lowers the sum of squares, and where to; shape (runs, n)."""
    apart = np.maximum(squares - 2 * (as_centers(sums) @ points.T), 0)
    size, own = sums[:, :, -1:], labels[None].astype(np.intp)
    joining = apart * (size * weights / np.maximum(size + weights, 1e-300))
    joining[np.broadcast_to(size <= 0, joining.shape)] = np.inf
    np.put_along_axis(joining, own, np.inf, axis=0)
    target: Labels = joining.argmin(axis=0)
    size = np.take_along_axis(size[:, :, 0], labels.T.astype(np.intp), axis=0).T
    left = size - weights
    # The last point of a cluster stays.
    away = np.where(left > 1e-9 * size, size * weights / np.where(left > 0, left, 1), 0.0)
    gain = away * np.take_along_axis(apart, own, axis=0)[0]
    return gain - np.take_along_axis(joining, target[None], axis=0)[0], target
