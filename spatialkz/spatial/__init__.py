"""Spatial autocorrelation: global and local statistics, their p-values, and what could have been detected."""

from spatialkz.options import Alternative
from spatialkz.resampling.checks import constant_variables
from spatialkz.resampling.pvalues import adjusted
from spatialkz.spatial.bivariate import bivariate_moran, cross_moran, local_bivariate_moran
from spatialkz.spatial.correlogram import Correlogram, correlogram
from spatialkz.spatial.geary import geary, local_geary
from spatialkz.spatial.getis_ord import getis_ord, local_getis_ord
from spatialkz.spatial.heteroscedasticity import local_heteroscedasticity
from spatialkz.spatial.join_counts import join_counts, local_join_counts
from spatialkz.spatial.local_moran import LocalMoranTest, local_moran
from spatialkz.spatial.moran import MoranTest, moran, rate_deviates, rate_moran
from spatialkz.spatial.power import (
    Detectable,
    MoranPower,
    dependence_confidence_set,
    detectable_dependence,
    moran_power,
)
from spatialkz.spatial.residuals import residual_moran
from spatialkz.spatial.sensitivity import graph_sensitivity

__all__ = [
    "Alternative",
    "Correlogram",
    "Detectable",
    "LocalMoranTest",
    "MoranPower",
    "MoranTest",
    "adjusted",
    "bivariate_moran",
    "constant_variables",
    "correlogram",
    "cross_moran",
    "dependence_confidence_set",
    "detectable_dependence",
    "geary",
    "getis_ord",
    "graph_sensitivity",
    "join_counts",
    "local_bivariate_moran",
    "local_geary",
    "local_getis_ord",
    "local_heteroscedasticity",
    "local_join_counts",
    "local_moran",
    "moran",
    "moran_power",
    "rate_deviates",
    "rate_moran",
    "residual_moran",
]
