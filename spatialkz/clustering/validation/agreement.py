"""How far partitions agree: between methods, between seeds, and over resamples of the regions (consensus)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.cluster.hierarchy import cophenet, leaves_list, linkage
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import squareform

from spatialkz.clustering.partition.hierarchical import cut
from spatialkz.clustering.partition.labels import (
    Matrix,
    Member,
    by_descending_mean,
    check_k,
    check_partition,
    distinct_rows,
    membership,
)
from spatialkz.clustering.partition.methods import Grouping, Refit
from spatialkz.errors import InputError
from spatialkz.options import PartitionMethod
from spatialkz.randomness import generator
from spatialkz.resampling.pvalues import check_number
from spatialkz.results import Result, frozen, json_ready
from spatialkz.tables import check_table


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


Draw: TypeAlias = float | Literal["bootstrap"]
Places: TypeAlias = NDArray[np.intp]
# A resample without enough distinct regions is drawn again, but not for ever.
_PATIENCE = 1000


@dataclass(frozen=True, repr=False)
class Consensus(Result):
    """Result of :func:`consensus_clusters`.

    Attributes
    ----------
    matrix : DataFrame
        Region × region: of the resamples with both, the share that put them into one cluster; 1 on the
        diagonal.
    labels : Series
        Region → consensus cluster, numbered from 1 by descending mean of the features.
    membership : DataFrame
        Region × cluster: of the resamples with the region, the share that put it into that cluster. A row
        may sum to less than 1: the rest fell into clusters that match none of these.
    order : Index
        The regions as the tree orders them, for the rows of a figure.
    cophenetic : float or None
        Correlation of 1 − consensus with the heights at which the tree joins regions; near 1 is clear cut.
        None if all pairs are alike.
    dispersion : float
        0 if every pair is together half of the time, 1 if every pair is together always or never.
    resamples : int
    """

    matrix: pd.DataFrame
    labels: pd.Series
    membership: pd.DataFrame
    order: pd.Index
    cophenetic: float | None
    dispersion: float
    resamples: int

    def to_frame(self) -> pd.DataFrame:
        """One row for each region: ``cluster, probability`` (of belonging to it)."""
        own = self.membership.to_numpy()[
            np.arange(len(self.labels)), self.membership.columns.get_indexer(pd.Index(self.labels))
        ]
        return pd.DataFrame({"cluster": self.labels, "probability": own})

    def to_dict(self) -> dict[str, object]:
        """Members, probabilities and the two coefficients, ready for JSON."""
        return {
            "resamples": self.resamples,
            "cophenetic": self.cophenetic,
            "dispersion": self.dispersion,
            "labels": json_ready(self.labels),
            "membership": json_ready(self.membership),
            "matrix": json_ready(self.matrix),
        }

    def summary(self) -> str:
        """Clusters with their members and how sure each membership is."""
        together = "undefined" if self.cophenetic is None else f"{self.cophenetic:.2f}"
        lines = [
            f"Consensus of {self.resamples} resamples: cophenetic correlation {together}, "
            f"dispersion {self.dispersion:.2f}"
        ]
        for cluster, rows in self.to_frame().groupby("cluster"):
            members = [f"{region} ({row['probability']:.2f})" for region, row in rows.iterrows()]
            lines.append(f"  {cluster}: {', '.join(members)}")
        return "\n".join(lines)


def consensus_clusters(
    features: pd.DataFrame,
    *,
    k: int,
    method: PartitionMethod | Grouping = "kmeans",
    regions: Draw = 0.8,
    sectors: Draw = 1.0,
    resamples: int = 200,
    rng: int | np.random.Generator | None = None,
) -> Consensus:
    r"""Cluster resamples of regions and sectors, and cluster the regions by how often they met.

    With :math:`I_{ij}` resamples that hold regions *i* and *j* and :math:`M_{ij}` of them with both in one
    cluster, the consensus is :math:`C_{ij} = M_{ij} / I_{ij}`. Its clusters are those of average linkage on
    :math:`1 - C`, cut at ``k``. The clusters of each resample are matched one to one with the consensus
    clusters so that most regions agree, and a region's votes for a cluster make its membership probability.
    That probability describes the method's steadiness, not a population.

    Parameters
    ----------
    features : DataFrame
        Rows are regions, columns sectors.
    k : int
        Number of consensus clusters, and of those asked of the method.
    method : str or callable
        ``kmeans``, ``ward``, ``average``, ``complete``, ``mixture``; or a function of a table and k that
        returns a Series, region → cluster, and may choose its own number of clusters.
        What is drawn with replacement is numbered in its table.
    regions, sectors : float or "bootstrap"
        The share of them in each resample, drawn without replacement; or as many as there are with
        replacement.
    resamples : int
        Number of resamples; one with fewer than ``k`` distinct regions is drawn again.
    rng : int, Generator or None
        Seed of the resamples, and of the method.

    Returns
    -------
    Consensus

    Raises
    ------
    InputError
        If a share is not in (0, 1], nothing is resampled, two regions never met in a resample, or the
        consensus does not tell ``k`` clusters apart.

    References
    ----------
    Monti, Tamayo, Mesirov & Golub (2003), *Machine Learning* 52, 91–118 (consensus); Dudoit & Fridlyand
    (2003), *Bioinformatics* 19, 1090–1099 (votes); Brunet et al. (2004), *PNAS* 101, 4164–4169 (cophenetic
    correlation); Kim & Park (2007), *Bioinformatics* 23, 1495–1502 (dispersion).

    Examples
    --------
    >>> features = pd.DataFrame({"a": [0, 0.1, 0.3, 5, 5.1, 5.4]}, index=list("uvwxyz"))
    >>> found = consensus_clusters(features, k=2, method="ward", rng=1)
    >>> found.labels.to_dict()
    {'u': 2, 'v': 2, 'w': 2, 'x': 1, 'y': 1, 'z': 1}
    >>> print(found.dispersion)
    1.0
    """
    table = check_table(features, name="features", least_regions=3).sort_index().sort_index(axis=1)
    points = table.to_numpy()
    check_k(k, points)
    check_number(resamples, "resamples", 1)
    how = [_checked_draw(regions, "regions"), _checked_draw(sectors, "sectors")]
    if how == [1.0, 1.0]:
        raise InputError(
            "With shares of 1 every resample is the whole table; lower a share or use 'bootstrap'."
        )
    fit, draw = Refit.of(method, rng), generator(rng, "consensus_clusters")
    found = [_resampled(table, fit, k, how, draw) for _ in range(resamples)]
    matrix = _co_assignment(found, table.index)
    apart = squareform(1 - matrix, checks=False)
    tree = linkage(apart, "average")
    labels = _cut(tree, k, points)
    by_region = pd.Series(labels, index=table.index, name="cluster")
    votes = pd.DataFrame(
        _votes(found, membership(labels)[1]),
        index=table.index,
        columns=pd.RangeIndex(1, k + 1, name="cluster"),
    )
    as_given = features.index
    return Consensus(
        matrix=pd.DataFrame(matrix, index=table.index, columns=table.index).loc[as_given, as_given],
        labels=by_region.loc[as_given],
        membership=votes.loc[as_given],
        order=table.index[leaves_list(tree)],
        cophenetic=float(cophenet(tree, apart)[0]) if np.ptp(apart) > 0 else None,
        dispersion=float((4 * (matrix - 0.5) ** 2).mean()),
        resamples=resamples,
    )


def _checked_draw(how: Draw, what: str) -> Draw:
    if how != "bootstrap" and not (isinstance(how, int | float) and 0 < how <= 1):
        raise InputError(f"{what} is {how!r}; it must be a share above 0 and at most 1, or 'bootstrap'.")
    return how


def _places(count: int, how: Draw, rng: np.random.Generator) -> Places:
    if how == "bootstrap":
        return rng.integers(count, size=count)
    return rng.permutation(count)[: max(1, round(how * count))]


def _resampled(
    table: pd.DataFrame, fit: Refit, k: int, how: list[Draw], rng: np.random.Generator
) -> tuple[Places, Member]:
    """Regions of one resample, each once, and their clusters."""
    for _ in range(_PATIENCE):
        rows, columns = (_places(count, share, rng) for count, share in zip(table.shape, how, strict=True))
        drawn = table.iloc[rows, columns]
        if distinct_rows(drawn.to_numpy()) >= k:
            if how[0] == "bootstrap":
                drawn = drawn.reset_index(drop=True)
            if how[1] == "bootstrap":
                drawn = drawn.set_axis(range(drawn.shape[1]), axis=1)
            kept, first = np.unique(rows, return_index=True)
            return kept, membership(fit.labels(drawn, k)[first])[1]
    raise InputError(f"{_PATIENCE} resamples in a row had fewer than {k} distinct regions; draw larger ones.")


def _co_assignment(found: list[tuple[Places, Member]], regions: pd.Index) -> Matrix:
    together, met = np.zeros((2, len(regions), len(regions)))
    for kept, member in found:
        here = np.ix_(kept, kept)
        together[here] += member.astype(np.float64) @ member.T
        met[here] += 1
    if not met.all():
        one, other = regions[np.argwhere(met == 0)[0]]
        raise InputError(
            f"{one} and {other} were never drawn together in {len(found)} resamples; draw more or larger "
            "ones."
        )
    matrix: Matrix = together / met
    return matrix


def _cut(tree: Matrix, k: int, points: Matrix) -> NDArray[np.intp]:
    """Clusters of the tree, numbered from 1 by descending mean of the points."""
    heights = np.concatenate([[0.0], tree[:, 2], [np.inf]])
    if np.isclose(heights[len(points) - k], heights[len(points) - k + 1], rtol=0, atol=1e-12):
        raise InputError(
            f"The consensus does not tell {k} clusters apart: its tree joins several at one height."
        )
    return by_descending_mean(points, cut(tree, k))


def _votes(found: list[tuple[Places, Member]], member: Member) -> Matrix:
    """Share of a region's resamples in which its cluster matched each consensus cluster."""
    votes, drawn = np.zeros(member.shape), np.zeros((len(member), 1))
    for kept, again in found:
        overlap = member[kept].T.astype(np.float64) @ again
        for cluster, match in zip(*linear_sum_assignment(overlap, maximize=True), strict=True):
            if overlap[cluster, match]:
                votes[kept[again[:, match]], cluster] += 1
        drawn[kept] += 1
    shares: Matrix = votes / drawn
    return shares
