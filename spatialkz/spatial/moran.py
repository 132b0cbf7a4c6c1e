"""Moran's I of many variables under shared permutations of the regions."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from scipy.sparse import csr_array

from spatialkz.options import Alternative, MoranMethod
from spatialkz.resampling.checks import check_choice, check_permutations, checked, seeds_of
from spatialkz.resampling.engine import permuted_cross_products
from spatialkz.resampling.pvalues import Floats, deviates, normal_parts, parts_of_columns
from spatialkz.spatial.exact import exact_moran
from spatialkz.spatial.frames import GlobalTest, global_frames
from spatialkz.spatial.moments import weight_sums


class MoranTest(GlobalTest):
    """Result of :func:`moran`."""


def moran(
    values: pd.DataFrame | pd.Series,
    graph: Graph,
    *,
    method: MoranMethod = "permutation",
    permutations: int = 9999,
    alternative: Alternative = "two-sided",
    rng: int | np.random.Generator | None = None,
) -> MoranTest:
    r"""Moran's I of each variable, on row-standardized weights.

    .. math:: I = \frac{n}{S_0} \frac{\sum_{ij} w_{ij} z_i z_j}{\sum_i z_i^2}, \qquad z_i = x_i - \bar x

    Null hypothesis: every arrangement of the values over the regions is equally likely. All variables see the
    same permutations. ``expected`` and ``variance`` are the exact moments over all n! arrangements
    (randomization) for ``method="permutation"`` and ``"randomization"``, and those of independent normal
    values for ``"normal"``.

    Parameters
    ----------
    values : DataFrame or Series
        Rows are regions, columns variables.
    graph : libpysal.graph.Graph
        Keyed by the same region labels, in any order; row-standardized here, never in place.
    method : {"permutation", "normal", "randomization", "exact", "saddlepoint"}
        Where the p-value comes from. ``exact`` (Imhof's integral) and ``saddlepoint`` hold for independent
        normal values at any number of regions up to 5000; ``z`` is then the normal deviate of that p-value.
    permutations : int
        Number of permutations, at least 99.
    alternative : {"two-sided", "greater", "less"}
        ``greater`` tests for positive autocorrelation.
    rng : int, Generator or None
        Seed of the permutations.

    Returns
    -------
    MoranTest
        ``to_frame()`` has index ``variable`` and columns ``statistic, expected, variance, z, p_value,
        p_adjusted`` (Benjamini–Hochberg over the variables)``, n, method, alternative``.

    Raises
    ------
    InputError
        If a cell is missing, a variable is constant, or an option is unknown.
    RegionError, GraphError
        If graph and values differ in their regions, or a region has no neighbor.

    References
    ----------
    Cliff & Ord (1981), *Spatial Processes*, ch. 1–2.

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> test = spatialkz.moran(study.table.values["electrical"], study.graph, rng=1)
    >>> round(test.to_frame().loc["electrical", "statistic"], 3)
    np.float64(0.236)
    """
    check_choice(method, get_args(MoranMethod))
    table, weights = checked(values, graph, transform="r", alternative=alternative)
    cells = np.ascontiguousarray(table.to_numpy())
    z = cells - cells.mean(axis=0)
    statistic, scale = _statistic(z, weights)
    expected, variance = _moments(z, weights, method)
    deviate = deviates(statistic, expected, variance)
    if method == "permutation":
        check_permutations(permutations)
        seeds = seeds_of(rng, "moran")

        def simulate(some: slice) -> tuple[Floats, Floats]:
            products = permuted_cross_products(
                np.ascontiguousarray(z[:, some]),
                weights,
                permutations,
                np.random.default_rng(seeds),
                observed=statistic[some] / scale[some],
            )
            return statistic[some], products * scale[some]

        parts = parts_of_columns(simulate, len(statistic), permutations, alternative)
    elif method == "exact" or method == "saddlepoint":
        frame = exact_moran(table, weights, method, alternative)
        expected, variance, deviate, p_value, low, high = (
            frame[name].to_numpy() for name in ("expected", "variance", "z", "p_value", "low", "high")
        )
        parts = p_value, low, high
    else:
        parts = normal_parts(deviate, expected, variance, alternative)
    columns = {"statistic": statistic, "expected": expected, "variance": variance, "z": deviate}
    frames = global_frames(
        table.columns.rename("variable"), columns, parts, n=len(z), method=method, alternative=alternative
    )
    return MoranTest(
        "Moran's I",
        "values are arranged over the regions without regard to neighborhood.",
        *frames,
        permutations if method == "permutation" else 0,
    )


def _statistic(z: Floats, weights: csr_array) -> tuple[Floats, Floats]:
    """Moran's I of centered values, and the factor that turns a cross-product into it."""
    scale = len(z) / (weights.sum() * np.einsum("ik,ik->k", z, z))
    return np.einsum("ik,ik->k", z, weights @ z) * scale, scale


def _moments(z: Floats, weights: csr_array, method: MoranMethod) -> tuple[Floats, Floats]:
    """Mean and variance of I for each variable under the null (Cliff & Ord 1981, eq. 2.36, 2.39, 2.42)."""
    n, variables = z.shape
    s0, s1, s2, _ = weight_sums(weights)
    expected = -1 / (n - 1)
    if method == "normal":
        square = (n**2 * s1 - n * s2 + 3 * s0**2) / ((n**2 - 1) * s0**2)
        return np.full(variables, expected), np.full(variables, square - expected**2)
    squares = z * z
    kurtosis = n * np.einsum("ik,ik->k", squares, squares) / squares.sum(axis=0) ** 2
    even = n * ((n**2 - 3 * n + 3) * s1 - n * s2 + 3 * s0**2)
    peaked = kurtosis * ((n**2 - n) * s1 - 2 * n * s2 + 6 * s0**2)
    square = (even - peaked) / ((n - 1) * (n - 2) * (n - 3) * s0**2)
    return np.full(variables, expected), square - expected**2
