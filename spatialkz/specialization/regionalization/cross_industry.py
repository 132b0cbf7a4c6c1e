"""Quotients of a selling sector against a buying sector within a region, and the two-dimensional quotient."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd

from spatialkz.errors import InputError, RegionError, is_number, listing
from spatialkz.options import AbsentSector, Diagonal
from spatialkz.resampling.pvalues import Floats
from spatialkz.specialization.margins import margins


@dataclass(frozen=True)
class RegionalQuotients:
    """Simple quotients of the chosen regions, as the sector × sector quotients need them.

    Attributes
    ----------
    quotients : ndarray, shape (regions, sectors)
        Simple location quotients.
    sector_shares : ndarray, shape (regions, sectors)
        :math:`q_{ij} / q_j`.
    base_shares : ndarray, shape (regions,)
        :math:`Q_i / Q`.
    regions, sectors : Index
        Labels.
    """

    quotients: Floats
    sector_shares: Floats
    base_shares: Floats
    regions: pd.Index
    sectors: pd.Index

    def over(self, divisors: Floats, absent: AbsentSector) -> Floats:
        """Quotient of each selling sector over the divisor of each buying one: (regions, selling, buying)."""
        if absent not in get_args(AbsentSector):
            raise InputError(f"absent is {absent!r}; it must be one of {listing(get_args(AbsentSector))}.")
        missing = self.quotients == 0
        if missing.any() and absent == "error":
            cells = [f"{self.regions[i]} × {self.sectors[j]}" for i, j in np.argwhere(missing)]
            raise InputError(
                f"A sector that is absent from a region buys nothing there, so its quotients are undefined: "
                f"{listing(cells)}; say absent='nan' to leave its column empty."
            )
        return self.quotients[:, :, None] / np.where(missing, np.nan, divisors)[:, None, :]

    def with_simple_diagonal(self, cells: Floats) -> Floats:
        """Put a sector's own simple quotient where it sells to itself, unless its column is empty."""
        own = np.eye(len(self.sectors), dtype=bool) & ~np.isnan(cells)
        return np.where(own, self.quotients[:, :, None], cells)

    def frame(self, cells: Floats, region: Hashable | None) -> pd.DataFrame:
        """Label the cells: one region's square table, or all of them below each other."""
        buying = self.sectors.rename("buying")
        if region is not None:
            return pd.DataFrame(cells[0], index=self.sectors.rename("selling"), columns=buying)
        rows = pd.MultiIndex.from_product([self.regions, self.sectors], names=["region", "selling"])
        return pd.DataFrame(cells.reshape(-1, len(buying)), index=rows, columns=buying)


def regional_quotients(
    values: pd.DataFrame,
    base: pd.Series | pd.DataFrame | None = None,
    *,
    region: Hashable | None = None,
    contained: bool = True,
) -> RegionalQuotients:
    """Simple quotients and shares of one region, or of all.

    Raises
    ------
    InputError
        If the margins are bad (see :func:`margins`).
    RegionError
        If ``region`` is not among the regions of ``values``.
    """
    found = margins(values, base, contained=contained)
    regions = found.activity.index
    if region is not None and region not in regions:
        raise RegionError(f"region is {region!r}, which values does not have.")
    chosen = regions if region is None else regions[regions == region]
    base_shares = found.base_shares.loc[chosen]
    sector_shares = found.sector_shares.loc[chosen]
    return RegionalQuotients(
        quotients=(sector_shares / base_shares).to_numpy(),
        sector_shares=sector_shares.to_numpy(),
        base_shares=base_shares.iloc[:, 0].to_numpy(),
        regions=chosen,
        sectors=found.activity.columns,
    )


