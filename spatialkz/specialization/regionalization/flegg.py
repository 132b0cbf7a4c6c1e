"""Flegg's location quotient and its augmented form."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import pandas as pd

from spatialkz.errors import InputError, is_number
from spatialkz.options import AbsentSector
from spatialkz.resampling.pvalues import Floats
from spatialkz.specialization.regionalization.cross_industry import RegionalQuotients, regional_quotients


def flegg_lambda(share: float, delta: float = 0.3) -> float:
    r"""Weight of a region's size in Flegg's quotient, :math:`\lambda = [\log_2(1 + s)]^\delta`.

    Between 0 and 1; 1 for the whole country or :math:`\delta = 0`, and the smaller, the smaller the region.

    Parameters
    ----------
    share : float
        The region's share of the base of the country, :math:`0 < s \le 1`.
    delta : float
        :math:`0 \le \delta < 1`.

    Raises
    ------
    InputError
        If share or delta is out of its range.

    References
    ----------
    Flegg & Webber (1997), *Regional Studies* 31, 795–805; secondary, as in :func:`flegg_quotient`.

    Examples
    --------
    >>> round(flegg_lambda(0.1, 0.3), 7)
    0.5514348
    """
    if not is_number(share) or not 0 < share <= 1:
        raise InputError(f"share is {share}; a share of the country is above 0 and at most 1.")
    return float(size_weights(np.array([share]), delta)[0])


def flegg_quotient(
    values: pd.DataFrame,
    base: pd.Series | pd.DataFrame | None = None,
    *,
    delta: float = 0.3,
    region: Hashable | None = None,
    absent: AbsentSector = "error",
    contained: bool = True,
) -> pd.DataFrame:
    r"""Flegg's location quotient (FLQ) of each selling against each buying sector of a region.

    .. math::

        FLQ_{ij} = \lambda \begin{cases} LQ_i / LQ_j & i \ne j \\ LQ_i & i = j \end{cases}, \qquad
        \lambda = [\log_2(1 + Q_r / Q)]^\delta

    for selling sector *i* and buying sector *j* of region *r*. The cross-industry quotient, made smaller for
    small regions, which import more. Dimensionless. (Cromley and Hanink's "focal location quotient", also
    abbreviated FLQ, is :func:`windowed_quotient`.)

    Parameters
    ----------
    values : DataFrame, shape (regions, sectors)
        Output, value added or jobs of all regions of the country; where only one region is known, the second
        row is the rest of the country.
    base : Series or DataFrame, optional
        Base of each region, which should be its whole economy; left out, the sum of its row.
    delta : float
        :math:`0 \le \delta < 1`; the larger, the more a small region imports. 0.3 is a common choice, but the
        best one varies from region to region (see :func:`flegg_delta`).
    region : label, optional
        The region wanted. Left out, all regions.
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
        If the margins are bad (see :func:`margins`), delta or an option is out of range, or a buying sector
        is absent.
    RegionError
        If regions do not match, or ``region`` is not among them.

    References
    ----------
    Flegg, Webber & Elliott (1995), *Regional Studies* 29, 547–561; Flegg & Webber (1997), *Regional Studies*
    31, 795–805. Secondary: after Torój (2024), *Central European Journal of Economic Modelling and
    Econometrics* 16, 285–322, eqs. (7)–(8), read in a transcription.

    Examples
    --------
    >>> output = pd.DataFrame({"a": [70, 30], "b": [20, 30], "c": [10, 70]}, index=["East", "West"])
    >>> flegg_quotient(output, region="East").round(3)
    buying       a      b      c
    selling
    a        1.324  1.439  4.605
    b        0.470  0.756  2.631
    c        0.147  0.257  0.236
    """
    found = regional_quotients(values, base, region=region, contained=contained)
    return found.frame(flegg_cells(found, delta, absent), region)


def augmented_flegg_quotient(
    values: pd.DataFrame,
    base: pd.Series | pd.DataFrame | None = None,
    *,
    delta: float = 0.3,
    region: Hashable | None = None,
    absent: AbsentSector = "error",
    contained: bool = True,
) -> pd.DataFrame:
    r"""Flegg's location quotient augmented by regional specialization (AFLQ).

    .. math:: AFLQ_{ij} = FLQ_{ij} \cdot \max\bigl(1, \log_2(1 + LQ_j)\bigr)

    Where the buying sector is specialized (:math:`LQ_j > 1`), suppliers are taken to have settled near it:
    the quotient grows, and a regional coefficient may exceed the national one. Elsewhere it is the FLQ.
    Dimensionless.

    Parameters
    ----------
    values : DataFrame, shape (regions, sectors)
        Output, value added or jobs of all regions of the country; where only one region is known, the second
        row is the rest of the country.
    base : Series or DataFrame, optional
        Base of each region, which should be its whole economy; left out, the sum of its row.
    delta : float
        :math:`0 \le \delta < 1`; the larger, the more a small region imports.
    region : label, optional
        The region wanted. Left out, all regions.
    absent : {"error", "nan"}
        What becomes of a buying sector with no activity in the region, whose quotients would divide by 0: an
        error, or a column of NaN.
    contained : bool
        Whether the base contains the sectors and is in their unit, so that no cell may exceed it.

    Returns
    -------
    DataFrame
        As in :func:`flegg_quotient`.

    Raises
    ------
    InputError
        If the margins are bad (see :func:`margins`), delta or an option is out of range, or a buying sector
        is absent.
    RegionError
        If regions do not match, or ``region`` is not among them.

    References
    ----------
    Flegg & Webber (2000), *Regional Studies* 34, 563–569; secondary, after the vignette of the R package
    UtilMio 0.1.0 (whose code differs from its vignette).

    Examples
    --------
    >>> output = pd.DataFrame({"a": [70, 30], "b": [20, 30], "c": [10, 70]}, index=["East", "West"])
    >>> augmented_flegg_quotient(output, region="East")["a"].round(3).tolist()
    [1.832, 0.65, 0.203]
    """
    found = regional_quotients(values, base, region=region, contained=contained)
    return found.frame(flegg_cells(found, delta, absent, augmented=True), region)


def size_weights(shares: Floats, delta: float) -> Floats:
    """:func:`flegg_lambda` of many regions."""
    if not is_number(delta) or not 0 <= delta < 1:
        raise InputError(f"delta is {delta}; it must be at least 0 and below 1.")
    return np.asarray(np.log2(1.0 + shares) ** delta, dtype=np.float64)


def flegg_cells(
    found: RegionalQuotients, delta: float, absent: AbsentSector = "error", *, augmented: bool = False
) -> Floats:
    """Flegg's quotients without labels: (regions, selling, buying)."""
    cells = found.with_simple_diagonal(found.over(found.quotients, absent))
    if augmented:
        cells = cells * np.maximum(1.0, np.log2(1.0 + found.quotients))[:, None, :]
    return cells * size_weights(found.base_shares, delta)[:, None, None]
