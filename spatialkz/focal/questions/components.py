"""How many connected components a set of regions forms, against random sets of the same size."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, triu
from scipy.sparse.csgraph import connected_components

from spatialkz.resampling.pvalues import Floats
from spatialkz.resampling.shuffles import Keys, random_orders

Members = NDArray[np.bool_]
# Sets up to which all are counted instead of drawn.
_EXACT_UP_TO = 25_000
# Region × set cells that are worked on at once.
_BLOCK = 4_000_000


def count_components(members: Members, weights: csr_array) -> NDArray[np.intp]:
    """Count the connected components of each set.

    Parameters
    ----------
    members : array, shape (sets, regions)
        Who belongs to each set.
    weights : csr_array, shape (regions, regions)
        Neighbors; direction does not matter.

    Examples
    --------
    >>> chain = csr_array(np.eye(3, k=1))
    >>> print(count_components(np.array([[True, True, True], [True, False, True]]), chain))
    [1 2]
    """
    sets, n = members.shape
    block = max(1, _BLOCK // n)
    return np.concatenate([_count_block(members[i : i + block], weights) for i in range(0, sets, block)])


def _count_block(members: Members, weights: csr_array) -> NDArray[np.intp]:
    # All sets side by side as one large graph, in which a component counts if its first region is inside.
    sets, n = members.shape
    pairs = triu(weights + weights.T, 1).tocoo()
    which, joined = np.nonzero(members[:, pairs.row] & members[:, pairs.col])
    ends = (which * n + pairs.row[joined], which * n + pairs.col[joined])
    whole = csr_array((np.ones(len(which), dtype=np.int8), ends), shape=(sets * n, sets * n))
    first = np.unique(connected_components(whole, directed=False)[1], return_index=True)[1]
    return np.bincount(first[members.ravel()[first]] // n, minlength=sets)


def random_components(size: int, weights: csr_array, keys: Keys) -> tuple[Floats, bool]:
    """Components of random sets of one size: of every such set if they are few (True), else one a key."""
    n = weights.shape[0]
    if comb(n, size) <= _EXACT_UP_TO:
        chosen = np.array(list(combinations(range(n), size)), dtype=np.intp)
        return count_components(_members(chosen, n), weights).astype(np.float64), True
    block = max(1, _BLOCK // n)
    found = [
        count_components(_members(random_orders(n, keys[i : i + block])[:size].T, n), weights)
        for i in range(0, len(keys), block)
    ]
    return np.concatenate(found).astype(np.float64), False


def _members(chosen: NDArray[np.integer], n: int) -> Members:
    members = np.zeros((len(chosen), n), dtype=bool)
    np.put_along_axis(members, chosen.astype(np.intp), True, axis=1)
    return members
