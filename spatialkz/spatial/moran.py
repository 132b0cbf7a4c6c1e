"""Moran's I of many variables under shared permutations of the regions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from scipy.sparse import csr_array

from spatialkz.errors import InputError, listing
from spatialkz.inference import (
    Alternative,
    Floats,
    check_alternative,
    false_discovery_adjusted,
    normal_p_value,
    permutation_p_value,
)
from spatialkz.randomness import generator
from spatialkz.results import frozen, json_ready
from spatialkz.spatial._moments import weight_sums
from spatialkz.spatial.engine import permuted_cross_products
from spatialkz.spatial.exact import exact_moran
from spatialkz.spatial.weights import row_standardized
from spatialkz.tables import check_table

MoranMethod = Literal["permutation", "normal", "randomization", "exact", "saddlepoint"]


@dataclass(frozen=True)
class MoranTest:
    """Result of :func:`moran`.

    Attributes
    ----------
    table : DataFrame
        What :meth:`to_frame` returns.
    envelope : DataFrame
        ``low`` and ``high``: the central 95 % of the statistic under the null, by variable.
    permutations : int
        Number of permutations; 0 for the analytic methods.
    """

    table: pd.DataFrame
    envelope: pd.DataFrame
    permutations: int

    def to_frame(self) -> pd.DataFrame:
        """One row for each variable, with the columns named in :func:`moran`."""
        return self.table.copy()

    def to_dict(self) -> dict[str, object]:
        """The table and the null envelope, ready for JSON."""
        joined = self.table.join(self.envelope.add_prefix("null_"))
        return {"permutations": self.permutations, "variables": json_ready(joined)}

    def summary(self) -> str:
        """The table as text, with what was tested."""
        first = self.table.iloc[0]
        how = f"{self.permutations} permutations" if self.permutations else f"method {first['method']}"
        columns = ["statistic", "expected", "z", "p_value", "p_adjusted"]
        return (
            f"Moran's I, n = {first['n']}, {how}, {first['alternative']}\n"
            "Null hypothesis: values are arranged over the regions without regard to neighborhood.\n"
            f"{self.table[columns].to_string(float_format='{:.4f}'.format)}"
        )


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
    if method not in get_args(MoranMethod):
        raise InputError(f"method is {method!r}; it must be one of {listing(get_args(MoranMethod))}.")
    check_alternative(alternative)
    # Sorted, so that the order of the rows does not decide which permutations are drawn.
    table = check_table(values, least_regions=4).sort_index()
    refuse_constants(table)
    weights = row_standardized(graph, table.index)
    cells = np.ascontiguousarray(table.to_numpy())
    z = cells - cells.mean(axis=0)
    statistic, scale = _statistic(z, weights)
    expected, variance = _moments(z, weights, method)
    # A graph that joins everyone to everyone leaves I no room to vary.
    spread = np.sqrt(np.where(variance > 1e-20, variance, np.nan))
    deviate = (statistic - expected) / spread
    if method == "permutation":
        if permutations < 99:
            raise InputError(f"permutations is {permutations}; at least 99 are needed.")
        products = permuted_cross_products(
            z, weights, permutations, generator(rng, "moran"), observed=statistic / scale
        )
        simulated = products * scale
        # Ties up to rounding error count on both sides.
        slack = 1e-10
        p_value = permutation_p_value(
            (simulated >= statistic - slack).sum(axis=0),
            (simulated <= statistic + slack).sum(axis=0),
            permutations,
            alternative,
        )
        low, high = np.quantile(simulated, [0.025, 0.975], axis=0)
    elif method == "exact" or method == "saddlepoint":
        parts = exact_moran(table, weights, method, alternative)
        expected, variance, deviate, p_value, low, high = (
            parts[name].to_numpy() for name in ("expected", "variance", "z", "p_value", "low", "high")
        )
    else:
        p_value = np.where(np.isnan(deviate), 1.0, normal_p_value(np.nan_to_num(deviate), alternative))
        half = 1.959963984540054 * np.nan_to_num(spread)
        low, high = expected - half, expected + half
    moments = {"statistic": statistic, "expected": expected, "variance": variance}
    result = (
        pd.DataFrame(moments, index=table.columns)
        .assign(
            z=deviate,
            p_value=p_value,
            p_adjusted=false_discovery_adjusted(p_value),
            n=len(table),
            method=method,
            alternative=alternative,
        )
        .rename_axis(index="variable")
    )
    envelope = pd.DataFrame({"low": low, "high": high}, index=result.index)
    return MoranTest(frozen(result), frozen(envelope), permutations if method == "permutation" else 0)


def refuse_constants(table: pd.DataFrame) -> None:
    """Refuse variables without variation: autocorrelation has no meaning for them."""
    cells = table.to_numpy()
    constant = table.columns[cells.max(axis=0) == cells.min(axis=0)]
    if len(constant):
        raise InputError(
            f"Autocorrelation needs values that differ; these are constant: {listing(constant)}."
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
