"""Dot and interval plots: Moran's I against its null, and ranks with their uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from spatialkz.report.answers import variable_name, varied
from spatialkz.report.contents import Findings
from spatialkz.report.style import ACCENT, FAINT, MUTED, NULL, bare, headed, wrapped
from spatialkz.report.wording import Wording
from spatialkz.specialization import breadth_label

_WIDTH = 8.6  # inches
_MOST_ROWS = 40
_MOST_CANDIDATES = 20


def moran_plot(findings: Findings, words: Wording) -> Figure:
    """Moran's I of each variable, the central 95 % of its null distribution, and its p-values."""
    table = findings.moran.to_frame().join(findings.moran.envelope)
    # The sum over the sectors stands apart from the sectors, which are ordered by strength.
    table = table.assign(total=table.index == breadth_label(findings.quotients.columns))
    striking = table["z"].abs().where(~table["total"], np.inf).nlargest(_MOST_ROWS).index
    tested, table = len(table), table.loc[striking]
    table = table.sort_values(["total", "statistic"], ascending=[True, False], kind="stable")
    alpha = findings.study.choices.alpha
    figure, axes = _rows([wrapped(variable_name(findings, words, name), 34) for name in table.index])
    at = np.arange(len(table))
    axes.barh(at, table["high"] - table["low"], left=table["low"], height=0.5, color=NULL, zorder=1)
    axes.vlines(table["expected"], at - 0.25, at + 0.25, color="white", linewidth=1.2, zorder=2)
    significant = (table["p_value"] <= alpha).to_numpy()
    for chosen, face in ((significant, ACCENT), (~significant, "white")):
        axes.scatter(
            table["statistic"][chosen],
            at[chosen],
            s=34,
            facecolor=face,
            edgecolor=ACCENT,
            linewidth=1.3,
            zorder=3,
        )
    axes.axvline(0, color=MUTED, linewidth=0.6, zorder=0)
    reach = pd.concat([table["low"], table["high"], table["statistic"]])
    margin = 0.03 * (reach.max() - reach.min())
    axes.set_xlim(reach.min() - margin, reach.max() + margin)
    if table["total"].any() and len(table) > 1:
        axes.axhline(len(table) - 1.5, color=FAINT, linewidth=0.8)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.plain(value)))
    axes.set_xlabel(words("moran_i"))
    alternative = words(f"alternative_{table['alternative'].iloc[0]}")
    _column(axes, 0.55, words("p_column", alternative=alternative), table["p_value"].map(words.p_value))
    _column(axes, 1.55, words("p_adjusted_column"), table["p_adjusted"].map(words.p_value))
    note = words("moran_note", alpha=words.plain(alpha), n=int(table["n"].iloc[0]))
    headed(figure, words("moran_title"), f"{note} {_shown(table, tested, words)}".strip())
    return figure


def areas_plot(findings: Findings, words: Wording) -> Figure:
    """Rank of each region with the 5–95 % interval over the draws."""
    areas = findings.ranking.areas.head(_MOST_ROWS)
    names = findings.study.region_names(words.lang).loc[areas["region"]]
    figure, axes = _rows([wrapped(name, 34) for name in names])
    _ranks(axes, areas, len(findings.ranking.areas), words)
    _column(axes, 0.55, words("breadth"), areas["breadth"].map(words.whole))
    _column(axes, 1.55, words("p_top_column", top=3), areas["p_top3"].map(words.percent))
    shown = _shown(areas, len(findings.ranking.areas), words)
    headed(figure, words("areas_title"), f"{_rank_note(findings, words)} {shown}".strip())
    return figure


def candidates_plot(findings: Findings, words: Wording) -> Figure:
    """Rank of the best candidates with the 5–95 % interval over the draws."""
    candidates = findings.ranking.candidates.head(_MOST_CANDIDATES)
    regions = findings.study.region_names(words.lang).loc[candidates["region"]]
    sectors = findings.study.sector_names(words.lang).loc[candidates["sector"]]
    labels = [f"{wrapped(sector, 48)}\n{region}" for sector, region in zip(sectors, regions, strict=True)]
    figure, axes = _rows(labels)
    _ranks(axes, candidates, len(findings.ranking.candidates), words)
    _column(axes, 0.55, words("lq"), candidates["lq"].map(words.number))
    _column(axes, 1.55, words("p_top_column", top=10), candidates["p_top10"].map(words.percent))
    headed(figure, words("candidates_title", shown=len(candidates)), _rank_note(findings, words))
    return figure


def _rows(labels: Sequence[str]) -> tuple[Figure, Axes]:
    """A figure with one labelled row for each entry, the first on top, each as high as its label."""
    lines = max(label.count("\n") + 1 for label in labels)
    height = len(labels) * (0.17 + 0.11 * lines) + 1.6
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    axes = figure.add_subplot()
    axes.set_yticks(range(len(labels)), labels, fontsize=8.5, linespacing=1.1)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    bare(axes, "bottom")
    axes.grid(axis="x", color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)
    return figure, axes


def _ranks(axes: Axes, table: pd.DataFrame, ranked: int, words: Wording) -> None:
    at = np.arange(len(table))
    axes.hlines(at, table["rank_low"], table["rank_high"], color=NULL, linewidth=6, zorder=1)
    axes.scatter(table["rank"], at, s=34, color=ACCENT, zorder=2)
    axes.set_xlim(0.5, max(int(table["rank_high"].max()), 2) + 0.5)
    ticks = MaxNLocator(nbins=9, integer=True, steps=[1, 5, 10]).tick_values(0, table["rank_high"].max())
    axes.set_xticks(sorted({max(1, int(tick)) for tick in ticks if tick <= table["rank_high"].max()}))
    axes.set_xlabel(words("rank_axis", ranked=words.whole(ranked)))


def _rank_note(findings: Findings, words: Wording) -> str:
    return words("rank_note", draws=words.whole(findings.ranking.draws), varied=varied(findings, words))


def _shown(table: pd.DataFrame, total: int, words: Wording) -> str:
    """How many rows are drawn, if not all."""
    return words("shown", shown=len(table), total=words.whole(total)) if len(table) < total else ""


def _column(axes: Axes, inches: float, heading: str, texts: pd.Series) -> None:
    """Numbers under a heading, so far to the right of the rows."""
    place: dict[str, Any] = {
        "xycoords": axes.get_yaxis_transform(),
        "textcoords": "offset points",
        "xytext": (72 * inches, 0),
        "ha": "center",
    }
    axes.annotate(wrapped(heading, 13), (1, -0.75), va="bottom", fontsize=8, color=MUTED, **place)
    for at, text in enumerate(texts):
        axes.annotate(text, (1, at), va="center_baseline", fontsize=8.5, **place)
