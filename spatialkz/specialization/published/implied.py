"""Concentration of a table's sectors, from its volumes or from those its published quotients imply."""

from __future__ import annotations

import pandas as pd

from spatialkz.specialization.completions import complete_sectors
from spatialkz.specialization.indices import concentration
from spatialkz.specialization.published.audit import QuotientAudit
from spatialkz.tables import ActivityTable

# Implied volumes put small positive numbers where 0.00 was printed, so these would say nothing.
_NEEDS_TRUE_ZEROS = ["theil_l", "empty_regions"]
# Without the areas of the regions it repeats theil_t.
_NEEDS_AREAS = ["mori_nishikimi_smith"]


def table_concentration(table: ActivityTable, audit: QuotientAudit | None = None) -> pd.DataFrame:
    """Indices of concentration by sector, with ``basis`` saying what they were computed from.

    Volumes and counts are used as they are. For published quotients the base shares of largest entropy
    among all that satisfy the identity stand in (:meth:`QuotientAudit.plausible_shares`): one choice
    among many that fit the table equally well. Sectors of a group that no base shares fit are left out, and
    so are sectors with a hidden cell.

    Returns
    -------
    DataFrame
        Index ``sector``; ``basis`` and the columns of :func:`~spatialkz.specialization.concentration`.

    Examples
    --------
    >>> import spatialkz
    >>> from spatialkz.specialization import audit_table
    >>> table = spatialkz.load_study().table
    >>> found = table_concentration(table, audit_table(table))
    >>> print(found["locational_gini"].idxmax(), found["basis"].unique()[0])
    vehicles base shares of largest entropy
    """
    if table.kind != "quotients":
        found = concentration(table.values, table.base, groups=table.groups, contained=False)
        found = found.loc[complete_sectors(table)]
        basis = str(table.kind)
    elif audit is None or not audit.base_shares:
        return pd.DataFrame()
    else:
        shares = audit.plausible_shares()
        volumes = audit.implied_shares(shares)
        groups = table.groups.loc[volumes.columns]
        found = concentration(volumes, shares, groups=groups, contained=False)
        found = found.loc[complete_sectors(table).intersection(found.index, sort=False)]
        found = found.drop(columns=_NEEDS_TRUE_ZEROS)
        basis = "base shares of largest entropy"
    found = found.drop(columns=_NEEDS_AREAS)
    found.insert(0, "basis", basis)
    return found.rename_axis(index="sector")
