"""The simple location quotient, what follows from it cell by cell, and every quotient of a table by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, get_args

import pandas as pd

from spatialkz.errors import InputError, is_number, listing
from spatialkz.options import QuotientKind
from spatialkz.specialization.margins import margins, table_margins
from spatialkz.specialization.variants import (
    additive_quotient,
    log_standardized_quotient,
    normalized_rca,
    standardized_quotient,
    windowed_quotient,
)
from spatialkz.tables import ActivityTable, check_table

if TYPE_CHECKING:
    from libpysal.graph import Graph


def location_quotient(
    values: pd.DataFrame,
    base: pd.Series | pd.DataFrame | None = None,
    *,
    groups: pd.Series | None = None,
    contained: bool = True,
    national: pd.Series | None = None,
    national_base: float | pd.Series | None = None,
) -> pd.DataFrame:
    r"""Location quotient of each region in each sector.

    .. math:: LQ_{ij} = \frac{q_{ij} / Q_i}{q_j / Q}

    with :math:`q_{ij}` the activity of region *i* in sector *j*, :math:`q_j = \sum_i q_{ij}`,
    :math:`Q_i` the base of the region and :math:`Q = \sum_i Q_i`. With base shares :math:`s_i = Q_i / Q`
    the quotients of every sector satisfy :math:`\sum_i s_i LQ_{ij} = 1`. Dimensionless; above 1 the region
    is specialized.

    Parameters
    ----------
    values : DataFrame, shape (regions, sectors)
        Volumes or counts, all in one unit.
    base : Series or DataFrame, optional
        Base of each region; with ``groups``, a DataFrame with one column for each group. Left out, the sum of
        the region's row, within each group.
    groups : Series, optional
        Sector → base group.
    contained : bool
        Whether the base contains the sectors and is in their unit, so that no cell may exceed it.
    national : Series, optional
        Sector → :math:`q_j` of the country, where the regions are a part of it; left out, the regions make up
        the country.
    national_base : float or Series by group, optional
        :math:`Q` of that country; needed with ``national`` where there is a ``base``, and the sum of the
        sectors where there is none.

    Returns
    -------
    DataFrame, shape (regions, sectors)

    Raises
    ------
    InputError
        If a cell is negative or missing, a sector is nowhere active, a region's base is zero, a cell exceeds
        a base that contains it, groups and base do not fit, or the country has less than the regions.
    RegionError
        If the regions of ``base`` are not those of ``values``.

    References
    ----------
    Dnishev, Alzhanova & Satpayeva (2022), formula (1), which prints the second ratio inverted
    (:math:`Q_j / Q` as a factor); Isard (1960), *Methods of Regional Analysis*, ch. 7.

    Examples
    --------
    >>> jobs = pd.DataFrame({"steel": [30, 10], "software": [10, 30]}, index=["North", "South"])
    >>> location_quotient(jobs)
           steel  software
    North    1.5       0.5
    South    0.5       1.5
    """
    found = margins(
        values,
        base,
        groups=groups,
        contained=contained,
        national=national,
        national_base=national_base,
    )
    return found.sector_shares / found.base_shares


def symmetric_quotient(quotients: pd.DataFrame) -> pd.DataFrame:
    r"""Symmetric form :math:`(LQ - 1) / (LQ + 1)`, from −1 (absent) over 0 (national average) towards 1.

    Known as revealed symmetric comparative advantage (RSCA; Laursen 2015, *Eurasian Business Review* 5).

    Examples
    --------
    >>> symmetric_quotient(pd.DataFrame({"steel": [0.0, 1.0, 3.0]}))["steel"].tolist()
    [-1.0, 0.0, 0.5]
    """
    table = check_table(quotients, name="quotients", minimum=0, least_regions=1)
    return (table - 1) / (table + 1)


def check_threshold(threshold: float) -> None:
    """Refuse a quotient from which a region counts as specialized that is no positive number."""
    if not is_number(threshold) or not threshold > 0:
        raise InputError(f"threshold is {threshold}; it must be a positive number.")


def breadth(quotients: pd.DataFrame, threshold: float = 1.0) -> pd.Series:
    """Count the sectors in which each region is specialized (LQ ≥ threshold).

    Examples
    --------
    >>> table = pd.DataFrame({"steel": [0.4, 1.0], "software": [0.0, 2.1]}, index=["North", "South"])
    >>> breadth(table).to_dict()
    {'North': 0, 'South': 2}
    """
    check_threshold(threshold)
    return (check_table(quotients, name="quotients", minimum=0) >= threshold).sum(axis=1).rename("breadth")


def breadth_label(sectors: pd.Index) -> str:
    """What the count is called beside the sectors: ``breadth``, but where a sector is called that.

    Examples
    --------
    >>> breadth_label(pd.Index(["steel"])), breadth_label(pd.Index(["steel", "breadth"]))
    ('breadth', 'breadth (count)')
    """
    label = "breadth"
    while label in sectors:
        label += " (count)"
    return label


def with_breadth(quotients: pd.DataFrame, threshold: float = 1.0) -> pd.DataFrame:
    """The quotients and, as a last column named by :func:`breadth_label`, their breadth."""
    counted = breadth(quotients, threshold)
    return quotients.assign(**{breadth_label(quotients.columns): counted})


def table_quotients(table: ActivityTable) -> pd.DataFrame:
    """Quotients of an activity table: those published in it, or those computed from its volumes or counts."""
    if table.kind == "quotients":
        return table.values
    found = table_margins(table)
    return found.sector_shares / found.base_shares


class QuotientFunction(Protocol):
    """A quotient of margins alone."""

    def __call__(
        self,
        values: pd.DataFrame,
        base: pd.Series | pd.DataFrame | None = None,
        *,
        groups: pd.Series | None = None,
        contained: bool = True,
    ) -> pd.DataFrame:
        """Quotients of the regions (rows) in the sectors (columns)."""


def _of_simple(transform: Callable[[pd.DataFrame], pd.DataFrame]) -> QuotientFunction:
    def quotient(
        values: pd.DataFrame,
        base: pd.Series | pd.DataFrame | None = None,
        *,
        groups: pd.Series | None = None,
        contained: bool = True,
    ) -> pd.DataFrame:
        return transform(location_quotient(values, base, groups=groups, contained=contained))

    return quotient


QUOTIENT_KINDS: dict[str, QuotientFunction] = {
    "simple": location_quotient,
    "symmetric": _of_simple(symmetric_quotient),
    "additive": additive_quotient,
    "normalized": normalized_rca,
    "standardized": _of_simple(standardized_quotient),
    "log-standardized": _of_simple(log_standardized_quotient),
}
"""Kinds that need nothing but margins; ``windowed`` needs a graph too."""


def quotients_of_kind(
    values: pd.DataFrame,
    base: pd.Series | pd.DataFrame | None = None,
    *,
    kind: QuotientKind = "simple",
    groups: pd.Series | None = None,
    contained: bool = True,
    graph: Graph | None = None,
    floor: float | None = None,
) -> pd.DataFrame:
    """Quotients of the regions in the sectors, of a kind chosen by name.

    Parameters
    ----------
    values : DataFrame, shape (regions, sectors)
        Volumes or counts, all in one unit.
    base : Series or DataFrame, optional
        Base of each region; with ``groups``, a DataFrame with one column for each group. Left out, the sum of
        the region's row, within each group.
    kind : {"simple", "symmetric", "additive", "normalized", "standardized", "log-standardized", "windowed"}
        Which quotient; each is a function of its own, with its formula.
    groups : Series, optional
        Sector → base group.
    contained : bool
        Whether the base contains the sectors and is in their unit, so that no cell may exceed it.
    graph : libpysal.graph.Graph, optional
        Neighbors of the regions; for ``windowed`` alone, which needs it.
    floor : float, optional
        Smaller simple quotients count as it; for ``log-standardized`` alone, which needs it if a cell is 0.

    Returns
    -------
    DataFrame, shape (regions, sectors)

    Raises
    ------
    InputError
        If ``kind`` is unknown, an option is missing or belongs to another kind, or the margins are bad.

    Examples
    --------
    >>> jobs = pd.DataFrame({"steel": [30, 10], "law": [10, 30]}, index=["North", "South"])
    >>> quotients_of_kind(jobs, kind="symmetric")["steel"].round(3).tolist()
    [0.2, -0.333]
    """
    if kind not in get_args(QuotientKind):
        raise InputError(f"kind is {kind!r}; it must be one of {listing(get_args(QuotientKind), 7)}.")
    if (graph is not None) != (kind == "windowed"):
        raise InputError(
            f"The {kind} quotient {'takes no' if graph is not None else 'needs a'} graph of neighbors."
        )
    if floor is not None and kind != "log-standardized":
        raise InputError(f"The {kind} quotient takes no floor; only the log-standardized one does.")
    if graph is not None:
        return windowed_quotient(values, graph, base, groups=groups, contained=contained)
    if floor is not None:
        simple = location_quotient(values, base, groups=groups, contained=contained)
        return log_standardized_quotient(simple, floor=floor)
    return QUOTIENT_KINDS[kind](values, base, groups=groups, contained=contained)
