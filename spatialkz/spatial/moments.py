"""Global tests whose statistic is a quadratic form of the permuted values, and the moments of such forms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from spatialkz.options import Alternative
from spatialkz.resampling.checks import check_permutations
from spatialkz.resampling.engine import permuted_cross_products
from spatialkz.resampling.pvalues import Floats, deviates, normal_parts, parts_of_columns


@dataclass(frozen=True)
class QuadraticForm:
    r"""A statistic :math:`a_k (\sum_{ij} w_{ij} v_{ik} v_{jk} + \sum_i d_i v_{ik}^2)` of each variable *k*.

    Attributes
    ----------
    values : array, shape (regions, variables)
        What is permuted.
    weights : csr_array, shape (regions, regions)
    scale : array, shape (variables,)
        :math:`a_k`, the same for every permutation.
    diagonal : array, shape (regions,), optional
    """

    values: Floats
    weights: csr_array
    scale: Floats
    diagonal: Floats | None = None

    def observed(self) -> Floats:
        """Return the statistic of the values as they stand."""
        terms = self.values * (self.weights @ self.values)
        if self.diagonal is not None:
            terms += self.diagonal[:, None] * self.values**2
        return np.asarray(self.scale * terms.sum(axis=0), dtype=np.float64)

    def moments(self) -> tuple[Floats, Floats]:
        """Mean and variance over all arrangements of the values."""
        mean, variance = quadratic_moments(self.values, self.weights, self.diagonal)
        return self.scale * mean, self.scale**2 * variance


def quadratic_test(
    form: QuadraticForm,
    *,
    method: str,
    permutations: int,
    alternative: Alternative,
    seeds: np.random.SeedSequence,
    moments: tuple[Floats, Floats] | None = None,
) -> tuple[dict[str, Floats], tuple[Floats, Floats, Floats]]:
    """Columns of the table, and p-value with the central 95 % under the null.

    The same ``seeds`` give several forms the same permutations. ``moments`` are other than those over all
    arrangements, for a null hypothesis other than randomization.
    """
    statistic = form.observed()
    expected, variance = form.moments() if moments is None else moments
    z = deviates(statistic, expected, variance)
    columns = {"statistic": statistic, "expected": expected, "variance": variance, "z": z}
    if method != "permutation":
        return columns, normal_parts(z, expected, variance, alternative)
    check_permutations(permutations)

    def simulate(some: slice) -> tuple[Floats, Floats]:
        draws, values = np.random.default_rng(seeds), np.ascontiguousarray(form.values[:, some])
        products = permuted_cross_products(values, form.weights, permutations, draws, diagonal=form.diagonal)
        return statistic[some], np.broadcast_to(form.scale, statistic.shape)[some] * products

    return columns, parts_of_columns(simulate, len(statistic), permutations, alternative)


def quadratic_moments(
    values: Floats, weights: csr_array, diagonal: Floats | None = None
) -> tuple[Floats, Floats]:
    r"""Mean and variance of the form of :func:`permuted_cross_products` over all arrangements.

    .. math:: T = \sum_{i \ne j} w_{ij} v_i v_j + \sum_i d_i v_i^2

    With power sums :math:`p_r = \sum_i v_i^r` every moment :math:`E[v_a v_b v_c v_d]` of distinct regions is
    a polynomial in them; the weights enter by :math:`S_0, S_1, S_2` and the sums of *d*.

    Parameters
    ----------
    values : array, shape (regions, variables)
        At least 4 regions.
    weights : csr_array, shape (regions, regions)
        Zero on the diagonal.
    diagonal : array, shape (regions,), optional
        :math:`d_i`; left out, 0.

    Returns
    -------
    tuple of arrays, shape (variables,)

    References
    ----------
    Cliff & Ord (1981), *Spatial Processes*, ch. 2.
    """
    n = len(values)
    p1, p2, p3, p4 = ((values**r).sum(axis=0) for r in (1, 2, 3, 4))
    pairs, triples = n * (n - 1), n * (n - 1) * (n - 2)
    m2, m4 = p2 / n, p4 / n
    m11 = (p1**2 - p2) / pairs
    m31 = (p3 * p1 - p4) / pairs
    m22 = (p2**2 - p4) / pairs
    m211 = (p2 * p1**2 - 2 * p3 * p1 - p2**2 + 2 * p4) / triples
    m1111 = (p1**4 - 6 * p1**2 * p2 + 8 * p1 * p3 + 3 * p2**2 - 6 * p4) / (triples * (n - 3))
    s0, s1, s2, ends = weight_sums(weights)
    mean = s0 * m11
    square = s1 * m22 + (s2 - 2 * s1) * m211 + (s0**2 - s2 + s1) * m1111
    if diagonal is not None:
        total, squares, touching = diagonal.sum(), (diagonal**2).sum(), (diagonal * ends).sum()
        mean = mean + total * m2
        square = square + 2 * (touching * m31 + (s0 * total - touching) * m211)
        square = square + squares * m4 + (total**2 - squares) * m22
    return mean, square - mean**2


def weight_sums(weights: csr_array) -> tuple[float, float, float, Floats]:
    r"""S0, S1, S2 of Cliff & Ord, and the row plus column sum of each region."""
    ends = np.asarray(weights.sum(axis=1) + weights.sum(axis=0), dtype=np.float64)
    both = weights + weights.T
    return float(weights.sum()), float(0.5 * (both.data**2).sum()), float((ends**2).sum()), ends


def bilinear_moments(x: Floats, y: Floats, weights: csr_array) -> tuple[Floats, Floats]:
    r"""Mean and variance of :math:`\sum_{i \ne j} w_{ij} x_i y_j` when pairs (x, y) move together.

    Parameters
    ----------
    x, y : array, shape (regions, pairs of variables)
        Centered; at least 4 regions.
    weights : csr_array, shape (regions, regions)
        Zero on the diagonal.

    Returns
    -------
    tuple of arrays, shape (pairs of variables,)

    References
    ----------
    Czaplewski & Reich (1993), *Expected value and variance of Moran's bivariate spatial autocorrelation
    statistic for a permutation test*, USDA Forest Service RM-309.
    """
    n = len(x)
    s20, s02, s11, s22 = ((x**a * y**b).sum(axis=0) for a, b in ((2, 0), (0, 2), (1, 1), (2, 2)))
    pairs, triples = n * (n - 1), n * (n - 1) * (n - 2)
    same = (s20 * s02 - s22) / pairs  # E[x_a² y_b²]
    crossed = (s11**2 - s22) / pairs  # E[x_a y_a x_b y_b]
    square_apart = (2 * s22 - s20 * s02) / triples  # E[x_a² y_b y_c] = E[x_a x_b y_c²]
    product_apart = (2 * s22 - s11**2) / triples  # E[x_a y_a y_b x_c]
    apart = (s20 * s02 + 2 * s11**2 - 6 * s22) / (triples * (n - 3))  # E[x_a y_b x_c y_d]
    out, into = weights.sum(axis=1), weights.sum(axis=0)
    s0 = weights.sum()
    squares = (weights.data**2).sum()
    returns = (weights * weights.T).sum()
    fork = (out**2).sum() + (into**2).sum() - 2 * squares
    chain = 2 * ((out * into).sum() - returns)
    mean = -s0 * s11 / pairs
    square = squares * same + returns * crossed + fork * square_apart + chain * product_apart
    square = square + (s0**2 - squares - returns - fork - chain) * apart
    return mean, square - mean**2
