"""The simple location quotient and what follows from it cell by cell."""

from __future__ import annotations

import pandas as pd

from spatialkz.specialization.margins import margins
from spatialkz.tables import ActivityTable, check_table


def location_quotient(
    values: pd.DataFrame,
    base: pd.Series | pd.DataFrame | None = None,
    *,
    groups: pd.Series | None = None,
    contained: bool = True,
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

    Returns
    -------
    DataFrame, shape (regions, sectors)

    Raises
    ------
    InputError
        If a cell is negative or missing, a sector is nowhere active, a region's base is zero, a cell exceeds
        a base that contains it, or groups and base do not fit.
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
    found = margins(values, base, groups=groups, contained=contained)
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


def breadth(quotients: pd.DataFrame, threshold: float = 1.0) -> pd.Series:
    """Count the sectors in which each region is specialized (LQ ≥ threshold).

    Examples
    --------
    >>> table = pd.DataFrame({"steel": [0.4, 1.0], "software": [0.0, 2.1]}, index=["North", "South"])
    >>> breadth(table).to_dict()
    {'North': 0, 'South': 2}
    """
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
    return quotients.assign(**{breadth_label(quotients.columns): breadth(quotients, threshold)})


def table_quotients(table: ActivityTable) -> pd.DataFrame:
    """Quotients of an activity table: those published in it, or those computed from its volumes or counts."""
    if table.kind == "quotients":
        return table.values
    return location_quotient(table.values, table.base, groups=table.groups, contained=table.contained)
