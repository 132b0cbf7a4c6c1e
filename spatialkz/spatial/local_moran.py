"""Local Moran's I, exact where enumeration is cheaper than simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
from libpysal.graph import Graph

from spatialkz.options import Alternative, FdrOver, LocalMethod
from spatialkz.resampling.checks import check_alpha, checked
from spatialkz.resampling.conditional import conditional_test
from spatialkz.resampling.pvalues import Floats
from spatialkz.spatial.frames import Coded, LocalTest, local_frame

# Position 2 × (own value above the mean) + (neighbors above the mean).
_QUADRANTS = ["LL", "LH", "HL", "HH"]
_LABELS = ["cold", "low outlier", "high outlier", "hot"]


class LocalMoranTest(LocalTest):
    """Result of :func:`local_moran`."""


def local_moran(
    values: pd.DataFrame | pd.Series,
    graph: Graph,
    *,
    method: LocalMethod = "auto",
    permutations: int = 9999,
    alternative: Alternative = "two-sided",
    alpha: float = 0.05,
    fdr_over: FdrOver = "regions",
    rng: int | np.random.Generator | None = None,
) -> LocalMoranTest:
    r"""Local Moran's I of each region in each variable, on row-standardized weights.

    .. math:: I_i = (n - 1) \frac{z_i \sum_j w_{ij} z_j}{\sum_k z_k^2}

    Null hypothesis for region *i*: given :math:`z_i`, its neighbors are a random draw without replacement
    from the other regions. With equal weights and *d* neighbors there are only :math:`\binom{n-1}{d}`
    draws, so the p-value cannot fall below a bound that is large for enclaves: with one neighbor among 17
    regions, 1/16 one-sided and 0.125 two-sided. That bound is ``p_min``; where it exceeds ``alpha`` the
    label is ``unattainable``, which is not the same as ``not significant``.

    Parameters
    ----------
    values : DataFrame or Series
        Rows are regions, columns variables.
    graph : libpysal.graph.Graph
        Keyed by the same region labels, in any order.
    method : {"auto", "exact", "permutation"}
        ``exact`` enumerates all neighbor sets (all their orders where weights are unequal); ``auto``
        enumerates while that is cheaper than the permutations asked for.
    permutations : int
        Number of conditional permutations, at least 99.
    alternative : {"two-sided", "greater", "less"}
        ``greater`` tests for likeness to the neighbors.
    alpha : float
        Level of the labels.
    fdr_over : {"regions", "regions and variables"}
        What ``p_adjusted`` (Benjamini–Hochberg; Castro & Singer 2006) covers: the regions of each variable,
        or all regions of all variables together.
    rng : int, Generator or None
        Seed of the permutations.

    Returns
    -------
    LocalMoranTest
        ``to_frame()`` has index ``(variable, region)`` and columns ``statistic, quadrant, p_value,
        p_adjusted`` (see ``fdr_over``)``, p_min, label``.

    Raises
    ------
    InputError
        If a cell is missing, a variable is constant, or an option does not fit.
    RegionError, GraphError
        If graph and values differ in their regions, or a region has no neighbor.

    Notes
    -----
    The scale n − 1 is that of GeoDa and esda; spdep multiplies by n.

    All regions and variables share one set of draws, as in esda. That leaves every p-value valid but
    correlates the Monte-Carlo error of different regions, so before relying on ``p_adjusted`` take many
    permutations: 9,999 cost little more than 999.

    References
    ----------
    Anselin (1995), *Geographical Analysis* 27, eq. 7 and 12.
    Castro & Singer (2006), *Geographical Analysis* 38,
    180–208.

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> local = spatialkz.local_moran(study.table.values["research"], study.graph).to_frame()
    >>> print(*local.loc[("research", "Nur-Sultan"), ["p_min", "label"]])
    0.125 unattainable
    """
    check_alpha(alpha)
    table, weights = checked(values, graph, transform="r", alternative=alternative)
    # Variable by variable in memory, as the result will be.
    z = np.asfortranarray(table.to_numpy() - table.to_numpy().mean(axis=0))
    test = conditional_test(
        z,
        weights,
        table.index,
        own=z,
        method=method,
        permutations=permutations,
        alternative=alternative,
        rng=rng,
        stream="local_moran",
    )
    statistic = (len(z) - 1) / np.einsum("ik,ik->k", z, z) * test.observed
    quadrant, labels = quadrants(z, np.asfortranarray(weights @ z))
    order = pd.Index(values.index)
    result = local_frame(
        table,
        {"statistic": statistic, "quadrant": quadrant},
        test.p_value,
        test.p_min,
        labels,
        alpha,
        order,
        fdr_over,
    )
    return LocalMoranTest(
        "Local Moran's I",
        "given its own value, every set of neighbors of a region is equally likely.",
        result,
        test.methods.loc[order],
        alternative,
        alpha,
    )


def quadrants(own: Floats, around: Floats) -> tuple[Coded, Coded]:
    """Quadrant of each region, HH to LL, and what it is called if it is significant."""
    code = (2 * (own > 0) + (around > 0)).astype(np.int8)
    return (code, _QUADRANTS), (code, _LABELS)
