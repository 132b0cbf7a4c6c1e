"""Criteria by which partitions with different numbers of clusters are compared, and what each chooses."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from scipy.sparse.csgraph import shortest_path
from scipy.spatial.distance import cdist

from spatialkz.clustering.partition.labels import Labels, Matrix, membership, sum_of_squares
from spatialkz.errors import GraphError, InputError, listing
from spatialkz.geography.weights import binary
from spatialkz.tables import check_table

# Rule → the column it reads and whether small values are good; the gap statistic has a rule of its own.
_EXTREMES = {
    "silhouette": False,
    "path_silhouette": False,
    "calinski_harabasz": False,
    "davies_bouldin": True,
    "bic": True,
}
# Points whose distances are held at once.
_ONE_TABLE = 1000


def partition_criteria(
    points: Matrix, partitions: Mapping[int, Labels], *, paths: Matrix | None = None
) -> pd.DataFrame:
    """Criteria for each partition: large is good for the silhouettes and the second, small for the others.

    scikit-learn's own, but that the distances are computed once for all partitions.

    Parameters
    ----------
    points : array, shape (regions, features)
    partitions : mapping
        k → cluster label of each region.
    paths : array, shape (regions, regions), optional
        From :func:`path_distances`; adds ``path_silhouette``.

    Returns
    -------
    DataFrame
        Index ``k``; columns ``silhouette, calinski_harabasz, davies_bouldin, within_ss`` (and
        ``path_silhouette``). Missing for one cluster and for one cluster a region, where all but the last are
        not defined.

    References
    ----------
    Rousseeuw (1987), *J. Computational and Applied Mathematics* 20; Caliński & Harabasz (1974),
    *Communications in Statistics* 3; Davies & Bouldin (1979), *IEEE PAMI* 1; Wolf, Knaap & Rey (2021),
    *Environment and Planning B* 48 (path silhouette).

    Examples
    --------
    >>> points = np.array([[0.0], [1.0], [9.0], [10.0]])
    >>> partition_criteria(points, {2: np.array([0, 0, 1, 1])}).round(3)
       silhouette  calinski_harabasz  davies_bouldin  within_ss
    k
    2       0.889              162.0           0.111        1.0
    """
    from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score

    defined = {k: labels for k, labels in partitions.items() if 1 < len(np.unique(labels)) < len(points)}
    columns: dict[str, dict[int, float]] = {
        "silhouette": _means(silhouette_widths(points, defined)),
        "calinski_harabasz": {k: float(calinski_harabasz_score(points, c)) for k, c in defined.items()},
        "davies_bouldin": {k: float(davies_bouldin_score(points, c)) for k, c in defined.items()},
        "within_ss": {k: sum_of_squares(points, labels) for k, labels in partitions.items()},
    }
    if paths is not None:
        columns["path_silhouette"] = _means(silhouette_widths(paths, defined, precomputed=True))
    return pd.DataFrame(columns, index=pd.Index(list(partitions), name="k"), dtype=np.float64)


def silhouette_widths(
    points: Matrix, partitions: Mapping[int, Labels], *, precomputed: bool = False
) -> dict[int, Matrix]:
    """Silhouette width of each region in each partition, from one pass of the distances.

    Parameters
    ----------
    points : array, shape (regions, features)
        Or, with ``precomputed``, distances, shape (regions, regions).
    partitions : mapping
        k → cluster label of each region; 2 clusters to one less than regions.

    Returns
    -------
    dict
        k → array, shape (regions,); 0 for the only region of its cluster.

    Examples
    --------
    >>> print(silhouette_widths(np.array([[0.0], [1.0], [9.0]]), {2: np.array([0, 0, 1])})[2].round(3))
    [0.889 0.875 0.   ]
    """
    if not partitions:
        return {}
    members = {k: membership(labels)[1].astype(np.float64) for k, labels in partitions.items()}
    if precomputed or len(points) <= _ONE_TABLE:
        chunks = [_widths(members, points if precomputed else cdist(points, points), 0)]
    else:
        from sklearn.metrics import pairwise_distances_chunked

        chunks = list(pairwise_distances_chunked(points, reduce_func=partial(_widths, members)))
    return dict(zip(members, np.vstack(chunks).T, strict=True))


def _widths(members: dict[int, Matrix], distances: Matrix, first: int) -> Matrix:
    """Widths of the regions from ``first`` on, whose distances to all are given; a column a partition."""
    ends = np.cumsum([member.shape[1] for member in members.values()])
    totals = np.hsplit(distances @ np.hstack(list(members.values())), ends[:-1])
    widths = np.zeros((len(distances), len(members)))
    for column, member, total in zip(widths.T, members.values(), totals, strict=True):
        own, size = member[first : first + len(distances)] > 0, member.sum(axis=0)
        others = np.broadcast_to(size, own.shape)[own] - 1
        inside = total[own] / np.maximum(others, 1)
        outside = np.where(own, np.inf, total / size).min(axis=1)
        larger = np.maximum(inside, outside)
        np.divide(outside - inside, larger, out=column, where=(others > 0) & (larger > 0))
    return widths


def _means(widths: Mapping[int, Matrix]) -> dict[int, float]:
    return {k: float(width.mean()) for k, width in widths.items()}


def path_distances(features: pd.DataFrame, graph: Graph) -> Matrix:
    """Shortest ways between regions over the graph, where a step costs the distance between the features.

    Parameters
    ----------
    features : DataFrame
        Rows are regions.
    graph : Graph
        Neighbors; a pair counts if either names the other.

    Returns
    -------
    array, shape (regions, regions)

    Raises
    ------
    GraphError
        If the graph is not connected.

    Examples
    --------
    >>> features = pd.DataFrame({"x": [0.0, 5.0, 1.0]}, index=list("abc"))
    >>> graph = Graph.from_arrays(["a", "b", "b", "c"], ["b", "a", "c", "b"], [1.0, 1.0, 1.0, 1.0])
    >>> print(path_distances(features, graph)[0])
    [0. 5. 9.]
    """
    table = check_table(features, name="features")
    points = table.to_numpy()
    steps = binary(graph, table.index)
    focal, neighbor = np.repeat(np.arange(len(table)), np.diff(steps.indptr)), steps.indices
    # Between equal regions a step costs nothing, but it is a step: zeros stay in the sparse matrix.
    steps.data = np.sqrt(((points[focal] - points[neighbor]) ** 2).sum(axis=1))
    paths: Matrix = shortest_path(steps, directed=False)
    if not np.isfinite(paths).all():
        apart = table.index[~np.isfinite(paths[0])]
        raise GraphError(
            f"A path silhouette needs a connected graph, but no path leads from {table.index[0]} to "
            f"{listing(apart)}."
        )
    return paths


def chosen_by_rule(criteria: pd.DataFrame, decides: str = "silhouette") -> pd.DataFrame:
    """Which k each rule chooses, and how far that is from the rule that decides.

    Parameters
    ----------
    criteria : DataFrame
        Index ``k``; any of the columns of :func:`partition_criteria`, ``gap`` and ``se`` of
        :func:`spatialkz.clustering.number.gap.gap_statistic`, and ``bic``, for instance joined.
    decides : str
        Row of the result that the others are compared with.

    Returns
    -------
    DataFrame
        Index ``rule``; columns ``k, value`` (of the criterion there), ``difference`` (k less that of the rule
        that decides), ``one_possible`` (whether the rule could have chosen k = 1 from this table).

    Raises
    ------
    InputError
        If the table holds no criterion with a rule, or not the one that decides.

    Notes
    -----
    Silhouettes and Calinski–Harabasz choose their largest value, Davies–Bouldin and BIC their smallest, a tie
    within 12 digits goes to the smaller k. The gap statistic chooses the smallest k with
    gap(k) ≥ gap(k + 1) − se(k + 1).

    Examples
    --------
    >>> table = pd.DataFrame({"silhouette": [0.4, 0.3], "davies_bouldin": [1.0, 0.9]}, index=[2, 3])
    >>> chosen_by_rule(table)
                    k  value  difference  one_possible
    rule
    silhouette      2    0.4           0         False
    davies_bouldin  3    0.9           1         False
    """
    chosen: dict[str, tuple[int, float, bool]] = {}
    for rule, small in _EXTREMES.items():
        if rule in criteria and criteria[rule].notna().any():
            column = criteria[rule].dropna().sort_index()
            best = column.min() if small else column.max()
            first = int(np.argmax(np.isclose(column.to_numpy(), best, rtol=1e-12, atol=1e-12)))
            chosen[rule] = int(column.index[first]), float(column.iloc[first]), 1 in column.index
    if {"gap", "se"} <= set(criteria):
        table = criteria[["gap", "se"]].dropna().sort_index()
        number = one_standard_error(table["gap"], table["se"])
        chosen["gap"] = number, float(table["gap"].loc[number]), 1 in table.index
    if decides not in chosen:
        raise InputError(f"The rule that decides is {decides!r}; the table has {listing(chosen) or 'none'}.")
    frame = pd.DataFrame.from_dict(chosen, orient="index", columns=["k", "value", "one_possible"])
    frame["difference"] = frame["k"] - chosen[decides][0]
    return frame.rename_axis(index="rule")[["k", "value", "difference", "one_possible"]]


def one_standard_error(gap: pd.Series, se: pd.Series) -> int:
    """Smallest k with gap(k) ≥ gap(k + 1) − se(k + 1); the largest k if there is none.

    >>> one_standard_error(pd.Series({1: 0.1, 2: 0.5, 3: 0.52}), pd.Series({1: 0.1, 2: 0.1, 3: 0.1}))
    2
    """
    high_enough = gap.to_numpy()[:-1] >= gap.to_numpy()[1:] - se.to_numpy()[1:]
    return int(gap.index[int(np.argmax(high_enough)) if high_enough.any() else -1])
