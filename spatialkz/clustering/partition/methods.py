"""Every method that groups regions into k clusters, behind one function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias, get_args

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import linkage
from scipy.sparse import csr_array
from scipy.spatial.distance import pdist, squareform

from spatialkz.clustering.partition.contiguous import (
    check_parts,
    region_kmeans_partitions,
    skater_partitions,
    ward_forest,
)
from spatialkz.clustering.partition.hierarchical import (
    alpha_choices,
    checked_alpha,
    cut,
    scaled_squares,
    weighted_ward,
)
from spatialkz.clustering.partition.kmeans import checked, kmeans_partitions
from spatialkz.clustering.partition.labels import Labels, Matrix, check_partition, distinct_rows
from spatialkz.clustering.partition.mixtures import mixtures
from spatialkz.errors import GraphError, InputError, listing
from spatialkz.options import PartitionMethod
from spatialkz.randomness import generator
from spatialkz.resampling.pvalues import check_number

# A way of grouping that is not among METHODS: a table (regions × sectors) and k → Series, region → cluster.
Grouping: TypeAlias = Callable[[pd.DataFrame, int], pd.Series]


@dataclass(frozen=True)
class _Task:
    """What a method may draw on; points and graph in one order."""

    points: Matrix
    ks: list[int]
    # Checked against what the method needs.
    weights: csr_array
    distances: Matrix | None
    alpha: float | None
    starts: int | None
    rng: int | np.random.Generator | None

    @property
    def space(self) -> Matrix:
        """Dissimilarities in space: those given, or 0 between neighbors and 1 otherwise."""
        if self.distances is not None:
            return self.distances
        far: Matrix = 1.0 - ((self.weights.toarray() > 0) | np.eye(len(self.points), dtype=bool))
        return far


@dataclass(frozen=True)
class Method:
    """What a caller has to know about a method.

    Attributes
    ----------
    title : str
        What it is called in a sentence.
    fit : callable
        The partitions for all k wanted.
    tree : callable, optional
        The linkage matrix that all k are cut from, if there is one.
    needs_graph : bool
        Whether it uses the graph of neighbors.
    contiguous : bool
        Whether each cluster hangs together on the graph.
    random : bool
        Whether the result can depend on the seed.
    exact : bool
        Whether k asked for is k given; a mixture may leave components without a region.
    """

    title: str
    fit: Callable[[_Task], dict[int, Labels]]
    tree: Callable[[_Task], Matrix] | None = None
    needs_graph: bool = False
    contiguous: bool = False
    random: bool = False
    exact: bool = True


def partitions(
    points: Matrix,
    ks: Iterable[int],
    method: PartitionMethod,
    *,
    weights: csr_array | None = None,
    distances: Matrix | None = None,
    alpha: float | None = None,
    starts: int | None = None,
    rng: int | np.random.Generator | None = None,
) -> dict[int, Labels]:
    """Group points by one method for several k at once: one tree, or one batch of starts, serves them all.

    Sort the rows by label first, or their order decides ties and starts.

    Parameters
    ----------
    points : array, shape (regions, features)
        Transformed features.
    ks : iterable of int
        Numbers of clusters, from 1 to the number of different points.
    method : str
        ``kmeans``; ``ward``, ``average``, ``complete`` linkage; ``mixture`` of Gaussians; on a graph and
        contiguous ``ward-contiguous``, ``skater``, ``region-kmeans``; with a soft spatial weight
        ``clustgeo``. What they need and promise: :data:`METHODS`.
    weights : sparse array, shape (regions, regions), optional
        Who touches whom (:func:`spatialkz.clustering.partition.contiguous.contiguity`).
    distances : array, shape (regions, regions), optional
        Dissimilarities in space for ``clustgeo``; left out, 0 between neighbors and 1 otherwise.
    alpha : float, optional
        Spatial weight of ``clustgeo``, 0–1; left out, chosen for each k by its two curves.
    starts : int, optional
        Random starts; left out, the method's own number.
    rng : int, Generator or None

    Returns
    -------
    dict
        k → labels 0, 1 …, numbered as they first occur.

    Raises
    ------
    InputError
        If points are not finite, k is out of range, the method is unknown, or alpha is outside 0–1.
    GraphError
        If the method needs a graph and has none, or the graph has more connected components than clusters
        are wanted.

    Examples
    --------
    >>> points = np.array([[0.0], [1.0], [8.0], [9.0], [30.0]])
    >>> {k: labels.tolist() for k, labels in partitions(points, [2, 3], "average").items()}
    {2: [0, 0, 0, 0, 1], 3: [0, 0, 1, 1, 2]}
    """
    task = _task(points, ks, method, weights, distances, alpha, starts, rng)
    found = METHODS[method].fit(task)
    return {k: pd.factorize(found[k])[0] for k in task.ks}


def partition(
    points: Matrix,
    k: int,
    method: PartitionMethod,
    *,
    weights: csr_array | None = None,
    distances: Matrix | None = None,
    alpha: float | None = None,
    starts: int | None = None,
    rng: int | np.random.Generator | None = None,
) -> Labels:
    """Group points into k clusters; parameters as in :func:`partitions`.

    Examples
    --------
    >>> partition(np.array([[0.0], [9.0], [1.0]]), 2, "kmeans", rng=1)
    array([0, 1, 0])
    """
    return partitions(
        points, [k], method, weights=weights, distances=distances, alpha=alpha, starts=starts, rng=rng
    )[k]


@dataclass(frozen=True)
class Refit:
    """A method with all but the table and k decided, to be used again on other regions or sectors.

    Attributes
    ----------
    method : str or callable
    seed : int
    weights, alpha
        As in :func:`partitions`; rows of all tables must then be in the order of ``weights``.
    """

    method: PartitionMethod | Grouping
    seed: int = 0
    weights: csr_array | None = None
    alpha: float | None = None

    @classmethod
    def of(cls, method: PartitionMethod | Grouping, rng: int | np.random.Generator | None) -> Refit:
        """By name or by a function; an integer is the seed of every refit.

        Raises
        ------
        InputError
            If it is neither.
        GraphError
            If the method needs a graph.
        """
        if isinstance(method, Refit):
            return method
        if callable(method):
            return cls(method)
        if method not in METHODS:
            raise InputError(
                f"method is {method!r}; it must be one of {listing(METHODS, 10)}, or a function of a table "
                "and k that returns a Series, region → cluster."
            )
        if METHODS[method].needs_graph:
            raise GraphError(
                f"method {method!r} needs a graph, which resamples do not keep; give a function of a table "
                "and k that returns a Series, region → cluster, such as one that calls cluster_regions."
            )
        draw = generator(rng, "refit")
        if rng is None or isinstance(rng, np.random.Generator):
            rng = int(draw.integers(2**31))
        return cls(method, int(rng))

    def __call__(self, table: pd.DataFrame, k: int) -> pd.Series:
        """Region → cluster."""
        return pd.Series(self.labels(table, k), index=table.index)

    def labels(self, table: pd.DataFrame, k: int) -> Labels:
        """Cluster of each row, k of them or as many as there are different rows."""
        k = min(k, distinct_rows(table.to_numpy()))
        return self.all(table, [k])[k]

    def all(self, table: pd.DataFrame, ks: Iterable[int]) -> dict[int, Labels]:
        """The same for several k."""
        if callable(self.method):
            return {k: self._grouped(self.method, table, k) for k in ks}
        return partitions(
            table.to_numpy(), ks, self.method, weights=self.weights, alpha=self.alpha, rng=self.seed
        )

    @staticmethod
    def _grouped(method: Grouping, table: pd.DataFrame, k: int) -> Labels:
        found = method(table, k)
        if not isinstance(found, pd.Series):
            raise InputError(
                f"method returned {type(found).__name__}; it must return a Series, region → cluster."
            )
        return check_partition(found, table.index).to_numpy()


def tree(
    points: Matrix,
    method: PartitionMethod,
    *,
    k: int | None = None,
    weights: csr_array | None = None,
    distances: Matrix | None = None,
    alpha: float | None = None,
) -> Matrix:
    """Linkage matrix of a hierarchical method; parameters as in :func:`partitions`.

    ``clustgeo`` has a tree for each alpha: give it, or the ``k`` it is chosen for. Its heights are gains of
    inertia.

    Raises
    ------
    InputError, GraphError
        As :func:`partitions`, or if the method has no tree.

    Examples
    --------
    >>> tree(np.array([[0.0], [1.0], [8.0]]), "complete")
    array([[0., 1., 1., 2.], [2., 3., 8., 3.]])
    """
    task = _task(points, [] if k is None else [k], method, weights, distances, alpha, None, None)
    grow = METHODS[method].tree
    if grow is None:
        having = [name for name, known in METHODS.items() if known.tree]
        raise InputError(f"method {method!r} has no tree; those with one are {listing(having)}.")
    if method == "clustgeo" and alpha is None:
        if k is None:
            raise InputError("The tree of 'clustgeo' needs an alpha.")
        task = replace(task, alpha=alpha_choices(task.points, task.space, [k])[k][0].alpha)
    return grow(task)


def _task(
    points: Matrix,
    ks: Iterable[int],
    method: PartitionMethod,
    weights: csr_array | None,
    distances: Matrix | None,
    alpha: float | None,
    starts: int | None,
    rng: int | np.random.Generator | None,
) -> _Task:
    """Refuse what no method can use."""
    if method not in METHODS:
        raise InputError(f"method is {method!r}; it must be one of {listing(get_args(PartitionMethod), 10)}.")
    # A tree is asked for without a k; one cluster is always possible.
    wanted = list(ks)
    table, numbers = checked(points, wanted or [1])
    if len(table) < 2:
        raise InputError("There is one region; clusters need at least 2.")
    known = METHODS[method]
    if known.needs_graph and weights is None and distances is None:
        raise GraphError(f"method {method!r} needs a graph of neighbors.")
    if known.contiguous:
        if weights is None:
            raise GraphError(f"method {method!r} needs a graph of neighbors, not distances.")
        check_parts(weights, numbers[0] if wanted else len(table))
    for matrix, name in ((weights, "weights"), (distances, "distances")):
        if matrix is not None and matrix.shape != (len(table), len(table)):
            raise InputError(f"{name} have shape {matrix.shape}; {len(table)} × {len(table)} was expected.")
    if alpha is not None:
        checked_alpha(alpha)
    if starts is not None:
        check_number(starts, "starts", 1)
    return _Task(table, numbers, weights, distances, alpha, starts, rng)


def _kmeans(task: _Task) -> dict[int, Labels]:
    found = kmeans_partitions(task.points, task.ks, starts=task.starts, rng=task.rng)
    return {k: best.labels for k, best in found.items()}


def _mixture(task: _Task) -> dict[int, Labels]:
    fitted = mixtures(task.points, task.ks, starts=task.starts or 20, rng=task.rng)
    return {k: mixture.predict(task.points) for k, mixture in fitted.items()}


def _skater(task: _Task) -> dict[int, Labels]:
    return skater_partitions(task.points, task.weights, task.ks)


def _region_kmeans(task: _Task) -> dict[int, Labels]:
    return region_kmeans_partitions(
        task.points, task.weights, task.ks, starts=task.starts or 20, rng=task.rng
    )


def _ward_contiguous(task: _Task) -> Matrix:
    return ward_forest(task.points, task.weights)


def _clustgeo_tree(task: _Task) -> Matrix:
    alpha = task.alpha or 0.0
    features = scaled_squares(squareform(pdist(task.points)), "features")
    return weighted_ward(
        (1 - alpha) * features + alpha * scaled_squares(task.space, "space"), np.ones(len(task.points))
    )


def _clustgeo(task: _Task) -> dict[int, Labels]:
    if task.alpha is not None:
        return _cuts(_clustgeo_tree)(task)
    return {k: labels for k, (_, labels) in alpha_choices(task.points, task.space, task.ks).items()}


def _linked(kind: str) -> Callable[[_Task], Matrix]:
    def grow(task: _Task) -> Matrix:
        merges: Matrix = linkage(task.points, method=kind)
        return merges

    return grow


def _cuts(grow: Callable[[_Task], Matrix]) -> Callable[[_Task], dict[int, Labels]]:
    def fit(task: _Task) -> dict[int, Labels]:
        merges = grow(task)
        return {k: cut(merges, k) for k in task.ks}

    return fit


def _hierarchical(title: str, grow: Callable[[_Task], Matrix], *, contiguous: bool = False) -> Method:
    return Method(title, _cuts(grow), grow, needs_graph=contiguous, contiguous=contiguous)


METHODS: dict[PartitionMethod, Method] = {
    "kmeans": Method("k-means", _kmeans, random=True),
    "ward": _hierarchical("Ward's method", _linked("ward")),
    "average": _hierarchical("average linkage", _linked("average")),
    "complete": _hierarchical("complete linkage", _linked("complete")),
    "mixture": Method("Gaussian mixture", _mixture, random=True, exact=False),
    "ward-contiguous": _hierarchical("Ward's method with contiguity", _ward_contiguous, contiguous=True),
    "skater": Method("SKATER", _skater, needs_graph=True, contiguous=True),
    "region-kmeans": Method("region k-means", _region_kmeans, needs_graph=True, contiguous=True, random=True),
    "clustgeo": Method("Ward's method with a spatial weight", _clustgeo, _clustgeo_tree, needs_graph=True),
}
