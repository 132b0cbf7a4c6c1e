"""Weights of indicators, and one score from many: means, distance to the ideal, pairwise majorities."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from spatialkz.candidates.scoring.normalization import Floats, matched, normalize
from spatialkz.errors import InputError, is_number, listing
from spatialkz.options import Aggregation, Normalization, Weighting

# The smallest value a geometric mean meets, where 1 is the largest.
FLOOR = 0.01
# Weight of two sides of a pair that counts as equal.
_TIE = 1e-6
# Additions above which the compiled majority count earns back what loading it takes; cells held at once.
_COMPILE_FROM, _BLOCK_CELLS = 100_000_000, 2_000_000
Weights: TypeAlias = Weighting | pd.Series
# Weights of the benefit of the doubt may lie between half and twice the equal weight.
BOD_BOUNDS = (0.5, 2.0)


def score(
    evidence: pd.DataFrame,
    directions: pd.Series,
    *,
    normalization: Normalization = "rank",
    weights: Weights = "equal",
    aggregation: Aggregation = "arithmetic",
    targets: pd.Series | None = None,
    bounds: tuple[float, float] = BOD_BOUNDS,
    floor: float = FLOOR,
) -> pd.Series:
    r"""Composite score of each item.

    The default is the mean rank (Borda's count), argued for before any result was seen:

    - *Ranks*, because quotients, shares and counts are skewed and in different units. No monotone change of
      an indicator (a quotient, its logarithm, LQ / (1 + LQ)) changes a rank, so a choice that has no right
      answer has no effect, and one extreme quotient does not press all others together, as it does in
      min–max values. The price: distances are lost, and close values count as much as far ones. How close
      they are is what :func:`rank_uncertainty` puts back.
    - *Equal weights*, because 17 regions are too few to estimate weights from, statistical weights measure
      redundancy or spread and not importance, and no experts were asked.
    - *Arithmetic*, because a geometric mean needs positive values, and the floor that makes them so decides
      how hard the last place is punished. The price: strength in one indicator makes up for weakness in
      another. Geometric means, TOPSIS and Copeland's majorities allow less of that, and enter the
      uncertainty of the ranks on equal terms.

    With *v* the normalized values and *w* the weights, which sum to 1:

    - ``arithmetic``: :math:`\sum_k w_k v_{ik}`.
    - ``geometric``: :math:`\prod_k u_{ik}^{w_k}`, :math:`u = f + (1 - f)(v - l)/(h - l)`, *h* the largest of
      all normalized values, *l* the smallest of them and 0, *f* the ``floor``: one shift and one scale for
      all indicators, so that 0 no longer decides all.
    - ``topsis``: :math:`d^-_i / (d^+_i + d^-_i)`, Euclidean distances of the weighted values
      :math:`w_k v_{ik}` from the worst and the best value of each indicator (Hwang & Yoon 1981).
    - ``copeland``: (majorities won − lost) / (n − 1). Item *i* wins against *j* if the indicators in which it
      is ahead weigh more than those in which it is behind. Only the order within an indicator counts, so
      normalization does not matter.

    Parameters
    ----------
    evidence : DataFrame
        Rows are items (a label or a MultiIndex), columns indicators.
    directions : Series
        Indicator → +1 (more is better) or −1 (less is better).
    normalization : {"rank", "minmax", "z", "target"}
        See :func:`normalize`.
    weights : {"equal", "pca", "entropy", "bod"} or Series
        See :func:`indicator_weights`; ``bod`` is the :func:`benefit_of_the_doubt`, which aggregates by itself
        and goes with ``arithmetic``.
    aggregation : {"arithmetic", "geometric", "topsis", "copeland"}
    targets : Series, optional
        Indicator → target, for ``target``.
    bounds : (float, float)
        Smallest and largest weight of ``bod`` as multiples of the equal weight.
    floor : float
        For ``geometric``, in [0, 1); with 0 an item that is last in an indicator may score 0.

    Returns
    -------
    Series
        Item → score, more is better.

    Raises
    ------
    InputError
        If evidence is missing, an indicator does not vary or has no direction, weights are negative or name
        an unknown indicator, or options do not go together.

    References
    ----------
    OECD & JRC (2008), *Handbook on Constructing Composite Indicators*, steps 5–6; Hwang & Yoon (1981),
    *Multiple Attribute Decision Making*; Munda & Nardo (2009), *Applied Economics* 41, 1513–1523
    (majorities).

    Examples
    --------
    >>> evidence = pd.DataFrame({"lq": [3.0, 2.0, 1.0], "share": [0.1, 0.5, 0.3], "distance": [90, 20, 40]},
    ...                         index=["North", "South", "West"])
    >>> score(evidence, pd.Series({"lq": 1, "share": 1, "distance": -1})).round(3).to_dict()
    {'North': 0.333, 'South': 0.833, 'West': 0.333}
    """
    if aggregation not in AGGREGATIONS:
        raise InputError(f"aggregation is {aggregation!r}; it must be one of {listing(AGGREGATIONS)}.")
    if not is_number(floor) or not 0 <= floor < 1:
        raise InputError(f"floor is {floor}; it must be at least 0 and below 1.")
    values = normalize(evidence, directions, normalization, targets=targets)
    if isinstance(weights, str) and weights == "bod":
        if aggregation != "arithmetic":
            raise InputError(f"weights 'bod' already give the score; aggregation cannot be {aggregation!r}.")
        return benefit_of_the_doubt(values, bounds)[0]
    weighed = indicator_weights(values, weights).to_numpy()
    cells = np.ascontiguousarray(values.to_numpy().T)[None]
    if aggregation == "geometric":
        scores = geometric(cells, weighed[None], floor)
    else:
        scores = AGGREGATIONS[aggregation](cells, weighed[None])
    return pd.Series(scores[0], index=evidence.index, name="score")


def arithmetic(values: Floats, weights: Floats) -> Floats:
    """Weighted mean; values (draws, indicators, items), weights (draws, indicators) → (draws, items).

    >>> arithmetic(np.array([[[0.0, 1.0], [1.0, 1.0]]]), np.array([[0.25, 0.75]]))
    array([[0.75, 1.  ]])
    """
    mean: Floats = (weights[:, None, :] @ values)[:, 0]
    return mean


def geometric(values: Floats, weights: Floats, floor: float = FLOOR) -> Floats:
    """Weighted geometric mean of values brought to [floor, 1] by one shift and scale for each draw.

    >>> geometric(np.array([[[0.0, 1.0], [1.0, 1.0]]]), np.array([[0.5, 0.5]]), 0.01)
    array([[0.1, 1. ]])
    """
    low = np.minimum(values.min(axis=(1, 2), keepdims=True), 0)
    span = values.max(axis=(1, 2), keepdims=True) - low
    scale = (1 - floor) / np.where(span == 0, 1, span)
    shifted = (values - low) * scale.astype(values.dtype)
    shifted += floor
    with np.errstate(divide="ignore"):  # log 0 where floor is 0: the mean is 0, unless the weight is
        logs = np.log(shifted, out=shifted)
    if floor == 0:
        logs = np.where(weights[:, :, None] == 0, 0, logs)
    return np.exp(arithmetic(logs, weights))


def topsis(values: Floats, weights: Floats) -> Floats:
    """Closeness to the ideal item; shapes as for :func:`arithmetic`.

    >>> topsis(np.array([[[0.0, 1.0, 0.5], [0.0, 1.0, 0.5]]]), np.array([[0.5, 0.5]]))
    array([[0. , 1. , 0.5]])
    """
    squared = weights * weights
    apart = [
        np.sqrt(arithmetic(np.square(values - end(values, axis=2, keepdims=True)), squared))
        for end in (np.min, np.max)
    ]
    total = apart[0] + apart[1]
    return np.where(total == 0, 0.5, apart[0] / np.where(total == 0, 1, total)).astype(values.dtype)


def copeland(values: Floats, weights: Floats) -> Floats:
    """Majorities won minus lost, divided by n − 1; shapes as for :func:`arithmetic`.

    Two of three indicators make a majority:

    >>> values = np.array([[[2.0, 1.0, 0.0], [2.0, 1.0, 0.0], [0.0, 1.0, 2.0]]])
    >>> copeland(values, np.full((1, 3), 1 / 3))
    array([[ 1.,  0., -1.]])
    """
    draws, m, n = values.shape
    result = np.empty((draws, n), dtype=values.dtype)
    if draws * m * n * n > _COMPILE_FROM:
        from spatialkz.candidates.scoring.kernels import majorities

        majorities(values.astype(np.float32), weights.astype(np.float32), np.float32(_TIE), result)
    else:
        block = max(1, _BLOCK_CELLS // (n * n))
        for start in range(0, draws, block):
            part = slice(start, start + block)
            lead = np.zeros((len(values[part]), n, n), dtype=values.dtype)
            for k in range(m):
                own = values[part, k]
                ahead = own[:, :, None] > own[:, None, :]
                lead += np.where(ahead, weights[part, k, None, None], 0)
            lead -= lead.transpose(0, 2, 1).copy()
            result[part] = (lead > _TIE).sum(axis=2) - (lead < -_TIE).sum(axis=2, dtype=np.int64)
    result /= n - 1
    return result


AGGREGATIONS: dict[str, Callable[[Floats, Floats], Floats]] = {
    "arithmetic": arithmetic,
    "geometric": geometric,
    "topsis": topsis,
    "copeland": copeland,
}


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


def expert_weights(weights: pd.Series, indicators: pd.Index) -> npt.NDArray[np.float64]:
    """Experts' weights in the order of the indicators, with sum 1."""
    given = matched(weights, indicators, "weights")
    if (given < 0).any():
        raise InputError(f"weights must not be negative, but they are for {listing(given.index[given < 0])}.")
    if given.sum() <= 0:
        raise InputError("weights are all 0; at least one indicator needs a weight above 0.")
    return np.asarray(given / given.sum())


def _communality(cells: Floats) -> npt.NDArray[np.float64]:
    values, vectors = np.linalg.eigh(np.atleast_2d(np.corrcoef(cells, rowvar=False)))
    kept = values >= 1 - 1e-9  # the largest is at least 1, their mean
    communality: Floats = (vectors[:, kept] ** 2) @ values[kept]
    return np.asarray(communality / communality.sum())


def _entropy(cells: Floats) -> npt.NDArray[np.float64]:
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
