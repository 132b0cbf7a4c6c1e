"""Figures, tables and sentences of the focal test, held against the test behind them."""

from dataclasses import replace

import numpy as np
import pytest
from markupsafe import escape
from matplotlib.collections import PathCollection

from spatialkz.focal import focal_test
from spatialkz.options import LANGUAGES
from spatialkz.report.drawing.focal import (
    breadth_plot,
    influence_plot,
    models_plot,
    power_plot,
    specification_plot,
)
from spatialkz.report.drawing.style import styled
from spatialkz.report.sections import brief
from spatialkz.report.sections.focal import (
    choices,
    choices_table,
    focal,
    focal_joint,
    focal_power,
    focal_sentences,
    focal_table,
)
from spatialkz.report.wording import Wording

ENGLISH = Wording("en")


def drawn(draw, findings, words=ENGLISH):
    with styled():
        return draw(findings, words)


def plain(text):
    return text.replace("\u00a0", " ")


@pytest.fixture(scope="module")
def silent(findings):
    """Findings of a table that reaches the threshold nowhere."""
    test = focal_test(findings.quotients * 0.01, findings.study.graph, permutations=99, simulations=0, rng=1)
    return replace(findings, focal=test)


def where(row):
    """Place beside the verdict, where it is focal."""
    return f", {ENGLISH('place_' + row['place'])}" if row["verdict"] == "focal" else ""


def test_the_sentences_say_what_the_test_found(findings):
    sentences = [plain(text) for text in focal_sentences(findings, ENGLISH)]
    table = findings.focal.to_frame()
    assert len(sentences) == len(table) == 4
    for text, (family, row) in zip(sentences, table.iterrows(), strict=True):
        assert text.startswith(f"{ENGLISH.label('group', family)}: {row['verdict']}{where(row)} (")
        assert f"{row['variance_ratio']:.2f} times" in text
        assert f"{row['regions']:.0f} regions have any specialization" in text
        assert f"by chance {row['regions_expected']:.1f} would" in text
        assert f"with probability {row['spikes']:.2f} (± {row['spikes_error']:.2f}" in text
        assert ("rests on Almaty City" in text) == ("Almaty City" in findings.focal.rests_on(family))
    assert "rests on Almaty City" in sentences[0]


def test_the_answer_in_brief_puts_it_second_with_every_family(findings):
    lead, text = list(brief(findings, ENGLISH).items())[1]
    assert lead == "Foci or belts"
    for family, row in findings.focal.to_frame().iterrows():
        assert f"{ENGLISH.label('group', family)}: {row['verdict']}{where(row)} (" in text
    assert f"{len(findings.focal.multiverse.table):,} specifications" not in text.split("over")[0]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_section_is_on_the_page_before_the_map(pages, findings, lang):
    words, page = Wording(lang), pages[lang]
    assert page.index('id="brief"') < page.index('id="focal"') < page.index('id="map"')
    for text in (words("section_focal"), words("focal_about"), words("asked_focal"), words("lead_focal")):
        assert escape(text) in page
    for text in (focal_power(findings, words), focal_joint(findings, words)):
        assert escape(text) in page


def test_a_run_without_the_test_has_no_such_section(findings, page_of):
    bare = replace(findings, focal=None)
    page = page_of(bare, {})
    assert 'id="focal"' not in page
    assert "#focal" not in page
    assert not focal(bare, ENGLISH).parts


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_table_that_says_nothing_at_the_threshold_is_undecided(silent, page_of, lang):
    # Ranks still differ, so some specifications are left.
    assert [figure.name for figure in focal(silent, ENGLISH).figures] == ["focal_curve"]
    words = Wording(lang)
    page = page_of(silent, {}, lang)
    assert words("focal_reason_too little variation to be tested") in page
    assert drawn(specification_plot, silent, words)


def test_the_table_holds_every_number(findings):
    table, frame = focal_table(findings, ENGLISH), findings.focal.to_frame()
    cells = {column.heading: list(column.cells) for column in table.columns}
    assert cells["Verdict"] == frame["verdict"].tolist()
    assert cells["p, co-location"] == [ENGLISH.p_value(p) for p in frame["colocation_p"]]
    assert cells["P(few stand out)"] == [ENGLISH.number(p) for p in frame["spikes"]]
    assert cells["p, few territories"] == [ENGLISH.p_value(p) for p in frame["spread_p"]]
    assert cells["Place"] == [ENGLISH(f"place_{place}") for place in frame["place"]]


