"""Moran's I of the residuals of an ordinary least-squares fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from scipy.sparse import csr_array

from spatialkz.errors import InputError, listing
from spatialkz.options import Alternative, NormalTheory, ResidualMethod
from spatialkz.resampling.checks import check_choice, check_permutations, checked, notice_few_levels, seeds_of
from spatialkz.resampling.engine import permuted_cross_products
from spatialkz.resampling.pvalues import Floats, deviates, permutation_parts
from spatialkz.spatial.frames import GlobalTest, global_frames
from spatialkz.spatial.normal_theory import moran_spectrum, normal_theory_moran, spectrum_moments
from spatialkz.tables import check_same_regions, check_table

if TYPE_CHECKING:
    from statsmodels.regression.linear_model import RegressionResultsWrapper


def residual_moran(
    values: pd.DataFrame | pd.Series | RegressionResultsWrapper,
    graph: Graph,
    X: pd.DataFrame | None = None,
    *,
    intercept: bool = True,
    method: ResidualMethod = "exact-normal",
    permutations: int = 9999,
    alternative: Alternative = "two-sided",
    rng: int | np.random.Generator | None = None,
) -> GlobalTest:
    r"""Moran's I of OLS residuals, on row-standardized weights.

    .. math:: I = \frac{n}{S_0} \frac{e'We}{e'e}, \qquad e = (1 - X(X'X)^{-1}X') y

    Null hypothesis: the errors are independent (normal with one variance, for all methods but
    ``permutation``). Residuals are correlated even then, so the moments of raw values do not apply.

    Parameters
    ----------
    values : DataFrame, Series, or results of statsmodels' OLS
        Dependent variable *y*; rows are regions. Several columns are regressed on the same ``X``. A fitted
        ordinary least-squares model of tables or a formula brings its own regressors.
    graph : libpysal.graph.Graph
        Keyed by the same region labels, in any order.
    X : DataFrame, optional
        Regressors, rows the same regions in any order; left out, the constant alone.
    intercept : bool
        Whether a constant is added to ``X``, which must then not hold one.
    method : {"exact-normal", "saddlepoint", "normal", "permutation"}
        ``exact-normal`` is exact for normal errors (Imhof's integral) and was called ``exact`` before;
        ``normal`` uses two moments; ``permutation`` permutes the residuals and fits again, which is valid
        only approximately. A notice says where *y* takes too few values for errors to be normal.
    permutations : int
        Number of permutations, at least 99.
    alternative : {"two-sided", "greater", "less"}
        ``greater`` tests for positive autocorrelation.
    rng : int, Generator or None
        Seed of the permutations.

    Returns
    -------
    GlobalTest
        ``to_frame()`` has the columns of :func:`spatialkz.spatial.moran`; ``expected`` and ``variance`` are
        those of independent normal errors; ``z`` is the standard normal deviate with the same tail for
        ``exact-normal`` and ``saddlepoint``, else (statistic − expected) / √variance.

    Raises
    ------
    InputError
        If a cell is missing, regressors are collinear, the fit is perfect, or too few regions are left.
    RegionError, GraphError
        If graph, y and X differ in their regions, or a region has no neighbor.

    References
    ----------
    Tiefelsdorf & Boots (1995), *Environment and Planning A* 27, 985–999 (``spdep::lm.morantest.exact``).
    Tiefelsdorf (2002), *Geographical Analysis* 34, 187–206 (``lm.morantest.sad``). Cliff & Ord (1981),
    *Spatial Processes*, ch. 8 (moments).

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> values = study.table.values
    >>> test = residual_moran(values["electrical"], study.graph, values[["chemical"]])
    >>> round(float(test.to_frame().loc["electrical", "statistic"]), 3)
    0.413
    >>> import statsmodels.formula.api as smf
    >>> fit = smf.ols("electrical ~ chemical", values).fit()
    >>> round(float(residual_moran(fit, study.graph).to_frame().loc["electrical", "statistic"]), 3)
    0.413
    """
    check_choice(method, get_args(ResidualMethod))
    if method == "permutation":
        check_permutations(permutations)
    seeds = seeds_of(rng, "residual_moran")
    if not isinstance(values, pd.DataFrame | pd.Series):
        values, X, intercept = _of_fit(values, X)
    table, weights = checked(values, graph, transform="r", alternative=alternative, name="y")
    design = design_matrix(X, table.index, intercept)
    projection = np.linalg.qr(design)[0]
    responses = table.to_numpy()
    residuals = responses - projection @ (projection.T @ responses)
    refuse_perfect_fit(residuals, table)
    n = len(table)
    scale = n / weights.sum()
    statistic = scale * (residuals * (weights @ residuals)).sum(axis=0) / (residuals**2).sum(axis=0)
    spectrum = moran_spectrum(weights, design)
    if method == "permutation":
        mean, variance = spectrum_moments(spectrum)
        expected, spread = np.full_like(statistic, mean), np.full_like(statistic, variance)
        columns = {"statistic": statistic, "expected": expected, "variance": spread}
        columns["z"] = deviates(statistic, expected, spread)
        simulated = scale * _refitted(residuals, weights, projection, permutations, seeds)
        parts = permutation_parts(statistic, simulated, alternative)
    else:
        how: NormalTheory = method
        notice_few_levels(table, method)
        columns = normal_theory_moran(statistic, spectrum, how, alternative)
        parts = (columns.pop("p_value"), columns.pop("low"), columns.pop("high"))
    index = table.columns.rename("variable")
    frames = global_frames(index, columns, parts, n=n, method=method, alternative=alternative)
    regressors = design.shape[1]
    return GlobalTest(
        f"Moran's I of the residuals of {regressors} regressors",
        "the errors of the regression are independent.",
        *frames,
        permutations if method == "permutation" else 0,
    )


def _of_fit(fit: Any, X: pd.DataFrame | None) -> tuple[pd.Series, pd.DataFrame, bool]:
    """Response and regressors of a fitted model, which holds its constant itself."""
    model: Any = getattr(fit, "model", None)
    if type(model).__name__ != "OLS":
        raise InputError(
            f"values is {type(model or fit).__name__}; a DataFrame, a Series, or results of statsmodels' OLS "
            "were expected (other fits have residuals of another distribution)."
        )
    if X is not None:
        raise InputError("A fitted model brings its own regressors; leave X out.")
    labels = model.data.row_labels
    if labels is None:
        raise InputError("The model was fitted on bare arrays; fit it on tables whose rows are regions.")
    y = pd.Series(model.endog, index=labels, name=model.endog_names)
    return y, pd.DataFrame(model.exog, index=labels, columns=model.exog_names), False


def design_matrix(
    X: pd.DataFrame | None, regions: pd.Index, intercept: bool = True, name: str = "X"
) -> Floats:
    """Regressors in the order of ``regions``, of full column rank; ``name`` is what errors call them."""
    constant = np.ones((len(regions), 1))
    if X is None:
        return constant
    table = check_table(X, name=name)
    check_same_regions(table.index, regions, name, against="y")
    design = table.loc[regions].to_numpy()
    if intercept:
        design = np.hstack([constant, design])
    if np.linalg.matrix_rank(design / np.linalg.norm(design, axis=0).clip(1e-300)) < design.shape[1]:
        beside = " and the constant that is added" if intercept else ""
        raise InputError(f"The regressors {listing(table.columns)}{beside} are collinear.")
    return np.asarray(design, dtype=np.float64)


def refuse_perfect_fit(residuals: Floats, table: pd.DataFrame) -> None:
    """Refuse variables of which the regressors leave nothing but rounding."""
    spread = ((table - table.mean()) ** 2).sum().to_numpy()
    # Rounding of the values themselves leaves residuals too.
    rounding = len(table) * (16 * np.finfo(np.float64).eps * table.abs().max().to_numpy()) ** 2
    perfect = (residuals**2).sum(axis=0) <= np.maximum(1e-20 * spread, rounding)
    if perfect.any():
        raise InputError(
            f"The regressors fit {listing(table.columns[perfect])} perfectly; no residual is left."
        )


def _refitted(
    residuals: Floats,
    weights: csr_array,
    projection: Floats,
    permutations: int,
    seeds: np.random.SeedSequence,
) -> Floats:
    """Ratios e'We / e'e of refitted permuted residuals: two forms under the same permutations."""
    n = len(residuals)
    maker = np.eye(n) - projection @ projection.T
    forms = []
    for matrix in (maker @ (weights @ maker), maker):
        diagonal = np.diag(matrix).copy()
        off = csr_array(matrix - np.diag(diagonal))
        draws = np.random.default_rng(seeds)
        forms.append(permuted_cross_products(residuals, off, permutations, draws, diagonal=diagonal))
    return np.asarray(forms[0] / forms[1], dtype=np.float64)
