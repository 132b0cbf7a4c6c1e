"""The heat map of location quotients."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from spatialkz.report.contents import Findings
from spatialkz.report.style import INK, MUTED, QUOTIENT_COLORS, bare, headed, wrapped
from spatialkz.report.wording import Wording
from spatialkz.specialization import symmetric_quotient

_CELL = (0.62, 0.29)  # inches
_MOST_ROWS, _MOST_COLUMNS = 40, 30


def quotients_plot(findings: Findings, words: Wording) -> Figure:
    """Location quotients, regions × sectors; the regions with most specializations on top."""
    study, threshold = findings.study, findings.study.choices.threshold
    groups = study.table.groups
    blocks = groups.map({group: place for place, group in enumerate(groups.unique())})
    columns = blocks.sort_values(kind="stable").index
    areas = findings.ranking.areas.sort_values(["breadth", "rank"], ascending=[False, True])
    rows = areas["region"].head(_MOST_ROWS)
    table = findings.quotients.loc[rows, columns[:_MOST_COLUMNS]]
    figure = Figure(
        figsize=(max(7.0, 3.2 + _CELL[0] * table.shape[1]), 3.0 + _CELL[1] * len(table)),
        layout="constrained",
    )
    axes = figure.add_subplot()
    _cells(axes, table, threshold, words)
    axes.set_yticks(np.arange(len(table)) + 0.5, list(study.region_names(words.lang).loc[rows]), fontsize=8.5)
    axes.set_xticks(
        np.arange(table.shape[1]) + 0.5,
        [wrapped(name, 25) for name in study.sector_names(words.lang).loc[table.columns]],
        rotation=45,
        ha="left",
        rotation_mode="anchor",
        multialignment="left",
        fontsize=8,
        linespacing=1.0,
    )
    axes.xaxis.tick_top()
    bare(axes)
    axes.tick_params(top=False, pad=3)
    _breadth_column(axes, areas.set_index("region").loc[rows, "breadth"], table.shape[1], words)
    _group_brackets(axes, groups.loc[table.columns], len(table), words)
    note = words("quotients_note", threshold=words.plain(threshold))
    if table.size < findings.quotients.size:
        note = f"{note} {words('shown', shown=table.size, total=words.whole(findings.quotients.size))}"
    headed(figure, words("quotients_title"), note)
    return figure


def _cells(axes: Axes, table: pd.DataFrame, threshold: float, words: Wording) -> None:
    colors = LinearSegmentedColormap.from_list("quotient", QUOTIENT_COLORS)
    scaled = symmetric_quotient(table).to_numpy()
    middle = (threshold - 1) / (threshold + 1)
    norm = TwoSlopeNorm(middle, vmin=-1, vmax=1)
    axes.pcolormesh(scaled, cmap=colors, norm=norm, edgecolor="white", linewidth=1.0)
    axes.invert_yaxis()
    for (i, j), value in np.ndenumerate(table.to_numpy()):
        special = value >= threshold
        axes.text(
            j + 0.5,
            i + 0.5,
            words.number(value),
            ha="center",
            va="center_baseline",
            fontsize=7.5,
            color=INK if special else "#444444",
            fontweight="bold" if special else "normal",
            in_layout=False,
        )
        if special:
            frame = Rectangle((j + 0.04, i + 0.06), 0.92, 0.88, fill=False, edgecolor=INK, linewidth=1.0)
            axes.add_patch(frame)


def _breadth_column(axes: Axes, counts: pd.Series, columns: int, words: Wording) -> None:
    """Number of specializations at the end of each row."""
    for i, count in enumerate(counts):
        axes.text(
            columns + 0.6, i + 0.5, words.whole(count), ha="center", va="center_baseline", fontweight="bold"
        )
    axes.text(
        columns + 0.6,
        -0.12,
        wrapped(words("breadth"), 25),
        rotation=45,
        rotation_mode="anchor",
        ha="left",
        va="center",
        fontsize=8,
        color=MUTED,
    )


def _group_brackets(axes: Axes, groups: pd.Series, rows: int, words: Wording) -> None:
    """Name the groups below their columns, unless there is only one."""
    if groups.nunique() == 1:
        return
    for group in groups.unique():
        members = np.flatnonzero(groups == group)
        first, last = members.min(), members.max()
        below = rows + 0.25
        axes.plot([first + 0.1, last + 0.9], [below, below], color=MUTED, linewidth=1.0, clip_on=False)
        axes.text(
            (first + last + 1) / 2,
            below + 0.2,
            words.label("group", group),
            ha="center",
            va="top",
            fontsize=8.5,
        )