def test_choices_are_counted_and_their_shares_add_up(findings):
    many = findings.focal.multiverse
    rows = choices(many, findings, ENGLISH)
    total = len(many.table)
    for name in dict.fromkeys(group for group, _, _ in rows):
        assert sum(mask.sum() for group, _, mask in rows if group == name) == total
    assert ("Left out", "without the region with most specializations") in [row[:2] for row in rows]
    assert [value for group, value, _ in rows if group == "Neighbors"] == [
        "the study’s graph",
        "up to the second order",
        "four nearest",
        "cities as their hosts",
    ]
    table = choices_table(findings, ENGLISH)
    focal = next(column for column in table.columns if column.heading == "focal")
    shares = [(many.table.loc[mask, "verdict"] == "focal").mean() for _, _, mask in rows]
    assert focal.cells == [ENGLISH.percent(share) for share in shares]


def test_breadth_is_drawn_beside_its_envelope(findings):
    figure = drawn(breadth_plot, findings)
    assert len(figure.axes) == 4
    for axes, found in zip(figure.axes, findings.focal.families.values(), strict=True):
        np.testing.assert_array_equal(axes.lines[0].get_ydata(), found.colocation.envelope["breadth"])
    named = {text.get_text() for text in figure.axes[0].texts}
    assert "Almaty City" in named


def test_the_models_show_posterior_and_confusion(findings):
    figure = drawn(models_plot, findings)
    left, right = figure.axes
    dots = sorted(float(line.get_xdata()[0]) for line in left.lines if len(line.get_xdata()) == 1)
    compared = [found.models for found in findings.focal.families.values()]
    shapes = [models.shape["posterior"]["spikes"] for models in compared]
    wanted = sorted([*shapes, *(models.place["posterior"]["contiguous"] for models in compared)])
    np.testing.assert_allclose(dots, wanted)
    shares = findings.focal.families["all"].models.confusion.to_numpy().ravel()
    assert [text.get_text() for text in right.texts] == [ENGLISH.percent(share) for share in shares]


def test_influence_fills_what_decides_otherwise(findings):
    figure = drawn(influence_plot, findings)
    for axes, family in zip(figure.axes, findings.focal.families, strict=True):
        filled = [part for part in axes.collections if isinstance(part, PathCollection)][1]
        names = [figure.axes[0].get_yticklabels()[int(at)].get_text() for at in filled.get_offsets()[:, 1]]
        assert len(names) == len(findings.focal.rests_on(family))
    assert "Almaty City" in [label.get_text() for label in figure.axes[0].get_yticklabels()]


def test_power_rises_with_dependence(findings):
    left, right = drawn(power_plot, findings).axes
    rho, power = left.lines[0].get_data()
    assert power[np.argmin(np.abs(rho))] == pytest.approx(0.05, abs=0.001)
    assert (np.diff(power[rho >= 0]) > 0).all()
    powers = findings.focal.families["all"].models.power.tolist()
    np.testing.assert_allclose([bar.get_width() for bar in right.patches], powers)


def test_the_curve_rises_and_has_every_specification(findings):
    top, middle, below = drawn(specification_plot, findings).axes
    dots = np.vstack([part.get_offsets() for part in top.collections])
    dots = dots[dots[:, 0].argsort()]
    assert len(dots) == (findings.focal.multiverse.table["reason"] == "").sum()
    assert (np.diff(dots[:, 1]) >= 0).all()
    assert sum(len(part.get_offsets()) for part in middle.collections) == len(dots)
    shade = below.images[0].get_array()
    groups = [group for group, _, _ in choices(findings.focal.multiverse, findings, ENGLISH)]
    for name in dict.fromkeys(groups):
        chosen = [place for place, group in enumerate(groups) if group == name]
        np.testing.assert_allclose(shade[chosen].sum(axis=0), 1)
