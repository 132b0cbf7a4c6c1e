"""What becomes of the tests when a region, or a pair of regions, is left out."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spatialkz.options import Alternative
from spatialkz.prerequisites.least_squares import Partialled, robust_p_values
from spatialkz.prerequisites.permutation import Orders, p_values
from spatialkz.resampling.pvalues import Floats
from spatialkz.resampling.shuffles import Keys


def without_each(z: Floats, y: Floats, c: Floats, keys: Keys, alternative: Alternative) -> Floats:
    """Slope, r and both p-values without each region, shape (n, 4, k, m)."""
    n = len(z)
    drawn, found = Orders(n - 1, keys), []
    for region in range(n):
        kept = np.arange(n) != region
        part = Partialled.of(z[kept], y[kept], c[kept])
        p = p_values(z[kept], y[kept], c[kept], drawn, alternative)
        found.append([part.slopes(), part.correlations(), p, robust_p_values(part, alternative)[0]])
    return np.array(found)


def resting(
    influence: Floats, small: NDArray[np.bool_], regions: pd.Index, alpha: float
) -> tuple[Floats, NDArray[np.object_], NDArray[np.int_]]:
    """Largest p-value without a region; that region, and 1, where a small p-value is so no more."""
    if not len(influence):
        return (
            np.full(small.shape, np.nan),
            np.full(small.shape, "", object),
            np.zeros(small.shape, int),
        )
    p = influence[:, 2]
    worst = p.max(axis=0)
    on = small & (worst > alpha)
    names = regions.astype(str).to_numpy(dtype=object)[p.argmax(axis=0)]
    return worst, np.where(on, names, ""), on.astype(int)


def resting_on_pairs(
    z: Floats,
    y: Floats,
    c: Floats,
    keys: Keys,
    alternative: Alternative,
    sound: NDArray[np.bool_],
    regions: pd.Index,
    alpha: float,
) -> NDArray[np.object_]:
    """The pair of regions without which a sound p-value exceeds the level most; "" where none does that."""
    found = np.full(sound.shape, "", dtype=object)
    rows, columns = np.flatnonzero(sound.any(axis=1)), np.flatnonzero(sound.any(axis=0))
    if not len(rows):
        return found
    n = len(z)
    drawn, worst = Orders(n - 2, keys), np.full(sound.shape, alpha)
    cells = np.ix_(rows, columns)
    names = regions.astype(str)
    for first, second in combinations(range(n), 2):
        kept = np.delete(np.arange(n), [first, second])
        p = np.zeros(sound.shape)
        p[cells] = p_values(z[np.ix_(kept, rows)], y[np.ix_(kept, columns)], c[kept], drawn, alternative)
        undone = sound & (p > worst)
        found[undone] = f"{names[first]} and {names[second]}"
        worst[undone] = p[undone]
    return found
