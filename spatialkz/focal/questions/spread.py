"""Whether specializations are in few territories or in many, and in how many the excess is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from spatialkz.errors import listing
from spatialkz.focal.questions.grades import LEAST_REGIONS, why_undecided
from spatialkz.focal.questions.null_tables import NullTables, broadest, simulate, variance_ratio
from spatialkz.focal.questions.place import foci
from spatialkz.focal.questions.size_null import CHUNK, Shares, chunks, dealt
from spatialkz.options import Alternative, ColocationNull, Grade
from spatialkz.resampling.checks import check_alpha
from spatialkz.resampling.parallel import in_blocks
from spatialkz.resampling.pvalues import Floats, deviates, simulated_p_value
from spatialkz.results import Result, json_ready

# Which side of the null means few territories.
_SIDES: dict[str, Alternative] = {"coverage": "less", "broadest": "greater", "best rank": "less"}


def few(n: int) -> int:
    """The largest number of regions that counts as few of ``n``: a fifth, rounded up."""
    return -(-n // 5)


@dataclass(frozen=True, repr=False)
class SpreadTest(Result):
    """Result of :func:`spread_test`.

    Attributes
    ----------
    table : DataFrame
        What :meth:`to_frame` returns.
    held : tuple of int
        How many regions hold the excess: at least, and those that are each beyond chance; (0, 0) where
        sectors do not co-locate.
    holders : tuple of str
        The regions that are each broader than chance, the broadest first.
    reason : str
        Why nothing can be told (p-values are then 1, statistics missing); empty if it can.
    threshold, permutations, alpha
        As given.
    """

    table: pd.DataFrame
    held: tuple[int, int]
    holders: tuple[str, ...]
    reason: str
    threshold: float
    permutations: int
    alpha: float

    def to_frame(self) -> pd.DataFrame:
        """Rows ``coverage, broadest, best rank``, with the columns named in :func:`spread_test`."""
        return self.table.copy()

    def to_dict(self) -> dict[str, object]:
        """Statistics and the regions that hold the excess, ready for JSON."""
        plain = {"threshold": self.threshold, "permutations": self.permutations, "reason": self.reason}
        held = {"held_low": self.held[0], "held_high": self.held[1], "holders": list(self.holders)}
        return {**plain, **held, "statistics": json_ready(self.table)}

    def summary(self) -> str:
        """The statistics as text, and how many regions hold the excess."""
        head = (
            f"Spread of specialization, quotients from {self.threshold:g}, {self.permutations} permutations\n"
            "Null hypothesis: each sector's values fall on regions at random, independently of the other "
            "sectors.\n"
        )
        if self.reason:
            return f"{head}Undecided: {self.reason}."
        columns = ["statistic", "expected", "low", "high", "p_value"]
        return (
            f"{head}{self.table[columns].to_string(float_format='{:.4f}'.format)}\n"
            f"Regions that hold the excess: {self.held[0]} at least; each beyond chance: "
            f"{listing(self.holders, 20) or 'none'}"
        )


def spread_test(
    quotients: pd.DataFrame,
    *,
    threshold: float = 1.0,
    base_shares: Shares | Sequence[Shares] | None = None,
    units: float | pd.Series | None = None,
    permutations: int = 9999,
    alpha: float = 0.05,
    rng: int | np.random.Generator | None = None,
) -> SpreadTest:
    r"""Test whether specializations are in fewer territories than independence between sectors gives.

    With :math:`x_{ij} = 1[LQ_{ij} \ge t]`, breadth :math:`r_i = \sum_j x_{ij}`, :math:`k_j = \sum_i x_{ij}`
    and :math:`q_{ij}` the rank of region *i* in sector *j* (1 the lowest):

    - ``coverage``: regions with any specialization, :math:`C = \#\{i : r_i > 0\}`; under independence
      :math:`\mathrm{E}\, C = n \big(1 - \prod_j (1 - k_j / n)\big)`. Few territories give a small C;
    - ``broadest``: specializations in the broadest tenth of the regions, at least two. Few territories give
      a large number;
    - ``best rank``: :math:`\frac1n \sum_i \max_j q_{ij}`, which needs no threshold: where few regions are at
      the top of all sectors, the best rank of the others is low.

    Null hypothesis: each sector's values fall on the regions at random, independently of the other sectors.
    All p-values are one-sided, for few territories. Where every region is bound to have some specialization,
    because sectors are many, coverage cannot show much; then the other two can.

    How many regions hold the excess: the lower number is the smallest *k* for which the variance ratio of
    the table without its *k* broadest regions is not significant. If exactly *h* regions are lifted far
    above the others, which are independent, it exceeds *h* with probability ``alpha`` at most, so it is a
    lower confidence bound; no table can give an upper one, as any region may be lifted a little. The upper
    number counts the regions whose breadth alone is beyond chance at level ``alpha``.

    Parameters
    ----------
    quotients : DataFrame, shape (regions, sectors)
        Location quotients of at least 5 regions and 2 sectors.
    threshold : float
        Quotient from which a region counts as specialized.
    base_shares, units : optional
        As in :func:`spatialkz.focal.colocation_test`; with them ``p_value_sizes`` is the p-value where
        chance is larger in smaller regions.
    permutations : int
        At least 99.
    alpha : float
        Level at which regions hold the excess.
    rng : int, Generator or None
        Seed. The order of rows and columns does not matter.

    Returns
    -------
    SpreadTest
        ``to_frame()`` has index ``statistic`` and columns ``statistic, expected, variance, z, p_value,
        p_value_sizes`` (missing without base shares)``, low, high`` (central 95 % under the null)``, n``.

    Raises
    ------
    InputError
        If a cell is missing or negative, there are fewer than 5 regions or 2 sectors, or an option is out of
        range.
    RegionError
        If the regions of ``base_shares`` are not those of ``quotients``.

    References
    ----------
    Coverage under independence is the occupancy problem: Barton & David (1962), *Combinatorial Chance*,
    ch. 14.

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> services = study.table.groups.index[study.table.groups == "services"]
    >>> test = spread_test(study.table.values[services], permutations=999, rng=1)
    >>> test.to_frame().loc["coverage", ["statistic", "expected"]].round(1).tolist()
    [5.0, 9.6]
    """
    check_alpha(alpha)
    grades: tuple[Grade, ...] = ("count", "rank")
    return spread_in(
        NullTables.of(quotients, grades, threshold, base_shares, units, permutations, rng), alpha
    )


def spread_in(tables: NullTables, alpha: float) -> SpreadTest:
    """Return what :func:`spread_test` does, of null tables that other tests look at too."""
    threshold, permutations, seeds = tables.threshold, tables.permutations, tables.seeds
    cells, ranks = tables.cells["count"], tables.cells["rank"]
    reason = why_undecided(cells, "count", threshold)
    if reason:
        gaps = dict.fromkeys(["statistic", "expected", "variance", "z"], np.nan)
        blank = pd.DataFrame(gaps, index=pd.Index(list(_SIDES), name="statistic"))
        blank = blank.assign(p_value=1.0, p_value_sizes=np.nan, low=np.nan, high=np.nan, n=len(cells))
        return SpreadTest(blank, (0, 0), (), reason, threshold, permutations, alpha)
    observed = _statistics(cells, ranks)
    found = _null(tables, "columns")
    sized = None if tables.sizes is None else _null(tables, "sizes")
    rows = {
        name: _row(observed[name], found[name], None if sized is None else sized[name], side)
        for name, side in _SIDES.items()
    }
    rows["coverage"]["expected"] = len(cells) * (1 - float(np.prod(1 - cells.mean(axis=0))))
    breadth = cells.sum(axis=1)
    beyond = foci(cells, alpha)
    order = np.lexsort((-ranks.sum(axis=1), -breadth))
    least = _least_holders(cells, order, permutations, seeds, alpha)
    return SpreadTest(
        pd.DataFrame.from_dict(rows, orient="index").rename_axis("statistic").assign(n=len(cells)),
        (least, max(least, int(beyond.sum())) if least else 0),
        tuple(str(tables.table.index[i]) for i in order if beyond[i]),
        "",
        threshold,
        permutations,
        alpha,
    )


def _statistics(cells: Floats, ranks: Floats) -> dict[str, float]:
    sums = np.sort(cells.sum(axis=1))
    return {
        "coverage": float((sums > 0).sum()),
        "broadest": float(sums[-broadest(len(sums)) :].sum()),
        "best rank": float(ranks.max(axis=1).mean()),
    }


def _null(tables: NullTables, null: ColocationNull) -> dict[str, Floats]:
    draws = tables.draws("count", null)
    if null == "sizes":
        best = tables.draws("rank", null).best
    else:
        task = partial(_best_ranks, tables.cells["rank"], tables.seeds)
        steps = 20 * tables.permutations * tables.table.size
        best = np.concatenate(in_blocks(task, tables.permutations, steps, multiple=CHUNK))
    return {"coverage": draws.covered, "broadest": draws.top, "best rank": best}


def _best_ranks(ranks: Floats, seeds: np.random.SeedSequence, part: slice) -> Floats:
    scores = np.concatenate([rng.random((size, *ranks.shape)) for rng, _, size in chunks(seeds, part)])
    return np.asarray(dealt(ranks, scores).max(axis=2).mean(axis=1))


def _row(observed: float, null: Floats, sized: Floats | None, side: Alternative) -> dict[str, float]:
    value = np.array([observed])
    expected, variance = null.mean(keepdims=True), null.var(ddof=1, keepdims=True)
    central = np.quantile(null, [0.025, 0.975])
    return {
        "statistic": observed,
        "expected": float(expected[0]),
        "variance": float(variance[0]),
        "z": float(deviates(value, expected, variance)[0]),
        "p_value": float(simulated_p_value(value, null[:, None], side)[0]),
        "p_value_sizes": np.nan
        if sized is None
        else float(simulated_p_value(value, sized[:, None], side)[0]),
        "low": float(central[0]),
        "high": float(central[1]),
    }


def _least_holders(
    cells: Floats, order: np.ndarray, permutations: int, seeds: np.random.SeedSequence, alpha: float
) -> int:
    """Regions to be left out, the broadest first, until co-location is not significant; stops beyond few."""
    most = min(few(len(cells)) + 1, len(cells) - LEAST_REGIONS)
    for count in range(most + 1):
        rest = cells[np.sort(order[count:])]
        if why_undecided(rest, "count", 1.0):
            return count
        ratio = np.array([float(variance_ratio(rest.sum(axis=1), rest))])
        null = simulate(rest, permutations, seeds).ratio
        if simulated_p_value(ratio, null[:, None], "greater")[0] > alpha:
            return count
    return most + 1
