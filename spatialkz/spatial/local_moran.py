"""Local Moran's I, exact where enumeration is cheaper than simulation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import combinations
from math import comb
from typing import Literal, TypeVar, get_args

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from numpy.typing import NDArray
from scipy.sparse import csr_array

from spatialkz.errors import InputError, listing
from spatialkz.inference import (
    Alternative,
    Floats,
    check_alternative,
    permutation_p_value,
    tail_p_value,
)
from spatialkz.randomness import generator
from spatialkz.results import frozen, json_ready
from spatialkz.spatial.local_engine import TIE, Counts, conditional_lag_counts, equal_weights
from spatialkz.spatial.moran import refuse_constants
from spatialkz.spatial.parallel import in_blocks
from spatialkz.spatial.weights import row_standardized
from spatialkz.tables import check_table

Number = TypeVar("Number", bound=np.generic)
LocalMethod = Literal["auto", "exact", "permutation"]

# Up to this many neighbor sets are enumerated even where fewer permutations are asked for: C(16, 8) = 12,870.
_ALWAYS_ENUMERATE = 20_000
# Position 2 × (own value above the mean) + (neighbors above the mean).
_QUADRANTS = ["LL", "LH", "HL", "HH"]
_LABELS = ["cold", "low outlier", "high outlier", "hot", "not significant", "unattainable"]


@dataclass(frozen=True)
class LocalMoranTest:
    """Result of :func:`local_moran`.

    Attributes
    ----------
    table : DataFrame
        What :meth:`to_frame` returns.
    methods : Series
        By region: ``exact`` or ``permutation``.
    alternative, alpha
        As given.
    """

    table: pd.DataFrame
    methods: pd.Series
    alternative: Alternative
    alpha: float

    def to_frame(self) -> pd.DataFrame:
        """One row for each variable and region, with the columns named in :func:`local_moran`."""
        return self.table.copy()

    def to_dict(self) -> dict[str, object]:
        """Tables by variable, ready for JSON."""
        variables = self.table.index.get_level_values("variable").unique()
        return {
            "alternative": self.alternative,
            "alpha": self.alpha,
            "methods": json_ready(self.methods),
            "variables": {str(name): json_ready(self.table.loc[name]) for name in variables},
        }

    def summary(self) -> str:
        """How many regions carry each label, by variable, and which can never be significant."""
        counts = self.table.groupby(["variable", "label"], sort=False).size().unstack(fill_value=0)
        return (
            f"Local Moran's I, {self.alternative}, label where p ≤ {self.alpha:g} (not adjusted)\n"
            "Null hypothesis: given its own value, every set of neighbors of a region is equally likely.\n"
            f"{counts.to_string()}"
        )


def local_moran(
    values: pd.DataFrame | pd.Series,
    graph: Graph,
    *,
    method: LocalMethod = "auto",
    permutations: int = 9999,
    alternative: Alternative = "two-sided",
    alpha: float = 0.05,
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
        ``exact`` enumerates all neighbor sets (equal weights within each region only); ``auto`` enumerates
        while that is cheaper than the permutations asked for.
    permutations : int
        Number of conditional permutations, at least 99.
    alternative : {"two-sided", "greater", "less"}
        ``greater`` tests for likeness to the neighbors.
    alpha : float
        Level of the labels.
    rng : int, Generator or None
        Seed of the permutations.

    Returns
    -------
    LocalMoranTest
        ``to_frame()`` has index ``(variable, region)`` and columns ``statistic, quadrant, p_value,
        p_adjusted`` (Benjamini–Hochberg over the regions of a variable)``, p_min, label``.

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

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> local = spatialkz.local_moran(study.table.values["research"], study.graph).to_frame()
    >>> print(*local.loc[("research", "Nur-Sultan"), ["p_min", "label"]])
    0.125 unattainable
    """
    if method not in get_args(LocalMethod):
        raise InputError(f"method is {method!r}; it must be one of {listing(get_args(LocalMethod))}.")
    if permutations < 99:
        raise InputError(f"permutations is {permutations}; at least 99 are needed.")
    if not 0 < alpha < 1:
        raise InputError(f"alpha is {alpha}; it must lie between 0 and 1.")
    check_alternative(alternative)
    table = check_table(values, least_regions=4)
    order = table.index
    # Sorted, so that the order of the rows does not decide which permutations are drawn.
    table = table.sort_index()
    refuse_constants(table)
    weights = row_standardized(graph, table.index)
    # Variable by variable in memory, as the result will be.
    z = np.asfortranarray(table.to_numpy() - table.to_numpy().mean(axis=0))
    lag = np.asfortranarray(weights @ z)
    degree = np.diff(weights.indptr)
    exact = _enumerable(weights, method, permutations, table.index)
    p_value, p_min = np.empty_like(z), np.empty_like(z)
    sets: dict[int, csr_array] = {}
    for i in np.flatnonzero(exact):
        if degree[i] not in sets:
            sets[degree[i]] = _neighbor_sets(len(z) - 1, degree[i])
        tails = _exact_tails(z[i] * lag[i], z[i] * (sets[degree[i]] @ np.delete(z, i, axis=0)))
        p_value[i] = tail_p_value(tails[0], tails[1], alternative)
        p_min[i] = tail_p_value(tails[2], tails[3], alternative)
    drawn = np.flatnonzero(~exact)
    if len(drawn):
        counts = conditional_lag_counts(z, weights, permutations, generator(rng, "local_moran"), drawn)
        p_value[drawn] = permutation_p_value(
            *_product_counts(z, drawn, *counts, permutations), permutations, alternative
        )
        p_min[drawn] = _smallest(degree[drawn], len(z) - 1, permutations, alternative)[:, None]
    statistic = (len(z) - 1) / np.einsum("ik,ik->k", z, z) * z * lag
    quadrant = (2 * (z > 0) + (lag > 0)).astype(np.int8)
    found = _Found(statistic, quadrant, p_value, p_min)
    methods = pd.Series(np.where(exact, "exact", "permutation"), index=table.index, name="method")
    return LocalMoranTest(
        _assemble(table, order, found, alpha), frozen(methods.loc[order]), alternative, alpha
    )


