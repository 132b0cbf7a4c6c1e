"""Conditional inference of all local statistics that add up scores of the neighbors of a region."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from math import comb
from typing import Literal, NamedTuple, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from spatialkz.errors import InputError, listing
from spatialkz.inference import Alternative, Floats, permutation_p_value, tail_p_value
from spatialkz.randomness import generator
from spatialkz.spatial._frames import TIE, check_choice, check_permutations

LocalMethod = Literal["auto", "exact", "permutation"]

# Up to this many neighbor sets are enumerated even where fewer permutations are asked for: C(16, 8) = 12,870.
_ALWAYS_ENUMERATE = 20_000


class ConditionalTest(NamedTuple):
    """Observed sums, p-values, the smallest p-values that could occur, and how each region was done."""

    observed: Floats
    p_value: Floats
    p_min: Floats
    methods: pd.Series


def conditional_test(
    scores: Callable[[int], Floats],
    weights: csr_array,
    regions: pd.Index,
    *,
    method: str,
    permutations: int,
    alternative: Alternative,
    rng: int | np.random.Generator | None,
    stream: str,
) -> ConditionalTest:
    r"""Test :math:`s_i = \sum_j w_{ij} f_i(j)` given region *i*: its neighbors are a random set of others.

    Parameters
    ----------
    scores : callable
        ``scores(i)`` is the array :math:`f_i(j)`, shape (regions, variables); its row *i* is not used.
    weights : csr_array, shape (regions, regions)
        No explicit zeros.
    regions : Index
        Labels in the order of ``weights``.
    method : {"auto", "exact", "permutation"}
        ``exact`` enumerates all sets of neighbors, which needs equal weights within each region; ``auto``
        does so where it is cheaper than the permutations asked for.
    permutations, alternative, rng, stream
        As everywhere; regions share the draws.
    """
    check_choice(method, get_args(LocalMethod))
    check_permutations(permutations)
    n = weights.shape[0]
    enumerated = _enumerable(weights, method, permutations, regions)
    sets: dict[int, NDArray[np.intp]] = {}
    draws: NDArray[np.intp] | None = None
    rows = []
    for i in range(n):
        span = slice(weights.indptr[i], weights.indptr[i + 1])
        row, neighbors = weights.data[span], weights.indices[span]
        mine = scores(i)
        others = np.delete(mine, i, axis=0)
        observed = row @ mine[neighbors]
        if enumerated[i]:
            if len(row) not in sets:
                sets[len(row)] = np.array(list(combinations(range(n - 1), len(row))))
            outcomes = _sums(others, sets[len(row)], row)
            rows.append((observed, *_exact(observed, outcomes, alternative)))
        else:
            if draws is None:
                draws = shared_draws(weights, permutations, generator(rng, stream))
            outcomes = _sums(others, draws, row)
            rows.append((observed, *_simulated(observed, outcomes, n - 1, len(row), alternative)))
    observed, p_value, p_min = (np.array(part) for part in zip(*rows, strict=True))
    methods = pd.Series(np.where(enumerated, "exact", "permutation"), index=regions, name="method")
    return ConditionalTest(observed, p_value, p_min, methods)


def _sums(others: Floats, chosen: NDArray[np.intp], row: Floats) -> Floats:
    """Weighted sum of the scores of each chosen set, a neighbor at a time to keep memory low."""
    total = np.zeros((len(chosen), others.shape[1]))
    for position, weight in enumerate(row):
        total += weight * others[chosen[:, position]]
    return total


def _exact(observed: Floats, outcomes: Floats, alternative: Alternative) -> tuple[Floats, Floats]:
    slack = TIE * np.abs(outcomes).max(axis=0)
    p_value = tail_p_value(
        (outcomes >= observed - slack).mean(axis=0), (outcomes <= observed + slack).mean(axis=0), alternative
    )
    most, least = outcomes.max(axis=0), outcomes.min(axis=0)
    extremes = [
        tail_p_value(
            (outcomes >= extreme - slack).mean(axis=0),
            (outcomes <= extreme + slack).mean(axis=0),
            alternative,
        )
        for extreme in (most, least)
    ]
    return p_value, np.minimum(*extremes)


def _simulated(
    observed: Floats, outcomes: Floats, others: int, degree: int, alternative: Alternative
) -> tuple[Floats, Floats]:
    permutations = len(outcomes)
    slack = TIE * np.abs(outcomes).max(axis=0)
    p_value = permutation_p_value(
        (outcomes >= observed - slack).sum(axis=0),
        (outcomes <= observed + slack).sum(axis=0),
        permutations,
        alternative,
    )
    least = np.full_like(observed, max(1 / comb(others, degree), 1 / (permutations + 1)))
    # Where no draw changes the sum, no p-value but 1 can occur.
    least[np.ptp(outcomes, axis=0) <= slack] = 1.0
    return p_value, tail_p_value(least, least, alternative)


def _enumerable(weights: csr_array, method: str, permutations: int, regions: pd.Index) -> NDArray[np.bool_]:
    """Which regions are enumerated: those with equal weights and few enough neighbor sets."""
    n = weights.shape[0]
    if method == "permutation":
        return np.zeros(n, dtype=bool)
    most = max(permutations, _ALWAYS_ENUMERATE)
    rows = [weights.data[weights.indptr[i] : weights.indptr[i + 1]] for i in range(n)]
    fits = np.array([np.ptp(row) <= 1e-12 * row.max() and comb(n - 1, len(row)) <= most for row in rows])
    if method == "exact" and not fits.all():
        raise InputError(
            "Exact p-values need equal weights within a region and few neighbor sets, which is not so for "
            f"{listing(regions[~fits])}; use method='auto'."
        )
    return fits


def shared_draws(weights: csr_array, permutations: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draws of as many distinct other regions as the largest neighborhood has, shared by all regions."""
    others, most = weights.shape[0] - 1, int(np.diff(weights.indptr).max())
    if most**2 > others:
        # A block at a time: whole orders of all regions would not fit for many permutations.
        draws = np.empty((permutations, most), dtype=np.intp)
        for block in np.array_split(draws, max(1, permutations * others // 4_000_000)):
            block[:] = rng.permuted(np.tile(np.arange(others), (len(block), 1)), axis=1)[:, :most]
        return draws
    draws = rng.integers(others, size=(permutations, most))
    repeated = np.arange(permutations)
    while len(repeated):
        ordered = np.sort(draws[repeated], axis=1)
        repeated = repeated[(np.diff(ordered, axis=1) == 0).any(axis=1)]
        draws[repeated] = rng.integers(others, size=(len(repeated), most))
    return draws
