"""Trees of merges as SciPy writes them, Ward's for weighted regions, and cuts through them."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Matrix: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.intp]


def cut(tree: Matrix, k: int) -> Labels:
    """Clusters left when all merges but the last k − 1 are made.

    Goes by the order of the merges, not by their heights: under contiguity a later merge may be lower.

    Parameters
    ----------
    tree : array, shape (regions − 1, 4)
        Linkage matrix, each row a merge: two nodes, height, members.
    k : int
        Number of clusters, from 1 to the number of regions.

    Returns
    -------
    array of int, shape (regions,)
        Labels 0 … k − 1, in the order in which clusters first appear.

    Examples
    --------
    >>> cut(np.array([[0, 1, 0.5, 2], [2, 3, 4.0, 3]]), 2)
    array([0, 0, 1])
    """
    regions = len(tree) + 1
    top = np.arange(2 * regions - 1)
    made = regions - k
    for merge in range(made - 1, -1, -1):
        top[tree[merge, :2].astype(int)] = top[regions + merge]
    return pd.factorize(top[:regions])[0]


def linkage_matrix(pairs: NDArray[np.intp], heights: Matrix) -> Matrix:
    """Number the nodes of merges given as pairs of regions, one region from each of the two clusters merged.

    Parameters
    ----------
    pairs : array of int, shape (regions − 1, 2)
        In the order of the merges.
    heights : array, shape (regions − 1,)

    Returns
    -------
    array, shape (regions − 1, 4)

    Examples
    --------
    >>> linkage_matrix(np.array([[2, 1], [0, 1]]), np.array([1.0, 3.0]))
    array([[1., 2., 1., 2.], [0., 3., 3., 3.]])
    """
    regions = len(pairs) + 1
    above, members = np.arange(2 * regions - 1), np.ones(2 * regions - 1)
    tree = np.empty((regions - 1, 4))
    for merge, (pair, height) in enumerate(zip(pairs, heights, strict=True)):
        node = regions + merge
        children = sorted(_top(above, region) for region in pair)
        above[children], members[node] = node, members[children].sum()
        tree[merge] = *children, height, members[node]
    return tree


def weighted_ward(squares: Matrix, masses: Matrix) -> Matrix:
    r"""Ward's tree on squared dissimilarities of weighted regions.

    Merging two regions costs :math:`w_i w_j / (w_i + w_j)\, d_{ij}^2`, the gain of within-cluster inertia;
    clusters follow by the formula of Lance and Williams. Weights are scaled to sum to 1, so that heights sum
    to the inertia of the whole. SciPy's `linkage` does the same for equal weights only, with heights
    :math:`\sqrt{2 n h}`.

    Parameters
    ----------
    squares : array, shape (regions, regions)
        Squared dissimilarities, symmetric; they need not be Euclidean.
    masses : array, shape (regions,)
        Weights above 0.

    Returns
    -------
    array, shape (regions − 1, 4)
        Linkage matrix.

    References
    ----------
    Murtagh & Legendre (2014), *J. Classification* 31, 274–295; nearest-neighbor chains: Murtagh (1983),
    *Computer Journal* 26, 354–359.

    Examples
    --------
    >>> weighted_ward(np.array([[0.0, 1.0, 16.0], [1.0, 0.0, 9.0], [16.0, 9.0, 0.0]]), np.ones(3)).round(3)
    array([[0.   , 1.   , 0.167, 2.   ],
           [2.   , 3.   , 2.722, 3.   ]])
    """
    regions = len(masses)
    mass = masses / masses.sum()
    cost = squares * (mass[:, None] * mass / (mass[:, None] + mass))
    np.fill_diagonal(cost, np.inf)
    merges: list[tuple[int, int]] = []
    heights: list[float] = []
    chain = [0]
    alive = np.ones(regions, dtype=bool)
    while len(merges) < regions - 1:
        if not chain:
            chain.append(int(alive.argmax()))
        last = chain[-1]
        nearest = int(cost[last].argmin())
        # Two clusters that are nearest to each other merge; equals go to the one just left, or chains circle.
        if len(chain) < 2 or cost[last, chain[-2]] > cost[last, nearest]:
            chain.append(nearest)
            continue
        gone, kept = chain.pop(), chain.pop()
        height = cost[gone, kept]
        both = mass[gone] + mass[kept]
        row = (mass[gone] + mass) * cost[gone] + (mass[kept] + mass) * cost[kept] - mass * height
        cost[kept] = cost[:, kept] = row / (both + mass)
        cost[gone] = cost[:, gone] = np.inf
        cost[kept, kept] = np.inf
        mass[kept], alive[gone] = both, False
        merges.append((gone, kept))
        heights.append(height)
    rising = np.argsort(heights, kind="stable")
    return linkage_matrix(np.array(merges, dtype=np.intp).reshape(-1, 2)[rising], np.array(heights)[rising])


def _top(above: Labels, node: int) -> int:
    while above[node] != node:
        # Path halving keeps long chains short.
        above[node] = above[above[node]]
        node = above[node]
    return int(node)