def _enumerable(
    weights: csr_array, method: LocalMethod, permutations: int, regions: pd.Index
) -> NDArray[np.bool_]:
    """Which regions are enumerated: those with equal weights and few enough neighbor sets."""
    n = weights.shape[0]
    if method == "permutation":
        return np.zeros(n, dtype=bool)
    most = max(permutations, _ALWAYS_ENUMERATE)
    degree = np.diff(weights.indptr)
    few = [size for size in np.unique(degree) if comb(n - 1, int(size)) <= most]
    possible = equal_weights(weights) & np.isin(degree, few)
    if method == "exact" and not possible.all():
        other = listing(regions[~possible])
        raise InputError(
            "Exact p-values need equal weights within a region and few neighbor sets, which is not so for "
            f"{other}; use method='auto'."
        )
    return np.asarray(possible)


def _neighbor_sets(others: int, degree: int) -> csr_array:
    """All sets of ``degree`` neighbors among ``others`` regions as rows of weights."""
    chosen = np.array(list(combinations(range(others), degree)))
    starts = np.arange(0, chosen.size + 1, degree)
    return csr_array((np.full(chosen.size, 1.0 / degree), chosen.ravel(), starts), (len(chosen), others))


def _exact_tails(observed: Floats, outcomes: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """P(≥ observed), P(≤ observed), and the probabilities of the two extreme outcomes."""
    slack = 1e-10 * np.abs(outcomes).max(axis=0)
    return (
        (outcomes >= observed - slack).mean(axis=0),
        (outcomes <= observed + slack).mean(axis=0),
        (outcomes >= outcomes.max(axis=0) - slack).mean(axis=0),
        (outcomes <= outcomes.min(axis=0) + slack).mean(axis=0),
    )


def _product_counts(
    z: Floats, regions: NDArray[np.intp], at_least: Counts, at_most: Counts, permutations: int
) -> tuple[Counts, Counts]:
    """Counts of products with the own value from counts of lags; below the mean the tails change places."""
    own = z.T.take(regions, axis=1).T  # variable by variable in memory, as the counts are
    swap = own < 0
    # A region at the mean has the product 0 whatever its neighbors are: all tied.
    tied = np.abs(own) <= TIE * np.abs(z).max(axis=0)
    above = np.where(tied, permutations, np.where(swap, at_most, at_least))
    below = np.where(tied, permutations, np.where(swap, at_least, at_most))
    return above, below


def _smallest(
    degree: NDArray[np.intp], others: int, permutations: int, alternative: Alternative
) -> NDArray[np.float64]:
    """Smallest p-value a simulated region can reach: that of one draw, or of one neighbor set."""
    sizes, place = np.unique(degree, return_inverse=True)
    least = np.array([max(1 / comb(others, int(size)), 1 / (permutations + 1)) for size in sizes])
    return tail_p_value(least, least, alternative)[place]


@dataclass(frozen=True)
class _Found:
    """What is known of each region (rows) and variable (columns)."""

    statistic: Floats
    quadrant: NDArray[np.int8]
    p_value: Floats
    p_min: Floats


def _assemble(table: pd.DataFrame, order: pd.Index, found: _Found, alpha: float) -> pd.DataFrame:
    """Long table on read-only arrays: variable by variable, regions in the order they came in."""
    place = table.index.get_indexer(order)
    label = np.where(found.p_value <= alpha, found.quadrant, np.int8(_LABELS.index("not significant")))
    label = np.where(found.p_min <= alpha, label, np.int8(_LABELS.index("unattainable")))
    adjusted = np.concatenate(
        in_blocks(partial(_adjusted, found.p_value.T), table.shape[1], steps=20 * table.size)
    ).T
    columns = {
        "statistic": _column(found.statistic, place),
        "quadrant": pd.Series(_QUADRANTS).array.take(_column(found.quadrant, place)),
        "p_value": _column(found.p_value, place),
        "p_adjusted": _column(adjusted, place),
        "p_min": _column(found.p_min, place),
        "label": pd.Series(_LABELS).array.take(_column(label, place)),
    }
    index = pd.MultiIndex.from_product([table.columns, order], names=["variable", "region"])
    return pd.DataFrame(columns, index=index, copy=False)


def _column(cells: NDArray[Number], place: NDArray[np.intp]) -> NDArray[Number]:
    """Regions × variables as one read-only column."""
    in_order = bool((place[1:] > place[:-1]).all())
    column = cells.T.ravel() if in_order else cells.T.take(place, axis=1).ravel()
    column.flags.writeable = False
    return column


def _adjusted(p_values: Floats, part: slice) -> Floats:
    """:func:`false_discovery_adjusted` of each of some rows, all at once."""
    p_values = p_values[part]
    m = p_values.shape[1]
    by_size = np.argsort(p_values, axis=1)
    stepped = np.take_along_axis(p_values, by_size, axis=1) * (m / np.arange(1, m + 1))
    stepped = np.minimum.accumulate(stepped[:, ::-1], axis=1)[:, ::-1]
    adjusted = np.empty_like(p_values)
    np.put_along_axis(adjusted, by_size, np.minimum(stepped, 1.0), axis=1)
    return adjusted
