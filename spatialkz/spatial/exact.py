"""Distribution of Moran's I for normal values or regression residuals: exact and by saddlepoint."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import optimize, stats
from scipy.sparse import csr_array

from spatialkz.errors import InputError
from spatialkz.inference import Floats, tail_p_value
from spatialkz.options import Alternative, NormalTheory
from spatialkz.spatial._imhof import positive_probability, saddlepoint_deviate

# All eigenvalues of a dense matrix are needed: about a minute and 1 GB at this size.
_MOST_REGIONS = 5000
# Spread of eigenvalues, as a share of the largest, that is rounding.
_SAME = 1e-10


def residual_basis(weights: csr_array, design: Floats | None = None) -> tuple[Floats, Floats]:
    r"""Orthonormal basis of the residuals, and the matrix of Moran's I in it.

    Parameters
    ----------
    weights : csr_array, shape (n, n)
    design : array, shape (n, p), optional
        Regressors of full column rank; left out, the constant alone.

    Returns
    -------
    basis : array, shape (n, n − p)
        :math:`B` with :math:`B'B = 1` and :math:`B'X = 0`, so that :math:`M = BB'`.
    form : array, shape (n − p, n − p)
        :math:`A = \frac{n}{S_0} B' \tfrac12 (W + W') B`, so that :math:`I = u'Au / u'u` for :math:`u = B'y`.

    Raises
    ------
    InputError
        If there are more than 5000 regions, or fewer than 3 more regions than regressors.
    """
    n = weights.shape[0]
    if n > _MOST_REGIONS:
        raise InputError(
            f"The exact distribution needs all eigenvalues of a {n} × {n} matrix, which is done up to "
            f"{_MOST_REGIONS} regions; with so many the normal or permutation method serves as well."
        )
    design = np.ones((n, 1)) if design is None else design
    p = design.shape[1]
    if n - p < 3:
        raise InputError(f"{n} regions leave {n - p} degrees of freedom beside {p} regressors; 3 are needed.")
    basis = np.linalg.qr(design, mode="complete")[0][:, p:]
    half = basis.T @ (weights @ basis)
    return basis, (half + half.T) * (n / (2 * weights.sum()))


def moran_spectrum(weights: csr_array, design: Floats | None = None) -> Floats:
    """Eigenvalues λ of the matrix of Moran's I: under the null, I is distributed as Σ λ χ² / Σ χ².

    See :func:`residual_basis`; there are n − p of them, in increasing order.
    """
    return np.asarray(np.linalg.eigvalsh(residual_basis(weights, design)[1]), dtype=np.float64)


def spectrum_moments(spectrum: Floats) -> tuple[float, float]:
    r"""Mean and variance of Moran's I for independent normal errors.

    .. math:: E = \bar\lambda, \qquad V = \frac{2 \sum_k (\lambda_k - \bar\lambda)^2}{m (m + 2)}

    with *m* = n − p eigenvalues (Tiefelsdorf & Boots 1995, eq. 9).
    """
    m = len(spectrum)
    return float(spectrum.mean()), float(2 * ((spectrum - spectrum.mean()) ** 2).sum() / (m * (m + 2)))


def is_fixed(spectrum: Floats) -> bool:
    """Whether Moran's I is the same for all values, as where every region neighbors all others alike."""
    return bool(np.ptp(spectrum) <= _SAME * np.abs(spectrum).max())


def moran_tails(
    statistic: float, spectrum: Floats, method: NormalTheory = "exact"
) -> tuple[float, float, float]:
    r"""P(I ≥ statistic), P(I ≤ statistic), and the standard normal deviate with the same upper tail.

    .. math:: P(I \ge c) = P\Big(\sum_k (\lambda_k - c) \chi^2_{1k} \ge 0\Big)

    Parameters
    ----------
    statistic : float
    spectrum : array
        From :func:`moran_spectrum`.
    method : {"exact", "saddlepoint", "normal"}
        Imhof's integral, Barndorff-Nielsen's formula, or the first two moments.

    References
    ----------
    Tiefelsdorf & Boots (1995), *Environment and Planning A* 27, 985–999. Tiefelsdorf (2002), *Geographical
    Analysis* 34, 187–206.
    """
    if method == "exact":
        above, below = positive_probability(spectrum - statistic), positive_probability(statistic - spectrum)
        return above, below, float(stats.norm.isf(above) if above < 0.5 else stats.norm.ppf(below))
    if method == "saddlepoint":
        deviate = saddlepoint_deviate(spectrum - statistic)
    else:
        mean, variance = spectrum_moments(spectrum)
        deviate = (statistic - mean) / np.sqrt(variance)
    return float(stats.norm.sf(deviate)), float(stats.norm.cdf(deviate)), deviate


