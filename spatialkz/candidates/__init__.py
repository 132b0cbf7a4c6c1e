"""Cluster candidates and areas: the evidence, the score, and how far a rank can be trusted."""

from spatialkz.candidates.candidates import CandidateRanking, rank_candidates
from spatialkz.candidates.evidence.area_profile import area_profile
from spatialkz.candidates.evidence.context import (
    AREA_CONTEXT,
    CANDIDATE_CONTEXT,
    check_context,
    growth_points,
    study_growth_points,
)
from spatialkz.candidates.evidence.district_types import (
    district_types,
    read_district_rules,
    type_shares,
)
from spatialkz.candidates.evidence.evidence import AREA_EVIDENCE, CANDIDATE_EVIDENCE, knowledge_intensive
from spatialkz.candidates.evidence.stars_and_formation import formation, region_formation, stars
from spatialkz.candidates.review import NamingTest, RankingReview, naming_matrix, naming_test, review_ranking
from spatialkz.candidates.scoring.aggregation import score
from spatialkz.candidates.scoring.choices import RankChoices
from spatialkz.candidates.scoring.sensitivity import RankSensitivity, rank_sensitivity, sobol_indices
from spatialkz.candidates.scoring.uncertainty import RankUncertainty, rank_uncertainty
from spatialkz.candidates.tiers import PlacementAgreement, placement_agreement, site_evidence

__all__ = [
    "AREA_CONTEXT",
    "AREA_EVIDENCE",
    "CANDIDATE_CONTEXT",
    "CANDIDATE_EVIDENCE",
    "CandidateRanking",
    "NamingTest",
    "PlacementAgreement",
    "RankChoices",
    "RankSensitivity",
    "RankUncertainty",
    "RankingReview",
    "area_profile",
    "check_context",
    "district_types",
    "formation",
    "growth_points",
    "knowledge_intensive",
    "naming_matrix",
    "naming_test",
    "placement_agreement",
    "rank_candidates",
    "rank_sensitivity",
    "rank_uncertainty",
    "read_district_rules",
    "region_formation",
    "review_ranking",
    "score",
    "site_evidence",
    "sobol_indices",
    "stars",
    "study_growth_points",
    "type_shares",
]
