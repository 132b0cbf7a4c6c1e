"""cluster_regions: one result for every method, with the choice of k and the stability of what came out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import get_args

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from numpy.typing import NDArray
from scipy.sparse import csr_array

from spatialkz.clustering.number.criteria import (
    chosen_by_rule,
    partition_criteria,
    path_distances,
    silhouette_widths,
)
from spatialkz.clustering.number.gap import gap_statistic
from spatialkz.clustering.partition.contiguous import check_parts, contiguity
from spatialkz.clustering.partition.labels import Matrix, Refit, by_descending_mean, distinct_rows
from spatialkz.clustering.partition.methods import METHODS, mixture_bic, partition, partitions, tree
from spatialkz.clustering.validation.stability import bootstrap_stability, leave_one_sector_out
from spatialkz.errors import InputError, listing
from spatialkz.options import NumberRule, PartitionMethod
from spatialkz.randomness import generator
from spatialkz.resampling.pvalues import check_number
from spatialkz.results import Result, json_ready
from spatialkz.tables import check_table

_MOST_CLUSTERS = 10
# Regions up to which all ways over the graph are measured.
_MOST_PATHS = 2000


@dataclass(frozen=True, repr=False)
class RegionClusters(Result):
    """Result of :func:`cluster_regions`.

    Attributes
    ----------
    labels : Series
        Region → cluster, numbered from 1 by descending mean of the features.
    k : int
        Number of clusters; 1 means that no clusters were found.
    method : str
        As given.
    chosen_by : str
        The rule that chose k, or ``given``.
    criteria : DataFrame
        Index ``k``; columns ``silhouette, calinski_harabasz, davies_bouldin, within_ss`` (missing where not
        defined, as for one cluster), ``gap, se`` (of :func:`gap_statistic`), with a connected graph of up to
        2,000 regions ``path_silhouette``, and for a mixture ``bic``.
    rules : DataFrame
        Index ``rule``; which ``k`` each chooses, and how far from the rule that decided.
    stability : Series
        Cluster → mean Jaccard similarity, 0–1; at least 0.75 is stable, below 0.5 dissolved. Missing where
        nothing could be left out.
    stability_by : str
        ``bootstrap`` of the regions; ``leave-one-sector-out`` for methods tied to a graph, whose regions
        cannot be drawn anew.
    silhouettes : Series
        Region → silhouette width in the chosen partition, −1 to 1; missing for one cluster.
    tree : array, shape (regions − 1, 4), or None
        Of a hierarchical method: the merges as SciPy's ``linkage`` writes them, for a dendrogram; its first
        nodes are the regions in the order of ``labels``. Heights can fall in ``ward-contiguous``, and are
        infinite between connected components of the graph.
    """

    labels: pd.Series
    k: int
    method: PartitionMethod
    chosen_by: str
    criteria: pd.DataFrame
    rules: pd.DataFrame
    stability: pd.Series
    stability_by: str
    silhouettes: pd.Series
    tree: Matrix | None = None

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
            "rules": json_ready(self.rules),
            "stability": json_ready(self.stability),
            "stability_by": self.stability_by,
            "members": json_ready(members),
        }

    def summary(self) -> str:
        """Clusters with their members and stability, and what other rules would have chosen."""
        others = ", ".join(f"{rule} {k}" for rule, k in self.rules["k"].items() if rule != self.chosen_by)
        lines = [
            f"{METHODS[self.method].title}, k = {self.k} ({self.chosen_by}; others: {others or 'none'}); "
            f"stability by {self.stability_by}"
        ]
        for label, group in self.labels.groupby(self.labels):
            sure = "unknown" if np.isnan(self.stability[label]) else f"{self.stability[label]:.2f}"
            lines.append(f"  {label} (stability {sure}): {', '.join(map(str, group.index))}")
        return "\n".join(lines)


def cluster_regions(
    features: pd.DataFrame,
    *,
    method: PartitionMethod = "kmeans",
    k: int | None = None,
    graph: Graph | None = None,
    alpha: float | None = None,
    choose_by: NumberRule = "silhouette",
    references: int = 50,
    resamples: int = 100,
    rng: int | np.random.Generator | None = None,
) -> RegionClusters:
    """Group regions whose features are alike.

    Distances are Euclidean on the features as given: transform skewed quotients first
    (:func:`~spatialkz.clustering.transformed`), or single large cells make clusters of their own. There is
    no null hypothesis here: all rules but the gap statistic and BIC always find clusters. Whether there are
    any is asked by :func:`~spatialkz.clustering.structure_test`. Tests of differences between the clusters
    on the same features would be post-selection and too small in p.

    Parameters
    ----------
    features : DataFrame
        Rows are regions, columns indicators on comparable scales.
    method : str
        ``kmeans`` (200 starts; 10 on large tables), ``ward``, ``average`` and ``complete`` linkage,
        ``mixture`` of Gaussians; contiguous on the graph ``ward-contiguous``, ``skater``,
        ``region-kmeans``; ``clustgeo``, Ward's method with a soft spatial weight.
    k : int, optional
        Number of clusters; left out, chosen from 1 or 2 to 10 by ``choose_by``.
    graph : libpysal.graph.Graph, optional
        For the methods that need one; keyed by the same regions, in any order.
    alpha : float, optional
        Spatial weight of ``clustgeo``, 0–1; left out, chosen by its two curves.
    choose_by : {"silhouette", "calinski_harabasz", "davies_bouldin", "gap", "bic"}
        The rule that chooses k; ``gap`` and ``bic`` (of a mixture) can choose 1.
    references : int
        Reference sets of the gap statistic; 0 leaves it out, as it always is for ``skater``,
        ``region-kmeans`` and ``mixture``, which are slow (a mixture has its BIC).
    resamples : int
        Bootstrap resamples behind ``stability``.
    rng : int, Generator or None
        Seed of starts, references and resamples.

    Returns
    -------
    RegionClusters

    Raises
    ------
    InputError
        If a cell is missing, fewer than 3 regions differ, k is out of range, or a rule does not fit.
    GraphError
        If the method needs a graph and has none, or the graph has more connected components than clusters
        are wanted.

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
    if method not in METHODS:
        raise InputError(f"method is {method!r}; it must be one of {listing(METHODS, 10)}.")
    if choose_by not in get_args(NumberRule) or (choose_by == "bic" and method != "mixture"):
        known_rules = [rule for rule in get_args(NumberRule) if rule != "bic" or method == "mixture"]
        raise InputError(
            f"choose_by is {choose_by!r}; for {method} it must be one of {listing(known_rules)}."
        )
    quick = METHODS[method].tree is not None or method == "kmeans"
    if choose_by == "gap" and k is None and not (quick and references):
        raise InputError(f"choose_by={choose_by!r} needs references; there are none for {method}.")
    check_number(references, "references", 0)
    check_number(resamples, "resamples", 1)
    if alpha is not None and method != "clustgeo":
        raise InputError(f"alpha is the spatial weight of clustgeo; {method} has none.")
    table = check_table(features, name="features", least_regions=4)
    # Sorted, so that the order of the rows does not decide which starts are drawn.
    order, table = table.index, table.sort_index()
    points, known = table.to_numpy(), METHODS[method]
    most = distinct_rows(points) - 1
    if most < 2:
        raise InputError(f"Clusters need at least 3 regions with different features; there are {most + 1}.")
    if k is not None and (not isinstance(k, int | np.integer) or not 1 <= k <= most):
        raise InputError(f"k is {k!r}; with {most + 1} distinct regions it must be from 1 to {most}.")
    weights = None if graph is None else contiguity(graph, table.index)
    least = 1 if weights is None or not known.contiguous else check_parts(weights, k or most, table.index)
    seed = int(generator(rng, f"cluster_regions:{method}").integers(2**31))
    fit = _Fit(method, weights, alpha, seed)
    wanted = sorted({*range(least, min(_MOST_CLUSTERS, most) + 1), k or least})
    found = fit.all(points, wanted)
    criteria = _criteria(table, found, fit, references if quick else 0, graph)
    chosen_by = "given" if k is not None else choose_by
    rules = chosen_by_rule(criteria, choose_by if choose_by in criteria else "silhouette")
    chosen = k if k is not None else int(rules["k"][choose_by])
    labels = by_descending_mean(points, found[chosen])
    by_region = pd.Series(labels, index=table.index, name="cluster")
    again = partial(fit.one, k=chosen)
    stability, how = _stability(table, by_region, again, known.needs_graph, resamples, seed)
    widths = np.full(len(points), np.nan)
    if chosen > 1:
        widths = silhouette_widths(points, {chosen: labels})[chosen]
    return RegionClusters(
        labels=by_region.loc[order],
        k=chosen,
        method=method,
        chosen_by=chosen_by,
        criteria=criteria,
        rules=rules,
        stability=stability.rename_axis("cluster").rename("stability"),
        stability_by=how,
        silhouettes=pd.Series(widths, index=table.index, name="silhouette").loc[order],
        tree=_renamed(fit.tree(points, chosen), order.get_indexer(table.index)) if known.tree else None,
    )


