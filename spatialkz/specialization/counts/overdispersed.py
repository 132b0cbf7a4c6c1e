"""Dartboard in which whole plants are thrown, not single jobs."""

from __future__ import annotations

import numpy as np

from spatialkz.resampling.pvalues import monte_carlo_tail
from spatialkz.specialization.counts.cells import Cells, Floats, Inference, Levels, no_notes
from spatialkz.specialization.counts.exact import effective_binomial

# Plants held at once over all resamples of a sector.
_BLOCK_PLANTS = 4_000_000


def effective_plants(cells: Cells, levels: Levels, herfindahl: Floats) -> Inference:
    r"""Binomial inference with :math:`1 / H_j` plants of equal size in place of :math:`q_j` jobs.

    Under the dartboard of Ellison & Glaeser (1997) the region's share of a sector has expectation
    :math:`s_i` and variance :math:`s_i (1 - s_i) H_j`, both matched here. Exact for plants of equal size,
    approximate for others.
    """
    return effective_binomial(cells, levels, 1 / np.broadcast_to(herfindahl, cells.count.shape))


def thrown_plants(
    cells: Cells, levels: Levels, plants: list[Floats], resamples: int, rng: np.random.Generator
) -> Inference:
    r"""Throw the given plants: exact but for the Monte-Carlo error.

    Each plant lands in the region with chance :math:`s_i\theta_{ij}`, independently. With one uniform number
    for each plant, a region of chance π holds the plants whose number is at most π; so one resample, plants
    in random order under sorted uniform numbers, tells for every chance at once whether the count is reached.
    The smallest such chance is a draw whose distribution function at :math:`s_i` is the tail probability and
    whose quantiles are the limits; for plants of one job it is the beta distribution of Clopper & Pearson.
    """
    low, high, above, below, least_above, least_below = (np.empty_like(cells.count) for _ in range(6))
    for j, stream in enumerate(rng.spawn(cells.count.shape[1])):
        where = (slice(None), j)
        column = cells[where]
        reached, passed = _critical_chances(column.count, np.sort(plants[j]), resamples, stream)
        share = column.share
        above[where] = monte_carlo_tail((reached <= share).sum(axis=0), resamples)
        below[where] = monte_carlo_tail((passed > share).sum(axis=0), resamples)
        low[where] = _order_statistic(reached, levels.low) / share
        high[where] = (1 - _order_statistic(1 - passed, levels.high)) / share
        least_above[where] = np.maximum(share ** len(plants[j]), 1 / (resamples + 1))
        least_below[where] = np.maximum((1 - share) ** len(plants[j]), 1 / (resamples + 1))
    return Inference(low, high, above, below, least_above, least_below, no_notes(low.shape))


def _critical_chances(
    count: Floats, sizes: Floats, resamples: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Chance at which each region reaches, and passes, its count; shape (resamples, regions)."""
    reached, passed = (np.empty((resamples, len(count))) for _ in range(2))
    block = max(1, _BLOCK_PLANTS // len(sizes))
    for start in range(0, resamples, block):
        rows = slice(start, min(start + block, resamples))
        size = rows.stop - rows.start
        jobs = np.cumsum(rng.permuted(np.tile(sizes, (size, 1)), axis=1), axis=1)
        # Uniform numbers in order are sums of exponential ones. Nothing is there below the first, and nothing
        # can be passed above the last.
        gaps = np.cumsum(rng.standard_exponential((size, len(sizes) + 1)), axis=1)
        chances = np.column_stack([np.zeros(size), gaps / gaps[:, -1:]])
        # One search for all resamples: each is moved beyond the one before.
        shift = np.arange(size)[:, np.newaxis] * (sizes.sum() + 1)
        jobs = np.column_stack([np.zeros(size), jobs]) + shift
        start_of = np.arange(size)[:, np.newaxis] * jobs.shape[1]
        first = np.searchsorted(jobs.ravel(), (count + shift).ravel(), side="left").reshape(size, -1)
        after = np.searchsorted(jobs.ravel(), (count + shift).ravel(), side="right").reshape(size, -1)
        reached[rows] = np.take_along_axis(chances, first - start_of, axis=1)
        passed[rows] = np.take_along_axis(chances, after - start_of, axis=1)
    return reached, passed


def _order_statistic(draws: Floats, level: float) -> Floats:
    """The draw up to which (b + 1) / (R + 1) stays within the level, by region."""
    if not level:
        return np.zeros(draws.shape[1])
    place = int(np.floor(level * (len(draws) + 1) + 1e-9)) - 1
    return np.asarray(np.partition(draws, place, axis=0)[place], dtype=np.float64)
