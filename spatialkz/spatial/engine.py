"""The engine of all global permutation tests: each permutation serves all variables at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

Floats = npt.NDArray[np.float64]

# Bytes of permuted values held at once; with a few dozen regions all permutations fit in one block.
_BLOCK_BYTES = 64_000_000


def permuted_cross_products(
    values: Floats,
    weights: csr_array,
    permutations: int,
    rng: np.random.Generator,
    *,
    diagonal: Floats | None = None,
) -> Floats:
    r"""Quadratic form of every variable under every permutation of the regions.

    .. math:: T_{rk} = \sum_{ij} w_{ij} v_{\pi_r(i) k} v_{\pi_r(j) k} + \sum_i d_i v_{\pi_r(i) k}^2

    Moran's I, Geary's c, Getis–Ord G and join counts are all such forms up to constants.

    Parameters
    ----------
    values : array, shape (regions, variables)
    weights : csr_array, shape (regions, regions)
    permutations : int
    rng : Generator
    diagonal : array, shape (regions,), optional
        :math:`d_i`; left out, 0.

    Returns
    -------
    array, shape (permutations, variables)
    """
    n, k = values.shape
    block = max(1, _BLOCK_BYTES // (8 * n * k))
    products = np.empty((permutations, k))
    for start in range(0, permutations, block):
        size = min(block, permutations - start)
        order = rng.permuted(np.tile(np.arange(n), (size, 1)), axis=1)
        drawn = values[order.T].reshape(n, size * k)  # region × (permutation, variable)
        terms = drawn * (weights @ drawn)
        if diagonal is not None:
            terms += diagonal[:, None] * drawn**2
        products[start : start + size] = terms.sum(axis=0).reshape(size, k)
    return products
