"""Prerequisites: what goes with specialization, estimated for few regions and many sectors."""

from spatialkz.prerequisites.entry import EntryTest, entry_test
from spatialkz.prerequisites.odds import ThresholdOdds, threshold_odds
from spatialkz.prerequisites.policy import PolicyContrast, policy_contrast
from spatialkz.prerequisites.prerequisites import PrerequisiteTest, prerequisite_test

__all__ = [
    "EntryTest",
    "PolicyContrast",
    "PrerequisiteTest",
    "ThresholdOdds",
    "entry_test",
    "policy_contrast",
    "prerequisite_test",
    "threshold_odds",
]
