"""Ranked cluster candidates (region × sector) and ranked areas (region)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from spatialkz.candidates.evidence.context import area_context, candidate_context, check_context
from spatialkz.candidates.evidence.evidence import (
    DrawnEvidence,
    area_evidence,
    candidate_evidence,
    knowledge_note,
)
from spatialkz.candidates.scoring.choices import study_choices
from spatialkz.candidates.scoring.ranks import quantile_of_lots
from spatialkz.candidates.scoring.uncertainty import RankUncertainty, rank_uncertainty
from spatialkz.clustering import RegionClusters, cluster_regions
from spatialkz.errors import InputError
from spatialkz.focal import ColocationTest, colocation_test
from spatialkz.progress import Progress, Stages
from spatialkz.randomness import generator
from spatialkz.resampling.pvalues import check_number
from spatialkz.results import Result, json_ready
from spatialkz.spatial import LocalMoranTest, constant_variables, local_moran
from spatialkz.specialization import (
    QuotientAudit,
    audit_table,
    breadth,
    complete_sectors,
    quotient_interval,
    symmetric_quotient,
    table_quotients,
    with_breadth,
)
from spatialkz.study import Study

# Regions below which co-location cannot be tested.
_LEAST_FOR_COLOCATION = 5


@dataclass(frozen=True, repr=False)
class CandidateRanking(Result):
    """Result of :func:`rank_candidates`.

    Attributes
    ----------
    candidates : DataFrame
        A row for each region × sector with LQ ≥ threshold, in order.
    areas : DataFrame
        A row for each region, in order; those without a candidate come last and are not ranked.
    draws : int
        Monte-Carlo draws behind the rank intervals.
    candidate_uncertainty, area_uncertainty : RankUncertainty or None
        The draws: pairs, groups that cannot be told apart, shifts by each choice alone. None where there is
        one item, or nothing that tells items apart. That of areas is about those with a candidate.
    notes : tuple of str
        What to know before candidates are called knowledge-intensive.
    """

    candidates: pd.DataFrame
    areas: pd.DataFrame
    draws: int
    candidate_uncertainty: RankUncertainty | None = None
    area_uncertainty: RankUncertainty | None = None
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """The candidates; the areas are in :attr:`areas`."""
        return self.candidates.copy()

    def with_areas(self, known: pd.DataFrame) -> CandidateRanking:
        """The same ranking with more columns about the areas, from a table of the regions."""
        return replace(self, areas=self.areas.join(known, on="region"))

    def to_dict(self) -> dict[str, object]:
        """Both tables as lists of records, ready for JSON."""
        return {
            "draws": self.draws,
            "notes": list(self.notes),
            "candidates": [json_ready(row) for row in self.candidates.to_dict("records")],
            "areas": [json_ready(row) for row in self.areas.to_dict("records")],
        }

    def summary(self) -> str:
        """The first ten candidates and all areas as text."""
        columns = ["rank_tier", "rank", "region", "sector", "lq", "score", "rank_low", "rank_high", "p_top10"]
        areas = ["rank_tier", "rank", "region", "breadth", "score", "rank_low", "rank_high", "p_top3"]
        form = "{:.3f}".format
        best = self.candidates[columns].head(10)
        shown = self.areas[areas].to_string(index=False, float_format=form, na_rep="–")
        text = (
            f"{len(self.candidates)} candidates; ranks are medians, and their intervals hold 90 %, of "
            f"{self.draws} draws of rounding, weights and methods; no two of a tier are told apart\n"
            f"{best.to_string(index=False, float_format=form)}\n\n{len(self.areas)} areas\n{shown}"
        )
        return "\n\n".join([text, *self.notes])


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
    """Rank all cells with LQ ≥ threshold, and the regions that have one, by what many draws of a score say.

    The score is the mean rank over the evidence columns (:mod:`spatialkz.candidates.evidence.evidence`),
    equally weighted, from 0 (last in all) to 1 (first in all); why, see :func:`spatialkz.candidates.score`.
    In each draw published quotients vary within their rounding, suppressed cells within what totals leave
    them, counts by sampling, weights over all weightings (flat Dirichlet), normalization and aggregation over
    four each, the threshold over 1, 1.25 and 1.5 times the study's, and one indicator may be dropped.

    The rank is the median over the draws, and the rank interval holds 90 % of them, so no rank lies outside
    its interval, and a rank of 3 or better means among the first three in at least half of the draws
    (:func:`spatialkz.candidates.rank_uncertainty`). Rows are ordered by rank, then mean rank, then label.
    ``rank_tier`` cuts this order into tiers in which no two are told apart: in no pair is one above the other
    in 95 % of the draws. All this says how far the order depends on the choices; it is no confidence interval
    for the economy.

    **A region without a candidate is not ranked.** What it has is below the threshold in every sector, so it
    can only be less weak than others, which is no specialization. Such regions come last, have no score, and
    share the ranks that are left: as if drawn by lot among them.

    The surroundings of a region, growth points, district types and expert tiers are carried along for
    comparison and enter no score. That neighbors help would be a claim of its own (spillover).

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
        p_top10, stars, rank_tier``, the evidence, and the columns of
        :data:`spatialkz.candidates.CANDIDATE_CONTEXT`.
        ``areas``: ``rank, region, breadth, score, rank_low, rank_high, p_top3, tier, district_type,
        formation, rank_tier``, the evidence, and the columns of :data:`spatialkz.candidates.AREA_CONTEXT`.
        ``notes`` say it if the study marks no sector, or not all, as knowledge-intensive.

    Raises
    ------
    InputError
        If no quotient reaches the threshold, or draws are too few.

    References
    ----------
    OECD & JRC (2008), *Handbook on Constructing Composite Indicators*, ch. 7 (uncertainty analysis);
    Goldstein & Spiegelhalter (1996), *Journal of the Royal Statistical Society A* 159, 385–443 (intervals of
    ranks).

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
    for_cells, for_areas, for_types = generator(rng, "rank_candidates").spawn(3)
    cells = pd.MultiIndex.from_arrays(
        [quotients.index[rows], quotients.columns[columns]], names=["region", "sector"]
    )
    steps.begin("candidates")
    evidence = DrawnEvidence.of(study, candidate_evidence, cells, (rows, columns))
    summary, by_cell = _ranked(evidence, draws, 10, for_cells)
    values = {"lq": quotients, "lq_low": low, "lq_high": high}
    about = pd.DataFrame({name: table.to_numpy()[rows, columns] for name, table in values.items()}, cells)
    context = candidate_context(study, quotients, local, clusters, audit)
    candidates = summary.join(about).join(context).reset_index()
    candidates["group"] = candidates["sector"].map(study.table.groups)
    steps.begin("areas")
    ranked, regions = np.unique(rows), quotients.index.rename("region")
    evidence = DrawnEvidence.of(study, area_evidence, regions[ranked], (ranked,))
    summary, by_area = _ranked(evidence, draws, 3, for_areas)
    if len(rest := np.setdiff1d(np.arange(len(regions)), ranked)):
        unranked = DrawnEvidence.of(study, area_evidence, regions[rest], (rest,)).table
        shared = _by_lot(unranked, len(ranked), 3).assign(rank_tier=summary["rank_tier"].max() + 1)
        summary = pd.concat([summary, shared])
    about = pd.DataFrame({"breadth": breadth(quotients, threshold).to_numpy()}, regions)
    unknown = pd.array([pd.NA] * len(quotients), dtype="Int64")
    about["tier"] = unknown if study.placement is None else study.placement.array
    context = area_context(study, quotients, local, clusters, colocation, for_types)
    areas = summary.join(about).join(context).reset_index()
    first = ["rank", "region", "sector", "group", "lq", "lq_low", "lq_high", "score"]
    first += ["rank_low", "rank_high", "p_top10", "stars", "stars_possible", "rank_tier"]
    leading = ["rank", "region", "breadth", "score", "rank_low", "rank_high", "p_top3", "tier"]
    leading += ["district_type", "formation", "rank_tier"]
    note = knowledge_note(study)
    return CandidateRanking(
        _arranged(candidates, first),
        _arranged(areas, leading),
        draws,
        by_cell,
        by_area,
        () if note is None else (note,),
    )


