"""Is there cluster structure at all? A test against data that have none."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import get_args

import numpy as np
import pandas as pd

from spatialkz.clustering.number.criteria import silhouette_widths
from spatialkz.clustering.partition.kmeans import (
    best_partitions,
    checked,
    default_starts,
    single_blas_thread,
    start_draws,
)
from spatialkz.clustering.partition.labels import Matrix, distinct_rows, sum_of_squares
from spatialkz.errors import InputError, listing
from spatialkz.options import StructureNull, StructureStatistic
from spatialkz.randomness import generator
from spatialkz.resampling.parallel import in_blocks
from spatialkz.resampling.pvalues import check_number, monte_carlo_tail
from spatialkz.results import Result, json_ready
from spatialkz.tables import check_table

_QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_STARTS = 10
# Largest k that is tried, and data sets drawn, where the tests decide whether there are clusters.
_MOST_CLUSTERS, _DRAWS = 6, 199
_NULLS: dict[StructureNull, str] = {
    "gaussian": "one normal sample",
    "column-permutation": "independent columns",
}


@dataclass(frozen=True, repr=False)
class StructureTest(Result):
    """Result of :func:`structure_test`.

    Attributes
    ----------
    statistic : float
        Of the data.
    p_value : float
        (b + 1) / (R + 1), one-sided towards clusters.
    k : int
        Number of clusters at which the statistic was reached; not the best k, which is another question.
    null_quantiles : Series
        Probability → quantile of the statistic under the null hypothesis.
    measure, null : str
        As given in ``statistic`` and ``null``.
    draws : int
        Data sets R drawn from the null hypothesis.
    """

    statistic: float
    p_value: float
    k: int
    null_quantiles: pd.Series
    measure: StructureStatistic
    null: StructureNull
    draws: int

    def to_frame(self) -> pd.DataFrame:
        """One row: ``statistic, p_value, k, median`` (of the null), ``measure, null, draws``."""
        row = {
            "statistic": self.statistic,
            "p_value": self.p_value,
            "k": self.k,
            "median": self.null_quantiles[0.5],
            "measure": self.measure,
            "null": self.null,
            "draws": self.draws,
        }
        return pd.DataFrame([row])

    def to_dict(self) -> dict[str, object]:
        """All of it, ready for JSON."""
        return {
            "statistic": self.statistic,
            "p_value": self.p_value,
            "k": self.k,
            "null_quantiles": json_ready(self.null_quantiles),
            "measure": self.measure,
            "null": self.null,
            "draws": self.draws,
        }

    def summary(self) -> str:
        """Statistic, its median under the null hypothesis, and p-value in one line."""
        return (
            f"cluster structure ({self.measure}, {self.null}): {self.statistic:.3f} at k = {self.k}, "
            f"{self.null_quantiles[0.5]:.3f} expected without clusters, p = {self.p_value:.3g}"
        )


def structure_test(
    features: pd.DataFrame,
    *,
    null: StructureNull = "gaussian",
    statistic: StructureStatistic = "standardized-silhouette",
    ks: Iterable[int] = range(2, 7),
    draws: int = 499,
    starts: int | None = None,
    rng: int | np.random.Generator | None = None,
) -> StructureTest:
    r"""Test whether k-means finds better clusters in the data than in data without clusters.

    Null hypothesis, by ``null``:

    - ``gaussian``: the regions are one sample from a normal distribution, of whatever mean and covariance.
      The sample mean and covariance are sufficient for these, and given them the principal scores are a
      uniformly distributed orthonormal frame; so data are drawn with exactly the mean and covariance of the
      sample and a random frame (a rotation test). The p-value is exact for any number of regions, fewer
      than columns included. A rejection means "not one normal sample", for skewed columns without any
      clusters too: transform first.
    - ``column-permutation``: the columns are independent, each with its own observed values. Skewness does
      no harm, but any association between columns counts against this null, clusters or not.

    Statistic: with :math:`s_k` the mean silhouette width of k-means with *k* clusters,

    - ``standardized-silhouette``, the largest over ``ks`` of :math:`(s_k - m_k) / d_k`, where :math:`m_k` and
      :math:`d_k` are mean and standard deviation of :math:`s_k` over the data and all draws. All of them
      enter alike, so the p-value stays exact; and each *k* is held against what that *k* gives without
      clusters;
    - ``silhouette``, the largest :math:`s_k`. It misses clear groups where another *k* often reaches as much
      without any: independent columns of two levels each make four groups of their own;
    - ``two-means``, the cluster index :math:`W_2 / W_1` of sums of squares within 2 and within 1 cluster,
      small with clusters and meant for two of them.

    Parameters
    ----------
    features : DataFrame
        Rows are regions, columns indicators on comparable scales.
    null : {"gaussian", "column-permutation"}
    statistic : {"standardized-silhouette", "silhouette", "two-means"}
    ks : iterable of int
        Numbers of clusters, from 2, that the silhouettes are the largest of.
    draws : int
        Data sets R from the null hypothesis.
    starts : int, optional
        Starts of k-means for each k, the same on the data and under the null; 10.
    rng : int, Generator or None

    Returns
    -------
    StructureTest

    Raises
    ------
    InputError
        If a cell is missing, all columns are constant, or k reaches the number of regions that differ.

    Notes
    -----
    With 17 regions in 11 columns, three groups whose centers lie 4, 6 and 8 within-group standard deviations
    apart are found at 5 % in about 26, 97 and 100 of 100 cases by ``standardized-silhouette`` (with
    ``silhouette`` in 18, 89 and 100) against one normal sample, in 27, 97 and 100 (24, 96 and 100) against
    independent columns. Without rejection, groups may still be there. Groups that each stand out in one
    column of their own need more regions: with 18 regions in three groups, two of them set apart by one
    column each, independent columns keep the two apart in one draw of 20. In a single column independence
    says nothing, and that p-value is 1.

    References
    ----------
    Liu, Hayes, Nobel & Marron (2008), *JASA* 103, 1281–1293 (cluster index and Gaussian null, the covariance
    plugged in); Langsrud (2005), *Statistics and Computing* 15, 53–60 (rotation tests); Rousseeuw (1987),
    *J. Computational and Applied Mathematics* 20.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> groups = rng.normal(size=(18, 3)) + np.repeat(9 * np.eye(3), 6, axis=0)
    >>> structure_test(pd.DataFrame(groups), draws=99, rng=1).p_value
    0.01
    """
    for given, options, name in ((null, StructureNull, "null"), (statistic, StructureStatistic, "statistic")):
        if given not in get_args(options):
            raise InputError(f"{name} is {given!r}; it must be one of {listing(get_args(options))}.")
    check_number(draws, "draws", 1)
    if starts is not None:
        check_number(starts, "starts", 1)
    # Sorted, so that the order of the rows does not decide which starts are drawn.
    table = check_table(features, name="features", least_regions=4).sort_index()
    points, numbers = checked(table.to_numpy(), [2] if statistic == "two-means" else ks)
    distinct = len(np.unique(points, axis=0))
    if numbers[0] < 2 or numbers[-1] >= distinct:
        raise InputError(
            f"ks must be from 2 to below the number of distinct regions, {distinct}, but are "
            f"{listing(numbers)}."
        )
    count = min(_STARTS, default_starts(points.size)) if starts is None else starts
    streams = generator(rng, f"structure_test:{null}:{statistic}").spawn(draws + 1)
    measure = partial(_measured, statistic, numbers, count)
    with single_blas_thread():
        observed = measure(points, streams[0])
        drawn = [observed] * draws
        # A single column that varies stays what it is, however it is shuffled.
        if null == "gaussian" or np.count_nonzero(np.ptp(points, axis=0)) > 1:
            steps = float(points.size) * sum(numbers) * count * draws
            work = partial(_null_blocks, points, null, measure, streams[1:])
            drawn = [row for part in in_blocks(work, draws, steps) for row in part]
    # Rounded, so that equal data sets stay equal.
    values = np.array([observed, *drawn]).round(12)
    if statistic == "standardized-silhouette":
        spread = values.std(axis=0)
        values = np.divide(values - values.mean(axis=0), spread, where=spread > 1e-9, out=0 * values)
    reached = -values[:, 0] if statistic == "two-means" else values.max(axis=1)
    # Equal but for rounding counts as at least as extreme.
    extreme = np.count_nonzero(reached[1:] >= reached[0] - 1e-9 * max(1.0, abs(reached[0])))
    sign = -1.0 if statistic == "two-means" else 1.0
    return StructureTest(
        statistic=sign * float(reached[0]),
        p_value=float(monte_carlo_tail(extreme, draws)),
        # The first of equal ones, which is the smaller k.
        k=numbers[int(np.argmax(values[0]))],
        null_quantiles=pd.Series(
            np.quantile(sign * reached[1:], _QUANTILES),
            index=pd.Index(_QUANTILES, name="probability"),
            name=statistic,
        ),
        measure=statistic,
        null=null,
        draws=draws,
    )


def structure_tests(
    features: pd.DataFrame, *, draws: int | None = None, rng: int | np.random.Generator | None = None
) -> dict[StructureNull, StructureTest]:
    """Both tests by which :func:`~spatialkz.clustering.cluster_regions` decides whether there are clusters.

    Parameters
    ----------
    features : DataFrame
        Rows are regions, at least 3 of them different.
    draws : int, optional
        Data sets from each null hypothesis; 199.
    rng : int, Generator or None

    Returns
    -------
    dict
        Null hypothesis → :func:`structure_test`, k from 2 to 6.
    """
    most = min(_MOST_CLUSTERS, distinct_rows(features.to_numpy()) - 1)
    return {
        null: structure_test(features, null=null, ks=range(2, most + 1), draws=draws or _DRAWS, rng=rng)
        for null in get_args(StructureNull)
    }


def structure_found(tests: Mapping[StructureNull, StructureTest], significance: float) -> bool:
    """Whether every kind of data without clusters is rejected."""
    return all(test.p_value <= significance for test in tests.values())


def reason(
    tests: Mapping[StructureNull, StructureTest],
    significance: float,
    k: int,
    fewest: str = "one cluster",
    *,
    given: bool = False,
) -> str:
    """What both tests lead to, in a sentence; ``k`` is what the rule takes, even where another was given."""
    said = " and ".join(f"{test.p_value:.3g} ({_NULLS[null]})" for null, test in tests.items())
    if given and structure_found(tests, significance):
        return (
            "k was given: groups describe the regions. Silhouettes are larger than in data without clusters, "
            f"p = {said}, both at most {significance:g}; at k = {k} the mean silhouette is largest."
        )
    if given:
        return (
            "k was given: groups describe the regions, and were not found: silhouettes as large also come "
            f"from data without clusters, p = {said}, not both at most {significance:g}."
        )
    if structure_found(tests, significance):
        return (
            f"Silhouettes as large are rare in data without clusters: p = {said}, both at most "
            f"{significance:g}; at k = {k} the mean silhouette is largest."
        )
    return (
        f"No clusters were found, so there is {fewest}: silhouettes as large also come from data without "
        f"any, p = {said}, not both at most {significance:g}. With k given, groups only describe."
    )


def checked_draws(draws: int | None, significance: float | None) -> int:
    """Draws by which the tests can reject at a level, if there is one: as given, or at least 199.

    Raises
    ------
    InputError
        If the level does not lie between 0 and 1, or so few draws can never reject.

    Examples
    --------
    >>> checked_draws(None, 0.05), checked_draws(None, 0.001), checked_draws(19, 0.05)
    (199, 999, 19)
    """
    if significance is None:
        significance = 0.5
    if isinstance(significance, str) or not 0 < significance < 1:
        raise InputError(f"significance is {significance}; it must lie between 0 and 1.")
    # Rounded, as 1 / 0.05 may miss 20.
    least = math.ceil(round(1 / significance, 9)) - 1
    if draws is None:
        return max(_DRAWS, least)
    check_number(draws, "draws", 1)
    if draws < least:
        raise InputError(
            f"draws is {draws}, so no p-value is below {1 / (draws + 1):.3g}; a significance of "
            f"{significance:g} needs at least {least}."
        )
    return draws


def _measured(
    statistic: StructureStatistic, ks: list[int], starts: int, points: Matrix, rng: np.random.Generator
) -> list[float]:
    """The statistic at each k."""
    found = best_partitions(points, ks, start_draws(rng, 1, starts, ks[-1]))[0]
    if statistic == "two-means":
        return [sum_of_squares(points, found[0]) / float(((points - points.mean(axis=0)) ** 2).sum())]
    widths = silhouette_widths(points, dict(zip(ks, found, strict=True)))
    return [float(widths[k].mean()) for k in ks]


def _null_blocks(
    points: Matrix,
    null: StructureNull,
    measure: partial[list[float]],
    streams: list[np.random.Generator],
    chosen: slice,
) -> list[list[float]]:
    if null == "column-permutation":
        return [measure(rng.permuted(points, axis=0), rng) for rng in streams[chosen]]
    spread = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    spread = spread[spread > 1e-10 * spread[0]]
    return [measure(_frame(rng, len(points), len(spread)) * spread, rng) for rng in streams[chosen]]


def _frame(rng: np.random.Generator, n: int, columns: int) -> Matrix:
    """Orthonormal columns that sum to 0, uniformly distributed."""
    noise = rng.normal(size=(n, columns))
    frame: Matrix = np.linalg.qr(noise - noise.mean(axis=0))[0]
    return frame
