"""Clusters: what each is made of, which regions keep meeting, how many there are, and Ward's tree."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from scipy.cluster import hierarchy

from spatialkz.clustering import RegionClusters
from spatialkz.report.contents import Findings
from spatialkz.report.drawing.style import (
    ACCENT,
    COUNT_COLORS,
    FAINT,
    INK,
    MUTED,
    QUOTIENT_COLORS,
    bare,
    cluster_look,
    headed,
    matrix,
    name_cells,
    wrapped,
    written,
)
from spatialkz.report.wording import Wording
from spatialkz.specialization import symmetric_quotient

_CELL = (0.52, 0.25)  # inches
_COLUMNS = 3
_PANELS = (
    "within_ss", "silhouette", "path_silhouette", "calinski_harabasz", "davies_bouldin", "gap", "bic",
)  # fmt: skip
_DASHES: dict[str, Any] = {"high": "-", "low": (0, (2, 2))}


def profiles_plot(findings: Findings, words: Wording) -> Figure:
    """Symmetric quotients, regions × sectors; regions by cluster, in the order of Ward's tree."""
    study, profiles = findings.study, findings.clustering.profiles
    assert profiles is not None  # noqa: S101  (the section leaves the figure out)
    labels = findings.clustering.main.labels
    features = symmetric_quotient(findings.complete_quotients)
    groups = study.table.groups[features.columns]
    sectors = groups.sort_values(kind="stable").index
    rows = tree_order(findings.clustering.tree, labels)
    table = features.loc[rows, sectors]
    figure = Figure(figsize=(3.6 + _CELL[0] * len(sectors), 2.9 + _CELL[1] * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    drawn = matrix(axes, table, QUOTIENT_COLORS, gap=0.8, norm=TwoSlopeNorm(0, vmin=-1, vmax=1))
    above = study.sector_names(words.lang).loc[sectors]
    _name(axes, labels.loc[rows], study.region_names(words.lang), above)
    for cluster, block in pd.Series(range(len(rows)), rows).groupby(labels.loc[rows]):
        for name, direction in profiles.parts(cluster):
            held = np.flatnonzero((sectors == name) | (groups.loc[sectors] == name))
            corner = (held.min() + 0.06, block.min() + 0.1)
            _frame(axes, corner, np.ptp(held) + 0.88, len(block) - 0.2, _DASHES[direction])
    _scale(figure, axes, drawn, words("symmetric_lq"), words)
    method = words(f"clustering_{findings.clustering.main.method}")
    headed(figure, words("profiles_title"), words("profiles_note", method=method))
    return figure


def consensus_plot(findings: Findings, words: Wording) -> Figure:
    """Share of resamples that put two regions into one cluster, in the order of the consensus tree."""
    found = findings.clustering.consensus
    assert found is not None  # noqa: S101  (draw_figures leaves the figure out)
    table = found.matrix.loc[found.order, found.order]
    side = 0.27 * len(table)
    figure = Figure(figsize=(3.9 + side, 1.9 + side), layout="constrained")
    axes = figure.add_subplot()
    drawn = matrix(axes, table, ("#ffffff", *COUNT_COLORS), gap=0.8, vmin=0, vmax=1)
    axes.set_aspect("equal")
    ordered = found.labels.loc[found.order]
    _name(axes, ordered, findings.study.region_names(words.lang), ())
    for places in _blocks(ordered):
        _frame(axes, (places[0] + 0.05, places[0] + 0.05), len(places) - 0.1, len(places) - 0.1, "-")
    probability = found.to_frame().loc[found.order, "probability"]
    for place, share in enumerate(probability):
        axes.text(
            len(table) + 0.3, place + 0.5, words.percent(share), ha="left", va="center_baseline", fontsize=8
        )
    _scale(figure, axes, drawn, words("together"), words)
    headed(
        figure,
        words("consensus_title"),
        words(
            "consensus_note",
            resamples=words.whole(found.resamples),
            dispersion=words.number(found.dispersion),
        ),
    )
    return figure


def tree_order(tree: NDArray[np.float64], labels: pd.Series) -> pd.Index:
    """Regions as the leaves of a tree, but clusters that are no branch of it brought together.

    >>> tree = np.array([[0, 1, 1.0, 2], [2, 3, 1.5, 2], [4, 5, 9.0, 4]])
    >>> list(tree_order(tree, pd.Series([1, 2, 1, 2], index=list("abcd"))))
    ['a', 'c', 'b', 'd']
    """
    leaves = labels.index[hierarchy.leaves_list(tree)]
    places = pd.Series(range(len(leaves)), leaves)
    means = places.groupby(labels).transform("mean")
    return (
        pd.DataFrame({"mean": means, "label": labels, "place": places})
        .sort_values(["mean", "label", "place"])
        .index
    )


def _blocks(ordered: pd.Series) -> list[range]:
    """Runs of rows with one label."""
    starts = np.flatnonzero(np.diff(ordered.to_numpy(), prepend=-1))
    return [range(first, last) for first, last in pairwise([*starts.tolist(), len(ordered)])]


def _name(axes: Axes, ordered: pd.Series, names: pd.Series, columns: Iterable[str]) -> None:
    """Name rows and columns, and put the number of its cluster beside each row, with gaps between them."""
    name_cells(axes, names.loc[ordered.index], columns)
    axes.tick_params(axis="y", pad=22)
    width = 18 / 72 / _CELL[0]
    for places in _blocks(ordered):
        cluster = int(ordered.iloc[places[0]])
        axes.barh(
            float(np.mean(places)) + 0.5, width, left=-1.2 * width, height=len(places) - 0.1,
            **cluster_look(cluster), clip_on=False,
        )  # fmt: skip
        middle = float(np.mean(places)) + 0.5
        axes.text(-0.7 * width, middle, str(cluster), ha="center", va="center_baseline", fontsize=8)
        if places[0]:
            axes.axhline(places[0], color="white", linewidth=4.0)


def _frame(axes: Axes, corner: tuple[float, float], width: float, height: float, dashes: Any) -> None:
    # Above the gaps between clusters.
    axes.add_patch(
        Rectangle(corner, width, height, fill=False, edgecolor=INK, linestyle=dashes, clip_on=False, zorder=4)
    )


def _scale(figure: Figure, axes: Axes, drawn: Any, title: str, words: Wording) -> None:
    """Color scale at the right."""
    scale = figure.colorbar(drawn, ax=axes, shrink=0.6, aspect=25, pad=0.03)
    scale.outline.set_visible(False)
    scale.ax.tick_params(labelsize=7.5, length=2)
    written(scale.ax.yaxis, words.plain)
    scale.set_label(title, fontsize=8)


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
    written(axes.xaxis, words.plain)
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
        error = clusters.criteria.loc[column.index, "se"]
        axes.errorbar(column.index, column, error, fmt="none", ecolor=MUTED, capsize=2)
    axes.plot(column.index, column, color=MUTED, linewidth=1.0)
    axes.plot(column.index, column, "o", markersize=4.5, markerfacecolor="white", markeredgecolor=INK)
    if name in clusters.rules.index:
        best = int(clusters.rules["k"][name])
        axes.plot(best, column[best], "o", markersize=6, color=ACCENT)
    axes.set_title(words(name), fontsize=9, loc="left")
    axes.grid(axis="y", color=FAINT, linewidth=0.5)
    axes.set_xticks(clusters.criteria.index)
    axes.tick_params(labelbottom=True, labelsize=7.5)
    written(axes.yaxis, words.plain)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.set_xlabel("k", fontsize=8)


def dendrogram(findings: Findings, words: Wording) -> Figure:
    """Ward's tree on symmetric quotients, cut at the chosen number of clusters if there are several."""
    clusters = findings.clusters["ward"]
    tree = findings.clustering.tree
    drawn = hierarchy.dendrogram(tree, no_plot=True)
    regions = clusters.labels.index[drawn["leaves"]]
    names = findings.study.region_names(words.lang).loc[regions]
    figure = Figure(figsize=(8.6, 1.6 + 0.3 * len(regions)), layout="constrained")
    axes = figure.add_subplot()
    # scipy puts the leaves at 5, 15, 25 …
    links = [
        np.column_stack([height, (np.array(place) - 5) / 10])
        for place, height in zip(drawn["icoord"], drawn["dcoord"], strict=True)
    ]
    axes.add_collection(LineCollection(links, colors=INK, linewidths=1.0))
    top = tree[-1, 2]
    axes.set_xlim(top * 1.05, -top * 0.06)
    for place, region in enumerate(regions if clusters.k > 1 else []):
        cluster = int(clusters.labels[region])
        axes.barh(place, top * 0.045, left=-top * 0.055, height=0.96, **cluster_look(cluster), clip_on=False)
        axes.text(-top * 0.0325, place, str(cluster), ha="center", va="center_baseline", fontsize=8)
    axes.set_yticks(range(len(regions)), [wrapped(name, 40) for name in names], fontsize=8.5)
    axes.yaxis.tick_right()
    axes.set_ylim(len(regions) - 0.4, -0.6)
    bare(axes, "bottom")
    axes.tick_params(right=False)
    axes.set_xlabel(words("ward_height"))
    written(axes.xaxis, words.plain)
    if clusters.k > 1:
        merges = np.append(tree[:, 2], top * 1.1)
        cut = (merges[len(regions) - clusters.k - 1] + merges[len(regions) - clusters.k]) / 2
        axes.axvline(cut, color=ACCENT, linewidth=1.0, linestyle=(0, (5, 3)))
        axes.text(cut, -0.7, words("cut", k=clusters.k), ha="center", va="bottom", fontsize=8, color=ACCENT)
    note = words("dendrogram_note" if clusters.k > 1 else "dendrogram_note_one")
    headed(figure, words("dendrogram_title"), note)
    return figure
