"""Ranked cluster candidates (region × sector) and ranked areas (region)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from spatialkz.candidates.evidence import Setting, area_evidence, candidate_evidence
from spatialkz.candidates.ranking import rank_summary, ranks
from spatialkz.clustering import RegionClusters, cluster_regions
from spatialkz.errors import InputError
from spatialkz.randomness import generator
from spatialkz.results import frozen, json_ready
from spatialkz.spatial import LocalMoranTest, local_moran
from spatialkz.specialization import (
    QuotientAudit,
    audit_table,
    breadth,
    certainty,
    focus_interval,
    sector_share_interval,
    symmetric_quotient,
    table_quotients,
)
from spatialkz.study import Study

Floats = npt.NDArray[np.float64]

# Drawn cells held at once: bounds the memory whatever the number of draws.
_BLOCK_CELLS = 4_000_000


@dataclass(frozen=True)
class CandidateRanking:
    """Result of :func:`rank_candidates`.

    Attributes
    ----------
    candidates : DataFrame
        A row for each region × sector with LQ ≥ threshold, best first.
    areas : DataFrame
        A row for each region, best first.
    draws : int
        Monte-Carlo draws behind the rank intervals.
    """

    candidates: pd.DataFrame
    areas: pd.DataFrame
    draws: int

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
        return (
            f"{len(self.candidates)} candidates; rank intervals hold 90 % of {self.draws} draws of rounding "
            f"and weights\n{self.candidates[columns].head(10).to_string(index=False, float_format=form)}\n\n"
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
) -> CandidateRanking:
    """Rank all cells with LQ ≥ threshold, and all regions, by a composite score with rank intervals.

    The score is the mean of the evidence columns (:mod:`spatialkz.candidates.evidence`), equally weighted,
    each in [0, 1]. A rank interval holds 90 % of the ranks over draws in which published quotients vary
    uniformly within their rounding and the weights vary uniformly over all weightings (flat Dirichlet). It
    says how far the order depends on these two; it is not a confidence interval for the economy. Expert tiers
    are carried along for comparison and enter no score.

    Parameters
    ----------
    study : Study
    draws : int, optional
        Monte-Carlo draws, at least 100; left out, as the study says.
    rng : int, Generator or None
        Seed of the draws.
    local, clusters, audit : optional
        Results already at hand for local Moran's I of the sectors and ``breadth``, for k-means clusters, and
        for the audit of published quotients; left out, they are computed.

    Returns
    -------
    CandidateRanking
        ``candidates``: ``rank, region, sector, group, lq, lq_low, lq_high, score, rank_low, rank_high,
        p_top10``, ``certainty`` (that rounding leaves it a candidate), ``share_low, share_high`` (of the
        national sector), ``focus_low, focus_high`` (of the region's base), the
        evidence, ``moran_label, moran_p`` (of the sector there) and ``cluster``.
        ``areas``: ``rank, region, breadth, score, rank_low, rank_high, p_top3, tier``, the evidence,
        ``moran_label, moran_p`` (of breadth) and ``cluster``.

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
    if draws < 100:
        raise InputError(f"draws is {draws}; at least 100 are needed.")
    quotients = table_quotients(study.table)
    threshold = study.choices.threshold
    rows, columns = np.nonzero(quotients.to_numpy() >= threshold)
    if not len(rows):
        largest = quotients.to_numpy().max()
        raise InputError(f"No quotient reaches the threshold {threshold:g}; the largest is {largest:g}.")
    if local is None:
        variables = quotients.assign(breadth=breadth(quotients, threshold))
        local = local_moran(
            variables.loc[:, variables.nunique() > 1],
            study.graph,
            permutations=study.choices.permutations,
            alpha=study.choices.alpha,
            rng=rng,
        )
    if clusters is None:
        features = symmetric_quotient(quotients)
        clusters = cluster_regions(features, resamples=study.choices.resamples, rng=rng)
    if audit is None:
        audit = audit_table(study.table)
    setting = Setting.of(study)
    low, high = study.table.interval() if study.table.kind == "quotients" else (quotients, quotients)
    share_low, share_high = sector_share_interval(study.table, audit)
    focus_low, focus_high = focus_interval(study.table)
    point = quotients.to_numpy()[None]
    cell_evidence = {name: e[0][rows, columns] for name, e in candidate_evidence(point, setting).items()}
    region_evidence = {name: e[0] for name, e in area_evidence(point, setting).items()}
    cell_ranks, region_ranks = _drawn_ranks(
        low.to_numpy(), high.to_numpy(), (rows, columns), setting, draws, generator(rng, "rank_candidates")
    )
    cells = rank_summary(_mean(cell_evidence), cell_ranks, top=10).assign(
        region=quotients.index[rows],
        sector=quotients.columns[columns],
        group=study.table.groups.loc[quotients.columns[columns]].to_numpy(),
        lq=quotients.to_numpy()[rows, columns],
        lq_low=low.to_numpy()[rows, columns],
        lq_high=high.to_numpy()[rows, columns],
        certainty=certainty(study.table, threshold).to_numpy()[rows, columns],
        share_low=share_low.to_numpy()[rows, columns],
        share_high=share_high.to_numpy()[rows, columns],
        focus_low=focus_low.to_numpy()[rows, columns],
        focus_high=focus_high.to_numpy()[rows, columns],
        **cell_evidence,
    )
    areas = rank_summary(_mean(region_evidence), region_ranks, top=3).assign(
        region=quotients.index,
        breadth=breadth(quotients, threshold).to_numpy(),
        tier=pd.array([pd.NA] * len(quotients), dtype="Int64")
        if study.placement is None
        else study.placement.array,
        **region_evidence,
    )
    first = ["rank", "region", "sector", "group", "lq", "lq_low", "lq_high", "score"]
    cells = _with_context(cells, cells["sector"], local, clusters, first)
    areas = _with_context(
        areas,
        pd.Series("breadth", index=areas.index),
        local,
        clusters,
        ["rank", "region", "breadth", "score"],
    )
    return CandidateRanking(frozen(cells), frozen(areas), draws)


def _mean(evidence: dict[str, Floats]) -> Floats:
    mean: Floats = np.mean(list(evidence.values()), axis=0)
    return mean


def _with_context(
    table: pd.DataFrame,
    variable: pd.Series,
    local: LocalMoranTest,
    clusters: RegionClusters,
    first: list[str],
) -> pd.DataFrame:
    """Put what other stages found beside each row, order the columns, and sort by rank."""
    found = local.to_frame().reindex(pd.MultiIndex.from_arrays([variable, table["region"]]))
    table = table.assign(
        moran_label=found["label"].to_numpy(),
        moran_p=found["p_value"].to_numpy(),
        cluster=clusters.labels.loc[table["region"]].to_numpy(),
    )
    ranked = ["rank_low", "rank_high", *(name for name in table if str(name).startswith("p_top")), "tier"]
    order = [*first, *(name for name in ranked if name in table)]
    rest = [name for name in table if name not in order]
    return table[[*order, *rest]].sort_values("rank", ignore_index=True)


def _drawn_ranks(
    low: Floats,
    high: Floats,
    cells: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]],
    setting: Setting,
    draws: int,
    rng: np.random.Generator,
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Ranks of the candidate cells and of the regions under drawn quotients and weights."""
    block = max(1, _BLOCK_CELLS // low.size)
    cell_ranks: list[npt.NDArray[np.intp]] = []
    region_ranks: list[npt.NDArray[np.intp]] = []
    for start in range(0, draws, block):
        size = min(block, draws - start)
        quotients = low + (high - low) * rng.random((size, *low.shape))
        by_cell = [e[:, cells[0], cells[1]] for e in candidate_evidence(quotients, setting).values()]
        by_region = list(area_evidence(quotients, setting).values())
        for evidence, ranked in ((by_cell, cell_ranks), (by_region, region_ranks)):
            weights = rng.dirichlet(np.ones(len(evidence)), size)
            ranked.append(ranks(np.einsum("de,edi->di", weights, np.stack(evidence))))
    return np.concatenate(cell_ranks), np.concatenate(region_ranks)
