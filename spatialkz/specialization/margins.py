"""The validated margins that every quotient is computed from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from spatialkz.errors import InputError, listing
from spatialkz.tables import ActivityTable, check_groups, check_same_regions, check_table


@dataclass(frozen=True)
class Margins:
    """Activity and what it is compared with; made by :func:`margins`.

    Attributes
    ----------
    activity : DataFrame, shape (regions, sectors)
        :math:`q_{ij}`.
    bases : DataFrame, shape (regions, sectors)
        :math:`Q_i` of the base group that the sector belongs to.
    groups : Series
        Sector → base group; all ``"base"`` where there is one base for all.
    national, national_bases : Series, optional
        :math:`q_j` and :math:`Q`, by sector, of the country of which the regions are a part; left out, the
        regions make up the country.
    """

    activity: pd.DataFrame
    bases: pd.DataFrame
    groups: pd.Series
    national: pd.Series | None = None
    national_bases: pd.Series | None = None

    @property
    def sector_totals(self) -> pd.Series:
        """:math:`q_j`: the sector in the country."""
        return self.activity.sum() if self.national is None else self.national

    @property
    def base_totals(self) -> pd.Series:
        """:math:`Q`, by sector: the base of its group in the country."""
        return self.bases.sum() if self.national_bases is None else self.national_bases

    @property
    def base_shares(self) -> pd.DataFrame:
        """:math:`s_i = Q_i / Q`, by sector: the region's share of the base."""
        return self.bases / self.base_totals

    @property
    def sector_shares(self) -> pd.DataFrame:
        """:math:`q_{ij} / q_j`: the region's share of the sector."""
        return self.activity / self.sector_totals


def margins(
    values: pd.DataFrame,
    base: pd.Series | pd.DataFrame | None = None,
    *,
    groups: pd.Series | None = None,
    contained: bool = True,
    national: pd.Series | None = None,
    national_base: float | pd.Series | None = None,
) -> Margins:
    """Check activity, base and groups against each other.

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
        Sector → its total in the country, where the regions are a part of it.
    national_base : float or Series by group, optional
        Base of the country; without a ``base``, the sum of its sectors, within each group.

    Raises
    ------
    InputError
        If a cell is negative or missing, a sector is nowhere active, a region's base is zero, a cell exceeds
        a base that contains it, a group lacks its base, a group of one sector lacks a base of its own, or the
        country has less than the regions.
    RegionError
        If the regions of ``base`` are not those of ``values``.
    """
    table = check_table(values, name="values", minimum=0)
    totals = table.sum() if national is None else _national(national, table)
    if (totals == 0).any():
        nowhere = totals.index[totals == 0]
        raise InputError(f"A quotient needs activity in some region; there is none in {listing(nowhere)}.")
    group_of = _groups(table.columns, groups)
    per_group = _row_sums(table, group_of) if base is None else _given(table, base, group_of)
    empty = [
        f"{region} ({group})" for group in per_group for region in per_group.index[per_group[group] == 0]
    ]
    if empty:
        raise InputError(f"A quotient needs a positive base; it is zero in {listing(empty)}.")
    bases = per_group[group_of].set_axis(table.columns, axis=1)
    if contained and base is not None:
        # A tolerance, because published sums are rounded.
        over = table > bases * (1 + 1e-9)
        cells = [
            f"{region} × {sector} ({table[sector][region]:g} > {bases[sector][region]:g})"
            for sector in table
            for region in table.index[over[sector]]
        ]
        if cells:
            raise InputError(
                f"A base that contains the sectors cannot be smaller than one of them, but it is in "
                f"{listing(cells, 3)}; check the units, or say that it does not contain the sectors "
                "(contained = false)."
            )
    if national is None:
        return Margins(table, bases, group_of)
    country = _national_bases(totals, national_base, bases, group_of, base is None)
    larger = totals.index[totals > country * (1 + 1e-9)]
    if contained and len(larger):
        raise InputError(
            f"The base of the country contains the sectors, but {listing(larger)} is larger than it; check "
            "the units, or say that it does not contain the sectors (contained = false)."
        )
    return Margins(table, bases, group_of, totals, country)


def table_margins(table: ActivityTable) -> Margins:
    """Margins of a table of volumes or counts, with the base and the country that it brings along."""
    return margins(
        table.values,
        table.base,
        groups=table.groups,
        contained=table.contained,
        national=table.national,
        national_base=table.national_base,
    )


def _national(national: pd.Series, table: pd.DataFrame) -> pd.Series:
    """Totals of the country in the order of the table."""
    found = check_table(national, name="national", minimum=0, least_regions=1).iloc[:, 0]
    check_same_regions(found.index, table.columns, "national")
    return found.loc[table.columns].rename(None)


def _national_bases(
    totals: pd.Series,
    national_base: float | pd.Series | None,
    bases: pd.DataFrame,
    group_of: pd.Series,
    summed: bool,
) -> pd.Series:
    """Base of the country by sector, once it is not less than that of the regions."""
    if summed and national_base is not None:
        raise InputError("national_base goes with a base; without one, the base is the sum of the sectors.")
    if summed:
        found = group_of.map(totals.groupby(group_of).sum())
    elif national_base is None:
        raise InputError(
            "With a base of the regions, national totals need the base of the country as well "
            "(national_base)."
        )
    elif isinstance(national_base, pd.Series):
        found = group_of.map(national_base)
    else:
        found = pd.Series(float(national_base), index=group_of.index)
    missing = found.index[~np.isfinite(found.astype("float64"))]
    if len(missing):
        raise InputError(f"national_base must be a number for every group; {listing(missing)} has none.")
    held = bases.sum()
    # A tolerance, because published sums are rounded.
    small = held.index[held > found * (1 + 1e-6)]
    if len(small) and not summed:
        raise InputError(
            f"The base of the country must be at least that of its regions, but it is {found[small[0]]:.10g} "
            f"against {held[small[0]]:.10g} for {listing(small)}."
        )
    return found.astype("float64")


def _groups(sectors: pd.Index, groups: pd.Series | None) -> pd.Series:
    return check_groups(groups, sectors, "base")


def _row_sums(table: pd.DataFrame, group_of: pd.Series) -> pd.DataFrame:
    sizes = group_of.value_counts()
    alone = sizes.index[sizes == 1]
    if len(alone):
        sectors = group_of.index[group_of.isin(alone)]
        raise InputError(
            "Without a base, a group is compared with its own sum, which says nothing for a group of one "
            f"sector: {listing(sectors)}."
        )
    return table.T.groupby(group_of, sort=False).sum().T


def _given(table: pd.DataFrame, base: pd.Series | pd.DataFrame, group_of: pd.Series) -> pd.DataFrame:
    checked = check_table(base, name="base", minimum=0)
    check_same_regions(checked.index, table.index, "base")
    checked = checked.loc[table.index]
    wanted = pd.Index(group_of.unique())
    if checked.shape[1] == 1 and checked.columns[0] not in wanted:
        # One base for all groups.
        return pd.DataFrame(dict.fromkeys(wanted, checked.iloc[:, 0]))
    missing = wanted.difference(checked.columns)
    if len(missing):
        found = listing(checked.columns)
        raise InputError(f"base has columns {found} but none for group {listing(missing)}.")
    return checked[list(wanted)]
