"""What all figures share: colors, type, the texts around a plot, and how they are saved."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from html import unescape
from io import StringIO
from pathlib import Path
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.collections import QuadMesh
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.textpath import text_to_path
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

# Verdana, on most machines without DejaVu Sans, has nearly the same widths; all others are narrower.
_FONTS = "'DejaVu Sans', Verdana, sans-serif"
_HALO = 2.2  # points
_MARKED = re.compile(r'<g id="(halo)?(left|center|right)\d+">.*?</g>', re.DOTALL)
# A line of several that stands upright, as matplotlib writes it.
_LINE = re.compile(r'<text style="([^"]*)" transform="translate\((\S+) (\S+)\)">([^<]*)</text>')

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
    "svg.fonttype": "none",  # text stays text, to be searched, copied and read out
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


def with_halo(text: Text) -> None:
    """Have a text on a map stand out from what is below it."""
    text.set_gid("halo")


def save(figure: Figure, file: Path, *, picture: bool) -> None:
    """Save a figure as SVG, and as a picture of 300 dpi beside it if wanted."""
    haloed = []
    for number, text in enumerate(figure.findobj(Text)):
        if text.get_gid() == "halo":
            haloed.append(text)
        if text.get_gid() == "halo" or "\n" in text.get_text():
            text.set_gid(f"{text.get_gid() or ''}{text.get_horizontalalignment()}{number}")
    # The layout is found once, in the units of the SVG file, and serves both files.
    figure.set_dpi(72)
    FigureCanvasSVG(figure)
    if engine := figure.get_layout_engine():
        engine.execute(figure)
        figure.set_layout_engine("none")
    with StringIO() as svg:
        figure.savefig(svg, format="svg", metadata={"Date": None})
        file.write_text(_finished(svg.getvalue()), encoding="utf-8", newline="\n")
    if picture:
        for text in haloed:
            text.set_path_effects([withStroke(linewidth=_HALO, foreground="white")])
        figure.savefig(file.with_suffix(".png"), dpi=300, pil_kwargs={"compress_level": 3})


def _finished(svg: str) -> str:
    """Do what matplotlib leaves to be done: further fonts, lines that keep their side in any font, halos.

    Coordinates of outlines are cut to hundredths of a point, which halves the file.

    >>> _finished('<path d="M 1.234567 -0.5"/><use transform="scale(0.001234)"/>')
    '<path d="M 1.23 -0.5"/><use transform="scale(0.001234)"/>'
    """
    outlines, beyond = re.compile(r'(?<= d=")[^"]*'), re.compile(r"(?<=\.\d\d)\d+")
    slim = outlines.sub(lambda found: beyond.sub("", found[0]), svg)
    return _MARKED.sub(_marked, slim).replace("'DejaVu Sans'", _FONTS)


def _marked(group: re.Match[str]) -> str:
    halo, side = group.groups()
    text = group[0] if side == "left" else _LINE.sub(lambda line: _anchored(line, side), group[0])
    look = f"paint-order: stroke; stroke: #fff; stroke-width: {_HALO}px; stroke-linejoin: round"
    return text.replace(">", f' style="{look}">', 1) if halo else text


def _anchored(line: re.Match[str], side: str) -> str:
    """Hold a line by its middle or its end, where matplotlib holds lines of several by their start."""
    style, x, y, text = line.groups()
    size = float(style.partition("font-size: ")[2].partition("px")[0])
    font = FontProperties(family="DejaVu Sans", size=size, weight=700 if "weight: 700" in style else 400)
    width, _, _ = text_to_path.get_text_width_height_descent(unescape(text), font, ismath=False)
    anchor, along = ("middle", width / 2) if side == "center" else ("end", width)
    return f'<text style="{style}; text-anchor: {anchor}" x="{float(x) + along:.2f}" y="{y}">{text}</text>'
