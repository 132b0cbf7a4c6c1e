"""Global tests whose statistic is a quadratic form of the permuted values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from spatialkz.inference import Floats
from spatialkz.options import Alternative
from spatialkz.spatial._checks import check_permutations
from spatialkz.spatial._frames import deviates, normal_parts, parts_of_columns
from spatialkz.spatial._moments import quadratic_moments
from spatialkz.spatial.engine import permuted_cross_products


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
