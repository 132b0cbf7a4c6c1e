"""Freedman–Lane permutations of all sectors on all covariates at once, and intervals by inverting them."""

from __future__ import annotations

import numpy as np

from spatialkz.prerequisites.least_squares import Partialled, positive
from spatialkz.resampling.pvalues import Floats


def permuted_correlations(fit: Partialled, order: np.ndarray) -> Floats:
    """Partial correlations under orders of the regions (a column each), shape (orders, k, m)."""
    x, q, e = fit.regressors, fit.basis, fit.responses
    cross = np.einsum("irk,im->rkm", x[order], e, optimize=True)
    lost = (np.einsum("irq,im->rqm", q[order], e, optimize=True) ** 2).sum(axis=1)
    scale = positive(fit.squares)[:, None] * positive(fit.response_squares - lost)[:, None, :]
    found: Floats = cross / np.sqrt(scale)
    return found
