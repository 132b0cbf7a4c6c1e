"""What moves the ranks: the mean shift by each choice made otherwise, alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from spatialkz.report.contents import Findings
from spatialkz.report.ranking_answers import shift_name
from spatialkz.report.style import ACCENT, FAINT, MUTED, bare, headed, wrapped
from spatialkz.report.wording import Wording

_SIZE = (8.6, 1.9)  # inches, without the rows
_ROW = 0.23


def shifts_plot(findings: Findings, words: Wording) -> Figure:
    """Mean and largest change of rank, for areas and for candidates, the strongest choice on top."""
    ranking = findings.ranking
    drawn = {
        words("shifts_areas", total=words.whole(len(ranking.areas))): ranking.area_uncertainty,
        words("shifts_candidates", total=words.whole(len(ranking.candidates))): ranking.candidate_uncertainty,
    }
    tables = {
        heading: found.shifts.sort_values("mean_shift", ascending=False, kind="stable")
        for heading, found in drawn.items()
        if found is not None
    }
    rows = [len(table) for table in tables.values()]
    figure = Figure(figsize=(_SIZE[0], _SIZE[1] + _ROW * sum(rows)), layout="constrained")
    panels = figure.subplots(len(tables), 1, squeeze=False, height_ratios=rows)[:, 0]
    for axes, (heading, table) in zip(panels, tables.items(), strict=True):
        _bars(axes, table, words)
        axes.set_xlabel(heading, fontsize=8.5)
    headed(figure, words("shifts_title"), words("shifts_note"))
    return figure


def _bars(axes: Axes, table: pd.DataFrame, words: Wording) -> None:
    at = np.arange(len(table))
    axes.hlines(at, table["mean_shift"], table["max_shift"], color=MUTED, linewidth=0.8, zorder=1)
    axes.barh(at, table["mean_shift"], height=0.62, color=ACCENT, zorder=2)
    names = [wrapped(shift_name(choice, option, words), 48) for choice, option in table.index]
    axes.set_yticks(at, names, fontsize=8.5)
    axes.set_ylim(len(table) - 0.4, -0.6)
    axes.set_xlim(left=0)
    bare(axes, "bottom")
    axes.grid(axis="x", color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.plain(value)))
    for row, shift in enumerate(table["mean_shift"]):
        axes.annotate(
            words.number(shift),
            (1, row),
            (6, 0),
            xycoords=axes.get_yaxis_transform(),
            textcoords="offset points",
            va="center_baseline",
            fontsize=8,
        )
