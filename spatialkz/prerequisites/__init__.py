"""Prerequisites: what goes with specialization, estimated for few regions and many sectors."""

from spatialkz.prerequisites.prerequisites import PrerequisiteTest, prerequisite_test
from spatialkz.prerequisites.regression import SpatialRegression, spatial_regression
from spatialkz.prerequisites.space import SpatialDiagnostics, spatial_diagnostics

__all__ = [
    "PrerequisiteTest",
    "SpatialDiagnostics",
    "SpatialRegression",
    "prerequisite_test",
    "spatial_diagnostics",
    "spatial_regression",
]
