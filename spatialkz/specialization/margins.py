"""The validated margins that every quotient is computed from."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from spatialkz.errors import InputError, listing
from spatialkz.tables import check_same_regions, check_table


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
    """

    activity: pd.DataFrame
    bases: pd.DataFrame
    groups: pd.Series

    @property
    def sector_totals(self) -> pd.Series:
        """:math:`q_j`: the sector in the country."""
        return self.activity.sum()

    @property
    def base_totals(self) -> pd.Series:
        """:math:`Q`, by sector: the base of its group in the country."""
        return self.bases.sum()

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

    Raises
    ------
    InputError
        If a cell is negative or missing, a sector is nowhere active, a region's base is zero, a cell exceeds
        a base that contains it, a group lacks its base, or a group of one sector lacks a base of its own.
    RegionError
        If the regions of ``base`` are not those of ``values``.
    """
    table = check_table(values, name="values", minimum=0)
    totals = table.sum()
    if (totals == 0).any():
        nowhere = totals.index[totals == 0]
        raise InputError(f"A quotient needs activity somewhere; there is none in {listing(nowhere)}.")
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
                f"{listing(cells, 3)}; check the units, or say that it contains none (contained = false)."
            )
    return Margins(table, bases, group_of)


def _groups(sectors: pd.Index, groups: pd.Series | None) -> pd.Series:
    if groups is None:
        return pd.Series("base", index=sectors, name="group")
    missing = sectors.difference(groups.dropna().index)
    if len(missing):
        raise InputError(f"groups has no entry for {listing(missing)}.")
    return groups.loc[sectors].astype(str).rename("group")


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
