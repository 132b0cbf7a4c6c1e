"""The section of change: sentences, tables and figures of a study of several periods, in three languages."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from spatialkz.change import analyse_change
from spatialkz.options import LANGUAGES
from spatialkz.outputs import write_tables
from spatialkz.report.drawing import change as drawing
from spatialkz.report.drawing.style import styled
from spatialkz.report.sections.change import change, change_brief
from spatialkz.report.wording import Wording
from spatialkz.tables import Panel


@pytest.fixture(scope="module")
def changed(other_findings):
    """The table of 2022 with five years of chance before it."""
    table, rng = other_findings.study.table, np.random.default_rng(1)
    tables = {2022: table}
    for year in range(2021, 2017, -1):
        noise = np.exp(rng.normal(0, 0.2, table.values.shape))
        values = (table.values * noise).clip(upper=table.base.to_numpy() / 6)
        tables[year] = replace(table, values=values)
    study = replace(other_findings.study, panel=Panel(tables))
    return replace(
        other_findings,
        study=study,
        change=analyse_change(study.panel, study.graph, permutations=99, rng=1),
    )


def test_one_period_has_no_section(other_findings):
    words = Wording("en")
    assert change(other_findings, words).parts == ()
    assert list(change_brief(other_findings, words)) == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_section_and_figures(changed, lang):
    words = Wording(lang)
    found = change(changed, words)
    assert [figure.name for figure in found.figures] == ["change_slopes", "change_years", "change_shares"]
    told = list(change_brief(changed, words))
    states = changed.change.turnover["state"].value_counts()
    assert str(states.get("entered", 0)) in told[0]
    tables = [part for part in found.parts if part.kind == "table"]
    assert [len(table.columns[0].cells) for table in tables] == [5, 3]
    with styled():
        slopes = drawing.slopes_plot(changed, words)
        years = drawing.years_plot(changed, words)
        shares = drawing.shift_share_plot(changed, words)
    assert len(slopes.axes) == len(years.axes) == 4  # at most four sectors
    bars = sum(patch.get_width() for patch in shares.axes[0].patches)
    parts = changed.change.shares["classic"].by_region()
    wanted = 100 * (parts[["mix", "regional"]].div(parts["before"], axis=0)).to_numpy().sum()
    assert bars == pytest.approx(wanted)


def test_the_table_of_the_results_folder(changed, tmp_path):
    write_tables(changed, tmp_path)
    found = pd.read_csv(tmp_path / "change.csv")
    assert {"lq_before", "lq_after", "state", "regional"} <= set(found.columns)
    assert (tmp_path / "change.json").is_file()
    np.testing.assert_allclose(found[["national", "mix", "regional"]].sum(axis=1), found["change"], atol=1e-3)
