"""Everything that is asked of clusters of regions, in one call."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from libpysal.graph import Graph

from spatialkz.clustering.clusters import RegionClusters, check_rule, cluster_regions
from spatialkz.clustering.number.structure import StructureTest, checked_draws, structure_tests
from spatialkz.clustering.partition.contiguous import contiguity
from spatialkz.clustering.partition.labels import Matrix, most_clusters
from spatialkz.clustering.partition.methods import METHODS, Refit
from spatialkz.clustering.profiles import POST_SELECTION, ClusterProfiles, cluster_profiles
from spatialkz.clustering.transforms import transform_note, transformed
from spatialkz.clustering.validation.agreement import Consensus, adjusted_rand, consensus_clusters
from spatialkz.clustering.validation.joins import ClusterContiguity, cluster_contiguity, is_symmetric
from spatialkz.clustering.validation.splitting import SectorSplitTest, sector_split_test
from spatialkz.clustering.validation.stability import (
    ClusterStability,
    leave_one_region_out,
    leave_one_sector_out,
)
from spatialkz.errors import InputError
from spatialkz.options import NumberRule, PartitionMethod, StructureNull, Transform
from spatialkz.progress import Progress, Stages
from spatialkz.randomness import generator
from spatialkz.resampling.pvalues import check_number
from spatialkz.results import Result, json_ready
from spatialkz.tables import check_same_regions, check_table

# Seeds compared, and reference sets of the gap statistic.
_SEEDS, _REFERENCES = 10, 50
# Regions in each resample of the consensus.
_SHARE = 0.8

ONE_CLUSTER = "How far clusters hold is asked only of two or more; give k to look into groups that describe."

DEFAULT_METHODS: tuple[PartitionMethod, ...] = ("kmeans", "ward", "ward-contiguous", "clustgeo")


@dataclass(frozen=True, repr=False)
class ClusterAnalysis(Result):
    """Result of :func:`analyse_clusters`.

    Attributes
    ----------
    clusters : mapping
        Method → its clusters. All but the first are there for comparison; what follows is of the first.
    structure : mapping
        Null hypothesis → test whether there are clusters at all.
    features : str
        What was clustered, in words.
    agreement : DataFrame or None
        Adjusted Rand index between the methods, each with its own k. This and all that follows is None for
        one cluster, of which there is nothing to ask.
    seeds : DataFrame or None
        The same between ten seeds of the first method, all with its k.
    without_region, without_sector : ClusterStability or None
        Clusters again without each region, and without each sector (None if there is one).
    consensus : Consensus or None
        Over resamples of regions; None if the notes say so.
    profiles : ClusterProfiles or None
        Quotients by cluster.
    contiguity : ClusterContiguity or None
        None where the graph is not symmetric.
    split : SectorSplitTest or None
        Whether clusters of half of the sectors differ in the other half; None where fewer than 4 vary.
    notes : tuple of str
        What was left out and why, one sentence each.
    """

    clusters: Mapping[str, RegionClusters]
    structure: Mapping[StructureNull, StructureTest]
    features: str
    agreement: pd.DataFrame | None = None
    seeds: pd.DataFrame | None = None
    without_region: ClusterStability | None = None
    without_sector: ClusterStability | None = None
    consensus: Consensus | None = None
    profiles: ClusterProfiles | None = None
    contiguity: ClusterContiguity | None = None
    split: SectorSplitTest | None = None
    notes: tuple[str, ...] = ()

    @property
    def main(self) -> RegionClusters:
        """Clusters of the first method."""
        return next(iter(self.clusters.values()))

    @property
    def tree(self) -> Matrix:
        """Ward's tree of all regions as SciPy writes it, leaves in the order of the labels."""
        return np.asarray(self.clusters["ward"].tree)

    def to_frame(self) -> pd.DataFrame:
        """One row for each region: clusters by method; of several, silhouettes, stability, probability."""
        frames = [
            found.to_frame().add_prefix(f"{method.replace('-', '_')}_")
            for method, found in self.clusters.items()
        ]
        table = pd.concat(frames, axis=1)
        if self.consensus is not None:
            table = table.join(self.consensus.to_frame().add_prefix("consensus_"))
        return table

    def to_dict(self) -> dict[str, object]:
        """Everything, ready for JSON."""
        optional = {
            "without_region": self.without_region,
            "without_sector": self.without_sector,
            "consensus": self.consensus,
            "contiguity": self.contiguity,
            "split_test": self.split,
            "profiles": self.profiles,
        }
        seeds = None
        if self.seeds is not None:
            pairs = self.seeds.to_numpy()[np.triu_indices(len(self.seeds), 1)]
            seeds = {"seeds": len(self.seeds), "least": float(pairs.min()), "mean": float(pairs.mean())}
        return {
            "features": self.features,
            "methods": {method: found.to_dict() for method, found in self.clusters.items()},
            "structure": {null: test.to_dict() for null, test in self.structure.items()},
            "adjusted_rand": json_ready(self.agreement),
            "adjusted_rand_between_seeds": seeds,
            **{name: None if part is None else part.to_dict() for name, part in optional.items()},
            "caution": ONE_CLUSTER if self.main.k == 1 else POST_SELECTION,
        }

    def summary(self) -> str:
        """Clusters, whether there are any, and how far they hold."""
        parts = [self.main.summary(), *(test.summary() for test in self.structure.values())]
        asked = (self.without_region, self.without_sector, self.contiguity, self.split, self.profiles)
        parts += [part.summary() for part in asked if part]
        return "\n".join(parts if self.main.k > 1 else [*parts, ONE_CLUSTER])


