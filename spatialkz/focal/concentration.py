"""Whether a sector is more concentrated than the other sectors are, given how large the regions are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from spatialkz.errors import InputError, listing
from spatialkz.focal.questions.grades import checked_quotients
from spatialkz.focal.questions.size_null import Shares, dirichlet_logarithms, effective_units, size_null
from spatialkz.options import Alternative, IndexName
from spatialkz.randomness import generator
from spatialkz.specialization import IndexTest
from spatialkz.specialization.indices.dartboard import TESTABLE, against_null, check_options, table_of_tests
from spatialkz.specialization.indices.regional import MEASURES

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

    Money has no units that could be drawn, and the sector's own dispersion cannot be the measure of itself;
    so this is a comparison with other sectors, that takes into account what small regions do to every index.
    It does not say that a sector is concentrated beyond chance. For counted plants or jobs use
    :func:`~spatialkz.specialization.concentration_test` or
    :func:`~spatialkz.specialization.ellison_glaeser_test`. The median counts as known.

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
        wide = np.broadcast_to(x[:, [j]], (len(x), permutations))
        simulated = dirichlet_logarithms(stream, wide * (typical - 1))
        simulated = np.exp(simulated - simulated.max(axis=0))
        simulated /= simulated.sum(axis=0)
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
