"""Ranked cluster candidates (region × sector) and ranked areas (region)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from spatialkz.candidates.evidence.context import area_context, candidate_context, check_context
from spatialkz.candidates.evidence.evidence import Setting, area_evidence, candidate_evidence
from spatialkz.candidates.scoring.choices import OTHER_THRESHOLDS, RankChoices
from spatialkz.candidates.scoring.uncertainty import RankUncertainty, rank_uncertainty
from spatialkz.clustering import RegionClusters, cluster_regions
from spatialkz.errors import InputError
from spatialkz.focal import ColocationTest, colocation_test
from spatialkz.progress import Progress, Stages
from spatialkz.randomness import generator
from spatialkz.resampling.pvalues import Floats, check_number
from spatialkz.results import Result, json_ready
from spatialkz.spatial import LocalMoranTest, constant_variables, local_moran
from spatialkz.specialization import (
    QuotientAudit,
    audit_table,
    breadth,
    complete_sectors,
    drawn_quotients,
    quotient_interval,
    symmetric_quotient,
    table_quotients,
    with_breadth,
)
from spatialkz.study import Study

Evidence = Callable[[Floats, Setting, float, str], dict[str, Floats]]

# Regions below which co-location cannot be tested.
_LEAST_FOR_COLOCATION = 5


@dataclass(frozen=True, repr=False)
class CandidateRanking(Result):
    """Result of :func:`rank_candidates`.

    Attributes
    ----------
    candidates : DataFrame
        A row for each region × sector with LQ ≥ threshold, best first.
    areas : DataFrame
        A row for each region, best first.
    draws : int
        Monte-Carlo draws behind the rank intervals.
    candidate_uncertainty, area_uncertainty : RankUncertainty or None
        The draws: pairs, groups that cannot be told apart, shifts by each choice alone. None where there is
        one item, or nothing that tells items apart.
    """

    candidates: pd.DataFrame
    areas: pd.DataFrame
    draws: int
    candidate_uncertainty: RankUncertainty | None = None
    area_uncertainty: RankUncertainty | None = None

    def to_frame(self) -> pd.DataFrame:
        """The candidates; the areas are in :attr:`areas`."""
        return self.candidates.copy()

    def to_dict(self) -> dict[str, object]:
        """Both tables as lists of records, ready for JSON."""
        return {
            "draws": self.draws,
            "candidates": [json_ready(row) for row in self.candidates.to_dict("records")],
            "areas": [json_ready(row) for row in self.areas.to_dict("records")],
        }

    def summary(self) -> str:
        """The ten best candidates and all areas as text."""
        columns = ["rank", "region", "sector", "lq", "score", "rank_low", "rank_high", "p_top10"]
        areas = ["rank", "region", "breadth", "score", "rank_low", "rank_high", "p_top3"]
        form = "{:.3f}".format
        best = self.candidates[columns].head(10)
        return (
            f"{len(self.candidates)} candidates; rank intervals hold 90 % of {self.draws} draws of rounding, "
            f"weights and methods\n{best.to_string(index=False, float_format=form)}\n\n"
            f"{len(self.areas)} areas\n{self.areas[areas].to_string(index=False, float_format=form)}"
        )


def rank_candidates(
    study: Study,
    *,
    draws: int | None = None,
    rng: int | np.random.Generator | None = None,
    local: LocalMoranTest | None = None,
    clusters: RegionClusters | None = None,
    audit: QuotientAudit | None = None,
    colocation: ColocationTest | None = None,
    progress: Progress | None = None,
) -> CandidateRanking:
    """Rank all cells with LQ ≥ threshold, and all regions, by a composite score with rank intervals.

    The score is the mean rank over the evidence columns (:mod:`spatialkz.candidates.evidence.evidence`),
    equally weighted, from 0 (last in all) to 1 (first in all); why, see :func:`spatialkz.candidates.score`. A
    rank interval holds 90 % of the ranks over draws in which published quotients vary within their rounding,
    suppressed cells within what totals leave them, counts by sampling, weights over all weightings (flat
    Dirichlet), normalization and aggregation over four each, the threshold over 1, 1.25 and 1.5 times the
    study's, neighbors over first and second order, and one indicator may be dropped. It says how far the
    order depends on these; it is not a confidence interval for the economy. Growth points, district types and
    expert tiers are carried along for comparison and enter no score.

    Parameters
    ----------
    study : Study
    draws : int, optional
        Monte-Carlo draws, at least 100; left out, as the study says.
    rng : int, Generator or None
        Seed of the draws.
    local, clusters, audit, colocation : optional
        Results already at hand for local Moran's I of the sectors and ``breadth``, for k-means clusters, for
        the audit of published quotients, and for the co-location test; left out, they are computed from the
        sectors without a suppressed cell, and their columns are missing where there is no such sector.
    progress : callable, optional
        Called with each step as it begins and the share of the work done
        (:class:`spatialkz.progress.Progress`).

    Returns
    -------
    CandidateRanking
        ``candidates``: ``rank, region, sector, group, lq, lq_low, lq_high, score, rank_low, rank_high,
        p_top10, stars``, the evidence, and the columns of :data:`spatialkz.candidates.CANDIDATE_CONTEXT`.
        ``areas``: ``rank, region, breadth, score, rank_low, rank_high, p_top3, tier, district_type,
        formation``, the evidence, and the columns of :data:`spatialkz.candidates.AREA_CONTEXT`.
        Equal scores are ranked by mean rank over the draws, then by label.

    Raises
    ------
    InputError
        If no quotient reaches the threshold, or draws are too few.

    References
    ----------
    OECD & JRC (2008), *Handbook on Constructing Composite Indicators*, ch. 7 (uncertainty analysis).

    Examples
    --------
    >>> import spatialkz
    >>> ranking = spatialkz.rank_candidates(spatialkz.load_study(), draws=200, rng=1)
    >>> print(len(ranking.candidates), *ranking.areas.loc[0, ["region", "breadth"]])
    41 Almaty City 10
    """
    draws = study.choices.draws if draws is None else draws
    check_number(draws, "draws", 100)
    quotients = table_quotients(study.table)
    threshold = study.choices.threshold
    rows, columns = np.nonzero(quotients.to_numpy() >= threshold)
    if not len(rows):
        largest = quotients.to_numpy().max()
        raise InputError(f"No quotient reaches the threshold {threshold:g}; the largest is {largest:g}.")
    check_context(study)
    steps = Stages(progress, {"evidence": 0.5, "candidates": 1.0, "areas": 1.0})
    steps.begin("evidence")
    # Tests of whole columns take sectors without suppressed cells; without any, they are left out.
    known = quotients[complete_sectors(study.table)]
    if local is None and known.shape[1]:
        variables = with_breadth(known, threshold)
        varying = variables.drop(columns=constant_variables(variables))
        if varying.empty:
            raise InputError("Nothing can be ranked: every quotient is the same in all regions.")
        local = local_moran(
            varying,
            study.graph,
            permutations=study.choices.permutations,
            alpha=study.choices.alpha,
            rng=rng,
        )
    if clusters is None and known.shape[1]:
        features = symmetric_quotient(known)
        clusters = cluster_regions(
            features, significance=study.choices.alpha, resamples=study.choices.resamples, rng=rng
        )
    if audit is None:
        audit = audit_table(study.table)
    if colocation is None and len(known) >= _LEAST_FOR_COLOCATION and known.shape[1] > 1:
        colocation = colocation_test(
            known, threshold=threshold, permutations=study.choices.permutations, rng=rng
        )
    low, high = quotient_interval(study.table)
    case = _RankingInput(
        Setting.of(study, quotients), quotients.to_numpy(), partial(drawn_quotients, study.table), threshold
    )
    for_cells, for_areas, for_types = generator(rng, "rank_candidates").spawn(3)
    cells = pd.MultiIndex.from_arrays(
        [quotients.index[rows], quotients.columns[columns]], names=["region", "sector"]
    )
    steps.begin("candidates")
    summary, by_cell = case.ranked(candidate_evidence, cells, (rows, columns), draws, 10, for_cells)
    context = candidate_context(study, quotients, local, clusters, audit).loc[cells]
    candidates = summary.join(context).reset_index()
    candidates = candidates.assign(
        group=candidates["sector"].map(study.table.groups),
        lq=quotients.to_numpy()[rows, columns],
        lq_low=low.to_numpy()[rows, columns],
        lq_high=high.to_numpy()[rows, columns],
    )
    regions = quotients.index.rename("region")
    steps.begin("areas")
    summary, by_area = case.ranked(area_evidence, regions, (np.arange(len(regions)),), draws, 3, for_areas)
    areas = summary.join(area_context(study, quotients, local, clusters, colocation, for_types)).reset_index()
    areas = areas.assign(
        breadth=breadth(quotients, threshold).to_numpy(),
        tier=pd.array([pd.NA] * len(quotients), dtype="Int64")
        if study.placement is None
        else study.placement.array,
    )
    first = ["rank", "region", "sector", "group", "lq", "lq_low", "lq_high", "score"]
    first += ["rank_low", "rank_high", "p_top10", "stars", "stars_possible"]
    leading = ["rank", "region", "breadth", "score", "rank_low", "rank_high", "p_top3", "tier"]
    leading += ["district_type", "formation"]
    return CandidateRanking(_arranged(candidates, first), _arranged(areas, leading), draws, by_cell, by_area)


def _arranged(table: pd.DataFrame, first: list[str]) -> pd.DataFrame:
    """Put what readers look for first, and the best row on top."""
    leading = [name for name in first if name in table]
    rest = [name for name in table if name not in leading]
    return table[[*leading, *rest]].sort_values("rank", ignore_index=True)


@dataclass(frozen=True)
class _RankingInput:
    """Quotients, what draws them within their error, and what turns them into evidence."""

    setting: Setting
    quotients: Floats
    drawn: Callable[[int, np.random.Generator], Floats]
    threshold: float

    def ranked(
        self,
        evidence: Evidence,
        items: pd.Index,
        places: tuple[npt.NDArray[np.intp], ...],
        draws: int,
        top: int,
        rng: np.random.Generator,
    ) -> tuple[pd.DataFrame, RankUncertainty | None]:
        """Ranks, rank intervals, P(rank ≤ top) and the evidence of each item."""
        graphs = tuple(self.setting.graphs)

        def drawn(
            scenario: Mapping[str, object], size: int, rng: np.random.Generator | None
        ) -> npt.NDArray[np.floating]:
            tables = np.broadcast_to(self.quotients, (size, *self.quotients.shape))
            if rng is not None:
                tables = self.drawn(size, rng)
            found = evidence(tables, self.setting, float(str(scenario["threshold"])), str(scenario["graph"]))
            at: Any = (slice(None), *places)
            return np.stack([found[name][at] for name in varying], axis=2)

        point = evidence(self.quotients[None], self.setting, self.threshold, graphs[0])
        table = pd.DataFrame({name: cells[0][places] for name, cells in point.items()}, index=items)
        varying = [str(name) for name in table if table[name].nunique() > 1]
        if not varying:
            # One item, or items that nothing tells apart: all of them are first.
            table.insert(0, "rank", np.arange(1, len(items) + 1))
            table.insert(1, "score", 1.0)
            table.insert(2, "rank_low", 1)
            table.insert(3, "rank_high", len(items))
            table.insert(4, f"p_top{top}", min(1.0, top / len(items)))
            return table, None
        choices = RankChoices(
            scenarios={
                "threshold": (self.threshold, *(self.threshold * more for more in OTHER_THRESHOLDS)),
                "graph": graphs,
            }
        )
        first = min(top, len(items))
        found = rank_uncertainty(
            table[varying],
            pd.Series(1, index=varying),
            choices,
            drawn=drawn,
            draws=draws,
            top=(first,),
            rng=rng,
        )
        summary = found.items.drop(columns="rank").rename(columns={f"p_top{first}": f"p_top{top}"})
        summary["score"] = summary["score"].round(12)
        order = summary.assign(label=[str(item) for item in items]).sort_values(
            ["score", "mean_rank", "label"], ascending=[False, True, True]
        )
        ranks = pd.Series(np.arange(1, len(items) + 1), index=order.index)
        summary.insert(0, "rank", ranks.reindex(summary.index))
        return summary.drop(columns="mean_rank").join(table), found
