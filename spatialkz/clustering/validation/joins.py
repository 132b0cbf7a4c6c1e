"""How contiguous each cluster is: its connected components, and its joins against chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from spatialkz.clustering.partition.labels import Labels, check_partition, membership
from spatialkz.errors import GraphError, InputError
from spatialkz.geography import aligned
from spatialkz.randomness import generator
from spatialkz.resampling.pvalues import adjusted, monte_carlo_tail
from spatialkz.resampling.shuffles import order_keys, random_orders
from spatialkz.results import Result, json_ready
from spatialkz.spatial import join_counts

# Comparisons of labels held at once, in numbers.
_AT_ONCE = 10_000_000


@dataclass(frozen=True, repr=False)
class ClusterContiguity(Result):
    """Result of :func:`cluster_contiguity`.

    Attributes
    ----------
    table : DataFrame
        What :meth:`to_frame` returns.
    joins, expected : float
        Joins of regions that share a cluster, over all clusters; and their mean under the null.
    p_value : float
        Of as many or more such joins.
    permutations : int
    """

    table: pd.DataFrame
    joins: float
    expected: float
    p_value: float
    permutations: int

    def to_frame(self) -> pd.DataFrame:
        """A row by cluster, in connected components of the graph among its regions.

        The columns are ``regions, components, largest_component, joins, expected, p_value, p_adjusted``.
        """
        return self.table.copy()

    def to_dict(self) -> dict[str, object]:
        """All numbers, ready for JSON."""
        return {
            "joins": self.joins,
            "expected": self.expected,
            "p_value": self.p_value,
            "permutations": self.permutations,
            "clusters": json_ready(self.table),
        }

    def summary(self) -> str:
        """Connected components and joins of each cluster, and of all."""
        lines = [
            f"{self.joins:g} joins within clusters, {self.expected:.1f} expected; p = {self.p_value:.3g}",
            "Null hypothesis: given their sizes, the clusters lie anywhere on the map.",
        ]
        for cluster, row in self.table.iterrows():
            lines.append(
                f"  {cluster}: {row['regions']:.0f} regions in {row['components']:.0f} connected components; "
                f"{row['joins']:g} joins, {row['expected']:.1f} expected; p = {row['p_value']:.3g}"
            )
        return "\n".join(lines)


def cluster_contiguity(
    labels: pd.Series,
    graph: Graph,
    *,
    permutations: int = 9999,
    rng: int | np.random.Generator | None = None,
) -> ClusterContiguity:
    r"""Count the connected components and the joins of each cluster, against clusters laid at random.

    A cluster of :math:`n_c` regions among *n*, on a graph with *m* joins, is expected to hold
    :math:`m\,n_c(n_c - 1) / (n(n - 1))` of them. Null hypothesis: given the sizes of the clusters, every
    assignment of regions to them is equally likely. The test is valid for clusters made without the map; for
    spatially constrained ones it only restates the constraint.

    Parameters
    ----------
    labels : Series
        Region → cluster; at least two clusters.
    graph : libpysal.graph.Graph
        Symmetric, keyed by the same region labels, in any order; every neighbor weighs 1.
    permutations : int
        At least 99.
    rng : int, Generator or None
        Seed of the permutations.

    Returns
    -------
    ClusterContiguity
        ``p_adjusted`` is Benjamini–Hochberg over the clusters. A cluster of one region has no joins, and
        p-value 1.

    Raises
    ------
    InputError
        If there is one cluster, or fewer than 99 permutations.
    RegionError, GraphError
        If graph and labels differ in their regions, a region has no neighbor, or a join goes one way only.

    References
    ----------
    Cliff & Ord (1981), *Spatial Processes*, ch. 1–2 (joins of one color, nonfree sampling).

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> labels = (study.table.values["research"] >= 1).map({True: 1, False: 2})
    >>> cluster_contiguity(labels, study.graph, permutations=99, rng=1).to_frame()[["components", "joins"]]
             components  joins
    cluster
    1                 4    0.0
    2                 1   22.0
    """
    if not isinstance(labels, pd.Series):
        raise InputError(f"labels must be a pandas Series, region → cluster, not {type(labels).__name__}.")
    partition = check_partition(labels, labels.index, least=2).sort_index()
    codes, names = pd.factorize(partition, sort=True)
    member = membership(codes)[1]
    draw = generator(rng, "cluster_contiguity")
    marks = pd.DataFrame(member, index=partition.index, columns=list(names))
    tested = join_counts(marks, graph, permutations=permutations, alternative="greater", rng=draw).to_frame()
    within = tested.xs("BB", level="join")
    joined = _joined(graph, partition.index)
    total, at_least = _shared_joins(codes, joined, order_keys(draw, permutations))
    part = pd.Series(_part(codes, joined)).groupby(codes)
    table = pd.DataFrame(
        {
            "regions": member.sum(axis=0),
            "components": part.nunique().to_numpy(),
            "largest_component": part.agg(lambda ids: ids.value_counts().iloc[0]).to_numpy(),
            "joins": within["statistic"].to_numpy(),
            "expected": within["expected"].to_numpy(),
            "p_value": within["p_value"].to_numpy(),
            "p_adjusted": adjusted(within["p_value"].to_numpy()),
        },
        index=pd.Index(names, name="cluster"),
    )
    return ClusterContiguity(
        table,
        float(total),
        float(table["expected"].sum()),
        float(monte_carlo_tail(at_least, permutations)),
        permutations,
    )


def is_symmetric(graph: Graph) -> bool:
    """Whether all neighbors are neighbors both ways.

    >>> is_symmetric(Graph.from_arrays(["a", "b", "c"], ["b", "a", "a"], [1.0, 1.0, 1.0]))
    False
    """
    linked = csr_array(graph.sparse) > 0
    return not (linked != linked.T).nnz


def _joined(graph: Graph, regions: pd.Index) -> Labels:
    """Each join once: positions of its two ends, shape (2, joins)."""
    linked = csr_array(aligned(graph, regions).sparse) > 0
    if (linked != linked.T).nnz:
        raise GraphError("Joins need a symmetric graph, but some regions are neighbors one way only.")
    one, other = linked.nonzero()
    once = one < other
    return np.stack([one[once], other[once]])


def _part(codes: Labels, joined: Labels) -> Labels:
    """Connected part of each region, where only joins within a cluster connect."""
    one, other = joined[:, codes[joined[0]] == codes[joined[1]]]
    within = csr_array((np.ones(len(one)), (one, other)), shape=(len(codes), len(codes)))
    part: Labels = connected_components(within, directed=False)[1]
    return part


def _shared_joins(codes: Labels, joined: Labels, keys: Labels) -> tuple[int, int]:
    """Joins within clusters, and how many random orders of the labels have as many."""
    observed = int((codes[joined[0]] == codes[joined[1]]).sum())
    at_least = 0
    for block in np.array_split(keys, -(-len(keys) * joined.shape[1] // _AT_ONCE)):
        shuffled = codes[random_orders(len(codes), block)]
        at_least += int(((shuffled[joined[0]] == shuffled[joined[1]]).sum(axis=0) >= observed).sum())
    return observed, at_least
