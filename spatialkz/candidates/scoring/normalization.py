"""Indicators of any unit made comparable: min–max, z, rank, distance to target."""

from __future__ import annotations

from typing import get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from spatialkz.errors import InputError, listing
from spatialkz.options import Normalization
from spatialkz.tables import check_labels, check_table

Floats = npt.NDArray[np.floating]

# Items of drawn tables in single precision from which a compiled sort is loaded.
_COMPILE_FROM = 1000


def check_evidence(evidence: pd.DataFrame, directions: pd.Series) -> tuple[pd.DataFrame, pd.Series]:
    """Evidence as finite floats, and directions in the order of its columns.

    Rows may carry a MultiIndex; it becomes plain tuples.

    Raises
    ------
    InputError
        If evidence is missing, an indicator has no or more than one direction, a direction is not +1 or −1,
        or an indicator does not vary.
    RegionError
        If labels are missing or repeated.

    >>> evidence = pd.DataFrame({"lq": [1, 2], "distance": [5, 5]}, index=["North", "South"])
    >>> check_evidence(evidence, pd.Series({"lq": 1, "distance": -1}))
    Traceback (most recent call last):
    spatialkz.errors.InputError: These indicators are the same for all items, so they cannot rank: distance.
    """
    if isinstance(evidence, pd.DataFrame) and isinstance(evidence.index, pd.MultiIndex):
        evidence = evidence.set_axis(evidence.index.to_flat_index())
    table = check_table(evidence, name="evidence")
    directions = matched(directions, table.columns, "directions")
    wrong = directions[~directions.isin([1, -1])]
    if len(wrong):
        raise InputError(f"directions must be +1 or -1; they are not for {listing(wrong.index)}.")
    constant = table.columns[table.nunique() == 1]
    if len(constant):
        raise InputError(
            f"These indicators are the same for all items, so they cannot rank: {listing(constant)}."
        )
    return table, directions


def matched(values: pd.Series, indicators: pd.Index, name: str) -> pd.Series:
    """A number for each indicator, in their order.

    >>> matched(pd.Series({"b": 2, "a": 1}), pd.Index(["a", "b"]), "weights").tolist()
    [1.0, 2.0]
    """
    if not isinstance(values, pd.Series):
        raise InputError(f"{name} must be a pandas Series by indicator, not {type(values).__name__}.")
    check_labels(values.index, f"{name} indicator")
    for complaint, labels in (
        (f"{name} name indicators that the evidence lacks", values.index.difference(indicators)),
        (f"{name} lack indicators of the evidence", indicators.difference(values.index)),
    ):
        if len(labels):
            raise InputError(f"{complaint}: {listing(labels)}.")
    values = values.loc[indicators].astype("float64")
    if not np.isfinite(values.to_numpy()).all():
        missing = values.index[~np.isfinite(values.to_numpy())]
        raise InputError(f"{name} must be finite; it is not for {listing(missing)}.")
    return values


def normalize(
    evidence: pd.DataFrame,
    directions: pd.Series,
    method: Normalization = "rank",
    *,
    targets: pd.Series | None = None,
) -> pd.DataFrame:
    r"""Evidence on a common scale, more being better everywhere.

    With *x* the value of an item, times −1 where less is better, over *n* items:

    - ``rank``: :math:`(r - 1) / (n - 1)`, *r* the rank from below, tied items share the mean rank;
    - ``minmax``: :math:`(x - \min x) / (\max x - \min x)`;
    - ``z``: :math:`(x - \bar x) / s`, with the standard deviation *s* of all items (divisor *n*);
    - ``target``: :math:`x / t`, and :math:`t / x` where less is better (*x* then unsigned). The target *t* is
      that of ``targets``, else the best value there is. Not capped: an item beyond the target gets more
      than 1. Targets given do not depend on which items are in the list; with a target of 1 evidence stays
      as it is.

    Parameters
    ----------
    evidence : DataFrame
        Rows are items, columns indicators.
    directions : Series
        Indicator → +1 (more is better) or −1 (less is better).
    method : {"rank", "minmax", "z", "target"}
    targets : Series, optional
        Indicator → target, in the indicator's unit, above 0.

    Returns
    -------
    DataFrame
        Labelled as the evidence.

    Raises
    ------
    InputError
        As :func:`check_evidence`; if ``target`` meets a negative value, or one of 0 where less is better; if
        targets are given to another method.

    References
    ----------
    OECD & JRC (2008), *Handbook on Constructing Composite Indicators*, step 5 (normalisation).

    Examples
    --------
    >>> evidence = pd.DataFrame({"lq": [1, 2, 5], "distance": [30, 10, 10]}, index=["North", "South", "West"])
    >>> normalize(evidence, pd.Series({"lq": 1, "distance": -1}))
           lq  distance
    North  0.0      0.00
    South  0.5      0.75
    West   1.0      0.75
    """
    table, oriented = check_evidence(evidence, directions)
    if method == "target":
        check_ratios(table, oriented)
    goal = None if targets is None else _check_targets(targets, table.columns, method)
    values = normalized(table.to_numpy().T, oriented.to_numpy(), method, goal)
    return pd.DataFrame(values.T, index=evidence.index, columns=table.columns)


