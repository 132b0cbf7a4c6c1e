"""Distances between distributions of shares, and how far a region's sector mix departs from the country's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pandas as pd
from scipy.special import entr, rel_entr

from spatialkz.errors import InputError, listing
from spatialkz.options import IndexName
from spatialkz.resampling.pvalues import Floats
from spatialkz.tables import check_labels, check_table

_COLUMNS: dict[str, IndexName] = {
    "krugman": "krugman",
    "hoover": "hoover",
    "gini_of_quotients": "gini_of_quotients",
    "theil": "theil_t",
    "herfindahl": "herfindahl",
    "herfindahl_normalized": "herfindahl_normalized",
    "entropy": "entropy",
}
Measure: TypeAlias = Callable[[Floats, Floats], Floats]


def regional_specialization(values: pd.DataFrame, reference: pd.Series | None = None) -> pd.DataFrame:
    r"""Measure how far the sector mix of each region departs from the country's, or from evenness.

    With :math:`b_{ij} = q_{ij}/\sum_j q_{ij}` the sector's share of the region, :math:`b_j` its share of the
    reference, :math:`LQ_{ij} = b_{ij}/b_j`, over *k* sectors:

    ===================== ============================================= ================== ==================
    column                formula                                       range              no specialization
    ===================== ============================================= ================== ==================
    krugman               :math:`\sum_j |b_{ij} - b_j|`                 0 to 2(1 − min b)  0, country's mix
    hoover                half of ``krugman``                           0 to 1 − min b     0, country's mix
    hachman               :math:`1 / \sum_j b_{ij} LQ_{ij}`             min b to 1         1, country's mix
    gini_of_quotients     :math:`\sum_{jl} |LQ_j - LQ_l| / (2k\sum LQ)` 0 to 1 − 1/k       0, country's mix
    theil                 :math:`\sum_j b_{ij} \ln(b_{ij}/b_j)`         0 to −ln min b     0, country's mix
    herfindahl            :math:`\sum_j b_{ij}^2`, not normalized       1/k to 1           1/k, even
    herfindahl_normalized :math:`(\sum b^2 - 1/k)/(1 - 1/k)`            0 to 1             0, even
    entropy               :math:`-\sum_j b_{ij}\ln b_{ij}`, in nats     0 to ln k          ln k, even
    ===================== ============================================= ================== ==================

    Hachman and entropy fall as specialization rises; the others rise. All depend on how finely the sectors
    are cut and on which are in the table: these are indices of the mix *within the given sectors*, so leave
    out what is not to be compared. The country contains the region: a large region is pulled towards 0.

    Parameters
    ----------
    values : DataFrame, shape (regions, sectors)
        Volumes or counts, all in one unit.
    reference : Series, optional
        Sector → volume of the economy to compare with, positive; left out, the sum of the regions.

    Returns
    -------
    DataFrame
        Index ``region``; the columns above. Logarithms are natural.

    Raises
    ------
    InputError
        If there is one sector, one region without a reference, a negative or missing cell, a region without
        any activity, or a sector with none in the reference.

    References
    ----------
    Krugman (1991), *Geography and Trade*, p. 76, who compares two regions; here a region and its country, as
    ``EconGeo::krugman_index``. Hoover & Giarratani (1985), *An Introduction to Regional Economics*, table 9-4
    (coefficient of specialization; secondary, through ``EconGeo::spec_coeff``). The Hachman index is the form
    of the Kem C. Gardner Policy Institute, University of Utah (times 100 there).

    Examples
    --------
    >>> jobs = pd.DataFrame({"steel": [30, 10], "software": [10, 30]}, index=["North", "South"])
    >>> regional_specialization(jobs)[["krugman", "hachman", "herfindahl"]]
            krugman  hachman  herfindahl
    region
    North       0.5      0.8       0.625
    South       0.5      0.8       0.625
    """
    table = check_table(values, minimum=0, least_regions=2 if reference is None else 1)
    if table.shape[1] < 2:
        raise InputError(f"A sector mix needs at least two sectors; there is only {listing(table.columns)}.")
    empty = table.index[table.sum(axis=1) == 0]
    if len(empty):
        raise InputError(f"A sector mix needs activity; there is none in {listing(empty)}.")
    mix = (table.T / table.sum(axis=1)).to_numpy()  # sectors × regions
    country = _reference(table, reference)
    national = (country / country.sum()).to_numpy().reshape(-1, 1)
    columns = {name: MEASURES[measure](mix, national) for name, measure in _COLUMNS.items()}
    result = pd.DataFrame(columns, index=table.index.rename("region"))
    result.insert(2, "hachman", 1 / (mix**2 / national).sum(axis=0))
    return result


def _reference(table: pd.DataFrame, reference: pd.Series | None) -> pd.Series:
    if reference is None:
        total = table.sum()
    else:
        check_labels(reference.index, "sector")
        missing = table.columns.difference(reference.index)
        extra = reference.index.difference(table.columns)
        if len(missing) or len(extra):
            raise InputError(
                f"reference must have the sectors of values: it lacks {listing(missing) or 'none'} "
                f"and has {listing(extra) or 'none'} besides."
            )
        total = check_table(reference, name="reference", minimum=0).loc[table.columns].iloc[:, 0]
    if (total == 0).any():
        raise InputError(
            f"Shares cannot be compared where the reference has no {listing(total.index[total == 0])}."
        )
    return total


def krugman(shares: Floats, base: Floats) -> Floats:
    """Sum of absolute differences, from 0 to below 2.

    >>> krugman(np.array([0.75, 0.25]), np.array([0.5, 0.5]))
    np.float64(0.5)
    """
    return _floats(np.abs(shares - base).sum(axis=0))


def hoover(shares: Floats, base: Floats) -> Floats:
    """Half of :func:`krugman`: the part that would have to move, from 0 to below 1."""
    return krugman(shares, base) / 2


def locational_gini(shares: Floats, base: Floats) -> Floats:
    """Twice the area between the diagonal and the Lorenz curve of shares over base shares, from 0 to below 1.

    >>> locational_gini(np.array([0.75, 0.25]), np.array([0.5, 0.5]))
    np.float64(0.25)
    """
    order = np.argsort(shares / base, axis=0)
    heights = np.take_along_axis(shares, order, axis=0)
    widths = np.take_along_axis(np.broadcast_to(base, shares.shape), order, axis=0)
    twice_below = (widths * (2 * heights.cumsum(axis=0) - heights)).sum(axis=0)
    return _floats(np.maximum(1 - twice_below, 0))


def krugman_gini(shares: Floats, base: Floats) -> Floats:
    """The area itself, half of :func:`locational_gini`, from 0 to below 0.5."""
    return locational_gini(shares, base) / 2


def gini_of_quotients(shares: Floats, base: Floats) -> Floats:
    """Gini coefficient of the quotients, every unit weighing the same, from 0 to 1 − 1/n.

    >>> gini_of_quotients(np.array([0.75, 0.25]), np.array([0.5, 0.5]))
    np.float64(0.25)
    """
    quotients = np.sort(shares / base, axis=0)
    n = len(quotients)
    ranks = np.arange(1 - n, n, 2).reshape(-1, *[1] * (quotients.ndim - 1))
    return _floats(np.maximum((ranks * quotients).sum(axis=0) / (n * quotients.sum(axis=0)), 0))


def theil_t(shares: Floats, base: Floats) -> Floats:
    """Sum of s ln(s/x), from 0 to −ln(smallest base share).

    >>> theil_t(np.array([1.0, 0.0]), np.array([0.5, 0.5])).round(4)
    np.float64(0.6931)
    """
    return _floats(np.maximum(rel_entr(shares, base).sum(axis=0), 0))


def theil_l(shares: Floats, base: Floats) -> Floats:
    """Sum of x ln(x/s), from 0; infinite where a unit has base but no activity."""
    return _floats(np.maximum(rel_entr(base, shares).sum(axis=0), 0))


def herfindahl(shares: Floats, base: Floats) -> Floats:  # noqa: ARG001
    """Sum of squared shares, from 1/n to 1; the base plays no part."""
    return _floats((shares**2).sum(axis=0))


def herfindahl_normalized(shares: Floats, base: Floats) -> Floats:
    """:func:`herfindahl` stretched to 0–1."""
    n = len(shares)
    return _floats(np.maximum((herfindahl(shares, base) - 1 / n) / (1 - 1 / n), 0))


def entropy(shares: Floats, base: Floats) -> Floats:  # noqa: ARG001
    """Shannon entropy in nats, from 0 (all in one unit) to ln n (even); the base plays no part.

    >>> entropy(np.array([0.5, 0.5]), np.array([0.9, 0.1])).round(4)
    np.float64(0.6931)
    """
    return _floats(entr(shares).sum(axis=0))


MEASURES: dict[IndexName, Measure] = {
    "hoover": hoover,
    "krugman": krugman,
    "locational_gini": locational_gini,
    "krugman_gini": krugman_gini,
    "gini_of_quotients": gini_of_quotients,
    "theil_t": theil_t,
    "theil_l": theil_l,
    "herfindahl": herfindahl,
    "herfindahl_normalized": herfindahl_normalized,
    "entropy": entropy,
}


def _floats(values: Floats) -> Floats:
    """Give the untyped results of NumPy and SciPy their type back."""
    return values
