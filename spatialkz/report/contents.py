"""What a run has found, handed to figures and page as one object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from spatialkz.candidates import CandidateRanking
from spatialkz.clustering import ClusterAnalysis, RegionClusters
from spatialkz.spatial import Detectable, LocalMoranTest, MoranTest
from spatialkz.specialization import QuotientAudit
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
        For every sector and ``breadth`` (number of sectors with LQ ≥ threshold).
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

    @property
    def clusters(self) -> Mapping[str, RegionClusters]:
        """Clusters by method."""
        return self.clustering.clusters

    def autocorrelation(self) -> pd.DataFrame:
        """Moran's I of each variable, with what could have been detected beside it."""
        table = self.moran.to_frame()
        return table if self.detectable is None else self.detectable.beside(table)
