"""Local Moran's I, exact where enumeration is cheaper than simulation."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Literal, get_args

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from numpy.typing import NDArray
from scipy.sparse import csr_array

from spatialkz.errors import InputError, listing
from spatialkz.geography import aligned
from spatialkz.inference import (
    Alternative,
    Floats,
    check_alternative,
    false_discovery_adjusted,
    permutation_p_value,
    tail_p_value,
)
from spatialkz.randomness import generator
from spatialkz.results import frozen, json_ready
from spatialkz.spatial.moran import refuse_constants
from spatialkz.tables import check_table

LocalMethod = Literal["auto", "exact", "permutation"]

# Up to this many neighbor sets are enumerated even where fewer permutations are asked for: C(16, 8) = 12,870.
_ALWAYS_ENUMERATE = 20_000
_LABELS = {"HH": "hot", "LL": "cold", "HL": "high outlier", "LH": "low outlier"}


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
    weights = aligned(graph, table.index).transform("r").sparse.tocsr()
    z = (table - table.mean()).to_numpy()
    lag = weights @ z
    ways = _enumerable(weights, method, permutations, table.index)
    p_value, p_min = np.empty_like(z), np.empty_like(z)
    indicators: dict[int, NDArray[np.float64]] = {}
    draws: NDArray[np.intp] | None = None
    for i in range(len(z)):
        row = weights.data[weights.indptr[i] : weights.indptr[i + 1]]
        others = np.delete(z, i, axis=0)
        if ways[i]:
            chosen = indicators.setdefault(len(row), _neighbor_sets(len(others), len(row)))
            tails = _exact_tails(z[i] * lag[i], z[i] * (chosen @ others))
            p_value[i] = tail_p_value(tails[0], tails[1], alternative)
            p_min[i] = tail_p_value(tails[2], tails[3], alternative)
        else:
            if draws is None:
                draws = _shared_draws(weights, permutations, generator(rng, "local_moran"))
            simulated = z[i] * np.einsum("d,rdk->rk", row, others[draws[:, : len(row)]])
            slack = 1e-10 * np.abs(simulated).max(initial=1e-300)
            p_value[i] = permutation_p_value(
                (simulated >= z[i] * lag[i] - slack).sum(axis=0),
                (simulated <= z[i] * lag[i] + slack).sum(axis=0),
                permutations,
                alternative,
            )
            least = np.full(z.shape[1], max(1 / comb(len(others), len(row)), 1 / (permutations + 1)))
            p_min[i] = tail_p_value(least, least, alternative)
    statistic = (len(z) - 1) * z * lag / (z**2).sum(axis=0)
    result = _assemble(table, statistic, z, lag, p_value, p_min, alpha)
    result = result.reindex(pd.MultiIndex.from_product([table.columns, order], names=result.index.names))
    methods = pd.Series(np.where(ways, "exact", "permutation"), index=table.index, name="method")
    return LocalMoranTest(frozen(result), frozen(methods.loc[order]), alternative, alpha)


def _enumerable(
    weights: csr_array, method: LocalMethod, permutations: int, regions: pd.Index
) -> NDArray[np.bool_]:
    """Which regions are enumerated: those with equal weights and few enough neighbor sets."""
    n = weights.shape[0]
    equal = np.empty(n, dtype=bool)
    small = np.empty(n, dtype=bool)
    for i in range(n):
        row = weights.data[weights.indptr[i] : weights.indptr[i + 1]]
        equal[i] = np.ptp(row) <= 1e-12
        small[i] = comb(n - 1, len(row)) <= max(permutations, _ALWAYS_ENUMERATE)
    if method == "permutation":
        return np.zeros(n, dtype=bool)
    if method == "exact" and not (equal & small).all():
        other = listing(regions[~(equal & small)])
        raise InputError(
            "Exact p-values need equal weights within a region and few neighbor sets, which is not so for "
            f"{other}; use method='auto'."
        )
    return equal & small


def _neighbor_sets(others: int, degree: int) -> NDArray[np.float64]:
    """All sets of ``degree`` neighbors among ``others`` regions as rows of weights."""
    chosen = np.array(list(combinations(range(others), degree)))
    sets = np.zeros((len(chosen), others))
    np.put_along_axis(sets, chosen, 1.0 / degree, axis=1)
    return sets


def _exact_tails(observed: Floats, outcomes: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """P(≥ observed), P(≤ observed), and the probabilities of the two extreme outcomes."""
    slack = 1e-10 * np.abs(outcomes).max(axis=0)
    return (
        (outcomes >= observed - slack).mean(axis=0),
        (outcomes <= observed + slack).mean(axis=0),
        (outcomes >= outcomes.max(axis=0) - slack).mean(axis=0),
        (outcomes <= outcomes.min(axis=0) + slack).mean(axis=0),
    )


def _shared_draws(weights: csr_array, permutations: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draws of as many distinct other regions as the largest neighborhood has, shared by all regions."""
    n, most = weights.shape[0], int(np.diff(weights.indptr).max())
    draws = np.empty((permutations, most), dtype=np.intp)
    for block in np.array_split(draws, max(1, permutations * n // 4_000_000)):
        block[:] = rng.permuted(np.tile(np.arange(n - 1), (len(block), 1)), axis=1)[:, :most]
    return draws


def _assemble(
    table: pd.DataFrame,
    statistic: Floats,
    z: Floats,
    lag: Floats,
    p_value: Floats,
    p_min: Floats,
    alpha: float,
) -> pd.DataFrame:
    own, around = np.where(z > 0, "H", "L"), np.where(lag > 0, "H", "L")
    frames = []
    for k, variable in enumerate(table.columns):
        frame = pd.DataFrame(
            {
                "statistic": statistic[:, k],
                "quadrant": [a + b for a, b in zip(own[:, k], around[:, k], strict=True)],
                "p_value": p_value[:, k],
                "p_adjusted": false_discovery_adjusted(p_value[:, k]),
                "p_min": p_min[:, k],
            },
            index=pd.MultiIndex.from_product([[variable], table.index], names=["variable", "region"]),
        )
        label = frame["quadrant"].map(_LABELS).where(frame["p_value"] <= alpha, "not significant")
        frame["label"] = label.where(frame["p_min"] <= alpha, "unattainable")
        frames.append(frame)
    return pd.concat(frames)
