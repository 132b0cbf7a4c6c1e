"""Wartenberg's matrix of Moran's I between all pairs of variables, and its tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from libpysal.graph import Graph

from spatialkz.errors import InputError
from spatialkz.options import Alternative
from spatialkz.randomness import generator
from spatialkz.results import frozen, json_ready
from spatialkz.spatial._checks import check_permutations, checked
from spatialkz.spatial._frames import GlobalTest, deviates, global_frames, permutation_parts
from spatialkz.spatial._moments import bilinear_moments
from spatialkz.spatial.bivariate import permuted_matrices, unit_columns

_NULL = "whole regions, with the values of all variables, are arranged without regard to neighborhood."


@dataclass(frozen=True)
class CrossMoranTest:
    """Result of :func:`cross_moran`.

    Attributes
    ----------
    matrix : DataFrame
        Wartenberg's symmetric matrix of cross Morans; on the diagonal Moran's I of each variable.
    pairs : GlobalTest
        Test of each cell on and above the diagonal.
    joint : GlobalTest
        Tests of the matrix as a whole: ``trace`` and ``largest eigenvalue``.
    """

    matrix: pd.DataFrame
    pairs: GlobalTest
    joint: GlobalTest

    def to_frame(self) -> pd.DataFrame:
        """One row for each pair, with the columns of :func:`spatialkz.spatial.moran`."""
        return self.pairs.to_frame()

    def to_dict(self) -> dict[str, object]:
        """Matrix and tests, ready for JSON."""
        return {
            "matrix": json_ready(self.matrix),
            "pairs": self.pairs.to_dict(),
            "joint": self.joint.to_dict(),
        }

    def summary(self) -> str:
        """The matrix and its joint tests as text."""
        return f"{self.joint.summary()}\n{self.matrix.to_string(float_format='{:.4f}'.format)}"


def cross_moran(
    values: pd.DataFrame,
    graph: Graph,
    *,
    permutations: int = 9999,
    alternative: Alternative = "two-sided",
    rng: int | np.random.Generator | None = None,
) -> CrossMoranTest:
    r"""Wartenberg's multivariate spatial correlation, on the symmetric part of row-standardized weights.

    .. math:: M = \frac{n}{S_0} Z' \tfrac12 (W + W') Z

    with the columns of *Z* centered and scaled to length 1. The diagonal holds Moran's I of each variable,
    the other cells the mean of both bivariate Morans. ``trace`` is the sum of the Morans,
    ``largest eigenvalue`` the Moran's I (times the share of variance) of the combination of variables that is
    most autocorrelated.

    Null hypothesis: whole regions, with the values of all variables, are arranged without regard to
    neighborhood; the correlation of variables within regions is kept.

    Parameters
    ----------
    values : DataFrame
        At least two variables; rows are regions.
    graph : libpysal.graph.Graph
        Keyed by the same region labels, in any order.
    permutations : int
        Number of permutations, at least 99; all cells and joint statistics see the same ones.
    alternative : {"two-sided", "greater", "less"}
    rng : int, Generator or None
        Seed of the permutations.

    Returns
    -------
    CrossMoranTest

    Raises
    ------
    InputError
        If a cell is missing, a variable is constant, or there is only one.
    RegionError, GraphError
        If graph and values differ in their regions, or a region has no neighbor.

    References
    ----------
    Wartenberg (1985), *Geographical Analysis* 17, 263–283.

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> test = cross_moran(study.table.values[["research", "electrical"]], study.graph, rng=1)
    >>> test.matrix.round(3).loc["electrical"].tolist()
    [0.007, 0.236]
    """
    table, weights = checked(values, graph, transform="r", alternative=alternative)
    check_permutations(permutations)
    if table.shape[1] < 2:
        raise InputError("A matrix of cross Morans needs at least two variables.")
    z, n = unit_columns(table), len(table)
    scale = n / weights.sum()
    symmetric = ((weights + weights.T) * 0.5).tocsr()
    matrix = scale * (z.T @ (symmetric @ z))
    draws = generator(rng, "cross_moran")
    simulated = scale * permuted_matrices(z, z, symmetric, permutations, draws)
    method = "permutation"

    first, second = np.triu_indices(len(matrix))
    statistic = matrix[first, second]
    expected, variance = bilinear_moments(z[:, first], z[:, second], symmetric)
    expected, variance = scale * expected, scale**2 * variance
    columns = {"statistic": statistic, "expected": expected, "variance": variance}
    columns["z"] = deviates(statistic, expected, variance)
    parts = permutation_parts(statistic, simulated[:, first, second], alternative)
    pairs = pd.MultiIndex.from_arrays(
        [table.columns[first], table.columns[second]], names=["variable", "other"]
    )
    cells = global_frames(pairs, columns, parts, n=n, method=method, alternative=alternative)

    observed = np.array([np.trace(matrix), np.linalg.eigvalsh(matrix)[-1]])
    null = np.column_stack([np.trace(simulated, axis1=1, axis2=2), np.linalg.eigvalsh(simulated)[:, -1]])
    mean, spread = null.mean(axis=0), null.var(axis=0, ddof=1)
    columns = {"statistic": observed, "expected": mean, "variance": spread}
    columns["z"] = deviates(observed, mean, spread)
    parts = permutation_parts(observed, null, alternative)
    names = pd.Index(["trace", "largest eigenvalue"], name="variable")
    whole = global_frames(names, columns, parts, n=n, method=method, alternative=alternative)
    return CrossMoranTest(
        frozen(pd.DataFrame(matrix, index=table.columns, columns=table.columns)),
        GlobalTest("Cross Moran's I", _NULL, *cells, permutations),
        GlobalTest("Wartenberg's matrix", _NULL, *whole, permutations),
    )
