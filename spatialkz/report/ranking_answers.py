"""What the ranks leave open, and what others say of them, in words."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pandas as pd

from spatialkz.report.contents import Findings
from spatialkz.report.wording import Wording

_MOST_AREAS, _LEVEL = 40, 0.95


def groups_sentences(findings: Findings, words: Wording) -> Iterator[str]:
    """Areas that the draws cannot tell apart, and those they can; for few enough to be read."""
    found = findings.ranking.area_uncertainty
    if found is None or len(found.items) > _MOST_AREAS:
        return
    names = findings.study.region_names(words.lang)
    groups = [pd.Index(group) for group in found.groups(_LEVEL) if len(group) > 1]
    several = [words.listing(names[group]) for group in groups]
    # Above or below each other one in so many draws; the item itself is no other.
    decided = (found.pairwise >= _LEVEL) | (found.pairwise <= 1 - _LEVEL)
    alone = names[decided.index[decided.sum(axis=1) >= len(decided) - 1]]
    if several:
        yield words("groups_sentence", groups="; ".join(f"({group})" for group in several))
    if len(alone):
        yield words("group_alone", names=words.listing(alone))


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


def lacks(text: str, words: Wording) -> str:
    """What a region lacks, the names of the evidence put into words."""
    return re.sub(r"\w+(?= \S+ <)", lambda found: words.label("lack", found[0]), text)


def stars(found: pd.DataFrame) -> list[str]:
    """Certain to possible stars of each candidate, or one number where they are the same.

    >>> stars(pd.DataFrame({"stars": [1, 2], "stars_possible": [3, 2]}))
    ['1–3 ★', '2 ★']
    """
    ends = zip(found["stars"], found["stars_possible"], strict=True)
    return [f"{low}–{high} ★" if low < high else f"{low} ★" for low, high in ends]


def shift_name(choice: str, option: object, words: Wording) -> str:
    """What was chosen otherwise, in words."""
    if choice == "dropped":
        told = words(f"evidence_{option}")
    elif isinstance(option, float):
        told = words.plain(option)
    else:
        told = words(f"option_{option}")
    return words(f"shift_{choice}", option=told)


def figure_values(findings: Findings, words: Wording) -> dict[str, dict[str, object]]:
    """What the texts that stand for figures of the ranking name, by figure."""
    values: dict[str, dict[str, object]] = {}
    areas = findings.ranking.area_uncertainty or findings.ranking.candidate_uncertainty
    if areas is not None:
        choice, option = areas.shifts.index[int(areas.shifts["mean_shift"].argmax())]
        values["shifts"] = {"choice": shift_name(choice, option, words)}
    if findings.review is not None and findings.review.growth is not None:
        named = findings.review.growth.dropna(subset="sector")
        values["growth"] = {"matched": int((named["status"] == "matched").sum()), "named": len(named)}
    return values


def review_sentences(findings: Findings, words: Wording) -> Iterator[str]:
    """Agreement and naming tests in brief."""
    if agreement := agreement_sentence(findings, words):
        yield agreement
    if findings.review is not None and findings.review.naming:
        tests = [
            f"{policy_name(policy, words)}: {words.equation('p', test.to_frame()['p_value'].iloc[0])}"
            for policy, test in findings.review.naming.items()
        ]
        yield words("answer_naming", tests="; ".join(tests))
