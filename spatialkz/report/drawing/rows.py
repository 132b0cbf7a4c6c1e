"""Figures with a row for each region, candidate or variable: matrices of numbers, and dots with intervals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import MaxNLocator

from spatialkz.candidates import AREA_EVIDENCE, CANDIDATE_EVIDENCE
from spatialkz.report.contents import Findings
from spatialkz.report.drawing.style import (
    ACCENT,
    COUNT_COLORS,
    FAINT,
    INK,
    MUTED,
    NULL,
    QUOTIENT_COLORS,
    beside,
    headed,
    matrix,
    name_cells,
    ruled,
    wrapped,
    written,
)
from spatialkz.report.sections.prerequisites import pair_names, strongest, worst_regions
from spatialkz.report.sections.quotients import variable_name
from spatialkz.report.sections.ranking import candidate_names, shift_name, stars, varied
from spatialkz.report.wording import Wording
from spatialkz.specialization import breadth_label, symmetric_quotient

# Width and height of a cell, in inches.
_QUOTIENT, _EVIDENCE, _GROWTH = (0.62, 0.29), (0.72, 0.27), (0.5, 0.3)
_MOST_ROWS, _MOST_COLUMNS, _MOST_CANDIDATES = 40, 30, 20
_DARK = 0.6  # place from which the color wants light numbers
# Light enough for dark numbers, and apart for color-blind readers.
STATUS_COLORS = {"matched": "#7fc4a8", "emerging": "#eedd88", "mismatched": "#ee9c80"}
# The part of the threshold from which a sector is emerging.
_EMERGING = 0.75


def quotients_plot(findings: Findings, words: Wording) -> Figure:
    """Location quotients, regions × sectors; the regions with most specializations on top."""
    study, threshold = findings.study, findings.study.choices.threshold
    groups, columns = study.table.groups, _by_group(study.table.groups)
    areas = findings.ranking.areas.sort_values(["breadth", "rank"], ascending=[False, True])
    rows = areas["region"].head(_MOST_ROWS)
    table = findings.quotients.loc[rows, columns[:_MOST_COLUMNS]]
    figure = Figure(
        figsize=(max(7.0, 3.2 + _QUOTIENT[0] * table.shape[1]), 3.0 + _QUOTIENT[1] * len(table)),
        layout="constrained",
    )
    axes = figure.add_subplot()
    _cells(axes, table, threshold, words)
    sectors = study.sector_names(words.lang).loc[table.columns]
    name_cells(axes, study.region_names(words.lang).loc[rows], sectors)
    _breadth_column(axes, areas.set_index("region").loc[rows, "breadth"], table.shape[1], words)
    _group_brackets(axes, groups.loc[table.columns], len(table), words)
    note = words("quotients_note", threshold=words.plain(threshold))
    if table.size < findings.quotients.size:
        note = f"{note} {words('shown', shown=table.size, total=words.whole(findings.quotients.size))}"
    headed(figure, words("quotients_title"), note)
    return figure


def _cells(axes: Axes, table: pd.DataFrame, threshold: float, words: Wording) -> None:
    middle = TwoSlopeNorm((threshold - 1) / (threshold + 1), vmin=-1, vmax=1)
    matrix(axes, symmetric_quotient(table), QUOTIENT_COLORS, norm=middle)
    for (i, j), value in np.ndenumerate(table.to_numpy()):
        special = value >= threshold
        look = {"color": INK, "fontweight": "bold"} if special else {"color": "#444444"}
        _number(axes, i, j + 0.5, words.number(value), **look)
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
        columns + 0.6, -0.12, wrapped(words("breadth"), 25), rotation=45, rotation_mode="anchor",
        ha="left", va="center", fontsize=8, color=MUTED,
    )  # fmt: skip


def _group_brackets(axes: Axes, groups: pd.Series, rows: int, words: Wording) -> None:
    """Name the groups below their columns, unless there is only one."""
    if groups.nunique() == 1:
        return
    for group in groups.unique():
        members = np.flatnonzero(groups == group)
        first, last = members.min(), members.max()
        below = rows + 0.25
        axes.plot([first + 0.1, last + 0.9], [below, below], color=MUTED, linewidth=1.0, clip_on=False)
        middle = (first + last + 1) / 2
        axes.text(middle, below + 0.2, words.label("group", group), ha="center", va="top", fontsize=8.5)


def area_evidence_plot(findings: Findings, words: Wording) -> Figure:
    """Areas that are ranked × evidence in rank order."""
    areas = findings.ranking.areas.dropna(subset="score")
    names = findings.study.region_names(words.lang).loc[areas["region"].head(_MOST_ROWS)]
    return _evidence(areas, AREA_EVIDENCE, list(names), words("evidence_areas_title"), words)


def candidate_evidence_plot(findings: Findings, words: Wording) -> Figure:
    """The first candidates × evidence in rank order."""
    found = findings.ranking.candidates
    labels = candidate_names(findings, words, found.head(_MOST_CANDIDATES))
    title = words("evidence_candidates_title", shown=len(labels))
    return _evidence(found, CANDIDATE_EVIDENCE, labels, title, words)


def _evidence(
    ranked: pd.DataFrame, evidence: Iterable[str], labels: Sequence[str], title: str, words: Wording
) -> Figure:
    """The first rows of a ranking; colors are places among all rows."""
    table = ranked[[name for name in evidence if name in ranked]]
    place = ((table.rank() - 1) / max(len(table) - 1, 1)).head(len(labels)).to_numpy()
    height, width = place.shape
    longest = max(map(len, labels))
    size = (1.6 + 0.075 * longest + _EVIDENCE[0] * width, 2.2 + _EVIDENCE[1] * height)
    figure = Figure(figsize=(max(size[0], 6.4), size[1]), layout="constrained")
    axes = figure.add_subplot()
    matrix(axes, place, ("#ffffff", *COUNT_COLORS), vmin=0, vmax=1)
    scores = ranked["score"].head(height)
    for i, row in enumerate(table.head(height).to_numpy()):
        for j, value in enumerate(row):
            color = "white" if place[i, j] >= _DARK else INK
            _number(axes, i, j + 0.5, words.number(value), color=color)
        _number(axes, i, width + 0.5, words.number(scores.iloc[i], 3), fontweight="bold")
    axes.set_xlim(0, width + 1)
    headings = [*(words(f"evidence_{name}") for name in table), words("score")]
    name_cells(axes, labels, headings, width=18)
    axes.get_xticklabels()[-1].set_color(MUTED)
    note = words("evidence_note", total=words.whole(len(ranked)))
    if height < len(ranked):
        note += " " + words("shown", shown=height, total=words.whole(len(ranked)))
    headed(figure, title, note)
    return figure


def _by_group(groups: pd.Series) -> pd.Index:
    """Sectors group by group, in the order of the table."""
    places = groups.map({group: place for place, group in enumerate(groups.unique())})
    return places.sort_values(kind="stable").index


def _number(axes: Axes, row: int, at: float, text: str, **style: Any) -> None:
    look: dict[str, Any] = {"ha": "center", "va": "center_baseline", "fontsize": 7.5, "in_layout": False}
    axes.text(at, row + 0.5, text, **{**look, **style})


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
    columns = {name: place for place, name in enumerate(_by_group(study.table.groups))}
    size = (4.9 + _GROWTH[0] * len(columns), 3.0 + _GROWTH[1] * len(shown))
    figure = Figure(figsize=size, layout="constrained")
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
        _number(axes, row, column + 0.5, words.number(lq), color=INK)
    for row, count in enumerate(unmapped):
        _number(axes, row, len(columns) + 0.5, words.whole(int(count)), color=MUTED, fontsize=8)
    _name_points(axes, shown, [*study.sector_names(words.lang).loc[list(columns)]], findings, words)
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


def _name_points(
    axes: Axes, shown: pd.DataFrame, names: list[str], findings: Findings, words: Wording
) -> None:
    """Names of rows and columns, and a line between the policies."""
    regions = findings.study.region_names(words.lang).loc[shown["region"]]
    labels = [
        f"{site}\N{NO-BREAK SPACE}– {region}" for site, region in zip(shown["site"], regions, strict=True)
    ]
    name_cells(axes, [wrapped(label, 52) for label in labels], [*names, words("not_mappable")])
    axes.tick_params(axis="y", labelsize=8)
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


_WIDTH = 8.6  # inches
_MOST_ROWS, _MOST_CANDIDATES = 40, 20
_SHIFT = 0.23  # inches for each choice
_STAR_LQ = 2.0  # quotient that earns the star for specialization


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
            table["statistic"][chosen], at[chosen], s=34, facecolor=face, edgecolor=ACCENT,
            linewidth=1.3, zorder=3,
        )  # fmt: skip
    axes.axvline(0, color=MUTED, linewidth=0.6, zorder=0)
    reach = pd.concat([table["low"], table["high"], table["statistic"]])
    margin = 0.03 * (reach.max() - reach.min())
    axes.set_xlim(reach.min() - margin, reach.max() + margin)
    if table["total"].any() and len(table) > 1:
        axes.axhline(len(table) - 1.5, color=FAINT, linewidth=0.8)
    written(axes.xaxis, words.plain)
    axes.set_xlabel(words("moran_i"))
    alternative = words(f"alternative_{table['alternative'].iloc[0]}")
    _column(axes, 0.55, words("p_column", alternative=alternative), table["p_value"].map(words.p_value))
    _column(axes, 1.55, words("p_adjusted_column"), table["p_adjusted"].map(words.p_value))
    note = words("moran_note", alpha=words.plain(alpha), n=int(table["n"].iloc[0]))
    headed(figure, words("moran_title"), f"{note} {_shown(table, tested, words)}".strip())
    return figure


def areas_plot(findings: Findings, words: Wording) -> Figure:
    """Median rank of each region with the 5–95 % interval over the draws, the tiers apart."""
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
    """Median rank of the first candidates with the 5–95 % interval over the draws, the tiers apart."""
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


def prerequisites_plot(findings: Findings, words: Wording) -> Figure:
    """Slope and interval of the pairs with the smallest p-values, and the region that each rests on most."""
    found = findings.prerequisites
    if found is None:
        raise ValueError("There are no prerequisites to draw.")
    table = strongest(found)
    figure, axes = _rows([wrapped(name, 44) for name in pair_names(findings, words, table.index)])
    figure.set_figwidth(_WIDTH + 1.6)
    at = np.arange(len(table))
    ends = table[["slope", "low", "high"]].to_numpy()
    reach = np.append(ends[np.isfinite(ends)], 0.0)
    margin = 0.03 * np.ptp(reach)
    low, high = float(reach.min() - margin), float(reach.max() + margin)
    # An interval without an end runs out of the figure.
    left, right = np.maximum(ends[:, 1], low - 1), np.minimum(ends[:, 2], high + 1)
    axes.hlines(at, left, right, color=NULL, linewidth=5)
    supported = table["label"] == "supported"
    for chosen, face in ((supported, ACCENT), (~supported, "white")):
        axes.scatter(
            table["slope"][chosen], at[chosen], s=30, facecolor=face, edgecolor=ACCENT,
            linewidth=1.2, zorder=3,
        )  # fmt: skip
    axes.axvline(0, color=MUTED, linewidth=0.6, zorder=0)
    axes.set_xlim(low, high)
    written(axes.xaxis, words.plain)
    axes.set_xlabel(words("slope"))
    without = table["worst_p"].map(lambda p: "" if np.isnan(p) else words.p_value(p))
    regions = [wrapped(name, 24) for name in worst_regions(findings, words, table)]
    _column(axes, 0.35, "p", table["p_value"].map(words.p_value))
    _column(axes, 1.15, words("p_robust_column"), table["p_robust"].map(words.p_value))
    _column(axes, 2.05, words("p_worst_column"), without)
    _column(axes, 3.2, words("worst_region"), pd.Series(regions))
    note = words("prerequisites_plot_note", alpha=words.plain(found.test.alpha))
    tested = int((found.to_frame()["label"] != "same activity").sum())
    headed(figure, words("prerequisites_plot_title"), f"{note} {_shown(table, tested, words)}".strip())
    return figure


def _rows(labels: Sequence[str]) -> tuple[Figure, Axes]:
    """A figure with one labelled row for each entry, the first on top, each as high as its label."""
    lines = max(label.count("\n") + 1 for label in labels)
    height = len(labels) * (0.17 + 0.11 * lines) + 1.6
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    axes = figure.add_subplot()
    axes.set_yticks(range(len(labels)), labels, fontsize=8.5, linespacing=1.1)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    ruled(axes)
    return figure, axes


def _ranks(axes: Axes, table: pd.DataFrame, ranked: int, words: Wording) -> None:
    at = np.arange(len(table))
    axes.hlines(at, table["rank_low"], table["rank_high"], color=NULL, linewidth=6, zorder=1)
    axes.scatter(table["rank"], at, s=34, color=ACCENT, zorder=2)
    for last in np.flatnonzero(table["rank_tier"].diff().shift(-1) > 0):
        axes.axhline(last + 0.5, color=FAINT, linewidth=0.8, zorder=0)
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
    beside(axes, -0.75, wrapped(heading, 13), 72 * inches, ha="center", va="bottom", fontsize=8, color=MUTED)
    for at, text in enumerate(texts):
        beside(axes, at, text, 72 * inches, ha="center")


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
    figure = Figure(figsize=(_WIDTH, 1.9 + _SHIFT * sum(rows)), layout="constrained")
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
    ruled(axes)
    written(axes.xaxis, words.plain)
    for row, shift in enumerate(table["mean_shift"]):
        beside(axes, row, words.number(shift), fontsize=8)


def stars_plot(findings: Findings, words: Wording) -> Figure:
    """Bounds of the three measures behind the stars of the first candidates, in rank order."""
    found = findings.ranking.candidates.head(_MOST_CANDIDATES)
    labels = candidate_names(findings, words, found)
    width = 6.4 + 0.07 * max(map(len, labels))
    figure = Figure(figsize=(width, 2.2 + 0.27 * len(found)), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    measures = (("share", words("size")), ("lq", words("specialization_axis")), ("focus", words("focus")))
    for axes, (name, heading) in zip(panels, measures, strict=True):
        _bounds(axes, found[f"{name}_low"], found[f"{name}_high"])
        ruled(axes)
        axes.set_xlabel(wrapped(heading, 24), fontsize=8)
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.set_xlim(left=0)
        written(axes.xaxis, words.plain if name == "lq" else words.percent)
    panels[1].axvline(_STAR_LQ, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
    panels[0].set_yticks(range(len(found)), labels, fontsize=8.5)
    panels[0].set_ylim(len(found) - 0.4, -0.6)
    _column(panels[2], 40 / 72, words("stars"), pd.Series(stars(found)))
    note, shown = words("stars_note"), _shown(found, len(findings.ranking.candidates), words)
    headed(figure, words("stars_title", shown=len(found)), f"{note} {shown}".strip())
    return figure


def _bounds(axes: Axes, low: pd.Series, high: pd.Series) -> None:
    """A bar between the bounds, and a dot where they are as good as one."""
    at = np.arange(len(low))
    axes.hlines(at, low, high, color=NULL, linewidth=6, zorder=1)
    known = ((high - low) <= 0.02 * high.max()).to_numpy()
    middle = (low + high) / 2
    axes.scatter(middle[known], at[known], s=26, color=ACCENT, zorder=2)
