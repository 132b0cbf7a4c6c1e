"""What a run has found, handed to figures and page as one object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from spatialkz.candidates import CandidateRanking, RankingReview
from spatialkz.clustering import ClusterAnalysis, RegionClusters
from spatialkz.focal import FocalTest
from spatialkz.prerequisites import PrerequisiteFindings
from spatialkz.spatial import Detectable, LocalMoranTest, MoranTest
from spatialkz.specialization import QuotientAudit, complete_sectors
from spatialkz.study import Study


@dataclass(frozen=True)
class Findings:
    """Results of all stages of one run.

    Attributes
    ----------
    study : Study
    quotients : DataFrame
        Location quotients, regions × sectors.
    moran, local : MoranTest, LocalMoranTest
        For every sector without hidden cells and ``breadth`` (number of these with LQ ≥ threshold).
    clustering : ClusterAnalysis
        By k-means and Ward's method at least.
    ranking : CandidateRanking
    notes : tuple of str
        What the run left out and why, one sentence each.
    seed : int
    audit : QuotientAudit, optional
        Of published quotients.
    claims : DataFrame, optional
        What the source says of its table, with verdicts (:func:`spatialkz.specialization.check_claims`).
    detectable : Detectable, optional
        Which spatial dependence the graph could have shown, and which the values leave possible.
    prerequisites : PrerequisiteFindings, optional
        What goes with specialization; None for a study without covariates or with fewer than 6 regions.
    review : RankingReview, optional
        The ranking held against expert tiers and growth points.
    focal : FocalTest, optional
        Whether the sectors are focal; None where there are too few regions or sectors to tell.
    """

    study: Study
    quotients: pd.DataFrame
    moran: MoranTest
    local: LocalMoranTest
    clustering: ClusterAnalysis
    ranking: CandidateRanking
    notes: tuple[str, ...]
    seed: int
    audit: QuotientAudit | None = None
    claims: pd.DataFrame | None = None
    detectable: Detectable | None = None
    focal: FocalTest | None = None
    prerequisites: PrerequisiteFindings | None = None
    review: RankingReview | None = None

    @property
    def complete_quotients(self) -> pd.DataFrame:
        """Quotients of the sectors without hidden cells, which were clustered and tested."""
        return self.quotients[complete_sectors(self.study.table)]

    @property
    def clusters(self) -> Mapping[str, RegionClusters]:
        """Clusters by method."""
        return self.clustering.clusters

    def trust(self) -> dict[str, object]:
        """How far ranks can be trusted, and what others say: the content of ``ranking.json``."""
        drawn = {
            "candidates": self.ranking.candidate_uncertainty,
            "areas": self.ranking.area_uncertainty,
        }
        told: dict[str, object] = {
            name: None if found is None else found.to_dict() for name, found in drawn.items()
        }
        if self.review is None:
            return {**told, "notes": list(self.ranking.notes)}
        return {**told, **self.review.to_dict(), "notes": [*self.ranking.notes, *self.review.notes]}

    def autocorrelation(self) -> pd.DataFrame:
        """Moran's I of each variable, with what could have been detected beside it."""
        table = self.moran.to_frame()
        return table if self.detectable is None else self.detectable.beside(table)
