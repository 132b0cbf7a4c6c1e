"""Figures of the focal test: breadth against its null, models, influence, power, and the multiverse."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator

from spatialkz.focal import FamilyFindings, FocalTest
from spatialkz.focal.models.reach import STRONG
from spatialkz.report.contents import Findings
from spatialkz.report.drawing.style import (
    ACCENT,
    FAINT,
    INK,
    MUTED,
    NULL,
    bare,
    beside,
    headed,
    matrix,
    ruled,
    wrapped,
    written,
)
from spatialkz.report.sections.focal import choices, dropped_name, family_name
from spatialkz.report.wording import Wording

_WIDTH = 8.6  # inches
_MOST_FAMILIES = 4
_MOST_ROWS = 40
_NAMED = 3
_COLORS = {"focal": ACCENT, "belt": "#dd7f45", "dispersed": "#8a8a8a"}
_OTHERS = {"sector belts": "#a678b4", "mixed": "#4f9a6b", "undecided": "#d2d2d2"}
_BINS = 480  # shades from left to right; more than that no eye and no printer tells apart


def breadth_plot(findings: Findings, words: Wording) -> Figure:
    """Breadth of the regions in falling order, against the order statistics of the null."""
    test, names = _of(findings), findings.study.region_names(words.lang)
    figure, panels = _panels(test, height=3.5)
    for axes, (family, found) in zip(panels, _shown(test), strict=True):
        envelope, regions = found.colocation.envelope, found.colocation.regions["breadth"]
        breadth, high = envelope["breadth"], envelope["high"]
        wide = max(0.6, 100 / len(envelope))
        # A little longer than the interval, which may be a single number.
        margin = 0.012 * max(1.0, breadth.max())
        axes.vlines(envelope.index, envelope["low"] - margin, high + margin, color=NULL, linewidth=wide)
        axes.plot(envelope.index, breadth, "o", color=ACCENT, markersize=3.5)
        for rank, region in enumerate(regions.sort_values(ascending=False, kind="stable").index[:_NAMED], 1):
            if breadth[rank] > high[rank]:
                place = (rank, breadth[rank])
                axes.annotate(
                    names[region], place, (5, 0), textcoords="offset points", va="center", fontsize=7.5
                )
        row = found.row()
        axes.set_title(
            f"{wrapped(family_name(family, words), 22)}\nV = {words.number(row['variance_ratio'])}, "
            f"{words.equation('p', row['colocation_p'])}",
            fontsize=9,
        )
        bare(axes, "left", "bottom")
        axes.set_ylim(bottom=-0.3)
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.set_xlabel(words("focal_rank_axis"))
    panels[0].set_ylabel(words("breadth"))
    headed(figure, words("focal_breadth_title"), words("focal_breadth_note"))
    return figure


def models_plot(findings: Findings, words: Wording) -> Figure:
    """Posterior probability of shape and place with their errors, and how well models are recognized."""
    test = _of(findings)
    compared = {name: found.models for name, found in test.families.items() if found.models is not None}
    figure = Figure(figsize=(_WIDTH, 2.5 + 0.42 * max(3, len(compared))), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.15])
    labels = [wrapped(family_name(name, words), 18) for name in compared]
    questions = {"shape": ("spikes", ACCENT), "place": ("contiguous", _COLORS["belt"])}
    for place, choice in enumerate(compared.values()):
        for offset, (question, (answer, color)) in zip((-0.15, 0.15), questions.items(), strict=True):
            p, error = getattr(choice, question).loc[answer, ["posterior", "error"]]
            left.errorbar(
                p, place + offset, xerr=[[min(2 * error, p)], [min(2 * error, 1 - p)]], fmt="o",
                color=color, markersize=5, elinewidth=1.2, clip_on=False,
                label=words(f"question_{question}") if not place else None,
            )  # fmt: skip
    left.set_yticks(range(len(labels)), labels)
    left.set_ylim(len(labels) - 0.45, -0.55)
    for strong in (1 - STRONG, STRONG):
        left.axvline(strong, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
    _shares(left, words)
    left.set_xlabel(words("posterior_axis"))
    left.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False, handletextpad=0.2)
    first = next(iter(compared))
    _confusion(right, compared[first].confusion, words)
    right.set_title(words("confusion_title", family=family_name(first, words)), fontsize=9)
    note = words("focal_models_note", simulations=words.whole(compared[first].simulations))
    headed(figure, words("focal_models_title"), note)
    return figure


def influence_plot(findings: Findings, words: Wording) -> Figure:
    """p-value of the co-location test without each region and each sector."""
    test = _of(findings)
    families = [family for family, _ in _shown(test) if family in test.influence]
    tables = {family: test.influence[family].to_frame() for family in families}
    first = tables[families[0]]["colocation_p"]
    single = first[~first.index.get_level_values("kind").isin(["none", "pair"])]
    # The deletions that move the p-value of the first family most, regions above sectors.
    moved = np.log(single / first.iloc[0]).abs()
    rows = moved.index[(moved.rank(ascending=False, method="first") <= _MOST_ROWS).to_numpy()]
    figure = Figure(figsize=(_WIDTH, 1.9 + 0.2 * len(rows)), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(families), sharey=True, sharex=True))
    for axes, family in zip(panels, families, strict=True):
        table = tables[family]
        p, changes = table["colocation_p"].reindex(rows), table["changes"].reindex(rows).fillna("")
        at = np.arange(len(rows))
        turns = changes.str.contains("colocation").to_numpy()
        axes.axvline(table["colocation_p"].iloc[0], color=NULL, linewidth=4, zorder=0)
        axes.axvline(test.alpha, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
        axes.scatter(
            p[~turns], at[~turns], s=16, facecolor="white", edgecolor=ACCENT, linewidth=1.1, zorder=2
        )
        axes.scatter(p[turns], at[turns], s=22, color=ACCENT, zorder=3)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(numticks=3))
        axes.minorticks_off()
        written(axes.xaxis, words.plain)
        axes.set_title(wrapped(family_name(family, words), 20), fontsize=9)
        axes.set_xlabel("p")
        axes.grid(axis="y", color=FAINT, linewidth=0.5)
        axes.set_axisbelow(True)
        bare(axes, "bottom")
    names = [wrapped(dropped_name(findings, name, words), 34) for _, name in rows]
    panels[0].set_yticks(range(len(rows)), names, fontsize=7.5, linespacing=0.95)
    panels[0].set_ylim(len(rows) - 0.4, -0.6)
    kinds = np.array([kind for kind, _ in rows])
    for axes in panels:
        for edge in np.flatnonzero(kinds[1:] != kinds[:-1]) + 0.5:
            axes.axhline(edge, color=MUTED, linewidth=0.6)
    note = words("focal_influence_note", alpha=words.plain(test.alpha))
    headed(figure, words("focal_influence_title"), note)
    return figure


def power_plot(findings: Findings, words: Wording) -> Figure:
    """Power of Moran's test by the strength of dependence, and what each test finds of simulated tables."""
    test = _of(findings)
    if findings.detectable is None:
        raise ValueError("There is no power to draw.")
    power = findings.detectable.power
    curve = power.to_frame()["power"]
    first, models = next(
        (name, found.models) for name, found in test.families.items() if found.models is not None
    )
    known = {words(f"found_{part}"): share for part, share in models.power.to_dict().items()}
    figure = Figure(figsize=(_WIDTH, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1.5, 1])
    left.plot(curve.index, curve, color=ACCENT, linewidth=1.6)
    left.axhline(STRONG, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
    left.axhline(test.alpha, color=FAINT, linewidth=0.8)
    reached = [found for found in power.detectable.values() if found is not None]
    left.plot(reached, [power.target] * len(reached), "o", color=ACCENT, markersize=5)
    for found in reached:
        aside, side = (-6, "right") if found > 0 else (6, "left")
        text, at = f"ρ = {words.number(found)}", (found, power.target)
        left.annotate(text, at, (aside, 7), textcoords="offset points", ha=side, fontsize=8)
    left.set_xlim(-1, 1)
    left.set_ylim(0, 1.02)
    written(left.xaxis, words.plain)
    written(left.yaxis, words.percent)
    left.set_xlabel(words("rho_axis"))
    left.set_title(words("power_of_moran"), fontsize=9)
    bare(left, "left", "bottom")
    right.barh(range(len(known)), list(known.values()), height=0.5, color=NULL)
    for place, share in enumerate(known.values()):
        right.text(0.02, place, words.percent(share), va="center", fontsize=8, color=INK)
    right.axvline(STRONG, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
    right.set_yticks(range(len(known)), [wrapped(name, 18) for name in known])
    right.set_ylim(max(len(known), 1) - 0.45, -0.55)
    _shares(right, words)
    right.set_title(words("power_of_colocation", family=family_name(first, words)), fontsize=9)
    headed(figure, words("focal_power_title"), words("focal_power_note", alpha=words.plain(test.alpha)))
    return figure


def _of(findings: Findings) -> FocalTest:
    if findings.focal is None:
        raise ValueError("There is no focal test to draw.")
    return findings.focal


def _shown(test: FocalTest) -> list[tuple[str, FamilyFindings]]:
    """The families that have a panel; those that cannot be tested have none."""
    return [item for item in test.families.items() if not item[1].colocation.reason][:_MOST_FAMILIES]


def _panels(test: FocalTest, height: float) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    return figure, list(np.atleast_1d(figure.subplots(1, len(_shown(test)))))


def _shares(axes: Axes, words: Wording) -> None:
    """A horizontal axis of probabilities."""
    axes.set_xlim(0, 1)
    written(axes.xaxis, words.plain)
    ruled(axes)


def _confusion(axes: Axes, table: pd.DataFrame, words: Wording) -> None:
    matrix(axes, table, ("#ffffff", "#a5c7df"), gap=1.5, vmin=0, vmax=1)
    for row, shares in enumerate(table.to_numpy()):
        for column, share in enumerate(shares):
            axes.text(column + 0.5, row + 0.5, words.percent(share), ha="center", va="center", fontsize=8.5)
    names = [wrapped(words(f"model_{model}"), 9) for model in table.index]
    middle = np.arange(len(names)) + 0.5
    axes.set_xticks(middle, names, fontsize=6.5)
    axes.set_yticks(middle, names, fontsize=7)
    axes.set_xlabel(words("model_chosen"))
    axes.set_ylabel(words("model_true"))
    bare(axes)


def specification_plot(findings: Findings, words: Wording) -> Figure:
    """Standardized effects in rising order, and below them the choices behind each."""
    if findings.focal is None or findings.focal.multiverse is None:
        raise ValueError("There is no multiverse to draw.")
    many = findings.focal.multiverse
    table = many.table[many.table["reason"] == ""].sort_values(
        ["colocation_z", "contiguity_z"], kind="stable"
    )
    at = np.arange(len(table))
    figure = Figure(figsize=(_WIDTH, 8.4), layout="constrained")
    top, middle, below = figure.subplots(3, 1, height_ratios=[1.3, 0.8, 2.4], sharex=True)
    # Thousands of dots: as a picture inside the drawing, or the file would be as large as the rest together.
    for verdict, color in {**_COLORS, **_OTHERS}.items():
        chosen = (table["verdict"] == verdict).to_numpy()
        if verdict in _OTHERS and not chosen.any():
            continue
        top.scatter(at[chosen], table["colocation_z"][chosen], s=4, color=color, linewidth=0, rasterized=True)
        share = words.percent(float((many.table["verdict"] == verdict).mean()))
        top.plot([], [], "o", color=color, markersize=5, label=f"{words(f'verdict_{verdict}')} {share}")
    top.legend(loc="upper left", frameon=False, handletextpad=0.2)
    top.set_ylabel(words("colocation_z"))
    clear = (table["contiguity_p"] <= many.alpha).to_numpy()
    for chosen, color in ((~clear, "#c4c4c4"), (clear, ACCENT)):
        z = table["contiguity_z"][chosen]
        middle.scatter(at[chosen], z, s=3, color=color, linewidth=0, rasterized=True)
    middle.set_ylabel(words("contiguity_z"))
    for axes in (top, middle):
        axes.axhline(0, color=MUTED, linewidth=0.6)
        written(axes.yaxis, words.plain)
        axes.grid(axis="y", color=FAINT, linewidth=0.5)
        axes.set_axisbelow(True)
        bare(axes, "left")
    rows = choices(many, findings, words)
    made = np.stack([mask.loc[table.index].to_numpy() for _, _, mask in rows]).astype(float)
    edges = np.linspace(0, len(table), min(len(table), _BINS) + 1).astype(int)
    shade = np.add.reduceat(made, edges[:-1], axis=1) / np.diff(edges)
    below.imshow(
        shade, aspect="auto", vmin=0, vmax=1, interpolation="nearest",
        cmap=LinearSegmentedColormap.from_list("made", ["#ffffff", ACCENT]),
        extent=(-0.5, len(table) - 0.5, len(rows) - 0.5, -0.5),
    )  # fmt: skip
    below.set_yticks(range(len(rows)), [value for _, value, _ in rows], fontsize=7.5)
    for place in range(len(rows) - 1):
        apart = rows[place][0] != rows[place + 1][0]
        below.axhline(place + 0.5, color=MUTED if apart else "white", linewidth=0.8 if apart else 1.5)
    for place, (_, _, mask) in enumerate(rows):
        part = float((many.table.loc[mask, "verdict"] == "focal").mean())
        beside(below, place, words.percent(part), fontsize=7.5)
    beside(below, -0.7, words("verdict_focal"), va="bottom", fontsize=7.5, color=MUTED)
    bare(below, "bottom")
    written(below.xaxis, lambda value: words.whole(int(value)))
    below.set_xlabel(words("specifications"))
    left_out = len(many.table) - len(table)
    note = words("focal_curve_note", alpha=words.plain(many.alpha))
    if left_out:
        note += " " + words("focal_curve_left", count=words.whole(left_out))
    headed(figure, words("focal_curve_title", count=words.whole(len(many.table))), note)
    return figure
