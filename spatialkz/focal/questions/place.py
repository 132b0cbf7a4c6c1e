"""Whether regions of great breadth lie beside each other, or apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from scipy.sparse import csr_array

from spatialkz.errors import GraphError, InputError, listing
from spatialkz.focal.questions.colocation import exact_tail
from spatialkz.focal.questions.components import count_components, random_components
from spatialkz.focal.questions.grades import checked_quotients, graded, varying
from spatialkz.geography.weights import binary, row_standardized
from spatialkz.options import Alternative, Grade
from spatialkz.resampling.checks import check_alpha, check_permutations, seeds_of
from spatialkz.resampling.engine import permuted_cross_products
from spatialkz.resampling.pvalues import (
    TIE,
    Floats,
    check_alternative,
    deviates,
    permutation_parts,
    tail_p_value,
)
from spatialkz.resampling.shuffles import order_keys
from spatialkz.results import Result, json_ready
from spatialkz.spatial import dependence_confidence_set, local_moran, moran_power
from spatialkz.spatial.moments import quadratic_moments

# Small maps are where power is in question; above this many regions it costs minutes and is near 1.
_POWER_UP_TO = 500
_NO_LABELS = pd.DataFrame(
    columns=["breadth", "statistic", "quadrant", "p_value", "p_adjusted", "p_min", "label"],
    index=pd.MultiIndex.from_arrays([[], []], names=["graph", "region"]),
)
_OPPOSITE: dict[str, Alternative] = {"two-sided": "two-sided", "greater": "less", "less": "greater"}


@dataclass(frozen=True, repr=False)
class ContiguityTest(Result):
    """Result of :func:`contiguity_test`.

    Attributes
    ----------
    table : DataFrame
        What :meth:`to_frame` returns.
    power : DataFrame
        Index ``graph``; power of Moran's test of breadth against an autoregression with ρ = 0.5 and 0.8
        (``power_05, power_08``), ``detectable`` (the weakest positive ρ found with 80 % power; missing if
        none is) and ``detectable_negative``.
    dependence : DataFrame
        Index ``(graph, statistic)``, statistic ``breadth`` or ``rank sum``; ``rho_low, rho_high``, the ends
        of the set of all ρ of an autoregression that the values leave possible (level 1 − alpha), and
        ``rho_upper``, its upper end where only that is asked. Missing on maps of more than 500 regions, and
        where no autoregression fits.
    local : DataFrame
        Index ``(graph, region)``; ``breadth`` and the columns of :func:`spatialkz.spatial.local_moran`: a
        focus is a ``high outlier`` (quadrant HL), and ``unattainable`` where the graph cannot show it.
    foci : tuple of str
        Regions whose breadth is beyond chance when sectors fall on regions at random (one-sided, not
        adjusted); how many connected components they form is a statistic.
    constant : tuple of str
        Sectors that are the same everywhere; no arrangement of them differs from another.
    reason : str
        Why nothing can be told of breadth (p-values are then 1, statistics missing); empty if it can.
    grade, threshold, permutations, alternative, alpha
        As given.
    """

    table: pd.DataFrame
    power: pd.DataFrame
    dependence: pd.DataFrame
    local: pd.DataFrame
    foci: tuple[str, ...]
    constant: tuple[str, ...]
    reason: str
    grade: Grade
    threshold: float
    permutations: int
    alternative: Alternative
    alpha: float

    def to_frame(self) -> pd.DataFrame:
        """Index ``(graph, statistic)``, with the columns named in :func:`contiguity_test`."""
        return self.table.copy()

    def high_outliers(self) -> pd.DataFrame:
        """Regions broader than the mean among neighbors that are not (HL), with their labels, by graph."""
        return self.local[self.local["quadrant"] == "HL"]

    def to_dict(self) -> dict[str, object]:
        """Statistics, power and high outliers by graph, ready for JSON."""
        outliers = self.high_outliers()
        by_graph: dict[str, object] = {}
        for graph in self.power.index:
            found: dict[str, object] = {
                "statistics": json_ready(self.table.loc[graph]),
                "power": json_ready(self.power.loc[graph]),
                "dependence": json_ready(self.dependence.loc[graph]),
                "high_outliers": json_ready(
                    outliers[outliers.index.get_level_values(0) == graph].droplevel(0)
                ),
            }
            by_graph[str(graph)] = found
        plain = {"grade": self.grade, "threshold": self.threshold, "reason": self.reason}
        more = {"permutations": self.permutations, "foci": list(self.foci), "constant": list(self.constant)}
        return {**plain, "alternative": self.alternative, "alpha": self.alpha, **more, "graphs": by_graph}

    def summary(self) -> str:
        """Statistics by graph, and what each graph could have shown."""
        head = (
            f"Contiguity of specialization, {self.permutations} permutations, {self.alternative}\n"
            "Null hypothesis: whole regions, with all their sectors, are arranged without regard to "
            "neighborhood.\n"
        )
        if self.reason:
            return f"{head}Undecided: {self.reason}."
        columns = ["statistic", "expected", "z", "p_value"]
        return (
            f"{head}{self.table[columns].to_string(float_format='{:.4f}'.format)}\n"
            f"Power of Moran's test of normal values:\n{self.power.to_string(float_format='{:.2f}'.format)}\n"
            f"Dependence left possible:\n{self.dependence.to_string(float_format='{:.2f}'.format)}\n"
            f"Foci: {listing(self.foci, 20) or 'none'}"
        )


def contiguity_test(
    quotients: pd.DataFrame,
    graphs: Graph | Mapping[str, Graph],
    *,
    threshold: float = 1.0,
    grade: Grade = "count",
    permutations: int = 9999,
    alternative: Alternative = "two-sided",
    alpha: float = 0.05,
    rng: int | np.random.Generator | None = None,
) -> ContiguityTest:
    r"""Test whether specialization is contiguous, by several statistics under the same permutations.

    With graded quotients :math:`x_{ij}`, breadth :math:`r_i = \sum_j x_{ij}` and row-standardized weights:

    - ``breadth``: Moran's I of r;
    - ``rank sum``: Moran's I of the sum of the region's ranks within the sectors, which needs no threshold;
    - ``sector ranks``: mean over the sectors of Moran's I of the ranks: contiguity of each sector for itself,
      wherever those of the others lie;
    - ``sector mean``: mean over the sectors of Moran's I, the trace of Wartenberg's matrix divided by the
      number of sectors;
    - ``joins``: joins of neighbors specialized in the same sector, :math:`\sum_j BB_j`, for :math:`LQ \ge t`;
    - ``connected components``: how many the foci form, the regions whose breadth (count of
      :math:`LQ \ge t`) is beyond chance if sectors fall on regions at random. Few are contiguous.

    Null hypothesis: whole regions, with all their sectors, are arranged over the map without regard to
    neighborhood. So co-location is kept, and only its place is at stake. Random sets of as many regions as
    there are foci are all counted where they are few.

    Parameters
    ----------
    quotients : DataFrame, shape (regions, sectors)
        Location quotients of at least 5 regions and 2 sectors.
    graphs : Graph or mapping of str to Graph
        Keyed by the same region labels; all see the same permutations. A single one is named ``graph``.
    threshold, grade
        As in :func:`spatialkz.focal.colocation_test`.
    permutations : int
        At least 99.
    alternative : {"two-sided", "greater", "less"}
        ``greater`` tests for contiguity (for connected components: fewer), ``less`` for scatter.
    alpha : float
        Level of the local labels, of the power, and of the cut that makes a region a focus.
    rng : int, Generator or None
        Seed. The order of rows and columns does not matter.

    Returns
    -------
    ContiguityTest
        ``to_frame()`` has index ``(graph, statistic)`` and columns ``statistic, expected, variance, z,
        p_value, p_contiguous, p_scattered`` (one-sided, for contiguity and against it)``, low, high``
        (central 95 % under the null)``, n, method, note``. A statistic that cannot be had is
        missing, its p-values are 1, and ``note`` says why.

    Raises
    ------
    InputError
        If a cell is missing or negative, there are fewer than 5 regions or 2 sectors, or an option is
        unknown.
    RegionError, GraphError
        If graph and quotients differ in their regions, or a region has no neighbor; the sentence names the
        graph.

    Notes
    -----
    A statistic that is not significant is no evidence of scatter: on a map of 17 regions Moran's test finds
    ρ = 0.5 about one time in three. Nor does a high ``power``, which is that for normal values, make it one
    (Hoenig & Heisey): what can be said is in ``dependence``.

    References
    ----------
    Wartenberg (1985), *Geographical Analysis* 17, 263–283. Hoenig & Heisey (2001), *The American
    Statistician* 55, 19–24 (power is no evidence for the null). Cliff & Ord (1981), *Spatial Processes*,
    ch. 1–2.

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> test = contiguity_test(study.table.values, study.graph, permutations=999, rng=1)
    >>> print(test.to_frame().loc[("graph", "breadth"), "statistic"].round(3))
    0.007
    >>> test.foci
    ('Nur-Sultan', 'Almaty City')
    """
    check_alternative(alternative)
    check_permutations(permutations)
    check_alpha(alpha)
    table = checked_quotients(quotients)
    named = {"graph": graphs} if isinstance(graphs, Graph) else graphs
    if not isinstance(named, Mapping) or not named:
        raise InputError("graphs must be a graph or a mapping of names to graphs, with at least one.")
    cells = graded(table, grade, threshold).to_numpy()
    marks = graded(table, "count", threshold).to_numpy()
    breadth = pd.Series(cells.sum(axis=1), index=table.index, name="breadth")
    seeds = seeds_of(rng, "contiguity")
    focus = foci(marks, alpha)
    ranks = graded(table, "rank").to_numpy()
    sums = pd.DataFrame({"breadth": breadth, "rank sum": ranks.sum(axis=1)})
    frames, power, left, local = {}, {}, {}, {}
    flat = breadth.max() - breadth.min() <= TIE * max(1.0, abs(breadth.max()))
    for name, graph in named.items():
        try:
            case = _GraphTests(
                row_standardized(graph, table.index), binary(graph, table.index), permutations, seeds
            )
        except GraphError as error:
            raise GraphError(f"Graph {name!r}: {error}") from error
        rows = {
            "breadth": case.moran(breadth.to_numpy()[:, None], alternative, "breadth is the same everywhere"),
            "rank sum": case.moran(
                ranks.sum(axis=1)[:, None], alternative, "rank sums are the same everywhere"
            ),
            "sector ranks": case.moran(ranks, alternative, "no sector differs between regions"),
            "sector mean": case.moran(cells, alternative, "no sector differs between regions"),
            "joins": case.joins(marks, alternative),
            "connected components": case.components(focus, alternative),
        }
        frames[name] = pd.DataFrame.from_dict(rows, orient="index").rename_axis("statistic")
        power[name] = _power(graph, alpha, alternative) if len(table) <= _POWER_UP_TO else {}
        left[name] = _dependence(sums, graph, alpha)
        if not flat:
            found = local_moran(breadth, graph, alpha=alpha, permutations=permutations, rng=rng).to_frame()
            around = found.droplevel(0).loc[quotients.index]
            around.insert(0, "breadth", breadth.loc[quotients.index])
            local[name] = around
    columns = ["power_05", "power_08", "detectable", "detectable_negative"]
    labels = pd.concat(local, names=["graph", "region"]) if local else _NO_LABELS
    result = pd.concat(frames, names=["graph", "statistic"])
    varies, chosen = varying(cells), set(table.index[focus])
    return ContiguityTest(
        result.assign(n=len(table)),
        pd.DataFrame.from_dict(power, orient="index", columns=columns).rename_axis("graph"),
        pd.concat(left, names=["graph", "statistic"]),
        labels,
        tuple(str(region) for region in quotients.index if region in chosen),
        tuple(str(name) for name in quotients.columns if name in set(table.columns[~varies])),
        "every region has the same breadth" if flat else "",
        grade,
        threshold,
        permutations,
        alternative,
        alpha,
    )


def foci(marks: Floats, alpha: float) -> np.ndarray:
    """Which regions are specialized in more sectors than chance gives one region with probability alpha."""
    return np.asarray((exact_tail(marks.astype(np.int64)) <= alpha) & marks.any(axis=1))


def moran_columns(values: Floats, weights: csr_array) -> Floats:
    """Moran's I of each column on the weights as they are; regions without neighbors add nothing.

    A column that is the same everywhere has no I and gets its expectation, −1 / (n − 1).
    """
    n = len(values)
    z = values - values.mean(axis=0)
    own = np.einsum("ik,ik->k", z, z)
    cross = np.einsum("ik,ik->k", z, weights @ z)
    flat = own <= TIE * np.maximum(1.0, np.abs(values).max(axis=0)) ** 2
    scale = n / (weights.sum() * np.where(flat, 1.0, own))
    return np.asarray(np.where(flat, -1 / (n - 1), cross * scale))


@dataclass(frozen=True)
class _GraphTests:
    """One graph, and the permutations that every statistic on it sees."""

    weights: csr_array
    neighbors: csr_array
    permutations: int
    seeds: np.random.SeedSequence

    def moran(self, cells: Floats, alternative: Alternative, otherwise: str) -> dict[str, object]:
        """Mean of Moran's I over the columns that vary."""
        # Multiples of one number that are equal but for rounding do not vary either.
        spread = cells.max(axis=0) - cells.min(axis=0)
        cells = cells[:, spread > TIE * np.maximum(1.0, np.abs(cells).max(axis=0))]
        if not cells.shape[1]:
            return _missing(otherwise)
        z = cells - cells.mean(axis=0)
        # Columns of equal length, so that cross products add up to the mean I.
        z *= np.sqrt(len(z) / (cells.shape[1] * self.weights.sum())) / np.linalg.norm(z, axis=0)
        observed = float((z * (self.weights @ z)).sum())
        return self._row(observed, self._products(z, self.weights).sum(axis=1), alternative, z, self.weights)

    def joins(self, marks: Floats, alternative: Alternative) -> dict[str, object]:
        """Joins of regions marked in the same column."""
        b, half = marks[:, varying(marks)], self.neighbors * 0.5
        if not b.shape[1]:
            return _missing("no sector differs between regions at this threshold")
        return self._row(
            float((b * (half @ b)).sum()), self._products(b, half).sum(axis=1), alternative, b, half
        )

    def components(self, focus: np.ndarray, alternative: Alternative) -> dict[str, object]:
        """Connected components of the foci; few are contiguous."""
        size = int(focus.sum())
        if size < 2:
            return _missing(f"connected components are counted of two foci or more, and there are {size}")
        observed = float(count_components(focus[None], self.neighbors)[0])
        keys = order_keys(np.random.default_rng(self.seeds), self.permutations)
        simulated, exact = random_components(size, self.neighbors, keys)
        row = self._row(observed, simulated, _OPPOSITE[alternative])
        row["p_contiguous"], row["p_scattered"] = row["p_scattered"], row["p_contiguous"]
        if exact:
            above, below = (simulated >= observed).mean(), (simulated <= observed).mean()
            p_value = tail_p_value(_one(above), _one(below), _OPPOSITE[alternative])[0]
            sides = {"p_contiguous": float(below), "p_scattered": float(above)}
            row |= {"p_value": float(p_value), **sides, "method": "exact"}
        return row

    def _products(self, values: Floats, weights: csr_array) -> Floats:
        rng = np.random.default_rng(self.seeds)
        return permuted_cross_products(np.ascontiguousarray(values), weights, self.permutations, rng)

    def _row(
        self,
        observed: float,
        simulated: Floats,
        alternative: Alternative,
        values: Floats | None = None,
        weights: csr_array | None = None,
    ) -> dict[str, object]:
        """One row of the table; ``values`` and ``weights`` of a quadratic form give its exact mean."""
        expected, variance = simulated.mean(), simulated.var(ddof=1)
        if values is not None and weights is not None:
            mean, spread = quadratic_moments(values, weights, None)
            expected, variance = mean.sum(), float(spread[0]) if values.shape[1] == 1 else variance
        p_value, low, high = permutation_parts(_one(observed), simulated[:, None], alternative)
        contiguous, scattered = (
            permutation_parts(_one(observed), simulated[:, None], side)[0] for side in ("greater", "less")
        )
        return {
            "statistic": observed,
            "expected": float(expected),
            "variance": float(variance),
            "z": float(deviates(_one(observed), _one(expected), _one(variance))[0]),
            "p_value": float(p_value[0]),
            "p_contiguous": float(contiguous[0]),
            "p_scattered": float(scattered[0]),
            "low": float(low[0]),
            "high": float(high[0]),
            "method": "permutation",
            "note": "",
        }


