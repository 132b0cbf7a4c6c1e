r"""Tail probabilities of weighted sums of chi-squares, :math:`Q = \sum_k a_k \chi^2_1`."""

from __future__ import annotations

import numpy as np
from scipy import optimize, stats

from spatialkz.inference import Floats

# Nodes of the trapezoid rule. The integrand is analytic within π/4 of the line, so the error is below 1e-20.
_NODES = np.arange(0.0, 40.0, 0.1)


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


def saddlepoint_probability(coefficients: Floats) -> float:
    """P(Q > 0) by :func:`saddlepoint_deviate`."""
    return float(stats.norm.sf(saddlepoint_deviate(coefficients)))
