"""Weights of indicators: equal, by experts, from the data, and each item's own benefit of the doubt."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from spatialkz.candidates.normalization import matched
from spatialkz.errors import InputError, listing
from spatialkz.options import Weighting

Weights: TypeAlias = Weighting | pd.Series
Floats = npt.NDArray[np.float64]

# Weights of the benefit of the doubt may lie between half and twice the equal weight.
BOD_BOUNDS = (0.5, 2.0)


def indicator_weights(normalized: pd.DataFrame, weights: Weights = "equal") -> pd.Series:
    r"""Weights that sum to 1, one for each indicator.

    - ``equal``: 1 / *m*.
    - ``pca``: proportional to the communality :math:`\sum_c \lambda_c v_{kc}^2` of indicator *k*, the share
      of its variance that the principal components of the correlation matrix with eigenvalue
      :math:`\lambda_c \geq 1` explain. A varimax rotation would not change it. It rewards indicators that
      go along with others, which is redundancy, not importance.
    - ``entropy``: proportional to :math:`1 - e_k`, :math:`e_k = -\sum_i p_{ik} \ln p_{ik} / \ln n` with
      :math:`p_{ik}` the item's share of the indicator's min–max values: unequally spread indicators weigh
      more.
    - a Series by indicator: experts' weights, divided by their sum.

    Estimated weights (``pca``, ``entropy``) are noisy for few items, and say nothing about importance.

    Parameters
    ----------
    normalized : DataFrame
        Rows are items, columns indicators, more being better.
    weights : {"equal", "pca", "entropy"} or Series

    Returns
    -------
    Series
        Indicator → weight.

    Raises
    ------
    InputError
        If weights are negative, all 0, missing, or name an unknown indicator.

    References
    ----------
    OECD & JRC (2008), *Handbook on Constructing Composite Indicators*, step 6 (weighting); Zeleny (1982),
    *Multiple Criteria Decision Making* (entropy).

    Examples
    --------
    >>> values = pd.DataFrame({"a": [0, 0.5, 1], "b": [0, 0, 1], "c": [1, 0, 0.5]})
    >>> indicator_weights(values, "entropy").round(3).to_dict()
    {'a': 0.228, 'b': 0.543, 'c': 0.228}
    >>> indicator_weights(values, pd.Series({"a": 2, "b": 1, "c": 1})).tolist()
    [0.5, 0.25, 0.25]
    """
    cells = normalized.to_numpy(dtype=np.float64)
    if isinstance(weights, pd.Series):
        found = expert_weights(weights, normalized.columns)
    elif weights == "equal":
        found = np.full(cells.shape[1], 1 / cells.shape[1])
    elif weights == "pca":
        found = _communality(cells)
    elif weights == "entropy":
        found = _entropy(cells)
    else:
        raise InputError(
            f"weights is {weights!r}; it must be a Series or one of {listing(['equal', 'pca', 'entropy'])}."
        )
    return pd.Series(found, index=normalized.columns, name="weight")


def expert_weights(weights: pd.Series, indicators: pd.Index) -> Floats:
    """Experts' weights in the order of the indicators, with sum 1."""
    given = matched(weights, indicators, "weights")
    if (given < 0).any():
        raise InputError(f"weights must not be negative, but so are {listing(given.index[given < 0])}.")
    if given.sum() <= 0:
        raise InputError("weights are all 0; at least one indicator must weigh.")
    return np.asarray(given / given.sum())


def _communality(cells: Floats) -> Floats:
    values, vectors = np.linalg.eigh(np.atleast_2d(np.corrcoef(cells, rowvar=False)))
    kept = values >= 1 - 1e-9  # the largest is at least 1, their mean
    communality: Floats = (vectors[:, kept] ** 2) @ values[kept]
    return np.asarray(communality / communality.sum())


def _entropy(cells: Floats) -> Floats:
    cells = (cells - cells.min(axis=0)) / np.ptp(cells, axis=0)
    share = cells / cells.sum(axis=0)
    logs = np.log(share, out=np.zeros_like(share), where=share > 0)
    told = 1 + (share * logs).sum(axis=0) / np.log(len(cells))
    return np.asarray(told / told.sum())


def benefit_of_the_doubt(
    normalized: pd.DataFrame, bounds: tuple[float, float] = BOD_BOUNDS
) -> tuple[pd.Series, pd.DataFrame]:
    r"""Score each item by the weights that suit it best.

    For each item *i* the linear program

    .. math:: \max_w \sum_k w_k v_{ik} \quad\text{subject to}\quad \sum_k w_k v_{jk} \leq 1 \;\forall j,
              \quad \frac{a}{m} \leq \frac{w_k}{\sum_l w_l} \leq \frac{b}{m}

    so that no item scores above 1 with anyone's weights, and an item below 1 is behind even by its own. The
    bounds keep an item from resting on the one indicator it is best in; with (0, *m*) there are none.

    Parameters
    ----------
    normalized : DataFrame
        Rows are items, columns indicators, not negative, more being better.
    bounds : (float, float)
        *a* and *b*: smallest and largest weight as multiples of the equal weight, 0 ≤ a ≤ 1 ≤ b.

    Returns
    -------
    scores : Series
        In [0, 1].
    weights : DataFrame
        Each item's own weights, divided by their sum; equal for an item of zeros, which any weights suit.

    Raises
    ------
    InputError
        If a value is negative, no item has a positive value, or the bounds leave out equal weights.

    References
    ----------
    Cherchye, Moesen, Rogge & Van Puyenbroeck (2007), *Social Indicators Research* 82, 111–145, eq. 3.

    Examples
    --------
    >>> values = pd.DataFrame({"a": [1, 0, 0.4], "b": [0, 1, 0.4]}, index=["North", "South", "West"])
    >>> scores, weights = benefit_of_the_doubt(values, (0, 2))
    >>> scores.round(3).to_dict()
    {'North': 1.0, 'South': 1.0, 'West': 0.8}
    """
    from scipy.optimize import linprog

    low, high = bounds
    if not 0 <= low <= 1 <= high:
        raise InputError(f"bounds are {low:g} and {high:g}; 0 ≤ low ≤ 1 ≤ high is expected.")
    cells = normalized.to_numpy(dtype=np.float64)
    if cells.min() < 0 or cells.max() <= 0:
        raise InputError(
            "The benefit of the doubt needs normalized values that are not negative and not all 0; "
            "normalize by rank, minmax or target."
        )
    m = cells.shape[1]
    mean = np.full((m, m), 1 / m)
    limits = np.vstack([cells, low * mean - np.eye(m), np.eye(m) - high * mean])
    bound = np.repeat([1.0, 0.0], [len(cells), 2 * m])
    found = []
    for row in cells:
        solved = linprog(-row, limits, bound, method="highs")
        if solved.status != 0:
            raise InputError(f"The weights of the benefit of the doubt were not found: {solved.message}")
        found.append(solved.x)
    own = np.array(found)
    scores = pd.Series((own * cells).sum(axis=1), index=normalized.index, name="score")
    own[cells.max(axis=1) == 0] = 1  # an item of zeros scores 0 by any weights; let them be equal
    shares = own / own.sum(axis=1, keepdims=True)
    return scores, pd.DataFrame(shares, index=normalized.index, columns=normalized.columns)
