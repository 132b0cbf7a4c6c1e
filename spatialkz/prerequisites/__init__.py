"""Prerequisites: what goes with specialization, estimated for few regions and many sectors."""

from spatialkz.prerequisites.prerequisites import PrerequisiteTest, prerequisite_test

__all__ = ["PrerequisiteTest", "prerequisite_test"]
