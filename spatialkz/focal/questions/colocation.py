"""Whether the specializations of different sectors come together in the same regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spatialkz.errors import InputError, listing
from spatialkz.focal.questions.grades import varying, why_undecided
from spatialkz.focal.questions.null_tables import Draws, NullTables, variance_ratio
from spatialkz.focal.questions.size_null import Shares
from spatialkz.options import Alternative, ColocationNull, Grade
from spatialkz.resampling.pvalues import (
    Floats,
    adjusted,
    check_alternative,
    deviates,
    monte_carlo_tail,
    permutation_parts,
)
from spatialkz.results import Result, json_ready

# Multiplications up to which the exact distribution of one region's sum is worked out.
_EXACT_UP_TO = 200_000_000
_SENTENCES = {
    "columns": "each sector's values fall on regions at random, independently of the other sectors.",
    "sizes": (
        "each sector's units choose regions at random by their base shares, independently of the other "
        "sectors, so that small regions vary more."
    ),
}


@dataclass(frozen=True, repr=False)
class ColocationTest(Result):
    """Result of :func:`colocation_test`.

    Attributes
    ----------
    table : DataFrame
        What :meth:`to_frame` returns.
    regions : DataFrame
        Index ``region``; ``breadth`` (sum of the graded cells of the region), ``expected`` under the null,
        one-sided ``p_value`` for so much or more in this region, and ``p_adjusted`` (Benjamini–Hochberg).
    envelope : DataFrame
        Index ``rank`` (1 = the broadest region); ``breadth`` in falling order and ``low, median, high``, the
        central 95 % of the null at that rank, rank by rank.
    constant : tuple of str
        Sectors that are the same everywhere; they add no variance and say nothing.
    reason : str
        Why nothing can be told (p-values are then 1 and statistics missing); empty if it can.
    null, method
        The null hypothesis, and how the p-values of the regions were found: ``exact`` or ``permutation``.
    grade, threshold, permutations, alternative
        As given.
    """

    table: pd.DataFrame
    regions: pd.DataFrame
    envelope: pd.DataFrame
    constant: tuple[str, ...]
    reason: str
    null: ColocationNull
    method: str
    grade: Grade
    threshold: float
    permutations: int
    alternative: Alternative

    @property
    def p_value(self) -> float:
        """p-value of the variance ratio."""
        return float(self.table["p_value"].iloc[0])

    def to_frame(self) -> pd.DataFrame:
        """Rows ``variance ratio`` and ``maximum``, with the columns named in :func:`colocation_test`."""
        return self.table.copy()

    def to_dict(self) -> dict[str, object]:
        """Statistics, regions and envelope, ready for JSON."""
        plain = {"null": self.null, "grade": self.grade, "threshold": self.threshold, "reason": self.reason}
        tables = {"statistics": self.table, "regions": self.regions, "envelope": self.envelope}
        more = {"permutations": self.permutations, "constant": list(self.constant)}
        return {name: json_ready(value) for name, value in {**plain, **more, **tables}.items()}

    def summary(self) -> str:
        """The statistics as text, and the regions with more sectors than chance gives them."""
        grade = (
            f"quotients from {self.threshold:g}" if self.grade == "count" else f"{self.grade} of quotients"
        )
        head = (
            f"Co-location of sectors, {grade}, {self.permutations} permutations, {self.alternative}\n"
            f"Null hypothesis: {_SENTENCES[self.null]}\n"
        )
        if self.reason:
            return f"{head}Undecided: {self.reason}."
        broad = self.regions.query("p_adjusted <= 0.05").index
        columns = ["statistic", "expected", "z", "p_value"]
        return (
            f"{head}{self.table[columns].to_string(float_format='{:.4f}'.format)}\n"
            f"Regions beyond chance (false discovery rate 5 %): {listing(broad, 20) or 'none'}"
        )


def colocation_test(
    quotients: pd.DataFrame,
    *,
    threshold: float = 1.0,
    grade: Grade = "count",
    null: ColocationNull = "columns",
    base_shares: Shares | Sequence[Shares] | None = None,
    units: float | pd.Series | None = None,
    permutations: int = 9999,
    alternative: Alternative = "greater",
    rng: int | np.random.Generator | None = None,
) -> ColocationTest:
    r"""Test whether specializations of different sectors fall in the same regions.

    With :math:`x_{ij}` the graded quotients (by default 1 where :math:`LQ_{ij} \ge t`) and
    :math:`r_i = \sum_j x_{ij}` the breadth of a region, the statistics are variance ratio and maximum,

    .. math:: V = \frac{\mathrm{var}(r)}{\sum_j \mathrm{var}(x_{\cdot j})}, \qquad M = \max_i r_i .

    V is 1 on average under independence between sectors, above 1 if they are co-located, below 1 if they
    avoid each other. Null hypothesis ``"columns"``: each sector's values fall on the regions at random,
    independently of the other sectors. Then :math:`\mathrm{E} V = 1` and
    :math:`\mathrm{var} V = 4 \sum_{j<k} v_j v_k / ((n - 1) (\sum v_j)^2)` exactly, with :math:`v_j` the
    variances; the breadth of a single region has a distribution found by convolution (Poisson-binomial for
    counts), and all else comes from permutations.

    Null hypothesis ``"sizes"``: each sector's units choose regions by their shares of the base, so that small
    regions vary more; see :mod:`spatialkz.focal.questions.size_null`. Where regions differ much in size this
    is the null to believe: ``"columns"`` then rejects too often without any co-location.

    Parameters
    ----------
    quotients : DataFrame, shape (regions, sectors)
        Location quotients of at least 5 regions and 2 sectors.
    threshold : float
        Quotient from which a region counts as specialized; used by the grade ``count`` alone.
    grade : {"count", "rank", "log1p", "symmetric"}
        What is summed; see :func:`spatialkz.focal.questions.grades.graded`.
    null : {"columns", "sizes"}
    base_shares : Series, DataFrame, or sequence of them
        For ``"sizes"``: each region's share of the base, positive; a DataFrame (regions × sectors) has the
        shares of each sector's own base. Draws take the members of a sequence in turn, so that shares known
        only within bounds enter with their uncertainty.
    units : float or Series, optional
        For ``"sizes"``: number of independent units (plants) of each sector, the same for all or by sector,
        where they were counted and the quotients are theirs. With fewer units than regions some regions stay
        empty whatever the units do, and the null has these zeros. Left out, as many plants as leave the
        number of empty regions of the table; for sectors present everywhere, the effective number that gives
        the dispersion observed. Right for money, and for jobs.
    permutations : int
        Number of null tables, at least 99.
    alternative : {"greater", "less", "two-sided"}
        ``greater`` tests for co-location, ``less`` for spread.
    rng : int, Generator or None
        Seed. The order of rows and columns does not matter.

    Returns
    -------
    ColocationTest
        ``to_frame()`` has index ``statistic`` (``variance ratio``, ``maximum``) and columns ``statistic,
        expected, variance, z, p_value, p_greater, p_less, low, high`` (central 95 % under the null)``, n``.
        If fewer than two sectors vary, the statistics are missing, the p-values 1, and ``reason`` says why.

    Raises
    ------
    InputError
        If a cell is missing or negative, there are fewer than 5 regions or 2 sectors, an option is unknown,
        or base shares are wanting.
    RegionError
        If the regions of ``base_shares`` are not those of ``quotients``.

    Notes
    -----
    p-values of regions are of margins: the breadths of one table add up to a fixed sum, which makes them
    weakly negatively dependent.

    References
    ----------
    Schluter (1984), *Ecology* 65, 998–1005 (variance ratio). Ellison & Glaeser (1997), *Journal of Political
    Economy* 105, 889–927 (units that choose regions by their base).

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> test = colocation_test(study.table.values, rng=1)
    >>> print(test.to_frame().loc["variance ratio", "statistic"].round(3))
    3.125
    >>> print(test.regions["p_value"].idxmin(), f"{test.regions['p_value'].min():.0e}")
    Almaty City 1e-06
    """
    check_alternative(alternative)
    if null not in get_args(ColocationNull):
        raise InputError(f"null is {null!r}; it must be one of {listing(get_args(ColocationNull))}.")
    if null == "sizes" and base_shares is None:
        raise InputError('null="sizes" needs base_shares, the share of each region in the base.')
    tables = NullTables.of(quotients, (grade,), threshold, base_shares, units, permutations, rng)
    return colocation_in(tables, grade, null, alternative)


def colocation_in(
    tables: NullTables, grade: Grade, null: ColocationNull, alternative: Alternative = "greater"
) -> ColocationTest:
    """Return what :func:`colocation_test` does, of null tables that other tests look at too."""
    quotients, table, permutations = tables.quotients, tables.table, tables.permutations
    cells = tables.cells[grade]
    varies = varying(cells)
    reason = why_undecided(cells, grade, tables.threshold)
    observed = cells.sum(axis=1)
    if reason:
        statistics = pd.DataFrame(
            {"statistic": np.nan, "expected": np.nan, "variance": np.nan, "z": np.nan},
            index=pd.Index(["variance ratio", "maximum"], name="statistic"),
        ).assign(p_value=1.0, p_greater=1.0, p_less=1.0, low=np.nan, high=np.nan)
        expected, tails, method = np.full(len(cells), observed.mean()), np.ones(len(cells)), "none"
        ordered = np.sort(observed)[None, ::-1]
    else:
        draws = tables.draws(grade, null)
        statistics = _statistics(cells, draws, null, alternative)
        exact = one_region_tail(cells) if null == "columns" else None
        method = "permutation" if exact is None else "exact"
        tails = monte_carlo_tail(draws.at_least, permutations) if exact is None else exact
        expected, ordered = draws.total / permutations, draws.ordered
        if null == "columns":
            expected = np.full(len(cells), observed.mean())
    regions = pd.DataFrame({"breadth": observed, "expected": expected, "p_value": tails}, index=table.index)
    regions["p_adjusted"] = adjusted(tails)
    low, middle, high = np.quantile(ordered, [0.025, 0.5, 0.975], axis=0)
    envelope = pd.DataFrame(
        {"breadth": np.sort(observed)[::-1], "low": low, "median": middle, "high": high},
        index=pd.RangeIndex(1, len(cells) + 1, name="rank"),
    )
    return ColocationTest(
        statistics.assign(n=len(cells)),
        regions.loc[quotients.index].rename_axis("region"),
        envelope,
        tuple(str(name) for name in quotients.columns if name in set(table.columns[~varies])),
        reason,
        null,
        method,
        grade,
        tables.threshold,
        permutations,
        alternative,
    )


def ratio_variance(cells: Floats) -> float:
    """Exact variance of V over all independent permutations of the columns."""
    v = cells.var(axis=0)
    return float(2 * (v.sum() ** 2 - (v**2).sum()) / ((len(cells) - 1) * v.sum() ** 2))


def one_region_tail(cells: Floats) -> Floats | None:
    """P(sum of one region ≥ observed) for each region when columns are permuted, exactly.

    One region receives a value of each column, each of them equally likely, so its sum is distributed as the
    convolution of the columns. None if values are no multiples of 1/2, or there are too many.
    """
    whole = np.rint(2 * cells)
    if not np.array_equal(whole, 2 * cells) or whole.min() < 0:
        return None
    values = whole.astype(np.int64)
    most = values.max(axis=0)
    return exact_tail(values) if most.cumsum() @ most <= _EXACT_UP_TO else None


def exact_tail(values: NDArray[np.int64]) -> Floats:
    """Return what :func:`one_region_tail` does for non-negative whole numbers, however many."""
    mass = np.ones(1)
    for column in values.T:
        mass = np.convolve(mass, np.bincount(column) / len(column))
    tail = mass[::-1].cumsum()[::-1]
    # Never 0: the table itself is one of the arrangements.
    return np.asarray(np.clip(tail[values.sum(axis=1)], np.finfo(np.float64).tiny, 1.0))


def _statistics(cells: Floats, draws: Draws, null: ColocationNull, alternative: Alternative) -> pd.DataFrame:
    sums = cells.sum(axis=1)
    observed = np.array([float(variance_ratio(sums, cells)), sums.max()])
    simulated = np.column_stack([draws.ratio, draws.maximum])
    expected, variance = simulated.mean(axis=0), simulated.var(axis=0, ddof=1)
    if null == "columns":
        expected[0], variance[0] = 1.0, ratio_variance(cells)
    p_value, low, high = permutation_parts(observed, simulated, alternative)
    columns = {
        "statistic": observed,
        "expected": expected,
        "variance": variance,
        "z": deviates(observed, expected, variance),
        "p_value": p_value,
        "p_greater": permutation_parts(observed, simulated, "greater")[0],
        "p_less": permutation_parts(observed, simulated, "less")[0],
        "low": low,
        "high": high,
    }
    return pd.DataFrame(columns, index=pd.Index(["variance ratio", "maximum"], name="statistic"))