def _missing(note: str) -> dict[str, object]:
    gaps = dict.fromkeys(["statistic", "expected", "variance", "z"], np.nan)
    sides = {"p_value": 1.0, "p_contiguous": 1.0, "p_scattered": 1.0, "low": np.nan, "high": np.nan}
    return {**gaps, **sides, "method": "none", "note": note}


def _power(graph: Graph, alpha: float, alternative: Alternative) -> dict[str, float | None]:
    found = moran_power(graph, (0.5, 0.8), alpha=alpha, alternative=alternative)
    half, strong = found.table["power"]
    return {
        "power_05": half,
        "power_08": strong,
        "detectable": found.detectable.get("positive"),
        "detectable_negative": found.detectable.get("negative"),
    }


def _dependence(sums: pd.DataFrame, graph: Graph, alpha: float) -> pd.DataFrame:
    """Ends of the sets of ρ for each column, see :class:`ContiguityTest`."""
    found = pd.DataFrame(np.nan, index=sums.columns, columns=["rho_low", "rho_high", "rho_upper"])
    varied = sums.loc[:, sums.max() - sums.min() > TIE * np.maximum(1.0, sums.abs().max())]
    if len(sums) > _POWER_UP_TO or varied.empty:
        return found
    try:
        both = dependence_confidence_set(varied, graph, level=1 - alpha).groupby("variable")
        upper = upper_ends(varied, graph, alpha)
    except GraphError:  # Moran's I is the same for all values, and leaves every dependence possible
        return found
    ends = {"rho_low": both["low"].min(), "rho_high": both["high"].max(), "rho_upper": upper}
    found.update(pd.DataFrame(ends))
    return found


def upper_ends(sums: pd.DataFrame, graph: Graph, alpha: float) -> pd.Series:
    """Upper ends of the one-sided confidence sets of ρ, by column; columns vary."""
    sets = dependence_confidence_set(sums, graph, level=1 - 2 * alpha)
    return sets["high"].groupby(level="variable").max()


def _one(value: float) -> Floats:
    return np.array([value], dtype=np.float64)
