"""How far partitions agree: between methods, between seeds, between tables."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import numpy as np
import pandas as pd

from spatialkz.clustering._labels import Refit, check_partition
from spatialkz.errors import InputError
from spatialkz.results import frozen
from spatialkz.tables import check_table


def partitions_by(features: pd.DataFrame, fits: Mapping[Hashable, Refit]) -> pd.DataFrame:
    """Partitions of the same regions by several methods, or by one method from several seeds.

    Parameters
    ----------
    features : DataFrame
        Rows are regions.
    fits : mapping
        Name of a method, or a seed → callable, points (n, p) → labels (n,).

    Returns
    -------
    DataFrame
        Rows are regions, columns the names; cells are cluster labels.

    Raises
    ------
    InputError, RegionError
        If the table has missing cells or repeated labels.

    Examples
    --------
    >>> features = pd.DataFrame({"a": [0, 1, 8]}, index=list("xyz"))
    >>> partitions_by(features, {"low": lambda x: 1 * (x[:, 0] > 0.5), "high": lambda x: 1 * (x[:, 0] > 5)})
       low  high
    x    0     0
    y    1     0
    z    1     1
    """
    table = check_table(features, name="features").sort_index().sort_index(axis=1)
    found = pd.DataFrame({name: fit(table.to_numpy()) for name, fit in fits.items()}, index=table.index)
    return found.loc[features.index]


def adjusted_rand(partitions: pd.DataFrame | Mapping[Hashable, pd.Series]) -> pd.DataFrame:
    r"""Adjusted Rand index of each pair of partitions.

    .. math:: \frac{\sum_{ij}\binom{n_{ij}}{2} - E}{\tfrac12\left[\sum_i\binom{a_i}{2} +
        \sum_j\binom{b_j}{2}\right] - E}, \quad
        E = \sum_i\binom{a_i}{2} \sum_j\binom{b_j}{2} \Big/ \binom n2

    1 for the same partition whatever its labels, 0 on average for unrelated ones, and below 0 for pairs that
    agree less than chance.

    Parameters
    ----------
    partitions : DataFrame or mapping of Series
        Name → region → cluster. Series are joined by region label.

    Returns
    -------
    DataFrame
        Square and symmetric, a row and a column for each partition; 1 on the diagonal.

    Raises
    ------
    InputError
        If there are no partitions.
    RegionError
        If they differ in their regions, or a region has no cluster.

    References
    ----------
    Hubert & Arabie (1985), *Journal of Classification* 2, 193–218, eq. 5.

    Examples
    --------
    >>> index = list("wxyz")
    >>> one = pd.Series([1, 1, 2, 2], index=index)
    >>> adjusted_rand({"one": one, "same": 3 - one, "other": pd.Series([1, 2, 1, 2], index=index)})
           one  same  other
    one    1.0   1.0   -0.5
    same   1.0   1.0   -0.5
    other -0.5  -0.5    1.0
    """
    from sklearn.metrics import adjusted_rand_score

    columns = dict(partitions.items())
    if not columns:
        raise InputError("There are no partitions to compare.")
    regions = next(iter(columns.values())).index
    labels = [check_partition(column, regions).to_numpy() for column in columns.values()]
    index = np.eye(len(labels))
    for i in range(len(labels)):
        for j in range(i):
            index[i, j] = index[j, i] = adjusted_rand_score(labels[i], labels[j])
    return frozen(pd.DataFrame(index, index=list(columns), columns=list(columns)))
