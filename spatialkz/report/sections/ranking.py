"""Where: the candidates and the areas in their order, and what their ranks are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import pandas as pd

from spatialkz.candidates import AREA_EVIDENCE, CANDIDATE_EVIDENCE, knowledge_intensive
from spatialkz.report.contents import (
    DASH,
    Column,
    Figure,
    Findings,
    Paragraph,
    Section,
    Table,
    Terms,
    name_column,
    section,
)
from spatialkz.report.sections.quotients import local_cells
from spatialkz.report.wording import Wording
from spatialkz.specialization import breadth_label

_WORTH_NAMING = 0.1
_MOST_AREAS, _LEVEL = 40, 0.95


def breadth_map(findings: Findings, words: Wording) -> Section:
    """The map of specializations; empty without boundaries."""
    if findings.study.boundaries is None:
        return section("map")
    table = findings.ranking.areas
    widest = table.iloc[int(table["breadth"].argmax())]
    alt = words(
        "alt_map",
        regions=len(table),
        region=findings.study.region_names(words.lang)[widest["region"]],
        count=words.whole(widest["breadth"]),
    )
    return section("map", Figure("map", alt, words("map_note")))


def areas(findings: Findings, words: Wording) -> Section:
    """All regions in their order, with the draws behind their ranks."""
    study, ranked = findings.study, findings.ranking.areas
    about = [words("types_note")] if "district_type" in ranked else []
    about.append(words("formation_note"))
    if prerequisites := study.context.prerequisites["indicator"].nunique():
        about.append(words("prerequisites_note", count=prerequisites))
    shifts, drawn = None, findings.ranking.area_uncertainty or findings.ranking.candidate_uncertainty
    if drawn is not None:
        choice, option = drawn.shifts.index[int(drawn.shifts["mean_shift"].argmax())]
        shifts = Figure("shifts", words("alt_shifts", choice=shift_name(choice, option, words)))
    return section(
        "areas",
        Figure("areas", words("alt_areas")),
        *(Paragraph(sentence) for sentence in groups_sentences(findings, words)),
        *(Paragraph(sentence) for sentence in unranked_sentences(findings, words)),
        areas_table(findings, words),
        Paragraph(" ".join(about), small=True),
        None if study.placement is None else Paragraph(words("placement_note"), small=True),
        _score_note(findings, words),
        _evidence(ranked, "area", AREA_EVIDENCE, words),
        Paragraph(words("surroundings_note", meaning=words("area_surroundings")), small=True),
        Paragraph(words("score_why"), small=True),
        Figure("area_evidence", words("alt_area_evidence")),
        shifts,
    )


def candidates(findings: Findings, words: Wording) -> Section:
    """All candidates in their order."""
    return section(
        "candidates",
        Figure("candidates", words("alt_candidates")),
        *(Paragraph(sentence) for sentence in knowledge_sentences(findings, words)),
        *(Paragraph(sentence) for sentence in largest_sentences(findings, words)),
        candidates_table(findings, words),
        _score_note(findings, words),
        _evidence(findings.ranking.candidates, "candidate", CANDIDATE_EVIDENCE, words),
        Paragraph(words("surroundings_note", meaning=words("candidate_surroundings")), small=True),
        Figure("candidate_evidence", words("alt_candidate_evidence")),
        Figure("stars", words("alt_stars")),
    )


def candidates_brief(findings: Findings, words: Wording) -> Iterator[str]:
    """How many candidates there are, of what, which are first, and how many are sure."""
    study, found = findings.study, findings.ranking.candidates
    first, tied = found.iloc[0], int((found["rank_tier"] == 1).sum())
    yield words(
        "answer_candidates",
        candidates=words.whole(len(found)),
        pairs=words.whole(findings.quotients.size),
        threshold=words.plain(study.choices.threshold),
        regions=words.whole(found["region"].nunique()),
        all_regions=words.whole(len(findings.quotients)),
    )
    yield from knowledge_sentences(findings, words)
    told = {
        "sector": study.sector_names(words.lang)[first["sector"]],
        "region": study.region_names(words.lang)[first["region"]],
        "lq": words.number(first["lq"]),
        "p": words.percent(first["p_top10"]),
    }
    yield words("answer_first_tier", count=tied, **told) if tied > 1 else words("answer_first", **told)
    sure = words.whole(int((found["certainty"] == "sure").sum()))
    if study.table.hidden.any(axis=None):
        yield words("answer_sure_hidden", sure=sure)
    elif study.table.rounding:
        yield words("answer_sure", sure=sure)
    without = findings.quotients.index.difference(pd.Index(found["region"]), sort=False)
    if len(without):
        yield words("answer_without", names=words.listing(study.region_names(words.lang)[without]))


def areas_brief(findings: Findings, words: Wording) -> Iterator[str]:
    """Regions among the first three in half of the draws, and those that could stand among them."""
    areas = findings.ranking.areas.assign(
        name=findings.study.region_names(words.lang).loc[findings.ranking.areas["region"]].to_numpy()
    )
    shown = areas["name"] + " (" + areas["p_top3"].map(words.percent) + ")"
    first = areas["rank"] <= 3
    others = ~first & (areas["p_top3"] >= _WORTH_NAMING)
    yield words("answer_areas", names=words.listing(shown[first])) if first.any() else words("answer_no_area")
    if others.any():
        least = words.percent(_WORTH_NAMING)
        yield words("answer_others", least=least, names=words.listing(shown[others]))
    yield words("answer_draws", varied=varied(findings, words))


def knowledge_sentences(findings: Findings, words: Wording) -> Iterator[str]:
    """What to know before candidates are called knowledge-intensive."""
    marked = knowledge_intensive(findings.study)
    if not marked.any():
        yield words("knowledge_none", sectors=words.whole(len(marked)))
    elif not marked.all():
        names = findings.study.sector_names(words.lang).loc[marked.index[~marked]]
        yield words("knowledge_some", names=words.listing(names))


def unranked_sentences(findings: Findings, words: Wording) -> Iterator[str]:
    """Regions that are not ranked, and why."""
    areas = findings.ranking.areas
    rest = areas.loc[areas["breadth"] == 0, "region"]
    if len(rest):
        yield words("unranked_note", names=words.listing(findings.study.region_names(words.lang).loc[rest]))


def largest_sentences(findings: Findings, words: Wording) -> Iterator[str]:
    """Why the two largest quotients do not lead, where they stand in the lower half of the ranks."""
    found = findings.ranking.candidates
    parts = [name for name in CANDIDATE_EVIDENCE if name in found]
    places = found[parts].rank(ascending=False, method="min").astype(int)
    largest = found.nlargest(2, "lq")
    low = largest[largest["rank"] > len(found) / 2]
    items = []
    for row, name in zip(low.index, candidate_names(findings, words, low), strict=True):
        told = [f"{words(f'evidence_{part}')} {words.whole(places.loc[row, part])}" for part in parts]
        quotient, rank = words.number(found.loc[row, "lq"]), words.whole(found.loc[row, "rank"])
        total = words.whole(len(found))
        items.append(
            words("largest_item", name=name, lq=quotient, rank=rank, total=total, places=", ".join(told))
        )
    if items:
        yield words("largest_note", items="; ".join(items), parts=len(parts))


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


def areas_table(findings: Findings, words: Wording) -> Table:
    """All regions in their order, with evidence and what the other stages say of them."""
    areas = findings.ranking.areas
    columns = [
        name_column(words("region"), findings.study.region_names(words.lang).loc[areas["region"]]),
        Column(words("rank_tier"), [words.whole(tier) for tier in areas["rank_tier"]]),
        Column(words("rank"), [words.whole(rank) for rank in areas["rank"]]),
        Column(words("rank_interval"), _ranks(areas)),
        Column(words("p_top_column", top=3), [words.percent(p) for p in areas["p_top3"]]),
    ]
    if findings.study.placement is not None:
        tiers = [DASH if pd.isna(tier) else str(tier) for tier in areas["tier"]]
        columns.append(Column(words("tier"), tiers))
    columns.append(Column(words("breadth"), [words.whole(count) for count in areas["breadth"]]))
    columns += _types(areas, words)
    columns += _score(areas, AREA_EVIDENCE, words)
    count = breadth_label(findings.quotients.columns)
    local = local_cells(findings, words, [(count, region) for region in areas["region"]])
    columns.append(Column(words("local_moran"), local, "label"))
    if "cluster" in areas:  # not where the regions are one
        columns.append(Column(words("cluster"), [str(cluster) for cluster in areas["cluster"]]))
    return Table(words("table_areas", n=words.whole(len(areas))), columns)


def candidates_table(findings: Findings, words: Wording) -> Table:
    """All candidates in their order."""
    found, study = findings.ranking.candidates, findings.study
    columns = [
        name_column(words("sector"), study.sector_names(words.lang).loc[found["sector"]]),
        name_column(words("region"), study.region_names(words.lang).loc[found["region"]]),
        Column(words("rank_tier"), [words.whole(tier) for tier in found["rank_tier"]]),
        Column(words("rank"), [words.whole(rank) for rank in found["rank"]]),
        Column(words("rank_interval"), _ranks(found)),
        Column(words("p_top_column", top=10), [words.percent(p) for p in found["p_top10"]]),
    ]
    columns.append(Column(words("lq"), [words.number(lq) for lq in found["lq"]]))
    shares = zip(found["share_low"], found["share_high"], strict=True)
    columns.append(Column(words("share"), [words.percent_range(low, high) for low, high in shares]))
    columns.append(Column(words("stars"), stars(found)))
    paths = [words(f"formation_{path}") for path in found["formation"]]
    columns.append(Column(words("formation"), paths, "label"))
    columns += _score(found, CANDIDATE_EVIDENCE, words)
    local = local_cells(findings, words, list(zip(found["sector"], found["region"], strict=True)))
    columns.append(Column(words("local_moran"), local, "label"))
    if "cluster" in found:  # not where the regions are one
        columns.append(Column(words("cluster"), [str(cluster) for cluster in found["cluster"]]))
    return Table(words("table_candidates", n=words.whole(len(found))), columns)


def varied(findings: Findings, words: Wording) -> str:
    """What the draws varied: published quotients are rounded, computed ones are not, and some are hidden."""
    table = findings.study.table
    others = words("varied_rounding" if table.rounding else "varied_weights")
    return words("varied_hidden", others=others) if table.hidden.any(axis=None) else others


def candidate_names(findings: Findings, words: Wording, found: pd.DataFrame) -> list[str]:
    """Sector and region of each candidate on one line."""
    sectors = findings.study.sector_names(words.lang).loc[found["sector"]]
    regions = findings.study.region_names(words.lang).loc[found["region"]]
    return [f"{sector} – {region}" for sector, region in zip(sectors, regions, strict=True)]


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


def lacks(text: str, words: Wording) -> str:
    """What a region lacks, the names of the evidence put into words."""
    return re.sub(r"\w+(?= \S+ <)", lambda found: words.label("lack", found[0]), text)


def _ranks(table: pd.DataFrame) -> list[str]:
    return [f"{low}–{high}" for low, high in zip(table["rank_low"], table["rank_high"], strict=True)]


def _types(areas: pd.DataFrame, words: Wording) -> list[Column]:
    """District type with how often it holds, what is lacking, how it came about, and prerequisites."""
    columns = []
    if "district_type" in areas:
        shares = zip(areas["district_type"], areas["type_share"], strict=True)
        columns += [
            Column(words("district_type"), [_typed(kind, share, words) for kind, share in shares], "label"),
            Column(
                words("type_lacks"),
                [DASH if t == "none" else lacks(t, words) for t in areas["type_lacks"]],
                "label",
            ),
        ]
    paths = [words(f"formation_{path}") for path in areas["formation"]]
    columns.append(Column(words("formation"), paths, "label"))
    if "prerequisites" in areas:
        columns.append(Column(words("prerequisites"), [words.whole(n) for n in areas["prerequisites"]]))
    return columns


def _typed(kind: str, share: float, words: Wording) -> str:
    name = words.label("district", kind)
    return name if share == 1 else words("district_share", type=name, share=words.percent(share))


def _score(table: pd.DataFrame, evidence: Iterable[str], words: Wording) -> list[Column]:
    """Score and the evidence behind it, as far as this study has it, and what surrounds the region."""
    scores = [DASH if pd.isna(score) else words.number(score, 3) for score in table["score"]]
    columns = [Column(words("score"), scores)]
    for name in (*evidence, "surroundings"):
        if name in table:
            cells = [words.number(value) for value in table[name]]
            columns.append(Column(words(f"evidence_{name}"), cells))
    return columns


def _evidence(table: pd.DataFrame, kind: str, known: Mapping[str, str], words: Wording) -> Terms:
    """Name and meaning of each part of a score that this study has."""
    meant = {words(f"evidence_{name}"): words(f"{kind}_{name}") for name in known if name in table}
    return Terms(meant, "notes")


def _score_note(findings: Findings, words: Wording) -> Paragraph:
    draws = words.whole(findings.ranking.draws)
    return Paragraph(words("score_note", draws=draws, varied=varied(findings, words)), small=True)
