"""Sentences, table and figures of the prerequisites, held against the tests behind them."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_hex
from matplotlib.patches import PathPatch

from spatialkz.options import LANGUAGES
from spatialkz.prerequisites.prerequisites import LABELS
from spatialkz.report.drawing.maps import expected_map
from spatialkz.report.drawing.rows import prerequisites_plot
from spatialkz.report.drawing.style import QUOTIENT_COLORS, styled
from spatialkz.report.sections import asked, brief
from spatialkz.report.sections.prerequisites import (
    mismatch_table,
    pair_names,
    pairs_table,
    prerequisite_sentences,
    prerequisites,
    strongest,
)
from spatialkz.report.wording import Wording

ENGLISH = Wording("en")


def plain(text):
    return text.replace("\u00a0", " ")


def relabelled(findings, **columns):
    """The same findings, with columns of the tests put in the place of what was found."""
    found = findings.prerequisites
    test = replace(found.test, table=found.test.table.assign(**columns))
    return replace(findings, prerequisites=replace(found, test=test))


@pytest.fixture(scope="module")
def table(findings):
    return findings.prerequisites.to_frame()


def test_the_sentences_count_what_was_found(findings, table):
    sentences = [plain(text) for text in prerequisite_sentences(findings, ENGLISH)]
    assert sentences[0].startswith(f"{len(table)} tests, each of one sector on one prerequisite")
    for label, count in table["label"].value_counts().items():
        assert f"{ENGLISH(f'prerequisite_label_{label}')} – {count}" in sentences[0]
    tested = table[table["label"] != "same activity"]
    assert f"about {0.05 * len(tested):.0f} of {len(tested)} tests would find something" in sentences[0]
    text = " ".join(sentences)
    for policy, row in findings.prerequisites.contrast.to_frame().iterrows():
        name = ENGLISH.label("policy", policy)
        assert f"{name}: the sectors that are named differ by {row['difference']:.2f}" in text
    moran = findings.prerequisites.space.xs("moran", level="test")
    assert f"in {(moran['p_value'] <= 0.05).sum()} of {len(moran)} pairs" in text
    design = findings.prerequisites.test.design
    few = design.index[(design["df_robust"] < 4) | (design["leverage"] > 0.5)]
    names = findings.prerequisites.covariates.about["name_en"][few]
    assert 0 < len(few) < len(design)
    assert f"every p-value is rough: {', '.join(names)}." in text
    assert "These are ties, not effects" in " ".join(
        getattr(part, "text", "") for part in prerequisites(findings, ENGLISH).parts
    )


def test_what_stays_with_all_tests_counted_is_said_with_its_label(findings, table):
    none = plain(next(prerequisite_sentences(relabelled(findings, p_familywise=1.0), ENGLISH)))
    assert none.endswith("When the number of tests is allowed for, no pair stays.")
    p, label = np.ones(len(table)), np.full(len(table), "not found", dtype=object)
    p[[3, 40]], label[[3, 40]] = 0.01, ["unequal variance", "same activity"]
    one = plain(next(prerequisite_sentences(relabelled(findings, p_familywise=p, label=label), ENGLISH)))
    named = pair_names(findings, ENGLISH, table.index[[3]])[0]
    assert one.endswith(f"when the number of tests is allowed for: {named} (unequal variances).")
    assert "Supported by both tests" not in one


def test_long_lists_end_with_how_many_more(findings, table):
    text = plain(next(prerequisite_sentences(relabelled(findings, label="supported"), ENGLISH)))
    assert f"{len(table) - 5} more. By chance" in text


def test_no_skill_is_said_and_gives_no_map(findings):
    found = findings.prerequisites
    test = replace(found.test, skill=-abs(found.test.skill))
    without = replace(findings, prerequisites=replace(found, test=test))
    assert "For none of the 11 sectors" in list(prerequisite_sentences(without, ENGLISH))[-1]
    assert mismatch_table(without, ENGLISH) is None
    assert [figure.name for figure in prerequisites(without, ENGLISH).figures] == ["prerequisites"]
    assert [figure.name for figure in prerequisites(findings, ENGLISH).figures] == [
        "prerequisites",
        "expected",
    ]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_label_has_a_word_and_the_section_is_on_the_page(pages, findings, lang):
    words, page = Wording(lang), pages[lang]
    assert len({words(f"prerequisite_label_{label}") for label in LABELS}) == len(LABELS)
    assert f'<section id="prerequisites">\n<h2>{words("section_prerequisites")}</h2>' in page
    assert words("prerequisite_causal") in page
    assert words("asked_prerequisites") in page
    assert brief(findings, words)[words("lead_prerequisites")] in page.replace("&amp;", "&")


def test_a_study_without_covariates_is_asked_nothing_of_them(other_findings, page_of):
    assert other_findings.prerequisites is None
    assert not prerequisites(other_findings, ENGLISH).parts
    assert ENGLISH("lead_prerequisites") not in brief(other_findings, ENGLISH)
    assert ENGLISH("asked_prerequisites") not in asked(other_findings, ENGLISH).parts[0].texts
    assert 'id="prerequisites"' not in page_of(other_findings, {})


def test_the_table_has_the_strongest_pairs_and_what_they_rest_on(findings, table):
    shown, made = strongest(findings.prerequisites), pairs_table(findings, ENGLISH)
    assert (shown["label"] != "same activity").all()
    assert shown["p_value"].is_monotonic_increasing
    assert (
        shown["p_value"].max()
        <= table.drop(index=shown.index).query("label != 'same activity'")["p_value"].min()
    )
    cells = {column.heading: list(column.cells) for column in made.columns}
    assert cells["p"] == [ENGLISH.p_value(p) for p in shown["p_value"]]
    influence = findings.prerequisites.test.influence["p_value"].unstack("region")
    names = findings.study.region_names("en")
    for pair, region, p in zip(
        shown.index, cells["Region"], cells["Largest p without a region"], strict=True
    ):
        assert influence.loc[pair, names[names == region].index[0]] == influence.loc[pair].max()
        assert p == ENGLISH.p_value(influence.loc[pair].max())
    for told, cell in zip(shown["rests_on"], cells["Rests on"], strict=True):
        assert cell == (", ".join(told.split(" and ")) if told else "–")
    assert made.strong == {i for i, label in enumerate(shown["label"]) if label == "supported"}


def test_out_of_step_regions_are_named_with_their_sectors(findings):
    found = findings.prerequisites.mismatches(findings.quotients, 1.0)
    made = mismatch_table(findings, ENGLISH)
    told = found[(found != "none").any(axis=1)]
    assert len(made.columns[0].cells) == len(told) > 0
    sectors = findings.study.sector_names("en")
    for name, column in zip(told, made.columns[1:], strict=True):
        for cell, text in zip(told[name], column.cells, strict=True):
            assert text == (
                "–" if cell == "none" else ENGLISH.listing(sectors[one] for one in cell.split("; "))
            )


def test_the_figure_shows_slopes_with_their_intervals(findings):
    shown = strongest(findings.prerequisites)
    some = relabelled(
        findings, low=findings.prerequisites.test.table["low"].where(lambda low: low > 0.1, -np.inf)
    )
    with styled():
        axes = prerequisites_plot(some, ENGLISH).axes[0]
    lines = next(drawn for drawn in axes.collections if isinstance(drawn, LineCollection))
    ends = np.array([line[:, 0] for line in lines.get_segments()])
    low = shown["low"].where(shown["low"] > 0.1, -np.inf)
    bounded = np.isfinite(low).to_numpy()
    assert ends[bounded, 0] == pytest.approx(low[bounded])
    # What has no end goes out of the figure.
    assert (ends[~bounded, 0] < axes.get_xlim()[0]).all()
    assert ends[:, 1] == pytest.approx(shown["high"])
    dots = [drawn for drawn in axes.collections if isinstance(drawn, PathCollection)]
    drawn = np.concatenate([np.asarray(dot.get_offsets())[:, 0] for dot in dots])
    assert sorted(drawn) == pytest.approx(sorted(shown["slope"]))
    assert len(dots[0].get_offsets()) == (shown["label"] == "supported").sum()
    texts = {text.get_text() for text in axes.texts}
    assert {ENGLISH.p_value(p) for p in shown["p_robust"]} <= texts
    assert axes.get_xlim()[0] < 0 < axes.get_xlim()[1]


def test_the_map_shows_observed_minus_expected(findings):
    test = findings.prerequisites.test
    told = test.skill.index[test.skill > 0]
    beyond = np.log1p(findings.quotients[told]) - np.log1p(test.expected.loc[findings.quotients.index, told])
    mean = beyond.mean(axis=1)
    with styled():
        figure = expected_map(findings, ENGLISH)
    texts = [text.get_text() for text in figure.texts]
    assert {ENGLISH.number(value) for value in mean} <= set(texts)
    patches = [artist for artist in figure.axes[0].get_children() if isinstance(artist, PathPatch)]
    colors = dict(
        zip(findings.study.boundaries.index, (to_hex(p.get_facecolor()) for p in patches), strict=True)
    )
    assert colors[mean.idxmax()] == QUOTIENT_COLORS[-1 if mean.max() == mean.abs().max() else -2]
    near = mean.index[mean.abs() < 0.19 * mean.abs().max()]
    assert len(near)
    assert {colors[region] for region in near} == {QUOTIENT_COLORS[2]}
