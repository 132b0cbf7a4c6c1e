"""How well clusters survive resampling of the regions, and the loss of a region or a sector."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spatialkz.clustering.partition.labels import (
    Labels,
    Member,
    check_k,
    check_partition,
    distinct_groups,
    distinct_rows,
    membership,
)
from spatialkz.clustering.partition.methods import Grouping, Refit
from spatialkz.errors import InputError, listing
from spatialkz.options import PartitionMethod, StabilityMethod
from spatialkz.randomness import generator
from spatialkz.resampling.pvalues import check_number
from spatialkz.results import Result, json_ready
from spatialkz.tables import check_table

_Fit: TypeAlias = Callable[[pd.DataFrame], Labels]
# Resamples drawn until one has as many different regions as there are clusters.
_PATIENCE = 100
# Hennig (2007): at most half alike is dissolved; fpc::clusterboot calls three quarters recovered.
DISSOLVED, RECOVERED = 0.5, 0.75


@dataclass(frozen=True, repr=False)
class ClusterStability(Result):
    """Result of :func:`bootstrap_stability`, :func:`leave_one_region_out`, :func:`leave_one_sector_out`.

    Attributes
    ----------
    jaccard : DataFrame
        Rows are resamples, or the regions or sectors left out; columns are clusters. Similarity of the
        cluster to its nearest cluster, 0–1; missing where no member of the cluster was left to find.
    method : str
        ``bootstrap``, ``leave-one-region-out`` or ``leave-one-sector-out``.
    """

    jaccard: pd.DataFrame
    method: StabilityMethod

    def to_frame(self) -> pd.DataFrame:
        """One row for each cluster.

        Columns ``mean, minimum, worst`` (the resample, region or sector behind the minimum), ``dissolved``
        and ``recovered`` (numbers of refits with similarity ≤ 0.5 and ≥ 0.75) and ``refits`` (those in
        which the cluster had a member).
        """
        return pd.DataFrame(
            {
                "mean": self.jaccard.mean(),
                "minimum": self.jaccard.min(),
                "worst": self.jaccard.idxmin(),
                "dissolved": (self.jaccard <= DISSOLVED).sum(),
                "recovered": (self.jaccard >= RECOVERED).sum(),
                "refits": self.jaccard.count(),
            }
        )

    def dissolving(self) -> pd.Series:
        """What dissolves which cluster: (left out, cluster) → similarity ≤ 0.5, the least first."""
        pairs = pd.MultiIndex.from_product([self.jaccard.index, self.jaccard.columns])
        long = pd.Series(self.jaccard.to_numpy().ravel(), index=pairs, name="jaccard")
        return long[long <= DISSOLVED].sort_values(kind="stable")

    def to_dict(self) -> dict[str, object]:
        """Method, the frame by cluster and every similarity, ready for JSON."""
        return {
            "method": self.method,
            "clusters": json_ready(self.to_frame()),
            "jaccard": json_ready(self.jaccard),
        }

    def summary(self) -> str:
        """Mean and least similarity of each cluster, and what dissolves it."""
        lines, dissolving = [f"Jaccard similarity, {self.method}"], self.dissolving()
        for cluster, row in self.to_frame().iterrows():
            line = f"  {cluster}: mean {row['mean']:.2f}, least {row['minimum']:.2f} ({row['worst']})"
            if self.method != "bootstrap":
                culprits = [left for left, name in dissolving.index if name == cluster]
                line += f"; dissolved without {listing(culprits)}" if culprits else ""
            lines.append(line)
        return "\n".join(lines)


def nearest_jaccard(member: Member, found: Labels) -> NDArray[np.float64]:
    r"""Similarity of each cluster to the most similar cluster of another partition of the same regions.

    .. math:: \gamma(C) = \max_D \frac{|C \cap D|}{|C \cup D|}

    Parameters
    ----------
    member : array of bool, shape (regions, clusters)
        Who is in which of the clusters judged.
    found : array, shape (regions,)
        Labels of the other partition.

    Returns
    -------
    array, shape (clusters,)
        Missing for a cluster without a member: there is nothing to find again.

    References
    ----------
    Hennig (2007), *Computational Statistics & Data Analysis* 52, 258–271.

    Examples
    --------
    >>> member = np.array([[True, False], [True, False], [False, True]])
    >>> nearest_jaccard(member, np.array([0, 1, 1]))
    array([0.5, 0.5])
    """
    again = membership(found)[1]
    shared = member.T.astype(np.float64) @ again
    sizes = member.sum(axis=0)
    jaccard: NDArray[np.float64] = (shared / (sizes[:, None] + again.sum(axis=0) - shared)).max(axis=1)
    return np.where(sizes > 0, jaccard, np.nan)


def bootstrap_stability(
    features: pd.DataFrame,
    labels: pd.Series,
    *,
    method: PartitionMethod | Grouping,
    k: int | None = None,
    resamples: int = 100,
    rng: int | np.random.Generator | None = None,
) -> ClusterStability:
    """Similarity of each cluster to its nearest cluster in bootstrap resamples of the regions.

    A region drawn more than once weighs more in the refit, but counts once in the similarity. A resample
    with fewer distinct regions than clusters is drawn again; one without a member of a cluster says nothing
    of it (``fpc::clusterboot`` counts 0, which punishes small clusters for not being drawn).

    Parameters
    ----------
    features : DataFrame
        What was clustered; rows are regions.
    labels : Series
        Region → cluster, in any order: the partition judged.
    method : str or callable
        The method that made ``labels``: ``kmeans``, ``ward``, ``average``, ``complete``, ``mixture``; or a
        function of a table and k that returns a Series, region → cluster, as one needs for a graph.
    k : int, optional
        Number of clusters asked of the method; left out, as many as in ``labels``.
        In a resample the regions are numbered, as one can be drawn twice.
    resamples : int
    rng : int, Generator or None
        Seed of the resamples, and of the method.

    Returns
    -------
    ClusterStability

    Raises
    ------
    InputError
        If there are more clusters than distinct regions, or a cluster was in no resample.
    RegionError
        If labels and features differ in their regions.

    References
    ----------
    Hennig (2007), *Computational Statistics & Data Analysis* 52, 258–271.

    Examples
    --------
    >>> features = pd.DataFrame({"a": [0, 0.1, 0.3, 5, 5.1, 5.4]}, index=list("uvwxyz"))
    >>> labels = pd.Series([2, 2, 2, 1, 1, 1], index=features.index)
    >>> found = bootstrap_stability(features, labels, method="ward", rng=1)
    >>> found.to_frame()["mean"].round(2).to_dict()
    {1: 1.0, 2: 1.0}
    """
    check_number(resamples, "resamples", 1)
    table, names, member = _prepared(features, labels)
    fit = partial(Refit.of(method, rng).labels, k=_number(k, names, table))
    draws = _bootstrap(table, member, fit, resamples, generator(rng, "bootstrap_stability"))
    jaccard = pd.DataFrame(draws, columns=pd.Index(names, name="cluster"))
    return ClusterStability(jaccard.rename_axis(index="resample"), "bootstrap")


def leave_one_region_out(
    features: pd.DataFrame,
    labels: pd.Series,
    *,
    method: PartitionMethod | Grouping,
    k: int | None = None,
    rng: int | np.random.Generator | None = None,
) -> ClusterStability:
    """Similarity of each cluster to its nearest cluster when one region is left out, for each region.

    The region left out counts neither in the cluster nor in what is found, so a cluster does not suffer from
    the loss as such, only from what the loss does to the others. With few regions this is the whole
    neighborhood of the sample, and nothing in it is random.

    Parameters
    ----------
    features : DataFrame
        What was clustered; rows are regions, columns sectors.
    labels : Series
        Region → cluster, in any order: the partition judged.
    method : str or callable
        The method that made ``labels``: ``kmeans``, ``ward``, ``average``, ``complete``, ``mixture``; or a
        function of a table and k that returns a Series, region → cluster, as one needs for a graph.
    k : int, optional
        Number of clusters asked of the method; left out, as many as in ``labels``.
    rng : int, Generator or None
        Seed of the method.

    Returns
    -------
    ClusterStability
        ``jaccard`` has a row for each region; a cluster of one region is missing in that region's row.

    Raises
    ------
    InputError
        If the regions left differ in fewer points than there are clusters, naming the one left out.
    RegionError
        If labels and features differ in their regions.

    References
    ----------
    Hennig (2007), *Computational Statistics & Data Analysis* 52, 258–271 (the similarity).

    Examples
    --------
    Without ``w`` nothing holds the chain together:

    >>> from scipy.cluster.hierarchy import fcluster, linkage
    >>> features = pd.DataFrame({"a": [0, 1, 2.1, 3.1, 9]}, index=list("uvwxz"))
    >>> labels = pd.Series([1, 1, 1, 1, 2], index=features.index)
    >>> def single(table, k):
    ...     return pd.Series(fcluster(linkage(table, "single"), 1.5, "distance"), index=table.index)
    >>> leave_one_region_out(features, labels, method=single).jaccard[1].round(2).to_dict()
    {'u': 1.0, 'v': 0.67, 'w': 0.67, 'x': 1.0, 'z': 1.0}
    """
    table, names, member = _prepared(features, labels)
    fit = partial(Refit.of(method, rng).labels, k=_number(k, names, table))
    kept = ~np.eye(len(table), dtype=np.bool_)
    rows = [nearest_jaccard(member[keep], _refit(table[keep], member[keep], fit)) for keep in kept]
    return _left_out(rows, features.index, table.index, names, "leave-one-region-out")


def leave_one_sector_out(
    features: pd.DataFrame,
    labels: pd.Series,
    *,
    method: PartitionMethod | Grouping,
    k: int | None = None,
    rng: int | np.random.Generator | None = None,
) -> ClusterStability:
    """Similarity of each cluster to its nearest cluster when one sector is left out, for each sector.

    Parameters
    ----------
    features : DataFrame
        What was clustered; rows are regions, columns sectors, at least two.
    labels : Series
        Region → cluster, in any order: the partition judged.
    method : str or callable
        The method that made ``labels``: ``kmeans``, ``ward``, ``average``, ``complete``, ``mixture``; or a
        function of a table and k that returns a Series, region → cluster, as one needs for a graph.
    k : int, optional
        Number of clusters asked of the method; left out, as many as in ``labels``.
    rng : int, Generator or None
        Seed of the method.

    Returns
    -------
    ClusterStability
        ``jaccard`` has a row for each sector.

    Raises
    ------
    InputError
        If there is one sector, or without one the regions differ in fewer points than there are clusters.
    RegionError
        If labels and features differ in their regions.

    Examples
    --------
    >>> features = pd.DataFrame({"a": [0, 0, 9, 9], "b": [0, 1, 0, 1]}, index=list("wxyz"))
    >>> labels = pd.Series([1, 1, 2, 2], index=features.index)
    >>> leave_one_sector_out(features, labels, method="ward").dissolving().round(2).to_dict()
    {('a', 1): 0.33, ('a', 2): 0.33}
    """
    table, names, member = _prepared(features, labels)
    if table.shape[1] < 2:
        raise InputError("features have one column; leaving a sector out needs at least 2.")
    fit = partial(Refit.of(method, rng).labels, k=_number(k, names, table))
    rows = [nearest_jaccard(member, _refit(table.drop(columns=left), member, fit)) for left in table.columns]
    return _left_out(rows, features.columns, table.columns, names, "leave-one-sector-out")


def _prepared(features: pd.DataFrame, labels: pd.Series) -> tuple[pd.DataFrame, Labels, Member]:
    """Table, names and members of the clusters, by sorted labels, so that the input's order is nothing."""
    table = check_table(features, name="features", least_regions=3).sort_index().sort_index(axis=1)
    names, member = membership(check_partition(labels, table.index).to_numpy())
    return table, names, member


