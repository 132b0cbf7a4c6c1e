"""The dendrogram of Ward's clustering."""

from __future__ import annotations

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from scipy.cluster import hierarchy

from spatialkz.report.contents import Findings
from spatialkz.report.style import ACCENT, INK, bare, cluster_look, headed, wrapped
from spatialkz.report.wording import Wording
from spatialkz.specialization import symmetric_quotient

MOST_LEAVES = 200


def dendrogram(findings: Findings, words: Wording) -> Figure:
    """Ward's tree on symmetric quotients, cut at the chosen number of clusters."""
    clusters = findings.clusters["ward"]
    features = symmetric_quotient(findings.complete_quotients)
    tree = hierarchy.linkage(features.to_numpy(), "ward")
    drawn = hierarchy.dendrogram(tree, no_plot=True)
    regions = features.index[drawn["leaves"]]
    names = findings.study.region_names(words.lang).loc[regions]
    figure = Figure(figsize=(8.6, 1.6 + 0.3 * len(regions)), layout="constrained")
    axes = figure.add_subplot()
    # scipy puts the leaves at 5, 15, 25 …
    links = [
        np.column_stack([height, (np.array(place) - 5) / 10])
        for place, height in zip(drawn["icoord"], drawn["dcoord"], strict=True)
    ]
    axes.add_collection(LineCollection(links, colors=INK, linewidths=1.0))
    merges = np.append(tree[:, 2], tree[-1, 2] * 1.1)
    cut = (merges[len(regions) - clusters.k - 1] + merges[len(regions) - clusters.k]) / 2
    axes.axvline(cut, color=ACCENT, linewidth=1.0, linestyle=(0, (5, 3)))
    top = tree[-1, 2]
    axes.set_xlim(top * 1.05, -top * 0.06)
    for place, region in enumerate(regions):
        cluster = int(clusters.labels[region])
        axes.barh(place, top * 0.045, left=-top * 0.055, height=0.96, **cluster_look(cluster), clip_on=False)
        axes.text(-top * 0.0325, place, str(cluster), ha="center", va="center_baseline", fontsize=8)
    axes.set_yticks(range(len(regions)), [wrapped(name, 40) for name in names], fontsize=8.5)
    axes.yaxis.tick_right()
    axes.set_ylim(len(regions) - 0.4, -0.6)
    bare(axes, "bottom")
    axes.tick_params(right=False)
    axes.set_xlabel(words("ward_height"))
    axes.xaxis.set_major_formatter(lambda value, _: words.plain(value))
    axes.text(cut, -0.7, words("cut", k=clusters.k), ha="center", va="bottom", fontsize=8, color=ACCENT)
    headed(figure, words("dendrogram_title"), words("dendrogram_note"))
    return figure
