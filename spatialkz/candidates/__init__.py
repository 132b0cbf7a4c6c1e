"""Cluster candidates and areas: the evidence, the score, and how far a rank can be trusted."""

from spatialkz.candidates.candidates import CandidateRanking, rank_candidates
from spatialkz.candidates.evidence import AREA_EVIDENCE, CANDIDATE_EVIDENCE

__all__ = ["AREA_EVIDENCE", "CANDIDATE_EVIDENCE", "CandidateRanking", "rank_candidates"]
