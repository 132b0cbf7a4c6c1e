"""Relatedness of sectors by co-occurrence, and how densely a region is filled around a sector."""

from __future__ import annotations

from typing import TypeAlias, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import hypergeom

from spatialkz.errors import InputError, listing
from spatialkz.options import ProximityMethod
from spatialkz.resampling.pvalues import Floats, adjusted
from spatialkz.specialization.indices.dartboard import IndexTest
from spatialkz.specialization.quotients import check_threshold
from spatialkz.tables import check_labels, check_table

Integers: TypeAlias = NDArray[np.int64]


def proximity(
    quotients: pd.DataFrame, threshold: float = 1.0, *, method: ProximityMethod = "conditional"
) -> pd.DataFrame:
    r"""Proximity of every two sectors: how often regions specialized in one are specialized in the other.

    With :math:`M_{ij} = 1` where :math:`LQ_{ij} \ge t`, :math:`C_{jk} = \sum_i M_{ij} M_{ik}` and
    :math:`u_j = \sum_i M_{ij}`,

    .. math:: \phi_{jk} = \min\{P(j|k), P(k|j)\} = \frac{C_{jk}}{\max(u_j, u_k)}
        \qquad \text{or, as cosine,} \qquad \frac{C_{jk}}{\sqrt{u_j u_k}}.

    Between 0 (never together) and 1 (always); 1 on the diagonal. Not normalized for chance: two sectors that
    have nothing to do with each other reach :math:`\min(u_j, u_k)/n` on average over *n* regions, and with
    few regions far more by luck. See :func:`relatedness_test`.

    Parameters
    ----------
    quotients : DataFrame, shape (regions, sectors)
        Location quotients, at least two sectors.
    threshold : float
        The quotient from which a region counts as specialized, positive.
    method : {"conditional", "cosine"}
        The smaller conditional probability, or the cosine of the two columns of :math:`M`.

    Returns
    -------
    DataFrame, shape (sectors, sectors)

    Raises
    ------
    InputError
        If a cell is negative or missing, there is one sector, an option is unknown, or no region is
        specialized in some sector: conditional probabilities are then 0/0. At threshold 1 that cannot happen
        with quotients computed from volumes, whose weighted mean is 1.

    References
    ----------
    Hidalgo, Klinger, Barabási & Hausmann (2007), *Science* 317, 482–487.

    Examples
    --------
    >>> lq = pd.DataFrame({"steel": [2, 1.5, 0], "cars": [1.2, 0, 0.3], "law": [0, 0, 3]}, index=list("abc"))
    >>> proximity(lq)
    sector  steel  cars  law
    sector
    steel     1.0   0.5  0.0
    cars      0.5   1.0  0.0
    law       0.0   0.0  1.0
    """
    if method not in get_args(ProximityMethod):
        raise InputError(f"method is {method!r}; it must be one of {listing(get_args(ProximityMethod))}.")
    specialized = _specialized(quotients, threshold)
    sectors = specialized.columns.rename("sector")
    return pd.DataFrame(_proximities(specialized, method), index=sectors, columns=sectors)


def density(
    quotients: pd.DataFrame, proximity: pd.DataFrame | None = None, threshold: float = 1.0
) -> pd.DataFrame:
    r"""Density of each region around each sector: the share of what is related that the region has.

    .. math:: \omega_{ij} = \frac{\sum_{k \ne j} M_{ik} \phi_{jk}}{\sum_{k \ne j} \phi_{jk}}

    from 0 (nothing related is there) to 1 (all of it). The sector itself is left out of both sums, so that
    density can be compared between regions that have the sector and regions that don't. A sector related to
    no other (:math:`\sum_{k \ne j} \phi_{jk} = 0`) has density 0 in all regions: nothing related is there. A
    region specialized in every other sector has density 1 around it whatever the proximities are, so density
    follows breadth closely where sectors are few.

    Parameters
    ----------
    quotients : DataFrame, shape (regions, sectors)
        Location quotients.
    proximity : DataFrame, shape (sectors, sectors), optional
        Proximities of the same sectors, for instance from a larger economy; left out,
        :func:`proximity` of ``quotients``.
    threshold : float
        The quotient from which a region counts as specialized, positive.

    Returns
    -------
    DataFrame, shape (regions, sectors)

    Raises
    ------
    InputError
        As :func:`proximity`, and if the given proximities are not of these sectors, negative or asymmetric.

    References
    ----------
    Hidalgo, Klinger, Barabási & Hausmann (2007), *Science* 317, 482–487, whose sums do not say whether they
    pass over the sector itself; ``EconGeo`` and ``econcomplex`` leave it out too (and multiply by 100).

    Examples
    --------
    >>> lq = pd.DataFrame({"steel": [2, 1.5, 0], "cars": [1.2, 0, 0.3], "law": [0, 0, 3]}, index=list("abc"))
    >>> density(lq)
    sector  steel  cars  law
    region
    a         1.0   1.0  0.0
    b         0.0   1.0  0.0
    c         0.0   0.0  0.0
    """
    specialized = _specialized(quotients, threshold)
    related = (
        _proximities(specialized, "conditional")
        if proximity is None
        else checked_proximity(proximity, specialized.columns)
    )
    np.fill_diagonal(related, 0)
    present, total = specialized.to_numpy() @ related, related.sum(axis=0)
    cells = np.divide(present, total, out=np.zeros_like(present), where=total > 0)
    return pd.DataFrame(
        cells, index=specialized.index.rename("region"), columns=specialized.columns.rename("sector")
    )


