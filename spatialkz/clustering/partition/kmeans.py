"""k-means with many starts, for many k and many weightings of the same points at once.

Up to 200 points every run is compiled as a whole (:mod:`.kernels`). Beyond, all runs share their matrix
product, points × stacked centers: a product as wide as all centers together runs at the full speed of the
processor, one for each run does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from threadpoolctl import ThreadpoolController

from spatialkz.clustering.partition.labels import sum_of_squares
from spatialkz.errors import InputError
from spatialkz.randomness import generator
from spatialkz.resampling.parallel import in_blocks

Matrix: TypeAlias = NDArray[np.floating[Any]]
Weights: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.intp]

LARGE = 100_000  # cells from which single precision searches and double precision finishes
MOST_ITERATIONS, _FEW_ITERATIONS = 300, 10
_FEW, _MANY = 200, 10_000  # points up to which every run, or the best one, goes on to exchange points
_SETTLED = 3e-3  # share of points that still move when a single-precision run is left to its finish
_PARTS, _LEAST_PAIRS, _MOST_PAIRS = 8, 1 << 19, 1 << 24  # blocks, and pairs of point and cluster in each
_TILE = 1 << 18  # scores held at once: 1 to 2 MB, the size of a core's cache
_THREADS = ThreadpoolController()


class Partition(NamedTuple):
    """Labels 0 … k − 1, numbered as they first occur, and the within-cluster sum of squares."""

    labels: Labels
    inertia: float


def default_starts(cells: int) -> int:
    """200 starts on a small table, where 20 often miss the best partition; 10 on a large one."""
    return 200 if cells < LARGE else 10


def kmeans_partitions(
    points: npt.ArrayLike,
    ks: Iterable[int],
    *,
    starts: int | None = None,
    rng: int | np.random.Generator | None = None,
) -> dict[int, Partition]:
    r"""k-means partitions of the same points for several k.

    Minimizes :math:`\sum_i \lVert x_i - \bar x_{c(i)} \rVert^2` by Lloyd's iterations from greedy k-means++
    starts; the first k points of one start serve every k. A cluster that loses its last point gets the
    point farthest from its center. With up to 200 points every run goes on to move single points as long as
    that lowers the sum (Hartigan), which finds better partitions than more starts would; with up to 10,000
    points the best run of each k makes a few such steps. Tables of 100,000 cells and more are searched in
    single precision, and the best run of each k is finished in double precision. Each result is a fixed
    point of Lloyd's iteration.

    Parameters
    ----------
    points : array, shape (n, p)
    ks : iterable of int
        Numbers of clusters, 1 to the number of distinct points.
    starts : int, optional
        Starts for each k; 200, and 10 for 100,000 cells and more.
    rng : int, Generator or None
        Seed; the result does not depend on the number of threads.

    Returns
    -------
    dict
        k → :class:`Partition`, in ascending k.

    Raises
    ------
    InputError
        If a cell is missing or infinite, or some k exceeds the number of distinct points.

    References
    ----------
    Lloyd (1982), *IEEE Trans. Information Theory* 28; Hartigan & Wong (1979), *Applied Statistics* 28;
    Arthur & Vassilvitskii (2007), *SODA*.

    Examples
    --------
    >>> found = kmeans_partitions([[0.0], [1.0], [9.0], [11.0]], [1, 2], rng=1)
    >>> found[2].labels
    array([0, 0, 1, 1])
    >>> print(found[2].inertia, found[1].inertia)
    2.5 92.75
    """
    table, ks = checked(points, ks)
    count = default_starts(table.size) if starts is None else _positive(starts, "starts")
    uniforms = start_draws(generator(rng, "kmeans"), 1, count, ks[-1])
    parts = _blocks(count, len(table) * sum(ks))
    with single_blas_thread():
        steps = float(table.size) * sum(ks) * count
        work = partial(_search_blocks, table, ks, uniforms, parts)
        blocks = [block for part in in_blocks(work, len(parts), steps) for block in part]
        labels, inertia = zip(*blocks, strict=True)
        best = np.argmin(np.concatenate(inertia), axis=0)
        chosen = np.concatenate(labels)[best, np.arange(len(ks))]
        final = _finished(table, ks, np.ones((1, len(table))), chosen[None])[0]
    return {k: Partition(found, sum_of_squares(table, found)) for k, found in zip(ks, final, strict=True)}


def weighted_kmeans(
    points: npt.ArrayLike,
    weights: npt.ArrayLike,
    k: int,
    *,
    starts: int | None = None,
    rng: int | np.random.Generator | None = None,
) -> Labels:
    r"""k-means partitions of the same points under several weightings, such as bootstrap resamples.

    A resample with replacement is a row of integer weights: how often each point was drawn. Minimizes
    :math:`\sum_i w_i \lVert x_i - \bar x_{c(i)} \rVert^2` for each row. A point of weight 0 has no say in the
    centers and gets the label of the nearest.

    Parameters
    ----------
    points : array, shape (n, p)
    weights : array, shape (rows, n)
        Not negative.
    k : int
    starts : int, optional
        Starts for each row; 20, and 10 for 100,000 cells and more.
    rng : int, Generator or None

    Returns
    -------
    array, shape (rows, n)
        Labels 0 … k − 1, numbered as they first occur in the row.

    Raises
    ------
    InputError
        If a cell is missing, a weight negative, or a row gives weight to fewer than k distinct points.

    Examples
    --------
    >>> weighted_kmeans([[0.0], [1.0], [9.0], [11.0]], [[1, 1, 1, 1], [0, 0, 1, 2]], 2, rng=1)
    array([[0, 0, 1, 1],
           [0, 0, 0, 1]])
    """
    table, (k,) = checked(points, [k])
    rows = np.asarray(weights, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] != len(table):
        raise InputError(f"weights have shape {rows.shape}; they must be (rows, {len(table)}).")
    if not (np.isfinite(rows).all() and (rows >= 0).all()):
        raise InputError("weights must be finite and not negative.")
    kind = np.unique(table, axis=0, return_inverse=True)[1].ravel()
    distinct = np.array([np.count_nonzero(np.bincount(kind, row)) for row in rows])
    if (distinct < k).any():
        row = int(np.argmax(distinct < k))
        raise InputError(f"Row {row} of weights reaches {distinct[row]} distinct points; k = {k} needs {k}.")
    count = min(20, default_starts(table.size)) if starts is None else _positive(starts, "starts")
    uniforms = start_draws(generator(rng, "weighted_kmeans"), len(rows), count, k)
    parts = _blocks(len(rows), len(table) * count * k)
    with single_blas_thread():
        steps = float(table.size) * k * count * len(rows)
        found = in_blocks(partial(_row_blocks, table, k, uniforms, rows, parts), len(parts), steps)
    return np.concatenate([block for part in found for block in part])


def single_blas_thread() -> AbstractContextManager[object]:
    """One thread for each matrix product: blocks run beside each other, and rounding stays the same."""
    limit: AbstractContextManager[object] = _THREADS.limit(limits=1, user_api="blas")
    return limit


def checked(points: npt.ArrayLike, ks: Iterable[int]) -> tuple[Weights, list[int]]:
    """Points as a float table and the sorted ks, or what is wrong with them."""
    table = np.ascontiguousarray(points, dtype=np.float64)
    if table.ndim != 2 or not table.size:
        raise InputError(f"points have shape {table.shape}; they must be (regions, features).")
    if not np.isfinite(table).all():
        row, column = np.argwhere(~np.isfinite(table))[0]
        raise InputError(f"points must be finite, but row {row}, column {column} is {table[row, column]}.")
    numbers = sorted({_positive(k, "k") for k in ks})
    if not numbers:
        raise InputError("ks is empty; at least one number of clusters is needed.")
    distinct = len(np.unique(table, axis=0))
    if numbers[-1] > distinct:
        raise InputError(f"k is {numbers[-1]}, but only {distinct} of the {len(table)} points are distinct.")
    return table, numbers


def _positive(number: int, name: str) -> int:
    if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 1:
        raise InputError(f"{name} is {number!r}; it must be a whole number from 1.")
    return int(number)


def start_draws(rng: np.random.Generator, rows: int, starts: int, most: int) -> Weights:
    """All random numbers that the starts of :func:`best_partitions` need, so that blocks do not matter."""
    # 2 + log k candidates for each center, as scikit-learn takes.
    return rng.random((rows, starts, most, 2 + int(np.log(most))))


def best_partitions(
    points: Weights, ks: list[int], uniforms: Weights, weights: Weights | None = None
) -> Labels:
    """Best of all starts for each row of weights and each k, in one thread.

    Parameters
    ----------
    points : array, shape (n, p)
    ks : list of int, ascending
    uniforms : array, shape (rows, starts, largest k, candidates)
        From :func:`start_draws`.
    weights : array, shape (rows, n), optional
        Ones if left out.

    Returns
    -------
    array, shape (rows, ks, n)
    """
    if weights is None:
        weights = np.ones((len(uniforms), len(points)))
    return _finished(points, ks, weights, _searched(points, ks, uniforms, weights)[0])


def _scaled(points: Weights) -> Weights:
    """Points about their mean, at most 1 in size so that squares neither overflow nor vanish, and ones.

    The column of ones makes sums carry the counts, and the product with centers carry −|c|²/2.
    """
    centered = points - points.mean(axis=0)
    return np.column_stack([centered / (np.abs(centered).max() or 1.0), np.ones(len(points))])


def _columns(points: Weights) -> Weights:
    """The same without the ones, a row for each feature, as the kernels take them."""
    return np.ascontiguousarray(_scaled(points)[:, :-1].T)


def _searched(
    points: Weights, ks: list[int], uniforms: Weights, weights: Weights
) -> tuple[NDArray[Any], Weights]:
    """Labels (rows, ks, n) of the best start and their sums of squares, in the precision of the search."""
    rows, starts, most = uniforms.shape[:3]
    if len(points) <= _FEW:
        from spatialkz.clustering.partition.kernels import best_starts

        found: Labels = np.empty((rows, len(ks), len(points)), dtype=np.intp)
        within: Weights = np.empty((rows, len(ks)))
        draws = np.ascontiguousarray(uniforms)
        best_starts(_columns(points), weights, np.array(ks), draws, MOST_ITERATIONS, found, within)
        return found, within
    ready: Matrix = _scaled(points)
    large = points.size >= LARGE
    if large:
        ready = ready.astype(np.float32)
    draws = uniforms.reshape(rows * starts, most, -1)
    chains = start_points(ready, np.repeat(weights, starts, axis=0), draws)
    # Runs in descending k, so that the runs with a j-th cluster are always the first ones.
    run_k = np.repeat(ks[::-1], rows * starts)
    run_row = np.tile(np.repeat(np.arange(rows), starts), len(ks))
    centers = as_centers(ready[np.tile(chains, (len(ks), 1)).T])
    labels, inertia = iterated(ready, weights, run_row, run_k, centers, _SETTLED if large else 0.0)
    inertia = inertia.reshape(len(ks), rows, starts)
    # A tie within rounding goes to the first start.
    slack = 1e-12 * (weights.sum(axis=1) * ready.shape[1])[:, None]
    best = np.argmax(inertia <= inertia.min(axis=2, keepdims=True) + slack, axis=2)
    labels = np.take_along_axis(labels.reshape(*inertia.shape, -1), best[:, :, None, None], axis=2)
    inertia = np.take_along_axis(inertia, best[:, :, None], axis=2)
    return labels[::-1, :, 0].swapaxes(0, 1), inertia[::-1, :, 0].T


def _finished(points: Weights, ks: list[int], weights: Weights, labels: NDArray[Any]) -> Labels:
    """The partitions found, (rows, ks, n), as fixed points in double precision, numbered as they occur."""
    if _FEW < len(points) <= _MANY:
        from spatialkz.clustering.partition.kernels import exchange, settled

        columns, labels = _columns(points), labels.astype(np.intp)
        for row, place in np.ndindex(labels.shape[:2]):
            exchange(columns, weights[row], ks[place], labels[row, place], _FEW_ITERATIONS)
            settled(columns, weights[row], ks[place], labels[row, place], MOST_ITERATIONS)
    elif len(points) > _MANY:
        exact, rows = _scaled(points), len(weights)
        run_k, run_row = np.repeat(ks[::-1], rows), np.tile(np.arange(rows), len(ks))
        runs = labels[:, ::-1].swapaxes(0, 1).reshape(len(run_k), -1)
        centers = as_centers(cluster_sums(exact, weights[run_row], runs, ks[-1]))
        runs, _ = iterated(exact, weights, run_row, run_k, centers, 0.0)
        labels = runs.reshape(len(ks), rows, -1)[::-1].swapaxes(0, 1)
    numbered = [pd.factorize(found)[0] for found in labels.reshape(-1, len(points))]
    return np.array(numbered, dtype=np.intp).reshape(labels.shape)


def _blocks(count: int, pairs: int) -> list[slice]:
    """Equal parts of ``range(count)``, whose pairs of point and run each neither waste calls nor memory.

    They do not depend on the number of threads, nor does therefore a rounding error.
    """
    size = max(1, min(max(-(-count // _PARTS), _LEAST_PAIRS // pairs), _MOST_PAIRS // pairs))
    return [slice(first, first + size) for first in range(0, count, size)]


def _search_blocks(
    points: Weights, ks: list[int], uniforms: Weights, parts: list[slice], chosen: slice
) -> list[tuple[NDArray[Any], Weights]]:
    weights = np.ones((1, len(points)))
    return [_searched(points, ks, uniforms[:, part], weights) for part in parts[chosen]]


def _row_blocks(
    points: Weights,
    k: int,
    uniforms: Weights,
    weights: Weights,
    parts: list[slice],
    chosen: slice,
) -> list[Labels]:
    return [best_partitions(points, [k], uniforms[rows], weights[rows])[:, 0] for rows in parts[chosen]]


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
