"""Figures of change: slopes from the first to the last period, growth in parts, quotients over the years."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from spatialkz.change import quotients_by_period
from spatialkz.report.contents import Findings
from spatialkz.report.drawing.style import (
    ACCENT,
    FAINT,
    INK,
    MUTED,
    QUOTIENT_COLORS,
    bare,
    headed,
    matrix,
    name_cells,
    ruled,
    wrapped,
    written,
)
from spatialkz.report.sections.change import analysis, shown_sectors
from spatialkz.report.wording import Wording
from spatialkz.specialization import symmetric_quotient

_MOST_ROWS, _NAMED = 40, 3
_RISE, _FALL = ACCENT, "#dd7f45"
_TICKS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)


def slopes_plot(findings: Findings, words: Wording) -> Figure:
    """Quotient of each region in the first and the last period, a panel for each sector."""
    found = analysis(findings)
    table, sectors = found.change.to_frame(), shown_sectors(findings)
    figure = Figure(figsize=(1.0 + 3.0 * len(sectors), 5.2), layout="constrained")
    names = findings.study.region_names(words.lang)
    titles = findings.study.sector_names(words.lang)
    for axes, sector in zip(np.ravel(figure.subplots(1, len(sectors))), sectors, strict=True):
        pairs = pd.DataFrame(table.xs(sector, level="sector")[["lq_before", "lq_after"]])
        pairs = pairs.loc[(pairs["lq_before"] > 0) & (pairs["lq_after"] > 0)]
        ratio = pairs["lq_after"] / pairs["lq_before"]
        named = [*ratio.nlargest(_NAMED).index, *ratio.nsmallest(_NAMED).index]
        for region, (before, after) in zip(pairs.index, pairs.to_numpy(), strict=True):
            color = (_RISE if after >= before else _FALL) if region in named else FAINT
            width = 1.4 if region in named else 0.8
            axes.plot([0, 1], [before, after], color=color, linewidth=width, marker="o", markersize=2.5)
        _beside_line(axes, pairs.loc[list(dict.fromkeys(named)), "lq_after"], names)
        threshold = findings.study.choices.threshold
        axes.axhline(threshold, color=MUTED, linewidth=0.6, linestyle=(0, (4, 3)))
        axes.set_yscale("log")
        low, high = pairs.to_numpy().min() * 0.9, pairs.to_numpy().max() * 1.1
        axes.set_ylim(min(low, threshold * 0.9), max(high, threshold * 1.1))
        axes.yaxis.set_major_locator(FixedLocator(_TICKS))
        axes.yaxis.set_minor_locator(NullLocator())
        written(axes.yaxis, words.plain)
        axes.set_xticks([0, 1], [str(found.change.first), str(found.change.last)])
        axes.set_xlim(-0.05, 1.9)
        axes.set_title(wrapped(titles[sector], 26), fontsize=9, loc="left")
        bare(axes, "left")
    headed(figure, words("change_slopes_title"), words("change_slopes_note"))
    return figure


def _beside_line(axes: Axes, ends: pd.Series, names: pd.Series) -> None:
    """Name lines at their right end, apart from each other."""
    order = np.log(ends.sort_values())
    least = 0.055 * max(float(order.max() - order.min()), 1.0)
    heights: list[float] = []
    for value in order:
        heights.append(max(float(value), heights[-1] + least) if heights else float(value))
    for region, height in zip(order.index, heights, strict=True):
        axes.annotate(
            wrapped(names[region], 18), (1, float(ends[region])), (1.06, float(np.exp(height))),
            textcoords="data", fontsize=7.5, va="center", color=INK,
        )  # fmt: skip


def shift_share_plot(findings: Findings, words: Wording) -> Figure:
    """Growth beyond the country's in percent of the first period, by its sectors and by the region itself."""
    parts = analysis(findings).shares["classic"].by_region()
    shares = 100 * parts[["mix", "regional"]].div(parts["before"], axis=0)
    shares = shares.loc[shares.sum(axis=1).sort_values(ascending=False).index]
    if len(shares) > _MOST_ROWS:
        shares = pd.concat([shares.head(_MOST_ROWS // 2), shares.tail(_MOST_ROWS // 2)])
    figure = Figure(figsize=(7.4, 1.8 + 0.27 * len(shares)), layout="constrained")
    axes = figure.add_subplot()
    rows = np.arange(len(shares))
    for offset, (part, color) in enumerate((("mix", "#a5c7df"), ("regional", ACCENT))):
        label = words(f"change_{part}")
        axes.barh(rows + 0.19 * (2 * offset - 1), shares[part], height=0.36, color=color, label=label)
    total = shares.sum(axis=1)
    axes.plot(total, rows, linestyle="", marker="D", markersize=3.5, color=INK, label=words("change_sum"))
    axes.axvline(0, color=INK, linewidth=0.6)
    names = findings.study.region_names(words.lang).loc[shares.index]
    axes.set_yticks(rows, names, fontsize=8.5)
    axes.invert_yaxis()
    ruled(axes)
    written(axes.xaxis, lambda value: words("percent_form", amount=words.plain(value)))
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    national = parts["national"].sum() / parts["before"].sum()
    note = words("change_shares_note", national=words.percent(float(national)))
    headed(figure, words("change_shares_title"), note)
    return figure


def years_plot(findings: Findings, words: Wording) -> Figure:
    """Quotients over the periods, a matrix for each sector; the highest of the last period on top."""
    found, sectors = analysis(findings), shown_sectors(findings)
    tables = quotients_by_period(found.panel)
    periods = list(tables)[-24:]
    rows = len(found.panel.regions)
    figure = Figure(
        figsize=(2.0 + len(sectors) * (1.6 + 0.16 * len(periods)), 2.2 + 0.24 * min(rows, _MOST_ROWS)),
        layout="constrained",
    )
    threshold = findings.study.choices.threshold
    middle = TwoSlopeNorm((threshold - 1) / (threshold + 1), vmin=-1, vmax=1)
    names = findings.study.region_names(words.lang)
    titles = findings.study.sector_names(words.lang)
    for axes, sector in zip(np.ravel(figure.subplots(1, len(sectors))), sectors, strict=True):
        table = pd.DataFrame({period: tables[period][sector] for period in periods})
        order = table[periods[-1]].sort_values(ascending=False).index[:_MOST_ROWS]
        table = table.loc[order]
        matrix(axes, symmetric_quotient(table), QUOTIENT_COLORS, gap=0.4, norm=middle)
        step = max(1, len(periods) // 6)
        labels = [str(p) if (len(periods) - 1 - i) % step == 0 else "" for i, p in enumerate(periods)]
        name_cells(axes, names.loc[table.index], labels)
        for i, value in enumerate(table[periods[-1]]):
            axes.annotate(
                words.number(value), (1, i + 0.5), (3, 0), xycoords=axes.get_yaxis_transform(),
                textcoords="offset points", fontsize=7, va="center", color=MUTED,
            )  # fmt: skip
        axes.set_xlabel(wrapped(titles[sector], 26), fontsize=8.5)
    headed(figure, words("change_years_title"), words("change_years_note", last=str(periods[-1])))
    return figure
