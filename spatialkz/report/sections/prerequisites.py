"""What goes with specialization: tests of each sector on each covariate, and what may be read from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from spatialkz.prerequisites import PrerequisiteFindings
from spatialkz.report.contents import (
    DASH,
    Column,
    Figure,
    Findings,
    Items,
    Paragraph,
    Section,
    Table,
    name_column,
    section,
)
from spatialkz.report.wording import Wording

# Rows of table and figure, and pairs named in a sentence.
MOST_PAIRS, _MOST_NAMED = 24, 5
_RESTS = ("rests on one region", "rests on two regions")


def prerequisites(findings: Findings, words: Wording) -> Section:
    """Tests, what they rest on, and where prerequisites and sectors do not go together."""
    found = findings.prerequisites
    if found is None:
        return section("prerequisites")
    shown = len(strongest(found))
    out_of_step = mismatch_table(findings, words)
    drawn = out_of_step is not None and findings.study.boundaries is not None
    return section(
        "prerequisites",
        Items(list(prerequisite_sentences(findings, words))),
        Paragraph(words("prerequisite_causal")),
        Figure("prerequisites", words("alt_prerequisites", shown=shown)),
        pairs_table(findings, words),
        Paragraph(words("prerequisite_about", alpha=words.plain(found.test.alpha)), small=True),
        Figure("expected", words("alt_expected"), words("map_note")) if drawn else None,
        out_of_step,
    )


def prerequisites_brief(findings: Findings, words: Wording) -> Iterator[str]:
    """How many tests found something that lasts, and what."""
    if findings.prerequisites is not None:
        yield _counts(findings.prerequisites, words)
        yield _supported(findings, findings.prerequisites, words)


def strongest(found: PrerequisiteFindings) -> pd.DataFrame:
    """The pairs that are shown, the smallest p-value first; none of the same activity."""
    table = found.to_frame()
    table = table[table["label"] != "same activity"]
    return table.sort_values(["p_value", "p_robust"], kind="stable").head(MOST_PAIRS)


def prerequisite_sentences(findings: Findings, words: Wording) -> Iterator[str]:
    """What was found, what it rests on, what could have been found, and what policies and neighbors add."""
    found = findings.prerequisites
    if found is None:
        return
    table, regions = found.to_frame(), findings.study.region_names(words.lang)
    yield f"{_counts(found, words)} {_supported(findings, found, words)}"
    rests = table[table["label"].isin(_RESTS)]
    if len(rests):
        yield words("prerequisite_rests", pairs=_pairs(findings, rests.index, words))
    unequal = table[table["label"] == "unequal variance"]
    if len(unequal):
        yield words("prerequisite_unequal", pairs=_pairs(findings, unequal.index, words))
    same = table[table["label"] == "same activity"]
    if len(same):
        yield words("prerequisite_same", pairs=_pairs(findings, same.index, words))
    detectable = words.number(table["detectable"].median())
    yield words("prerequisite_power", n=words.whole(int(table["n"].iloc[0])), r=detectable)
    flagged = found.test.design.index[found.test.design["flags"].str.contains("leverage|df_robust")]
    if len(flagged):
        yield words("prerequisite_flagged", names=words.listing(_covariate_names(found, words)[flagged]))
    if found.contrast is not None:
        for policy, row in found.contrast.to_frame().iterrows():
            power = row["detectable"]
            yield words(
                "prerequisite_policy",
                policy=words.label("policy", policy),
                difference=words.number(row["difference"]),
                low=words.number(row["low"]),
                high=words.number(row["high"]),
                p=words.equation("p", row["p_value"]),
                region=regions.get(row["rests_on"], row["rests_on"]),
                worst=words.equation("p", row["worst_p"]),
                power=words("prerequisite_policy_power", d=words.number(power)) if np.isfinite(power) else "",
            ).strip()
    if found.space is not None:
        moran = found.space.xs("moran", level="test")
        yield words(
            "prerequisite_space",
            found=words.whole(int((moran["p_value"] <= found.test.alpha).sum())),
            tests=words.whole(len(moran)),
            chance=words.number(found.test.alpha * len(moran), 0),
            power=words.percent(float(moran["power"].mean())),
        )
    skill, names = found.test.skill[found.test.skill > 0], findings.study.sector_names(words.lang)
    total = words.whole(len(found.test.skill))
    if skill.empty:
        yield words("prerequisite_no_skill", total=total)
    else:
        shown = zip(names[skill.index], skill, strict=True)
        told = [f"{name} ({words.percent(share)})" for name, share in shown]
        count = words.whole(len(skill))
        yield words("prerequisite_skill", count=count, total=total, sectors=words.listing(told))


def _counts(found: PrerequisiteFindings, words: Wording) -> str:
    table = found.to_frame()
    labels = table["label"].value_counts()
    told = [f"{label_name(label, words)} – {words.whole(int(count))}" for label, count in labels.items()]
    return words("prerequisite_counts", tests=words.whole(len(table)), labels=words.listing(told))


def _supported(findings: Findings, found: PrerequisiteFindings, words: Wording) -> str:
    """What both tests and all deletions leave, and what the number of tests leaves of all pairs."""
    table = found.to_frame()
    tested = table[table["label"] != "same activity"]
    kept, several = tested[tested["label"] == "supported"], tested[tested["p_familywise"] <= found.test.alpha]
    texts = []
    if len(kept):
        texts.append(words("prerequisite_supported", pairs=_pairs(findings, kept.index, words)))
    chance = words.number(found.test.alpha * len(tested), 0)
    texts.append(words("prerequisite_chance", chance=chance, tests=words.whole(len(tested))))
    if len(several):
        labels = [label_name(label, words) for label in several["label"].head(_MOST_NAMED)]
        texts.append(words("prerequisite_familywise", pairs=_pairs(findings, several.index, words, labels)))
    else:
        texts.append(words("prerequisite_none"))
    return " ".join(texts)


def _p_value(p: float, words: Wording) -> str:
    return DASH if np.isnan(p) else words.p_value(p)


def label_name(label: object, words: Wording) -> str:
    """A label of a test in words."""
    return words(f"prerequisite_label_{label}")


def pair_names(findings: Findings, words: Wording, pairs: Iterable[Any]) -> list[str]:
    """Sector and covariate of each pair in words."""
    if findings.prerequisites is None:
        return []
    sectors = findings.study.sector_names(words.lang)
    covariates = _covariate_names(findings.prerequisites, words)
    return [f"{sectors[sector]} – {covariates[covariate]}" for sector, covariate in pairs]


def _covariate_names(found: PrerequisiteFindings, words: Wording) -> pd.Series:
    return found.covariates.about[f"name_{words.lang}"]


def _pairs(findings: Findings, pairs: pd.Index, words: Wording, labels: Sequence[str] | None = None) -> str:
    """The first pairs by name, with their labels if there are any, and how many more there are."""
    named = pair_names(findings, words, pairs[:_MOST_NAMED])
    if labels is not None:
        named = [f"{name} ({label})" for name, label in zip(named, labels, strict=True)]
    more = [words("prerequisite_more", count=words.whole(len(pairs) - _MOST_NAMED))]
    return words.listing(named + (more if len(pairs) > _MOST_NAMED else []))


def worst_regions(findings: Findings, words: Wording, table: pd.DataFrame) -> list[str]:
    """The region without which the p-value of each pair is largest."""
    found = findings.prerequisites
    if found is None or found.test.influence.empty:  # so many regions that none was left out
        return [DASH] * len(table)
    without = found.test.influence["p_value"].unstack("region").loc[table.index].idxmax(axis=1)
    return [str(name) for name in findings.study.region_names(words.lang)[without]]


def rests_on(findings: Findings, words: Wording, told: str) -> str:
    """The region, or the two, without which a pair is no longer found; their names are joined by "and"."""
    names = findings.study.region_names(words.lang)
    parts = [told] if told in names.index else told.split(" and ")
    return words.listing(str(names.get(part, part)) for part in parts) if told else DASH


def pairs_table(findings: Findings, words: Wording) -> Table | None:
    """The pairs with the smallest p-values, with all that their labels rest on."""
    found = findings.prerequisites
    if found is None:
        return None
    table, sectors = strongest(found), findings.study.sector_names(words.lang)
    covariates = _covariate_names(found, words)
    ends = zip(table["low"], table["high"], strict=True)
    columns = [
        name_column(words("sector"), sectors[table.index.get_level_values("sector")]),
        name_column(words("covariate"), covariates[table.index.get_level_values("covariate")]),
        Column(words("reading"), [label_name(label, words) for label in table["label"]], "label"),
        Column(words("slope"), [words.number(value) for value in table["slope"]]),
        Column(words("interval_95"), [f"{words.number(low)} … {words.number(high)}" for low, high in ends]),
        Column("r", [words.number(value) for value in table["r"]]),
        Column("p", [_p_value(p, words) for p in table["p_value"]]),
        Column(words("p_familywise_column"), [_p_value(p, words) for p in table["p_familywise"]]),
        Column(words("p_robust_column"), [_p_value(p, words) for p in table["p_robust"]]),
        Column(words("p_worst_column"), [_p_value(p, words) for p in table["worst_p"]]),
        Column(words("worst_region"), worst_regions(findings, words, table), "label"),
        Column(
            words("rests_on_column"), [rests_on(findings, words, told) for told in table["rests_on"]], "label"
        ),
    ]
    total = int((found.to_frame()["label"] != "same activity").sum())
    caption = words("prerequisite_table", shown=words.whole(len(table)), total=words.whole(total))
    strong = frozenset(i for i, label in enumerate(table["label"]) if label == "supported")
    return Table(caption, columns, strong)


def mismatch_table(findings: Findings, words: Wording) -> Table | None:
    """Regions with prerequisites without sectors, or the reverse; None if nothing can be expected."""
    found = findings.prerequisites
    if found is None:
        return None
    table = found.mismatches(findings.quotients, findings.study.choices.threshold)
    if table.empty or not table.shape[1]:
        return None
    shown = table[(table != "none").any(axis=1)]
    sectors = findings.study.sector_names(words.lang)

    def told(cell: str) -> str:
        return DASH if cell == "none" else words.listing(sectors[cell.split("; ")])

    columns = [name_column(words("region"), findings.study.region_names(words.lang)[shown.index])]
    columns += [
        Column(words(f"mismatch_{name}"), [told(cell) for cell in shown[name]], "label") for name in shown
    ]
    return Table(words("prerequisite_mismatches"), columns) if len(shown) else None
