"""Least squares of many sectors on many covariates, one covariate at a time beside the same controls.

statsmodels fits one pair of them in about a millisecond; here all pairs share a few matrix products.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from spatialkz.options import Alternative
from spatialkz.resampling.pvalues import LEAST_OF_MODEL, Floats, tail_p_value

# Squared lengths below this share of what they were before a projection are rounding.
ROUNDING = 1e-20


@dataclass(frozen=True)
class Partialled:
    """What is left of n regions' k covariates and m sectors when constant and controls are taken out.

    Attributes
    ----------
    regressors : array, shape (n, k)
        Residuals of the covariates; 0 where nothing is left.
    responses : array, shape (n, m)
        Residuals of the sectors; 0 where nothing is left.
    basis : array, shape (n, q)
        Orthonormal, spans the centered controls.
    """

    regressors: Floats
    responses: Floats
    basis: Floats

    @classmethod
    def of(cls, covariates: Floats, responses: Floats, controls: Floats) -> Partialled:
        """Take constant and controls out of covariates and sectors."""
        centered = controls - controls.mean(axis=0)
        left, size, _ = np.linalg.svd(centered, full_matrices=False)
        # Controls may lose rank when regions are left out.
        basis = left[:, size > 1e-10 * size.max(initial=0.0)]
        return cls(_residuals(covariates, basis), _residuals(responses, basis), basis)

    def covariates(self, which: NDArray[np.intp]) -> Partialled:
        """The same with some of the covariates."""
        return Partialled(self.regressors[:, which], self.responses, self.basis)

    def sectors(self, some: slice) -> Partialled:
        """The same with some of the sectors."""
        return Partialled(self.regressors, self.responses[:, some], self.basis)

    @property
    def squares(self) -> Floats:
        """Squared lengths of the regressors, shape (k,)."""
        squares: Floats = np.einsum("ik,ik->k", self.regressors, self.regressors)
        return squares

    @property
    def response_squares(self) -> Floats:
        """Squared lengths of the responses, shape (m,)."""
        squares: Floats = np.einsum("im,im->m", self.responses, self.responses)
        return squares

    @property
    def degrees(self) -> int:
        """Degrees of freedom of the residuals."""
        return len(self.regressors) - int(self.basis.shape[1]) - 2

    def slopes(self) -> Floats:
        """Slope of each sector on each covariate, shape (k, m); 0 where the covariate has no variation."""
        found: Floats = self.regressors.T @ self.responses / positive(self.squares)[:, None]
        return found

    def correlations(self) -> Floats:
        """Partial correlations, shape (k, m); 0 where a side has no variation."""
        scale = np.sqrt(positive(self.squares))[:, None] * np.sqrt(positive(self.response_squares))
        found: Floats = np.clip(self.regressors.T @ self.responses / scale, -1.0, 1.0)
        return found

    def leverages(self) -> Floats:
        """Diagonal of the hat matrix of constant, controls and each covariate, shape (n, k)."""
        own = self.regressors**2 / positive(self.squares)
        found: Floats = 1 / len(own) + (self.basis**2).sum(axis=1)[:, None] + own
        return found

    @property
    def alone(self) -> NDArray[np.bool_]:
        """Regions of leverage 1, which decide a coefficient alone and have no residual, shape (n, k)."""
        return self.leverages() > 1 - 1e-10

    def robust(self) -> tuple[Floats, Floats]:
        r"""Standard errors that hold for unequal variances, and degrees of freedom for their t.

        .. math:: V = \frac{\sum_i w_i e_i^2}{S^2}, \quad w_i = \frac{x_i^2}{1 - h_i}, \qquad
            \nu = \frac{S^2}{\sum_{ij} w_i w_j M_{ij}^2}

        with x the residual of the covariate on the controls, S its squared length, h leverages and M the
        residual maker of the model: MacKinnon & White's HC2, which is CR2 of Bell & McCaffrey with a cluster
        for each region, and its Satterthwaite degrees of freedom under equal variances. A region of
        leverage 1 has no residual and no weight, as in R's clubSandwich.

        Returns
        -------
        array, shape (k, m)
            Standard errors of the slopes.
        array, shape (k,)
            Degrees of freedom.
        """
        x, h, squares = self.regressors, self.leverages(), positive(self.squares)
        alone = self.alone
        weight = np.where(alone, 0.0, x**2 / np.where(alone, 1.0, 1 - h))
        slope = self.slopes()
        total = weight.T @ self.responses**2 - 2 * slope * ((weight * x).T @ self.responses)
        total += slope**2 * (weight * x**2).sum(axis=0)[:, None]
        error = np.sqrt(np.maximum(total, 0.0)) / squares[:, None]
        columns = np.hstack([np.full((len(x), 1), len(x) ** -0.5), self.basis])
        spread = (weight**2 * (1 - 2 * h)).sum(axis=0)
        for k, unit in enumerate((x / np.sqrt(squares)).T):
            hat = np.column_stack([columns, unit])
            spread[k] += ((hat.T @ (weight[:, k, None] * hat)) ** 2).sum()
        trace = (weight * (1 - h)).sum(axis=0)
        return error, trace**2 / positive(spread)


def robust_p_values(fit: Partialled, alternative: Alternative) -> tuple[Floats, Floats]:
    """p-values that hold for unequal variances, and their degrees of freedom.

    A slope that rests on one region (of leverage 1) has the error of that region, of which the others tell
    nothing: its p-value is 1.
    """
    error, df = fit.robust()
    slope = fit.slopes()
    parts = fit.regressors**2 > ROUNDING * fit.squares
    error[(fit.alone & parts).any(axis=0)] = np.inf
    with np.errstate(divide="ignore", invalid="ignore"):
        # Without error there is no doubt of a slope, and none of one that is 0 either.
        t = np.where(slope == 0, 0.0, slope / error)
    above, below = (stats.t.sf(side * t, np.maximum(df, 1e-3)[:, None]) for side in (1, -1))
    return tail_p_value(above, below, alternative, LEAST_OF_MODEL), df


def expected_without(fit: Partialled, y: Floats, used: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Mean over the covariates of what each leads to expect of a region that was left out; and its skill."""
    base = 1 / len(y) + (fit.basis**2).sum(axis=1)
    alone = _predicted(y, fit.responses, base)
    leverages, marked, slopes = fit.leverages(), fit.alone, fit.slopes()
    total, count = np.zeros_like(y), used.sum(axis=0)
    for k in range(len(used)):
        residual = fit.responses - fit.regressors[:, k, None] * slopes[k]
        # A region that alone has the covariate is told nothing by the others.
        told = np.where(marked[:, k, None], alone, _predicted(y, residual, leverages[:, k]))
        total += np.where(used[k], told, 0.0)
    expected = np.where(count, total / np.maximum(count, 1), alone)
    mean = _predicted(y, y - y.mean(axis=0), np.full(len(y), 1 / len(y)))
    return expected, 1 - ((y - expected) ** 2).sum(axis=0) / ((y - mean) ** 2).sum(axis=0)


def _predicted(y: Floats, residual: Floats, leverage: Floats) -> Floats:
    """What a fit without a region predicts for it."""
    found: Floats = y - residual / np.maximum(1 - leverage, 1e-10)[:, None]
    return found


def positive(squares: Floats) -> Floats:
    """The same, with infinity in place of 0, so that quotients become 0."""
    return np.where(squares > 0, squares, np.inf)


def _residuals(columns: Floats, basis: Floats) -> Floats:
    centered = columns - columns.mean(axis=0)
    left = centered - basis @ (basis.T @ centered)
    # Twice is enough for residuals that are orthogonal to the last digit.
    left -= basis @ (basis.T @ left)
    size = np.maximum((columns**2).sum(axis=0), np.finfo(np.float64).tiny)
    return np.where((left**2).sum(axis=0) > ROUNDING * size, left, 0.0)
