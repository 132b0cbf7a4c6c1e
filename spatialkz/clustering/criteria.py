"""Criteria by which partitions with different numbers of clusters are compared."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score


def partition_criteria(
    points: NDArray[np.float64], partitions: Mapping[int, NDArray[np.intp]]
) -> pd.DataFrame:
    """Four criteria for each partition: large is good for the first two, small for the last two.

    Parameters
    ----------
    points : array, shape (regions, features)
    partitions : mapping
        k → cluster label of each region.

    Returns
    -------
    DataFrame
        Index ``k``; columns ``silhouette, calinski_harabasz, davies_bouldin, within_ss``.
    """
    rows = {
        k: {
            "silhouette": silhouette_score(points, labels),
            "calinski_harabasz": calinski_harabasz_score(points, labels),
            "davies_bouldin": davies_bouldin_score(points, labels),
            "within_ss": sum(
                ((points[labels == name] - points[labels == name].mean(axis=0)) ** 2).sum()
                for name in np.unique(labels)
            ),
        }
        for k, labels in partitions.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(index="k")
