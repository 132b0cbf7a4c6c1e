"""Clusters of regions: partitions, the choice of their number, their stability, and how to read them."""

from spatialkz.clustering.analysis import ClusterAnalysis, analyse_clusters, check_clusterable
from spatialkz.clustering.clusters import RegionClusters, cluster_regions
from spatialkz.clustering.number.criteria import chosen_by_rule
from spatialkz.clustering.number.gap import GapStatistic, gap_statistic
from spatialkz.clustering.number.structure import StructureTest, structure_test
from spatialkz.clustering.partition.contiguous import max_p
from spatialkz.clustering.partition.hierarchical import choose_alpha
from spatialkz.clustering.partition.methods import METHODS
from spatialkz.clustering.profiles import POST_SELECTION, ClusterProfiles, cluster_profiles
from spatialkz.clustering.transforms import TRANSFORMS, transform_note, transformed
from spatialkz.clustering.validation.agreement import Consensus, adjusted_rand, consensus_clusters
from spatialkz.clustering.validation.joins import ClusterContiguity, cluster_contiguity
from spatialkz.clustering.validation.splitting import SectorSplitTest, sector_split_test
from spatialkz.clustering.validation.stability import (
    ClusterStability,
    bootstrap_stability,
    leave_one_region_out,
    leave_one_sector_out,
)
from spatialkz.options import PartitionMethod, Transform

__all__ = [
    "METHODS",
    "POST_SELECTION",
    "TRANSFORMS",
    "ClusterAnalysis",
    "ClusterContiguity",
    "ClusterProfiles",
    "ClusterStability",
    "Consensus",
    "GapStatistic",
    "PartitionMethod",
    "RegionClusters",
    "SectorSplitTest",
    "StructureTest",
    "Transform",
    "adjusted_rand",
    "analyse_clusters",
    "bootstrap_stability",
    "check_clusterable",
    "choose_alpha",
    "chosen_by_rule",
    "cluster_contiguity",
    "cluster_profiles",
    "cluster_regions",
    "consensus_clusters",
    "gap_statistic",
    "leave_one_region_out",
    "leave_one_sector_out",
    "max_p",
    "sector_split_test",
    "structure_test",
    "transform_note",
    "transformed",
]
