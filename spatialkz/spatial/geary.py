"""Geary's c, global and local, of many variables under shared permutations of the regions.

Not by esda (3,025 regions × 20 variables, 999 permutations): its loop over ``Geary`` takes 1.4 s where this
takes 0.03 s, and the statistic is four lines on the engine of Moran's I. ``Geary_Local`` is near, 1.5 s
against 0.9 s (several variables together 5.3 s against 0.4 s), but cannot enumerate neighbor sets, which
few regions need.
"""

from __future__ import annotations

from typing import get_args

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from scipy.sparse import csr_array

from spatialkz.options import Alternative, FdrOver, GearyMethod, LocalMethod
from spatialkz.resampling.checks import check_alpha, check_choice, checked, seeds_of
from spatialkz.resampling.conditional import conditional_test
from spatialkz.resampling.pvalues import Floats
from spatialkz.spatial.frames import GlobalTest, LocalTest, global_frames, local_frame
from spatialkz.spatial.moments import QuadraticForm, quadratic_test, weight_sums


def geary(
    values: pd.DataFrame | pd.Series,
    graph: Graph,
    *,
    method: GearyMethod = "permutation",
    permutations: int = 9999,
    alternative: Alternative = "two-sided",
    rng: int | np.random.Generator | None = None,
) -> GlobalTest:
    r"""Geary's c of each variable, on row-standardized weights.

    .. math:: c = \frac{n - 1}{2 S_0} \frac{\sum_{ij} w_{ij} (x_i - x_j)^2}{\sum_i (x_i - \bar x)^2}

    c is 1 on average without autocorrelation, *below* 1 where neighbors are alike, above 1 where they differ.
    It has no unit. Null hypothesis: every arrangement of the values over the regions is equally likely (for
    ``method="normal"``: the values are independent normal with one mean and variance).

    Parameters
    ----------
    values : DataFrame or Series
        Rows are regions, columns variables.
    graph : libpysal.graph.Graph
        Keyed by the same region labels, in any order; row-standardized here, never in place.
    method : {"permutation", "normal", "randomization"}
        Where the p-value comes from. ``normal`` supposes normal values: of 2,000 lognormal or zero-inflated
        tables of 17 regions it rejects 14–15 % at 5 %, the others 5–6 %.
    permutations : int
        Number of permutations, at least 99; all variables see the same ones.
    alternative : {"two-sided", "greater", "less"}
        The tail of c: ``less`` tests for likeness of neighbors, ``greater`` for unlikeness.
    rng : int, Generator or None
        Seed of the permutations.

    Returns
    -------
    GlobalTest
        ``to_frame()`` has the columns of :func:`spatialkz.spatial.moran`; z = (c − expected) / √variance, the
        opposite sign of spdep's. ``expected`` and ``variance`` are the exact moments of the null hypothesis.

    Raises
    ------
    InputError
        If a cell is missing, a variable is constant, or an option is unknown.
    RegionError, GraphError
        If graph and values differ in their regions, or a region has no neighbor.

    References
    ----------
    Cliff & Ord (1981), *Spatial Processes*, ch. 1–2. The variances are those of ``spdep::geary.test``.

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> test = geary(study.table.values["electrical"], study.graph, method="randomization")
    >>> round(float(test.to_frame().loc["electrical", "statistic"]), 3)
    0.911
    """
    check_choice(method, get_args(GearyMethod))
    table, weights = checked(values, graph, transform="r", alternative=alternative)
    z = (table - table.mean()).to_numpy()
    n = len(z)
    form, moments = geary_form(z, weights), None
    if method == "normal":
        s0, s1, s2, _ = weight_sums(weights)
        variance = ((2 * s1 + s2) * (n - 1) - 4 * s0**2) / (2 * (n + 1) * s0**2)
        moments = (np.ones(z.shape[1]), np.full(z.shape[1], variance))
    columns, parts = quadratic_test(
        form,
        method=method,
        permutations=permutations,
        alternative=alternative,
        seeds=seeds_of(rng, "geary"),
        moments=moments,
    )
    index = table.columns.rename("variable")
    frames = global_frames(index, columns, parts, n=n, method=method, alternative=alternative)
    return GlobalTest(
        "Geary's c",
        "values are arranged over the regions without regard to neighborhood.",
        *frames,
        permutations if method == "permutation" else 0,
    )


def geary_form(z: Floats, weights: csr_array) -> QuadraticForm:
    """Geary's c of centered values as a quadratic form."""
    s0, _, _, ends = weight_sums(weights)
    # Σ w (z_i − z_j)² = Σ (w_i. + w_.i) z_i² − 2 Σ w z_i z_j
    return QuadraticForm(z, weights, -(len(z) - 1) / (s0 * (z**2).sum(axis=0)), -0.5 * ends)


