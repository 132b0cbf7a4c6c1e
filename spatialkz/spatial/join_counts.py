"""Join counts: how often neighbors are both marked, both unmarked, or of different kind; global and local.

Not by esda (3,025 regions × 20 variables, 999 permutations): its loop over ``Join_Counts`` takes 10.6 s
where this takes 0.07 s. ``Join_Counts_Local`` simulates in 1.5 s the p-values that are found exactly here
in 0.13 s.
"""

from __future__ import annotations

from typing import get_args

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from scipy import stats

from spatialkz.errors import InputError, listing
from spatialkz.options import Alternative, FdrOver, RandomizationMethod
from spatialkz.resampling.checks import check_alpha, check_choice, checked, seeds_of
from spatialkz.resampling.pvalues import tail_p_value
from spatialkz.spatial.frames import GlobalTest, LocalTest, global_frames, local_frame
from spatialkz.spatial.moments import QuadraticForm, quadratic_test, weight_sums


def join_counts(
    marks: pd.DataFrame | pd.Series,
    graph: Graph,
    *,
    method: RandomizationMethod = "permutation",
    permutations: int = 9999,
    alternative: Alternative = "two-sided",
    rng: int | np.random.Generator | None = None,
) -> GlobalTest:
    r"""Join counts of each binary variable, on binary weights.

    .. math:: BB = \tfrac12 \sum_{ij} w_{ij} b_i b_j, \quad
        WW = \tfrac12 \sum_{ij} w_{ij} (1 - b_i)(1 - b_j), \quad
        BW = \tfrac12 \sum_{ij} w_{ij} (b_i - b_j)^2

    On a symmetric graph these are numbers of joins, and they add up to all joins. Null hypothesis: given how
    many regions are marked, every choice of them is equally likely (sampling without replacement).

    Parameters
    ----------
    marks : DataFrame or Series
        0 and 1 or False and True, for example ``quotients >= 1``; rows are regions, columns variables.
    graph : libpysal.graph.Graph
        Keyed by the same region labels, in any order; every neighbor weighs 1.
    method : {"permutation", "randomization"}
        Permutations, or the normal approximation with the exact moments.
    permutations : int
        Number of permutations, at least 99; all variables and kinds of join see the same ones.
    alternative : {"two-sided", "greater", "less"}
        The tail of the count: marked regions that cluster have many BB and few BW.
    rng : int, Generator or None
        Seed of the permutations.

    Returns
    -------
    GlobalTest
        ``to_frame()`` has index ``(variable, join)`` with joins BB, BW and WW, and the columns of
        :func:`spatialkz.spatial.moran`; ``p_adjusted`` covers all rows. A count that cannot vary (BB with one
        marked region) has z NaN and p-value 1.

    Raises
    ------
    InputError
        If a value is neither 0 nor 1, all are alike, or an option is unknown.
    RegionError, GraphError
        If graph and marks differ in their regions, or a region has no neighbor.

    References
    ----------
    Cliff & Ord (1981), *Spatial Processes*, ch. 1–2 (nonfree sampling; ``spdep::joincount.multi``).

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> counts = join_counts(study.table.values["research"] >= 1, study.graph, method="randomization")
    >>> counts.to_frame().loc["research", "statistic"].astype(int).to_dict()
    {'BB': 0, 'BW': 7, 'WW': 22}
    """
    check_choice(method, get_args(RandomizationMethod))
    table, weights = checked(_binary(marks), graph, transform="b", alternative=alternative)
    b = table.to_numpy()
    half = np.full(b.shape[1], 0.5)
    ends = weight_sums(weights)[3]
    forms = {
        "BB": QuadraticForm(b, weights, half),
        "BW": QuadraticForm(b, weights, -2 * half, -0.5 * ends),
        "WW": QuadraticForm(1 - b, weights, half),
    }
    seeds = seeds_of(rng, "join_counts")
    results = [
        quadratic_test(
            form,
            method=method,
            permutations=permutations,
            alternative=alternative,
            seeds=seeds,
        )
        for form in forms.values()
    ]
    # Results come by kind of join; the table goes variable by variable.
    by_variable = np.arange(3 * b.shape[1]).reshape(3, -1).T.ravel()
    columns = {
        name: np.concatenate([columns[name] for columns, _ in results])[by_variable] for name in results[0][0]
    }
    p_value, low, high = (
        np.concatenate([parts[part] for _, parts in results])[by_variable] for part in range(3)
    )
    index = pd.MultiIndex.from_product([table.columns, forms], names=["variable", "join"])
    frames = global_frames(
        index, columns, (p_value, low, high), n=len(b), method=method, alternative=alternative
    )
    return GlobalTest(
        "Join counts",
        "given how many regions are marked, every choice of them is equally likely.",
        *frames,
        permutations if method == "permutation" else 0,
    )


