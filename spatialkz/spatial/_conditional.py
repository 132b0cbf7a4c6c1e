"""Conditional inference of all local statistics that add up scores of the neighbors of a region."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from itertools import permutations as arrangements
from math import comb, perm
from typing import Any, NamedTuple, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import gammaln

from spatialkz.errors import InputError, listing
from spatialkz.inference import Floats, permutation_p_value, tail_p_value
from spatialkz.options import Alternative, LocalMethod
from spatialkz.randomness import generator
from spatialkz.spatial._checks import check_choice, check_permutations
from spatialkz.spatial.local_engine import (
    TIE,
    Counts,
    conditional_lag_counts,
    distinct_samples,
    equal_weights,
)

# Up to this many neighbor sets are enumerated even where fewer permutations are asked for: C(16, 8) = 12,870.
_ALWAYS_ENUMERATE = 20_000


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
        draw = generator(rng, stream)
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
            f"Exact p-values need at most {most:,} neighbor sets (orders of neighbors where their weights "
            f"are unequal), which is not so for {listing(regions[~possible])}; use method='auto'."
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
