"""Lloyd's iterations of many k-means runs on the same points, one matrix product for all their centers."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array

Matrix: TypeAlias = NDArray[np.floating[Any]]
Weights: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.intp]

MOST_ITERATIONS = 300
_TILE = 1 << 18  # scores held at once: 1 to 2 MB, the size of a core's cache


def start_points(points: Matrix, weights: Matrix, uniforms: Weights) -> Labels:
    """Greedy k-means++: of some points drawn with probability ∝ w d², the one that lowers Σ w d² most."""
    chains, most, _ = uniforms.shape
    n = len(points)
    squares = (points[:, :-1] ** 2).sum(axis=1)
    weights = weights.astype(points.dtype)
    nearest: Matrix = np.ones((chains, n), dtype=points.dtype)
    chosen = np.empty((chains, most), dtype=np.intp)
    which = np.arange(chains)
    for step in range(most):
        cumulated = np.cumsum(weights * nearest, axis=1, dtype=np.float64)
        total = cumulated[:, -1:]
        # Where rounding leaves no distance, any point of weight will do; its cluster is filled later.
        spare = (total <= 0).ravel()
        cumulated[spare] = np.cumsum(weights[spare], axis=1, dtype=np.float64)
        # Chain c climbs from c to c + 1, so that one search serves all chains.
        ladder = (cumulated / cumulated[:, -1:] + which[:, None]).ravel()
        draws = uniforms[:, step, : 1 if step == 0 else None] * (1 - 1e-9) + which[:, None]
        candidates = np.searchsorted(ladder, draws, side="right") - n * which[:, None]
        flat = candidates.ravel()
        apart = squares - 2 * (points[flat, :-1] @ points[:, :-1].T) + squares[flat, None]
        apart = np.maximum(apart, 0).reshape(*candidates.shape, n)
        if step:
            apart = np.minimum(apart, nearest[:, None])
        best = np.einsum("ctn,cn->ct", apart, weights).argmin(axis=1)
        nearest, chosen[:, step] = apart[which, best], candidates[which, best]
    return chosen


def as_centers(sums: Matrix) -> Matrix:
    """Turn (… Σwx, Σw) into (… c, −|c|²/2), whose product with (x, 1) is largest for the nearest center."""
    centers = sums / np.where(sums[..., -1:] > 0, sums[..., -1:], 1)
    centers[..., -1] = -0.5 * (centers[..., :-1] ** 2).sum(axis=-1)
    return centers


def cluster_sums(points: Matrix, weights: Matrix, labels: NDArray[Any], most: int) -> Matrix:
    """Σ w (x, 1) by cluster and run, shape (most, runs, p + 1)."""
    runs, n = labels.shape
    rows = labels.astype(np.intp) * runs + np.arange(runs)[:, None]
    columns = np.broadcast_to(np.arange(n), labels.shape)
    spread = coo_array((weights.ravel(), (rows.ravel(), columns.ravel())), shape=(most * runs, n))
    sums: Matrix = (spread @ points).reshape(most, runs, -1)
    return sums


def iterated(
    points: Matrix,
    weights: Weights,
    run_row: Labels,
    run_k: Labels,
    centers: Matrix,
    settled: float,
) -> tuple[NDArray[Any], Weights]:
    """Iterate all runs until at most a share ``settled`` of the points changes its cluster.

    Runs stand in descending ``run_k``; ``centers`` has shape (largest k, runs, p + 1).
    """
    n, runs, most = len(points), len(run_k), len(centers)
    none = most  # the label of points not yet in a cluster
    labels = np.full((runs, n), none, dtype=np.min_scalar_type(none))
    sums = np.zeros((most + 1, *centers.shape[1:]), dtype=points.dtype)
    active = np.arange(runs)
    # Half the smallest weight tells an empty cluster from a sum that rounding left beside 0.
    least = 0.5 * np.where(weights > 0, weights, np.inf).min(axis=1)
    for _ in range(MOST_ITERATIONS):
        row = run_row[active]
        holds = np.arange(most)[:, None] < run_k[active]
        found, moved = labels[active], np.zeros(len(active), dtype=np.intp)
        current = np.ascontiguousarray(sums[:, active])
        flat = current.reshape(-1, points.shape[1])
        stacked = centers[:, active][holds]
        width = max(16, _TILE // len(stacked))
        for first in range(0, n, width):
            tile = points[first : first + width]
            new = _nearest(stacked, tile, holds.sum(axis=1), labels.dtype)
            run, point = np.nonzero(new != found[:, first : first + width])
            before, after = found[run, point + first].astype(np.intp), new[run, point].astype(np.intp)
            weight = weights[row[run], point + first].astype(points.dtype)
            change = coo_array(
                (
                    np.concatenate([weight, -weight]),
                    (np.concatenate([after, before]) * len(active) + np.tile(run, 2), np.tile(point, 2)),
                ),
                shape=(len(flat), len(tile)),
            )
            flat += change @ tile
            moved += np.bincount(run, minlength=len(active))
            found[:, first : first + width] = new
        empty = holds & (current[:most, :, -1] < least[row])
        for place in np.flatnonzero(empty.any(axis=0)):
            lost, now = np.flatnonzero(empty[:, place]), centers[:, active[place]]
            _refill(points, weights[row[place]], found[place], current[:, place], now, lost)
            moved[place] = n
        labels[active], sums[:, active] = found, current
        centers[:, active] = as_centers(current[:most])
        active = active[moved > settled * n]
        if not len(active):
            break
    return labels, within_sums(points, weights, run_row, sums[:most])


def within_sums(points: Matrix, weights: Weights, run_row: Labels, sums: Matrix) -> Weights:
    """Within-cluster sum of squares of each run: total less that of the centers."""
    total = weights @ (points[:, :-1].astype(np.float64) ** 2).sum(axis=1)
    sums = sums.astype(np.float64)
    counts = np.where(sums[..., -1] > 0, sums[..., -1], 1)
    between = ((sums[..., :-1] ** 2).sum(axis=2) / counts).sum(axis=0)
    within: Weights = np.maximum(total[run_row] - between, 0.0)
    return within


def _nearest(stacked: Matrix, tile: Matrix, alive: Labels, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Label of the nearest center for each run and point; ``alive[j]`` runs have a j-th cluster."""
    scores = stacked @ tile.T
    best = scores[: alive[0]]
    labels = np.zeros(best.shape, dtype=dtype)
    first = int(alive[0])
    for j, runs in enumerate(alive[1:], start=1):
        rival = scores[first : first + runs]
        # j only grows, so that a maximum keeps the last improvement.
        better = np.multiply(rival > best[:runs], dtype.type(j), dtype=dtype)
        np.maximum(labels[:runs], better, out=labels[:runs])
        np.maximum(best[:runs], rival, out=best[:runs])
        first += runs
    return labels


def _refill(
    points: Matrix,
    weights: Matrix,
    labels: NDArray[Any],
    sums: Matrix,
    centers: Matrix,
    empty: Labels,
) -> None:
    """Give each empty cluster of a run the point farthest from its center, in place."""
    apart = ((points[:, :-1] - centers[labels.astype(np.intp), :-1]) ** 2).sum(axis=1)
    count = np.bincount(labels[weights > 0], minlength=len(centers))
    for cluster in empty:
        movable = (weights > 0) & (count[labels] > 1)
        far = int(np.argmax(np.where(movable, apart, -1.0)))
        gain = (weights[far] * points[far]).astype(points.dtype)
        sums[labels[far]] -= gain
        sums[cluster] += gain
        count[labels[far]] -= 1
        count[cluster] = 1
        labels[far] = cluster
        apart[far] = 0.0
