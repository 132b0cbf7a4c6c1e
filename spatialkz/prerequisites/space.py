"""Do neighbors matter beside the covariates: tests of the residuals, with their size and power."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from numpy.typing import NDArray
from scipy import stats
from scipy.sparse import csr_array, eye_array
from scipy.sparse.linalg import splu

from spatialkz.errors import GraphError, InputError, is_number, listing
from spatialkz.randomness import generator
from spatialkz.resampling.checks import check_share, checked
from spatialkz.resampling.pvalues import Floats, adjusted, check_number, simulated_p_value
from spatialkz.results import Result, json_ready
from spatialkz.spatial.normal_theory import moran_quantile, moran_spectrum, normal_theory_moran
from spatialkz.spatial.residuals import design_matrix, refuse_perfect_fit
from spatialkz.tables import check_table

#: Names of the tests.
TESTS = ("moran", "lm_error", "lm_lag", "robust_lm_error", "robust_lm_lag")
# Under which dependence the power of each test is told.
_OF_LAG = np.array(["lag" in test for test in TESTS])
# Share of the sum of squares that is rounding.
_ROUNDING = 1e-10


@dataclass(frozen=True, repr=False)
class SpatialDiagnostics(Result):
    """Result of :func:`spatial_diagnostics`.

    Attributes
    ----------
    table : DataFrame
        What :meth:`to_frame` returns.
    rho, alpha : float
        The dependence whose power is told, and the level of the tests.
    draws : int
        Simulated tables behind ``p_simulated``, ``size`` and ``power``.
    """

    table: pd.DataFrame
    rho: float
    alpha: float
    draws: int

    def to_frame(self) -> pd.DataFrame:
        """Index ``(variable, test)``; ``statistic, p_value, p_simulated, p_adjusted, size, power, n``."""
        return self.table.copy()

    def to_dict(self) -> dict[str, object]:
        """Tests by variable, ready for JSON."""
        by_variable = {
            str(name): json_ready(rows.droplevel("variable"))
            for name, rows in self.table.groupby(level="variable", sort=False)
        }
        return {"rho": self.rho, "alpha": self.alpha, "draws": self.draws, "variables": by_variable}

    def summary(self) -> str:
        """The table, with what it says of size and power."""
        return (
            f"Spatial dependence of residuals, n = {self.table['n'].iloc[0]}, {self.draws} simulated tables\n"
            f"Null hypothesis: errors are independent. size: how often p_value ≤ {self.alpha:g} then; "
            f"power: how often at ρ = {self.rho:g}.\n"
            f"{self.table.drop(columns='n').to_string(float_format='{:.4f}'.format)}"
        )


def spatial_diagnostics(
    values: pd.DataFrame | pd.Series,
    covariates: pd.DataFrame,
    graph: Graph,
    *,
    rho: float = 0.5,
    alpha: float = 0.05,
    draws: int = 1999,
    rng: int | np.random.Generator | None = None,
) -> SpatialDiagnostics:
    r"""Moran's I of OLS residuals and the four Lagrange multiplier tests, with their size and power here.

    .. math:: LM_{err} = \frac{a^2}{T}, \quad LM_{lag} = \frac{b^2}{D + T}, \quad
        LM_{err}^* = \frac{(a - b\,T / (D + T))^2}{T (1 - T / (D + T))}, \quad
        LM_{lag}^* = \frac{(b - a)^2}{D}

    with :math:`a = e'We / s^2`, :math:`b = e'Wy / s^2`, :math:`s^2 = e'e / n`,
    :math:`T = \mathrm{tr}(W'W + W^2)` and :math:`D = (WX\hat\beta)' M (WX\hat\beta) / s^2`.

    Null hypothesis: the errors of the regression are independent and normal with one variance. The χ² law of
    LM is that of many regions; for few, its true size stands beside it.

    Parameters
    ----------
    values : DataFrame or Series
        Dependent variables, in the form that is explained (log1p of quotients, for instance).
    covariates : DataFrame
        Regressors, rows the same regions in any order; a constant is added.
    graph : libpysal.graph.Graph
        Keyed by the same region labels, in any order; row-standardized here.
    rho : float
        Dependence at which the power is told, between −1 and 1: of the errors for Moran's I and the tests of
        error, of the values for the tests of lag. Coefficients and variance are those of the OLS fit.
    alpha : float
        Level of the tests.
    draws : int
        Number of simulated tables under independence and under ρ, at least 99.
    rng : int, Generator or None

    Returns
    -------
    SpatialDiagnostics
        Tests ``moran, lm_error, lm_lag, robust_lm_error, robust_lm_lag``. ``p_value`` is exact for normal
        errors for ``moran`` (Imhof, two-sided), of χ² with 1 degree of freedom for the others;
        ``p_simulated`` is the share of tables drawn from the OLS fit with normal errors that have a larger
        statistic, and is the one to read where ``size`` is not near ``alpha``; ``p_adjusted`` is that of
        Benjamini and Hochberg over the variables, from ``p_simulated``.

    Raises
    ------
    InputError
        If a cell is missing, a variable is constant, covariates are collinear, or the fit is perfect.
    RegionError, GraphError
        If graph, values and covariates differ in their regions, a region has no neighbor, or neighbors'
        covariates are combinations of the regions' own, so that error and lag cannot be told apart.

    References
    ----------
    Anselin, Bera, Florax & Yoon (1996), *Regional Science and Urban Economics* 26, 77–104, eqs. 8, 9, 12, 13
    (the power −1 in eq. 8 belongs inside the bracket).

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> quotients = study.table.values
    >>> found = spatial_diagnostics(quotients["electrical"], quotients[["chemical"]], study.graph, rng=1)
    >>> found.to_frame()["statistic"].round(3).droplevel("variable").to_dict()["lm_error"]
    4.16
    """
    if not is_number(rho) or not -1 < rho < 1:
        raise InputError(f"rho is {rho!r}; a number between -1 and 1 is needed.")
    check_share(alpha, "alpha")
    check_number(draws, "draws", 99)
    table, weights = checked(values, graph, transform="r", alternative="two-sided")
    given = check_table(covariates, name="covariates")
    design = design_matrix(given, table.index, name="covariates")
    multipliers = _Multipliers(weights, design)
    y = table.to_numpy()
    refuse_perfect_fit(multipliers.residuals(y), table)
    observed = multipliers(y)
    if lacking := [name for name, d in zip(table, multipliers.distinct(y), strict=True) if not d]:
        raise GraphError(
            f"The neighbors' covariates are a combination of the regions' own for {listing(lacking)}, so "
            "dependence of errors and of values cannot be told apart; choose another graph."
        )
    tail = float(stats.norm.isf(alpha / 2))
    spectrum = moran_spectrum(weights, design)
    exact = normal_theory_moran(observed[0], spectrum, "exact-normal", "two-sided")["p_value"]
    bounds = np.array([[-np.inf, float(stats.chi2.isf(alpha, 1))]] * len(TESTS))
    bounds[0] = [moran_quantile(-tail, spectrum), moran_quantile(tail, spectrum)]
    noise = generator(rng, "spatial_diagnostics").normal(size=(len(table), draws))
    dependent = splu((eye_array(len(table)) - rho * weights).tocsc())
    dependent_noise = dependent.solve(noise)
    rows = []
    for place in range(table.shape[1]):
        fitted, scale = multipliers.fit(y[:, [place]])
        free = multipliers(fitted + scale * noise)
        error = multipliers(fitted + scale * dependent_noise)
        lag = multipliers(dependent.solve(fitted) + scale * dependent_noise)
        bent = np.where(_OF_LAG[:, None], lag, error)
        p_value = stats.chi2.sf(observed[:, place], 1)
        p_value[0] = exact[place]
        p_simulated = simulated_p_value(observed[:, place], free.T, "greater")
        p_simulated[0] = simulated_p_value(observed[:1, place], free[:1].T, "two-sided")[0]
        size, power = (_outside(drawn, bounds) for drawn in (free, bent))
        rows.append(np.column_stack([observed[:, place], p_value, p_simulated, size, power]))
    index = pd.MultiIndex.from_product([table.columns, TESTS], names=["variable", "test"])
    columns = ["statistic", "p_value", "p_simulated", "size", "power"]
    found = pd.DataFrame(np.concatenate(rows), index=index, columns=columns)
    found.insert(3, "p_adjusted", found.groupby(level="test")["p_simulated"].transform(_adjusted))
    return SpatialDiagnostics(found.assign(n=len(table)), rho, alpha, draws)


def _adjusted(p_values: pd.Series) -> Floats:
    return adjusted(p_values.to_numpy())


def _outside(drawn: Floats, bounds: Floats) -> Floats:
    """Share of the draws of each test beyond its bounds."""
    outside = (drawn < bounds[:, :1]) | (drawn > bounds[:, 1:])
    return np.asarray(outside.mean(axis=1), dtype=np.float64)


class _Multipliers:
    """The statistics of many tables at once; :class:`spreg.LMtests` takes them one at a time."""

    def __init__(self, weights: csr_array, design: Floats) -> None:
        self.weights, self.scale = weights, len(design) / weights.sum()
        self.projection = np.linalg.qr(design)[0]
        self.degrees = len(design) - design.shape[1]
        self.trace = float(weights.multiply(weights).sum() + weights.multiply(weights.T).sum())

    def residuals(self, y: Floats) -> Floats:
        """What least squares leaves of each table."""
        return np.asarray(y - self.projection @ (self.projection.T @ y), dtype=np.float64)

    def fit(self, y: Floats) -> tuple[Floats, float]:
        """Fitted values, and the standard deviation of the errors without bias."""
        residuals = self.residuals(y)
        return y - residuals, float(np.sqrt((residuals**2).sum() / self.degrees))

    def distinct(self, y: Floats) -> NDArray[np.bool_]:
        """Whether the lag of the fitted values is more than a combination of the regressors."""
        lag = self.weights @ (y - self.residuals(y))
        left = (self.residuals(lag) ** 2).sum(axis=0)
        return np.asarray(left > _ROUNDING * (lag**2).sum(axis=0), dtype=np.bool_)

    def __call__(self, y: Floats) -> Floats:
        """Statistics × tables."""
        e = self.residuals(y)
        lag_e, lag_y = self.weights @ e, self.weights @ y
        variance = (e**2).mean(axis=0)
        a, b = (e * lag_e).sum(axis=0) / variance, (e * lag_y).sum(axis=0) / variance
        d = (self.residuals(self.weights @ (y - e)) ** 2).sum(axis=0) / variance
        share = self.trace / (d + self.trace)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.stack(
                [
                    self.scale * a / len(y),
                    a**2 / self.trace,
                    b**2 / (d + self.trace),
                    (a - share * b) ** 2 / (self.trace * (1 - share)),
                    (b - a) ** 2 / d,
                ]
            )
