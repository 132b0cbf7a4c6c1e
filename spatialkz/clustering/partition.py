"""k-means and Ward clusters of regions, with the number of clusters chosen by silhouette."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.metrics import silhouette_samples
from threadpoolctl import ThreadpoolController

from spatialkz.clustering.criteria import partition_criteria
from spatialkz.clustering.stability import bootstrap_jaccard
from spatialkz.errors import InputError, listing
from spatialkz.randomness import generator
from spatialkz.results import frozen, json_ready
from spatialkz.tables import check_table

ClusterMethod = Literal["kmeans", "ward"]
Matrix: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.intp]
Fit: TypeAlias = Callable[[Matrix, int, int, int], Labels]

_MOST_CLUSTERS = 10
# With 17 regions × 11 sectors 20 starts often miss the best partition and 100 find it; resamples need less.
_STARTS = 200
_RESAMPLE_STARTS = 20
_SMALL = 100_000
_THREADS = ThreadpoolController()


@dataclass(frozen=True)
class RegionClusters:
    """Result of :func:`cluster_regions`.

    Attributes
    ----------
    labels : Series
        Region → cluster, numbered from 1 by descending mean of the features.
    k : int
        Number of clusters.
    method : str
        As given.
    chosen_by : str
        ``silhouette``, or ``given`` when the caller set k.
    criteria : DataFrame
        Index ``k``; columns ``silhouette, calinski_harabasz, davies_bouldin, within_ss``.
    stability : Series
        Cluster → mean bootstrap Jaccard similarity, 0–1; at least 0.75 is stable, below 0.5 dissolved.
    silhouettes : Series
        Region → silhouette width in the chosen partition, −1 to 1.
    """

    labels: pd.Series
    k: int
    method: ClusterMethod
    chosen_by: str
    criteria: pd.DataFrame
    stability: pd.Series
    silhouettes: pd.Series

    def to_frame(self) -> pd.DataFrame:
        """One row for each region: ``cluster, silhouette, stability`` (of its cluster)."""
        return pd.DataFrame(
            {
                "cluster": self.labels,
                "silhouette": self.silhouettes,
                "stability": self.labels.map(self.stability),
            }
        )

    def to_dict(self) -> dict[str, object]:
        """Choice of k, criteria, stability and members, ready for JSON."""
        members = {str(label): list(group.index) for label, group in self.labels.groupby(self.labels)}
        return {
            "method": self.method,
            "k": self.k,
            "chosen_by": self.chosen_by,
            "criteria": json_ready(self.criteria),
            "stability": json_ready(self.stability),
            "members": json_ready(members),
        }

    def summary(self) -> str:
        """Clusters with their members and stability."""
        lines = [f"{self.method}, k = {self.k} ({self.chosen_by})"]
        for label, group in self.labels.groupby(self.labels):
            lines.append(
                f"  {label} (stability {self.stability[label]:.2f}): {', '.join(map(str, group.index))}"
            )
        return "\n".join(lines)


def cluster_regions(
    features: pd.DataFrame,
    *,
    method: ClusterMethod = "kmeans",
    k: int | None = None,
    resamples: int = 100,
    rng: int | np.random.Generator | None = None,
) -> RegionClusters:
    """Group regions whose features are alike.

    Distances are Euclidean on the features as given: transform skewed quotients first
    (:func:`spatialkz.specialization.symmetric_quotient`), or single large cells make clusters of their own.
    There is no null hypothesis here: a partition is always found. Tests of differences between the clusters
    on the same features would be post-selection and too small in p.

    Parameters
    ----------
    features : DataFrame
        Rows are regions, columns indicators on comparable scales.
    method : {"kmeans", "ward"}
        k-means with 200 starts (20 on large tables), or Ward's hierarchical clustering.
    k : int, optional
        Number of clusters; left out, the k from 2 to 10 with the largest mean silhouette.
    resamples : int
        Bootstrap resamples behind ``stability``.
    rng : int, Generator or None
        Seed of the starts and resamples.

    Returns
    -------
    RegionClusters

    Raises
    ------
    InputError
        If a cell is missing, fewer than 3 regions differ, or k is not from 2 to their number less one.

    References
    ----------
    Rousseeuw (1987), *J. Computational and Applied Mathematics* 20; Ward (1963), *JASA* 58; Hennig (2007),
    *Computational Statistics & Data Analysis* 52 (stability).

    Examples
    --------
    >>> features = pd.DataFrame({"a": [0, 0.1, 5, 5.1], "b": [1, 1.1, 0, 0.1]}, index=list("wxyz"))
    >>> cluster_regions(features, rng=1).labels.to_dict()
    {'w': 2, 'x': 2, 'y': 1, 'z': 1}
    """
    if method not in get_args(ClusterMethod):
        raise InputError(f"method is {method!r}; it must be one of {listing(get_args(ClusterMethod))}.")
    table = check_table(features, name="features", least_regions=4)
    # Sorted, so that the order of the rows does not decide which starts are drawn.
    order, table = table.index, table.sort_index()
    points = table.to_numpy()
    distinct = len(np.unique(points, axis=0))
    most = distinct - 1
    if most < 2:
        raise InputError(
            f"Clusters need at least 3 regions that differ; the features distinguish {distinct}."
        )
    if k is not None and not 2 <= k <= most:
        raise InputError(f"k is {k}; with {distinct} distinct regions it must be from 2 to {most}.")
    draw = generator(rng, f"cluster_regions:{method}")
    seed = int(draw.integers(2**31))
    fit = _FITS[method]
    counts = range(2, min(_MOST_CLUSTERS, most) + 1)
    partitions = {count: fit(points, count, seed, _STARTS) for count in sorted({*counts, k or 2})}
    criteria = partition_criteria(points, partitions)
    # Rounding lets the smaller k win a tie.
    best = criteria.index[int(criteria["silhouette"].round(12).argmax())]
    chosen = k if k is not None else int(best)
    labels = _ordered(points, partitions[chosen])
    stability = bootstrap_jaccard(
        points, labels, lambda rows: fit(rows, chosen, seed, _RESAMPLE_STARTS), resamples, draw
    )
    return RegionClusters(
        labels=frozen(pd.Series(labels, index=table.index, name="cluster").loc[order]),
        k=chosen,
        method=method,
        chosen_by="silhouette" if k is None else "given",
        criteria=frozen(criteria),
        stability=frozen(
            pd.Series(stability, index=pd.RangeIndex(1, chosen + 1, name="cluster"), name="stability")
        ),
        silhouettes=frozen(
            pd.Series(silhouette_samples(points, labels), index=table.index, name="silhouette").loc[order]
        ),
    )


def _kmeans(points: Matrix, k: int, seed: int, starts: int) -> Labels:
    # On a small table threads cost more than they save, and their number could change the last digit.
    small = points.size < _SMALL
    with _THREADS.limit(limits=1 if small else None):
        labels: Labels = (
            KMeans(k, n_init=starts if small else _RESAMPLE_STARTS, random_state=seed).fit(points).labels_
        )
    return labels


def _ward(points: Matrix, k: int, _seed: int, _starts: int) -> Labels:
    labels: Labels = AgglomerativeClustering(k, linkage="ward").fit(points).labels_
    return labels


_FITS: dict[ClusterMethod, Fit] = {"kmeans": _kmeans, "ward": _ward}


def _ordered(points: Matrix, labels: Labels) -> Labels:
    """Renumber clusters from 1 by descending mean, so that numbers do not depend on the start."""
    names = np.unique(labels)
    height = [points[labels == name].mean() for name in names]
    rank = np.empty(len(names), dtype=np.intp)
    rank[np.argsort(-np.array(height), kind="stable")] = np.arange(1, len(names) + 1)
    return rank[np.searchsorted(names, labels)]
