"""Figures of the focal test: breadth against its null, models, influence, and power."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator

from spatialkz.focal import FamilyFindings, FocalTest
from spatialkz.focal.models.choice import MODELS
from spatialkz.report.contents import Findings
from spatialkz.report.focal_answers import dropped_name, family_name
from spatialkz.report.style import ACCENT, FAINT, INK, MUTED, NULL, bare, headed, wrapped
from spatialkz.report.wording import Wording
from spatialkz.spatial import moran_power

_WIDTH = 8.6  # inches
_MOST_FAMILIES = 4
_MOST_ROWS = 40
_NAMED = 3
MODEL_COLORS = {"focal": ACCENT, "belt": "#dd7f45", "dispersed": "#8a8a8a"}
_STRONG = 0.8


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
    """Posterior probability of each model with its Monte-Carlo error, and how well models are recognized."""
    test = _of(findings)
    compared = {name: found.models for name, found in test.families.items() if found.models is not None}
    figure = Figure(figsize=(_WIDTH, 2.3 + 0.42 * max(3, len(compared))), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1.55, 1])
    labels = [wrapped(family_name(name, words), 18) for name in compared]
    for place, choice in enumerate(compared.values()):
        for offset, model in zip((-0.22, 0, 0.22), MODELS, strict=True):
            left.errorbar(
                choice.posterior[model],
                place + offset,
                xerr=2 * choice.error[model],
                fmt="o",
                color=MODEL_COLORS[model],
                markersize=5,
                elinewidth=1.2,
                clip_on=False,
                label=words(f"verdict_{model}") if not place else None,
            )
    left.set_yticks(range(len(labels)), labels)
    left.set_ylim(len(labels) - 0.45, -0.55)
    left.axvline(_STRONG, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
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
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.plain(value)))
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
    """Power of Moran's test by the strength of dependence, and of the co-location test by family."""
    test = _of(findings)
    rho = np.linspace(-0.95, 0.95, 39)
    power = moran_power(findings.study.graph, rho, alpha=test.alpha)
    known = {
        name: found.colocation_power
        for name, found in test.families.items()
        if found.colocation_power is not None
    }
    figure = Figure(figsize=(_WIDTH, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1.5, 1])
    left.plot(rho, power.to_frame()["power"], color=ACCENT, linewidth=1.6)
    left.axhline(_STRONG, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
    left.axhline(test.alpha, color=FAINT, linewidth=0.8)
    reached = [found for found in power.detectable.values() if found is not None]
    left.plot(reached, [power.target] * len(reached), "o", color=ACCENT, markersize=5)
    for found in reached:
        left.annotate(
            f"ρ = {words.number(found)}",
            (found, power.target),
            (-6 if found > 0 else 6, 7),
            textcoords="offset points",
            ha="right" if found > 0 else "left",
            fontsize=8,
        )
    left.set_xlim(-1, 1)
    left.set_ylim(0, 1.02)
    left.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.plain(value)))
    left.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.percent(value)))
    left.set_xlabel(words("rho_axis"))
    left.set_title(words("power_of_moran"), fontsize=9)
    bare(left, "left", "bottom")
    right.barh(range(len(known)), list(known.values()), height=0.5, color=NULL)
    for place, share in enumerate(known.values()):
        right.text(0.02, place, words.percent(share), va="center", fontsize=8, color=INK)
    right.axvline(_STRONG, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
    right.set_yticks(range(len(known)), [wrapped(family_name(name, words), 18) for name in known])
    right.set_ylim(max(len(known), 1) - 0.45, -0.55)
    _shares(right, words)
    right.set_title(words("power_of_colocation"), fontsize=9)
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
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.plain(value)))
    axes.grid(axis="x", color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)
    bare(axes, "bottom")


def _confusion(axes: Axes, table: pd.DataFrame, words: Wording) -> None:
    colors = LinearSegmentedColormap.from_list("shares", ["#ffffff", "#a5c7df"])
    axes.pcolormesh(table.to_numpy(), cmap=colors, vmin=0, vmax=1, edgecolor="white", linewidth=1.5)
    for row, shares in enumerate(table.to_numpy()):
        for column, share in enumerate(shares):
            axes.text(column + 0.5, row + 0.5, words.percent(share), ha="center", va="center", fontsize=8.5)
    names = [wrapped(words(f"verdict_{model}"), 12) for model in table.index]
    middle = np.arange(len(names)) + 0.5
    axes.set_xticks(middle, names)
    axes.set_yticks(middle, names)
    axes.invert_yaxis()
    axes.set_xlabel(words("model_chosen"))
    axes.set_ylabel(words("model_true"))
    bare(axes)
