"""The specification curve: every defensible way to do the analysis, sorted by its result."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from spatialkz.report.contents import Findings
from spatialkz.report.focal_figures import MODEL_COLORS
from spatialkz.report.focal_tables import choices
from spatialkz.report.style import ACCENT, FAINT, MUTED, bare, headed
from spatialkz.report.wording import Wording

_SIZE = (8.6, 8.4)  # inches
_MIXED = "#4f9a6b"
# Shades from left to right; more than that no eye and no printer tells apart.
_BINS = 480


def specification_plot(findings: Findings, words: Wording) -> Figure:
    """Standardized effects in rising order, and below them the choices behind each."""
    if findings.focal is None or findings.focal.multiverse is None:
        raise ValueError("There is no multiverse to draw.")
    many = findings.focal.multiverse
    table = many.table[many.table["reason"] == ""].sort_values(
        ["colocation_z", "contiguity_z"], kind="stable"
    )
    at = np.arange(len(table))
    figure = Figure(figsize=_SIZE, layout="constrained")
    top, middle, below = figure.subplots(3, 1, height_ratios=[1.3, 0.8, 2.4], sharex=True)
    # Thousands of dots: as a picture inside the drawing, or the file would be as large as the rest together.
    for verdict, color in {**MODEL_COLORS, "mixed": _MIXED}.items():
        chosen = (table["verdict"] == verdict).to_numpy()
        if verdict == "mixed" and not chosen.any():
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
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.plain(value)))
        axes.grid(axis="y", color=FAINT, linewidth=0.5)
        axes.set_axisbelow(True)
        bare(axes, "left")
    rows = choices(many, findings, words)
    made = np.stack([mask.loc[table.index].to_numpy() for _, _, mask in rows]).astype(float)
    colors = LinearSegmentedColormap.from_list("made", ["#ffffff", ACCENT])
    edges = np.linspace(0, len(table), min(len(table), _BINS) + 1).astype(int)
    shade = np.add.reduceat(made, edges[:-1], axis=1) / np.diff(edges)
    below.imshow(
        shade,
        aspect="auto",
        cmap=colors,
        vmin=0,
        vmax=1,
        interpolation="nearest",
        extent=(-0.5, len(table) - 0.5, len(rows) - 0.5, -0.5),
    )
    below.set_yticks(range(len(rows)), [value for _, value, _ in rows], fontsize=7.5)
    for place in range(len(rows) - 1):
        apart = rows[place][0] != rows[place + 1][0]
        below.axhline(place + 0.5, color=MUTED if apart else "white", linewidth=0.8 if apart else 1.5)
    for place, (_, _, mask) in enumerate(rows):
        part = float((many.table.loc[mask, "verdict"] == "focal").mean())
        below.annotate(
            words.percent(part),
            (1, place),
            (6, 0),
            xycoords=below.get_yaxis_transform(),
            textcoords="offset points",
            va="center_baseline",
            fontsize=7.5,
        )
    below.annotate(
        words("verdict_focal"),
        (1, -0.7),
        (6, 0),
        xycoords=below.get_yaxis_transform(),
        textcoords="offset points",
        va="bottom",
        fontsize=7.5,
        color=MUTED,
    )
    bare(below, "bottom")
    below.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.whole(int(value))))
    below.set_xlabel(words("specifications"))
    left_out = len(many.table) - len(table)
    note = words("focal_curve_note", alpha=words.plain(many.alpha))
    if left_out:
        note += " " + words("focal_curve_left", count=words.whole(left_out))
    headed(figure, words("focal_curve_title", count=words.whole(len(many.table))), note)
    return figure
