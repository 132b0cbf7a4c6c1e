r"""Exact inference on location quotients: binomial, and hypergeometric with both margins fixed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import special, stats

from spatialkz.resampling.pvalues import Floats
from spatialkz.specialization.counts.input import CountedCells, ErrorLevels, Inference, no_notes

# Cells summed together: few enough to stay in cache, many enough to hide the cost of a call.
_CHUNK = 8192
# Terms below this share of their sum cannot change it.
_NEGLIGIBLE = 1e-17
_NEWTON_STEPS = 60
_EXACT_ERRORS = np.array(
    [0.0]
    + [
        special.gammaln(n + 1.0) - (n + 0.5) * np.log(float(n)) + n - 0.5 * np.log(2 * np.pi)
        for n in range(1, 16)
    ]
)


def binomial(cells: CountedCells, levels: ErrorLevels) -> Inference:
    r"""Dartboard test and Clopper–Pearson interval.

    Given the sector's total and the base shares, :math:`q_{ij} \sim B(q_j, s_i\theta_{ij})` with
    :math:`\theta_{ij}` the quotient of the cell; null hypothesis :math:`\theta_{ij} = 1`.
    """
    return effective_binomial(cells, levels, cells.sector)


def effective_binomial(cells: CountedCells, levels: ErrorLevels, trials: Floats) -> Inference:
    r"""Binomial inference as if the sector consisted of ``trials`` units of equal size.

    The tails are those of the beta distribution, which defines them for trials that are no whole number:
    :math:`P(X \ge x) = I_s(x, n - x + 1)`, and equating them with the level gives the limits of Clopper &
    Pearson (1934). With an effective number of trials the limits are those of Korn & Graubard (1998).
    """
    share = cells.share
    weight = trials / cells.sector
    hits, rest = weight * cells.count, weight * (cells.sector - cells.count)
    some, all_but_some = np.where(hits > 0, hits, 1.0), np.where(rest > 0, rest, 1.0)
    above = np.where(hits > 0, special.betainc(some, rest + 1, share), 1.0)
    below = np.where(rest > 0, special.betainc(all_but_some, hits + 1, 1 - share), 1.0)
    low = np.where(hits > 0, special.betaincinv(some, rest + 1, levels.low), 0.0)
    high = np.where(rest > 0, special.betainccinv(hits + 1, all_but_some, levels.high), 1.0)
    return Inference(
        low / share,
        high / share,
        above,
        below,
        share**trials,
        np.exp(trials * np.log1p(-share)),
        no_notes(share.shape),
    )


def hypergeometric(cells: CountedCells, levels: ErrorLevels) -> Inference:
    r"""Conditional test and interval with both margins fixed.

    Under the null hypothesis that region and sector are independent, every set of :math:`q_j` of the
    :math:`Q` jobs is equally likely to be the sector, so :math:`q_{ij}` is hypergeometric. With odds ratio
    :math:`\psi` it follows Fisher's noncentral hypergeometric distribution, whose tails give exact limits of
    :math:`\psi`; :func:`implied_quotient` turns them into quotients.
    """

    def solved(part: CountedCells) -> tuple[Floats, ...]:
        least, most = support(part)
        with np.errstate(divide="ignore"):
            highest_odds = 1 / _lowest_odds(_outside(part), levels.high)
        return (
            implied_quotient(_lowest_odds(part, levels.low), part),
            implied_quotient(highest_odds, part),
            *hypergeometric_tails(part),
            hypergeometric_mass(replace(part, count=most)),
            hypergeometric_mass(replace(part, count=least)),
        )

    flat = CountedCells(
        *(np.ravel(values) for values in (cells.count, cells.sector, cells.base, cells.total))
    )
    # Cells that need about as many terms are summed together.
    order = np.argsort(np.minimum(flat.count, np.minimum(flat.sector, flat.base) - flat.count))
    results = np.empty((6, flat.count.size))
    for start in range(0, flat.count.size, _CHUNK):
        chunk = order[start : start + _CHUNK]
        results[:, chunk] = solved(flat[chunk])
    low, high, above, below, least_above, least_below = results.reshape(6, *cells.count.shape)
    return Inference(low, high, above, below, least_above, least_below, no_notes(cells.count.shape))


def implied_quotient(odds_ratio: Floats, cells: CountedCells) -> Floats:
    r"""Quotient of a table with these margins and this odds ratio.

    .. math:: \frac{\mu (Q - Q_i - q_j + \mu)}{(Q_i - \mu)(q_j - \mu)} = \psi, \qquad
              \theta = \frac{\mu Q}{Q_i q_j}

    It increases with :math:`\psi` and is 1 exactly where :math:`\psi = 1`, so limits of one are limits of the
    other.
    """
    least, most = support(cells)
    psi = np.where(np.isfinite(odds_ratio), odds_ratio, 1.0)
    product = cells.base * cells.sector
    b = cells.total + (psi - 1) * (cells.base + cells.sector)
    root = np.sqrt(np.maximum(b**2 - 4 * psi * (psi - 1) * product, 0.0))
    # Of the two forms of the root, the one that subtracts nothing of nearly equal size.
    plain = 2 * psi * product / np.where(b >= 0, np.maximum(b + root, 1e-300), 1.0)
    other = (root - b) / np.where(b < 0, 2 * (1 - psi), 1.0)
    inner = np.where(b >= 0, plain, other)
    mean = np.where(odds_ratio <= 0, least, np.where(np.isfinite(odds_ratio), inner, most))
    return np.clip(mean, least, most) * (cells.total / product)


def hypergeometric_tails(cells: CountedCells) -> tuple[Floats, Floats]:
    """P(X ≥ x) and P(X ≤ x), shape (cells,): the outer tail is summed, the inner one its complement."""
    upper = cells.count * cells.total >= cells.base * cells.sector
    facing = CountedCells(
        np.where(upper, cells.count, cells.sector - cells.count),
        cells.sector,
        np.where(upper, cells.base, cells.total - cells.base),
        cells.total,
    )
    mass = hypergeometric_mass(facing)
    outer = np.minimum(mass * _ratio_sums(facing, np.ones_like(mass))[0], 1.0)
    inner = np.clip(1 - outer + mass, 0.0, 1.0)
    return np.where(upper, outer, inner), np.where(upper, inner, outer)


def hypergeometric_mass(cells: CountedCells) -> Floats:
    """Probability of exactly this count, by Loader's (2000) product of three binomial probabilities."""
    chance = cells.sector / cells.total
    return np.asarray(
        np.exp(
            _log_binomial(cells.count, cells.base, chance)
            + _log_binomial(cells.sector - cells.count, cells.total - cells.base, chance)
            - _log_binomial(cells.sector, cells.total, chance)
        ),
        dtype=np.float64,
    )


