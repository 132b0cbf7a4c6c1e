"""Regression in which neighbors matter, offered where regions suffice."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from numpy.typing import NDArray
from scipy import stats
from scipy.sparse import csr_array

from spatialkz.errors import InputError, listing
from spatialkz.options import SpatialModel
from spatialkz.randomness import generator
from spatialkz.resampling.checks import checked
from spatialkz.resampling.pvalues import Floats, check_number
from spatialkz.results import Result, json_ready
from spatialkz.spatial.residuals import design_matrix, refuse_perfect_fit
from spatialkz.tables import check_table

#: Regions from which spatial regression is offered.
LEAST_REGIONS = 50
_MOST_REGIONS = 5_000


@dataclass(frozen=True, repr=False)
class SpatialRegression(Result):
    """Result of :func:`spatial_regression`.

    Attributes
    ----------
    table : DataFrame
        What :meth:`to_frame` returns.
    impacts : DataFrame
        Index ``(variable, covariate, impact)`` with impact ``direct, indirect, total``; columns ``estimate,
        low, high``: what one unit more of a covariate in one region changes there, in all other regions
        together, and in all, averaged over the regions.
    fit : DataFrame
        By variable: ``dependence`` (ρ or λ; NaN for slx), ``log_likelihood, log_likelihood_ols, p_value`` (of
        the likelihood ratio against OLS on the covariates alone), ``aic``.
    model : str
    n : int
    """

    table: pd.DataFrame
    impacts: pd.DataFrame
    fit: pd.DataFrame
    model: SpatialModel
    n: int

    def to_frame(self) -> pd.DataFrame:
        """Index ``(variable, term)``; columns ``estimate, std_error, z, p_value``."""
        return self.table.copy()

    def to_dict(self) -> dict[str, object]:
        """Terms, impacts and fit by variable, ready for JSON."""
        told = {}
        for name, terms in self.table.groupby(level="variable", sort=False):
            impacts = self.impacts.xs(name, level="variable")
            told[str(name)] = {
                "fit": json_ready(self.fit.loc[str(name)]),
                "terms": json_ready(terms.droplevel("variable")),
                "impacts": {
                    str(covariate): json_ready(rows.droplevel("covariate"))
                    for covariate, rows in impacts.groupby(level="covariate", sort=False)
                },
            }
        return {"model": self.model, "n": self.n, "variables": told}

    def summary(self) -> str:
        """Fit, terms and impacts as text."""
        parts = [
            part.to_string(float_format="{:.4f}".format) for part in (self.fit, self.table, self.impacts)
        ]
        return f"Spatial regression, model {self.model}, n = {self.n}\n" + "\n\n".join(parts)


def spatial_regression(
    values: pd.DataFrame | pd.Series,
    covariates: pd.DataFrame,
    graph: Graph,
    *,
    model: SpatialModel = "lag",
    draws: int = 1999,
    rng: int | np.random.Generator | None = None,
) -> SpatialRegression:
    r"""Regression in which neighbors matter, by maximum likelihood (``spreg``) or least squares.

    .. math:: \text{lag}: y = \rho W y + X\beta + \varepsilon, \quad
        \text{error}: y = X\beta + (1 - \lambda W)^{-1} \varepsilon, \quad
        \text{slx}: y = X\beta + W\tilde X\theta + \varepsilon, \quad
        \text{durbin}: y = \rho W y + X\beta + W\tilde X\theta + \varepsilon

    where :math:`\tilde X` are the covariates without the constant. Impacts are averages of
    :math:`S_m = (1 - \rho W)^{-1} (\beta_m + W \theta_m)`: direct :math:`\mathrm{tr}\,S_m / n`, total
    :math:`1'S_m 1 / n`, indirect their difference. (``spreg`` leaves :math:`\theta` out of the direct impacts
    of the Durbin model; LeSage and Pace, and this function, do not.)

    Null hypothesis of each p-value: the term is 0 (by z, of slx by t; of ρ and λ by the likelihood ratio).
    Errors are taken to be normal, independent and of one variance.

    Parameters
    ----------
    values : DataFrame or Series
        Dependent variables, each regressed on its own.
    covariates : DataFrame
        Regressors, rows the same regions in any order; a constant is added.
    graph : libpysal.graph.Graph
        Keyed by the same region labels, in any order; row-standardized here.
    model : {"lag", "error", "slx", "durbin"}
    draws : int
        Number of draws from the normal law of the estimates behind the intervals of the impacts.
    rng : int, Generator or None

    Returns
    -------
    SpatialRegression

    Raises
    ------
    InputError
        If there are fewer than 50 regions or more than 5,000, a cell is missing, a variable is constant,
        covariates or their lags are collinear, or the fit is perfect.
    RegionError, GraphError
        If graph, values and covariates differ in their regions, or a region has no neighbor.

    Notes
    -----
    Below 50 regions the normal law of the estimates does not hold: on the contiguity of 17 regions the z-test
    of ρ rejects 13 % of tables without dependence instead of 5 %, that of λ 17 %, and the multiplier test of
    errors finds λ = .5 in 16 to 18 % (``docs/methods/prerequisites.md``). :func:`spatial_diagnostics` says
    what can be said there. At 50 regions z still rejects 8 % (ρ) and 10 % (λ) and the likelihood ratio 6 and
    7 %, so the p-value of ρ and λ is that of the ratio. Standard errors are those of ``spreg`` with sparse
    matrices; its method ``ord`` gives others for symmetric graphs.

    References
    ----------
    Anselin (1988), *Spatial Econometrics*. LeSage & Pace (2009), *Introduction to Spatial
    Econometrics*, ch. 2.

    Examples
    --------
    >>> from libpysal.graph import Graph
    >>> names = [f"r{i:02}" for i in range(60)]
    >>> ring = Graph.from_arrays(names * 2, names[1:] + names[:1] + names[-1:] + names[:-1], [1.0] * 120)
    >>> draws = np.random.default_rng(1).normal(size=(60, 2))
    >>> table = pd.DataFrame(draws, index=names, columns=["x", "noise"])
    >>> found = spatial_regression(table["x"] + table["noise"], table[["x"]], ring, rng=1)
    >>> sorted(found.to_frame().index.get_level_values("term"))
    ['const', 'rho', 'x']
    """
    if model not in get_args(SpatialModel):
        raise InputError(f"model is {model!r}; it must be one of {listing(get_args(SpatialModel))}.")
    check_number(draws, "draws", 99)
    table, weights = checked(values, graph, transform="r", alternative="two-sided")
    n = len(table)
    if n < LEAST_REGIONS:
        raise InputError(
            f"There are {n} regions, and spatial regression is offered from {LEAST_REGIONS} on: with 17 the "
            "z-test of ρ rejects 13 % of tables without dependence instead of 5 %. Use spatial_diagnostics."
        )
    if n > _MOST_REGIONS:
        raise InputError(f"There are {n:,} regions; spatial regression is done up to {_MOST_REGIONS:,}.")
    given = check_table(covariates, name="covariates")
    own, names = given.columns, ["const", *given.columns]
    plain = design = _labelled(design_matrix(given, table.index, name="covariates"), table.index, names)
    if model in ("slx", "durbin"):
        lags = _labelled(weights @ plain[own].to_numpy(), table.index, [f"W {name}" for name in own])
        both = plain[own].join(lags)
        design = _labelled(
            design_matrix(both, table.index, name="covariates"), table.index, [*names, *lags.columns]
        )
    y = table.to_numpy()
    projection = np.linalg.qr(design.to_numpy())[0]
    refuse_perfect_fit(y - projection @ (projection.T @ y), table)
    spectrum = np.linalg.eigvals(weights.toarray())
    noise = generator(rng, "spatial_regression").normal(size=(draws, design.shape[1] + 1))
    fits = {name: _fit(column, design, weights, model) for name, column in table.items()}
    terms = {name: _terms(fits[name], column, design) for name, column in table.items()}
    impacts = {name: _impacts(fit, own, model, spectrum, noise) for name, fit in fits.items()}
    ends = {name: _ends(column, plain, fits[name], model) for name, column in table.items()}
    return SpatialRegression(
        pd.concat(terms, names=["variable", "term"]),
        pd.concat(impacts, names=["variable", "covariate", "impact"]),
        pd.DataFrame.from_dict(ends, orient="index").rename_axis("variable"),
        model,
        n,
    )


def _labelled(matrix: Floats, regions: pd.Index, names: Sequence[Hashable]) -> pd.DataFrame:
    return pd.DataFrame(matrix, index=regions, columns=list(names))


@dataclass(frozen=True)
class _SpatialFit:
    """Estimates (regressors, then ρ or λ), their covariance, log-likelihood, and degrees of freedom."""

    estimates: pd.Series
    covariance: Floats
    log_likelihood: float
    degrees: float


def _fit(y: pd.Series, design: pd.DataFrame, weights: csr_array, model: SpatialModel) -> _SpatialFit:
    if model == "slx":
        from statsmodels.regression.linear_model import OLS

        ols = OLS(y, design).fit()
        return _SpatialFit(ols.params, ols.cov_params().to_numpy(), float(ols.llf), float(ols.df_resid))
    # Here, so that no one waits for spreg who does not need it. Its Base classes check and print nothing, and
    # align by position, as the rows here are. It stops where numbers are large, so it gets them in their own
    # standard deviations.
    from spreg.ml_error import BaseML_Error
    from spreg.ml_lag import BaseML_Lag

    own_graph = Graph.from_sparse(weights, ids=y.index).to_W()
    unit = float(y.std())
    units = np.r_[1.0, design.iloc[:, 1:].std()]
    fit = BaseML_Error if model == "error" else BaseML_Lag
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = fit(y.to_numpy()[:, None] / unit, design.to_numpy() / units, own_graph, method="LU")
        except Exception as error:  # It raises nothing more special.
            raise InputError(
                f"The model {model!r} of {y.name} cannot be fitted ({error}); take the model 'slx'."
            ) from error
    last = "lambda" if model == "error" else "rho"
    back = np.r_[unit / units, 1.0]
    estimates = pd.Series(back * np.ravel(found.betas), index=[*design.columns, last])
    covariance = back[:, None] * found.vm * back
    return _SpatialFit(estimates, covariance, float(found.logll) - len(y) * np.log(unit), np.inf)


def _terms(fit: _SpatialFit, y: pd.Series, design: pd.DataFrame) -> pd.DataFrame:
    errors = np.sqrt(np.diag(fit.covariance))
    z: pd.Series = fit.estimates / errors
    p_value = 2 * stats.t.sf(np.abs(z), fit.degrees)
    if len(fit.estimates) > design.shape[1]:
        p_value[-1] = _ratio_p(fit, y, design)
    return pd.DataFrame({"estimate": fit.estimates, "std_error": errors, "z": z, "p_value": p_value})


def _likelihood(y: pd.Series, design: pd.DataFrame) -> float:
    from statsmodels.regression.linear_model import OLS

    return float(OLS(y, design).fit().llf)


def _ratio_p(fit: _SpatialFit, y: pd.Series, design: pd.DataFrame) -> float:
    """p-value of the likelihood ratio against least squares on ``design``."""
    ratio = 2 * (fit.log_likelihood - _likelihood(y, design))
    return float(stats.chi2.sf(max(0.0, ratio), len(fit.estimates) - design.shape[1]))


def _impacts(
    fit: _SpatialFit, own: pd.Index, model: SpatialModel, spectrum: NDArray[np.complex128], noise: Floats
) -> pd.DataFrame:
    """Direct, indirect and total impacts with 95 % intervals."""
    estimates = fit.estimates.to_numpy()
    root = np.linalg.cholesky(fit.covariance)
    drawn = np.vstack([estimates, estimates + noise[:, : len(estimates)] @ root.T])
    beta = drawn[:, 1 : 1 + len(own)]
    theta = drawn[:, 1 + len(own) : 1 + 2 * len(own)] if model in ("slx", "durbin") else np.zeros_like(beta)
    # Draws of ρ outside its range have no inverse; they are pushed to its edge.
    rho = np.clip(drawn[:, -1], -0.999, 0.999) if model in ("lag", "durbin") else np.zeros(len(drawn))
    inverse = 1 / (1 - rho[:, None] * spectrum)
    itself, neighbors = inverse.mean(axis=1).real, (spectrum * inverse).mean(axis=1).real
    direct = itself[:, None] * beta + neighbors[:, None] * theta
    total = (beta + theta) / (1 - rho)[:, None]
    frames: dict[str, pd.DataFrame] = {}
    for place, name in enumerate(own):
        parts = {"direct": direct[:, place], "indirect": (total - direct)[:, place], "total": total[:, place]}
        rows = {part: [cells[0], *np.quantile(cells[1:], [0.025, 0.975])] for part, cells in parts.items()}
        frames[str(name)] = pd.DataFrame.from_dict(rows, orient="index", columns=["estimate", "low", "high"])
    return pd.concat(frames)


def _ends(y: pd.Series, plain: pd.DataFrame, fit: _SpatialFit, model: SpatialModel) -> dict[str, float]:
    """What :attr:`SpatialRegression.fit` holds of one variable."""
    return {
        "dependence": np.nan if model == "slx" else float(fit.estimates.iloc[-1]),
        "log_likelihood": fit.log_likelihood,
        "log_likelihood_ols": _likelihood(y, plain),
        "p_value": _ratio_p(fit, y, plain),
        # The variance is estimated too, as R counts.
        "aic": 2 * (len(fit.estimates) + 1 - fit.log_likelihood),
    }
