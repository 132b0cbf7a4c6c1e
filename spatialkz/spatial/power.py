"""What a graph can show: power of Moran's test, and which dependence it detects or cannot reject."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from scipy import optimize, stats

from spatialkz.errors import GraphError, InputError, is_number
from spatialkz.geography.weights import row_standardized
from spatialkz.options import Alternative
from spatialkz.resampling.checks import check_share, checked
from spatialkz.resampling.pvalues import Floats, check_alternative
from spatialkz.results import Result, json_ready
from spatialkz.spatial.normal_theory import is_fixed, moran_quantile, positive_probability, residual_basis

# Closest to ±1 that ρ is searched; at 1 itself the values have no finite variance.
_EDGE = 0.999
# Eigenvalues of a larger graph take longer than the rest of a run.
_MOST_REGIONS = 1_000
# Where power is told; close enough for a smooth curve.
_CURVE = np.linspace(-0.95, 0.95, 39)
_SEARCH = np.r_[np.arange(0.05, 0.96, 0.05), 0.975, 0.99, _EDGE]


@dataclass(frozen=True, repr=False)
class MoranPower(Result):
    """Result of :func:`moran_power`.

    Attributes
    ----------
    table : DataFrame
        What :meth:`to_frame` returns.
    detectable : dict
        ``positive`` and ``negative``: the weakest ρ of that sign detected with the target power; None where
        no ρ of that sign is.
    critical : tuple
        Moran's I below and above which the test rejects (-inf or inf on a side that is not tested).
    n : int
        Number of regions.
    target, alpha, alternative
        As given.
    """

    table: pd.DataFrame
    detectable: dict[str, float | None]
    critical: tuple[float, float]
    n: int
    target: float
    alpha: float
    alternative: Alternative

    def to_frame(self) -> pd.DataFrame:
        """Index ``rho``, column ``power``."""
        return self.table.copy()

    def to_dict(self) -> dict[str, object]:
        """Everything, ready for JSON; None where no dependence is detectable."""
        power = {f"{rho:g}": float(p) for rho, p in self.table["power"].items()}
        plain = {"n": self.n, "target": self.target, "alpha": self.alpha, "alternative": self.alternative}
        results = {"critical": self.critical, "detectable": self.detectable, "power": power}
        return {name: json_ready(value) for name, value in {**plain, **results}.items()}

    def summary(self) -> str:
        """The detectable dependence in a sentence, and the power table."""
        sides = [
            f"none of {side} sign" if rho is None else f"ρ = {rho:.2f}"
            for side, rho in self.detectable.items()
        ]
        return (
            f"Moran's test, n = {self.n}, level {self.alpha:g}, {self.alternative}\n"
            f"Weakest dependence found with {self.target:.0%} power: {' and '.join(sides)}\n"
            f"{self.table.to_string(float_format='{:.3f}'.format)}"
        )


def moran_power(
    graph: Graph,
    rho: float | Iterable[float] = (-0.9, -0.6, -0.3, 0.0, 0.3, 0.6, 0.9),
    *,
    target: float = 0.8,
    alpha: float = 0.05,
    alternative: Alternative = "two-sided",
) -> MoranPower:
    r"""Power of Moran's test on this graph against a simultaneous autoregression, without simulation.

    .. math:: y = \mu 1 + (1 - \rho W)^{-1} \varepsilon, \qquad
        P_\rho(I \ge c) = P\Big(\sum_k \kappa_k \chi^2_{1k} \ge 0\Big)

    where κ are the eigenvalues of :math:`C'(A - c)C`, *A* the matrix of Moran's I among residuals,
    :math:`CC'` the covariance of the residuals under ρ, and *c* the exact critical value under ρ = 0.

    The null hypothesis is ρ = 0. For normal values the permutation test has the same critical values up to
    its Monte-Carlo error, so this is its power as well.

    Parameters
    ----------
    graph : libpysal.graph.Graph
        Row-standardized here. *n* is its number of regions.
    rho : float or iterable of float
        Where the power is wanted, each between −1 and 1.
    target : float
        The power that counts as detecting.
    alpha : float
        Level of the test, shared equally by both tails if two-sided.
    alternative : {"two-sided", "greater", "less"}

    Returns
    -------
    MoranPower

    Raises
    ------
    InputError
        If ρ, target or alpha is out of range, or the graph has fewer than 4 or more than 5000 regions.
    GraphError
        If a region has no neighbor.

    References
    ----------
    Tiefelsdorf (2000), *Modelling Spatial Processes*, ch. 7 (distribution of I under an alternative). Imhof
    (1961), *Biometrika* 48, eq. 3.2.

    Examples
    --------
    >>> import spatialkz
    >>> power = moran_power(spatialkz.load_study().graph, [0.0, 0.5])
    >>> power.to_frame()["power"].round(3).to_dict()
    {0.0: 0.05, 0.5: 0.351}
    >>> round(power.detectable["positive"], 2)
    0.86
    """
    check_alternative(alternative)
    check_share(target, "target")
    check_share(alpha, "alpha")
    asked = [rho] if isinstance(rho, int | float | str) else list(rho)
    outside = [one for one in asked if not is_number(one) or not -1 < one < 1]
    if outside or not asked:
        said = "empty" if not asked else f"{outside[0]:g}" if is_number(outside[0]) else repr(outside[0])
        raise InputError(f"rho is {said}; it must lie between -1 and 1.")
    values = np.array(asked, dtype=np.float64)
    curve = _PowerCurve(graph, alpha, alternative)
    table = pd.DataFrame({"power": [curve(r) for r in values]}, index=pd.Index(values, name="rho"))
    sides = {"positive": 1.0, "negative": -1.0}
    if alternative != "two-sided":
        side = "positive" if alternative == "greater" else "negative"
        sides = {side: sides[side]}
    detectable = {side: _first_reaching(curve, sign, target) for side, sign in sides.items()}
    return MoranPower(table, detectable, (curve.low, curve.high), curve.n, target, alpha, alternative)


def dependence_confidence_set(
    values: pd.DataFrame | pd.Series, graph: Graph, *, level: float = 0.95
) -> pd.DataFrame:
    r"""All ρ between −1 and 1 that Moran's exact test does not reject, by inverting the test.

    Null hypothesis for each ρ: :math:`y = \mu 1 + (1 - \rho W)^{-1} \varepsilon` with independent normal ε.
    Then
    :math:`(1 - \rho W) y` is a constant plus noise, so its Moran's I has the distribution of I under
    independence, whatever ρ is, and the set holds the true ρ with probability ``level`` for any *n*. As I of
    the filtered values is a ratio of two quadratics in ρ, the ends of the set are roots of two quadratic
    equations.

    Parameters
    ----------
    values : DataFrame or Series
        Rows are regions, columns variables.
    graph : libpysal.graph.Graph
        Keyed by the same region labels, in any order; row-standardized here.
    level : float
        Probability that the set holds the true ρ.

    Returns
    -------
    DataFrame
        Index ``(variable, part)``, columns ``low, high``: the set is the union of its parts. An end at −1 or
        1 is the edge of what is searched. A variable for which every ρ is rejected has one row of NaN, which
        says that no such autoregression fits.

    Raises
    ------
    InputError
        If a cell is missing, a variable is constant, or there are fewer than 4 or more than 5000 regions.
    RegionError, GraphError
        If graph and values differ in their regions, or a region has no neighbor.

    References
    ----------
    Inversion of a test: Lehmann & Romano (2005), *Testing Statistical Hypotheses*, theorem 3.5.1.

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> parts = dependence_confidence_set(study.table.values["electrical"], study.graph)
    >>> parts.loc[("electrical", 1)].round(2).tolist()
    [-0.06, 0.5]
    """
    check_share(level, "level")
    table, weights = checked(values, graph, transform="r", alternative="two-sided")
    basis, form = residual_basis(weights)
    spectrum = _eigenvalues(form)
    if is_fixed(spectrum):
        raise GraphError(
            "All regions are neighbors of each other with equal weights, so Moran's I is the same for all "
            "values; choose another graph."
        )
    edge = float(stats.norm.isf((1 - level) / 2))
    low, high = (moran_quantile(sign * edge, spectrum) for sign in (-1.0, 1.0))
    rows = {}
    for variable, column in table.items():
        u, lag = basis.T @ column.to_numpy(), basis.T @ (weights @ column.to_numpy())
        for part, ends in enumerate(_accepted(u, lag, form, low, high), start=1):
            rows[(variable, part)] = ends
    index = pd.MultiIndex.from_tuples(list(rows), names=["variable", "part"])
    return pd.DataFrame(list(rows.values()), index=index, columns=["low", "high"], dtype=float)


@dataclass(frozen=True, repr=False)
class Detectable(Result):
    """What stands beside tests of autocorrelation; result of :func:`detectable_dependence`.

    Attributes
    ----------
    power : MoranPower
        Which dependence the graph could have shown.
    left : DataFrame
        By variable: ``rho_low, rho_high``, the ends of the confidence set for the dependence ρ.
    """

    power: MoranPower
    left: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """The ends of the confidence sets."""
        return self.left.copy()

    def to_dict(self) -> dict[str, object]:
        """Power and confidence sets, ready for JSON."""
        return {"power": self.power.to_dict(), "left": json_ready(self.left)}

    def summary(self) -> str:
        """Both as text."""
        ends = self.left.to_string(float_format="{:.3f}".format)
        return f"{self.power.summary()}\nConfidence sets for the dependence ρ\n{ends}"

    def beside(self, table: pd.DataFrame) -> pd.DataFrame:
        """Add ``detectable_rho, rho_low, rho_high`` to the table of a test, a row for each variable."""
        side = "negative" if self.power.alternative == "less" else "positive"
        return table.assign(detectable_rho=self.power.detectable[side]).join(self.left)


def detectable_dependence(
    values: pd.DataFrame | pd.Series,
    graph: Graph,
    *,
    alpha: float = 0.05,
    alternative: Alternative = "two-sided",
) -> Detectable | None:
    """Dependence that Moran's test could have detected on a graph, and that the values leave possible.

    Parameters
    ----------
    values : DataFrame or Series
        Rows are regions, columns variables.
    graph : libpysal.graph.Graph
        Keyed by the same region labels, in any order.
    alpha : float
        Level of the test; the confidence sets have level 1 − alpha.
    alternative : {"two-sided", "greater", "less"}
        That of the test; ``less`` can detect negative dependence alone.

    Returns
    -------
    Detectable or None
        None for more than 1,000 regions, for which the eigenvalues would take longer than everything else,
        and where Moran's I is the same for all values.

    Raises
    ------
    InputError, RegionError, GraphError
        As :func:`dependence_confidence_set`.

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> values = study.table.values[["electrical"]]
    >>> found = detectable_dependence(values, study.graph)
    >>> found.beside(spatialkz.moran(values, study.graph, rng=1).to_frame())["detectable_rho"].round(2)
    variable
    electrical    0.86
    Name: detectable_rho, dtype: float64
    """
    check_share(alpha, "alpha")
    if isinstance(values, pd.DataFrame | pd.Series) and len(values) > _MOST_REGIONS:
        return None
    checked(values, graph, transform="r", alternative=alternative)
    power = moran_power(graph, _CURVE, alpha=alpha, alternative=alternative)
    if np.isinf(power.critical).all():  # nothing is rejected: Moran's I is the same for all values
        return None
    sets = dependence_confidence_set(values, graph, level=1 - alpha)
    ends = sets.groupby("variable", sort=False).agg(rho_low=("low", "min"), rho_high=("high", "max"))
    return Detectable(power, ends)


class _PowerCurve:
    """Power as a function of ρ, with what does not depend on ρ kept."""

    def __init__(self, graph: Graph, alpha: float, alternative: Alternative) -> None:
        regions = pd.Index(graph.unique_ids) if isinstance(graph, Graph) else pd.Index([])
        self.weights = row_standardized(graph, regions).toarray()
        self.n = len(regions)
        if self.n < 4:
            raise InputError(f"The graph has {self.n} regions; at least 4 are needed.")
        self.basis, self.form = residual_basis(row_standardized(graph, regions))
        spectrum = _eigenvalues(self.form)
        self.low, self.high = -np.inf, np.inf
        if is_fixed(spectrum):
            # Moran's I is the same for all values, and the test never rejects.
            return
        tail = float(stats.norm.isf(alpha / 2 if alternative == "two-sided" else alpha))
        if alternative != "greater":
            self.low = moran_quantile(-tail, spectrum)
        if alternative != "less":
            self.high = moran_quantile(tail, spectrum)

    def __call__(self, rho: float) -> float:
        spread = np.linalg.solve(np.eye(self.n) - rho * self.weights.T, self.basis)
        # spread'spread is the covariance of the residuals in their basis.
        root = np.linalg.cholesky(spread.T @ spread)
        inner, outer = root.T @ self.form @ root, root.T @ root
        power = 0.0
        if np.isfinite(self.high):
            power += positive_probability(_eigenvalues(inner - self.high * outer))
        if np.isfinite(self.low):
            power += positive_probability(-_eigenvalues(inner - self.low * outer))
        return power


def _first_reaching(curve: _PowerCurve, sign: float, target: float) -> float | None:
    """Weakest ρ of one sign whose power reaches the target; power need not rise all the way to the edge."""
    before = 0.0
    for rho in sign * _SEARCH:
        if curve(rho) >= target:
            found = optimize.brentq(lambda r: curve(r) - target, before, rho, xtol=1e-6)
            return float(found)
        before = rho
    return None


def _accepted(u: Floats, lag: Floats, form: Floats, low: float, high: float) -> list[tuple[float, float]]:
    """Parts of (−1, 1) where Moran's I of u − ρ·lag lies between low and high."""
    cuts = [-1.0, 1.0]
    for c in (low, high):
        # I = c where (u − ρ lag)'(A − c)(u − ρ lag) = 0.
        shifted = form - c * np.eye(len(form))
        roots = np.roots([lag @ shifted @ lag, -2 * (u @ shifted @ lag), u @ shifted @ u])
        cuts.extend(float(r.real) for r in roots if abs(r.imag) < 1e-12 and abs(r.real) < 1)
    cuts.sort()
    parts: list[tuple[float, float]] = []
    for start, end in pairwise(cuts):
        e = u - 0.5 * (start + end) * lag
        if end > start and low <= (e @ form @ e) / (e @ e) <= high:
            if parts and parts[-1][1] == start:
                parts[-1] = (parts[-1][0], end)
            else:
                parts.append((start, end))
    return parts or [(np.nan, np.nan)]


def _eigenvalues(matrix: Floats) -> Floats:
    return np.asarray(np.linalg.eigvalsh(matrix), dtype=np.float64)
