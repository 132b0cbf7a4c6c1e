"""The answer in brief: sentences computed from the findings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from spatialkz.report.cluster_answers import structure_sentence
from spatialkz.report.contents import Findings
from spatialkz.report.focal_answers import focal_brief
from spatialkz.report.ranking_answers import review_sentences
from spatialkz.report.wording import Wording
from spatialkz.specialization import breadth_label

_FEW_REGIONS = 50  # below, a note on power goes with every test that is not significant
_WORTH_NAMING = 0.1


class Answer(NamedTuple):
    """A few sentences under a keyword."""

    lead: str
    text: str


def answers(findings: Findings, words: Wording) -> list[Answer]:
    """What was found, one answer for each question asked."""
    parts = {
        "lead_candidates": _candidates(findings, words),
        "lead_focal": focal_brief(findings, words),
        "lead_areas": _areas(findings, words),
        "lead_review": review_sentences(findings, words),
        "lead_space": _space(findings, words),
        "lead_unattainable": _unattainable(findings, words),
        "lead_groups": _groups(findings, words),
        "lead_audit": _audit(findings, words),
    }
    texts = {lead: " ".join(sentences) for lead, sentences in parts.items()}
    return [Answer(words(lead), text) for lead, text in texts.items() if text]


def caution(findings: Findings, words: Wording) -> str:
    """What a Moran's I that is not significant does not mean."""
    n = len(findings.quotients)
    said = words("caution_power" if n < _FEW_REGIONS else "caution_absence", n=words.whole(n))
    if findings.detectable is None:
        return said
    curve = findings.detectable.power
    weakest, power = curve.detectable["positive"], words.percent(curve.target)
    if weakest is None:
        return " ".join([said, words("power_none", power=power)])
    return " ".join([said, words("power_weakest", power=power, rho=words.number(weakest))])


def variable_name(findings: Findings, words: Wording, variable: str) -> str:
    """Name of a tested variable: a sector, or the number of specializations."""
    if variable == breadth_label(findings.quotients.columns):
        return words("breadth")
    return str(findings.study.sector_names(words.lang)[variable])


def varied(findings: Findings, words: Wording) -> str:
    """What the draws varied: published quotients are rounded, computed ones are not."""
    return words("varied_rounding" if findings.study.table.rounding else "varied_weights")


def _candidates(findings: Findings, words: Wording) -> Iterator[str]:
    study, found = findings.study, findings.ranking.candidates
    first = found.iloc[0]
    yield words(
        "answer_candidates",
        candidates=words.whole(len(found)),
        pairs=words.whole(findings.quotients.size),
        threshold=words.plain(study.choices.threshold),
        regions=words.whole(found["region"].nunique()),
        all_regions=words.whole(len(findings.quotients)),
        sector=study.sector_names(words.lang)[first["sector"]],
        region=study.region_names(words.lang)[first["region"]],
        lq=words.number(first["lq"]),
        p=words.percent(first["p_top10"]),
    )
    if study.table.rounding:
        yield words("answer_sure", sure=words.whole(int((found["certainty"] == "sure").sum())))
    without = findings.quotients.index.difference(pd.Index(found["region"]), sort=False)
    if len(without):
        yield words("answer_without", names=words.listing(study.region_names(words.lang)[without]))


def _areas(findings: Findings, words: Wording) -> Iterator[str]:
    areas = findings.ranking.areas.assign(
        name=findings.study.region_names(words.lang).loc[findings.ranking.areas["region"]].to_numpy()
    )
    shown = areas["name"] + " (" + areas["p_top3"].map(words.percent) + ")"
    others = areas.index[(areas["rank"] > 3) & (areas["p_top3"] >= _WORTH_NAMING)]
    yield words("answer_areas", names=words.listing(shown.head(3)))
    if len(others):
        least = words.percent(_WORTH_NAMING)
        yield words("answer_others", least=least, names=words.listing(shown[others]))
    yield words("answer_draws", varied=varied(findings, words))


def _space(findings: Findings, words: Wording) -> Iterator[str]:
    table, alpha = findings.moran.to_frame(), findings.study.choices.alpha
    raw = table.index[table["p_value"] <= alpha]
    yield words(
        "answer_moran",
        alpha=words.plain(alpha),
        raw=len(raw),
        tested=len(table),
        adjusted=int((table["p_adjusted"] <= alpha).sum()),
    )
    if len(raw):
        names = words.listing(variable_name(findings, words, name) for name in raw)
        yield words("answer_moran_which", names=names)
    if len(raw) < len(table):
        yield caution(findings, words)


def _unattainable(findings: Findings, words: Wording) -> Iterator[str]:
    table = findings.local.to_frame()
    blocked = (table["label"] == "unattainable").groupby("region", sort=False).agg(["all", "any"])
    names = findings.study.region_names(words.lang)
    wholly, partly = blocked.index[blocked["all"]], blocked.index[blocked["any"] & ~blocked["all"]]
    if len(wholly):
        least = table.loc[table.index.get_level_values("region").isin(wholly), "p_min"].min()
        yield words("answer_unattainable", names=words.listing(names[wholly]), p=words.p_value(least))
        if len(partly):
            yield words("answer_partly", names=words.listing(names[partly]))


def _groups(findings: Findings, words: Wording) -> Iterator[str]:
    clusters = findings.clusters["kmeans"]
    widths = clusters.criteria["silhouette"]
    yield words(
        "answer_silhouette",
        silhouette=words.number(widths.max()),
        k=widths.idxmax(),
        verdict=words(structure(float(widths.max()))),
    )
    stable = int((clusters.stability >= 0.75).sum())
    yield words("answer_stable", stable=stable, k=clusters.k)
    yield structure_sentence(findings, words)


def audit_sentences(findings: Findings, words: Wording) -> list[str]:
    """What the audit of published quotients found: by base group, then for all sectors on one base."""
    audit = findings.audit
    if audit is None:
        return []
    groups = list(audit.share_sets)
    sentences = [
        words(
            "audit_feasible" if audit.feasible(group) else "audit_infeasible",
            group=words.label("group", group),
            slack=words.number(audit.slack[group], 3),
        )
        for group in groups
    ]
    if len(groups) > 1:
        joint = "audit_one_base" if audit.feasible() else "audit_two_bases"
        sentences.append(words(joint, slack=words.number(audit.slack["joint"], 3)))
    if audit.conflict:
        names = findings.study.sector_names(words.lang).loc[list(audit.conflict)]
        sentences.append(words("audit_conflict", names=words.listing(names)))
    return sentences


def _audit(findings: Findings, words: Wording) -> Iterator[str]:
    if findings.audit is None:
        return
    groups = len(findings.audit.share_sets)
    # Where there are several groups, what matters in brief is whether they share a base.
    yield from audit_sentences(findings, words)[groups if groups > 1 else 0 :]
    if findings.claims is not None:
        counts = findings.claims["verdict"].value_counts()
        told = [
            f"{words.label('verdict', verdict)}: {counts[verdict]}"
            for verdict in ("supported", "possible", "contradicted")
            if verdict in counts
        ]
        yield words("answer_claims", counts=words.listing(told))


def structure(silhouette: float) -> str:
    """Key of the verdict on a mean silhouette (Kaufman & Rousseeuw 1990, ch. 2).

    >>> structure(0.24), structure(0.25), structure(0.72)
    ('structure_none', 'structure_weak', 'structure_strong')
    """
    for limit, verdict in ((0.25, "none"), (0.5, "weak"), (0.7, "reasonable")):
        if silhouette < limit:
            return f"structure_{verdict}"
    return "structure_strong"
