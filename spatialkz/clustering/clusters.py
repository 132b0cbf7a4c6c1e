"""cluster_regions: one result for every method, with the choice of k and the stability of what came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import get_args

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from numpy.typing import NDArray

from spatialkz.clustering.number.criteria import (
    chosen_by_rule,
    partition_criteria,
    path_distances,
    silhouette_widths,
)
from spatialkz.clustering.number.gap import gap_statistic
from spatialkz.clustering.number.structure import (
    StructureTest,
    checked_draws,
    reason,
    structure_found,
    structure_tests,
)
from spatialkz.clustering.partition.contiguous import check_parts, contiguity
from spatialkz.clustering.partition.labels import Matrix, by_descending_mean, most_clusters
from spatialkz.clustering.partition.methods import METHODS, Refit, tree
from spatialkz.clustering.partition.mixtures import mixture_bic
from spatialkz.clustering.validation.stability import bootstrap_stability, leave_one_sector_out
from spatialkz.errors import InputError, listing
from spatialkz.options import NumberRule, PartitionMethod, StructureNull
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
        The rule that chose k, or ``given``; groups of a k that was given describe the regions.
    why : str
        What led to this k, in a sentence.
    criteria : DataFrame
        Index ``k``; columns ``silhouette, calinski_harabasz, davies_bouldin, within_ss`` (missing where not
        defined, as for one cluster), ``gap, se`` (of :func:`gap_statistic`), with a connected graph of up to
        2,000 regions ``path_silhouette``, and for a mixture ``bic``.
    rules : DataFrame
        Index ``rule``; which ``k`` each chooses, and its ``difference`` from the k that was taken.
        ``structure`` has as ``value`` the larger p-value.
    stability : Series
        Cluster → mean Jaccard similarity, 0–1; at least 0.75 is stable, below 0.5 dissolved. Missing where
        nothing could be left out, and for one cluster, which every resample finds again.
    stability_by : str
        ``bootstrap`` of the regions; ``leave-one-sector-out`` for methods tied to a graph, whose regions
        cannot be drawn anew.
    silhouettes : Series
        Region → silhouette width in the chosen partition, −1 to 1; missing for one cluster.
    tree : array, shape (regions − 1, 4), or None
        Of a hierarchical method: the merges as SciPy's ``linkage`` writes them, for a dendrogram; its first
        nodes are the regions in the order of ``labels``. Heights can fall in ``ward-contiguous``, and are
        infinite between connected components of the graph.
    structure : mapping
        Null hypothesis → test whether there are clusters at all; empty where they neither chose nor were
        given.
    """

    labels: pd.Series
    k: int
    method: PartitionMethod
    chosen_by: str
    why: str
    criteria: pd.DataFrame
    rules: pd.DataFrame
    stability: pd.Series
    stability_by: str
    silhouettes: pd.Series
    tree: Matrix | None = None
    structure: Mapping[StructureNull, StructureTest] = field(default_factory=dict)

    def to_frame(self) -> pd.DataFrame:
        """One row for each region: ``cluster``; of several, ``silhouette`` and ``stability`` too."""
        table = pd.DataFrame({"cluster": self.labels})
        if self.k == 1:
            return table
        return table.assign(silhouette=self.silhouettes, stability=self.labels.map(self.stability))

    def to_dict(self) -> dict[str, object]:
        """Choice of k, criteria, stability and members, ready for JSON."""
        members = {str(label): list(group.index) for label, group in self.labels.groupby(self.labels)}
        return {
            "method": self.method,
            "k": self.k,
            "chosen_by": self.chosen_by,
            "why": self.why,
            "criteria": json_ready(self.criteria),
            "rules": json_ready(self.rules),
            "stability": json_ready(self.stability),
            "stability_by": self.stability_by,
            "members": json_ready(members),
            "structure": {null: test.to_dict() for null, test in self.structure.items()},
        }

    def summary(self) -> str:
        """Number of clusters and why, their members and stability, and what other rules would have chosen."""
        others = ", ".join(f"{rule} {k}" for rule, k in self.rules["k"].items() if rule != self.chosen_by)
        title = f"{METHODS[self.method].title}, k = {self.k} ({self.chosen_by}; others: {others or 'none'})"
        if self.k == 1:
            return f"{title}\n{self.why}"
        lines = [f"{title}; stability by {self.stability_by}", self.why]
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
    choose_by: NumberRule = "structure",
    significance: float = 0.05,
    draws: int | None = None,
    structure: Mapping[StructureNull, StructureTest] | None = None,
    references: int = 50,
    resamples: int = 100,
    rng: int | np.random.Generator | None = None,
) -> RegionClusters:
    """Group regions whose features are alike.

    Distances are Euclidean on the features as given: transform skewed quotients first
    (:func:`~spatialkz.clustering.transformed`), or single large cells make clusters of their own. By default
    there is one cluster unless two kinds of data without clusters are both rejected
    (:func:`~spatialkz.clustering.structure_test`): one normal sample, whatever its correlations, and
    independent columns, however skewed. If the regions are either, clusters are found with a probability of
    at most ``significance``. Tests of differences between the clusters on the same features would be
    post-selection and too small in p.

    Parameters
    ----------
    features : DataFrame
        Rows are regions, columns indicators on comparable scales.
    method : str
        ``kmeans`` (200 starts; 10 on large tables), ``ward``, ``average`` and ``complete`` linkage,
        ``mixture`` of Gaussians; contiguous on the graph ``ward-contiguous``, ``skater``,
        ``region-kmeans``; ``clustgeo``, Ward's method with a soft spatial weight.
    k : int, optional
        Number of clusters; left out, chosen up to 10 by ``choose_by``. Groups of a k that is given describe
        the regions; whether they are more than that is told if ``structure`` is given too.
    graph : libpysal.graph.Graph, optional
        For the methods that need one; keyed by the same regions, in any order.
    alpha : float, optional
        Spatial weight of ``clustgeo``, 0–1; left out, chosen by its two curves.
    choose_by : {"structure", "silhouette", "calinski_harabasz", "davies_bouldin", "gap", "bic"}
        The rule that chooses k. ``structure``: 1 unless both tests reject, then the largest mean silhouette.
        ``gap`` (smallest k within one standard error of the next) and ``bic`` (of a mixture) can choose 1
        too; the others always find at least 2.
    significance : float
        Level of both tests of ``structure``.
    draws : int, optional
        Data sets behind each test; 199, or as many as the level needs.
    structure : mapping, optional
        Results of both tests, if they are at hand
        (:func:`~spatialkz.clustering.number.structure.structure_tests`).
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
        If a cell is missing, fewer than 3 regions differ, k is out of range, a rule does not fit, or so few
        draws could never reject.
    GraphError
        If the method needs a graph and has none, or the graph has more connected components than clusters
        are wanted.

    References
    ----------
    Rousseeuw (1987), *J. Computational and Applied Mathematics* 20; Ward (1963), *JASA* 58; Hennig (2007),
    *Computational Statistics & Data Analysis* 52 (stability).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> noise = pd.DataFrame(rng.normal(size=(18, 3)))
    >>> cluster_regions(noise, rng=1).k
    1
    >>> found = cluster_regions(noise + np.repeat(9 * np.eye(3), 6, axis=0), rng=1)
    >>> found.k, found.labels.value_counts().tolist()
    (3, [6, 6, 6])
    """
    check_rule(method, choose_by if k is None else None, references)
    check_number(references, "references", 0)
    check_number(resamples, "resamples", 1)
    decides = k is None and choose_by == "structure"
    draws = checked_draws(draws, significance if decides else None)
    if alpha is not None and method != "clustgeo":
        raise InputError(f"alpha is the spatial weight of clustgeo; {method} has none.")
    table = check_table(features, name="features", least_regions=4)
    # Sorted, so that the order of the rows does not decide which starts are drawn.
    order, table = table.index, table.sort_index()
    points, known = table.to_numpy(), METHODS[method]
    most = most_clusters(points, k)
    weights = None if graph is None else contiguity(graph, table.index)
    least = 1 if weights is None or not known.contiguous else check_parts(weights, k or most, table.index)
    seed = int(generator(rng, f"cluster_regions:{method}").integers(2**31))
    fit = Refit(method, seed, weights, alpha)
    wanted = sorted({*range(least, min(_MOST_CLUSTERS, most) + 1), k or least})
    found = fit.all(table, wanted)
    tests: Mapping[StructureNull, StructureTest] = structure or {}
    if decides and not tests:
        # Of the features, not of a method: the same for all.
        tests = structure_tests(table, draws=draws, rng=rng)
    criteria = _criteria(table, found, fit, references if _is_quick(method) else 0, graph)
    rules = _rules(criteria, tests, significance, least)
    chosen_by = "given" if k is not None else choose_by
    chosen = k if k is not None else int(rules["k"][choose_by])
    rules["difference"] = rules["k"] - chosen
    labels = by_descending_mean(points, found[chosen])
    by_region = pd.Series(labels, index=table.index, name="cluster")
    # One cluster is found again whatever is left out.
    stability = pd.Series(np.nan, index=np.unique(labels))
    widths = np.full(len(points), np.nan)
    if chosen > 1:
        stability = _stability(table, by_region, fit, chosen, known.needs_graph, resamples)
        widths = silhouette_widths(points, {chosen: labels})[chosen]
    grown = tree(points, method, k=chosen, weights=weights, alpha=alpha) if known.tree else None
    return RegionClusters(
        labels=by_region.loc[order],
        k=chosen,
        method=method,
        chosen_by=chosen_by,
        why=_why(chosen, chosen_by, rules, tests, significance, least),
        criteria=criteria,
        rules=rules,
        stability=stability.rename_axis("cluster").rename("stability"),
        stability_by="leave-one-sector-out" if known.needs_graph else "bootstrap",
        silhouettes=pd.Series(widths, index=table.index, name="silhouette").loc[order],
        tree=_renamed(grown, order.get_indexer(table.index)) if grown is not None else None,
        structure=tests,
    )


