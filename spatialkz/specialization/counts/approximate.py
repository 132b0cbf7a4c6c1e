"""Approximate inference on location quotients: delta method, bootstrap, and dartboards of whole plants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import special, stats

from spatialkz.errors import InputError
from spatialkz.resampling.pvalues import Floats, monte_carlo_tail
from spatialkz.specialization.counts.exact import binomial, effective_binomial, hypergeometric_mass, support
from spatialkz.specialization.counts.input import CountedCells, ErrorLevels, Inference, no_notes

# Draws held at once, so that memory does not grow with the number of regions.
_BLOCK_DRAWS = 4_000_000
# NumPy draws no hypergeometric numbers from larger populations.
_LARGEST_TOTAL = 1_000_000_000
_Draw = Callable[[CountedCells, tuple[int, int], np.random.Generator], Floats]
# Plants held at once over all resamples of a sector.
_BLOCK_PLANTS = 4_000_000


def delta(cells: CountedCells, levels: ErrorLevels) -> Inference:
    r"""Wald test and interval of log LQ, with the variance of :func:`log_quotient_variance`.

    No finite logarithm or no variance is left where a region has none or all of the sector, or the sector is
    the whole base; these cells get the exact binomial instead and a note.
    """
    variance = log_quotient_variance(cells)
    undefined = cells.one_sided | (variance <= 0)
    error = np.sqrt(np.where(undefined, 1.0, variance))
    count = np.where(undefined, 1.0, cells.count)
    log_quotient = np.log(count) + np.log(cells.total) - np.log(cells.sector) - np.log(cells.base)
    z = log_quotient / error
    largest = 1 / cells.share
    with np.errstate(over="ignore"):
        high = np.exp(log_quotient + stats.norm.isf(levels.high) * error)
    result = Inference(
        np.exp(log_quotient - stats.norm.isf(levels.low) * error),
        np.minimum(high, largest),
        stats.norm.sf(z),
        stats.norm.cdf(z),
        cells.share**cells.sector,
        np.exp(cells.sector * np.log1p(-cells.share)),
        no_notes(z.shape),
    )
    return result.replaced(
        undefined, binomial(cells[undefined], levels), "exact binomial: log LQ has no finite variance here"
    )


def log_quotient_variance(cells: CountedCells) -> Floats:
    r"""Variance of log LQ when each region's base is fixed and its sector count binomial.

    With :math:`p_k = q_{kj} / Q_k` and the region's share of the sector :math:`a = q_{ij} / q_j`,

    .. math:: \operatorname{Var} \log LQ_{ij} \approx \frac{(1 - a)^2 (1 - p_i)}{q_{ij}}
              + \sum_{k \ne i} \frac{q_{kj} (1 - p_k)}{q_j^2}

    which for small :math:`p` is :math:`1 / q_{ij} - 1 / q_j`. The two terms are the squared derivatives of
    :math:`\log p_i - \log \sum_k s_k p_k` by :math:`p_i` and :math:`p_k` times
    :math:`p_k (1 - p_k) / Q_k`. Cells without the sector are given 0.
    """
    share = cells.count / cells.sector
    spread = cells.count * (1 - cells.count / cells.base)
    others = (spread.sum(axis=0) - spread) / cells.sector**2
    own = (1 - share) ** 2 * spread / np.where(cells.count > 0, cells.count, 1.0) ** 2
    return np.where(cells.count > 0, own + np.maximum(others, 0.0), 0.0)


def parametric_bootstrap(
    cells: CountedCells, levels: ErrorLevels, resamples: int, rng: np.random.Generator
) -> Inference:
    """Draw the sector's jobs anew: by their observed shares for the interval, by base shares for the test.

    Totals of sectors and bases stay as they are. Drawing from the fitted multinomial is the same as drawing
    the jobs of the sector with replacement.
    """
    chance = np.where(cells.one_sided, 0.5, cells.count / cells.sector)
    acceleration = (1 - 2 * chance) / (6 * np.sqrt(cells.sector * chance * (1 - chance)))
    least = cells.share**cells.sector, np.exp(cells.sector * np.log1p(-cells.share))
    return _bootstrap(cells, levels, resamples, rng, (_fitted_jobs, _dartboard), acceleration, least)


def nonparametric_bootstrap(
    cells: CountedCells, levels: ErrorLevels, resamples: int, rng: np.random.Generator
) -> Inference:
    """Draw all jobs of the base with replacement for the interval; reassign them to sectors for the test.

    Both margins vary in the interval, and are kept in the test, whose null hypothesis is that of
    :func:`~spatialkz.specialization.exact.hypergeometric`. Resamples in which region or sector
    have no job are drawn again.
    """
    largest = cells.total.max()
    if largest >= _LARGEST_TOTAL:
        raise InputError(
            f"The nonparametric bootstrap draws from bases below {_LARGEST_TOTAL:,}, but this one has "
            f"{largest:,.0f}; the hypergeometric method tests the same hypothesis exactly."
        )
    count, sector, base, total = cells.count, cells.sector, cells.base, cells.total
    sizes = np.stack([count, sector - count, base - count, total - base - sector + count])
    influence = total * np.stack(
        [
            1 / np.maximum(count, 1) - 1 / sector - 1 / base + 1 / total,
            1 / total - 1 / sector,
            1 / total - 1 / base,
            1 / total,
        ]
    )
    # Without variance, where the sector is the whole base, there is nothing to accelerate.
    spread = np.maximum((sizes * influence**2).sum(axis=0), 1e-20)
    acceleration = (sizes * influence**3).sum(axis=0) / (6 * spread**1.5)
    fewest, most = support(cells)
    least = hypergeometric_mass(replace(cells, count=most)), hypergeometric_mass(replace(cells, count=fewest))
    return _bootstrap(cells, levels, resamples, rng, (_fitted_table, _reassigned), acceleration, least)


def _fitted_jobs(cells: CountedCells, size: tuple[int, int], rng: np.random.Generator) -> Floats:
    drawn = rng.binomial(_whole(cells.sector), _column(cells.count / cells.sector), size)
    return np.asarray(drawn / _column(cells.sector) / _column(cells.share), dtype=np.float64)


def _dartboard(cells: CountedCells, size: tuple[int, int], rng: np.random.Generator) -> Floats:
    return rng.binomial(_whole(cells.sector), _column(cells.share), size).astype(np.float64)


def _fitted_table(cells: CountedCells, size: tuple[int, int], rng: np.random.Generator) -> Floats:
    total = _whole(cells.total)
    share = _column(cells.count / cells.sector)
    elsewhere = _column((cells.base - cells.count) / np.maximum(cells.total - cells.sector, 1.0))
    sector, base, count = (np.zeros(size, dtype=np.int64) for _ in range(3))
    empty = np.ones(size, dtype=bool)
    while empty.any():
        rows = np.nonzero(empty)[0]
        sector[empty] = rng.binomial(total[rows, 0], (cells.sector / cells.total)[rows])
        count[empty] = rng.binomial(sector[empty], share[rows, 0])
        base[empty] = count[empty] + rng.binomial(total[rows, 0] - sector[empty], elsewhere[rows, 0])
        empty = (sector == 0) | (base == 0)
    return np.asarray(count / sector / (base / _column(cells.total)), dtype=np.float64)


def _reassigned(cells: CountedCells, size: tuple[int, int], rng: np.random.Generator) -> Floats:
    base, total = _whole(cells.base), _whole(cells.total)
    return rng.hypergeometric(base, total - base, _whole(cells.sector), size).astype(np.float64)


def _bootstrap(
    cells: CountedCells,
    levels: ErrorLevels,
    resamples: int,
    rng: np.random.Generator,
    draw: tuple[_Draw, _Draw],
    acceleration: Floats,
    least: tuple[Floats, Floats],
) -> Inference:
    """Draw sector by sector, each from a generator of its own, and sum up."""
    fitted, null = draw
    low, high, above, below = (np.empty_like(cells.count) for _ in range(4))
    regions, sectors = cells.count.shape
    block = max(1, _BLOCK_DRAWS // resamples)
    for j, stream in enumerate(rng.spawn(sectors)):
        for start in range(0, regions, block):
            where = (slice(start, start + block), j)
            part = cells[where]
            size = (len(part.count), resamples)
            simulated = null(part, size, stream)
            observed = _column(part.count)
            above[where] = monte_carlo_tail((simulated >= observed).sum(axis=1), resamples)
            below[where] = monte_carlo_tail((simulated <= observed).sum(axis=1), resamples)
            low[where], high[where] = _accelerated(
                fitted(part, size, stream), part, levels, acceleration[where]
            )
    smallest = 1 / (resamples + 1)
    result = Inference(
        low,
        np.minimum(high, 1 / cells.share),
        above,
        below,
        np.maximum(least[0], smallest),
        np.maximum(least[1], smallest),
        no_notes(low.shape),
    )
    constant = cells.one_sided
    exact = replace(
        binomial(cells[constant], levels),
        above=above[constant],
        below=below[constant],
        least_above=result.least_above[constant],
        least_below=result.least_below[constant],
    )
    return result.replaced(constant, exact, "exact binomial limits: resamples of none or all do not vary")


def _accelerated(
    quotients: Floats, cells: CountedCells, levels: ErrorLevels, acceleration: Floats
) -> tuple[Floats, Floats]:
    """BCa limits (Efron 1987): percentiles shifted for bias and skewness; ties count half."""
    resamples = quotients.shape[1]
    quotients = np.sort(quotients, axis=1)
    observed = _column(cells.count / cells.sector / cells.share)
    smaller = (quotients < observed * (1 - 1e-12)).sum(axis=1)
    larger = (quotients > observed * (1 + 1e-12)).sum(axis=1)
    bias = special.ndtri((resamples + smaller - larger + 1) / (2 * resamples + 2))

    def position(level: float) -> Floats:
        shifted = bias + special.ndtri(level)
        percent = special.ndtr(bias + shifted / (1 - acceleration * shifted))
        return np.asarray((resamples + 1) * percent, dtype=np.float64)

    rows = np.arange(len(quotients))
    low, high = np.zeros(len(rows)), 1 / cells.share
    if levels.low:
        low = quotients[rows, np.clip(np.floor(position(levels.low)), 1, resamples).astype(int) - 1]
    if levels.high:
        high = quotients[rows, np.clip(np.ceil(position(1 - levels.high)), 1, resamples).astype(int) - 1]
    return low, high


def _column(values: Floats) -> Floats:
    return values[:, np.newaxis]


def _whole(values: Floats) -> np.ndarray:
    return _column(values).astype(np.int64)


def effective_plants(cells: CountedCells, levels: ErrorLevels, herfindahl: Floats) -> Inference:
    r"""Binomial inference with :math:`1 / H_j` plants of equal size in place of :math:`q_j` jobs.

    Under the dartboard of Ellison & Glaeser (1997) the region's share of a sector has expectation
    :math:`s_i` and variance :math:`s_i (1 - s_i) H_j`, both matched here. Exact for plants of equal size,
    approximate for others.
    """
    return effective_binomial(cells, levels, 1 / np.broadcast_to(herfindahl, cells.count.shape))


def thrown_plants(
    cells: CountedCells, levels: ErrorLevels, plants: list[Floats], resamples: int, rng: np.random.Generator
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
