"""Who overtakes whom: ranks over time, and Markov chains of quotients, given the class of the neighbors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from scipy import stats

from spatialkz.change.quotients import quotients_by_period
from spatialkz.errors import InputError, listing
from spatialkz.geography.weights import row_standardized
from spatialkz.randomness import generator
from spatialkz.resampling.checks import check_permutations
from spatialkz.resampling.pvalues import Floats, monte_carlo_tail
from spatialkz.results import Result, json_ready
from spatialkz.tables import Panel, Period, check_same_regions, check_table
from spatialkz.tables.panel import check_panel


def rank_mobility(
    panel: Panel, first: Period | None = None, last: Period | None = None, *, across_breaks: bool = False
) -> pd.DataFrame:
    r"""Say how far regions keep their rank in each sector.

    Parameters
    ----------
    panel : Panel
    first, last, across_breaks
        As in :func:`quotient_change`.

    Returns
    -------
    DataFrame
        Index ``sector``; ``tau`` (Kendall's τ-b of the quotients of both periods), ``tau_step`` (mean of τ-b
        from each period to the next), ``mean_shift`` (mean number of ranks a region moved), ``largest_shift``
        with its ``region`` (up is positive).

    Raises
    ------
    InputError
        As :meth:`spatialkz.tables.Panel.between`.

    Examples
    --------
    >>> import spatialkz
    >>> panel = spatialkz.load_study("kazakhstan-gva").panel
    >>> rank_mobility(panel, 2011, 2020).loc["Manufacturing", "mean_shift"].round(1)
    np.float64(2.0)
    """
    part = check_panel(panel).between(first, last, across_breaks=across_breaks)
    tables = list(quotients_by_period(part).values())
    rows = {}
    for sector in part.sectors:
        series = [table[sector] for table in tables]
        ranks = [values.rank(ascending=False) for values in (series[0], series[-1])]
        shift = ranks[0] - ranks[1]
        furthest = shift.abs().idxmax()
        steps = [_tau(one, other) for one, other in pairwise(series)]
        rows[sector] = {
            "tau": _tau(series[0], series[-1]),
            "tau_step": float(np.mean(steps)),
            "mean_shift": float(shift.abs().mean()),
            "largest_shift": float(shift[furthest]),
            "region": furthest,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(index="sector")


def _tau(one: pd.Series, other: pd.Series) -> float:
    return float(stats.kendalltau(one, other).statistic)


@dataclass(frozen=True, repr=False)
class TransitionMatrices(Result):
    r"""Result of :func:`transition_matrices`.

    Attributes
    ----------
    counts, probabilities : DataFrame
        From class (rows) to class of the next period (columns); a class that nothing leaves has no
        probabilities (NaN).
    conditional : DataFrame, optional
        Counts by class of the neighbors: index ``(neighbors, from)``, columns the class after.
    statistics : Series
        ``mobility`` (Shorrocks: :math:`(k - \mathrm{tr} P) / (k - 1)`), ``ergodic`` (whether one stationary
        distribution exists), and with neighbors ``Q`` and ``LR`` (does the chain depend on the neighbors'
        class), their degrees of freedom ``df``, ``Q_p, LR_p`` (χ²) and ``Q_permutation_p``.
    stationary : Series
        Shares of the classes to which the chain tends; NaN where there is more than one such distribution.
    edges : tuple of float
        Lower ends of the classes but the first.
    """

    counts: pd.DataFrame
    probabilities: pd.DataFrame
    conditional: pd.DataFrame | None
    statistics: pd.Series
    stationary: pd.Series
    edges: tuple[float, ...]

    def to_frame(self) -> pd.DataFrame:
        """Transition probabilities."""
        return self.probabilities.copy()

    def to_dict(self) -> dict[str, object]:
        """Counts, probabilities and statistics, ready for JSON."""
        conditional = None
        if self.conditional is not None:
            conditional = {
                str(name): json_ready(part.droplevel(0))
                for name, part in self.conditional.groupby(level=0, sort=False)
            }
        return {
            "edges": list(self.edges),
            "counts": json_ready(self.counts),
            "probabilities": json_ready(self.probabilities),
            "stationary": json_ready(self.stationary),
            "statistics": json_ready(self.statistics),
            "conditional": conditional,
        }

    def summary(self) -> str:
        """Probabilities, where they tend, and whether neighbors matter."""
        table = self.probabilities.assign(n=self.counts.sum(axis=1))
        lines = [f"Transitions between classes of quotients\n{table.round(3).to_string(na_rep='–')}"]
        lines.append(f"Mobility (Shorrocks) {self.statistics['mobility']:.3f}")
        if "Q" in self.statistics:
            found = self.statistics
            lines.append(
                f"Does it depend on the neighbors? Q = {found['Q']:.2f}, df {found['df']:.0f}, p = "
                f"{found['Q_permutation_p']:.3f} by permutation of regions ({found['Q_p']:.3f} by χ²)"
            )
        return "\n".join(lines)


def transition_matrices(
    tables: Mapping[Period, pd.DataFrame],
    *,
    edges: Sequence[float] = (0.5, 1.0),
    graph: Graph | None = None,
    permutations: int = 999,
    rng: int | np.random.Generator | None = None,
) -> TransitionMatrices:
    r"""Count transitions between classes from each period to the next, all sectors together.

    :math:`p_{ij} = n_{ij} / \sum_j n_{ij}`. With a graph, also by the class :math:`s` of the row-standardized
    mean of the neighbors at the start of the step (Rey's spatial Markov chain). Null hypothesis: that class
    changes nothing, :math:`p_{ij|s} = p_{ij}`; :math:`Q = \sum n_{i|s} (p_{ij|s} - p_{ij})^2 / p_{ij}` and
    the likelihood ratio are χ² with :math:`\sum_i (a_i - 1)(b_i - 1)` degrees of freedom if steps were
    independent (Bickenbach & Bode 2003: :math:`a_i` neighbor classes with departures from i, :math:`b_i`
    classes reached from i). They are not: a region's steps follow each other. ``Q_permutation_p`` places
    whole trajectories, all sectors of a region together, on regions at random.

    Parameters
    ----------
    tables : mapping
        Period → DataFrame, regions × sectors; all with the same labels.
    edges : sequence of float
        Lower ends of the classes but the first, rising; a value at an edge is in the upper class.
    graph : libpysal.graph.Graph, optional
    permutations : int
    rng : int, Generator or None

    Raises
    ------
    InputError
        If there are fewer than two periods, labels differ, or edges do not rise.

    References
    ----------
    Rey, S. J. (2001). Spatial empirics for economic growth and convergence. Geographical Analysis 33,
    195–214. Bickenbach, F., & Bode, E. (2003). Evaluating the Markov property in studies of convergence.
    International Regional Science Review 26, 363–392. Shorrocks, A. F. (1978). The measurement of mobility.
    Econometrica 46, 1013–1024.

    Examples
    --------
    >>> before = pd.DataFrame({"law": [0.2, 0.7, 2.0]}, index=["a", "b", "c"])
    >>> after = pd.DataFrame({"law": [0.2, 1.2, 1.5]}, index=["a", "b", "c"])
    >>> transition_matrices({1: before, 2: after}).counts.to_numpy().tolist()
    [[1, 0, 0], [0, 0, 1], [0, 0, 1]]
    """
    check_permutations(permutations)
    if not isinstance(tables, Mapping) or not all(isinstance(t, pd.DataFrame) for t in tables.values()):
        raise InputError("tables must be a mapping, period to a table of regions × sectors.")
    if len(tables) < 2:
        raise InputError(f"Transitions need at least two periods, and there are {listing(tables) or 'none'}.")
    limits = np.asarray(edges, dtype=np.float64)
    if limits.ndim != 1 or not len(limits) or (np.diff(limits) <= 0).any() or not np.isfinite(limits).all():
        raise InputError(f"edges are {listing(edges)}; they must be numbers that rise.")
    last = list(tables.values())[-1]
    regions, sectors = last.index, last.columns
    cells = []
    for period, table in tables.items():
        checked = check_table(table, name=str(period))
        check_same_regions(checked.index, regions, str(period), "the last period")
        check_same_regions(checked.columns, sectors, str(period), "the last period")
        cells.append(checked.loc[regions, sectors].to_numpy())
    stack = np.array(cells)  # periods × regions × sectors
    classes = np.searchsorted(limits, stack, side="right")
    k = len(limits) + 1
    labels = pd.Index([_name(limits, i) for i in range(k)], name="from")
    start, stop = classes[:-1].ravel(), classes[1:].ravel()
    counts = _counts(start * k + stop, k * k).reshape(k, k)
    probabilities = _rows(counts)
    stationary, ergodic = _stationary(probabilities)
    mobility = (k - np.nansum(np.diag(probabilities))) / (k - 1)
    statistics: dict[str, float] = {"mobility": float(mobility), "ergodic": float(ergodic)}
    conditional = None
    if graph is not None:
        weights = row_standardized(graph, regions)

        def by_neighbors(cells: Floats) -> Floats:
            lag = np.array([weights @ table for table in cells[:-1]])
            around = np.searchsorted(limits, lag, side="right").ravel()
            moved = np.searchsorted(limits, cells, side="right")
            return _counts((around * k + moved[:-1].ravel()) * k + moved[1:].ravel(), k**3).reshape(k, k, k)

        found = by_neighbors(stack)
        q, ratio, df = _homogeneity(found, counts)
        draw = generator(rng, "spatial markov")
        at_least = sum(
            _homogeneity(by_neighbors(stack[:, draw.permutation(len(regions))]), counts)[0] >= q - 1e-9
            for _ in range(permutations)
        )
        statistics |= {"Q": q, "LR": ratio, "df": df}
        statistics |= {"Q_p": float(stats.chi2.sf(q, df)), "LR_p": float(stats.chi2.sf(ratio, df))}
        statistics["Q_permutation_p"] = float(monte_carlo_tail(at_least, permutations))
        index = pd.MultiIndex.from_product([labels, labels], names=["neighbors", "from"])
        conditional = pd.DataFrame(found.reshape(k * k, k), index, labels.rename("to"))
    return TransitionMatrices(
        pd.DataFrame(counts, labels, labels.rename("to")),
        pd.DataFrame(probabilities, labels, labels.rename("to")),
        conditional,
        pd.Series(statistics),
        pd.Series(stationary, labels),
        tuple(map(float, limits)),
    )


def _name(limits: Floats, place: int) -> str:
    if place == 0:
        return f"< {limits[0]:g}"
    return f"≥ {limits[-1]:g}" if place == len(limits) else f"{limits[place - 1]:g}–{limits[place]:g}"


def _counts(cells: np.ndarray, size: int) -> np.ndarray:
    return np.bincount(cells, minlength=size)


def _rows(counts: np.ndarray) -> Floats:
    sums = counts.sum(axis=-1, keepdims=True)
    return np.where(sums > 0, counts / np.maximum(sums, 1), np.nan)


def _stationary(probabilities: Floats) -> tuple[Floats, bool]:
    """Left eigenvector of 1; a class that nothing leaves stays as it is."""
    k = len(probabilities)
    matrix = np.where(np.isnan(probabilities), np.eye(k), probabilities)
    system = np.vstack([matrix.T - np.eye(k), np.ones(k)])
    if np.linalg.matrix_rank(system[:-1], tol=1e-10) < k - 1:
        return np.full(k, np.nan), False
    return np.linalg.lstsq(system, np.append(np.zeros(k), 1.0), rcond=None)[0], True


def _homogeneity(conditional: np.ndarray, counts: np.ndarray) -> tuple[float, float, int]:
    pooled, parts = _rows(counts), _rows(conditional)
    departures = conditional.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = departures[..., None] * (parts - pooled) ** 2 / pooled
        logs = conditional * np.log(parts / pooled)
    q, ratio = float(np.nansum(squares[..., :])), float(2 * np.nansum(logs))
    neighbors, reached = (departures > 0).sum(axis=0), (counts > 0).sum(axis=1)
    df = int(np.sum(np.maximum(neighbors - 1, 0) * np.maximum(reached - 1, 0)))
    return q, ratio, df