def normalized(
    values: Floats,
    directions: npt.NDArray[np.float64],
    method: Normalization,
    targets: npt.NDArray[np.float64] | None = None,
) -> Floats:
    """Normalize many drawn tables at once.

    An indicator that does not vary in a draw says nothing there: all items get the same value.

    Parameters
    ----------
    values : array, shape (…, indicators, items)
        Items last: statistics over the items then run along memory.
    directions : array, shape (indicators,)
    method : {"rank", "minmax", "z", "target"}
    targets : array, shape (indicators,), optional

    Returns
    -------
    array, shape (…, indicators, items)

    >>> normalized(np.array([[1.0, 3.0, 2.0]]), np.array([1.0]), "minmax")
    array([[0. , 1. , 0.5]])
    """
    sign = directions[:, None].astype(values.dtype)
    if method == "target":
        return _ratios(values, sign, targets)
    if method not in get_args(Normalization):
        raise InputError(
            f"normalization is {method!r}; it must be one of {listing(get_args(Normalization))}."
        )
    values = values * sign
    if method == "rank":
        return mid_ranks(values)
    low, high = values.min(axis=-1, keepdims=True), values.max(axis=-1, keepdims=True)
    flat = high == low
    if method == "minmax":
        values -= low
        values /= np.where(flat, 1, high - low)
        values += np.where(flat, values.dtype.type(0.5), 0)
    else:
        values -= values.mean(axis=-1, keepdims=True)
        values /= np.where(flat, 1, values.std(axis=-1, keepdims=True))
    return values


def mid_ranks(values: Floats) -> Floats:
    """(Mean rank from below − 1) / (n − 1) along the last axis: 0 the smallest, 1 the largest.

    >>> mid_ranks(np.array([4.0, 7.0, 7.0, 9.0, 1.0]))
    array([0.25 , 0.625, 0.625, 1.   , 0.   ])
    """
    n = values.shape[-1]
    if values.dtype == np.float32 and n >= _COMPILE_FROM:
        from spatialkz.candidates.scoring import kernels

        rows = np.ascontiguousarray(values).reshape(-1, n)
        found = np.empty_like(rows)
        kernels.mid_ranks(rows, rows.view(np.uint32), found)
        return found.reshape(values.shape)
    order = np.argsort(values, axis=-1)
    ordered = np.take_along_axis(values, order, axis=-1)
    share = (np.arange(n) / (n - 1)).astype(values.dtype)
    same = ordered[..., 1:] == ordered[..., :-1]
    if not same.any():
        shares = np.broadcast_to(share, values.shape)
    else:
        # Positions of the first and the last of each run of equal values; a run shares their mean.
        place = np.arange(n)
        starts = np.insert(~same, 0, True, axis=-1)
        ends = np.insert(~same, n - 1, True, axis=-1)
        first = np.maximum.accumulate(np.where(starts, place, 0), axis=-1)
        last = np.minimum.accumulate(np.where(ends, place, n)[..., ::-1], axis=-1)[..., ::-1]
        shares = ((first + last) / (2 * (n - 1))).astype(values.dtype)
    result = np.empty_like(values)
    np.put_along_axis(result, order, shares, axis=-1)
    return result


def _ratios(values: Floats, sign: Floats, targets: npt.NDArray[np.float64] | None) -> Floats:
    """Distance to target as a ratio."""
    up = sign > 0
    if values.min() < 0 or (values.min(axis=-1, keepdims=True) <= 0)[..., ~up[:, 0], :].any():
        raise InputError(
            "Normalization by target needs evidence that is never negative, and above 0 where less is "
            "better; the drawn evidence is not."
        )
    if targets is None:
        best = np.where(up, values.max(axis=-1, keepdims=True), values.min(axis=-1, keepdims=True))
    else:
        best = targets[:, None].astype(values.dtype)
    best = np.where(best == 0, 1, best).astype(values.dtype)  # all are 0: the indicator says nothing
    return np.where(up, values / best, best / np.where(up, 1, values))


def check_ratios(table: pd.DataFrame, directions: pd.Series) -> None:
    """Refuse evidence that a ratio to a target would turn around."""
    least = table.min()
    wrong = least.index[(least < 0) | ((least == 0) & (directions < 0))]
    if len(wrong):
        raise InputError(
            "Normalization by target needs evidence that is never negative, and above 0 where less is "
            f"better, it is not in {listing(wrong)}."
        )


def _check_targets(targets: pd.Series, indicators: pd.Index, method: str) -> npt.NDArray[np.float64]:
    """Targets in the order of the indicators."""
    if method != "target":
        raise InputError(f"targets are given, but normalization by {method!r} uses none.")
    goal = matched(targets, indicators, "targets")
    if (goal <= 0).any():
        raise InputError(f"targets must be above 0; they are not for {listing(goal.index[goal <= 0])}.")
    return goal.to_numpy()