def support(cells: CountedCells) -> tuple[Floats, Floats]:
    """Smallest and largest count that the margins allow."""
    least = np.maximum(0.0, cells.base + cells.sector - cells.total)
    return least, np.minimum(cells.base, cells.sector)


def _outside(cells: CountedCells) -> CountedCells:
    """The same cells seen from the rest of the country, where high counts are low ones."""
    return CountedCells(cells.sector - cells.count, cells.sector, cells.total - cells.base, cells.total)


def _log_binomial(x: Floats, n: Floats, chance: Floats) -> Floats:
    """Log of the binomial probability without the cancellation of log-gamma functions (Loader 2000)."""
    inside = (x > 0) & (x < n)
    # Any numbers between the ends, where the ends are meant: they are put right below.
    k, m = np.where(inside, x, 1.0), np.where(inside, n, 2.0)
    p = np.where(inside, chance, 0.5)
    middle = (
        _stirling_error(m)
        - _stirling_error(k)
        - _stirling_error(m - k)
        - _deviance(k, m * p)
        - _deviance(m - k, m * (1 - p))
        + 0.5 * np.log(m / (2 * np.pi * k * (m - k)))
    )
    ends = np.where(x == 0, special.xlog1py(n, -chance), special.xlogy(n, chance))
    return np.asarray(np.where(inside, middle, ends), dtype=np.float64)


