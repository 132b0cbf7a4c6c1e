"""Compiled k-means for few regions: each start goes from its first centers to its last exchange in one call.

Imported where a partition is made, for loading what was compiled takes a moment.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spatialkz.resampling.kernels import compiled

# Arrays as numba sees them; their types are told in the docstrings.
Array = Any


@compiled(error_model="numpy")
def best_starts(
    columns: Array,
    weights: Array,
    ks: Array,
    uniforms: Array,
    iterations: int,
    labels: Array,
    inertia: Array,
) -> None:
    """Write the partition with the least sum of squares over all starts, for each row of weights and each k.

    Parameters
    ----------
    columns : array, shape (p, n)
        Points, a row for each feature.
    weights : array, shape (rows, n)
    ks : array of int, ascending
    uniforms : array, shape (rows, starts, largest k, candidates)
    iterations : int
        At most so many of Lloyd's iteration, and of exchanges.
    labels, inertia : arrays, shapes (rows, ks, n) and (rows, ks)
        Written: the partitions, and their sums of squares.
    """
    p, n = columns.shape
    rows, starts, most, _ = uniforms.shape
    apart = np.zeros((n, n))
    for f in range(p):
        for i in range(n):
            for j in range(n):
                apart[i, j] += (columns[f, i] - columns[f, j]) ** 2
    chosen, found = np.empty(most, dtype=np.intp), np.empty(n, dtype=np.intp)
    away = np.empty((most, n))
    for row in range(rows):
        weight = weights[row]
        # A tie within rounding goes to the first start.
        slack = 1e-12 * weight.sum() * (p + 1)
        for start in range(starts):
            first_centers(apart, weight, uniforms[row, start], chosen)
            for place in range(len(ks)):
                for c in range(ks[place]):
                    for i in range(n):
                        away[c, i] = apart[chosen[c], i]
                settle(columns, weight, found, away[: ks[place]], iterations)
                within = exchange(columns, weight, ks[place], found, iterations)
                if start == 0 or within < inertia[row, place] - slack:
                    inertia[row, place] = within
                    for i in range(n):
                        labels[row, place, i] = found[i]
        for place in range(len(ks)):
            settled(columns, weight, ks[place], labels[row, place], iterations)


@compiled(error_model="numpy")
def first_centers(apart: Array, weight: Array, uniforms: Array, chosen: Array) -> None:
    """Greedy k-means++: of some points drawn with probability ∝ w d², the one that lowers Σ w d² most."""
    n = len(weight)
    nearest, cumulated = np.ones(n), np.empty(n)
    for step in range(len(chosen)):
        total = 0.0
        for i in range(n):
            total += weight[i] * nearest[i]
            cumulated[i] = total
        if total <= 0:
            # Where rounding leaves no distance, any point of weight will do; its cluster is filled later.
            for i in range(n):
                total += weight[i]
                cumulated[i] = total
        lowest = np.inf
        for candidate in range(1 if step == 0 else uniforms.shape[1]):
            draw, point, potential = uniforms[step, candidate] * (1 - 1e-9) * total, 0, 0.0
            while cumulated[point] <= draw and point < n - 1:
                point += 1
            for i in range(n):
                potential += weight[i] * (apart[point, i] if step == 0 else min(apart[point, i], nearest[i]))
            # Two points that serve only each other are equal but for rounding; the first drawn is taken.
            if potential < lowest * (1 - 1e-12):
                lowest, chosen[step] = potential, point
        for i in range(n):
            distance = apart[chosen[step], i]
            nearest[i] = distance if step == 0 else min(distance, nearest[i])


@compiled(error_model="numpy")
def settle(columns: Array, weight: Array, labels: Array, apart: Array, iterations: int) -> None:
    """Lloyd's iteration, in place: each point to the nearest center, until none moves.

    A cluster that loses its last point gets the point farthest from its center.

    Parameters
    ----------
    columns, weight : arrays, shapes (p, n) and (n,)
    labels : array of int, shape (n,)
        Written.
    apart : array, shape (k, n)
        Squared distance of each point from each center; overwritten.
    iterations : int
    """
    (p, n), k = columns.shape, len(apart)
    sums, sizes = np.empty((p, k)), np.empty(k)
    for i in range(n):
        labels[i] = -1
    for _ in range(iterations):
        moved = False
        for i in range(n):
            near = 0
            for c in range(1, k):
                if apart[c, i] < apart[near, i]:
                    near = c
            if near != labels[i]:
                labels[i], moved = near, True
        if not moved:
            break
        cluster_sums(columns, weight, labels, sums, sizes)
        refilled = False
        for c in range(k):
            if sizes[c] <= 0:
                _refill(apart, weight, labels, c)
                refilled = True
        if refilled:
            cluster_sums(columns, weight, labels, sums, sizes)
        from_centers(columns, sums, sizes, apart)


@compiled(error_model="numpy")
def settled(columns: Array, weight: Array, k: int, labels: Array, iterations: int) -> None:
    """Lloyd's iteration from the centers of a partition, in place."""
    sums, sizes, apart = np.empty((len(columns), k)), np.empty(k), np.empty((k, columns.shape[1]))
    cluster_sums(columns, weight, labels, sums, sizes)
    from_centers(columns, sums, sizes, apart)
    settle(columns, weight, labels, apart, iterations)


