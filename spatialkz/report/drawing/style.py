"""What all figures share: colors, type, and the few texts around a plot."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import QuadMesh
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

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


def ruled(axes: Axes) -> None:
    """Leave of a frame the horizontal axis and faint lines at its ticks, behind what is drawn."""
    bare(axes, "bottom")
    axes.grid(axis="x", color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)


def written(axis: Axis, write: Callable[[float], str]) -> None:
    """Have the numbers of an axis written in the language of the figure."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: write(value)))


def matrix(axes: Axes, values: Any, colors: Iterable[str], *, gap: float = 1.0, **scale: Any) -> QuadMesh:
    """Draw cells in colors from the first to the last, the first row on top."""
    shades = LinearSegmentedColormap.from_list("shades", list(colors))
    drawn = axes.pcolormesh(np.asarray(values), cmap=shades, edgecolor="white", linewidth=gap, **scale)
    axes.invert_yaxis()
    return drawn


def name_cells(axes: Axes, rows: Iterable[str], columns: Iterable[str], width: int = 25) -> None:
    """Name the rows of a matrix at its left, and its columns above it, at a slant."""
    above = [wrapped(name, width) for name in columns]
    beside = list(rows)
    axes.set_yticks(np.arange(len(beside)) + 0.5, beside, fontsize=8.5)
    axes.set_xticks(
        np.arange(len(above)) + 0.5, above, rotation=45, ha="left", rotation_mode="anchor",
        multialignment="left", fontsize=8, linespacing=1.0,
    )  # fmt: skip
    axes.xaxis.tick_top()
    bare(axes)
    axes.tick_params(top=False, pad=3)


def beside(axes: Axes, row: float, text: str, points: float = 6.0, **style: Any) -> None:
    """Write a text at the height of a row, so many points to the right of the plot."""
    look: dict[str, Any] = {"va": "center_baseline", "fontsize": 8.5, **style}
    across = axes.get_yaxis_transform()
    axes.annotate(text, (1, row), (points, 0), xycoords=across, textcoords="offset points", **look)
