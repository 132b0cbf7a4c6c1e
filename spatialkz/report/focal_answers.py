"""What the focal test found, in sentences of the page's language; every number is computed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from spatialkz.focal import FamilyFindings, FocalTest
from spatialkz.focal.verdict import UNTESTABLE
from spatialkz.report.contents import Findings
from spatialkz.report.wording import Wording


def focal_brief(findings: Findings, words: Wording) -> Iterator[str]:
    """The verdicts, what they rest on, and how many specifications agree."""
    test = findings.focal
    if test is None:
        return
    for name, found in test.families.items():
        yield _verdict(name, found, words)
        if name == "all":
            yield from _rests(findings, test, name, words)
    yield from _many(test, words)


def focal_sentences(findings: Findings, words: Wording) -> list[str]:
    """A paragraph for each family."""
    test = findings.focal
    if test is None:
        return []
    return [
        " ".join([_verdict(name, found, words), *_evidence(findings, test, found, words)])
        for name, found in test.families.items()
    ]


def focal_power(findings: Findings, words: Wording) -> str:
    """What the tests could have detected."""
    if findings.focal is None:
        return ""
    found = findings.focal.families["all"]
    reach = found.contiguity.power.iloc[0]
    parts = []
    if not np.isnan(reach["power_08"]):
        half, strong = words.percent(reach["power_05"]), words.percent(reach["power_08"])
        parts.append(words("focal_power_contiguity", half=half, strong=strong))
    if found.colocation_power is not None:
        parts.append(words("focal_power_colocation", power=words.percent(found.colocation_power)))
    return " ".join([*parts, words("focal_power_caution")])


def focal_concentration(findings: Findings, words: Wording) -> str:
    """Which sectors are concentrated against the others of their group."""
    gini = None if findings.focal is None else findings.focal.ginis()
    if findings.focal is None or gini is None:
        return ""
    apart = gini.index[gini["apart"]]
    names = findings.study.sector_names(words.lang)
    return words(
        "focal_concentration",
        found=words.whole(len(apart)),
        count=words.whole(len(gini)),
        alpha=words.plain(findings.focal.alpha),
        sectors=f": {words.listing(names[apart])}" if len(apart) else "",
    )


def focal_joint(findings: Findings, words: Wording) -> str:
    """Shares of verdicts over all specifications, and the joint tests of the whole curve."""
    if findings.focal is None or findings.focal.multiverse is None:
        return ""
    joint = findings.focal.multiverse.joint["p_median"].dropna()
    named = [words(f"joint_{test}") for test in joint.index]
    p_values = [f"{name}: {words.equation('p', p)}" for name, p in zip(named, joint, strict=True)]
    return " ".join([*_many(findings.focal, words), words("focal_joint", tests=words.listing(p_values))])


def family_name(family: str, words: Wording) -> str:
    """Name of a family of sectors: a base group's, or one of ours."""
    return words.label("group", family)


def dropped_name(findings: Findings, name: str, words: Wording) -> str:
    """Name of what was left out: a region or a sector."""
    names = findings.study.region_names(words.lang)
    names = names if name in names.index else findings.study.sector_names(words.lang)
    return str(names.get(name, name))


def _verdict(name: str, found: FamilyFindings, words: Wording) -> str:
    verdict, reason = words(f"verdict_{found.verdict}"), words(f"focal_reason_{found.reason}")
    return f"{family_name(name, words)}: {verdict} ({reason})."


def _evidence(findings: Findings, test: FocalTest, found: FamilyFindings, words: Wording) -> Iterator[str]:
    if found.reason == UNTESTABLE:
        return
    row = found.row()
    power = row["contiguity_power"]
    ratio, p = words.number(row["variance_ratio"]), words.equation("p", row["colocation_p"])
    if found.sized is None:
        yield words("focal_colocation", ratio=ratio, p=p)
    else:
        sized = words.equation("p", row["colocation_sized_p"])
        yield words("focal_colocation_sized", ratio=ratio, p=p, sized=sized)
    yield words(
        "focal_contiguity",
        moran=words.number(row["breadth_moran"], 3),
        p=words.equation("p", row["contiguity_p"]),
        power=words("unknown") if np.isnan(power) else words.percent(power),
    )
    if found.models is not None:
        best = found.models.selected
        yield words(
            "focal_model",
            model=words(f"verdict_{best}"),
            posterior=words.number(found.models.posterior[best]),
            error=words.number(found.models.error[best]),
            fit=words.equation("p", found.models.fit[best]),
        )
    yield from _rests(findings, test, found.name, words)


def _rests(findings: Findings, test: FocalTest, family: str, words: Wording) -> Iterator[str]:
    if rests := test.rests_on(family):
        names = words.listing(dropped_name(findings, name, words) for name in rests)
        yield words("focal_rests", names=names)


def _many(test: FocalTest, words: Wording) -> Iterator[str]:
    if test.multiverse is not None:
        told = [
            f"{words(f'verdict_{name}')} – {words.percent(share)}"
            for name, share in test.multiverse.verdicts().to_dict().items()
        ]
        count = words.whole(len(test.multiverse.table))
        yield words("focal_many", count=count, shares=words.listing(told))
