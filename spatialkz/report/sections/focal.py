"""Foci or belts: the verdicts of the focal test and all that they rest on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, get_args

import numpy as np
import pandas as pd

from spatialkz.focal import FamilyFindings, FocalTest
from spatialkz.focal.multiverse import Multiverse
from spatialkz.focal.parts import SpreadPart
from spatialkz.focal.verdict import UNTESTABLE, Verdict
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

# Regions named as those that hold the excess.
_MOST_HOLDERS = 4
VERDICTS = get_args(Verdict)
# Answers to the parts of the hypothesis whose shares of the specifications are told.
_FOUND = {
    "colocation_yes": ("colocation", "yes"),
    "spread_few": ("spread", "few"),
    "place_adjoining": ("place", "adjoining"),
    "place_apart": ("place", "apart"),
}


def focal(findings: Findings, words: Wording) -> Section:
    """Verdicts, evidence, power and specifications; empty where nothing could be tested."""
    test = findings.focal
    if test is None:
        return section("focal")
    told = [name for name, found in test.families.items() if not found.colocation.reason]
    possible = {
        "breadth": bool(told),
        "models": any(found.models for found in test.families.values()),
        "power": findings.detectable is not None and any(found.models for found in test.families.values()),
        "influence": any(name in test.influence for name in told),
    }
    figures = {
        name: Figure(f"focal_{name}", words(f"alt_focal_{name}", families=len(test.families)))
        for name, there in possible.items()
        if there
    }
    concentrated = focal_concentration(findings, words)
    return section(
        "focal",
        Items(focal_sentences(findings, words)),
        Paragraph(words("focal_about")),
        focal_table(findings, words),
        figures.get("breadth"),
        figures.get("models"),
        Paragraph(focal_power(findings, words)),
        Paragraph(concentrated) if concentrated else None,
        figures.get("power"),
        figures.get("influence"),
        *(() if test.multiverse is None else _specifications(test.multiverse, findings, words)),
    )


def _specifications(many: Multiverse, findings: Findings, words: Wording) -> Iterator[Part | None]:
    yield Paragraph(focal_joint(findings, words))
    if (many.table["reason"] == "").any():
        yield Figure("focal_curve", words("alt_focal_curve", count=words.whole(len(many.table))))
    yield choices_table(findings, words)


def focal_brief(findings: Findings, words: Wording) -> Iterator[str]:
    """The verdicts, what they rest on, and how many specifications agree."""
    test = findings.focal
    if test is None:
        return
    for name, found in test.families.items():
        yield _verdict(name, found, words)
        if found.reason != UNTESTABLE:
            yield _coverage(found.evidence.spread, words)
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
    models = findings.focal.families["all"].models
    parts = []
    if models is not None:
        shares = {str(part): words.percent(share) for part, share in models.power.items()}
        parts.append(words("focal_power_parts", **shares))
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
    table = findings.focal.multiverse.table
    shares = {answer: words.percent((table[part] == answer).mean()) for part, answer in _FOUND.values()}
    told = [*_many(findings.focal, words), words("focal_many_parts", **shares)]
    return " ".join([*told, words("focal_joint", tests=words.listing(p_values))])


def focal_table(findings: Findings, words: Wording) -> Table | None:
    """Verdict of each family with the numbers behind it."""
    if findings.focal is None:
        return None
    table = findings.focal.to_frame()
    texts: dict[str, tuple[str, Callable[[Any], str]]] = {
        "variance_ratio": ("variance_ratio", words.number),
        "colocation_p": ("p_colocation", words.p_value),
        "colocation_sized_p": ("p_colocation_sized", words.p_value),
        "spread_p": ("p_spread", words.p_value),
        "spikes": ("p_spikes", words.number),
        "contiguity_p": ("p_adjoining", words.p_value),
        "rho_upper": ("rho_upper", words.number),
    }
    columns = [
        Column(words("family"), [family_name(str(name), words) for name in table.index], "name"),
        Column(words("sectors"), [words.whole(count) for count in table["sectors"]]),
        Column(words("verdict"), [words(f"verdict_{verdict}") for verdict in table["verdict"]], "label"),
        Column(words("place_of_foci"), [words(f"place_{place}") for place in table["place"]], "label"),
        Column(words("regions_covered"), [_covered(row, words) for _, row in table.iterrows()]),
        Column(words("held"), [_held(found, words) for found in findings.focal.families.values()]),
    ]
    for name, (heading, write) in texts.items():
        if table[name].notna().any():
            cells = [DASH if np.isnan(value) else write(value) for value in table[name]]
            columns.append(Column(words(heading), cells))
    return Table(words("table_focal", permutations=words.whole(findings.focal.permutations)), columns)


def _covered(row: pd.Series[Any], words: Wording) -> str:
    if np.isnan(row["regions"]):
        return DASH
    return f"{words.whole(int(row['regions']))} ({words.number(row['regions_expected'], 1)})"


def _held(found: FamilyFindings, words: Wording) -> str:
    low, high = found.evidence.spread.held
    if not low:
        return DASH
    if low > found.evidence.spread.few:
        return words("focal_held_least", count=words.whole(low))
    return words.whole(low) if low == high else f"{words.whole(low)}–{words.whole(high)}"


def choices_table(findings: Findings, words: Wording) -> Table | None:
    """Shares of the verdicts by each choice of the multiverse."""
    if findings.focal is None or findings.focal.multiverse is None:
        return None
    many = findings.focal.multiverse
    rows = choices(many, findings, words)
    shown = [name for name in VERDICTS if (many.table["verdict"] == name).any()]
    columns = [
        Column(words("choice"), [f"{group}: {value}" for group, value, _ in rows], "name"),
        Column(words("specifications"), [words.whole(int(mask.sum())) for _, _, mask in rows]),
    ]
    for name in shown:
        share = [(many.table.loc[mask, "verdict"] == name).mean() for _, _, mask in rows]
        columns.append(Column(words(f"verdict_{name}"), [words.percent(part) for part in share]))
    for heading, (part, answer) in _FOUND.items():
        share = [(many.table.loc[mask, part] == answer).mean() for _, _, mask in rows]
        columns.append(Column(words(heading), [words.percent(one) for one in share]))
    return Table(words("table_focal_choices"), columns)


def choices(many: Multiverse, findings: Findings, words: Wording) -> list[tuple[str, str, pd.Series[bool]]]:
    """Name of each choice and of each of its values, and the specifications that made it."""
    table = many.table.assign(rounding=many.table["rounding"] > 0)
    rows = []
    for choice in ("grade", "family", "null", "graph", "without", "rounding"):
        values = table[choice].unique()
        if len(values) > 1:
            named = words(f"choice_of_{choice}")
            rows += [(named, _value(choice, one, findings, words), table[choice] == one) for one in values]
    return rows


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
    if found.verdict == "focal":
        verdict += f", {words(f'place_{found.evidence.place.verdict}')}"
    return f"{family_name(name, words)}: {verdict} ({reason})."


def _evidence(findings: Findings, test: FocalTest, found: FamilyFindings, words: Wording) -> Iterator[str]:
    """A sentence for each part of the hypothesis."""
    if found.reason == UNTESTABLE:
        return
    colocation, spread, shape, place = vars(found.evidence).values()
    yield _coverage(spread, words)
    yield words(
        f"focal_colocation_{'yes' if colocation.verdict == 'yes' else 'open'}",
        ratio=words.number(colocation.statistic),
        p=_with_sizes(colocation.p_value, colocation.p_sizes, words),
    )
    if spread.held[0]:
        holders = [dropped_name(findings, name, words) for name in found.spread.holders[:_MOST_HOLDERS]]
        names = f" ({words.listing(holders)})" if holders else ""
        yield words("focal_held", count=_held(found, words), names=names)
    if found.models is not None:
        yield words(
            "focal_shape",
            posterior=words.number(shape.spikes),
            error=words.number(shape.error),
            fit=words.equation("p", shape.fit),
        )
    told = "unknown" if place.verdict == "open" and not place.excludes else place.verdict
    yield words(
        f"focal_place_{told}", p=words.equation("p", place.p_value), rho=words.number(place.rho_upper)
    )
    yield from _wanted(found, words)
    yield from _rests(findings, test, found.name, words)
    named = findings.study.sector_names(words.lang)
    for sectors in found.alike:
        listed = words.listing(named[list(sectors)])
        yield words("focal_alike", sectors=listed, count=words.whole(len(sectors)))
    if found.same_as:
        yield words("focal_same", family=family_name(found.same_as, words))


def _coverage(spread: SpreadPart, words: Wording) -> str:
    return words(
        f"focal_spread_{'few' if spread.verdict == 'few' else 'not'}",
        regions=words.whole(int(spread.regions)),
        expected=words.number(spread.expected, 1),
        p=_with_sizes(spread.p_value, spread.p_sizes, words),
    )


def _with_sizes(p_value: float, sized: float, words: Wording) -> str:
    plain = words.equation("p", p_value)
    return plain if np.isnan(sized) else words("focal_given_sizes", p=plain, sized=words.equation("p", sized))


def _wanted(found: FamilyFindings, words: Wording) -> Iterator[str]:
    if found.wanted is None:
        return
    part = words(f"focal_part_{found.wanted.part}")
    data = [
        words(f"focal_wanted_{what}", count=words.whole(count))
        for what in ("regions", "sectors")
        if (count := getattr(found.wanted, what)) is not None
    ]
    if data:
        either = words("or_between")
        yield words("focal_wanted", part=part, data=f" {either} ".join(data))
    else:
        yield words("focal_wanted_none", part=part)


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


def _value(choice: str, value: object, findings: Findings, words: Wording) -> str:
    if choice == "grade":
        if isinstance(value, str):
            return words(f"grade_{value}")
        return f"{words('lq')} ≥ {words.plain(float(str(value)))}"
    if choice == "family":
        return family_name(str(value), words)
    if choice == "null":
        return words(f"null_of_{value}")
    if choice == "graph":
        return words.label("graph", value)
    if choice == "without":
        names = findings.study.region_names(words.lang)
        left = str(names.get(str(value), value))
        if value in ("none", "broadest"):
            return words(f"without_{value}")
        return words("without_region", region=left)
    return words("rounding_drawn" if value else "rounding_printed")
