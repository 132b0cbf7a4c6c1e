"""The quotients themselves, and the audit of published ones."""

from __future__ import annotations

from collections.abc import Iterator

from spatialkz.report.blocks import Column, Figure, Items, Paragraph, Section, Table, name_column, section
from spatialkz.report.contents import Findings
from spatialkz.report.wording import Wording


def quotients(findings: Findings, words: Wording) -> Section:
    """All quotients in one figure."""
    regions, sectors = findings.quotients.shape
    alt = words(
        "alt_quotients",
        regions=words.whole(regions),
        sectors=words.whole(sectors),
        candidates=words.whole(len(findings.ranking.candidates)),
    )
    return section("quotients", Figure("quotients", alt))


def audit(findings: Findings, words: Wording) -> Section:
    """Whether published quotients can be quotients, and what they then imply; empty for other tables."""
    if findings.audit is None:
        return section("audit")
    return section(
        "audit",
        Paragraph(words("audit_about")),
        Items(audit_sentences(findings, words)),
        bases_table(findings, words),
        claims_table(findings, words),
    )


def audit_brief(findings: Findings, words: Wording) -> Iterator[str]:
    """Whether the sectors share a base, and how the source's claims fare."""
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


def bases_table(findings: Findings, words: Wording) -> Table | None:
    """Base shares that published quotients allow, regions × base groups; None where there are none."""
    if findings.audit is None or not findings.audit.base_shares:
        return None
    regions = findings.quotients.index
    columns = [name_column(words("region"), findings.study.region_names(words.lang).loc[regions])]
    for group, bounds in findings.audit.base_shares.items():
        ends = bounds.loc[regions]
        cells = [words.percent_range(low, high) for low, high in zip(ends["low"], ends["high"], strict=True)]
        columns.append(Column(words.label("group", group), cells))
    return Table(words("table_bases"), columns)


def claims_table(findings: Findings, words: Wording) -> Table | None:
    """What the source says of its table, with verdicts; None where it says nothing that was checked."""
    claims = findings.claims
    if claims is None or claims.empty:
        return None
    columns = [
        name_column(words("claim"), claims["quote"]),
        name_column(words("place"), claims["place"]),
        name_column(words("verdict"), [words.label("verdict", verdict) for verdict in claims["verdict"]]),
        name_column(words("found"), claims["found"]),
    ]
    return Table(words("table_claims"), columns)
