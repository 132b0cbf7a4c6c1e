"""Local Geary's c of one variable or of several together."""

from __future__ import annotations

import numpy as np
import pandas as pd
from libpysal.graph import Graph

from spatialkz.inference import Floats
from spatialkz.options import Alternative, FdrOver, LocalMethod
from spatialkz.spatial._checks import check_alpha, checked
from spatialkz.spatial._conditional import conditional_test
from spatialkz.spatial._frames import LocalTest, local_frame


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