def analyse_clusters(
    quotients: pd.DataFrame,
    graph: Graph,
    *,
    groups: pd.Series | None = None,
    transform: Transform = "symmetric",
    methods: Sequence[PartitionMethod] = DEFAULT_METHODS,
    k: int | None = None,
    choose_by: NumberRule = "structure",
    significance: float = 0.05,
    resamples: int = 100,
    draws: int | None = None,
    rng: int | np.random.Generator | None = None,
    progress: Progress | None = None,
) -> ClusterAnalysis:
    """Cluster regions by several methods, and ask how far the clusters of the first can be trusted.

    Parameters
    ----------
    quotients : DataFrame, shape (regions, sectors)
    graph : libpysal.graph.Graph
        Keyed by the same regions. Contiguous methods are left out where it falls into parts, ``clustgeo``
        where every region neighbors all others and space tells nothing apart.
    groups : Series, optional
        Sector → group, for the names of clusters.
    transform : str
        What is done to quotients before distances are taken.
    methods : sequence of str
        The first is the one that is looked into.
    k : int, optional
        For all methods; left out, chosen by ``choose_by``. Groups of a k that is given describe the regions.
    choose_by : str
        As in :func:`cluster_regions`; by default there is one cluster for every method unless both tests of
        structure reject, and then each method has the k of its largest mean silhouette.
    significance : float
        Level of the tests of structure.
    resamples : int
        Behind stability and consensus.
    draws : int, optional
        Data sets behind each test of structure; 199, or as many as the level needs.
    rng : int, Generator or None
    progress : callable, optional
        Called with each step as it begins and the share of the work done
        (:class:`spatialkz.progress.Progress`).

    Returns
    -------
    ClusterAnalysis

    Raises
    ------
    InputError, RegionError, GraphError
        As :func:`cluster_regions`.

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> found = analyse_clusters(
    ...     study.table.values, study.graph, methods=["ward"], resamples=20, draws=19, rng=1
    ... )
    >>> found.main.k
    1
    """
    if not methods:
        raise InputError("methods is empty; at least one is needed.")
    # The gap statistic takes as long as all the rest: unless it decides, the first method alone has it.
    references = [_REFERENCES if place == 0 or choose_by == "gap" else 0 for place in range(len(methods))]
    for method, sets in zip(methods, references, strict=True):
        check_rule(method, choose_by if k is None else None, sets)
    if METHODS[methods[0]].needs_graph:
        raise InputError(
            f"The first of methods is {methods[0]!r}; it must be a method that works without a graph."
        )
    check_number(resamples, "resamples", 1)
    draws = checked_draws(draws, significance if k is None and choose_by == "structure" else None)
    check_table(quotients, name="quotients", minimum=0.0, least_regions=4)
    contiguity(graph, quotients.index)
    if groups is not None:
        check_same_regions(groups.index, quotients.columns, "groups")
    steps = Stages(progress, {"structure": 3.5, "methods": 2.5, "consensus": 0.5, "validation": 1.0})
    features = transformed(quotients, transform)
    check_clusterable(features, resamples, k)
    seed = int(generator(rng, "analyse_clusters").integers(2**31))
    steps.begin("structure")
    structure = structure_tests(features, draws=draws, rng=rng)
    steps.begin("methods")
    clusters: dict[str, RegionClusters] = {
        method: cluster_regions(
            features,
            method=method,
            k=k,
            graph=graph,
            choose_by=choose_by,
            significance=significance,
            structure=structure,
            references=sets,
            resamples=resamples,
            rng=seed,
        )
        for method, sets in zip(methods, references, strict=True)
        if method == methods[0] or _fits(method, graph)
    }
    main = clusters[methods[0]]
    told = partial(
        ClusterAnalysis, clusters=clusters, structure=structure, features=transform_note(quotients, transform)
    )
    if main.k == 1:
        return told()

    sectors = features.shape[1]
    varying = features.loc[:, features.nunique() > 1]
    steps.begin("consensus")
    consensus, notes = None, []
    try:
        consensus = consensus_clusters(
            features, k=main.k, method=main.method, regions=_SHARE, resamples=resamples, rng=seed
        )
    except InputError as error:
        # Ties or a rare draw; all else stands.
        notes.append(f"The consensus of clusters was left out: {error}")
    steps.begin("validation")
    # Sorted, so that the order of the table does not decide which starts are drawn.
    table = features.sort_index().sort_index(axis=1)
    seeds: dict[Hashable, pd.Series] = {
        place: Refit(main.method, place)(table, main.k) for place in range(_SEEDS)
    }
    again = Refit(main.method, seed)
    return told(
        agreement=adjusted_rand({method: found.labels for method, found in clusters.items()}),
        seeds=adjusted_rand(seeds),
        without_region=leave_one_region_out(features, main.labels, method=again, k=main.k),
        without_sector=leave_one_sector_out(features, main.labels, method=again, k=main.k)
        if sectors > 1
        else None,
        consensus=consensus,
        profiles=cluster_profiles(quotients, main.labels, groups=groups),
        contiguity=cluster_contiguity(main.labels, graph, rng=seed) if is_symmetric(graph) else None,
        split=sector_split_test(varying, k=main.k, method=again, rng=seed) if varying.shape[1] > 3 else None,
        notes=tuple(notes),
    )