def check_rule(method: PartitionMethod, choose_by: NumberRule | None, references: int) -> None:
    """Refuse an unknown method, and a rule that is unknown or that the method cannot serve.

    Raises
    ------
    InputError
    """
    if method not in METHODS:
        raise InputError(f"method is {method!r}; it must be one of {listing(METHODS, 10)}.")
    if choose_by is None:
        return
    known = [rule for rule in get_args(NumberRule) if rule != "bic" or method == "mixture"]
    if choose_by not in known:
        raise InputError(f"choose_by is {choose_by!r}; for {method} it must be one of {listing(known)}.")
    if choose_by == "gap" and not (_is_quick(method) and references):
        raise InputError(f"choose_by={choose_by!r} needs references; there are none for {method}.")


def _is_quick(method: PartitionMethod) -> bool:
    """Whether a method is quick enough for the reference sets of the gap statistic."""
    return METHODS[method].tree is not None or method == "kmeans"


def _rules(
    criteria: pd.DataFrame, tests: Mapping[StructureNull, StructureTest], significance: float, least: int
) -> pd.DataFrame:
    """The k of each rule, that of both tests first; ``least`` where they find no clusters."""
    rules = chosen_by_rule(criteria)
    if not tests:
        return rules
    k = int(rules["k"]["silhouette"]) if structure_found(tests, significance) else least
    row = {"k": k, "value": max(test.p_value for test in tests.values()), "one_possible": least == 1}
    return pd.concat([pd.DataFrame(row, index=pd.Index(["structure"], name="rule")), rules])


