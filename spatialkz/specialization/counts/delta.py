"""Delta method on the logarithm of the location quotient."""

from __future__ import annotations

import numpy as np
from scipy import stats

from spatialkz.specialization.counts.cells import Cells, Floats, Inference, Levels, no_notes
from spatialkz.specialization.counts.exact import binomial


def delta(cells: Cells, levels: Levels) -> Inference:
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


def log_quotient_variance(cells: Cells) -> Floats:
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
