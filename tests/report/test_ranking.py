"""What the page and the figures say of candidates and areas beside their ranks."""

import re
from dataclasses import replace

import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.patches import Rectangle

from spatialkz.options import LANGUAGES
from spatialkz.report.contents import DASH
from spatialkz.report.drawing.rows import area_evidence_plot, areas_plot, growth_plot, shifts_plot, stars_plot
from spatialkz.report.drawing.style import styled
from spatialkz.report.sections.ranking import (
    areas_brief,
    areas_table,
    candidates_brief,
    candidates_table,
    groups_sentences,
    knowledge_sentences,
    lacks,
    largest_sentences,
    unranked_sentences,
)
from spatialkz.report.sections.review import disagreement_table, naming_table, review_brief
from spatialkz.report.wording import Wording

EN = Wording("en")


def cells(table, heading):
    return next(list(column.cells) for column in table.columns if column.heading == heading)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_types_stars_and_formation_stand_in_the_tables(findings, lang):
    words = Wording(lang)
    areas, candidates = findings.ranking.areas, findings.ranking.candidates
    shown = areas_table(findings, words)
    kinds = cells(shown, words("district_type"))
    named = [words.label("district", kind) for kind in areas["district_type"]]
    assert all(name in cell for name, cell in zip(named, kinds, strict=True))
    assert cells(shown, words("formation")) == [words(f"formation_{path}") for path in areas["formation"]]
    # No name of a column shows through.
    assert not any("_" in cell for cell in cells(shown, words("type_lacks")))
    stars = cells(candidates_table(findings, words), words("stars"))
    ends = zip(candidates["stars"], candidates["stars_possible"], strict=True)
    assert [re.findall(r"\d", cell) for cell in stars] == [
        [str(low)] if low == high else [str(low), str(high)] for low, high in ends
    ]


def test_a_study_without_rules_or_policies_says_nothing_of_them(other_findings, page_of):
    page = page_of(other_findings, {})
    assert EN("district_type") not in page
    assert EN("types_note") not in page
    assert EN("formation_note") in page
    assert 'id="review"' not in page
    assert naming_table(other_findings, EN) is None
    assert disagreement_table(other_findings, EN) is None
    assert list(review_brief(other_findings, EN)) == []
    assert {cell[-1] for cell in cells(candidates_table(other_findings, EN), EN("stars"))} == {"★"}


def test_what_is_lacked_is_put_into_words():
    found = lacks("digital 0 < 2; knowledge_near 1 < 2", EN)
    assert found == "digital sectors 0 < 2; knowledge sectors in neighboring regions 1 < 2"


def test_groups_are_those_of_the_draws(findings):
    told = " ".join(groups_sentences(findings, EN))
    for group in findings.ranking.area_uncertainty.groups():
        if len(group) > 1:
            assert f"({', '.join(group)})" in told
    above = findings.ranking.area_uncertainty.pairwise
    alone = told.partition("Told apart from all others: ")[2].rstrip(".").split(", ")
    for region in filter(None, alone):
        others = above.loc[region].drop(region)
        assert ((others >= 0.95) | (others <= 0.05)).all()


def test_the_largest_quotients_are_explained_by_their_places(findings):
    told = " ".join(largest_sentences(findings, EN)).replace("\N{NO-BREAK SPACE}", " ")
    rows = findings.ranking.candidates
    largest = {
        ("chemical", "Zhambyl"): "Chemicals – Zhambyl (LQ = 12.79)",
        (
            "electronics",
            "North Kazakhstan",
        ): "Computers, electronics and optics – North Kazakhstan (LQ = 12.70)",
    }
    for (sector, region), name in largest.items():
        row = rows[(rows["sector"] == sector) & (rows["region"] == region)].iloc[0]
        companions = int((rows["companions"] > row["companions"]).sum()) + 1
        assert f"{name}: {row['rank']} of 41 (Specialization " in told
        assert f"Companions {companions}, " in told.partition(name)[2].partition(";")[0]
    assert "a quotient is one of 4 parts of the score and counts by its place" in told
    ordered = rows.sort_values("lq", ascending=False).assign(rank=range(1, 42))
    leading = replace(findings, ranking=replace(findings.ranking, candidates=ordered))
    assert list(largest_sentences(leading, EN)) == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_regions_without_a_candidate_are_named_and_have_no_score(findings, pages, lang):
    words = Wording(lang)
    (told,) = unranked_sentences(findings, words)
    names = findings.study.region_names(lang)
    assert f"{names['Karaganda']}, {names['Pavlodar']}" in told
    assert told in pages[lang]
    shown = areas_table(findings, words)
    assert [cell == DASH for cell in cells(shown, words("score"))] == [False] * 15 + [True] * 2
    with styled():
        axes = area_evidence_plot(findings, words).axes[0]
    assert names["Karaganda"] not in {label.get_text() for label in axes.get_yticklabels()}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_the_study_does_not_call_knowledge_intensive_is_said(findings, other_findings, page_of, lang):
    words = Wording(lang)
    assert list(knowledge_sentences(findings, words)) == []
    (some,) = knowledge_sentences(other_findings, words)
    others = other_findings.study.sector_names(lang).loc[["Manufacturing", "Finance and insurance"]]
    assert words.listing(others) in some
    bare = replace(other_findings, study=replace(other_findings.study, sectors=pd.DataFrame()))
    (none,) = knowledge_sentences(bare, words)
    assert none == words("knowledge_none", sectors="5")
    assert some in " ".join(candidates_brief(other_findings, words))
    if lang == "en":
        assert page_of(bare, {}).count(none) == 2  # in brief, and above the table


