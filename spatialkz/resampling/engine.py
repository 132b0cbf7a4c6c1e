"""The engine of all global permutation tests: each permutation serves all variables at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array, triu

from spatialkz.resampling.parallel import in_blocks
from spatialkz.resampling.pvalues import Floats
from spatialkz.resampling.shuffles import (
    STEP,
    Keys,
    arrangement_count,
    arrangements,
    mixed,
    order_keys,
    random_orders,
)

# Multiplications above which compiled code earns back the half second it takes to load.
_COMPILE_FROM = 100_000_000
# Bytes of permuted values that the NumPy path holds at once.
_BLOCK_BYTES = 64_000_000
# Several permutations stand side by side in the kernel's ring: so many columns keep vector units busy, more
# permutations than these gain nothing, and so many bytes stay in a core's cache.
_RING_COLUMNS, _MOST_TOGETHER, _RING_BYTES = 384, 32, 524_288
# Share of near ties beyond which double precision throughout is cheaper than mending.
_MANY_TIES = 0.05


def permuted_cross_products(
    values: Floats,
    weights: csr_array,
    permutations: int,
    rng: np.random.Generator,
    diagonal: Floats | None = None,
    *,
    observed: Floats | None = None,
    compiled: bool | None = None,
) -> Floats:
    r"""Quadratic form of every variable under every permutation of the regions.

    .. math:: T_{rk} = \sum_{ij} w_{ij} v_{\pi_r(i) k} v_{\pi_r(j) k} + \sum_i d_i v_{\pi_r(i) k}^2

    Moran's I, Geary's c, Getis–Ord G and join counts are all such forms up to constants.

    Permutation *r* depends on ``rng`` and *r* alone, so the result is the same for any number of threads,
    processes or machines; see :func:`spatialkz.resampling.parallel.in_blocks`. Small problems are computed by
    NumPy, large ones by compiled code from the same permutations; the results differ by rounding only.

    Parameters
    ----------
    values : array, shape (regions, variables)
    weights : csr_array, shape (regions, regions)
    permutations : int
    rng : Generator
    diagonal : array, shape (regions,), optional
        :math:`d_i`; left out, 0.
    observed : array, shape (variables,), optional
        Where only the position of each T relative to this value matters: single precision may then be used
        wherever its rounding error cannot change that position, which is twice as fast. Without it all
        results have double precision.
    compiled : bool, optional
        Choose the path; left out, the size of the problem decides.

    Returns
    -------
    array, shape (permutations, variables)
    """
    form = _form(weights, diagonal)
    keys = order_keys(rng, permutations)
    if compiled is None:
        compiled = permutations * (form.nnz + len(values)) * values.shape[1] > _COMPILE_FROM
    if not compiled:
        return _by_numpy(values, form, len(keys), lambda some: random_orders(len(values), keys[some]))
    walk = _walk(form)
    if observed is None:
        return _by_kernel(values, walk, keys, np.float64)
    # Brought near 1, which single precision can hold; a power of two changes no digit.
    scale = np.exp2(np.floor(np.log2(np.maximum(np.abs(values).max(axis=0), np.finfo(float).tiny))))
    products = _by_kernel(values / scale, walk, keys, np.float32)
    products *= scale**2
    near = np.abs(products - observed) <= _single_precision_error(values, form)
    if near.mean() > _MANY_TIES:
        return _by_kernel(values, walk, keys, np.float64)
    again, doubtful = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
    if len(again):
        # Only the doubtful cells are replaced, so that no result depends on the other variables.
        mended = _by_kernel(values[:, doubtful], walk, keys[again], np.float64)
        products[near] = mended[near[np.ix_(again, doubtful)]]
    return products


def arranged_cross_products(levels: Floats, repeats: npt.NDArray[np.int64], weights: csr_array) -> Floats:
    """The form of :func:`permuted_cross_products` for one variable under all its distinct arrangements.

    Parameters
    ----------
    levels, repeats : array, shape (levels,)
        The different values, and how many regions have each.
    weights : csr_array, shape (regions, regions)

    Returns
    -------
    array, shape (arrangements,)
        In the order of :func:`spatialkz.resampling.shuffles.arrangements`.
    """
    return _by_numpy(
        levels[:, None],
        _form(weights, None),
        arrangement_count(repeats),
        lambda some: arrangements(repeats, np.arange(some.start, some.stop)),
    )[:, 0]


def _form(weights: csr_array, diagonal: Floats | None) -> csr_array:
    """Upper triangle with the same quadratic form: each pair of neighbors once, at half the cost."""
    upper = triu(weights + weights.T, 1)
    own = weights.diagonal() if diagonal is None else weights.diagonal() + diagonal
    form = csr_array(upper + diags_array(own) if own.any() else upper)
    form.eliminate_zeros()
    return form


def _by_numpy(
    values: Floats, form: csr_array, count: int, orders: Callable[[slice], npt.NDArray[np.integer]]
) -> Floats:
    """The form under ``count`` orders; ``orders`` gives some, a column each, as rows of ``values``."""
    n, variables = form.shape[0], values.shape[1]
    products = np.empty((count, variables))
    block = max(1, _BLOCK_BYTES // (8 * n * variables))
    for start in range(0, count, block):
        some = slice(start, min(start + block, count))
        drawn = values[orders(some)].reshape(n, -1)  # region × (permutation, variable)
        lags = form @ drawn
        lags *= drawn
        products[some] = lags.sum(axis=0).reshape(-1, variables)
    return products


@dataclass(frozen=True)
class _Walk:
    """Visits all regions so that neighbors come soon after each other; see :func:`kernels.cross_products`."""

    site: npt.NDArray[np.uint32]
    own: npt.NDArray[np.uint32]
    slot: npt.NDArray[np.uint32]
    weight: Floats
    reach: npt.NDArray[np.uint64]
    size: np.uint64


def _walk(form: csr_array) -> _Walk:
    n = form.shape[0]
    site = np.arange(n)
    reach = _reach(form)
    # The labels' own order is good where it follows the map; otherwise regions are reordered.
    if (reach - site).max() > 64 + 4 * np.sqrt(n):
        from scipy.sparse.csgraph import reverse_cuthill_mckee

        order = reverse_cuthill_mckee(csr_array(form + form.T), symmetric_mode=True)
        both = csr_array(form + triu(form, 1).T)[order][:, order]
        reordered = csr_array(triu(both))
        further = _reach(reordered)
        if (further - site).max() < (reach - site).max():
            form, reach, site = reordered, further, order
    form.sort_indices()
    # Edges of each region in fours, fours in pairs; what is left over has weight 0.
    degree = np.diff(form.indptr)
    fours = -(-degree // 4)
    half = np.repeat(np.arange(n), fours)
    if len(half) % 2:
        half = np.append(half, half[-1])
    neighbor, weight = np.repeat(half[:, None], 4, axis=1), np.zeros((len(half), 4))
    place = np.arange(form.nnz) + np.repeat(4 * (np.cumsum(fours) - fours) - form.indptr[:-1], degree)
    neighbor.flat[place], weight.flat[place] = form.indices, form.data
    last = reach[half[1::2]]
    size = int((last - half[::2]).max(initial=0)) + 1
    return _Walk(
        site=site.astype(np.uint32),
        own=(half % size).astype(np.uint32).reshape(-1, 2),
        slot=(neighbor % size).astype(np.uint32).reshape(-1, 8),
        weight=weight.reshape(-1, 8),
        reach=last.astype(np.uint64),
        size=np.uint64(size),
    )


def _reach(form: csr_array) -> npt.NDArray[np.intp]:
    """Farthest neighbor met up to each row of an upper triangle."""
    last = np.arange(form.shape[0])
    np.maximum.at(last, np.repeat(last.copy(), np.diff(form.indptr)), form.indices)
    return np.maximum.accumulate(last)


def _by_kernel(values: Floats, walk: _Walk, keys: Keys, precision: type[np.floating]) -> Floats:
    variables = values.shape[1]
    padded = _padded(values, precision)
    row = padded.shape[1] * padded.itemsize
    together = min(
        len(keys), _MOST_TOGETHER, _RING_COLUMNS // padded.shape[1], _RING_BYTES // (int(walk.size) * row)
    )
    together = max(1, together)
    steps = len(keys) * (walk.slot.size + len(values)) * variables
    task = partial(_block, padded, walk, keys, together)
    return np.concatenate(in_blocks(task, len(keys), steps, multiple=together))[:, :variables]


def _block(values: npt.NDArray[np.floating], walk: _Walk, keys: Keys, together: int, part: slice) -> Floats:
    from spatialkz.resampling.kernels import cross_products

    w = walk
    out = np.empty((len(keys[part]), values.shape[1]))
    ring = _zeros(int(w.size) + 1, _whole_lines(together * values.shape[1], values.dtype), values.dtype)
    weight = w.weight.astype(values.dtype)
    cross_products(values, w.site, w.own, w.slot, weight, w.reach, keys[part], ring, together, out)
    return out


def _padded(values: Floats, precision: type[np.floating]) -> npt.NDArray[np.floating]:
    """Copy with rows that fill whole cache lines, or divide one, and begin where one begins."""
    n, variables = values.shape
    kind = np.dtype(precision)
    width = min(_whole_lines(variables, kind), 1 << (variables - 1).bit_length())
    padded = _zeros(n, width, kind)
    padded[:, :variables] = values
    return padded


def _whole_lines(columns: int, kind: np.dtype[np.floating]) -> int:
    from spatialkz.resampling.kernels import LINE_BYTES

    lane = LINE_BYTES // kind.itemsize
    return -(-columns // lane) * lane


def _zeros(rows: int, columns: int, kind: np.dtype[np.floating]) -> npt.NDArray[np.floating]:
    """Zeros that begin where a cache line begins."""
    from spatialkz.resampling.kernels import LINE_BYTES

    room = np.zeros(rows * columns + LINE_BYTES // kind.itemsize, dtype=kind)
    first = (-room.ctypes.data % LINE_BYTES) // kind.itemsize
    return room[first : first + rows * columns].reshape(rows, columns)


def _single_precision_error(values: Floats, form: csr_array) -> Floats:
    r"""Bound on the rounding error of the single-precision kernel.

    Each product is rounded at most 10 times and each partial sum ``FLUSH_EVERY`` times, each time by a share
    of at most :math:`2^{-24}`; and :math:`\sum |w_{ij} v_i v_j| \le \rho \sum v_i^2` with the largest row sum
    :math:`\rho` of the symmetric matrix of the form.
    """
    from spatialkz.resampling.kernels import FLUSH_EVERY

    size = abs(form)
    largest = float((size.sum(axis=0) + size.sum(axis=1)).max()) / 2
    bound: Floats = (10 + FLUSH_EVERY) * 2.0**-24 * largest * (values**2).sum(axis=0)
    return bound


# Draws above which compiled code earns back the half second it takes to load.
COMPILE_COLUMNS_FROM = 20_000_000


@dataclass(frozen=True)
class ColumnShuffle:
    """What is needed to permute the columns of a table: their uncommon values.

    A column is its commonest value everywhere and a few others somewhere. Only the others are placed, by a
    Fisher–Yates shuffle that stops when all are: a sector in which 3 of 17 regions are specialized takes 3
    draws, not 17.

    Attributes
    ----------
    n : int
        Number of rows.
    start : array of uint64, shape (columns + 1,)
    surplus : array
        Column j's others, less its commonest value, are ``surplus[start[j]:start[j + 1]]``.
    base : float
        Sum of the commonest values.
    """

    n: int
    start: NDArray[np.uint64]
    surplus: Floats
    base: float

    @classmethod
    def of(cls, cells: Floats) -> ColumnShuffle:
        """Take a table (rows × columns) apart."""
        surplus, base = [], 0.0
        for column in cells.T:
            values, count = np.unique(column, return_counts=True)
            common = values[count.argmax()]
            base += common
            surplus.append(np.sort(column[column != common]) - common)
        start = np.cumsum([0, *map(len, surplus)]).astype(np.uint64)
        return cls(len(cells), start, np.concatenate(surplus), float(base))


def row_sums(shuffle: ColumnShuffle, keys: Keys, *, compiled: bool) -> Floats:
    """Row sums of the permuted table for each key; a key and the table decide them, and nothing else.

    The compiled and the NumPy path give the same numbers to the last bit.

    Returns
    -------
    array, shape (keys, n)
    """
    if compiled:
        from spatialkz.resampling.kernels import placed_sums

        out = np.empty((len(keys), shuffle.n))
        placed_sums(shuffle.start, shuffle.surplus, shuffle.base, keys, out)
        return out
    sums = np.full((shuffle.n, len(keys)), shuffle.base)
    order = np.tile(np.arange(shuffle.n)[:, None], (1, len(keys)))
    columns = np.arange(len(keys))
    counter = keys.copy()
    for first, stop in zip(shuffle.start[:-1].astype(int), shuffle.start[1:].astype(int), strict=True):
        for place, surplus in enumerate(shuffle.surplus[first:stop]):
            counter += STEP
            fraction = (mixed(counter) >> np.uint64(11)).astype(np.float64) * 2.0**-53
            chosen = place + (fraction * (shuffle.n - place)).astype(np.intp)
            rows = order[chosen, columns]
            order[chosen, columns] = order[place]
            order[place] = rows
            sums[rows, columns] += surplus
    return sums.T
