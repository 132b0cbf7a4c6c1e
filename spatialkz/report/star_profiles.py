"""Size, specialization and focus of candidates side by side, as far as the table tells them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from spatialkz.report.contents import Findings
from spatialkz.report.evidence_heatmap import candidate_labels
from spatialkz.report.ranking_answers import stars
from spatialkz.report.style import ACCENT, FAINT, MUTED, NULL, bare, headed, wrapped
from spatialkz.report.wording import Wording

_MOST_ROWS = 20
_STAR_LQ = 2.0  # quotient that earns the star for specialization


def stars_plot(findings: Findings, words: Wording) -> Figure:
    """Bounds of the three measures behind the stars of the first candidates, in rank order."""
    found = findings.ranking.candidates.head(_MOST_ROWS)
    labels = candidate_labels(findings, words, found)
    width = 6.4 + 0.07 * max(map(len, labels))
    figure = Figure(figsize=(width, 2.2 + 0.27 * len(found)), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    measures = (("share", words("size")), ("lq", words("specialization_axis")), ("focus", words("focus")))
    for axes, (name, heading) in zip(panels, measures, strict=True):
        _bounds(axes, found[f"{name}_low"], found[f"{name}_high"])
        bare(axes, "bottom")
        axes.grid(axis="x", color=FAINT, linewidth=0.5)
        axes.set_axisbelow(True)
        axes.set_xlabel(wrapped(heading, 24), fontsize=8)
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.set_xlim(left=0)
        written = words.plain if name == "lq" else words.percent
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _, written=written: written(value)))
    panels[1].axvline(_STAR_LQ, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
    panels[0].set_yticks(range(len(found)), labels, fontsize=8.5)
    panels[0].set_ylim(len(found) - 0.4, -0.6)
    place = {"xycoords": panels[2].get_yaxis_transform(), "textcoords": "offset points", "xytext": (40, 0)}
    panels[2].annotate(words("stars"), (1, -0.75), ha="center", fontsize=8, color=MUTED, **place)
    for row, text in enumerate(stars(found)):
        panels[2].annotate(text, (1, row), ha="center", va="center_baseline", fontsize=8.5, **place)
    shown = len(findings.ranking.candidates) > len(found)
    note = words("stars_note")
    if shown:
        total = words.whole(len(findings.ranking.candidates))
        note += " " + words("shown", shown=len(found), total=total)
    headed(figure, words("stars_title", shown=len(found)), note)
    return figure


def _bounds(axes: Axes, low: pd.Series, high: pd.Series) -> None:
    """A bar between the bounds, and a dot where they are as good as one."""
    at = np.arange(len(low))
    axes.hlines(at, low, high, color=NULL, linewidth=6, zorder=1)
    known = ((high - low) <= 0.02 * high.max()).to_numpy()
    middle = (low + high) / 2
    axes.scatter(middle[known], at[known], s=26, color=ACCENT, zorder=2)
