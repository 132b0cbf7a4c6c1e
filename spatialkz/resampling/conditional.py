"""Conditional permutation: samples of neighbors drawn once serve the local statistics of all regions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import combinations
from itertools import permutations as arrangements
from math import comb, perm
from typing import Any, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import gammaln

from spatialkz.errors import InputError, listing
from spatialkz.options import Alternative, LocalMethod
from spatialkz.randomness import generator
from spatialkz.resampling.checks import check_choice, check_permutations
from spatialkz.resampling.parallel import in_blocks
from spatialkz.resampling.pvalues import TIE, Floats, permutation_p_value, tail_p_value

# Up to this many neighbor sets are enumerated even where fewer permutations are asked for: C(16, 8) = 12,870.
_ALWAYS_ENUMERATE = 20_000
Counts = npt.NDArray[np.int64]
# Multiplications above which compiled code earns back the half second it takes to load.
_COMPILE_FROM = 100_000_000
# Cells of simulated sums that a block of variables may hold, and of a table that stays in a core's cache.
_BLOCK_CELLS, _CACHED_CELLS = 16_000_000, 32_768


class ConditionalTest(NamedTuple):
    """Observed sums, p-values, the smallest p-values that could occur, and how each region was done."""

    observed: Floats
    p_value: Floats
    p_min: Floats
    methods: pd.Series


def conditional_test(
    scores: Floats | Callable[[int], Floats],
    weights: csr_array,
    regions: pd.Index,
    *,
    own: Floats | None = None,
    method: str,
    permutations: int,
    alternative: Alternative,
    rng: int | np.random.Generator | None,
    stream: str,
) -> ConditionalTest:
    r"""Test :math:`s_i = a_i \sum_j w_{ij} f_i(j)` given region *i*: its neighbors are random others.

    Parameters
    ----------
    scores : array, or callable
        :math:`f(j)` where it is the same for all *i*, shape (regions, variables); otherwise a function of
        *i* that returns such an array, whose row *i* is not used. The array is much faster.
    weights : csr_array, shape (regions, regions)
        No explicit zeros.
    regions : Index
        Labels in the order of ``weights``.
    own : array, shape (regions, variables), optional
        :math:`a_i`, with an array of scores only; left out, 1.
    method : {"auto", "exact", "permutation"}
        ``exact`` enumerates all sets of neighbors, with unequal weights all their orders; ``auto`` does so
        where it is cheaper than the permutations asked for.
    permutations, alternative, rng, stream
        As everywhere; regions share the draws.
    """
    check_choice(method, get_args(LocalMethod))
    check_permutations(permutations)
    draw = generator(rng, stream)
    degree, alike = np.diff(weights.indptr), equal_weights(weights)
    ways = _outcome_counts(degree, alike, len(regions) - 1)
    exact = _enumerable(ways, method, permutations, regions)
    enumerated, drawn = np.flatnonzero(exact), np.flatnonzero(~exact)
    if callable(scores):
        score_of = scores
        observed = np.array([(weights[[i]] @ score_of(i))[0] for i in range(len(regions))])
    else:
        # Variable by variable in memory, as the result will be.
        common = np.asfortranarray(scores)
        factor = np.ones_like(common) if own is None else np.asfortranarray(own)
        observed = np.asfortranarray(weights @ common) * factor

        def score_of(i: int) -> Floats:
            return np.asarray(factor[i] * common)

    if not np.isfinite(observed).all():
        raise InputError("The statistic is not finite; values or weights are too large or too small.")
    p_value, p_min = np.empty_like(observed), np.empty_like(observed)
    _enumerate(score_of, weights, alike, enumerated, observed, alternative, (p_value, p_min))
    if len(drawn):
        if callable(scores):
            counts = _simulated_counts(score_of, weights, drawn, observed, permutations, draw)
        else:
            lags = conditional_lag_counts(common, weights, permutations, draw, drawn)
            counts = _product_counts(factor, drawn, *lags, permutations)
        p_value[drawn] = permutation_p_value(*counts, permutations, alternative)
        # The p-value of one draw, or of one way to draw the neighbors.
        least = np.maximum(1 / ways, 1 / (permutations + 1))
        p_min[drawn] = tail_p_value(least[drawn], least[drawn], alternative)[:, None]
        if not callable(scores):
            # With unequal weights the order of equal values counts too; there it stays at one way.
            even = drawn[alike[drawn]]
            for k in _tied_at_an_end(common, int(degree[even].max())) if len(even) else ():
                high, low = (
                    np.maximum(least[even], _extreme_share(sign * common[:, k], even, degree[even]))
                    for sign in (1, -1)
                )
                swap = factor[even, k] < 0
                above, below = np.where(swap, low, high), np.where(swap, high, low)
                p_min[even, k] = tail_p_value(above, below, alternative)
        # Where every draw gave the same sum, no p-value but 1 can occur.
        p_min[drawn] = np.where((counts[0] == permutations) & (counts[1] == permutations), 1.0, p_min[drawn])
    methods = pd.Series(np.where(exact, "exact", "permutation"), index=regions, name="method")
    return ConditionalTest(observed, p_value, p_min, methods)


def _enumerable(ways: Floats, method: str, permutations: int, regions: pd.Index) -> NDArray[np.bool_]:
    """Which regions are enumerated: those with few enough neighbor sets, or orders of unequal weights."""
    if method == "permutation":
        return np.zeros(len(regions), dtype=bool)
    most = max(permutations, _ALWAYS_ENUMERATE)
    possible = ways <= most
    if method == "exact" and not possible.all():
        raise InputError(
            f"Exact p-values need at most {most:,} possible sets of neighbors (orders of neighbors where "
            f"weights are unequal), but {listing(regions[~possible])} has more; use method='auto'."
        )
    return possible


def _outcome_counts(degree: NDArray[np.intp], alike: NDArray[np.bool_], others: int) -> Floats:
    """In how many ways each region's neighbors can be drawn: sets, or orders where weights are unequal."""
    # One number for neighbors and equality: sorting pairs would take long on large maps.
    kinds, place = np.unique(2 * degree + alike, return_inverse=True)
    counts = [(comb if kind % 2 else perm)(others, int(kind) // 2) for kind in kinds]
    # Beyond what a float can hold it does not matter how many there are.
    return np.array([float(min(count, 10**300)) for count in counts])[place]


def _tied_at_an_end(values: Floats, most: int) -> NDArray[np.intp]:
    """Variables in which more than one set of up to ``most`` regions can have the largest or smallest sum."""
    ordered = np.sort(values.T, axis=1)
    gaps = np.diff(ordered, axis=1) <= TIE * np.abs(ordered[:, [0, -1]]).max(axis=1, keepdims=True)
    return np.flatnonzero(gaps[:, : most + 1].any(axis=1) | gaps[:, -most - 1 :].any(axis=1))


def _extreme_share(values: Floats, regions: NDArray[np.intp], degree: NDArray[np.intp]) -> Floats:
    r"""Share of the sets of ``degree`` others that have the largest sum, for each of ``regions``.

    With *t* the least value of such a set, *a* others above it and *m* others equal to it, the sets are those
    of all *a* and any *d* − *a* of the *m*.
    """
    slack = TIE * np.abs(values).max()
    ordered, n = np.sort(values)[::-1], len(values)
    own = values[regions]
    share = np.empty(len(regions))
    for d in np.unique(degree):
        here = np.flatnonzero(degree == d)
        if d >= n - 1:
            share[here] = 1.0
            continue
        # A region among the largest leaves its place to the next.
        within = own[here] >= ordered[d - 1] - slack
        for rows, least in ((here[~within], ordered[d - 1]), (here[within], ordered[d])):
            mine = own[rows]
            a = np.count_nonzero(values > least + slack) - (mine > least + slack)
            m = np.count_nonzero(np.abs(values - least) <= slack) - (np.abs(mine - least) <= slack)
            share[rows] = np.exp(_log_comb(m, d - a) - _log_comb(n - 1, d))
    return share


def _log_comb(n: Any, k: Any) -> Floats:
    """Logarithm of the number of ways to choose k of n, however many."""
    found: Floats = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return found


def _enumerate(
    score_of: Callable[[int], Floats],
    weights: csr_array,
    alike: NDArray[np.bool_],
    regions: NDArray[np.intp],
    observed: Floats,
    alternative: Alternative,
    found: tuple[Floats, Floats],
) -> None:
    """Fill in the p-values, and the smallest ones, of regions all of whose neighbor sets are gone through."""
    n, degree = len(observed), np.diff(weights.indptr)
    kinds = list(zip(degree.tolist(), alike.tolist(), strict=True))
    chosen = {kind: _neighbor_sets(n - 1, *kind) for kind in {kinds[i] for i in regions}}
    for i in regions:
        own = weights.data[weights.indptr[i] : weights.indptr[i + 1]]
        sets = chosen[kinds[i]]
        sets.data[:] = np.tile(own, sets.shape[0])
        outcomes = sets @ np.delete(score_of(i), i, axis=0)
        slack = TIE * np.abs(outcomes).max(axis=0)
        above = [outcomes >= value - slack for value in (observed[i], outcomes.max(axis=0))]
        below = [outcomes <= value + slack for value in (observed[i], outcomes.min(axis=0))]
        for tails, target in zip(zip(above, below, strict=True), found, strict=True):
            target[i] = tail_p_value(tails[0].mean(axis=0), tails[1].mean(axis=0), alternative)


def _neighbor_sets(others: int, degree: int, equal: bool) -> csr_array:
    """All sets of ``degree`` neighbors among ``others`` regions, a row each; all orders unless ``equal``."""
    ways = combinations if equal else arrangements
    chosen = np.array(list(ways(range(others), degree)))
    starts = np.arange(0, chosen.size + 1, degree)
    return csr_array((np.ones(chosen.size), chosen.ravel(), starts), (len(chosen), others))


def _product_counts(
    factor: Floats, regions: NDArray[np.intp], at_least: Counts, at_most: Counts, permutations: int
) -> tuple[Counts, Counts]:
    """Counts of products with the own factor from counts of lags; below zero the tails change places."""
    own = factor.T.take(regions, axis=1).T  # variable by variable in memory, as the counts are
    swap = own < 0
    # A region at zero has the product 0 whatever its neighbors are: all tied.
    tied = np.abs(own) <= TIE * np.abs(factor).max(axis=0)
    above = np.where(tied, permutations, np.where(swap, at_most, at_least))
    below = np.where(tied, permutations, np.where(swap, at_least, at_most))
    return above, below


def _simulated_counts(
    score_of: Callable[[int], Floats],
    weights: csr_array,
    regions: NDArray[np.intp],
    observed: Floats,
    permutations: int,
    rng: np.random.Generator,
) -> tuple[Counts, Counts]:
    """Counts of simulated sums ≥ and ≤ the observed one, where every region has scores of its own."""
    degree = np.diff(weights.indptr)
    draws = distinct_samples(len(observed) - 1, int(degree.max()), permutations, rng)
    counts = np.empty((2, len(regions), observed.shape[1]), dtype=np.int64)
    for place, i in enumerate(regions):
        others = np.delete(score_of(i), i, axis=0)
        sums = np.zeros((permutations, observed.shape[1]))
        # A neighbor at a time keeps memory low.
        for position, weight in enumerate(weights.data[weights.indptr[i] : weights.indptr[i + 1]]):
            sums += weight * others[draws[:, position]]
        slack = TIE * np.abs(sums).max(axis=0)
        counts[0, place] = (sums >= observed[i] - slack).sum(axis=0)
        counts[1, place] = (sums <= observed[i] + slack).sum(axis=0)
    return counts[0], counts[1]


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
        from spatialkz.resampling.kernels import conditional_counts

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
