"""Clusters of regions: partitions, the choice of their number, and their stability."""

from spatialkz.clustering.partition import ClusterMethod, RegionClusters, cluster_regions

__all__ = ["ClusterMethod", "RegionClusters", "cluster_regions"]
