"""Whether a sector is more concentrated than the other sectors are, given how large the regions are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from spatialkz.errors import InputError, listing
from spatialkz.focal.questions.grades import checked_quotients
from spatialkz.focal.questions.size_null import (
    Shares,
    dirichlet_logarithms,
    effective_units,
    expected_hoover,
    size_null,
)
from spatialkz.options import Alternative, IndexName
from spatialkz.randomness import generator
from spatialkz.resampling.pvalues import Floats
from spatialkz.specialization import IndexTest
from spatialkz.specialization.indices.dartboard import TESTABLE, against_null, check_options, table_of_tests
from spatialkz.specialization.indices.regional import MEASURES, hoover

# Draws of the other sectors, and numbers of units at which the expectation of Hoover's index is worked out.
_OTHERS, _GRID = 999, np.geomspace(0.05, 1e6, 300)
_INDICES: tuple[IndexName, ...] = ("locational_gini", "theil_t", "herfindahl")


def relative_concentration_test(
    quotients: pd.DataFrame,
    base_shares: Shares,
    *,
    groups: pd.Series | None = None,
    index: Sequence[IndexName] = _INDICES,
    permutations: int = 9999,
    alternative: Alternative = "greater",
    rng: int | np.random.Generator | None = None,
) -> IndexTest:
    r"""Test the concentration of each sector against the dispersion typical of the others.

    Null hypothesis: the units of the sector choose regions at random by their shares :math:`s_i` of the base,
    and are as many as those of a typical other sector: the median N of the others' effective numbers (see
    :mod:`spatialkz.focal.questions.size_null`). Simulated shares are :math:`\mathrm{Dir}((N - 1) s)`.

    The median is an estimate, of few sectors a poor one. So the other sectors are simulated too, with the
    units of the typical one, and their median :math:`N^*` is found again in each draw; the sector is then
    drawn with :math:`N - 1 = (\hat N - 1)^2 / (N^* - 1)`, the number of which the observed median is as far
    off as the simulated median is of the observed one.

    Money has no units that could be drawn, and the sector's own dispersion cannot be the measure of itself;
    so this is a comparison with other sectors, that takes into account what small regions do to every index.
    It does not say that a sector is concentrated beyond chance. For counted plants or jobs use
    :func:`~spatialkz.specialization.concentration_test` or
    :func:`~spatialkz.specialization.ellison_glaeser_test`.

    Parameters
    ----------
    quotients : DataFrame, shape (regions, sectors)
        Location quotients of at least 5 regions and 2 sectors.
    base_shares : Series or DataFrame
        As in :func:`spatialkz.focal.colocation_test`.
    groups : Series, optional
        Sector → group; the others are then those of the same group.
    index : sequence of str
        Columns of :func:`~spatialkz.specialization.concentration`, not ``theil_l``.
    permutations : int
        Simulated sectors, at least 99.
    alternative : {"greater", "less", "two-sided"}
        ``greater`` tests for more concentration (for entropy: a smaller value).
    rng : int, Generator or None
        Seed. With an integer a sector's result does not depend on the order of rows or columns.

    Returns
    -------
    IndexTest
        ``to_frame()`` has index ``(sector, index)`` and columns ``statistic, expected, standard_deviation,
        low, high, p_value, p_adjusted`` (Benjamini–Hochberg over the sectors, for each index)``, units`` (the
        sector's own effective number) and ``typical_units`` (of the others).

    Raises
    ------
    InputError
        If a cell is missing or negative, there are fewer than 5 regions or 2 sectors, a group has a single
        sector, or an option is unknown.
    RegionError
        If the regions of ``base_shares`` are not those of ``quotients``.

    References
    ----------
    Ellison & Glaeser (1997), *Journal of Political Economy* 105, 889–927 (effective number of plants).

    Examples
    --------
    >>> import spatialkz
    >>> from spatialkz.focal.questions.size_null import table_base_shares
    >>> from spatialkz.specialization import audit_table
    >>> table = spatialkz.load_study().table
    >>> shares = table_base_shares(table, audit_table(table))[0]
    >>> test = relative_concentration_test(table.values, shares, groups=table.groups, permutations=999, rng=1)
    >>> test.to_frame().loc[("engineering", "locational_gini"), ["units", "typical_units"]].round(1).tolist()
    [29.2, 2.8]
    """
    check_options(permutations, alternative)
    unknown = [name for name in index if name not in TESTABLE]
    if unknown or not len(index):
        raise InputError(f"index names {listing(unknown) or 'nothing'}; known are {listing(TESTABLE, 20)}.")
    table = checked_quotients(quotients)
    x = size_null(table, base_shares).shares.mean(axis=0)
    shares = x * table.to_numpy()
    empty = table.columns[shares.sum(axis=0) == 0]
    if len(empty):
        raise InputError(f"A sector that is nowhere active has no concentration: {listing(empty)}.")
    shares /= shares.sum(axis=0)
    units = effective_units(table.to_numpy(), x)
    group = np.zeros(len(units)) if groups is None else groups.reindex(table.columns).to_numpy()
    rows = {}
    for sector, j in zip(quotients.columns, table.columns.get_indexer(quotients.columns), strict=True):
        others = (group == group[j]) & (np.arange(len(units)) != j)
        if not others.any():
            raise InputError(f"The sector {sector} has no other in its group to be compared with.")
        typical = float(np.median(units[others]))
        stream = generator(rng, f"relative concentration of {sector}")
        plausible = _plausible_typical(stream, x[:, others], typical)
        total = np.resize(plausible - 1, permutations)
        simulated = _shares_drawn(stream, x[:, [j]] * total)
        for name in index:
            measure = MEASURES[name]
            found = against_null(
                float(measure(shares[:, j], x[:, j])),
                measure(simulated, x[:, [j]]),
                alternative,
                -1 if name == "entropy" else 1,
            )
            rows[sector, name] = {**found, "units": float(units[j]), "typical_units": typical}
    return IndexTest(
        table_of_tests(rows, ["sector", "index"], families=len(index)),
        "the sector's units choose regions at random by base shares, as many as in a typical other sector.",
        permutations,
        alternative,
    )


def _plausible_typical(rng: np.random.Generator, shares: Floats, typical: float) -> Floats:
    """Numbers of units that can have led to this median over sectors with these base shares.

    Parameters
    ----------
    shares : array, shape (regions, sectors)
    """
    found = np.empty((shares.shape[1], _OTHERS))
    for found_of_sector, column in zip(found, shares.T, strict=True):
        wide = np.broadcast_to(column[:, None], (len(column), _OTHERS))
        dispersion = hoover(_shares_drawn(rng, wide * (typical - 1)), wide)
        expected = expected_hoover(_GRID, np.broadcast_to(column[:, None], (len(column), len(_GRID))))
        # Falling in the number of units.
        found_of_sector[:] = np.interp(-dispersion, -expected, np.log(_GRID))
    again = np.exp(np.median(found, axis=0))
    return np.asarray(np.clip(1 + (typical - 1) ** 2 / again, 1 + _GRID[0], 1 + _GRID[-1]))


def _shares_drawn(rng: np.random.Generator, shape: Floats) -> Floats:
    """Dirichlet variables, a column a draw."""
    drawn = dirichlet_logarithms(rng, shape)
    drawn = np.exp(drawn - drawn.max(axis=0))
    return np.asarray(drawn / drawn.sum(axis=0))
