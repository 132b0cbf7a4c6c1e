"""Moran's I of normal values or of residuals: its exact distribution (Imhof), and by saddlepoint."""

from __future__ import annotations

import numpy as np
from scipy import optimize, stats
from scipy.sparse import csr_array

from spatialkz.errors import InputError
from spatialkz.options import Alternative, NormalTheory
from spatialkz.resampling.pvalues import LEAST_OF_MODEL, Floats, tail_p_value

# All eigenvalues of a dense matrix are needed: about a minute and 1 GB at this size.
_MOST_REGIONS = 5000
# Spread of eigenvalues, as a share of the largest, that is rounding.
_SAME = 1e-10
# Nodes of the trapezoid rule. The integrand is analytic within π/4 of the line, so the error is below 1e-20.
_NODES = np.arange(0.0, 40.0, 0.1)


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
        raise InputError(
            f"{n} regions and {p} regressors leave {n - p} degrees of freedom; at least 3 are needed."
        )
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
    statistic: float, spectrum: Floats, method: NormalTheory = "exact-normal"
) -> tuple[float, float, float]:
    r"""P(I ≥ statistic), P(I ≤ statistic), and the standard normal deviate with the same upper tail.

    .. math:: P(I \ge c) = P\Big(\sum_k (\lambda_k - c) \chi^2_{1k} \ge 0\Big)

    Parameters
    ----------
    statistic : float
    spectrum : array
        From :func:`moran_spectrum`.
    method : {"exact-normal", "saddlepoint", "normal"}
        Imhof's integral, Barndorff-Nielsen's formula, or the first two moments.

    References
    ----------
    Tiefelsdorf & Boots (1995), *Environment and Planning A* 27, 985–999. Tiefelsdorf (2002), *Geographical
    Analysis* 34, 187–206.
    """
    if method == "exact-normal":
        above, below = positive_probability(spectrum - statistic), positive_probability(statistic - spectrum)
        return above, below, float(stats.norm.isf(above) if above < 0.5 else stats.norm.ppf(below))
    if method == "saddlepoint":
        deviate = saddlepoint_deviate(spectrum - statistic)
    else:
        mean, variance = spectrum_moments(spectrum)
        deviate = (statistic - mean) / np.sqrt(variance)
    return float(stats.norm.sf(deviate)), float(stats.norm.cdf(deviate)), deviate


def moran_quantile(deviate: float, spectrum: Floats, method: NormalTheory = "exact-normal") -> float:
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
        the same tail, which is not (statistic − expected) / √variance unless ``method`` is ``normal``. A
        p-value of 2.2e-16 stands for any smaller one.
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
        "p_value": tail_p_value(above, below, alternative, LEAST_OF_MODEL),
        "low": moran_quantile(-edge, spectrum, method) * like,
        "high": moran_quantile(edge, spectrum, method) * like,
    }


def positive_probability(coefficients: Floats) -> float:
    r"""P(Q > 0), to full relative accuracy however small it is.

    Imhof's integral, its path moved from the imaginary axis to the vertical line through the saddlepoint
    :math:`s_0 > 0` of the integrand, where it does not oscillate:

    .. math:: P(Q > 0) = \frac{1}{\pi} \int_0^\infty \Re \frac{e^{K(s_0 + it)}}{s_0 + it} dt, \qquad
        K(s) = -\tfrac12 \sum_k \log(1 - 2 s a_k)

    Parameters
    ----------
    coefficients : array, shape (terms,)

    References
    ----------
    Imhof (1961), *Biometrika* 48, eq. 3.2; Rice (1980), *SIAM Journal on Scientific and Statistical
    Computing* 1, 438–448.

    Examples
    --------
    Twice the difference of two exponentials is positive half of the time.

    >>> round(positive_probability(np.array([1.0, 1.0, -1.0, -1.0])), 12)
    0.5
    """
    scale = np.abs(coefficients).max(initial=0.0)
    if scale == 0 or coefficients.max() <= 1e-14 * scale:
        return 0.0
    if coefficients.min() >= -1e-14 * scale:
        return 1.0
    a = coefficients / scale
    end = 0.5 / a.max()

    def slope(share: float) -> float:
        # Derivative of K(s) − log(s), times s: increasing from −1 to ∞.
        s = share * end
        return float((s * a / (1 - 2 * s * a)).sum() - 1.0)

    share = optimize.brentq(slope, 1e-12, 1 - 1e-12, xtol=1e-10) if slope(1 - 1e-12) > 0 else 1 - 1e-12
    s0 = share * end
    curvature = (2 * (a / (1 - 2 * s0 * a)) ** 2).sum() + 1 / s0**2
    step = 1 / np.sqrt(curvature)
    line = s0 + 1j * step * np.sinh(_NODES)
    logs = -0.5 * np.log1p(-2 * np.multiply.outer(line, a)).sum(axis=1)
    heights = (np.exp(logs) / line).real * step * np.cosh(_NODES)
    heights[0] /= 2
    return float(min(1.0, max(0.0, heights.sum() * (_NODES[1] - _NODES[0]) / np.pi)))


def saddlepoint_deviate(coefficients: Floats) -> float:
    r"""Deviate *r\** of Barndorff-Nielsen's saddlepoint formula, standard normal in good approximation.

    .. math:: r^* = r - \frac1r \log\frac{r}{u}, \quad r = \mathrm{sgn}(\omega) \sqrt{\textstyle\sum_k
        \log(1 - 2 \omega a_k)}, \quad u = \omega \sqrt{\textstyle 2 \sum_k a_k^2 / (1 - 2 \omega a_k)^2}

    with ω the root of :math:`K'(\omega) = 0`; then :math:`P(Q > 0) \approx 1 - \Phi(r^*)`.

    References
    ----------
    Tiefelsdorf (2002), *Geographical Analysis* 34, 187–206; ``spdep::lm.morantest.sad``.
    """
    scale = np.abs(coefficients).max(initial=0.0)
    if scale == 0 or coefficients.max() <= 1e-14 * scale:
        return np.inf
    if coefficients.min() >= -1e-14 * scale:
        return -np.inf
    a = coefficients / scale
    low, high = 0.5 / a.min(), 0.5 / a.max()

    def slope(omega: float) -> float:
        return float((a / (1 - 2 * omega * a)).sum())

    inside = 1 - 1e-12
    omega = optimize.brentq(slope, low * inside, high * inside, xtol=1e-15, rtol=1e-14)
    root = np.sqrt(max(0.0, float(np.log1p(-2 * omega * a).sum())))
    if root < 1e-4:
        # The formula is 0/0 here; its limit is a sixth of the skewness of Q.
        return float(8 * (a**3).sum() / (2 * (a**2).sum()) ** 1.5 / 6)
    r = np.copysign(root, omega)
    u = omega * np.sqrt(2 * ((a / (1 - 2 * omega * a)) ** 2).sum())
    return float(r - np.log(r / u) / r)
