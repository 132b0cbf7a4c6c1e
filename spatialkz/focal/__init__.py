"""Is knowledge focal? Co-location, spread, shape, place, all other choices, and a verdict."""

from spatialkz.focal.findings import FamilyFindings, FocalTest
from spatialkz.focal.focal import focal_test
from spatialkz.focal.influence import Influence, influence
from spatialkz.focal.models.choice import ModelChoice, model_posterior, prior_sensitivity
from spatialkz.focal.models.models import PRIOR_SETS, Priors
from spatialkz.focal.multiverse import Multiverse, multiverse
from spatialkz.focal.parts import ColocationPart, PlacePart, ShapePart, SpreadPart
from spatialkz.focal.questions.colocation import ColocationTest, colocation_test
from spatialkz.focal.questions.place import ContiguityTest, contiguity_test
from spatialkz.focal.questions.size_null import table_base_shares
from spatialkz.focal.questions.spread import SpreadTest, spread_test
from spatialkz.focal.verdict import Evidence, Verdict, verdict

__all__ = [
    "PRIOR_SETS",
    "ColocationPart",
    "ColocationTest",
    "ContiguityTest",
    "Evidence",
    "FamilyFindings",
    "FocalTest",
    "Influence",
    "ModelChoice",
    "Multiverse",
    "PlacePart",
    "Priors",
    "ShapePart",
    "SpreadPart",
    "SpreadTest",
    "Verdict",
    "colocation_test",
    "contiguity_test",
    "focal_test",
    "influence",
    "model_posterior",
    "multiverse",
    "prior_sensitivity",
    "spread_test",
    "table_base_shares",
    "verdict",
]
