"""Growth points × sectors: what each is named for, and whether its region has it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from spatialkz.report.contents import Findings
from spatialkz.report.style import FAINT, INK, MUTED, bare, headed, wrapped
from spatialkz.report.wording import Wording

_CELL = (0.5, 0.3)  # inches
_MOST_ROWS = 40
# Light enough for dark numbers, and apart for color-blind readers.
STATUS_COLORS = {"matched": "#7fc4a8", "emerging": "#eedd88", "mismatched": "#ee9c80"}
# The part of the threshold from which a sector is emerging.
_EMERGING = 0.75


def growth_plot(findings: Findings, words: Wording) -> Figure:
    """Named cells with the quotient of the host region, by policy and in the order of the areas."""
    if findings.review is None or findings.review.growth is None:
        raise ValueError("There are no growth points to draw.")
    study, growth = findings.study, findings.review.growth
    rank = findings.ranking.areas.set_index("region")["rank"]
    points = growth.assign(order=growth["region"].map(rank))
    order = {policy: place for place, policy in enumerate(growth["policy"].unique())}
    sites = (
        points.assign(place=points["policy"].map(order))
        .sort_values(["place", "order", "site"], kind="stable")[["policy", "site", "region"]]
        .drop_duplicates()
        .reset_index(drop=True)
    )
    shown = sites.head(_MOST_ROWS)
    groups = study.table.groups
    blocks = groups.map({group: place for place, group in enumerate(groups.unique())})
    columns = {name: place for place, name in enumerate(blocks.sort_values(kind="stable").index)}
    figure = Figure(
        figsize=(4.9 + _CELL[0] * len(columns), 3.0 + _CELL[1] * len(shown)), layout="constrained"
    )
    axes = figure.add_subplot()
    rows = {tuple(site): row for row, site in enumerate(shown.itertuples(index=False))}
    unmapped = np.zeros(len(shown), dtype=int)
    named = points[["policy", "site", "region", "sector", "status", "lq"]].to_numpy()
    for *site, sector, status, lq in named:
        row = rows.get(tuple(site))
        if row is None:
            continue
        if pd.isna(sector):
            unmapped[row] += 1
            continue
        column = columns[sector]
        color = STATUS_COLORS[status]
        axes.add_patch(Rectangle((column + 0.03, row + 0.05), 0.94, 0.9, facecolor=color, linewidth=0))
        axes.text(
            column + 0.5, row + 0.5, words.number(lq), ha="center", va="center_baseline",
            fontsize=7.5, color=INK, in_layout=False,
        )  # fmt: skip
    for row, count in enumerate(unmapped):
        axes.text(
            len(columns) + 0.5, row + 0.5, words.whole(int(count)), ha="center", va="center_baseline",
            fontsize=8, color=MUTED, in_layout=False,
        )  # fmt: skip
    _frame(axes, shown, [*study.sector_names(words.lang).loc[list(columns)]], findings, words)
    threshold = study.choices.threshold
    told = {
        "matched": words("status_matched", threshold=words.plain(threshold)),
        "emerging": words("status_emerging", emerging=words.plain(_EMERGING * threshold)),
        "mismatched": words("status_mismatched"),
    }
    axes.legend(
        handles=[Patch(color=STATUS_COLORS[status], label=text) for status, text in told.items()],
        loc="upper left", bbox_to_anchor=(0, -0.01), ncols=3, frameon=False, fontsize=8,
        handlelength=1.2, borderaxespad=0.2,
    )  # fmt: skip
    note = words("growth_note")
    if len(shown) < len(sites):
        note += " " + words("shown", shown=len(shown), total=words.whole(len(sites)))
    headed(figure, words("growth_title"), note)
    return figure


def _frame(axes: Axes, shown: pd.DataFrame, names: list[str], findings: Findings, words: Wording) -> None:
    """Names of rows and columns, and a line between the policies."""
    regions = findings.study.region_names(words.lang).loc[shown["region"]]
    labels = [
        f"{site}\N{NO-BREAK SPACE}– {region}" for site, region in zip(shown["site"], regions, strict=True)
    ]
    axes.set_yticks(np.arange(len(shown)) + 0.5, [wrapped(label, 52) for label in labels], fontsize=8)
    axes.set_xticks(
        np.arange(len(names) + 1) + 0.5,
        [wrapped(name, 25) for name in [*names, words("not_mappable")]],
        rotation=45, ha="left", rotation_mode="anchor", multialignment="left", fontsize=8, linespacing=1.0,
    )  # fmt: skip
    axes.xaxis.tick_top()
    axes.get_xticklabels()[-1].set_color(MUTED)
    axes.set_xlim(0, len(names) + 1)
    axes.set_ylim(len(shown), 0)
    for line in range(len(shown) + 1):
        axes.axhline(line, color=FAINT, linewidth=0.5, zorder=0)
    policies = shown["policy"].to_numpy()
    for policy in dict.fromkeys(policies):
        held = np.flatnonzero(policies == policy)
        if held[0]:
            axes.axhline(held[0], color=INK, linewidth=0.9)
        axes.text(
            len(names) + 1.15, held.mean() + 0.5, wrapped(words.label("policy", policy), 22), rotation=-90,
            ha="left", va="center", fontsize=8.5, color=MUTED,
        )  # fmt: skip
    bare(axes)
    axes.tick_params(top=False, pad=3)