def check_clusterable(features: pd.DataFrame, resamples: int, k: int | None = None) -> None:
    r"""Refuse at once a table that tells too few regions apart, a k out of range, and too few resamples.

    In :math:`R` resamples of the share :math:`s` of *n* regions, :math:`n(n - 1)/2\, (1 - s^2)^R` pairs are
    expected never to meet, and without all of them there is no consensus.

    Raises
    ------
    InputError
        If fewer than 3 regions differ, k is not below their number, or half a pair or more is expected never
        to meet.

    Examples
    --------
    >>> import spatialkz
    >>> check_clusterable(spatialkz.load_study().table.values, resamples=10)
    """
    most_clusters(features.to_numpy(), k)
    n = len(features)
    pairs, drawn = n * (n - 1) / 2, round(_SHARE * n)
    apart = 1 - drawn * (drawn - 1) / (n * (n - 1))
    if apart > 0 and pairs * apart**resamples >= 0.5:
        needed = math.ceil(math.log(0.01 / pairs) / math.log(apart))
        raise InputError(
            f"resamples is {resamples}; of {n} regions some pairs would never be drawn together, so at least "
            f"{needed} are needed."
        )


def _fits(method: PartitionMethod, graph: Graph) -> bool:
    """Whether a method can be used on the graph."""
    if method == "clustgeo":
        return bool(graph.cardinalities.min() < graph.n - 1)
    return not METHODS[method].contiguous or graph.n_components == 1
