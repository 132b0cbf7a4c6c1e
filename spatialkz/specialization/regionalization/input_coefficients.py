"""Regional input coefficients from national ones, and Flegg's exponent from known regional ones."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar

from spatialkz.errors import InputError, RegionError, listing
from spatialkz.options import AbsentSector, CoefficientError, CoefficientQuotient, FleggKind
from spatialkz.resampling.pvalues import Floats
from spatialkz.results import Result, json_ready
from spatialkz.specialization.regionalization.cross_industry import RegionalQuotients, regional_quotients
from spatialkz.specialization.regionalization.flegg import flegg_cells, size_weights
from spatialkz.tables import check_same_regions, check_table

_GRID = np.arange(100) / 100
_BELOW_ONE = 1 - 1e-9


def regional_coefficients(
    national: pd.DataFrame,
    values: pd.DataFrame,
    base: pd.Series | pd.DataFrame | None = None,
    *,
    quotient: CoefficientQuotient = "flegg",
    delta: float = 0.3,
    region: Hashable | None = None,
    absent: AbsentSector = "error",
    contained: bool = True,
) -> pd.DataFrame:
    r"""Regional input coefficients, from national ones and a quotient.

    .. math:: a_{ij}^r = \min(1, q_{ij}) \cdot a_{ij}

    with :math:`q_{ij}` Flegg's quotient, or the cross-industry or Round's with the simple quotient on the
    diagonal. The augmented Flegg quotient may lift a coefficient above the national one where the buying
    sector is specialized: :math:`a_{ij}^r = q_{ij} a_{ij}` if :math:`LQ_j > 1`, and the rule above otherwise.
    Since nothing else holds it there, check that the columns still sum to less than 1. Units of input *i*
    from within the region for each unit of output *j*.

    Parameters
    ----------
    national : DataFrame, shape (selling sectors, buying sectors)
        Domestic input coefficients :math:`a_{ij}`, with the sectors of ``values`` in any order.
    values : DataFrame, shape (regions, sectors)
        Output, value added or jobs of all regions of the country; where only one region is known, the second
        row is the rest of the country.
    base : Series or DataFrame, optional
        Base of each region; left out, the sum of its row.
    quotient : {"flegg", "augmented", "cross-industry", "round"}
        Which quotient.
    delta : float
        :math:`0 \le \delta < 1`; of no effect on the last two.
    region : label, optional
        The region wanted. Left out, all regions.
    absent : {"error", "nan"}
        What becomes of a buying sector with no activity in the region: an error, or a column of NaN.
    contained : bool
        Whether the base contains the sectors and is in their unit, so that no cell may exceed it.

    Returns
    -------
    DataFrame
        As in :func:`flegg_quotient`.

    Raises
    ------
    InputError
        If ``national`` is not square over the sectors or has a negative or missing cell, the margins are bad
        (see :func:`margins`), delta or an option is out of range, or a buying sector is absent.
    RegionError
        If regions do not match, or ``region`` is not among them.

    References
    ----------
    Torój (2024), *Central European Journal of Economic Modelling and Econometrics* 16, 285–322, eqs. (2)–(6)
    and tables 5–7, read in a transcription. That the augmented quotient is not capped where :math:`LQ_j > 1`:
    Pereira-López, Carrascal-Incera & Fernández-Fernández (2020), *Spatial Economic Analysis* 15, 476–493,
    note 3; whether its FLQ is capped before it is augmented could not be verified, and here it is not.

    Examples
    --------
    >>> output = pd.DataFrame({"a": [70, 30], "b": [20, 30], "c": [10, 70]}, index=["East", "West"])
    >>> cells = [[0.4, 0.1, 0.0625], [0.05, 0.3, 0.125], [0.05, 0.1, 0.3125]]
    >>> national = pd.DataFrame(cells, index=list("abc"), columns=list("abc"))
    >>> regional_coefficients(national, output, quotient="cross-industry", region="East").round(3)
    buying       a      b      c
    selling
    a        0.400  0.100  0.062
    b        0.029  0.276  0.125
    c        0.009  0.031  0.090
    """
    if quotient not in get_args(CoefficientQuotient):
        raise InputError(
            f"quotient is {quotient!r}; it must be one of {listing(get_args(CoefficientQuotient))}."
        )
    found = regional_quotients(values, base, region=region, contained=contained)
    coefficients = _coefficients(national, found.sectors, "national")
    if quotient == "cross-industry":
        cells = found.with_simple_diagonal(found.over(found.quotients, absent))
    elif quotient == "round":
        cells = found.with_simple_diagonal(found.over(np.log2(1.0 + found.quotients), absent))
    else:
        cells = flegg_cells(found, delta, absent, augmented=quotient == "augmented")
    return found.frame(_capped(cells, found, quotient) * coefficients, region)


@dataclass(frozen=True, repr=False)
class FleggDelta(Result):
    """Result of :func:`flegg_delta`.

    Attributes
    ----------
    delta : float
        The exponent with the least error.
    error : float
        The error there.
    measure : str
        Which error: ``"wape"``, ``"mape"`` (both in percent) or ``"rmse"`` (in units of a coefficient).
    quotient : str
        ``"flegg"`` or ``"augmented"``.
    region : str
        The region whose coefficients were known.
    cells : int
        Number of coefficients compared.
    profile : Series
        The error at δ = 0, 0.01, …, 0.99.
    """

    delta: float
    error: float
    measure: str
    quotient: str
    region: str
    cells: int
    profile: pd.Series

    def to_frame(self) -> pd.DataFrame:
        """The profile: index ``delta``, column ``error``."""
        return self.profile.to_frame()

    def to_dict(self) -> dict[str, object]:
        """All fields, ready for JSON."""
        return {
            "region": self.region,
            "quotient": self.quotient,
            "measure": self.measure,
            "delta": self.delta,
            "error": self.error,
            "cells": self.cells,
            "profile": json_ready(self.profile),
        }

    def summary(self) -> str:
        """The estimate as text, with how sharply the error singles it out."""
        near = self.profile.index[self.profile <= 1.05 * self.error]
        unit = "" if self.measure == "rmse" else " %"
        edge = " This is the edge of the range searched." if not 0.001 < self.delta < 0.999 else ""
        return (
            f"Flegg's delta of {self.region} ({self.quotient} quotient, {self.cells} coefficients): "
            f"{self.delta:.3f}, {self.measure} {self.error:.4g}{unit}.{edge}\n"
            + (
                f"The error is within 5 % of its least for delta from {near[0]:.2f} to {near[-1]:.2f}."
                if len(near)
                else "On the grid of 0.01 no other delta comes within 5 % of the least error."
            )
        )


def flegg_delta(
    national: pd.DataFrame,
    regional: pd.DataFrame,
    values: pd.DataFrame,
    base: pd.Series | pd.DataFrame | None = None,
    *,
    region: Hashable,
    quotient: FleggKind = "flegg",
    error: CoefficientError = "wape",
    contained: bool = True,
) -> FleggDelta:
    r"""Exponent of Flegg's quotient that best gives the known input coefficients of a region.

    With known coefficients :math:`k_{ij}` and estimates :math:`a_{ij}(\delta)` of
    :func:`regional_coefficients`, the error that is minimized over :math:`0 \le \delta < 1` is one of

    .. math::

        \text{wape} = 100 \, \frac{\sum |a_{ij} - k_{ij}|}{\sum k_{ij}}, \qquad
        \text{mape} = \frac{100}{n_+} \sum_{k_{ij} > 0} \frac{|a_{ij} - k_{ij}|}{k_{ij}}, \qquad
        \text{rmse} = \sqrt{\frac{1}{n} \sum (a_{ij} - k_{ij})^2}

    over the *n* cells, of which :math:`n_+` are known to be positive: the weighted absolute percentage error
    (also called standardized total percentage error), the mean one, and the root mean squared error.
    ``mape`` leaves out cells whose known coefficient is 0, and the smallest coefficients rule it.
    The error is evaluated at 0, 0.01, …, 0.99 and refined around the least, so that several minima do not
    mislead it.

    Parameters
    ----------
    national, regional : DataFrame, shape (selling sectors, buying sectors)
        Domestic input coefficients of the country, and those from within the region, with the sectors of
        ``values`` in any order.
    values : DataFrame, shape (regions, sectors)
        Output, value added or jobs of all regions of the country; where only one region is known, the second
        row is the rest of the country.
    base : Series or DataFrame, optional
        Base of each region; left out, the sum of its row.
    region : label
        The region of ``regional``.
    quotient : {"flegg", "augmented"}
        Which quotient.
    error : {"wape", "mape", "rmse"}
        Which error.
    contained : bool
        Whether the base contains the sectors and is in their unit, so that no cell may exceed it.

    Returns
    -------
    FleggDelta

    Raises
    ------
    InputError
        If a coefficient table is not square over the sectors or has a negative or missing cell, all known
        coefficients are 0, the error is the same for every δ, the margins are bad (see :func:`margins`), an
        option is unknown, or a buying sector is absent from the region.
    RegionError
        If regions do not match, or ``region`` is not among them.

    References
    ----------
    Flegg & Tohmo (2013), *Regional Studies* 47, 703–721, choose δ against survey-based tables of Finnish
    regions. Banouei et al. (2011), *International Journal of Business and Social Science* 2(16), who have no
    regional coefficients, minimize the error of estimated production instead. Of both the abstract was read.

    Examples
    --------
    >>> output = pd.DataFrame({"a": [70, 30], "b": [20, 30], "c": [10, 70]}, index=["East", "West"])
    >>> cells = [[0.4, 0.1, 0.0625], [0.05, 0.3, 0.125], [0.05, 0.1, 0.3125]]
    >>> national = pd.DataFrame(cells, index=list("abc"), columns=list("abc"))
    >>> known = regional_coefficients(national, output, delta=0.27, region="East").round(2)
    >>> print(flegg_delta(national, known, output, region="East").summary())
    Flegg's delta of East (flegg quotient, 9 coefficients): 0.279, wape 2.186 %.
    The error is within 5 % of its least for delta from 0.27 to 0.28.
    """
    for name, value, allowed in (
        ("quotient", quotient, get_args(FleggKind)),
        ("error", error, get_args(CoefficientError)),
    ):
        if value not in allowed:
            raise InputError(f"{name} is {value!r}; it must be one of {listing(allowed)}.")
    if region is None:
        raise RegionError("region must name the region whose coefficients are known.")
    found = regional_quotients(values, base, region=region, contained=contained)
    known = _coefficients(regional, found.sectors, "regional")
    if not known.any():
        raise InputError("All coefficients of regional are 0, so there is nothing to compare with.")
    coefficients = _coefficients(national, found.sectors, "national")
    largest = flegg_cells(found, delta=0, augmented=quotient == "augmented")

    def error_at(delta: float) -> float:
        cells = _capped(largest * size_weights(found.base_shares, delta), found, quotient)
        return _error(cells[0] * coefficients, known, error)

    errors = np.array([error_at(delta) for delta in _GRID])
    if np.ptp(errors) <= 1e-12 * errors.max():
        raise InputError(
            f"The coefficients of {region} are the same for every delta, so it cannot be estimated: where "
            "the national coefficient is positive, the quotient is 0 or stays above 1."
        )
    least = int(np.argmin(errors))
    low, high = _GRID[max(least - 1, 0)], _BELOW_ONE if least == len(_GRID) - 1 else _GRID[least + 1]
    refined = minimize_scalar(error_at, bounds=(low, high), method="bounded", options={"xatol": 1e-10})
    delta, smallest = min([(_GRID[least], errors[least]), (refined.x, refined.fun)], key=lambda pair: pair[1])
    return FleggDelta(
        delta=float(delta),
        error=float(smallest),
        measure=error,
        quotient=quotient,
        region=str(region),
        cells=int((known > 0).sum()) if error == "mape" else known.size,
        profile=pd.Series(errors, index=pd.Index(_GRID, name="delta"), name="error"),
    )


def _capped(cells: Floats, found: RegionalQuotients, quotient: CoefficientQuotient) -> Floats:
    """At most 1, but for the augmented quotients of buying sectors that are specialized."""
    free = (found.quotients > 1)[:, None, :] & (quotient == "augmented")
    return np.where(free, cells, np.minimum(cells, 1.0))


def _coefficients(table: pd.DataFrame, sectors: pd.Index, name: str) -> Floats:
    """Check a table of input coefficients and put it in the order of the sectors."""
    checked = check_table(table, name=name, minimum=0, least_regions=1)
    if checked.shape[0] != checked.shape[1]:
        raise InputError(
            f"{name} must be square, sectors × sectors, but it is {checked.shape[0]} × {checked.shape[1]}."
        )
    for what, labels in (("rows", checked.index), ("columns", checked.columns)):
        check_same_regions(labels, sectors, f"{name} ({what})", "values")
    return checked.loc[sectors, sectors].to_numpy()


def _error(estimated: Floats, known: Floats, measure: CoefficientError) -> float:
    off = np.abs(estimated - known)
    if measure == "rmse":
        return float(np.sqrt(np.mean(off**2)))
    if measure == "wape":
        return float(100 * off.sum() / known.sum())
    positive = known > 0
    return float(100 * np.mean(off[positive] / known[positive]))