def _arranged(table: pd.DataFrame, first: list[str]) -> pd.DataFrame:
    """Put what readers look for first."""
    leading = [name for name in first if name in table]
    rest = [name for name in table if name not in leading]
    return table[[*leading, *rest]]


def _ranked(
    drawn: DrawnEvidence, draws: int, top: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, RankUncertainty | None]:
    """Ranks, rank intervals, P(rank ≤ top), tiers and the evidence of each item, in order."""
    table = drawn.table
    if not drawn.varying:
        # One item, or items that nothing tells apart.
        return _by_lot(table, 0, top).assign(score=1.0, rank_tier=1), None
    first = min(top, len(table))
    found = rank_uncertainty(
        table[drawn.varying],
        pd.Series(1, index=drawn.varying),
        study_choices(drawn.study.choices.threshold),
        drawn=drawn,
        draws=draws,
        top=(first,),
        rng=rng,
    )
    summary = found.items.drop(columns="mean_rank").rename(columns={f"p_top{first}": f"p_top{top}"})
    summary = summary.assign(score=summary["score"].round(12), rank_tier=found.tiers())
    return summary.iloc[found.order].join(table), found


def _by_lot(table: pd.DataFrame, above: int, top: int) -> pd.DataFrame:
    """Ranks of items that share the places behind ``above`` others, as if each order were equally likely."""
    low, middle, high = (above + quantile_of_lots(level, len(table)) for level in (0.05, 0.5, 0.95))
    shared = pd.DataFrame(
        {
            "rank": middle,
            "score": np.nan,
            "rank_low": low,
            "rank_high": high,
            f"p_top{top}": min(1.0, max(0.0, (top - above) / len(table))),
        },
        index=table.index,
    )
    return shared.join(table)