def _why(
    k: int,
    chosen_by: str,
    rules: pd.DataFrame,
    tests: Mapping[StructureNull, StructureTest],
    significance: float,
    least: int,
) -> str:
    """What led to k, in a sentence."""
    if chosen_by == "given":
        if tests:
            return reason(tests, significance, int(rules["k"]["silhouette"]), given=True)
        return "k was given: groups describe the regions; whether there are any was not asked."
    if chosen_by == "structure":
        fewest = "one cluster" if least == 1 else f"only the {least} connected components of the graph"
        return reason(tests, significance, k, fewest)
    if chosen_by == "gap":
        return f"k = {k} is the smallest whose gap statistic is within one standard error of the next."
    extreme = "smallest" if chosen_by in ("davies_bouldin", "bic") else "largest"
    never = "" if chosen_by == "bic" else "; this rule never finds fewer than 2"
    return f"At k = {k} {chosen_by.replace('_', ' ')} is {extreme}{never}."


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
    fit: Refit,
    references: int,
    graph: Graph | None,
) -> pd.DataFrame:
    """Every criterion that is defined for the method, by k."""
    points = table.to_numpy()
    along = graph is not None and graph.n_components == 1 and len(points) <= _MOST_PATHS
    criteria = partition_criteria(points, found, paths=path_distances(table, graph) if along else None)
    run = [k for k in found if k <= _MOST_CLUSTERS]
    if references:
        gap = gap_statistic(table, run, method=fit, references=references, rng=fit.seed)
        criteria = criteria.join(gap.table[["gap", "se"]])
    if fit.method == "mixture":
        criteria = criteria.join(mixture_bic(points, run, rng=fit.seed)["bic"])
    return criteria


def _stability(
    table: pd.DataFrame, labels: pd.Series, fit: Refit, k: int, tied: bool, resamples: int
) -> pd.Series:
    """Mean Jaccard similarity of each cluster."""
    if not tied:
        found = bootstrap_stability(table, labels, method=fit, k=k, resamples=resamples, rng=fit.seed)
        return found.jaccard.mean()
    if table.shape[1] < 2:
        return pd.Series(np.nan, index=np.unique(labels))
    return leave_one_sector_out(table, labels, method=fit, k=k).jaccard.mean()