def moran_quantile(deviate: float, spectrum: Floats, method: NormalTheory = "exact") -> float:
    """Value of Moran's I whose upper tail is that of a standard normal ``deviate``."""
    if method == "normal" or is_fixed(spectrum):
        mean, variance = spectrum_moments(spectrum)
        return mean + deviate * float(np.sqrt(variance))
    edge = 1e-9 * (spectrum[-1] - spectrum[0])
    low, high = spectrum[0] + edge, spectrum[-1] - edge

    def gap(statistic: float) -> float:
        return moran_tails(statistic, spectrum, method)[2] - deviate

    return float(optimize.brentq(gap, low, high, xtol=1e-12))


def normal_theory_moran(
    statistic: Floats, spectrum: Floats, method: NormalTheory, alternative: Alternative
) -> dict[str, Floats]:
    """Expected value, variance, deviate, p-value and central 95 % of several values of Moran's I.

    Returns
    -------
    dict of arrays
        ``statistic, expected, variance, z, p_value, low, high``; where I is the same for all values, ``z`` is
        NaN and the p-value 1. ``z`` is the standard normal deviate with
        the same tail, which is not (statistic − expected) / √variance unless ``method`` is ``normal``.
    """
    mean, variance = spectrum_moments(spectrum)
    if is_fixed(spectrum):
        # What is left of differences is rounding, and no evidence.
        always, never = np.ones_like(statistic), np.full_like(statistic, np.nan)
        return {
            "statistic": statistic,
            "expected": mean * always,
            "variance": 0.0 * always,
            "z": never,
            "p_value": always,
            "low": mean * always,
            "high": mean * always,
        }
    above, below, deviate = np.array([moran_tails(float(s), spectrum, method) for s in statistic]).T
    edge = stats.norm.isf(0.025)
    like = np.ones_like(above)
    return {
        "statistic": statistic,
        "expected": mean * like,
        "variance": variance * like,
        "z": deviate,
        "p_value": tail_p_value(above, below, alternative),
        "low": moran_quantile(-edge, spectrum, method) * like,
        "high": moran_quantile(edge, spectrum, method) * like,
    }


def exact_moran(
    table: pd.DataFrame, weights: csr_array, method: NormalTheory, alternative: Alternative
) -> pd.DataFrame:
    """Moran's I of each column of a checked table with its normal-theory inference.

    Null hypothesis: the values are independent normal with one mean and variance. The distribution of I does
    not depend on either, so it is exact for any n; for skewed values it is an approximation.

    Parameters
    ----------
    table : DataFrame
        Finite, no constant column, rows in the order of ``weights``.
    weights : csr_array
        Row-standardized.
    method, alternative
        As in :func:`normal_theory_moran`.

    Returns
    -------
    DataFrame
        Index = columns of ``table``; columns ``statistic, expected, variance, z, p_value, low, high``.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> ring = csr_array(0.5 * (np.eye(5, k=1) + np.eye(5, k=-1) + np.eye(5, k=4) + np.eye(5, k=-4)))
    >>> table = pd.DataFrame({"x": [1.0, 2.0, 4.0, 3.0, 1.5]})
    >>> exact_moran(table, ring, "exact", "greater").loc["x", ["statistic", "p_value"]].round(4).tolist()
    [0.2672, 0.0374]
    """
    z = (table - table.mean()).to_numpy()
    scale = len(z) / (weights.sum() * (z**2).sum(axis=0))
    statistic = (z * (weights @ z)).sum(axis=0) * scale
    parts = normal_theory_moran(statistic, moran_spectrum(weights), method, alternative)
    return pd.DataFrame(parts, index=table.columns)
