"""What the page and the figures say of candidates and areas beside their ranks."""

import re
from dataclasses import replace

import pytest
from matplotlib.collections import LineCollection
from matplotlib.patches import Rectangle

from spatialkz.options import LANGUAGES
from spatialkz.report.drawing.heatmap import area_evidence_plot, growth_plot
from spatialkz.report.drawing.intervals import shifts_plot, stars_plot
from spatialkz.report.drawing.style import styled
from spatialkz.report.sections.ranking import areas_table, candidates_table, groups_sentences, lacks
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
    assert names == findings.ranking.areas["region"].tolist()


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
