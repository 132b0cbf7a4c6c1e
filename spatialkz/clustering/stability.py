"""How well clusters survive resampling of the regions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray


def bootstrap_jaccard(
    points: NDArray[np.float64],
    labels: NDArray[np.intp],
    fit: Callable[[NDArray[np.float64]], NDArray[np.intp]],
    resamples: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Mean Jaccard similarity of each cluster to its nearest cluster in bootstrap resamples.

    A resample in which fewer distinct regions than clusters occur is drawn again; a resample without a single
    member of a cluster says nothing of that cluster and does not count for it.

    Parameters
    ----------
    points : array, shape (regions, features)
    labels : array, shape (regions,)
        The clusters judged, numbered from 1.
    fit : callable
        Points → labels, by the method that made ``labels``.
    resamples : int
    rng : Generator

    Returns
    -------
    array, shape (clusters,)

    References
    ----------
    Hennig (2007), *Computational Statistics & Data Analysis* 52, 258–271.
    """
    member = labels[:, None] == np.arange(1, labels.max() + 1)
    total, counted = np.zeros(member.shape[1]), np.zeros(member.shape[1])
    done = 0
    while done < resamples:
        drawn = rng.integers(len(points), size=len(points))
        if len(np.unique(points[drawn], axis=0)) < member.shape[1]:
            continue
        found = fit(points[drawn])
        kept, first = np.unique(drawn, return_index=True)
        again = found[first][:, None] == np.unique(found)
        shared = member[kept].T.astype(float) @ again
        sizes = member[kept].sum(axis=0)
        jaccard = shared / (sizes[:, None] + again.sum(axis=0) - shared)
        present = sizes > 0
        total[present] += jaccard[present].max(axis=1)
        counted += present
        done += 1
    return total / np.maximum(counted, 1)
