"""Clusters as matrices: what each is made of, and which regions keep meeting in one."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from scipy.cluster import hierarchy

from spatialkz.report.contents import Findings
from spatialkz.report.style import (
    COUNT_COLORS,
    INK,
    QUOTIENT_COLORS,
    bare,
    cluster_look,
    headed,
    wrapped,
)
from spatialkz.report.wording import Wording
from spatialkz.specialization import symmetric_quotient

_CELL = (0.52, 0.25)  # inches
_DASHES: dict[str, Any] = {"high": "-", "low": (0, (2, 2))}


def profiles_plot(findings: Findings, words: Wording) -> Figure:
    """Symmetric quotients, regions × sectors; regions by cluster, in the order of Ward's tree."""
    study, profiles = findings.study, findings.clustering.profiles
    labels = findings.clustering.main.labels
    features = symmetric_quotient(findings.complete_quotients)
    groups = study.table.groups[features.columns]
    sectors = groups.sort_values(kind="stable").index
    rows = tree_order(features, labels)
    table = features.loc[rows, sectors]
    figure = Figure(figsize=(3.6 + _CELL[0] * len(sectors), 2.9 + _CELL[1] * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    drawn = axes.pcolormesh(
        table.to_numpy(),
        cmap=LinearSegmentedColormap.from_list("quotient", QUOTIENT_COLORS),
        norm=TwoSlopeNorm(0, vmin=-1, vmax=1),
        edgecolor="white",
        linewidth=0.8,
    )
    axes.invert_yaxis()
    _named_rows(axes, labels.loc[rows], study.region_names(words.lang))
    axes.set_xticks(
        np.arange(len(sectors)) + 0.5,
        [wrapped(name, 25) for name in study.sector_names(words.lang).loc[sectors]],
        rotation=45,
        ha="left",
        rotation_mode="anchor",
        multialignment="left",
        fontsize=8,
        linespacing=1.0,
    )
    axes.xaxis.tick_top()
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
    drawn = axes.pcolormesh(
        table.to_numpy(),
        cmap=LinearSegmentedColormap.from_list("share", ("#ffffff", *COUNT_COLORS)),
        vmin=0,
        vmax=1,
        edgecolor="white",
        linewidth=0.8,
    )
    axes.invert_yaxis()
    axes.set_aspect("equal")
    ordered = found.labels.loc[found.order]
    _named_rows(axes, ordered, findings.study.region_names(words.lang))
    for places in _blocks(ordered):
        _frame(axes, (places[0] + 0.05, places[0] + 0.05), len(places) - 0.1, len(places) - 0.1, "-")
    probability = found.to_frame().loc[found.order, "probability"]
    for place, share in enumerate(probability):
        axes.text(
            len(table) + 0.3, place + 0.5, words.percent(share), ha="left", va="center_baseline", fontsize=8
        )
    axes.set_xticks([])
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


def tree_order(features: pd.DataFrame, labels: pd.Series) -> pd.Index:
    """Regions as the leaves of Ward's tree, but clusters that are no branch of it brought together.

    >>> features = pd.DataFrame({"x": [0.0, 1.0, 9.0, 10.5]}, index=list("abcd"))
    >>> list(tree_order(features, pd.Series([1, 2, 1, 2], index=list("abcd"))))
    ['a', 'c', 'b', 'd']
    """
    leaves = features.index[hierarchy.leaves_list(hierarchy.linkage(features.to_numpy(), "ward"))]
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


def _named_rows(axes: Axes, ordered: pd.Series, names: pd.Series) -> None:
    """Name the rows, and put the number of their cluster beside them, with gaps between clusters."""
    axes.set_yticks(np.arange(len(ordered)) + 0.5, list(names.loc[ordered.index]), fontsize=8.5)
    bare(axes)
    axes.tick_params(top=False, pad=22)
    axes.tick_params(axis="x", pad=3)
    width = 18 / 72 / _CELL[0]
    for places in _blocks(ordered):
        cluster = int(ordered.iloc[places[0]])
        axes.barh(
            float(np.mean(places)) + 0.5, width, left=-1.2 * width, height=len(places) - 0.1,
            **cluster_look(cluster), clip_on=False,
        )  # fmt: skip
        axes.text(
            -0.7 * width,
            float(np.mean(places)) + 0.5,
            str(cluster),
            ha="center",
            va="center_baseline",
            fontsize=8,
        )
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
    scale.ax.yaxis.set_major_formatter(lambda value, _: words.plain(value))
    scale.set_label(title, fontsize=8)
