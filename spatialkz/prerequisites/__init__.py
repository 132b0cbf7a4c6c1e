"""Prerequisites: what goes with specialization, estimated for few regions and many sectors."""

from spatialkz.prerequisites.odds import ThresholdOdds, threshold_odds
from spatialkz.prerequisites.policy import PolicyContrast, policy_contrast
from spatialkz.prerequisites.prerequisites import PrerequisiteTest, prerequisite_test
from spatialkz.prerequisites.regression import SpatialRegression, spatial_regression
from spatialkz.prerequisites.space import SpatialDiagnostics, spatial_diagnostics

__all__ = [
    "PolicyContrast",
    "PrerequisiteTest",
    "SpatialDiagnostics",
    "SpatialRegression",
    "ThresholdOdds",
    "policy_contrast",
    "prerequisite_test",
    "spatial_diagnostics",
    "spatial_regression",
    "threshold_odds",
]
