"""Spatial autocorrelation: global and local statistics and their p-values."""

from spatialkz.inference import Alternative, false_discovery_adjusted
from spatialkz.spatial.local_moran import LocalMoranTest, local_moran
from spatialkz.spatial.moran import MoranTest, moran

__all__ = [
    "Alternative",
    "LocalMoranTest",
    "MoranTest",
    "false_discovery_adjusted",
    "local_moran",
    "moran",
]