@dataclass(frozen=True)
class _Fit:
    """A method with all but points and k decided."""

    method: PartitionMethod
    weights: csr_array | None
    alpha: float | None
    seed: int

    def all(self, points: Matrix, ks: Iterable[int]) -> dict[int, NDArray[np.intp]]:
        return partitions(points, ks, self.method, weights=self.weights, alpha=self.alpha, rng=self.seed)

    def one(self, points: Matrix, k: int) -> NDArray[np.intp]:
        return partition(points, k, self.method, weights=self.weights, alpha=self.alpha, rng=self.seed)

    def tree(self, points: Matrix, k: int) -> Matrix:
        return tree(points, self.method, k=k, weights=self.weights, alpha=self.alpha)


def _renamed(merges: Matrix, places: NDArray[np.intp]) -> Matrix:
    """Tree with its leaves in another order; the smaller of two nodes stands first, as SciPy has it."""
    found = merges.copy()
    leaf = found[:, :2] < len(places)
    found[:, :2][leaf] = places[found[:, :2][leaf].astype(np.intp)]
    found[:, :2].sort(axis=1)
    found.flags.writeable = False
    return found


def _criteria(
    table: pd.DataFrame,
    found: dict[int, NDArray[np.intp]],
    fit: _Fit,
    references: int,
    graph: Graph | None,
) -> pd.DataFrame:
    """Every criterion that is defined for the method, by k."""
    points = table.to_numpy()
    along = graph is not None and graph.n_components == 1 and len(points) <= _MOST_PATHS
    criteria = partition_criteria(points, found, paths=path_distances(table, graph) if along else None)
    run = [k for k in found if k <= _MOST_CLUSTERS]
    if references:
        own = None if fit.method == "kmeans" else fit.all
        gap = gap_statistic(table, run, fit=own, references=references, rng=fit.seed)
        criteria = criteria.join(gap.table[["gap", "se"]])
    if fit.method == "mixture":
        criteria = criteria.join(mixture_bic(points, run, rng=fit.seed)["bic"])
    return criteria


def _stability(
    table: pd.DataFrame, labels: pd.Series, fit: Refit, tied: bool, resamples: int, seed: int
) -> tuple[pd.Series, str]:
    """Mean Jaccard similarity of each cluster, and how it was found."""
    if not tied:
        kept = bootstrap_stability(table, labels, fit, resamples=resamples, rng=seed)
        return kept.jaccard.mean(), "bootstrap"
    if table.shape[1] < 2:
        names = np.unique(labels)
        return pd.Series(np.nan, index=names), "leave-one-sector-out"
    return leave_one_sector_out(table, labels, fit).jaccard.mean(), "leave-one-sector-out"