@compiled(error_model="numpy")
def exchange(columns: Array, weight: Array, k: int, labels: Array, iterations: int) -> float:
    """Hartigan's exchange, in place: move points while moving one alone would lower the sum of squares.

    Lloyd's iteration stops at many partitions that this one leaves, and never the other way round. All points
    that gain move at once; where that does not lower the sum, half as many of the best, down to one alone.
    Returns the sum of squares within clusters.
    """
    p, n = columns.shape
    sums, sizes, apart = np.empty((p, k)), np.empty(k), np.empty((k, n))
    gain, target, new = np.empty(n), np.empty(n, dtype=np.intp), np.empty(n, dtype=np.intp)
    total = 0.0
    for f in range(p):
        for i in range(n):
            total += weight[i] * columns[f, i] ** 2
    inertia: float = total - cluster_sums(columns, weight, labels, sums, sizes)
    limit = n
    for _ in range(iterations):
        from_centers(columns, sums, sizes, apart)
        moves = 0
        for i in range(n):
            own, w = labels[i], weight[i]
            joining, target[i] = np.inf, own
            for c in range(k):
                if c != own and sizes[c] > 0 and apart[c, i] * (sizes[c] * w / (sizes[c] + w)) < joining:
                    joining, target[i] = apart[c, i] * (sizes[c] * w / (sizes[c] + w)), c
            left = sizes[own] - w
            # The last point of a cluster stays.
            away = apart[own, i] * (sizes[own] * w / left) if left > 1e-9 * sizes[own] else 0.0
            gain[i] = away - joining
            if gain[i] <= 1e-10 * inertia / n:
                gain[i] = 0.0
            else:
                moves += 1
        moves = min(limit, moves)
        if moves == 0:
            break
        least = np.sort(gain)[n - moves]
        for i in range(n):
            new[i] = target[i] if gain[i] >= least else labels[i]
        # Summed afresh, so that rounding does not build up.
        lower = total - cluster_sums(columns, weight, new, sums, sizes)
        if lower < inertia:
            inertia, limit = lower, n
            for i in range(n):
                labels[i] = new[i]
        else:
            limit = moves // 2
            cluster_sums(columns, weight, labels, sums, sizes)
    return max(inertia, 0.0)


@compiled(error_model="numpy")
def cluster_sums(columns: Array, weight: Array, labels: Array, sums: Array, sizes: Array) -> float:
    """Write Σ w x, shape (p, k), and Σ w of each cluster; the sum of squares between clusters."""
    between = 0.0
    for c in range(len(sizes)):
        sizes[c] = 0.0
    for i in range(len(labels)):
        sizes[labels[i]] += weight[i]
    for f in range(len(columns)):
        for c in range(len(sizes)):
            sums[f, c] = 0.0
        for i in range(len(labels)):
            sums[f, labels[i]] += weight[i] * columns[f, i]
        for c in range(len(sizes)):
            if sizes[c] > 0:
                between += sums[f, c] ** 2 / sizes[c]
    return between


@compiled(error_model="numpy")
def from_centers(columns: Array, sums: Array, sizes: Array, apart: Array) -> None:
    """Write the squared distance of each point from each center, shape (k, n); ∞ where no point is."""
    for c in range(len(sizes)):
        for i in range(columns.shape[1]):
            apart[c, i] = 0.0 if sizes[c] > 0 else np.inf
        if sizes[c] > 0:
            for f in range(len(columns)):
                center = sums[f, c] / sizes[c]
                for i in range(columns.shape[1]):
                    apart[c, i] += (columns[f, i] - center) ** 2


@compiled(error_model="numpy")
def _refill(apart: Array, weight: Array, labels: Array, empty: int) -> None:
    """Give a cluster without weight the point farthest from its center, if another can spare one."""
    farthest, far = -1.0, -1
    for i in range(len(labels)):
        others = 0
        for j in range(len(labels)):
            others += labels[j] == labels[i] and weight[j] > 0 and j != i
        if weight[i] > 0 and others and apart[labels[i], i] > farthest:
            farthest, far = apart[labels[i], i], i
    if far >= 0:
        labels[far], apart[empty, far] = empty, 0.0