def relatedness_test(quotients: pd.DataFrame, threshold: float = 1.0) -> IndexTest:
    r"""Test every two sectors for being together in more regions than chance would have it.

    Null hypothesis: the regions specialized in one sector are any :math:`u_j` of the *n*, whichever are
    specialized in the other. Permuting each column over the regions, :math:`C_{jk}` is hypergeometric, so the
    p-value is exact and needs no simulation: :math:`p = P(C \ge C_{jk})`. The null lets every region be
    specialized equally often; where a few regions have nearly everything, all pairs look related, and that is
    co-location in broad regions, not relatedness of the two sectors.

    Parameters
    ----------
    quotients : DataFrame, shape (regions, sectors)
        Location quotients, at least two sectors.
    threshold : float
        The quotient from which a region counts as specialized, positive.

    Returns
    -------
    IndexTest
        ``to_frame()`` has index ``(sector, other)``, each pair once, and columns ``together`` (:math:`C`),
        ``expected`` (of C), ``proximity, expected_proximity, standard_deviation`` (of the proximity under the
        null), ``p_value, p_adjusted`` (Benjamini–Hochberg over the pairs).

    Raises
    ------
    InputError
        As :func:`proximity`.

    References
    ----------
    The hypergeometric null of co-occurrence is standard in ecology and bibliometrics; no source is claimed.

    Examples
    --------
    >>> lq = pd.DataFrame({"steel": [2, 1.5, 0, 0], "cars": [1.2, 1, 0.3, 0]}, index=list("abcd"))
    >>> relatedness_test(lq).to_frame()["p_value"].round(4).tolist()
    [0.1667]
    """
    specialized = _specialized(quotients, threshold)
    together, ubiquity = _together(specialized)
    n = len(specialized)
    first, second = np.triu_indices(len(ubiquity), k=1)
    u, v, found = ubiquity[first], ubiquity[second], together[first, second]
    null = hypergeom(n, u, v)
    larger = np.maximum(u, v)
    p_value = np.minimum(null.sf(found - 1), 1)
    table = pd.DataFrame(
        {
            "together": found,
            "expected": null.mean(),
            "proximity": found / larger,
            "expected_proximity": np.minimum(u, v) / n,
            "standard_deviation": null.std() / larger,
            "p_value": p_value,
            "p_adjusted": adjusted(p_value),
        },
        index=pd.MultiIndex.from_arrays(
            [specialized.columns[first], specialized.columns[second]], names=["sector", "other"]
        ),
    )
    return IndexTest(
        table,
        "the regions of one sector are drawn without regard to those of the other.",
        0,
        "greater",
    )


def _specialized(quotients: pd.DataFrame, threshold: float) -> pd.DataFrame:
    table = check_table(quotients, name="quotients", minimum=0)
    if table.shape[1] < 2:
        raise InputError(f"Relatedness needs at least two sectors; there is only {listing(table.columns)}.")
    check_threshold(threshold)
    return (table >= threshold).astype("int64")


def _together(specialized: pd.DataFrame) -> tuple[Integers, Integers]:
    """Numbers of regions specialized in both of two sectors, and in each."""
    cells = specialized.to_numpy()
    ubiquity = cells.sum(axis=0)
    nowhere = specialized.columns[ubiquity == 0]
    if len(nowhere):
        raise InputError(
            f"No region is specialized in {listing(nowhere)} at this threshold, so its relatedness to "
            "other sectors is not defined; lower the threshold or leave the sector out."
        )
    return cells.T @ cells, ubiquity


def _proximities(specialized: pd.DataFrame, method: ProximityMethod) -> Floats:
    together, ubiquity = _together(specialized)
    one, other = ubiquity[:, None], ubiquity[None, :]
    scale = np.maximum(one, other) if method == "conditional" else np.sqrt(one * other)
    return np.asarray(together / scale, dtype=np.float64)


def checked_proximity(proximity: pd.DataFrame, sectors: pd.Index) -> Floats:
    """Proximities in the order of ``sectors``, refused where they are no square table of these."""
    table = check_table(proximity, name="proximity", minimum=0)
    check_labels(table.columns, "sector")
    for labels in (table.index, table.columns):
        differing = sectors.symmetric_difference(labels)
        if len(differing):
            raise InputError(
                f"proximity must have the sectors of the quotients; they differ in {listing(differing)}."
            )
    table = table.loc[sectors, sectors]
    if not np.allclose(table, table.T, rtol=0, atol=1e-9):
        raise InputError("proximity must be symmetric, but it is not.")
    return table.to_numpy(dtype=np.float64, copy=True)
