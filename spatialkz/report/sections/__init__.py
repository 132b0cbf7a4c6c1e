"""The sections of the page in their order: what was asked, the answer in brief, and what stands behind it."""

from __future__ import annotations

from spatialkz.report.contents import Findings, Items, Paragraph, Section, Terms, section
from spatialkz.report.sections.change import change, change_brief
from spatialkz.report.sections.clusters import clusters, groups_brief
from spatialkz.report.sections.focal import focal, focal_brief
from spatialkz.report.sections.prerequisites import prerequisites, prerequisites_brief
from spatialkz.report.sections.quotients import (
    audit,
    audit_brief,
    autocorrelation,
    quotients,
    space_brief,
    unattainable_brief,
)
from spatialkz.report.sections.ranking import areas, areas_brief, breadth_map, candidates, candidates_brief
from spatialkz.report.sections.review import review, review_brief
from spatialkz.report.wording import Wording

_BRIEF = {
    "lead_candidates": candidates_brief,
    "lead_focal": focal_brief,
    "lead_areas": areas_brief,
    "lead_review": review_brief,
    "lead_change": change_brief,
    "lead_space": space_brief,
    "lead_unattainable": unattainable_brief,
    "lead_groups": groups_brief,
    "lead_prerequisites": prerequisites_brief,
    "lead_audit": audit_brief,
}
_ORDER = (
    *(focal, breadth_map, areas, candidates, review, quotients, change, audit, autocorrelation),
    *(prerequisites, clusters),
)


def sections(findings: Findings, words: Wording) -> list[Section]:
    """Every section that says what was found; those without parts have nothing to say."""
    opening = [asked(findings, words), section("brief", Terms(brief(findings, words), "brief"))]
    return [*opening, *(found(findings, words) for found in _ORDER)]


def asked(findings: Findings, words: Wording) -> Section:
    """The questions, what the numbers are, and where the line is drawn."""
    study, groups = findings.study, findings.study.table.groups
    counted = groups.groupby(groups, sort=False).size()
    listed = words.listing(f"{words.label('group', name)}: {count}" for name, count in counted.items())
    data = words(
        "asked_data",
        regions=words.whole(len(findings.quotients)),
        sectors=words.whole(findings.quotients.shape[1]),
        groups=f" ({listed})" if len(counted) > 1 else "",
        pairs=words.whole(int((study.graph.adjacency > 0).sum()) // 2),
        kind=words(f"kind_{study.table.kind}"),
    )
    questions = ["where", "focal", "sure", "space", "groups"]
    questions += [] if findings.prerequisites is None else ["prerequisites"]
    unit = words("unit", unit=study.table.unit) if study.table.unit else ""
    return section(
        "asked",
        Items([words(f"asked_{question}") for question in questions]),
        Paragraph(f"{data} {unit}".strip()),
        Paragraph(words("quotient_about", threshold=words.plain(study.choices.threshold))),
    )


def brief(findings: Findings, words: Wording) -> dict[str, str]:
    """What was found, one answer for each question asked, under its keyword."""
    texts = {words(lead): " ".join(answer(findings, words)) for lead, answer in _BRIEF.items()}
    return {lead: text for lead, text in texts.items() if text}