def local_geary(
    values: pd.DataFrame | pd.Series,
    graph: Graph,
    *,
    multivariate: bool = False,
    method: LocalMethod = "auto",
    permutations: int = 9999,
    alternative: Alternative = "two-sided",
    alpha: float = 0.05,
    fdr_over: FdrOver = "regions",
    rng: int | np.random.Generator | None = None,
) -> LocalTest:
    r"""Local Geary's c of each region, on row-standardized weights.

    .. math:: c_i = \frac1K \sum_{k=1}^K \sum_j w_{ij} (z_{ik} - z_{jk})^2, \qquad
        z_{ik} = (x_{ik} - \bar x_k) / s_k

    with K = 1 unless ``multivariate``; :math:`s_k` has divisor n − 1. Small where a region is like its
    neighbors. Null hypothesis for region *i*: given its own values, its neighbors are a random draw without
    replacement from the other regions (whole regions, so that correlation between variables is kept).

    Parameters
    ----------
    values : DataFrame or Series
        Rows are regions, columns variables.
    graph : libpysal.graph.Graph
        Keyed by the same region labels, in any order; row-standardized here.
    multivariate : bool
        One statistic over all columns instead of one for each; its variable is called ``all``.
    method : {"auto", "exact", "permutation"}
        ``exact`` enumerates all neighbor sets; ``auto`` does while that is cheaper than the permutations.
    permutations : int
        Number of conditional permutations, at least 99.
    alternative : {"two-sided", "greater", "less"}
        The tail of c: ``less`` tests for likeness to the neighbors.
    alpha : float
        Level of the labels.
    fdr_over : {"regions", "regions and variables"}
        What ``p_adjusted`` covers, as in :func:`spatialkz.spatial.local_moran`.
    rng : int, Generator or None
        Seed of the permutations.

    Returns
    -------
    LocalTest
        ``to_frame()`` has index ``(variable, region)`` and columns ``statistic, expected`` (given the own
        value)``, p_value, p_adjusted, p_min, label``. Labels: ``hot`` and ``cold`` (like its neighbors, all
        high or all low), ``alike`` (like them otherwise, or in several variables), ``unlike``,
        ``not significant``, ``unattainable``.

    Raises
    ------
    InputError
        If a cell is missing, a variable is constant, or an option does not fit.
    RegionError, GraphError
        If graph and values differ in their regions, or a region has no neighbor.

    Notes
    -----
    spdep standardizes as here; esda and GeoDa divide by the standard deviation with divisor n, so that their
    values are n / (n − 1) times these.

    References
    ----------
    Anselin (1995), *Geographical Analysis* 27, eq. 17. Anselin (2019), *Geographical Analysis* 51, 133–150
    (several variables).

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> local = local_geary(study.table.values["research"], study.graph).to_frame()
    >>> print(*local.loc[("research", "Nur-Sultan"), ["p_min", "label"]])
    0.125 unattainable
    """
    check_alpha(alpha)
    table, weights = checked(values, graph, transform="r", alternative=alternative)
    z = ((table - table.mean()) / table.std()).to_numpy()
    lag = weights @ z

    def scores(i: int) -> Floats:
        squares: Floats = (z - z[i]) ** 2
        return squares.mean(axis=1, keepdims=True) if multivariate else squares

    test = conditional_test(
        scores,
        weights,
        table.index,
        method=method,
        permutations=permutations,
        alternative=alternative,
        rng=rng,
        stream="local_geary",
    )
    n = len(z)
    # Given z_i, a neighbor is any of the others: E (z_i − z_j)² = (n z_i² + n − 1) / (n − 1).
    expected = (n * z**2 + n - 1) / (n - 1)
    if multivariate:
        expected = expected.mean(axis=1, keepdims=True)
        like = np.full((n, 1), 2)
        table = pd.DataFrame({"all": test.observed[:, 0]}, index=table.index)
    else:
        like = np.where((z > 0) & (lag > 0), 0, np.where((z < 0) & (lag < 0), 1, 2))
    code = np.where(test.observed < expected, like, 3).astype(np.int8)
    labels = (code, ["hot", "cold", "alike", "unlike"])
    order = pd.Index(values.index)
    columns = {"statistic": test.observed, "expected": expected}
    result = local_frame(table, columns, test.p_value, test.p_min, labels, alpha, order, fdr_over)
    return LocalTest(
        "Local Geary's c",
        "given its own value, every set of neighbors of a region is equally likely.",
        result,
        test.methods.loc[order],
        alternative,
        alpha,
    )