def _stirling_error(n: Floats) -> Floats:
    """What Stirling's formula lacks of log n!."""
    inverse = 1 / np.maximum(n, 16.0)
    square = inverse**2
    series = inverse * (
        1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188)))
    )
    return np.where(n < 16, _EXACT_ERRORS[np.minimum(n, 15).astype(int)], series)


def _deviance(x: Floats, mean: Floats) -> Floats:
    """Saddle-point deviance x log(x / mean) + mean − x, accurate also where x is near the mean."""
    v = (x - mean) / (x + mean)
    total = (x - mean) * v
    power = 2 * x * v
    for j in range(1, 9):
        power = power * v * v
        total = total + power / (2 * j + 1)
    return np.where(np.abs(v) < 0.1, total, x * np.log(x / mean) + mean - x)


def _lowest_odds(cells: CountedCells, level: float) -> Floats:
    """Odds ratio at which P(X ≥ x) equals the level; 0 where every odds ratio allows x.

    Newton's method on log P against log ψ. Log P is increasing and concave, so that after one step all
    iterates approach the solution from the left.
    """
    result = np.zeros_like(cells.count)
    open_ = cells.count > support(cells)[0]
    if level <= 0 or not open_.any():
        return result
    todo = cells[open_]
    beta = _first_guess(todo, level)
    active = np.arange(len(beta))
    for _ in range(_NEWTON_STEPS):
        odds = np.exp(beta[active])
        here = todo[active]
        up, up_mean = _ratio_sums(here, odds)
        down, down_mean = _ratio_sums(_outside(here), 1 / odds)
        whole = up + down - 1
        slope = up_mean / up - (up_mean - down_mean) / whole
        step = (np.log(up / whole) - np.log(level)) / slope
        # A stride of 5 multiplies the odds by 150: more than any limit is off, and nothing overflows.
        beta[active] -= np.clip(step, -5.0, 5.0)
        # The error left is of the order of the step squared.
        active = active[np.abs(step) > 1e-8]
        if not len(active):
            break
    else:
        raise ArithmeticError(f"No limit of the odds ratio found for {len(active)} cells.")
    result[open_] = np.exp(beta)
    return result


def _first_guess(cells: CountedCells, level: float) -> Floats:
    """Log odds ratio near the limit: Wilson & Hilferty's cube, with the table's variance."""
    least, _ = support(cells)
    x = cells.count
    rest = cells.total - cells.base - cells.sector
    with np.errstate(divide="ignore"):
        variance = 1 / (1 / x + 1 / (cells.base - x) + 1 / (cells.sector - x) + 1 / (rest + x))
    spread = stats.norm.isf(level) * np.sqrt(np.maximum(variance, 0.25)) / x
    mean = x * np.maximum(1 - 1 / (9 * x) - spread / 3, 0.2) ** 3
    mean = np.maximum(mean, least + 0.1 * (x - least))
    return np.asarray(
        np.log(mean) + np.log(rest + mean) - np.log(cells.base - mean) - np.log(cells.sector - mean),
        dtype=np.float64,
    )


def _ratio_sums(cells: CountedCells, odds: Floats) -> tuple[Floats, Floats]:
    r"""Sums over :math:`m \ge 0` of :math:`f(x + m) / f(x)` and of *m* times it, f with odds ratio ψ.

    All terms are positive and follow from each other by one multiplication, so nothing cancels.
    """
    x, size = cells.count, cells.count.size
    sums, means = np.ones(size), np.zeros(size)
    alive = np.arange(size)
    state = np.stack(
        [
            np.ones(size),
            np.ones(size),
            np.zeros(size),
            odds,
            cells.base - x,
            cells.sector - x,
            x + 1,
            cells.total - cells.base - cells.sector + x + 1,
        ]
    )
    m = 0
    while alive.size:
        term, total, mean, odds, in_region, in_sector, have, free = state
        for _ in range(8):
            term *= odds * (in_region * in_sector / (have * free))
            m += 1
            total += term
            mean += m * term
            in_region -= 1
            in_sector -= 1
            have += 1
            free += 1
        more = term > _NEGLIGIBLE * total
        if np.count_nonzero(more) < 0.9 * alive.size:
            sums[alive], means[alive] = total, mean
            alive, state = alive[more], state[:, more]
    return sums, means
