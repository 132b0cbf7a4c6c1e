"""What others say: the ranking held against expert tiers and growth points."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from spatialkz.report.contents import (
    DASH,
    Column,
    Figure,
    Findings,
    Items,
    Paragraph,
    Part,
    Section,
    Table,
    section,
)
from spatialkz.report.wording import Wording

_TWICE = 2.0


def review(findings: Findings, words: Wording) -> Section:
    """Agreement with experts, then growth points; empty where a study has neither."""
    parts: list[Part | None] = []
    if agreement := agreement_sentence(findings, words):
        parts += [Paragraph(f"{agreement} {words('placement_note')}"), disagreement_table(findings, words)]
    if findings.review is not None and findings.review.growth is not None:
        named = findings.review.growth.dropna(subset="sector")
        matched = int((named["status"] == "matched").sum())
        parts.append(Items(list(growth_sentences(findings, words))))
        parts.append(Figure("growth", words("alt_growth", matched=matched, named=len(named))))
        if naming := naming_table(findings, words):
            parts += [naming, Paragraph(naming_note(findings, words), small=True)]
    return section("review", *parts)


def review_brief(findings: Findings, words: Wording) -> Iterator[str]:
    """Agreement and naming tests in brief."""
    if agreement := agreement_sentence(findings, words):
        yield agreement
    if findings.review is not None and findings.review.naming:
        tests = [
            f"{policy_name(policy, words)}: {words.equation('p', test.to_frame()['p_value'].iloc[0])}"
            for policy, test in findings.review.naming.items()
        ]
        yield words("answer_naming", tests="; ".join(tests))


def agreement_sentence(findings: Findings, words: Wording) -> str:
    """Agreement with the expert tiers; empty where there are none."""
    if findings.review is None or findings.review.agreement is None:
        return ""
    found = findings.review.agreement
    return words(
        "agreement_tiers",
        tau=words.number(found.tau_b),
        p=words.equation("p", found.p_value),
        alternative=words(f"alternative_{found.alternative}"),
        kappa=words.number(found.kappa),
        n=len(found.regions),
    )


def growth_sentences(findings: Findings, words: Wording) -> Iterator[str]:
    """How many named sectors the host regions have, by policy."""
    if findings.review is None or findings.review.growth is None:
        return
    growth = findings.review.growth
    for policy, statuses in growth.groupby("policy", sort=False)["status"]:
        counts = {status: int((statuses == status).sum()) for status in statuses.unique()}
        unmapped = counts.pop("not mappable", 0)
        yield words(
            "growth_counts",
            policy=words.label("policy", policy),
            named=sum(counts.values()),
            unmapped=unmapped,
            **{status: counts.get(status, 0) for status in ("matched", "emerging", "mismatched")},
        )


def naming_note(findings: Findings, words: Wording) -> str:
    """How many tests were run, and what they do not mean."""
    tests = 0 if findings.review is None else len(findings.review.naming)
    return words("naming_note", tests=tests) if tests > 1 else words("naming_alone")


def policy_name(policy: str, words: Wording) -> str:
    """Name of a policy, or of all of them together."""
    return words("policies_all") if policy == "all" else words.label("policy", policy)


def disagreement_table(findings: Findings, words: Wording) -> Table | None:
    """Regions that the ranking puts into another tier than the expert; None where there are none."""
    if findings.review is None or findings.review.agreement is None:
        return None
    found = findings.review.agreement.regions
    apart = found[found["difference"] != 0]
    if apart.empty:
        return None
    names = findings.study.region_names(words.lang).loc[apart.index]
    against = [words("pairs_against_of", against=row.against, pairs=row.pairs) for row in apart.itertuples()]
    columns = [
        Column(words("region"), list(names), "name"),
        Column(words("tier"), [str(tier) for tier in apart["tier"]]),
        Column(words("tier_by_rank"), [str(tier) for tier in apart["tier_by_rank"]]),
        Column(words("pairs_against"), against),
    ]
    return Table(words("table_disagree"), columns)


def naming_table(findings: Findings, words: Wording) -> Table | None:
    """Every naming test that was run, with its power; None where no policy names a sector."""
    if findings.review is None or not findings.review.naming:
        return None
    tests = findings.review.naming
    rows = pd.concat({policy: test.to_frame().iloc[0] for policy, test in tests.items()}, axis=1).T
    found = [
        DASH if test.detectable is None else words("naming_times", factor=words.plain(test.detectable))
        for test in tests.values()
    ]
    columns = [
        Column(words("policy"), [policy_name(policy, words) for policy in tests], "name"),
        Column(words("named_cells"), [words.whole(int(count)) for count in rows["named"]]),
        Column(words("naming_mean"), [words.number(value, 3) for value in rows["statistic"]]),
        Column(words("expected"), [words.number(value, 3) for value in rows["expected"]]),
        Column("p", [words.p_value(p) for p in rows["p_value"]]),
        Column(words("naming_power"), [words.percent(test.power[_TWICE]) for test in tests.values()]),
        Column(words("naming_detectable"), found),
    ]
    return Table(words("table_naming"), columns)
