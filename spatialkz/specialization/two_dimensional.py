"""The two-dimensional location quotient: sellers by specialization, buyers by size."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import pandas as pd

from spatialkz.errors import InputError
from spatialkz.specialization.regionalization.cross_industry import regional_quotients


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
    text could not be read, so the formula is secondary; the notes on the publisher's page bear out two parts
    of it: the row rule that lessens the jump at :math:`LQ_i = 1`, and columns by sector size :math:`w_j`.

    Examples
    --------
    >>> output = pd.DataFrame({"a": [70, 30], "b": [20, 30], "c": [10, 70]}, index=["East", "West"])
    >>> two_dimensional_quotient(output, alpha=1, beta=0, region="East")["a"].round(4).tolist()
    [1.2721, 0.92, 0.2875]
    """
    for name, exponent in (("alpha", alpha), ("beta", beta)):
        if not (np.isfinite(exponent) and exponent >= 0):
            raise InputError(f"{name} is {exponent}; it must be a number of at least 0.")
    found = regional_quotients(values, base, region=region, contained=contained)
    specialization = found.quotients
    rows = np.where(specialization <= 1, specialization, 1 + np.tanh(specialization - 1) / 2)
    cells = (rows**alpha)[:, :, None] * (found.sector_shares**beta)[:, None, :]
    return found.frame(cells, region)