def local_join_counts(
    marks: pd.DataFrame | pd.Series,
    graph: Graph,
    *,
    alternative: Alternative = "two-sided",
    alpha: float = 0.05,
    fdr_over: FdrOver = "regions",
) -> LocalTest:
    r"""Number of marked neighbors of each marked region, with its exact p-value.

    .. math:: BB_i = b_i \sum_j w_{ij} b_j

    Null hypothesis for region *i*: given its own mark and how many others are marked, every choice of those
    is equally likely. With *d* neighbors the count is hypergeometric, so the p-value is exact for any *n*,
    without simulation. An unmarked region has count 0 whatever its neighbors: p-value 1, never significant.

    Parameters
    ----------
    marks : DataFrame or Series
        0 and 1 or False and True; rows are regions, columns variables.
    graph : libpysal.graph.Graph
        Keyed by the same region labels, in any order; every neighbor weighs 1.
    alternative : {"two-sided", "greater", "less"}
        ``greater`` tests for more marked neighbors than chance gives.
    alpha : float
        Level of the labels.
    fdr_over : {"regions", "regions and variables"}
        What ``p_adjusted`` covers, as in :func:`spatialkz.spatial.local_moran`.

    Returns
    -------
    LocalTest
        ``to_frame()`` has index ``(variable, region)`` and columns
        ``statistic, expected, p_value, p_adjusted`` (Benjamini–Hochberg over the regions of a
        variable)``, p_min, label``; labels are ``hot`` (many marked neighbors), ``high outlier`` (few),
        ``not significant`` and ``unattainable``.

    Raises
    ------
    InputError
        If a value is neither 0 nor 1, all are alike, or an option is unknown.
    RegionError, GraphError
        If graph and marks differ in their regions, or a region has no neighbor.

    References
    ----------
    Anselin & Li (2019), *Journal of Geographical Systems* 21, 189–210.

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> counts = local_join_counts(study.table.values["research"] >= 1, study.graph).to_frame()
    >>> print(*counts.loc[("research", "Nur-Sultan"), ["statistic", "label"]])
    0.0 unattainable
    """
    check_alpha(alpha)
    binary = _binary(marks)
    table, weights = checked(binary, graph, transform="b", alternative=alternative)
    b = table.to_numpy()
    n, degree = len(b), np.diff(weights.indptr)[:, None]
    marked = b == 1
    count = b * (weights @ b)
    rest = b.sum(axis=0) - 1
    least, most = np.maximum(0, degree + rest - (n - 1)), np.minimum(degree, rest)

    def p_values(counts: np.ndarray) -> np.ndarray:
        # Many regions, few cases.
        cells = np.stack(np.broadcast_arrays(counts, rest, degree)).reshape(3, -1)
        (found, others, drawn), place = np.unique(cells, axis=1, return_inverse=True)
        null = stats.hypergeom(n - 1, others, drawn)
        tails = tail_p_value(null.sf(found - 1), null.cdf(found), alternative)
        return np.where(marked, np.minimum(tails, 1.0)[place].reshape(b.shape), 1.0)

    p_value = p_values(count)
    p_min = np.minimum(p_values(least), p_values(most))
    expected = np.where(marked, degree * rest / (n - 1), 0.0)

    result = local_frame(
        table,
        {"statistic": count, "expected": expected},
        p_value,
        p_min,
        ((count > expected).astype(np.int8), ["high outlier", "hot"]),
        alpha,
        binary.index,
        fdr_over,
    )
    return LocalTest(
        "Local join counts",
        "given its own mark, every choice of the other marked regions is equally likely.",
        result,
        pd.Series("exact", index=binary.index, name="method"),
        alternative,
        alpha,
    )


def _binary(marks: pd.DataFrame | pd.Series) -> pd.DataFrame:
    """Marks as numbers 0 and 1, or say which are neither."""
    if isinstance(marks, pd.Series):
        marks = marks.to_frame("marks" if marks.name is None else marks.name)
    if not isinstance(marks, pd.DataFrame):
        raise InputError(f"marks must be a pandas DataFrame or Series, not {type(marks).__name__}.")
    wrong = marks.columns[~marks.isin([0, 1]).all()]
    if len(wrong):
        raise InputError(
            f"Join counts need values of 0 and 1 (or False and True); other values are in {listing(wrong)}."
        )
    return marks.astype("float64")
