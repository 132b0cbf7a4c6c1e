"""The maps: number of specializations, and clusters, on an equal-area projection, each region named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path

from spatialkz.report.contents import Findings
from spatialkz.report.drawing.style import (
    COUNT_COLORS,
    INK,
    MUTED,
    NO_COUNT,
    QUOTIENT_COLORS,
    cluster_look,
    headed,
    with_halo,
    wrapped,
)
from spatialkz.report.sections.clusters import described, stability_key
from spatialkz.report.wording import Wording
from spatialkz.resampling.pvalues import Floats

_WIDTH, _TALLEST = 9.0, 7.0  # inches
_TITLE = 0.42
_MOST_LABELS = 60
_MOST_CLASSES = 12
_COLUMNS = 3
_DETAIL = 2500
_SMALL = 6.0  # pixels: a region whose circle of equal area is smaller gets a marker
_MARKER = 7.0
_EDGE = 6.0
_ANGLES = np.linspace(0, 2 * np.pi, 24, endpoint=False)
_GAP = (6.0, 2.0)  # between labels, across and up: names on one line must not read as one


def breadth_map(findings: Findings, words: Wording) -> Figure:
    """Map of the number of sectors in which each region is specialized."""
    counts = findings.ranking.areas.set_index("region")["breadth"]
    step = -(-int(counts.max()) // _MOST_CLASSES)
    starts = range(1, int(counts.max()) + 1, step)
    shades = LinearSegmentedColormap.from_list("count", COUNT_COLORS)(np.linspace(0, 1, len(starts)))
    classes = {0: NO_COUNT} | {start: to_hex(shade) for start, shade in zip(starts, shades, strict=True)}
    looks: dict[Any, dict[str, Any]] = {
        region: {"facecolor": classes[max(start for start in classes if start <= count)]}
        for region, count in counts.items()
    }
    title = words("map_title", threshold=words.plain(findings.study.choices.threshold))
    drawing = _Map(findings, title, keys=1)
    drawing.fill(looks)
    drawing.label(counts.map(words.whole), words)
    keys = [
        _key(str(start) if step == 1 or not start else f"{start}–{start + step - 1}", facecolor=color)
        for start, color in classes.items()
    ]
    drawing.legend(keys, words("breadth_of", sectors=len(findings.study.table.sectors)), len(keys))
    return drawing.figure


def cluster_map(findings: Findings, words: Wording) -> Figure:
    """Map of the k-means clusters, with the stability of each."""
    clusters = findings.clusters["kmeans"]
    title = words("clusters_title", k=clusters.k)
    if described(findings):
        title = words("described", title=title)
    drawing = _Map(findings, title, keys=-(-clusters.k // _COLUMNS))
    drawing.fill({label: cluster_look(cluster) for label, cluster in clusters.labels.items()})
    drawing.label(clusters.labels.map(str), words)
    keys = [
        _key(
            f"{cluster}:  {words.number(stability)} ({words(stability_key(stability))})",
            **cluster_look(cluster),
        )
        for cluster, stability in enumerate(clusters.stability, start=1)
    ]
    drawing.legend(keys, words("clusters_key"), _COLUMNS)
    return drawing.figure


def expected_map(findings: Findings, words: Wording) -> Figure:
    """Map of how far quotients lie above or below what prerequisites lead to expect, mean over sectors."""
    found = findings.prerequisites
    if found is None:
        raise ValueError("There are no prerequisites to draw.")
    told = found.test.skill.index[found.test.skill > 0]
    beyond = np.log1p(findings.quotients[told]) - np.log1p(
        found.test.expected.loc[findings.quotients.index, told]
    )
    mean = beyond.mean(axis=1)
    most = float(mean.abs().max()) or 1.0
    edges = most * np.array([-1.0, -0.6, -0.2, 0.2, 0.6, 1.0])
    place = np.clip(np.searchsorted(edges, mean, side="right") - 1, 0, len(QUOTIENT_COLORS) - 1)
    drawing = _Map(findings, words("expected_title"), keys=1)
    drawing.fill(
        {region: {"facecolor": QUOTIENT_COLORS[at]} for region, at in zip(mean.index, place, strict=True)}
    )
    drawing.label(mean.map(words.number), words)
    keys = [
        _key(f"{words.number(low)} … {words.number(high)}", facecolor=color)
        for color, low, high in zip(QUOTIENT_COLORS, edges[:-1], edges[1:], strict=True)
    ]
    drawing.legend(keys, words("expected_key", count=words.whole(len(told))), len(keys))
    return drawing.figure


def _key(label: str, **look: Any) -> Patch:
    """A box of the legend, with the look of the regions it stands for."""
    return Patch(**look, edgecolor=MUTED, linewidth=0.4, label=label)


def equal_area(boundaries: gpd.GeoDataFrame) -> gpd.GeoSeries:
    """Project polygons of any part of the world to an equal-area map centered on them.

    Lambert's azimuthal projection fits every country: unlike a conic one it also works across the equator.
    The middle is taken on the circle of longitudes, so that a country may cross the antimeridian.
    """
    if boundaries.crs is None:
        return boundaries.geometry
    degrees = boundaries.geometry.to_crs("EPSG:4326")
    edges = degrees.bounds
    turns = np.radians(edges[["minx", "maxx"]].to_numpy())
    east = np.degrees(np.arctan2(np.sin(turns).mean(), np.cos(turns).mean()))
    offsets = (edges[["minx", "maxx"]].to_numpy() - east + 180) % 360 - 180
    east += (offsets.min() + offsets.max()) / 2
    north = (edges["miny"].min() + edges["maxy"].max()) / 2
    return degrees.to_crs(f"+proj=laea +lat_0={north:.4f} +lon_0={east:.4f} +datum=WGS84 +units=m")


@dataclass
class _Map:
    """A map under construction: polygons in place, then fills, labels and legend."""

    findings: Findings
    title: str
    keys: int  # lines of the legend

    def __post_init__(self) -> None:
        projected = equal_area(self.findings.study.boundaries)
        west, south, east, north = projected.total_bounds
        # Finer detail than can be seen would only make the files large.
        drawn = shapely.coverage_simplify(projected.to_numpy(), (east - west) / _DETAIL)
        self.shapes = gpd.GeoSeries(drawn, index=projected.index)
        ratio = (north - south) / (east - west)
        width = min(_WIDTH - 0.3, _TALLEST / ratio)
        height = width * ratio
        legend = 0.5 + 0.19 * self.keys
        tall = height + _TITLE + legend
        self.figure = Figure(figsize=(_WIDTH, tall))
        self.canvas = FigureCanvasAgg(self.figure)
        self.axes: Axes = self.figure.add_axes(
            ((_WIDTH - width) / 2 / _WIDTH, legend / tall, width / _WIDTH, height / tall)
        )
        self.axes.set_axis_off()
        self.axes.set_xlim(west, east)
        self.axes.set_ylim(south, north)
        headed(self.figure, self.title)
        radii = shapely.maximum_inscribed_circle(self.shapes.to_numpy(), (east - west) / 500)
        self.anchors = shapely.get_coordinates(shapely.get_point(radii, 0))
        pixels = self.axes.get_window_extent().width / (east - west)
        self.small = np.sqrt(self.shapes.area.to_numpy() / np.pi) * pixels < _SMALL

    def fill(self, looks: dict[Any, dict[str, Any]]) -> None:
        """Color the regions; small ones also get a marker of that color."""
        for label, shape, anchor, small in zip(
            self.shapes.index, self.shapes, self.anchors, self.small, strict=True
        ):
            edge = {"edgecolor": MUTED, "linewidth": 0.5, "joinstyle": "round"}
            self.axes.add_artist(PathPatch(_path(shape), **looks[label], **edge))
            if small:
                self.axes.plot(
                    *anchor,
                    "o",
                    markersize=2 * _MARKER * 72 / self.figure.dpi,
                    markerfacecolor=looks[label]["facecolor"],
                    markeredgecolor=INK,
                    markeredgewidth=0.9,
                    zorder=3,
                )

    def label(self, values: pd.Series, words: Wording) -> None:
        """Write name and value of the regions, best ranked first where there are too many for all."""
        names = self.findings.study.region_names(words.lang)
        chosen = self.findings.ranking.areas["region"].head(_MOST_LABELS)
        at = self.shapes.index.get_indexer(chosen)
        texts = [
            (
                self.figure.text(0, 0, wrapped(names[region], 16), fontsize=7.5, linespacing=1.05),
                self.figure.text(0, 0, values[region], fontsize=8.5, fontweight="bold"),
            )
            for region in chosen
        ]
        renderer = self.canvas.get_renderer()  # type: ignore[no-untyped-call]
        extents = [[text.get_window_extent(renderer) for text in pair] for pair in texts]
        sizes = np.array([[max(a.width, b.width), a.height + b.height + 2] for a, b in extents])
        to_pixels = self.axes.transData.transform
        anchors = to_pixels(self.anchors[at])
        homes = [shapely.transform(shape, to_pixels) for shape in self.shapes.iloc[at]]
        # Beside a narrow map there is room for names, above and below there is title and legend.
        frame = np.array(self.axes.get_window_extent().extents)
        frame[[0, 2]] = self.figure.bbox.x0 + _EDGE, self.figure.bbox.x1 - _EDGE
        centers = place_labels(anchors, sizes, homes, np.where(self.small[at], _MARKER, 0.0), frame)
        to_figure = self.figure.transFigure.inverted().transform
        for pair, size, center in zip(texts, sizes, centers, strict=True):
            if center is None:
                for text in pair:
                    text.remove()
                continue
            for text, height, side in zip(pair, (0.5, -0.5), ("top", "bottom"), strict=True):
                x, y = to_figure((center[0], center[1] + height * size[1]))
                text.set_position((float(x), float(y)))
                text.set(ha="center", va=side, multialignment="center", zorder=4)
                with_halo(text)

    def legend(self, keys: list[Patch], title: str, columns: int) -> None:
        """Explain the colors below the map."""
        legend = self.figure.legend(
            handles=keys,
            title=title,
            ncols=columns,
            loc="lower center",
            bbox_to_anchor=(0.5, 0.0),
            frameon=False,
            fontsize=8,
            title_fontsize=8,
            handlelength=1.4,
            handleheight=1.0,
            columnspacing=1.4,
        )
        legend.get_title().set_color(MUTED)


def _path(shape: shapely.Geometry) -> Path:
    """Outline of a polygon or of several, with their holes."""
    parts: npt.NDArray[np.object_] = shapely.get_parts(shape)
    rings = [ring for part in parts for ring in (part.exterior, *part.interiors)]
    return Path.make_compound_path(*(Path(shapely.get_coordinates(ring), closed=True) for ring in rings))


def place_labels(
    anchors: Floats,
    sizes: Floats,
    homes: Sequence[Any],
    radii: Floats,
    frame: Floats,
) -> list[tuple[float, float] | None]:
    """Find a center for each label, all in one unit of length (pixels).

    Labels of marked regions stand beside their marker, the others as far inside their region as they can. In
    each group the smaller region chooses first, since it has less room.

    Parameters
    ----------
    anchors : array, shape (labels, 2)
        A point inside each region.
    sizes : array, shape (labels, 2)
        Width and height of each label.
    homes : sequence of polygons
        The region of each label.
    radii : array, shape (labels,)
        Radius of the marker at the anchor; 0 for a region without one.
    frame : array, shape (4,)
        Left, bottom, right and top of the map.

    Returns
    -------
    list
        Center of each label; None where nothing free was found.
    """
    taken = [(x - r, y - r, x + r, y + r) for (x, y), r in zip(anchors, radii, strict=True) if r]
    order = sorted(range(len(anchors)), key=lambda i: (radii[i] == 0, homes[i].area))
    centers: list[tuple[float, float] | None] = [None] * len(anchors)
    for i in order:
        options = _options(anchors[i], sizes[i], radii[i], frame)
        boxes = np.hstack([options - sizes[i] / 2, options + sizes[i] / 2])
        free = _within(boxes, frame) & ~_hits(boxes, taken)
        if not free.any():
            continue
        options, boxes = options[free], boxes[free]
        cost = np.hypot(*(options - anchors[i]).T) / np.hypot(*sizes[i])
        if not radii[i]:
            cost += 8 * (1 - _inside(boxes, homes[i]))
        best = int(cost.argmin())
        centers[i] = (float(options[best, 0]), float(options[best, 1]))
        taken.append(tuple(boxes[best]))
    return centers


def _options(anchor: Floats, size: Floats, radius: float, frame: Floats) -> Floats:
    """Centers to try, nearest first: around a marker, or anywhere near the middle of a region."""
    reach = 0.25 * max(frame[2] - frame[0], frame[3] - frame[1])
    rings = np.arange(0, reach, 5.0)[:, None, None]
    around = np.column_stack([np.cos(_ANGLES), np.sin(_ANGLES)])
    if radius:
        # On an ellipse through the corners of the box, so that a label keeps clear at every angle.
        near = np.clip(around * np.sqrt(2), -1, 1) * (size / 2 + radius + _GAP[1])
        centers: Floats = anchor + near + rings * around
    else:
        centers = anchor + rings * around
    return centers.reshape(-1, 2)


def _inside(boxes: Floats, home: Any) -> Floats:
    """Share of each box that lies in a region, from a grid of points in it."""
    steps = np.linspace(0, 1, 7)
    x = boxes[:, [0]] + (boxes[:, [2]] - boxes[:, [0]]) * np.tile(steps, 3)
    y = boxes[:, [1]] + (boxes[:, [3]] - boxes[:, [1]]) * np.repeat([0.0, 0.5, 1.0], len(steps))
    shapely.prepare(home)
    share: Floats = shapely.contains_xy(home, x, y).mean(axis=1)
    return share


def _within(boxes: Floats, frame: Floats) -> npt.NDArray[np.bool_]:
    left, bottom, right, top = boxes.T
    inside: npt.NDArray[np.bool_] = (
        (left >= frame[0]) & (bottom >= frame[1]) & (right <= frame[2]) & (top <= frame[3])
    )
    return inside


def _hits(boxes: Floats, taken: Sequence[tuple[float, ...]]) -> npt.NDArray[np.bool_]:
    """Which boxes come closer than a gap to one that is taken."""
    if not taken:
        return np.zeros(len(boxes), dtype=bool)
    left, bottom, right, top = (edge[:, None] for edge in boxes.T)
    others = np.array(taken).T
    hit = (left < others[2] + _GAP[0]) & (right > others[0] - _GAP[0])
    hit &= (bottom < others[3] + _GAP[1]) & (top > others[1] - _GAP[1])
    return np.asarray(hit.any(axis=1))
