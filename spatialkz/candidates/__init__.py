"""Cluster candidates and areas: the evidence, the score, and how far a rank can be trusted."""

from spatialkz.candidates.aggregation import score
from spatialkz.candidates.area_profile import area_profile
from spatialkz.candidates.candidates import CandidateRanking, rank_candidates
from spatialkz.candidates.choices import RankChoices
from spatialkz.candidates.context import AREA_CONTEXT, CANDIDATE_CONTEXT, check_context, study_growth_points
from spatialkz.candidates.district_types import district_types, read_district_rules, type_shares
from spatialkz.candidates.evidence import AREA_EVIDENCE, CANDIDATE_EVIDENCE
from spatialkz.candidates.formation import formation, region_formation
from spatialkz.candidates.growth_points import growth_points
from spatialkz.candidates.naming import NamingTest, naming_matrix, naming_test
from spatialkz.candidates.review import RankingReview, review_ranking
from spatialkz.candidates.sensitivity import RankSensitivity, rank_sensitivity, sobol_indices
from spatialkz.candidates.stars import stars
from spatialkz.candidates.uncertainty import RankUncertainty, rank_uncertainty
from spatialkz.candidates.validation import PlacementAgreement, placement_agreement, site_evidence

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
