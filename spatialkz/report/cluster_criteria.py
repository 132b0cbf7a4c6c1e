"""How many clusters, and how well each region fits into its own."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spatialkz.clustering import RegionClusters
from spatialkz.report.contents import Findings
from spatialkz.report.style import ACCENT, FAINT, INK, MUTED, bare, cluster_look, headed
from spatialkz.report.wording import Wording

_PANELS = (
    "within_ss", "silhouette", "path_silhouette", "calinski_harabasz", "davies_bouldin", "gap", "bic",
)  # fmt: skip
_COLUMNS = 3


def silhouettes_plot(findings: Findings, words: Wording) -> Figure:
    """Silhouette width of each region, by cluster and in descending order."""
    clusters = findings.clustering.main
    table = pd.DataFrame({"cluster": clusters.labels, "width": clusters.silhouettes})
    table = table.sort_values(["cluster", "width"], ascending=[True, False], kind="stable")
    means = table.groupby("cluster")["width"].mean()
    # A free row between clusters.
    places = np.arange(len(table)) + table["cluster"].to_numpy() - 1
    figure = Figure(figsize=(8.6, 1.7 + 0.22 * (places[-1] + 1)), layout="constrained")
    axes = figure.add_subplot()
    for place, cluster, width in zip(places, table["cluster"], table["width"], strict=True):
        axes.barh(place, width, height=0.9, edgecolor=MUTED, linewidth=0.3, **cluster_look(int(cluster)))
    axes.axvline(0, color=INK, linewidth=0.8)
    mean = float(table["width"].mean())
    axes.axvline(mean, color=ACCENT, linewidth=1.0, linestyle=(0, (5, 3)))
    axes.text(
        mean, -0.9, words("mean_silhouette", mean=words.number(mean, 3)),
        ha="center", va="bottom", fontsize=8, color=ACCENT,
    )  # fmt: skip
    axes.set_yticks(places, list(findings.study.region_names(words.lang).loc[table.index]), fontsize=8.5)
    right = max(0.5, float(table["width"].max()) + 0.05)
    for cluster, own in means.items():
        axes.text(
            right, places[table["cluster"] == cluster].mean(), f"{cluster}:  {words.number(own)}",
            ha="left", va="center_baseline", fontsize=8.5, fontweight="bold",
        )  # fmt: skip
    axes.set_xlim(min(-0.1, float(table["width"].min()) - 0.02), right)
    axes.set_ylim(places[-1] + 0.7, -0.7)
    bare(axes, "bottom")
    axes.xaxis.set_major_formatter(lambda value, _: words.plain(value))
    axes.set_xlabel(words("silhouette_width"))
    title = words("silhouettes_title", method=words(f"clustering_{clusters.method}"), k=clusters.k)
    headed(figure, title, words("silhouettes_note"))
    return figure


def criteria_plot(findings: Findings, words: Wording) -> Figure:
    """Every criterion by k: the chosen k as a line through all panels, the k of each rule as a filled dot."""
    clusters = findings.clustering.main
    shown = [name for name in _PANELS if name in clusters.criteria]
    rows = -(-len(shown) // _COLUMNS)
    figure = Figure(figsize=(8.6, 1.0 + 2.1 * rows), layout="constrained")
    grid = figure.subplots(rows, _COLUMNS, squeeze=False, sharex=True)
    for axes, name in zip(grid.flat, shown, strict=False):
        _panel(axes, clusters, name, words)
    for axes in grid.flat[len(shown) :]:
        axes.set_axis_off()
    title = words("criteria_title", method=words(f"clustering_{clusters.method}"))
    headed(figure, title, words("criteria_note", k=clusters.k))
    return figure


def _panel(axes: Axes, clusters: RegionClusters, name: str, words: Wording) -> None:
    column = clusters.criteria[name].dropna()
    axes.axvline(clusters.k, color=ACCENT, linewidth=1.0, linestyle=(0, (5, 3)))
    if name == "gap":
        axes.errorbar(
            column.index,
            column,
            clusters.criteria.loc[column.index, "se"],
            fmt="none",
            ecolor=MUTED,
            capsize=2,
        )
    axes.plot(column.index, column, color=MUTED, linewidth=1.0)
    axes.plot(column.index, column, "o", markersize=4.5, markerfacecolor="white", markeredgecolor=INK)
    if name in clusters.rules.index:
        best = int(clusters.rules["k"][name])
        axes.plot(best, column[best], "o", markersize=6, color=ACCENT)
    axes.set_title(words(name), fontsize=9, loc="left")
    axes.grid(axis="y", color=FAINT, linewidth=0.5)
    axes.set_xticks(clusters.criteria.index)
    axes.tick_params(labelbottom=True, labelsize=7.5)
    axes.yaxis.set_major_formatter(lambda value, _: words.plain(value))
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.set_xlabel("k", fontsize=8)
