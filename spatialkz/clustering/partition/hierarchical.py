"""Trees of merges and cuts through them, and Ward's method with a soft spatial weight (ClustGeo)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from numpy.typing import NDArray
from scipy.spatial.distance import pdist, squareform

from spatialkz.clustering.partition.labels import Labels, Matrix, check_k, membership
from spatialkz.errors import GraphError, InputError, is_number, listing
from spatialkz.geography import aligned
from spatialkz.results import Result, json_ready
from spatialkz.tables import check_same_regions, check_table


def cut(tree: Matrix, k: int) -> Labels:
    """Clusters left when all merges but the last k − 1 are made.

    Goes by the order of the merges, not by their heights as SciPy's cuts do: under contiguity a later merge
    may be lower, and where heights are equal SciPy may leave fewer clusters than k.

    Parameters
    ----------
    tree : array, shape (regions − 1, 4)
        Linkage matrix, each row a merge: two nodes, height, members.
    k : int
        Number of clusters, from 1 to the number of regions.

    Returns
    -------
    array of int, shape (regions,)
        Labels 0 … k − 1, in the order in which clusters first appear.

    Examples
    --------
    >>> cut(np.array([[0, 1, 0.5, 2], [2, 3, 4.0, 3]]), 2)
    array([0, 0, 1])
    """
    regions = len(tree) + 1
    top = np.arange(2 * regions - 1)
    made = regions - k
    for merge in range(made - 1, -1, -1):
        top[tree[merge, :2].astype(int)] = top[regions + merge]
    return pd.factorize(top[:regions])[0]


def linkage_matrix(pairs: NDArray[np.intp], heights: Matrix) -> Matrix:
    """Number the nodes of merges given as pairs of regions, one region from each of the two clusters merged.

    Parameters
    ----------
    pairs : array of int, shape (regions − 1, 2)
        In the order of the merges.
    heights : array, shape (regions − 1,)

    Returns
    -------
    array, shape (regions − 1, 4)

    Examples
    --------
    >>> linkage_matrix(np.array([[2, 1], [0, 1]]), np.array([1.0, 3.0]))
    array([[1., 2., 1., 2.], [0., 3., 3., 3.]])
    """
    regions = len(pairs) + 1
    above, members = np.arange(2 * regions - 1), np.ones(2 * regions - 1)
    tree = np.empty((regions - 1, 4))
    for merge, (pair, height) in enumerate(zip(pairs, heights, strict=True)):
        node = regions + merge
        children = sorted(_top(above, region) for region in pair)
        above[children], members[node] = node, members[children].sum()
        tree[merge] = *children, height, members[node]
    return tree


def weighted_ward(squares: Matrix, masses: Matrix) -> Matrix:
    r"""Ward's tree on squared dissimilarities of weighted regions.

    Merging two regions costs :math:`w_i w_j / (w_i + w_j)\, d_{ij}^2`, the gain of within-cluster inertia;
    clusters follow by the formula of Lance and Williams. Weights are scaled to sum to 1, so that heights sum
    to the inertia of the whole. SciPy's `linkage` does the same for equal weights only, with heights
    :math:`\sqrt{2 n h}`.

    Parameters
    ----------
    squares : array, shape (regions, regions)
        Squared dissimilarities, symmetric; they need not be Euclidean.
    masses : array, shape (regions,)
        Weights above 0.

    Returns
    -------
    array, shape (regions − 1, 4)
        Linkage matrix.

    References
    ----------
    Murtagh & Legendre (2014), *J. Classification* 31, 274–295; nearest-neighbor chains: Murtagh (1983),
    *Computer Journal* 26, 354–359.

    Examples
    --------
    >>> weighted_ward(np.array([[0.0, 1.0, 16.0], [1.0, 0.0, 9.0], [16.0, 9.0, 0.0]]), np.ones(3)).round(3)
    array([[0.   , 1.   , 0.167, 2.   ],
           [2.   , 3.   , 2.722, 3.   ]])
    """
    regions = len(masses)
    mass = masses / masses.sum()
    cost = squares * (mass[:, None] * mass / (mass[:, None] + mass))
    np.fill_diagonal(cost, np.inf)
    merges: list[tuple[int, int]] = []
    heights: list[float] = []
    chain = [0]
    alive = np.ones(regions, dtype=bool)
    while len(merges) < regions - 1:
        if not chain:
            chain.append(int(alive.argmax()))
        last = chain[-1]
        nearest = int(cost[last].argmin())
        # Two clusters that are nearest to each other merge; equals go to the one just left, or chains circle.
        if len(chain) < 2 or cost[last, chain[-2]] > cost[last, nearest]:
            chain.append(nearest)
            continue
        gone, kept = chain.pop(), chain.pop()
        height = cost[gone, kept]
        both = mass[gone] + mass[kept]
        row = (mass[gone] + mass) * cost[gone] + (mass[kept] + mass) * cost[kept] - mass * height
        cost[kept] = cost[:, kept] = row / (both + mass)
        cost[gone] = cost[:, gone] = np.inf
        cost[kept, kept] = np.inf
        mass[kept], alive[gone] = both, False
        merges.append((gone, kept))
        heights.append(height)
    rising = np.argsort(heights, kind="stable")
    return linkage_matrix(np.array(merges, dtype=np.intp).reshape(-1, 2)[rising], np.array(heights)[rising])


def _top(above: Labels, node: int) -> int:
    while above[node] != node:
        # Path halving keeps long chains short.
        above[node] = above[above[node]]
        node = above[node]
    return int(node)


ALPHAS = tuple(round(0.05 * step, 2) for step in range(21))


@dataclass(frozen=True, repr=False)
class AlphaChoice(Result):
    """Result of :func:`choose_alpha`.

    Attributes
    ----------
    alpha : float
        The α chosen: the largest smaller one of the two normalized curves; the smallest such α.
    k : int
        Number of clusters at which the curves were taken.
    curves : DataFrame
        Index ``alpha``; columns ``q_features, q_space``, the shares of (pseudo-)inertia between clusters,
        0–1, and ``q_features_normalized, q_space_normalized``, as shares of what α = 0 and α = 1 reach.
    """

    alpha: float
    k: int
    curves: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """The two curves, a row for each α, with the choice marked in ``chosen``."""
        return self.curves.assign(chosen=self.curves.index == self.alpha)

    def to_dict(self) -> dict[str, object]:
        """Choice and curves, ready for JSON."""
        return {"alpha": self.alpha, "k": self.k, "curves": json_ready(self.curves)}

    def summary(self) -> str:
        """One line: what the spatial weight costs in features and what it buys in space."""
        chosen = self.curves.loc[self.alpha]
        return (
            f"α = {self.alpha:g} at k = {self.k}: keeps {chosen['q_features_normalized']:.0%} of the "
            f"homogeneity in features reached without space and {chosen['q_space_normalized']:.0%} of the "
            "homogeneity in space reached without features"
        )


def choose_alpha(
    features: pd.DataFrame,
    apart: pd.DataFrame | Graph,
    k: int,
    *,
    alphas: Iterable[float] = ALPHAS,
    masses: pd.Series | None = None,
) -> AlphaChoice:
    r"""Choose the spatial weight of Ward's clusters from its two curves of homogeneity.

    Ward's criterion is taken on :math:`(1-\alpha)\, d_0^2 + \alpha\, d_1^2`, where :math:`d_0` are Euclidean
    distances of the features and :math:`d_1` how far regions are apart, each divided by its maximum. For the
    partition into k clusters at each α,

    .. math::
        Q_m(\alpha) = 1 - \frac{\sum_c W_m(c)}{W_m(\text{all})}, \qquad
        W_m(c) = \sum_{i,j \in c} \frac{w_i w_j}{2 \mu_c}\, d_{m,ij}^2, \quad \mu_c = \sum_{i \in c} w_i .

    As α grows, Q₀ tends to fall and Q₁ to rise. Rule: the α with the largest
    :math:`\min\{Q_0(\alpha)/Q_0(0),\; Q_1(\alpha)/Q_1(1)\}`, the smallest α if several reach it. The authors
    read the plot by eye; the rule is ours and says the same of curves that cross once.

    Parameters
    ----------
    features : DataFrame
        Rows are regions, columns indicators on comparable scales.
    apart : DataFrame or Graph
        Square table of dissimilarities between regions, in any unit; or a graph of neighbors, whose
        dissimilarity is 0 between neighbors and 1 otherwise.
    k : int
        Number of clusters.
    alphas : sequence of float
        Weights tried, from 0 to 1; 0 and 1 are always added.
    masses : Series, optional
        Weight of each region, above 0; left out, equal.

    Returns
    -------
    AlphaChoice

    Raises
    ------
    InputError
        If an α is outside 0–1, k is not from 2 to the number of different regions, features do not differ,
        or dissimilarities are negative, asymmetric, all 0, or not 0 on the diagonal.
    RegionError
        If the inputs do not carry the same regions.
    GraphError
        If a region has no neighbor.

    References
    ----------
    Chavent, Kuentz-Simonet, Labenne & Saracco (2018), *Computational Statistics* 33, 1799–1822.

    Examples
    --------
    >>> features = pd.DataFrame({"x": [0.0, 1.0, 9.0, 10.0]}, index=list("abcd"))
    >>> apart = pd.DataFrame(abs(np.subtract.outer([0, 9, 1, 10], [0, 9, 1, 10])), list("abcd"), list("abcd"))
    >>> choose_alpha(features, apart, 2, alphas=[0.2]).curves[["q_features", "q_space"]].round(3)
           q_features  q_space
    alpha
    0.0         0.988    0.012
    0.2         0.988    0.012
    1.0         0.012    0.988
    """
    table = check_table(features, name="features", least_regions=3)
    order = table.sort_index()
    space = dissimilarities(apart, order.index)
    weight = np.ones(len(order)) if masses is None else _masses(masses, order.index)
    points = order.to_numpy()
    check_k(k, points, least=2)
    return alpha_choices(points, space, (k,), alphas=alphas, masses=weight)[k][0]


def alpha_choices(
    points: Matrix,
    space: Matrix,
    ks: Iterable[int],
    *,
    alphas: Iterable[float] = ALPHAS,
    masses: Matrix | None = None,
) -> dict[int, tuple[AlphaChoice, Labels]]:
    """Choice of α and its partition for each k, from one tree for each α; arrays, already in one order.

    Parameters
    ----------
    points : array, shape (regions, features)
    space : array, shape (regions, regions)
        Dissimilarities between regions.
    ks, alphas, masses
        As in :func:`choose_alpha`.

    Returns
    -------
    dict
        k → (choice, labels 0 … k − 1 at the chosen α).
    """
    tried = sorted({0.0, 1.0, *(checked_alpha(alpha) for alpha in alphas)})
    weight = np.ones(len(points)) if masses is None else masses
    squares = scaled_squares(squareform(pdist(points)), "features"), scaled_squares(space, "space")
    trees = [weighted_ward((1 - alpha) * squares[0] + alpha * squares[1], weight) for alpha in tried]
    index = pd.Index(tried, name="alpha")
    found = {}
    for k in ks:
        partitions = [cut(tree, k) for tree in trees]
        curves = pd.DataFrame(
            [[homogeneity(labels, square, weight) for square in squares] for labels in partitions],
            index=index,
            columns=["q_features", "q_space"],
        )
        # With k = 1 nothing is explained by either; α then has no say.
        best = curves["q_features"].iloc[0], curves["q_space"].iloc[-1]
        for column, reached in zip(("q_features", "q_space"), best, strict=True):
            curves[f"{column}_normalized"] = curves[column] / reached if k > 1 else 1.0
        lower = curves.filter(like="_normalized").min(axis=1).round(12).to_numpy()
        choice = int(lower.argmax())
        found[k] = AlphaChoice(tried[choice], k, curves), partitions[choice]
    return found


def homogeneity(labels: Labels, squares: Matrix, masses: Matrix) -> float:
    """Share Q of the inertia of squared dissimilarities that lies between the clusters, at most 1.

    Parameters
    ----------
    labels : array, shape (regions,)
    squares : array, shape (regions, regions)
    masses : array, shape (regions,)

    Examples
    --------
    >>> squares = np.subtract.outer([0.0, 2.0, 9.0], [0.0, 2.0, 9.0]) ** 2
    >>> print(round(homogeneity(np.array([0, 0, 1]), squares, np.ones(3)), 4))
    0.9552
    """
    member = membership(labels)[1] * masses[:, None]
    within = (member * (squares @ member)).sum(axis=0) / (2 * member.sum(axis=0))
    whole = masses @ squares @ masses / (2 * masses.sum())
    return float(1 - within.sum() / whole)


def checked_alpha(alpha: float) -> float:
    """Refuse a spatial weight outside 0–1."""
    if not is_number(alpha) or not 0 <= alpha <= 1:
        raise InputError(f"alpha is {alpha}; it must be from 0 (features only) to 1 (space only).")
    return float(alpha)


def scaled_squares(distances: Matrix, name: str) -> Matrix:
    """Squares of dissimilarities divided by their maximum."""
    largest = distances.max()
    if not largest > 0:
        raise InputError(f"Every dissimilarity of {name} is 0; regions must differ in it.")
    squares: Matrix = (distances / largest) ** 2
    return squares


def dissimilarities(apart: pd.DataFrame | Graph, regions: pd.Index) -> Matrix:
    """How far regions are apart, in the order of ``regions``: a checked table, or 0 and 1 of a graph.

    In a graph two regions are neighbors if either names the other.

    Examples
    --------
    >>> graph = Graph.from_arrays(["a", "b", "b", "c"], ["b", "a", "c", "b"], [1.0, 1.0, 1.0, 1.0])
    >>> dissimilarities(graph, pd.Index(["a", "b", "c"]))
    array([[0., 0., 1.],
           [0., 0., 0.],
           [1., 0., 0.]])
    """
    if isinstance(apart, Graph):
        near = aligned(apart, regions).sparse.toarray() > 0
        far: Matrix = 1.0 - (near | near.T | np.eye(len(regions), dtype=bool))
        return far
    if not isinstance(apart, pd.DataFrame):
        raise GraphError(f"apart must be a DataFrame or a libpysal.graph.Graph, not {type(apart).__name__}.")
    table = check_table(apart, name="apart", minimum=0)
    check_same_regions(table.index, regions, "the rows of apart", "features")
    check_same_regions(table.columns, regions, "the columns of apart", "features")
    distances = table.loc[regions, regions].to_numpy()
    if distances.diagonal().any():
        itself = regions[distances.diagonal() != 0]
        raise InputError(f"apart must be 0 from a region to itself, but it is not for {listing(itself)}.")
    uneven = np.argwhere(~np.isclose(distances, distances.T, rtol=1e-9, atol=0))
    if len(uneven):
        first, second = regions[uneven[0]]
        raise InputError(
            f"apart must be symmetric, but {first} × {second} is {table.loc[first, second]:g} and "
            f"{second} × {first} is {table.loc[second, first]:g}."
        )
    even: Matrix = (distances + distances.T) / 2
    return even


def _masses(masses: pd.Series, regions: pd.Index) -> Matrix:
    table = check_table(masses, name="masses")
    check_same_regions(table.index, regions, "masses", "features")
    weight: Matrix = table.loc[regions].iloc[:, 0].to_numpy()
    if (weight <= 0).any():
        raise InputError(f"masses must be above 0, but {listing(regions[weight <= 0])} is not.")
    return weight
