"""Is knowledge focal? Piling, contiguity, model comparison, multiverse, and a verdict."""

from spatialkz.focal.contiguity import ContiguityTest, contiguity_test
from spatialkz.focal.findings import FamilyFindings, FocalTest
from spatialkz.focal.focal import focal_test
from spatialkz.focal.influence import Influence, influence
from spatialkz.focal.model_choice import ModelChoice, model_posterior, prior_sensitivity
from spatialkz.focal.models import PRIOR_SETS, Priors
from spatialkz.focal.multiverse import Multiverse, multiverse
from spatialkz.focal.piling import PilingTest, piling_test
from spatialkz.focal.size_null import table_base_shares
from spatialkz.focal.verdict import Evidence, Verdict, verdict

__all__ = [
    "PRIOR_SETS",
    "ContiguityTest",
    "Evidence",
    "FamilyFindings",
    "FocalTest",
    "Influence",
    "ModelChoice",
    "Multiverse",
    "PilingTest",
    "Priors",
    "Verdict",
    "contiguity_test",
    "focal_test",
    "influence",
    "model_posterior",
    "multiverse",
    "piling_test",
    "prior_sensitivity",
    "table_base_shares",
    "verdict",
]
