"""Bootstrap of location quotients: the jobs of a sector, or all jobs of the base, are drawn again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import special

from spatialkz.errors import InputError
from spatialkz.resampling.pvalues import monte_carlo_tail
from spatialkz.specialization.counts.cells import Cells, Floats, Inference, Levels, no_notes
from spatialkz.specialization.counts.exact import binomial, hypergeometric_mass, support

# Draws held at once, so that memory does not grow with the number of regions.
_BLOCK_DRAWS = 4_000_000
# NumPy draws no hypergeometric numbers from larger populations.
_LARGEST_TOTAL = 1_000_000_000

_Draw = Callable[[Cells, tuple[int, int], np.random.Generator], Floats]


def parametric_bootstrap(cells: Cells, levels: Levels, resamples: int, rng: np.random.Generator) -> Inference:
    """Draw the sector's jobs anew: by their observed shares for the interval, by base shares for the test.

    Totals of sectors and bases stay as they are. Drawing from the fitted multinomial is the same as drawing
    the jobs of the sector with replacement.
    """
    chance = np.where(cells.one_sided, 0.5, cells.count / cells.sector)
    acceleration = (1 - 2 * chance) / (6 * np.sqrt(cells.sector * chance * (1 - chance)))
    least = cells.share**cells.sector, np.exp(cells.sector * np.log1p(-cells.share))
    return _bootstrap(cells, levels, resamples, rng, (_fitted_jobs, _dartboard), acceleration, least)


def nonparametric_bootstrap(
    cells: Cells, levels: Levels, resamples: int, rng: np.random.Generator
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


def _fitted_jobs(cells: Cells, size: tuple[int, int], rng: np.random.Generator) -> Floats:
    drawn = rng.binomial(_whole(cells.sector), _column(cells.count / cells.sector), size)
    return np.asarray(drawn / _column(cells.sector) / _column(cells.share), dtype=np.float64)


def _dartboard(cells: Cells, size: tuple[int, int], rng: np.random.Generator) -> Floats:
    return rng.binomial(_whole(cells.sector), _column(cells.share), size).astype(np.float64)


def _fitted_table(cells: Cells, size: tuple[int, int], rng: np.random.Generator) -> Floats:
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


def _reassigned(cells: Cells, size: tuple[int, int], rng: np.random.Generator) -> Floats:
    base, total = _whole(cells.base), _whole(cells.total)
    return rng.hypergeometric(base, total - base, _whole(cells.sector), size).astype(np.float64)


def _bootstrap(
    cells: Cells,
    levels: Levels,
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
    quotients: Floats, cells: Cells, levels: Levels, acceleration: Floats
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
