"""Clusters of regions: partitions, the choice of their number, their stability, and how to read them."""

from spatialkz.clustering.agreement import adjusted_rand
from spatialkz.clustering.analysis import ClusterAnalysis, analyse_clusters, check_clusterable
from spatialkz.clustering.clusters import RegionClusters, cluster_regions
from spatialkz.clustering.clustgeo import ClustGeo, choose_alpha
from spatialkz.clustering.consensus import Consensus, consensus_clusters
from spatialkz.clustering.criteria import chosen_by_rule, partition_criteria, path_distances
from spatialkz.clustering.gap import GapStatistic, gap_statistic
from spatialkz.clustering.joins import ClusterContiguity, cluster_contiguity
from spatialkz.clustering.max_p import max_p
from spatialkz.clustering.methods import METHODS, partition, partitions, tree
from spatialkz.clustering.profiles import POST_SELECTION, ClusterProfiles, cluster_profiles
from spatialkz.clustering.selective import SelectiveTest, selective_test
from spatialkz.clustering.splitting import SectorSplitTest, sector_split_test
from spatialkz.clustering.stability import (
    ClusterStability,
    bootstrap_stability,
    leave_one_region_out,
    leave_one_sector_out,
)
from spatialkz.clustering.structure import StructureTest, structure_test
from spatialkz.clustering.transforms import TRANSFORMS, transform_note, transformed

__all__ = [
    "METHODS",
    "POST_SELECTION",
    "TRANSFORMS",
    "ClustGeo",
    "ClusterAnalysis",
    "ClusterContiguity",
    "ClusterProfiles",
    "ClusterStability",
    "Consensus",
    "GapStatistic",
    "RegionClusters",
    "SectorSplitTest",
    "SelectiveTest",
    "StructureTest",
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
    "partition",
    "partition_criteria",
    "partitions",
    "path_distances",
    "sector_split_test",
    "selective_test",
    "structure_test",
    "transform_note",
    "transformed",
    "tree",
]
