"""Sectors and regions that nest: quotients at each level, and concentration between and within levels."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import rel_entr

from spatialkz.errors import InputError, listing
from spatialkz.specialization.quotients import location_quotient
from spatialkz.tables import check_labels, check_same_regions, check_table


def quotients_by_level(
    values: pd.DataFrame,
    *,
    regions: pd.Series | pd.DataFrame | None = None,
    sectors: pd.Series | pd.DataFrame | None = None,
    base: pd.Series | None = None,
    contained: bool = True,
) -> pd.DataFrame:
    """Location quotients at each pair of levels of regions and sectors that nest.

    Volumes are added up first and quotients made of the sums, so that each firm counts once at every level; a
    quotient of a larger unit is no mean of the quotients of its parts.

    Parameters
    ----------
    values : DataFrame, shape (regions, sectors)
        Volumes or counts at the lowest level of both.
    regions, sectors : Series or DataFrame, optional
        Levels above: a Series from each label to the unit it is part of, or a DataFrame with a column for
        each level, from the largest units to the smaller, each within one of the level before.
    base : Series, optional
        Base of each region of ``values``; left out, its row sum.
    contained : bool
        Whether the base contains the sectors and is in their unit.

    Returns
    -------
    DataFrame
        Columns ``region_level, region, sector_level, sector, lq``; levels are called by the names of the
        columns, the lowest by ``region`` and ``sector``.

    Raises
    ------
    InputError
        As :func:`~spatialkz.specialization.location_quotient`; if levels lack a label, do not nest, or have a
        single unit of regions.
    RegionError
        If the labels of levels are not those of the table.

    Examples
    --------
    >>> jobs = pd.DataFrame({"20": [30, 10, 5], "62": [5, 5, 20], "63": [5, 5, 15]}, index=["a", "b", "c"])
    >>> found = quotients_by_level(jobs, sectors=pd.Series({"20": "C", "62": "J", "63": "J"}, name="section"))
    >>> found[found["sector"] == "J"].round(2)[["sector_level", "region", "lq"]]
      sector_level region    lq
    3      section      a  0.45
    4      section      b  0.91
    5      section      c  1.59
    """
    table, of_region, of_sector = _checked(values, regions, sectors)
    if base is not None:
        check_same_regions(base.index, table.index, "base")
    parts = []
    for region_level in of_region.columns.astype(str):
        rows = table.groupby(of_region[region_level], sort=False).sum()
        bases = None if base is None else base.groupby(of_region[region_level], sort=False).sum()
        for sector_level in of_sector.columns.astype(str):
            cells = rows.T.groupby(of_sector[sector_level], sort=False).sum().T
            quotients = location_quotient(cells, bases, contained=contained)
            long = quotients.rename_axis(index="region").reset_index().melt("region", None, "sector", "lq")
            parts.append(long.assign(region_level=region_level, sector_level=sector_level))
    order = ["region_level", "region", "sector_level", "sector", "lq"]
    return pd.concat(parts, ignore_index=True)[order]


def nested_concentration(
    values: pd.DataFrame,
    *,
    regions: pd.Series | pd.DataFrame | None = None,
    sectors: pd.Series | pd.DataFrame | None = None,
) -> pd.DataFrame:
    r"""Split the concentration of all sectors over all regions into parts between and within nested levels.

    With :math:`p_{rs}` the share of region *r* and sector *s* in the whole, the concentration of all sectors
    is the mean of their Theil indices against the row sums, weighted by their size,

    .. math::

        I(R;S) = \sum_{rs} p_{rs} \ln\frac{p_{rs}}{p_r p_s} = \sum_s p_s T_s ,

    which is also the mean of the regions' specialization: the mutual information of region and sector. If
    regions nest as :math:`R_1 \supset R_2 \supset \dots` and sectors as :math:`S_1 \supset S_2 \supset
    \dots`, the chain rule splits it exactly into

    .. math::

        I(R;S) = \sum_{ij} I(R_i; S_j \mid R_{i-1}, S_{j-1}),

    a part for each pair of levels: how much the units of level *i* differ, within their unit of the level
    above, in how the sectors of level *j* divide theirs. No part is negative, and what a coarse map or a
    coarse classification shows is the sum of the parts down to its levels.

    Parameters
    ----------
    values, regions, sectors
        As in :func:`quotients_by_level`.

    Returns
    -------
    DataFrame, shape (region levels, sector levels)
        In nats. Index and columns are the levels from the largest units to the smallest; the cells add up to
        the whole.

    Raises
    ------
    InputError, RegionError
        As :func:`quotients_by_level`, and if the table has no activity.

    References
    ----------
    Theil (1967), *Economics and Information Theory*; Cover & Thomas (2006), *Elements of Information Theory*,
    theorem 2.5.2 (the chain rule).

    Examples
    --------
    >>> jobs = pd.DataFrame({"20": [30, 10, 5], "62": [5, 5, 20], "63": [5, 5, 15]}, index=["a", "b", "c"])
    >>> side = pd.Series({"a": "west", "b": "west", "c": "east"}, name="side")
    >>> section = pd.Series({"20": "C", "62": "J", "63": "J"}, name="section")
    >>> parts = nested_concentration(jobs, regions=side, sectors=section)
    >>> parts.round(4)
            section  sector
    side     0.1555  0.0013
    region   0.0183  0.0000
    >>> from spatialkz.specialization import concentration
    >>> mean = (concentration(jobs)["theil_t"] * jobs.sum() / jobs.to_numpy().sum()).sum()
    >>> bool(abs(parts.to_numpy().sum() - mean) < 1e-12)
    True
    """
    table, of_region, of_sector = _checked(values, regions, sectors)
    total = table.to_numpy().sum()
    if total == 0:
        raise InputError("The table has no activity at all, so that nothing is concentrated.")
    shares = table / total
    # Information of each pair of levels; level 0 is the whole, which tells nothing.
    told = np.zeros((of_region.shape[1] + 1, of_sector.shape[1] + 1))
    for i, region_level in enumerate(of_region, start=1):
        rows = shares.groupby(of_region[region_level], sort=False).sum()
        for j, sector_level in enumerate(of_sector, start=1):
            cells = rows.T.groupby(of_sector[sector_level], sort=False).sum().T.to_numpy()
            independent = cells.sum(axis=1, keepdims=True) * cells.sum(axis=0, keepdims=True)
            told[i, j] = rel_entr(cells, independent).sum()
    parts = np.diff(np.diff(told, axis=0), axis=1)
    return pd.DataFrame(parts.clip(min=0), index=list(of_region), columns=list(of_sector))


def _checked(
    values: pd.DataFrame, regions: pd.Series | pd.DataFrame | None, sectors: pd.Series | pd.DataFrame | None
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    table = check_table(values, minimum=0)
    return (
        table,
        _levels(regions, table.index, "region"),
        _levels(sectors, table.columns, "sector"),
    )


def _levels(given: pd.Series | pd.DataFrame | None, labels: pd.Index, what: str) -> pd.DataFrame:
    """A column for each level, from the largest units to the labels themselves; rows are labels."""
    lowest = pd.Series(labels, index=labels, name=what)
    if given is None:
        return lowest.to_frame()
    if not isinstance(given, pd.Series | pd.DataFrame):
        raise InputError(
            f"{what}s must be a Series or DataFrame, {what} to larger unit, not {type(given).__name__}."
        )
    frame = given.to_frame(given.name or f"group of {what}s") if isinstance(given, pd.Series) else given
    check_labels(frame.index, what)
    check_labels(frame.columns, "level")
    check_same_regions(frame.index, labels, f"{what}s")
    frame = frame.loc[labels]
    if what in frame.columns:
        raise InputError(
            f"A level above cannot be called {what!r}, which is the name of the lowest; rename it."
        )
    if not len(frame.columns):
        return lowest.to_frame()
    missing = frame.isna().any(axis=1)
    if missing.any():
        raise InputError(f"{what}s has no unit above for {listing(labels[missing])}.")
    if what == "region" and (alone := [str(name) for name in frame if frame[name].nunique() < 2]):
        raise InputError(f"The level {listing(alone)} has a single unit; at least two are needed to compare.")
    columns: list[Any] = list(frame)
    for larger, smaller in pairwise(columns):
        above = frame[larger].groupby(frame[smaller], sort=False).nunique()
        if (above > 1).any():
            raise InputError(
                f"Levels must nest, but {smaller} {listing(above.index[above > 1], 3)} is part of several "
                f"units of {larger}; give levels from the largest units to the smallest."
            )
    return frame.assign(**{what: lowest})
