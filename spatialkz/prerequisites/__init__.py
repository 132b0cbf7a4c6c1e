"""Prerequisites: what goes with specialization, estimated for few regions and many sectors."""

from spatialkz.prerequisites.entry import EntryTest, entry_test
from spatialkz.prerequisites.findings import (
    PrerequisiteFindings,
    check_prerequisites,
    prerequisite_findings,
    prerequisite_study,
)
from spatialkz.prerequisites.odds import ThresholdOdds, threshold_odds
from spatialkz.prerequisites.policy import PolicyContrast, policy_contrast
from spatialkz.prerequisites.prerequisites import PrerequisiteTest, prerequisite_test
from spatialkz.prerequisites.regression import SpatialRegression, spatial_regression
from spatialkz.prerequisites.space import SpatialDiagnostics, spatial_diagnostics

__all__ = [
    "EntryTest",
    "PolicyContrast",
    "PrerequisiteFindings",
    "PrerequisiteTest",
    "SpatialDiagnostics",
    "SpatialRegression",
    "ThresholdOdds",
    "check_prerequisites",
    "entry_test",
    "policy_contrast",
    "prerequisite_findings",
    "prerequisite_study",
    "prerequisite_test",
    "spatial_diagnostics",
    "spatial_regression",
    "threshold_odds",
]
