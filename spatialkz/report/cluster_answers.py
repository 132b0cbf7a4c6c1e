"""Whether there are clusters at all, in words."""

from __future__ import annotations

from collections.abc import Iterator

from spatialkz.report.contents import Findings
from spatialkz.report.wording import Wording


def structure_sentence(findings: Findings, words: Wording) -> str:
    """Whether there are clusters at all, by both tests."""
    tests, alpha = findings.clustering.structure, findings.study.choices.alpha
    p = {null: test.p_value for null, test in tests.items()}
    rejected = [null for null, value in p.items() if value <= alpha]
    key = (
        "clusters_unproven"
        if not rejected
        else "clusters_likely"
        if len(rejected) == len(p)
        else "clusters_open"
    )
    return words(
        key,
        normal=words.equation("p", p["gaussian"]),
        columns=words.equation("p", p["column-permutation"]),
    )


def cluster_sentences(findings: Findings, words: Wording) -> Iterator[str]:
    """Structure, gap statistic, split test and contiguity, a sentence each."""
    found, alpha = findings.clustering, findings.study.choices.alpha
    yield structure_sentence(findings, words)
    gap = found.main.rules["k"].get("gap")
    if gap is not None:
        yield words("gap_one" if gap == 1 else "gap_more", k=gap)
    if found.split is not None:
        p = found.split.p_value
        yield words(
            "split_carries" if p <= alpha else "split_fails",
            splits=len(found.split.splits),
            p=words.equation("p", p),
        )
    if found.contiguity is not None:
        p = found.contiguity.p_value
        yield words(
            "joins_more" if p <= alpha else "joins_chance",
            joins=words.plain(found.contiguity.joins),
            expected=words.number(found.contiguity.expected, 1),
            p=words.equation("p", p),
        )