def cross_industry_quotient(
    values: pd.DataFrame,
    base: pd.Series | pd.DataFrame | None = None,
    *,
    region: Hashable | None = None,
    diagonal: Diagonal = "formula",
    absent: AbsentSector = "error",
    contained: bool = True,
) -> pd.DataFrame:
    r"""Cross-industry location quotient (CILQ) of each selling against each buying sector of a region.

    .. math:: CILQ_{ij} = \frac{LQ_i}{LQ_j} = \frac{q_i^r / q_i}{q_j^r / q_j}

    for selling sector *i* and buying sector *j* of region *r*. Dimensionless; above 1 the seller is large
    enough beside the buyer to supply it. The base cancels, so base groups have no place here; the formula
    puts 1 on the diagonal, whatever the sector's size.

    Parameters
    ----------
    values : DataFrame, shape (regions, sectors)
        Output, value added or jobs of all regions of the country; where only one region is known, the second
        row is the rest of the country.
    base : Series or DataFrame, optional
        Base of each region; left out, the sum of its row. It only matters for ``diagonal="simple"``.
    region : label, optional
        The region wanted. Left out, all regions.
    diagonal : {"formula", "simple"}
        What stands where a sector sells to itself: 1, or its simple quotient.
    absent : {"error", "nan"}
        What becomes of a buying sector with no activity in the region, whose quotients would divide by 0: an
        error, or a column of NaN.
    contained : bool
        Whether the base contains the sectors and is in their unit, so that no cell may exceed it.

    Returns
    -------
    DataFrame
        Of one region: shape (selling sectors, buying sectors). Of all: the same tables below each other, with
        the rows indexed by region and selling sector.

    Raises
    ------
    InputError
        If the margins are bad (see :func:`margins`), an option is unknown, or a buying sector is absent.
    RegionError
        If regions do not match, or ``region`` is not among them.

    References
    ----------
    Schaffer & Chu (1969), secondary, after Torój (2024), *Central European Journal of Economic Modelling and
    Econometrics* 16, 285–322, eq. (5); eq. (4) there has the simple diagonal (Morrison & Smith 1974). Torój's
    tables were read in a transcription.

    Examples
    --------
    >>> output = pd.DataFrame({"a": [70, 30], "b": [20, 30], "c": [10, 70]}, index=["East", "West"])
    >>> cross_industry_quotient(output, region="East").round(3)
    buying       a      b    c
    selling
    a        1.000  1.750  5.6
    b        0.571  1.000  3.2
    c        0.179  0.312  1.0
    """
    found = regional_quotients(values, base, region=region, contained=contained)
    return found.frame(_diagonal(found, found.over(found.quotients, absent), diagonal), region)


def round_quotient(
    values: pd.DataFrame,
    base: pd.Series | pd.DataFrame | None = None,
    *,
    region: Hashable | None = None,
    diagonal: Diagonal = "formula",
    absent: AbsentSector = "error",
    contained: bool = True,
) -> pd.DataFrame:
    r"""Round's semilogarithmic quotient (RLQ) of each selling against each buying sector of a region.

    .. math:: RLQ_{ij} = \frac{LQ_i}{\log_2(1 + LQ_j)}

    Like the cross-industry quotient, but the size of the region does not cancel: it enters through both
    simple quotients. Equal to it where :math:`LQ_j = 1`; dimensionless.

    Parameters
    ----------
    values : DataFrame, shape (regions, sectors)
        Output, value added or jobs of all regions of the country; where only one region is known, the second
        row is the rest of the country.
    base : Series or DataFrame, optional
        Base of each region; left out, the sum of its row.
    region : label, optional
        The region wanted. Left out, all regions.
    diagonal : {"formula", "simple"}
        What stands where a sector sells to itself: the formula, or its simple quotient.
    absent : {"error", "nan"}
        What becomes of a buying sector with no activity in the region, whose quotients would divide by 0: an
        error, or a column of NaN.
    contained : bool
        Whether the base contains the sectors and is in their unit, so that no cell may exceed it.

    Returns
    -------
    DataFrame
        As in :func:`cross_industry_quotient`.

    Raises
    ------
    InputError
        If the margins are bad (see :func:`margins`), an option is unknown, or a buying sector is absent.
    RegionError
        If regions do not match, or ``region`` is not among them.

    References
    ----------
    Round (1978), secondary, after Torój (2024), *Central European Journal of Economic Modelling and
    Econometrics* 16, 285–322, eq. (6), read in a transcription.

    Examples
    --------
    >>> output = pd.DataFrame({"a": [70, 30], "b": [20, 30], "c": [10, 70]}, index=["East", "West"])
    >>> round_quotient(output, region="East").loc["a", ["b", "c"]].round(3).tolist()
    [1.711, 4.416]
    """
    found = regional_quotients(values, base, region=region, contained=contained)
    cells = found.over(np.log2(1.0 + found.quotients), absent)
    return found.frame(_diagonal(found, cells, diagonal), region)