def _number(k: int | None, names: Labels, table: pd.DataFrame) -> int:
    if k is None:
        return len(names)
    check_k(k, table.to_numpy())
    return k


def _bootstrap(
    table: pd.DataFrame, member: Member, fit: _Fit, resamples: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Similarities, shape (resamples, clusters)."""
    points, clusters = table.to_numpy(), member.shape[1]
    if distinct_rows(points) < clusters:
        raise InputError(f"There are {clusters} clusters, but only {distinct_rows(points)} distinct regions.")
    rows: list[NDArray[np.float64]] = []
    for _ in range(resamples):
        for _ in range(_PATIENCE):
            drawn = rng.integers(len(points), size=len(points))
            enough = distinct_rows(points[drawn]) >= clusters
            if enough:
                break
        again = pd.DataFrame(points[drawn], columns=table.columns)
        found = fit(again) if enough else distinct_groups(points[drawn])
        kept, first = np.unique(drawn, return_index=True)
        rows.append(nearest_jaccard(member[kept], found[first]))
    jaccard = np.array(rows)
    if np.isnan(jaccard).all(axis=0).any():
        raise InputError(f"A cluster had no member in any of {resamples} resamples; draw more.")
    return jaccard


def _refit(table: pd.DataFrame, member: Member, fit: _Fit) -> Labels:
    """Labels of what is left; equal regions together where fewer differ than there are clusters."""
    points = table.to_numpy()
    if distinct_rows(points) < int(member.any(axis=0).sum()):
        return distinct_groups(points)
    return fit(table)


def _left_out(
    rows: list[NDArray[np.float64]],
    order: pd.Index,
    left: pd.Index,
    names: Labels,
    method: StabilityMethod,
) -> ClusterStability:
    """Similarities, with the items left out in the caller's order."""
    jaccard = pd.DataFrame(rows, index=left, columns=pd.Index(names, name="cluster")).loc[order]
    return ClusterStability(jaccard.rename_axis(index="left_out"), method)
