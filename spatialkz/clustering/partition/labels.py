"""What all readings of a partition share: its type, its check, and its numbering."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spatialkz.errors import InputError, RegionError, listing
from spatialkz.tables import check_labels, check_same_regions

Matrix: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[Any]
Member: TypeAlias = NDArray[np.bool_]


def check_partition(labels: pd.Series, regions: pd.Index, *, least: int = 1) -> pd.Series:
    """Cluster of each region, in the order of ``regions``, or say what is wrong.

    Raises
    ------
    InputError
        If ``labels`` is no Series, or has fewer than ``least`` clusters.
    RegionError
        If its regions are not ``regions``, or one has no cluster.

    Examples
    --------
    >>> check_partition(pd.Series({"a": 1, "b": 2}), pd.Index(["b", "a"])).tolist()
    [2, 1]
    """
    if not isinstance(labels, pd.Series):
        raise InputError(f"labels must be a pandas Series, region → cluster, not {type(labels).__name__}.")
    check_labels(labels.index, "region")
    check_same_regions(labels.index, regions, "labels")
    if labels.isna().any():
        raise RegionError(f"Every region needs a cluster; {listing(labels.index[labels.isna()])} has none.")
    if labels.nunique() < least:
        raise InputError(f"labels form {labels.nunique()} clusters; at least {least} are needed.")
    return labels.loc[regions].rename("cluster")


def membership(labels: Labels) -> tuple[Labels, Member]:
    """Names of the clusters, and who is in which: shape (regions, clusters).

    >>> membership(np.array([2, 1, 2]))[1].astype(int).tolist()
    [[0, 1], [1, 0], [0, 1]]
    """
    names = np.unique(labels)
    return names, labels[:, None] == names


def by_descending_mean(points: Matrix, labels: Labels) -> NDArray[np.intp]:
    """Clusters renumbered from 1 by descending mean, so that their numbers do not depend on the start.

    >>> by_descending_mean(np.array([[1.0], [5.0], [2.0]]), np.array([0, 1, 0])).tolist()
    [2, 1, 2]
    """
    names, place = np.unique(labels, return_inverse=True)
    height = [points[labels == name].mean() for name in names]
    rank = np.empty(len(names), dtype=np.intp)
    rank[np.argsort(-np.array(height), kind="stable")] = np.arange(1, len(names) + 1)
    renumbered: NDArray[np.intp] = rank[place]
    return renumbered


def distinct_groups(points: Matrix) -> NDArray[np.intp]:
    """The finest partition there is: equal points together.

    >>> distinct_groups(np.array([[3.0], [1.0], [3.0]])).tolist()
    [1, 0, 1]
    """
    groups: NDArray[np.intp] = np.unique(points, axis=0, return_inverse=True)[1].ravel()
    return groups


def distinct_rows(points: Matrix) -> int:
    """How many points differ: no method finds more clusters than that."""
    return len(np.unique(points, axis=0))


def check_k(k: int, points: Matrix, *, least: int = 1) -> None:
    """Refuse a number of clusters that is none, or above the number of different points.

    Raises
    ------
    InputError
    """
    distinct = distinct_rows(points)
    if not isinstance(k, int | np.integer) or not least <= k <= distinct:
        raise InputError(
            f"k is {k!r}; with {distinct} distinct regions it must be from {least} to {distinct}."
        )


def most_clusters(points: Matrix, k: int | None = None) -> int:
    """Largest number of clusters of the points; refuses points that are too alike, and a k out of range.

    Raises
    ------
    InputError

    Examples
    --------
    >>> most_clusters(np.array([[0.0], [1.0], [1.0], [9.0]]))
    2
    """
    distinct = distinct_rows(points)
    if distinct < 3:
        raise InputError(f"Clusters need at least 3 regions with different features; there are {distinct}.")
    if k is not None and (not isinstance(k, int | np.integer) or not 1 <= k < distinct):
        raise InputError(f"k is {k!r}; with {distinct} distinct regions it must be from 1 to {distinct - 1}.")
    return distinct - 1


def sum_of_squares(points: Matrix, labels: Labels, weights: Matrix | None = None) -> float:
    """Sum of (weighted) squares about the cluster means, from the residuals.

    >>> sum_of_squares(np.array([[0.0], [2.0], [5.0]]), np.array([0, 0, 1]))
    2.0
    """
    weight = np.ones(len(points)) if weights is None else weights
    place = pd.factorize(labels)[0]
    sizes = np.bincount(place, weight)
    means = np.stack([np.bincount(place, weight * column) / sizes for column in points.T], axis=1)
    return float(weight @ ((points - means[place]) ** 2).sum(axis=1))
