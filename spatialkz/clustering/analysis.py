"""Everything that is asked of clusters of regions, in one call."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from libpysal.graph import Graph

from spatialkz.clustering.clusters import RegionClusters, cluster_regions
from spatialkz.clustering.number.structure import StructureTest, structure_test
from spatialkz.clustering.partition.contiguous import contiguity
from spatialkz.clustering.partition.labels import Labels, Matrix, distinct_rows
from spatialkz.clustering.partition.methods import METHODS, partition
from spatialkz.clustering.profiles import POST_SELECTION, ClusterProfiles, cluster_profiles
from spatialkz.clustering.transforms import transform_note, transformed
from spatialkz.clustering.validation.agreement import (
    Consensus,
    adjusted_rand,
    consensus_clusters,
    partitions_by,
)
from spatialkz.clustering.validation.joins import ClusterContiguity, cluster_contiguity, is_symmetric
from spatialkz.clustering.validation.splitting import SectorSplitTest, sector_split_test
from spatialkz.clustering.validation.stability import (
    ClusterStability,
    leave_one_region_out,
    leave_one_sector_out,
)
from spatialkz.errors import InputError, listing
from spatialkz.options import PartitionMethod, Transform
from spatialkz.progress import Progress, Stages
from spatialkz.randomness import generator
from spatialkz.resampling.pvalues import check_number
from spatialkz.results import Result, json_ready
from spatialkz.tables import check_same_regions, check_table

# Largest k that the tests of structure try, and seeds compared.
_MOST_STRUCTURE, _SEEDS = 6, 10
# Regions in each resample of the consensus; regions that must differ.
_SHARE, _LEAST_DISTINCT = 0.8, 3

DEFAULT_METHODS: tuple[PartitionMethod, ...] = ("kmeans", "ward", "ward-contiguous", "clustgeo")


@dataclass(frozen=True, repr=False)
class ClusterAnalysis(Result):
    """Result of :func:`analyse_clusters`.

    Attributes
    ----------
    clusters : mapping
        Method → its clusters. All but the first are there for comparison; what follows is of the first.
    agreement : DataFrame
        Adjusted Rand index between the methods, each with its own k.
    seeds : DataFrame
        The same between ten seeds of the first method, all with its k.
    structure : mapping
        Null hypothesis → test whether there are clusters at all.
    without_region, without_sector : ClusterStability
        Clusters again without each region, and without each sector (empty if there is one).
    consensus : Consensus or None
        Over resamples of regions; None for one cluster, or as the notes say.
    profiles : ClusterProfiles
        Quotients by cluster.
    contiguity : ClusterContiguity or None
        None where the graph is not symmetric.
    split : SectorSplitTest or None
        Whether clusters of half of the sectors differ in the other half; None where fewer than 4 vary.
    features : str
        What was clustered, in words.
    notes : tuple of str
        What was left out and why, one sentence each.
    """

    clusters: Mapping[str, RegionClusters]
    agreement: pd.DataFrame
    seeds: pd.DataFrame
    structure: Mapping[str, StructureTest]
    without_region: ClusterStability
    without_sector: ClusterStability | None
    consensus: Consensus | None
    profiles: ClusterProfiles
    contiguity: ClusterContiguity | None
    split: SectorSplitTest | None
    features: str
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
        """One row for each region: clusters, silhouettes and stability by method, membership probability."""
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
            "without_sector": self.without_sector,
            "consensus": self.consensus,
            "contiguity": self.contiguity,
            "split_test": self.split,
        }
        return {
            "features": self.features,
            "methods": {method: found.to_dict() for method, found in self.clusters.items()},
            "adjusted_rand": json_ready(self.agreement),
            "adjusted_rand_between_seeds": {
                "seeds": len(self.seeds),
                "least": float(self.seeds.to_numpy().min()),
                "mean": float(self.seeds.to_numpy()[np.triu_indices(len(self.seeds), 1)].mean()),
            },
            "structure": {null: test.to_dict() for null, test in self.structure.items()},
            "without_region": self.without_region.to_dict(),
            **{name: None if part is None else part.to_dict() for name, part in optional.items()},
            "profiles": self.profiles.to_dict(),
            "caution": POST_SELECTION,
        }

    def summary(self) -> str:
        """Clusters, whether there are any, and how far they hold."""
        parts = [self.main.summary(), *(test.summary() for test in self.structure.values())]
        parts += [self.without_region.summary()]
        parts += [part.summary() for part in (self.without_sector, self.contiguity, self.split) if part]
        return "\n".join([*parts, self.profiles.summary()])


def analyse_clusters(
    quotients: pd.DataFrame,
    graph: Graph,
    *,
    groups: pd.Series | None = None,
    transform: Transform = "symmetric",
    methods: Sequence[PartitionMethod] = DEFAULT_METHODS,
    k: int | None = None,
    resamples: int = 100,
    draws: int = 199,
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
        For all methods, at least 2; left out, each has the k of largest mean silhouette.
    resamples : int
        Behind stability and consensus.
    draws : int
        Data sets behind each test of structure.
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
    6
    """
    if not methods:
        raise InputError("methods is empty; at least one is needed.")
    if k == 1:
        raise InputError("k is 1, but clusters can be compared only if there are at least 2.")
    for method in methods:
        if method not in METHODS:
            raise InputError(f"method is {method!r}; it must be one of {listing(METHODS, 10)}.")
    if METHODS[methods[0]].needs_graph:
        raise InputError(
            f"The first of methods is {methods[0]!r}; it must be a method that works without a graph."
        )
    check_number(resamples, "resamples", 1)
    check_number(draws, "draws", 1)
    check_table(quotients, name="quotients", minimum=0.0, least_regions=4)
    contiguity(graph, quotients.index)
    if groups is not None:
        check_same_regions(groups.index, quotients.columns, "groups")
    steps = Stages(progress, {"methods": 2.5, "consensus": 0.5, "structure": 3.5, "validation": 1.0})
    features = transformed(quotients, transform)
    check_clusterable(features, resamples)
    seed = int(generator(rng, "analyse_clusters").integers(2**31))
    steps.begin("methods")
    # The gap statistic of the first method alone: it takes as long as all the rest.
    clusters: dict[str, RegionClusters] = {
        method: cluster_regions(
            features,
            method=method,
            k=k,
            graph=graph,
            references=0 if place else 50,
            resamples=resamples,
            rng=seed,
        )
        for place, method in enumerate(methods)
        if place == 0 or _fits(method, graph)
    }
    main = clusters[methods[0]]

    def fit(points: Matrix, seed: int = seed) -> Labels:
        # Some sectors may not tell as many regions apart as there are clusters.
        return partition(points, min(main.k, distinct_rows(points)), main.method, rng=seed)

    sectors = features.shape[1]
    varying = features.loc[:, features.nunique() > 1]
    steps.begin("consensus")
    consensus, notes = None, []
    if main.k > 1:
        try:
            consensus = consensus_clusters(
                features, fit, k=main.k, regions=_SHARE, resamples=resamples, rng=seed
            )
        except InputError as error:
            # Ties or a rare draw; all else stands.
            notes.append(f"The consensus of clusters was left out: {error}")
    steps.begin("structure")
    most = min(_MOST_STRUCTURE, distinct_rows(features.to_numpy()) - 1)
    test = partial(structure_test, features, ks=range(2, most + 1), draws=draws, rng=seed)
    structure = {"gaussian": test(null="gaussian"), "column-permutation": test(null="column-permutation")}
    steps.begin("validation")
    seeds = partitions_by(features, {place: partial(fit, seed=place) for place in range(_SEEDS)})
    return ClusterAnalysis(
        clusters=clusters,
        agreement=adjusted_rand({method: found.labels for method, found in clusters.items()}),
        seeds=adjusted_rand(seeds),
        structure=structure,
        without_region=leave_one_region_out(features, main.labels, fit),
        without_sector=leave_one_sector_out(features, main.labels, fit) if sectors > 1 else None,
        consensus=consensus,
        profiles=cluster_profiles(quotients, main.labels, groups=groups),
        contiguity=cluster_contiguity(main.labels, graph, rng=seed)
        if main.k > 1 and is_symmetric(graph)
        else None,
        split=sector_split_test(varying, fit, rng=seed) if varying.shape[1] > 3 and main.k > 1 else None,
        features=transform_note(quotients, transform),
        notes=tuple(notes),
    )


def check_clusterable(features: pd.DataFrame, resamples: int) -> None:
    r"""Refuse at once a table that tells too few regions apart, and too few resamples for its size.

    In :math:`R` resamples of the share :math:`s` of *n* regions, :math:`n(n - 1)/2\, (1 - s^2)^R` pairs are
    expected never to meet, and without all of them there is no consensus.

    Raises
    ------
    InputError
        If fewer than 3 regions differ, or half a pair or more is expected never to meet.

    Examples
    --------
    >>> import spatialkz
    >>> check_clusterable(spatialkz.load_study().table.values, resamples=10)
    """
    distinct, n = distinct_rows(features.to_numpy()), len(features)
    if distinct < _LEAST_DISTINCT:
        raise InputError(
            f"Clusters need at least {_LEAST_DISTINCT} regions with different features; there are {distinct}."
        )
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
