"""The one place where p-values are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from spatialkz.errors import InputError, listing
from spatialkz.options import Alternative

Floats: TypeAlias = NDArray[np.float64]
#: The largest number of draws of any kind.
MOST_DRAWS = 10_000_000
# Tests from which counting distinct p-values may beat sorting them.
_COUNT_FROM = 10_000
_SMALLEST = np.finfo(np.float64).tiny
#: Smaller p-values of normal values are given as this bound, as R prints them: further out neither the model
#: nor the last digits of the statistic hold.
LEAST_OF_MODEL = float(np.finfo(np.float64).eps)
# Statistics closer than this share of their scale are ties; ties count on both sides.
TIE = 1e-10
# Statistics held at once, in 400 MB.
_MOST_DRAWN = 50_000_000


def check_number(number: int, name: str, least: int, most: int = MOST_DRAWS) -> None:
    """Refuse a number of draws that is none, is too small to say anything, or would never end.

    >>> check_number(10**12, "permutations", 99)
    Traceback (most recent call last):
        ...
    spatialkz.errors.InputError: permutations is 1000000000000; a whole number, at least 99 and at most
    10,000,000, is needed.
    """
    if isinstance(number, bool) or not isinstance(number, int | np.integer) or not least <= number <= most:
        raise InputError(
            f"{name} is {number!r}; a whole number, at least {least} and at most {most:,}, is needed."
        )


def check_alternative(alternative: str) -> None:
    """Refuse an alternative that no test here knows."""
    if alternative not in get_args(Alternative):
        raise InputError(
            f"alternative is {alternative!r}; it must be one of {listing(get_args(Alternative))}."
        )


def tail_p_value(above: Floats, below: Floats, alternative: Alternative, least: float = _SMALLEST) -> Floats:
    """Turn the two tail probabilities P(T ≥ t) and P(T ≤ t), both including t, into a p-value.

    Two-sided is twice the smaller tail, at most 1, which stays valid for skewed null distributions. No
    p-value is 0: those below ``least``, the smallest float there is, are given as that bound.

    >>> tail_p_value(np.array([0.02]), np.array([0.99]), "two-sided")
    array([0.04])
    """
    if alternative == "greater":
        p_value = above
    elif alternative == "less":
        p_value = below
    else:
        p_value = np.minimum(1.0, 2.0 * np.minimum(above, below))
    return np.maximum(p_value, least)


def monte_carlo_tail(at_least: npt.ArrayLike, draws: int) -> Floats:
    """Tail probability (b + 1) / (R + 1) from *b* of *R* draws at least as extreme as the observed value.

    Never 0, and a valid p-value at any R (Davison & Hinkley 1997, eq. 4.11).

    >>> float(monte_carlo_tail(0, 99))
    0.01
    """
    return (np.asarray(at_least, dtype=np.float64) + 1.0) / (draws + 1.0)


def permutation_p_value(
    at_least: NDArray[np.int_], at_most: NDArray[np.int_], permutations: int, alternative: Alternative
) -> Floats:
    """p-value of a Monte-Carlo test from counts of simulated values ≥ and ≤ the observed one.

    >>> permutation_p_value(np.array([0]), np.array([99]), 99, "greater")
    array([0.01])
    """
    return tail_p_value(
        monte_carlo_tail(at_least, permutations), monte_carlo_tail(at_most, permutations), alternative
    )


def normal_p_value(z: Floats, alternative: Alternative) -> Floats:
    """p-value of a standard normal deviate; 2.2e-16 stands for any smaller one.

    >>> normal_p_value(np.array([1.959964]), "two-sided").round(4)
    array([0.05])
    """
    return tail_p_value(stats.norm.sf(z), stats.norm.cdf(z), alternative, LEAST_OF_MODEL)


def adjusted(p_values: Floats, method: str = "fdr_bh") -> Floats:
    """p-values adjusted for how many tests there are; the last axis is one family of tests.

    Parameters
    ----------
    p_values : array
    method : str
        As :func:`statsmodels.stats.multitest.multipletests` calls it: ``fdr_bh`` (Benjamini & Hochberg 1995),
        ``fdr_by``, ``holm``, ``bonferroni`` …

    Examples
    --------
    >>> adjusted(np.array([0.01, 0.04, 0.5])).round(3)
    array([0.03, 0.06, 0.5 ])
    >>> adjusted(np.array([0.01, 0.04, 0.5]), "holm").round(3)
    array([0.03, 0.08, 0.5 ])
    """
    if method != "fdr_bh":
        from statsmodels.stats.multitest import multipletests

        return np.apply_along_axis(lambda family: multipletests(family, method=method)[1], -1, p_values)
    # Many families at once, which statsmodels would take one by one.
    if p_values.size >= _COUNT_FROM:
        # Monte-Carlo p-values take few values: counting them spares sorting them.
        first = p_values.reshape(-1, p_values.shape[-1])[0]
        if 4 * len(np.unique(first)) < len(first):
            return _adjusted_by_value(p_values)
    return np.asarray(stats.false_discovery_control(p_values, axis=-1))


def _adjusted_by_value(p_values: Floats) -> Floats:
    """The same from how often each value occurs in each family: the smallest m q / #{p ≤ q} over q ≥ p."""
    code, found = pd.factorize(p_values.ravel())
    order = np.argsort(found)
    values, place = found[order], np.empty(len(found), dtype=np.intp)
    place[order] = np.arange(len(found))
    m = p_values.shape[-1]
    cell = place[code].reshape(-1, m) + len(values) * np.arange(p_values.size // m)[:, None]
    counts = np.bincount(cell.ravel(), minlength=len(values) * len(cell)).reshape(len(cell), -1)
    up_to = counts.cumsum(axis=1)
    # Values that a family does not have lower nothing: as many tests lie below a larger q.
    bound = m * values / np.maximum(up_to, 1)
    bound[up_to == 0] = np.inf
    least = np.minimum.accumulate(bound[:, ::-1], axis=1)[:, ::-1]
    lowered: Floats = np.minimum(least, 1.0).ravel()[cell].reshape(p_values.shape)
    return lowered


def deviates(statistic: Floats, expected: Floats, variance: Floats) -> Floats:
    """(statistic − expected) / √variance; NaN where the null leaves the statistic no room to vary."""
    fixed = variance <= TIE * (np.abs(expected) ** 2 + np.abs(statistic) ** 2) * 1e-4
    spread = np.sqrt(np.where(fixed, np.nan, variance))
    return np.asarray((statistic - expected) / spread, dtype=np.float64)


def simulated_p_value(
    observed: Floats, simulated: Floats, alternative: Alternative, *, complete: bool = False
) -> Floats:
    """p-value of observed among simulated statistics (rows permutations, columns variables), ties counted.

    Where the rows are ``complete``, all arrangements there are and so the observed one too, tails are shares
    of them, and nothing is added.

    >>> every = np.array([[1.0], [2.0], [2.0], [5.0]])
    >>> simulated_p_value(np.array([2.0]), every, "greater", complete=True)
    array([0.75])

    Raises
    ------
    InputError
        If the statistic is not finite: comparisons would all fail, and the p-value be the smallest there is.
    """
    if not np.isfinite(observed).all():
        raise InputError("The statistic is not finite; values or weights are too large or too small.")
    # Of their own scale: some statistics are near 1, others of the size of 1 / n.
    slack = TIE * np.maximum(np.abs(simulated).max(axis=0), np.abs(observed))
    above, below = simulated >= observed - slack, simulated <= observed + slack
    if complete:
        return tail_p_value(above.mean(axis=0), below.mean(axis=0), alternative)
    return permutation_p_value(above.sum(axis=0), below.sum(axis=0), len(simulated), alternative)


def permutation_parts(
    observed: Floats, simulated: Floats, alternative: Alternative, *, complete: bool = False
) -> tuple[Floats, Floats, Floats]:
    """p-value, and the central 95 % of simulated statistics (rows permutations, columns variables).

    ``complete`` as in :func:`simulated_p_value`.

    Raises
    ------
    InputError
        If the statistic is not finite: comparisons would all fail, and the p-value be the smallest there is.
    """
    p_value = simulated_p_value(observed, simulated, alternative, complete=complete)
    low, high = np.quantile(simulated, [0.025, 0.975], axis=0)
    return p_value, low, high


def parts_of_columns(
    simulate: Callable[[slice], tuple[Floats, Floats]], variables: int, draws: int, alternative: Alternative
) -> tuple[Floats, Floats, Floats]:
    """:func:`permutation_parts` of many variables, some at a time, so that the draws fit into memory.

    ``simulate`` takes a slice of the variables and returns their observed and simulated statistics.
    """
    width = max(1, _MOST_DRAWN // draws)
    parts = [
        permutation_parts(*simulate(slice(start, start + width)), alternative)
        for start in range(0, variables, width)
    ]
    p_value, low, high = (np.concatenate(part) for part in zip(*parts, strict=True))
    return p_value, low, high


def normal_parts(
    deviate: Floats, expected: Floats, variance: Floats, alternative: Alternative
) -> tuple[Floats, Floats, Floats]:
    """p-value of normal deviates (1 where there is none), and the central 95 % of the statistic."""
    p_value = np.where(np.isnan(deviate), 1.0, normal_p_value(np.nan_to_num(deviate), alternative))
    spread = stats.norm.isf(0.025) * np.sqrt(np.maximum(variance, 0.0))
    return p_value, expected - spread, expected + spread
