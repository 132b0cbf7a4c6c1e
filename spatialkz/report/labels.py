"""Where the names on a map go: beside their regions, and never on top of each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

Floats = npt.NDArray[np.float64]

_ANGLES = np.linspace(0, 2 * np.pi, 24, endpoint=False)
_GAP = (6.0, 2.0)  # between labels, across and up: names on one line must not read as one


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
