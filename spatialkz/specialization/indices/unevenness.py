"""How far one distribution of shares departs from another.

The measures behind concentration and specialization.

A sector's shares over the regions beside the base shares of the regions, or a region's shares over the
sectors beside the country's: the same arithmetic. Every measure takes ``shares`` with the units along the
first axis and anything behind it (sectors, simulated tables), and ``base`` that broadcasts against it; both
sum to one along the first axis and ``base`` is positive.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr, rel_entr

from spatialkz.options import IndexName

Floats: TypeAlias = NDArray[np.float64]
Measure: TypeAlias = Callable[[Floats, Floats], Floats]


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
