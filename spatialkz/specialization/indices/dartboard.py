"""Is a sector more concentrated than darts thrown at the base shares? The multinomial test of the indices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from spatialkz.errors import InputError, listing
from spatialkz.options import Alternative, IndexName
from spatialkz.randomness import generator
from spatialkz.resampling.pvalues import (
    Floats,
    adjusted,
    check_alternative,
    check_number,
    monte_carlo_tail,
    tail_p_value,
)
from spatialkz.results import Result, json_ready
from spatialkz.specialization.indices.regional import MEASURES
from spatialkz.specialization.margins import margins
from spatialkz.tables import check_table

# Some throws leave a region empty, so the expectation of theil_l is infinite.
TESTABLE: tuple[IndexName, ...] = tuple(name for name in MEASURES if name != "theil_l")
# The others are one of these on another scale, with the same p-value.
DISTINCT: tuple[IndexName, ...] = (
    "hoover",
    "locational_gini",
    "gini_of_quotients",
    "theil_t",
    "herfindahl",
    "entropy",
)
# The smaller, the more concentrated.
_FALLING = {"entropy"}
# Bytes of simulated shares held at once.
_BLOCK_BYTES = 64_000_000


@dataclass(frozen=True, repr=False)
class IndexTest(Result):
    """Result of a test of indices against chance.

    Attributes
    ----------
    table : DataFrame
        What :meth:`to_frame` returns.
    null : str
        The null hypothesis as a sentence.
    permutations : int
        Number of simulated tables; 0 for an exact test.
    alternative : str
        The alternative tested.
    """

    table: pd.DataFrame
    null: str
    permutations: int
    alternative: str

    def to_frame(self) -> pd.DataFrame:
        """One row for each test, with the columns named by the function that made it."""
        return self.table.copy()

    def to_dict(self) -> dict[str, object]:
        """The rows as a list, with the null hypothesis, ready for JSON."""
        return {
            "null": self.null,
            "permutations": self.permutations,
            "alternative": self.alternative,
            "tests": [json_ready(row) for row in self.table.reset_index().to_dict("records")],
        }

    def summary(self) -> str:
        """The table as text, with what was tested."""
        how = f"{self.permutations} simulations" if self.permutations else "exact"
        body = self.table.to_string(float_format="{:.4f}".format)
        return f"Null hypothesis: {self.null}\n{how}, {self.alternative}\n{body}"


def concentration_test(
    counts: pd.DataFrame,
    base: pd.Series | pd.DataFrame | None = None,
    *,
    index: IndexName | Sequence[IndexName] = DISTINCT,
    groups: pd.Series | None = None,
    contained: bool = True,
    permutations: int = 9999,
    alternative: Alternative = "greater",
    rng: int | np.random.Generator | None = None,
) -> IndexTest:
    r"""Test the concentration of each sector against darts thrown at the base shares.

    Null hypothesis: the :math:`q_j` units of the sector choose their regions independently, region *i* with
    probability :math:`x_i`, its share of the base, so that :math:`(q_{1j}, \dots, q_{nj})` is multinomial.
    Few units are uneven by chance alone; ``expected`` says how uneven, and an index is to be read against it,
    not against its value for proportional shares. Monte Carlo with :math:`p = (b + 1)/(R + 1)`.

    The units must be what chooses a place. Plants do; jobs come by the plant, so with jobs as counts the null
    is far too sharp and nearly every sector passes for concentrated: use
    :func:`~spatialkz.specialization.ellison_glaeser_test` with plant sizes. The base shares count as known.
    For the index of Mori, Nishikimi and Smith give area as ``base``, with ``contained=False``, and read
    ``theil_t``.

    Parameters
    ----------
    counts : DataFrame, shape (regions, sectors)
        Whole numbers of plants, people or jobs.
    base, groups, contained
        As in :func:`~spatialkz.specialization.concentration`.
    index : str or sequence of str
        Columns of :func:`~spatialkz.specialization.concentration`; by default those that are not another one
        on another scale. Not ``theil_l``: it is infinite whenever a region is missed, and so is its
        expectation.
    permutations : int
        Number of simulated tables, at least 99.
    alternative : {"greater", "less", "two-sided"}
        ``greater`` tests for more concentration than chance gives (for entropy: a smaller value), ``less``
        for more evenness, ``two-sided`` takes twice the smaller tail.
    rng : int, Generator or None
        Seed. With an integer, a sector's result depends neither on the order of the rows nor on the other
        sectors (but for a base of row sums).

    Returns
    -------
    IndexTest
        ``to_frame()`` has index ``(sector, index)`` and columns
        ``statistic, expected, standard_deviation, low, high`` (the central 95 % under the null),
        ``p_value, p_adjusted`` (Benjamini–Hochberg over the sectors, for each index) and ``count``.

    Raises
    ------
    InputError
        As :func:`~spatialkz.specialization.concentration`, and if a count is no whole number or an option is
        unknown.
    RegionError
        If the regions of ``base`` are not those of ``counts``.

    References
    ----------
    Ellison & Glaeser (1997), *Journal of Political Economy* 105, 889–927 (the dartboard). Mori, Nishikimi &
    Smith (2005), *Review of Economics and Statistics* 87, 635–651 (a test of the divergence). Davison &
    Hinkley (1997), eq. 4.11 (the p-value).

    Examples
    --------
    >>> plants = pd.DataFrame({"steel": [9, 1, 0], "bakery": [5, 3, 2]}, index=list("abc"))
    >>> test = concentration_test(plants, pd.Series([50, 30, 20], index=list("abc")), index="hoover", rng=1)
    >>> test.to_frame()["statistic"].round(3).tolist()
    [0.4, 0.0]
    """
    chosen = _chosen(index)
    check_options(permutations, alternative)
    # Sorted, so that the order of the rows does not decide which tables are drawn.
    table = check_table(counts, name="counts", minimum=0).sort_index()
    found = margins(table, base, groups=groups, contained=contained)
    _refuse_fractions(found.activity)
    shares, bases = found.sector_shares.to_numpy(), found.base_shares.to_numpy()
    rows = {}
    for j, (sector, total) in enumerate(found.sector_totals.items()):
        x, stream = bases[:, [j]], generator(rng, f"concentration of {sector}")
        simulated = np.hstack(
            [
                [MEASURES[name](drawn, x) for name in chosen]
                for drawn in _throws(int(total), x[:, 0], permutations, stream)
            ]
        )
        observed = np.array([MEASURES[name](shares[:, j], bases[:, j]) for name in chosen])
        for name, value, null in zip(chosen, observed, simulated, strict=True):
            sign = -1 if name in _FALLING else 1
            rows[sector, name] = {**against_null(value, null, alternative, sign), "count": int(total)}
    return IndexTest(
        table_of_tests(rows, ["sector", "index"], families=len(chosen)),
        "the units of a sector choose their regions independently, with the base shares as probabilities.",
        permutations,
        alternative,
    )


def against_null(
    observed: float, simulated: Floats, alternative: Alternative, sign: int = 1
) -> dict[str, float]:
    """Place a value in its simulated null distribution; ``sign`` −1 where small values are extreme."""
    # Ties up to rounding error count on both sides.
    slack = 1e-12
    extreme, opposite = (
        monte_carlo_tail((side * simulated >= side * observed - slack).sum(), len(simulated))
        for side in (sign, -sign)
    )
    low, high = np.quantile(simulated, [0.025, 0.975])
    return {
        "statistic": float(observed),
        "expected": float(simulated.mean()),
        "standard_deviation": float(simulated.std(ddof=1)),
        "low": float(low),
        "high": float(high),
        "p_value": float(tail_p_value(extreme, opposite, alternative)),
    }


def table_of_tests(rows: dict[Any, dict[str, Any]], names: list[str], families: int = 1) -> pd.DataFrame:
    """Make a table of the rows, with ``p_adjusted`` (Benjamini–Hochberg) beside ``p_value``.

    ``families`` is the number of families that the rows belong to in turn.
    """
    table = pd.DataFrame(list(rows.values()), index=pd.Index(list(rows))).rename_axis(names)
    p_values = table["p_value"].to_numpy().reshape(-1, families)
    after = list(table.columns).index("p_value") + 1
    table.insert(after, "p_adjusted", adjusted(p_values.T).T.ravel())
    return table


def check_options(permutations: int, alternative: str) -> None:
    """Refuse too few simulations and an unknown alternative."""
    check_number(permutations, "permutations", 99)
    check_alternative(alternative)


def _chosen(index: IndexName | Sequence[IndexName]) -> tuple[IndexName, ...]:
    chosen = (index,) if isinstance(index, str) else tuple(index)
    unknown = [name for name in chosen if name not in TESTABLE]
    if unknown or not chosen:
        raise InputError(
            f"index is {listing(unknown) or 'empty'}; it can be {listing(TESTABLE, limit=len(TESTABLE))}."
        )
    return chosen


def _refuse_fractions(counts: pd.DataFrame) -> None:
    odd = [
        f"{region} × {sector} ({counts[sector][region]:g})"
        for sector in counts
        for region in counts.index[counts[sector] % 1 != 0]
    ]
    if odd:
        raise InputError(
            f"The test needs whole units (jobs, plants), but there are fractions in {listing(odd, 3)}; "
            "for volumes and money there is concentration(), without a test."
        )


def _throws(count: int, probabilities: Floats, size: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Yield simulated shares, regions × tables, a block of tables at a time."""
    block = max(1, _BLOCK_BYTES // (8 * len(probabilities)))
    for start in range(0, size, block):
        drawn = rng.multinomial(count, probabilities, size=min(block, size - start))
        yield drawn.T / count
