"""The engine of conditional permutation: samples of neighbors drawn once serve all regions and variables."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from spatialkz.spatial.parallel import in_blocks

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

# Lags closer than this share of a variable's largest absolute value are ties; ties count on both sides.
TIE = 1e-10
# Multiplications above which compiled code earns back the half second it takes to load.
_COMPILE_FROM = 100_000_000
# Cells of simulated sums that a block of variables may hold, and of a table that stays in a core's cache.
_BLOCK_CELLS, _CACHED_CELLS = 16_000_000, 32_768


def conditional_lag_counts(
    values: Floats,
    weights: csr_array,
    permutations: int,
    rng: np.random.Generator,
    regions: npt.NDArray[np.intp] | None = None,
    *,
    compiled: bool | None = None,
) -> tuple[Counts, Counts]:
    r"""How many simulated lags of each region are at least, and at most, the observed one.

    The lag of region *i* is :math:`\sum_j w_{ij} v_j`. Simulated neighbors are drawn without replacement from
    all regions but *i*; the order of weights in the row stays.

    All regions share one set of draws: *R* samples of distinct regions, as many as the largest neighborhood
    has, and one to spare that takes the place of *i* wherever *i* itself was drawn. For each region this is a
    simple random sample of the others. Sharing correlates the Monte-Carlo error of the p-values of different
    regions; before a correction over regions, permutations should be many.

    With equal weights within a row, the simulated lag depends on the region only by its number of neighbors,
    except in the few samples it is part of. So the lags are sorted once for each number of neighbors and
    variable, the observed ones found by binary search, and those few samples corrected.

    Parameters
    ----------
    values : array, shape (regions, variables)
    weights : csr_array, shape (regions, regions)
    permutations : int
    rng : Generator
    regions : array of positions, optional
        The regions to test; left out, all.
    compiled : bool, optional
        Path for regions with unequal weights; left out, the size of the problem decides.

    Returns
    -------
    tuple of arrays, shape (regions tested, variables)
        Counts of lags ≥ and ≤ the observed one, up to rounding.

    Examples
    --------
    >>> ring = csr_array(0.5 * (np.eye(6, k=1) + np.eye(6, k=-1) + np.eye(6, k=5) + np.eye(6, k=-5)))
    >>> values = np.array([[5.0], [4.0], [0.0], [0.0], [0.0], [4.0]])
    >>> at_least, at_most = conditional_lag_counts(values, ring, 99, np.random.default_rng(1))
    >>> int(at_most[0, 0])  # no two others have a larger sum than the neighbors of the first
    99
    """
    n = len(values)
    tested = np.arange(n) if regions is None else regions
    rows = csr_array(weights[tested])
    degree = np.diff(rows.indptr)
    samples = distinct_samples(n, int(degree.max(initial=0)) + 1, permutations, rng)
    slack = TIE * np.abs(values).max(axis=0)
    equal = equal_weights(rows)
    if equal.all():
        at_least, at_most = _equal(values, rows, tested, samples, slack)
        return at_least.T, at_most.T
    counts = np.empty((2, values.shape[1], len(tested)), dtype=np.int64)
    if equal.any():
        counts[:, :, equal] = _equal(values, rows[equal], tested[equal], samples, slack)
    unequal = csr_array(rows[~equal])
    task = partial(_streamed, values, unequal, tested[~equal], samples, slack, compiled)
    steps = permutations * unequal.nnz * values.shape[1]
    found = np.concatenate(in_blocks(task, unequal.shape[0], steps), axis=1)
    counts[:, :, ~equal] = found.transpose(0, 2, 1)
    return counts[0].T, counts[1].T


def equal_weights(rows: csr_array) -> npt.NDArray[np.bool_]:
    """Rows whose weights are all the same, up to rounding."""
    if not rows.nnz:
        return np.ones(rows.shape[0], dtype=bool)
    starts = np.minimum(rows.indptr[:-1], rows.nnz - 1)
    spread = np.maximum.reduceat(rows.data, starts) - np.minimum.reduceat(rows.data, starts)
    return np.asarray((spread <= 1e-12) | (np.diff(rows.indptr) == 0))


def distinct_samples(n: int, size: int, count: int, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """Random samples of ``size`` distinct numbers below ``n``, in random order.

    >>> distinct_samples(5, 5, 2, np.random.default_rng(0)).sum(axis=1)
    array([10, 10])
    """
    if size * size > n:
        drawn = np.empty((count, size), dtype=np.intp)
        for block in np.array_split(drawn, max(1, count * n // _BLOCK_CELLS)):
            block[:] = rng.permuted(np.tile(np.arange(n), (len(block), 1)), axis=1)[:, :size]
        return drawn
    # Samples with a repeated number are drawn again; few are where the sample is small.
    drawn = rng.integers(n, size=(count, size))
    again = np.arange(count)
    while len(again):
        ordered = np.sort(drawn[again], axis=1)
        again = again[(ordered[:, 1:] == ordered[:, :-1]).any(axis=1)]
        drawn[again] = rng.integers(n, size=(len(again), size))
    return drawn


def _equal(
    values: Floats,
    rows: csr_array,
    tested: npt.NDArray[np.intp],
    samples: npt.NDArray[np.intp],
    slack: Floats,
) -> Counts:
    """Counts for rows of equal weights: sort, search, correct."""
    observed = (rows != 0).astype(np.float64) @ values  # sums: as good as means, and the same for all
    task = partial(_equal_block, values, observed, np.diff(rows.indptr), tested, samples, slack)
    most = max(1, _BLOCK_CELLS // (len(samples) + len(tested)))
    steps = 10 * (len(samples) + len(tested)) * values.shape[1]
    return np.concatenate(in_blocks(task, values.shape[1], steps, most=most), axis=1)


def _equal_block(
    values: Floats,
    observed: Floats,
    degree: npt.NDArray[np.intp],
    tested: npt.NDArray[np.intp],
    samples: npt.NDArray[np.intp],
    slack: Floats,
    part: slice,
) -> Counts:
    """Counts of a block of variables, shape (2, variables, regions)."""
    values, observed = np.ascontiguousarray(values[:, part]), observed[:, part]
    counts = np.empty((2, values.shape[1], len(tested)), dtype=np.int64)
    sums = np.zeros((len(samples), values.shape[1]))
    for size in range(degree.max() + 1):
        group = np.flatnonzero(degree == size)
        if len(group):
            # The sums are lags scaled up by their number of terms, and so is what counts as a tie.
            margin = max(1, size) * slack[part]
            low, high = observed[group] - margin, observed[group] + margin
            change = _corrections(values, sums, low, high, tested[group], samples, size)
            ordered = np.full((len(sums.T), len(samples) + 1), np.inf)
            ordered[:, :-1] = sums.T
            ordered.sort(axis=1)
            bounds = zip(ordered, np.ascontiguousarray(low.T), np.ascontiguousarray(high.T), strict=True)
            for k, (simulated, floor, ceiling) in enumerate(bounds):
                below, up_to = _ranks(simulated, floor, ceiling)
                counts[0, k, group] = len(samples) - below + change[0, k]
                counts[1, k, group] = up_to + change[1, k]
        if size < samples.shape[1] - 1:
            sums += values[samples[:, size]]
    return counts


def _ranks(simulated: Floats, low: Floats, high: Floats) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """How many of the sorted values are < low, and how many ≤ high; the last value is infinite."""
    below = np.searchsorted(simulated, low, side="left")
    up_to = below.copy()
    # The two hardly differ: a second search only where a value lies between them, which is rare.
    tied = np.flatnonzero(simulated[below] <= high)
    up_to[tied] = np.searchsorted(simulated, high[tied], side="right")
    return below, up_to


def _corrections(
    values: Floats,
    sums: Floats,
    low: Floats,
    high: Floats,
    tested: npt.NDArray[np.intp],
    samples: npt.NDArray[np.intp],
    size: int,
) -> Counts:
    """Change of the counts when the spare region takes a region's place in the samples that it is part of."""
    place = np.full(len(values), -1)
    place[tested] = np.arange(len(tested))
    of_sample = place[samples[:, :size]]
    sample, position = np.nonzero(of_sample >= 0)
    region = of_sample[sample, position]
    moved = np.empty((2, len(sample), low.shape[1]), dtype=np.int8)
    rows = max(1, _CACHED_CELLS // low.shape[1])
    for start in range(0, len(sample), rows):
        block = slice(start, start + rows)
        i, r = region[block], sample[block]
        was = sums[r]
        becomes = was - values[tested[i]] + values[samples[r, -1]]
        floor, ceiling = low[i], high[i]
        np.subtract((becomes >= floor).view(np.int8), (was >= floor).view(np.int8), out=moved[0, block])
        np.subtract((becomes <= ceiling).view(np.int8), (was <= ceiling).view(np.int8), out=moved[1, block])
    entries = np.ones(len(region), dtype=np.int32), (region, np.arange(len(region)))
    add_up = csr_array(entries, shape=(len(tested), len(region)))
    return np.stack([(add_up @ change).T for change in moved]).astype(np.int64)


def _streamed(
    values: Floats,
    rows: csr_array,
    tested: npt.NDArray[np.intp],
    samples: npt.NDArray[np.intp],
    slack: Floats,
    compiled: bool | None,
    part: slice,
) -> Counts:
    """Counts for rows of any weights: every simulated lag is computed."""
    rows, tested = csr_array(rows[part]), tested[part]
    lag = rows @ values
    bounds = np.stack([lag - slack, lag + slack])
    counts = np.zeros(bounds.shape, dtype=np.int64)
    if compiled is None:
        compiled = len(samples) * rows.nnz * values.shape[1] > _COMPILE_FROM
    if compiled:
        from spatialkz.spatial.kernels import conditional_counts

        start, data = rows.indptr.astype(np.uint64), rows.data.astype(np.float64)
        positions = tested.astype(np.uint32), start, data, samples.astype(np.uint32)
        conditional_counts(np.ascontiguousarray(values), *positions, bounds, counts)
        return counts
    for i, region in enumerate(tested):
        weight = rows.data[rows.indptr[i] : rows.indptr[i + 1]]
        drawn = samples[:, : len(weight)]
        drawn = np.where(drawn == region, samples[:, -1:], drawn)
        simulated = np.einsum("d,rdk->rk", weight, values[drawn])
        counts[0, i] = (simulated >= bounds[0, i]).sum(axis=0)
        counts[1, i] = (simulated <= bounds[1, i]).sum(axis=0)
    return counts