def test_the_answer_names_who_is_first_in_half_of_the_draws_or_says_nobody_is(findings):
    areas = findings.ranking.areas
    first = areas.loc[areas["p_top3"] >= 0.5, "region"]
    told = " ".join(areas_brief(findings, EN)).partition("Others")[0]
    assert told.count("%)") == len(first)
    assert all(region in told for region in first)
    even = replace(findings.ranking, areas=areas.assign(rank=9, p_top3=3 / 17))
    told = list(areas_brief(replace(findings, ranking=even), EN))
    assert told[0] == "No region is among the first three in half of the draws."
    assert told[1].count("%)") == 17


def test_lines_part_the_tiers(findings):
    with styled():
        axes = areas_plot(findings, EN).axes[0]
    tiers = findings.ranking.areas["rank_tier"].to_numpy()
    lines = sorted(line.get_ydata()[0] for line in axes.lines)
    assert lines == [at + 0.5 for at in range(len(tiers) - 1) if tiers[at] != tiers[at + 1]]
    assert lines


def test_all_tests_and_all_disagreements_are_shown(findings, pages):
    review = findings.review
    table = naming_table(findings, EN)
    tests = review.naming.values()
    assert cells(table, "p") == [EN.p_value(test.to_frame()["p_value"].iloc[0]) for test in tests]
    assert cells(table, EN("naming_power")) == [EN.percent(test.power[2.0]) for test in tests]
    assert EN("naming_note", tests=3) in pages["en"]
    apart = review.agreement.regions.query("difference != 0")
    assert cells(disagreement_table(findings, EN), EN("region")) == apart.index.tolist()
    text = " ".join(review_brief(findings, EN)).replace("\N{NO-BREAK SPACE}", " ")
    assert f"τ-b = {review.agreement.tau_b:.2f}" in text
    assert text.count("p = ") == 4


def test_without_a_review_the_page_has_no_such_section(findings, page_of):
    assert 'id="review"' not in page_of(replace(findings, review=None), {})


def test_evidence_is_printed_in_rank_order_with_the_score(findings):
    with styled():
        axes = area_evidence_plot(findings, EN).axes[0]
    first = [text.get_text() for text in axes.texts if text.get_position()[1] == 0.5]
    row = findings.ranking.areas.iloc[0]
    assert first[0] == f"{row['specialized_share']:.2f}"
    assert first[-1] == f"{row['score']:.3f}"
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == findings.ranking.areas["region"].tolist()[:15]


def test_bars_are_the_shifts_strongest_first(findings):
    with styled():
        panels = shifts_plot(findings, EN).axes
    found = (findings.ranking.area_uncertainty, findings.ranking.candidate_uncertainty)
    for axes, uncertainty in zip(panels, found, strict=True):
        widths = [bar.get_width() for bar in axes.patches]
        assert widths == sorted(uncertainty.shifts["mean_shift"], reverse=True)


def test_bars_of_the_three_measures_are_their_bounds(findings):
    with styled():
        panels = stars_plot(findings, EN).axes
    found = findings.ranking.candidates.head(20)
    for axes, name in zip(panels, ("share", "lq", "focus"), strict=True):
        lines = next(c for c in axes.collections if isinstance(c, LineCollection))
        ends = [(line[0, 0], line[1, 0]) for line in lines.get_segments()]
        assert ends == list(zip(found[f"{name}_low"], found[f"{name}_high"], strict=True))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_named_sector_has_its_cell(findings, lang):
    with styled():
        axes = growth_plot(findings, Wording(lang)).axes[0]
    mapped = findings.review.growth.dropna(subset=["sector"])
    drawn = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert len(drawn) == len(mapped.drop_duplicates(["policy", "site", "region", "sector"]))
    printed = sorted(text.get_text() for text in axes.texts)
    assert set(map(Wording(lang).number, mapped["lq"])) <= set(printed)
