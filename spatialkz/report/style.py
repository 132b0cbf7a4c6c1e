"""What all figures share: colors, type, and the few texts around a plot."""

from __future__ import annotations

import textwrap
from contextlib import AbstractContextManager
from typing import Any

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, MUTED, FAINT = "#222222", "#666666", "#d9d9d9"
ACCENT, NULL = "#1f4e79", "#bccbdb"

# Paul Tol's "light" colors: apart for color-blind readers, and light enough for text on top.
CLUSTER_COLORS = (
    "#77aadd",
    "#ee8866",
    "#eedd88",
    "#44bb99",
    "#ffaabb",
    "#99ddff",
    "#bbcc33",
    "#dddddd",
    "#aaaa00",
)
CLUSTER_HATCHES = ("", "///", "...", "xxx")
# Light enough for dark numbers at both ends; blue and orange stay apart for color-blind readers.
QUOTIENT_COLORS = ("#9ab8d6", "#d3dfeb", "#fafaf8", "#f4bf95", "#dd7f45")
NO_COUNT = "#f4f4f1"
COUNT_COLORS = ("#d9e6f1", "#a5c7df", "#659dc6", "#2f6fa5", "#123f6d")

_SETTINGS = {
    # Shipped with matplotlib, so figures look the same everywhere; has all letters of the three languages.
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "figure.constrained_layout.h_pad": 0.1,
    "figure.constrained_layout.w_pad": 0.1,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "hatch.linewidth": 0.4,
    "svg.hashsalt": "spatialkz",  # without it, the ids in an SVG file are drawn at random
}


def styled() -> AbstractContextManager[None]:
    """Settings under which figures are made and saved, whatever the user's own are; undone on leaving."""
    return matplotlib.style.context(["default", _SETTINGS])


def cluster_look(cluster: int) -> dict[str, Any]:
    """Fill of a cluster, numbered from 1: nine colors, then the same with hatching."""
    turn, color = divmod(cluster - 1, len(CLUSTER_COLORS))
    return {"facecolor": CLUSTER_COLORS[color], "hatch": CLUSTER_HATCHES[turn % len(CLUSTER_HATCHES)]}


def wrapped(text: str, width: int) -> str:
    """Break a name into lines of about equal length, each at most ``width`` letters where words allow."""
    lines = len(textwrap.wrap(text, width))
    for narrower in range(max(1, len(text) // max(1, lines)), width + 1):
        broken = textwrap.wrap(text, narrower, break_long_words=False)
        if len(broken) <= lines:
            return "\n".join(broken)
    return "\n".join(textwrap.wrap(text, width, break_long_words=False))


def headed(figure: Figure, title: str, note: str = "") -> None:
    """Put a title above and a note on how to read it below, both flush left."""
    width = figure.get_figwidth()
    edge = 0.1 / width
    figure.suptitle(title, x=edge, ha="left", fontsize=11, fontweight="bold")
    if note:
        lines = textwrap.fill(note, int(width * 13.5))
        figure.supxlabel(lines, x=edge, ha="left", fontsize=8, color=MUTED, linespacing=1.4)


def bare(axes: Axes, *sides: str) -> None:
    """Leave only the named spines, and no tick marks on the others."""
    for side, spine in axes.spines.items():
        spine.set_visible(side in sides)
    axes.tick_params(left="left" in sides, bottom="bottom" in sides)
