"""What ranks are made of: the evidence of areas and candidates, colored by its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from spatialkz.candidates import AREA_EVIDENCE, CANDIDATE_EVIDENCE
from spatialkz.report.contents import Findings
from spatialkz.report.style import COUNT_COLORS, INK, MUTED, bare, headed, wrapped
from spatialkz.report.wording import Wording

_CELL = (0.72, 0.27)  # inches
_MOST_AREAS, _MOST_CANDIDATES = 40, 20
_DARK = 0.6  # place from which the color wants light numbers


def area_evidence_plot(findings: Findings, words: Wording) -> Figure:
    """Areas × evidence in rank order."""
    areas = findings.ranking.areas
    names = findings.study.region_names(words.lang).loc[areas["region"].head(_MOST_AREAS)]
    return _plot(areas, AREA_EVIDENCE, list(names), words("evidence_areas_title"), words)


def candidate_evidence_plot(findings: Findings, words: Wording) -> Figure:
    """The first candidates × evidence in rank order."""
    found = findings.ranking.candidates
    labels = candidate_labels(findings, words, found.head(_MOST_CANDIDATES))
    title = words("evidence_candidates_title", shown=len(labels))
    return _plot(found, CANDIDATE_EVIDENCE, labels, title, words)


def candidate_labels(findings: Findings, words: Wording, found: pd.DataFrame) -> list[str]:
    """Sector and region of each candidate on one line."""
    sectors = findings.study.sector_names(words.lang).loc[found["sector"]]
    regions = findings.study.region_names(words.lang).loc[found["region"]]
    return [f"{sector} – {region}" for sector, region in zip(sectors, regions, strict=True)]


def _plot(
    ranked: pd.DataFrame, evidence: Iterable[str], labels: Sequence[str], title: str, words: Wording
) -> Figure:
    """The first rows of a ranking; colors are places among all rows."""
    table = ranked[[name for name in evidence if name in ranked]]
    place = ((table.rank() - 1) / max(len(table) - 1, 1)).head(len(labels)).to_numpy()
    height, width = place.shape
    longest = max(map(len, labels))
    size = (1.6 + 0.075 * longest + _CELL[0] * width, 2.2 + _CELL[1] * height)
    figure = Figure(figsize=(max(size[0], 6.4), size[1]), layout="constrained")
    axes = figure.add_subplot()
    axes.pcolormesh(
        place,
        cmap=LinearSegmentedColormap.from_list("place", ("#ffffff", *COUNT_COLORS)),
        vmin=0,
        vmax=1,
        edgecolor="white",
        linewidth=1.0,
    )
    axes.invert_yaxis()
    scores = ranked["score"].head(height)
    for i, row in enumerate(table.head(height).to_numpy()):
        for j, value in enumerate(row):
            color = "white" if place[i, j] >= _DARK else INK
            _number(axes, i, j + 0.5, words.number(value), color=color)
        _number(axes, i, width + 0.5, words.number(scores.iloc[i], 3), fontweight="bold")
    axes.set_xlim(0, width + 1)
    headings = [*(words(f"evidence_{name}") for name in table), words("score")]
    axes.set_xticks(
        np.arange(width + 1) + 0.5,
        [wrapped(heading, 18) for heading in headings],
        rotation=45,
        ha="left",
        rotation_mode="anchor",
        multialignment="left",
        fontsize=8,
        linespacing=1.0,
    )
    axes.xaxis.tick_top()
    axes.get_xticklabels()[-1].set_color(MUTED)
    axes.set_yticks(np.arange(height) + 0.5, list(labels), fontsize=8.5)
    bare(axes)
    axes.tick_params(top=False, pad=3)
    note = words("evidence_note", total=words.whole(len(ranked)))
    if height < len(ranked):
        note += " " + words("shown", shown=height, total=words.whole(len(ranked)))
    headed(figure, title, note)
    return figure


def _number(axes: Axes, row: int, at: float, text: str, **style: Any) -> None:
    axes.text(at, row + 0.5, text, ha="center", va="center_baseline", fontsize=7.5, in_layout=False, **style)