def _diagonal(found: RegionalQuotients, cells: Floats, diagonal: Diagonal) -> Floats:
    if diagonal not in get_args(Diagonal):
        raise InputError(f"diagonal is {diagonal!r}; it must be one of {listing(get_args(Diagonal))}.")
    return cells if diagonal == "formula" else found.with_simple_diagonal(cells)


def two_dimensional_quotient(
    values: pd.DataFrame,
    base: pd.Series | pd.DataFrame | None = None,
    *,
    alpha: float,
    beta: float,
    region: Hashable | None = None,
    contained: bool = True,
) -> pd.DataFrame:
    r"""Two-dimensional location quotient (2D-LQ) of each selling and buying sector of a region.

    .. math::

        D_{ij} = \rho(LQ_i)^\alpha \, w_j^\beta, \qquad
        \rho(x) = \begin{cases} x & x \le 1 \\ 1 + \tfrac12 \tanh(x - 1) & x > 1 \end{cases}, \qquad
        w_j = \frac{q_j^r}{q_j}

    for selling sector *i* and buying sector *j* of region *r*: rows are scaled by the specialization of the
    seller, columns by the region's share of the buyer's sector. :math:`\rho` is continuous and stays below
    1.5. Dimensionless. Regional input coefficients are the national ones times :math:`D`, without a cap.

    An absent seller gives a row of 0 and an absent buyer a column of 0; an exponent of 0 switches its side
    off (:math:`0^0 = 1`).

    Parameters
    ----------
    values : DataFrame, shape (regions, sectors)
        Output, value added or jobs of all regions of the country; where only one region is known, the second
        row is the rest of the country.
    base : Series or DataFrame, optional
        Base of each region; left out, the sum of its row.
    alpha, beta : float
        Exponents of rows and columns, at least 0. There is no default: they are to be calibrated.
    region : label, optional
        The region wanted. Left out, all regions.
    contained : bool
        Whether the base contains the sectors and is in their unit, so that no cell may exceed it.

    Returns
    -------
    DataFrame
        Of one region: shape (selling sectors, buying sectors). Of all: the same tables below each other, with
        the rows indexed by region and selling sector.

    Raises
    ------
    InputError
        If the margins are bad (see :func:`margins`) or an exponent is negative or missing.
    RegionError
        If regions do not match, or ``region`` is not among them.

    References
    ----------
    Pereira-López, Carrascal-Incera & Fernández-Fernández (2020), *Spatial Economic Analysis* 15, 476–493. The
    text could not be read, so the formula is secondary; the notes on the publisher's page confirm two parts
    of it: the row rule that lessens the jump at :math:`LQ_i = 1`, and columns by sector size :math:`w_j`.

    Examples
    --------
    >>> output = pd.DataFrame({"a": [70, 30], "b": [20, 30], "c": [10, 70]}, index=["East", "West"])
    >>> two_dimensional_quotient(output, alpha=1, beta=0, region="East")["a"].round(4).tolist()
    [1.2721, 0.92, 0.2875]
    """
    for name, exponent in (("alpha", alpha), ("beta", beta)):
        if not (is_number(exponent) and exponent >= 0):
            raise InputError(f"{name} is {exponent}; it must be a number of at least 0.")
    found = regional_quotients(values, base, region=region, contained=contained)
    specialization = found.quotients
    rows = np.where(specialization <= 1, specialization, 1 + np.tanh(specialization - 1) / 2)
    cells = (rows**alpha)[:, :, None] * (found.sector_shares**beta)[:, None, :]
    return found.frame(cells, region)
