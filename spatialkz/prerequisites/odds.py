"""Does a covariate go with reaching the threshold? Logistic models that bear few regions and separation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from spatialkz.errors import InputError, listing
from spatialkz.prerequisites.inputs import beside_quotients
from spatialkz.resampling.checks import check_alpha, constant_variables
from spatialkz.resampling.pvalues import LEAST_OF_MODEL, Floats, adjusted
from spatialkz.results import Result, json_ready
from spatialkz.specialization.quotients import check_threshold
from spatialkz.tables import check_table

# Steps to a maximum or an end of an interval, and halvings of a step; a longer step is cut.
_STEPS, _HALVINGS, _LONGEST = 200, 30, 5.0
# Values of a covariate that are tried as the place of even odds, at most.
_TRIED = 79
# Where steps end.
_CLOSE = 1e-10


@dataclass(frozen=True, repr=False)
class ThresholdOdds(Result):
    """Result of :func:`threshold_odds`.

    Attributes
    ----------
    table : DataFrame
        Index ``(sector, covariate)``; what :meth:`to_frame` returns.
    same : dict
        Sectors of which the same regions reach the threshold, by the first of them: one test, not several.
    threshold : float
    alpha : float
        Level of the intervals.
    """

    table: pd.DataFrame
    same: dict[str, list[str]]
    threshold: float
    alpha: float

    def to_frame(self) -> pd.DataFrame:
        """One row for each sector and covariate.

        ``reach`` and ``n`` count the regions at the threshold and all; ``intercept`` and ``slope`` are
        log-odds, the slope for one standard deviation of the covariate with its interval ``low, high``;
        ``odds_ratio`` is exp(slope); ``statistic`` is the penalized likelihood ratio with ``p_value``;
        ``p_adjusted`` (Benjamini–Hochberg over the different tests); ``separation`` is ``complete``,
        ``quasi-complete`` or ``none``; ``same_as`` names the sector with the same regions that stands first,
        empty for that one itself.
        """
        return self.table.copy()

    def to_dict(self) -> dict[str, object]:
        """The rows as a list, ready for JSON."""
        return {
            "threshold": self.threshold,
            "alpha": self.alpha,
            "same": {sector: list(others) for sector, others in self.same.items()},
            "odds": [json_ready(row) for row in self.table.reset_index().to_dict("records")],
        }

    def summary(self) -> str:
        """How many of the tests found something, what is separated and what is the same, as text."""
        tests = self.table[self.table["same_as"] == ""]
        found = tests[tests["p_adjusted"] <= self.alpha]
        lines = [
            f"Odds of LQ ≥ {self.threshold:g} by one covariate each, penalized (Firth) logistic model.",
            "Null hypothesis: the covariate does not change the odds.",
            f"{len(found)} of {len(tests)} different tests have an adjusted p-value up to {self.alpha:g}.",
        ]
        for row in found.sort_values("p_value").reset_index().to_dict("records"):
            apart = f", {row['separation']} separation" if row["separation"] != "none" else ""
            lines.append(
                f"{row['sector']} ~ {row['covariate']}: odds × {row['odds_ratio']:.2f} for one standard "
                f"deviation, p = {row['p_value']:.4f}, adjusted {row['p_adjusted']:.4f}{apart}"
            )
        lines += [
            f"The same regions reach the threshold in {listing([sector, *others])}: their tests are one test."
            for sector, others in self.same.items()
        ]
        return "\n".join(lines)


def threshold_odds(
    quotients: pd.DataFrame, covariates: pd.DataFrame, *, threshold: float = 1.0, alpha: float = 0.05
) -> ThresholdOdds:
    r"""Model the odds that a region is specialized in a sector by one covariate at a time.

    For sector *j* with :math:`y_i = 1[LQ_{ij} \ge t]` and a covariate standardized over the regions,
    :math:`z_i = (x_i - \bar x) / s_x` with :math:`s_x` on *n* − 1 degrees of freedom,

    .. math:: \operatorname{logit} P(y_i = 1) = a + b z_i, \qquad
        \ell^*(a, b) = \ell(a, b) + \tfrac{1}{2} \ln |I(a, b)|,

    where :math:`\ell` is the log-likelihood and *I* the Fisher information of both coefficients (Firth's
    penalty, Jeffreys' prior). Ordinary estimates are infinite where the covariate separates the regions that
    reach the threshold from the others, and far from 0 where few do; these are finite, with a bias of order
    :math:`n^{-2}`.

    Null hypothesis: :math:`b = 0`. The p-value is that of :math:`2[\max \ell^*(a, b) - \max_a \ell^*(a, 0)]`
    by the chi-squared distribution with one degree of freedom, the interval holds all slopes that it does not
    reject; Wald intervals are wrong under separation. With 17 regions the test rejects 2–5 %
    of tables without a connection, and 0–7 % where the covariate has two values (``docs/methods/entry.md``).

    **Complete separation** means that a value of the covariate parts the regions that reach the threshold
    from the others, *quasi-complete* that they meet at it. Then the data set no upper limit to the slope, and
    estimate and limits are what the penalty makes of *n* regions. **The same regions** can reach the
    threshold in several sectors: their tests are one test, counted once in the adjustment.

    Parameters
    ----------
    quotients : DataFrame, shape (regions, sectors)
    covariates : DataFrame, shape (regions, covariates)
        Of the same regions, in any order, on the scale they are to have (logarithms of what is skewed).
    threshold : float
        The quotient from which a region counts as specialized, positive.
    alpha : float
        Level of the intervals.

    Returns
    -------
    ThresholdOdds

    Raises
    ------
    InputError, RegionError
        If the regions differ, a cell is missing, a covariate is constant, or all regions or none reach the
        threshold in a sector.

    References
    ----------
    Firth (1993), *Biometrika* 80, 27–38; Heinze & Schemper (2002), *Statistics in Medicine* 21, 2409–2419
    (tests and intervals). Estimates agree with R ``brglm2``.

    Examples
    --------
    >>> lq = pd.DataFrame({"law": [0.2, 0.4, 0.5, 1.1, 0.7, 1.6, 2.0]}, index=list("abcdefg"))
    >>> staff = pd.DataFrame({"staff": [1, 2, 3, 4, 5, 6, 7]}, index=list("abcdefg"))
    >>> odds = threshold_odds(lq, staff).to_frame().loc[("law", "staff")]
    >>> print(odds["reach"], odds["separation"], round(odds["slope"], 4), round(odds["p_value"], 4))
    3 none 1.4855 0.0859
    """
    check_alpha(alpha)
    check_threshold(threshold)
    table = check_table(quotients, name="quotients", minimum=0, least_regions=4)
    given = beside_quotients(covariates, table, table.index, "covariates")
    if len(constant := constant_variables(given)):
        raise InputError(f"A covariate must differ between regions; these are constant: {listing(constant)}.")
    reached = table.to_numpy() >= threshold
    for sector, share in zip(table.columns, reached.mean(axis=0), strict=True):
        if share in (0, 1):
            raise InputError(
                f"{'All regions reach' if share else 'No region reaches'} the threshold {threshold:g} in "
                f"{sector}, so there are no odds to explain; change the threshold or leave the sector out."
            )
    same, first = _same(table.columns, reached)
    standardized = ((given - given.mean()) / given.std(ddof=1)).to_numpy()
    pairs = pd.MultiIndex.from_product([table.columns, given.columns], names=["sector", "covariate"])
    own_sector, covariate = (places.ravel() for places in np.indices((table.shape[1], given.shape[1])))
    y, x = reached.T[own_sector].astype(np.float64), standardized.T[covariate]
    found = _Firth(x, y)
    p_values = np.maximum(stats.chi2.sf(found.statistic, 1), LEAST_OF_MODEL)
    low, high = found.interval(stats.chi2.isf(alpha, 1))
    result = pd.DataFrame(
        {
            "reach": y.sum(axis=1).astype(int),
            "n": len(table),
            "intercept": found.intercept,
            "slope": found.slope,
            "low": low,
            "high": high,
            "odds_ratio": np.exp(found.slope),
            "statistic": found.statistic,
            "p_value": p_values,
            "p_adjusted": p_values,
            "separation": _separation(x, y > 0),
            "same_as": first[own_sector],
        },
        index=pairs,
    )
    once = (first == "")[own_sector]
    own = result["p_adjusted"].where(once)
    own[once] = adjusted(p_values[once])
    # Sectors with the same regions have the adjusted p-values of the first.
    kinds = np.unique(reached, axis=1, return_inverse=True)[1].ravel()[own_sector]
    result["p_adjusted"] = own.groupby([kinds, covariate]).transform("first")
    return ThresholdOdds(result, same, float(threshold), alpha)


def _same(sectors: pd.Index, reached: NDArray[np.bool_]) -> tuple[dict[str, list[str]], NDArray[Any]]:
    """Sectors with the same regions by the first of them, and that first by sector, empty for itself."""
    seen: dict[bytes, Any] = {}
    same: dict[str, list[str]] = {}
    first = np.full(len(sectors), "", dtype=object)
    for place, sector in enumerate(sectors):
        known = seen.setdefault(reached[:, place].tobytes(), sector)
        if known is not sector:
            same.setdefault(str(known), []).append(str(sector))
            first[place] = known
    return same, first


def _separation(x: Floats, y: NDArray[np.bool_]) -> NDArray[Any]:
    """Whether a value of the covariate parts those who reach the threshold from the others, for each test."""
    gaps = [np.where(one, x, np.inf).min(axis=1) - np.where(one, -np.inf, x).max(axis=1) for one in (y, ~y)]
    gap = np.maximum(*gaps)
    return np.select([gap > 0, gap == 0], ["complete", "quasi-complete"], "none").astype(object)


class _Firth:
    """Firth's logistic model of two coefficients for many pairs of covariate and outcome at once.

    Parameters
    ----------
    x, y : array, shape (tests, regions)
    """

    def __init__(self, x: Floats, y: Floats) -> None:
        self._x, self._y = x, y
        # Values at which even odds are tried: of few regions, and between them.
        few = 2 * x.shape[1] - 1
        self._even = (
            np.quantile(x, np.linspace(0, 1, few), axis=1) if few <= _TRIED else np.empty((0, len(x)))
        )
        start = np.zeros(len(x))
        self.intercept, self.slope, self._top = self._maximized(start, start, free=True)
        _, _, bottom = self._maximized(start, start, free=False)
        self.statistic = np.maximum(2 * (self._top - bottom), 0.0)

    def interval(self, critical: float) -> tuple[Floats, Floats]:
        """Slopes from which on the penalized likelihood ratio exceeds the critical value, on both sides."""
        low, high = (self._end(side, critical) for side in (-1.0, 1.0))
        return low, high

    def _end(self, side: float, critical: float) -> Floats:
        inner, step, nearby = self.slope.copy(), np.ones_like(self.slope), self.intercept
        outer = inner + side * step
        below, above = np.full_like(inner, -np.sqrt(critical)), np.zeros_like(inner)
        for _ in range(_STEPS):
            above, nearby = self._excess(nearby, outer, critical)
            if (above > 0).all():
                break
            within = above <= 0
            inner, below = np.where(within, outer, inner), np.where(within, above, below)
            step = np.where(within, 2 * step, step)
            outer = np.where(within, outer + side * step, outer)
        # Regula falsi, where an end that stays loses half of its weight (Illinois).
        middle, replaced = outer, np.zeros_like(inner)
        for _ in range(_STEPS):
            middle = outer - above * (outer - inner) / (above - below)
            here, nearby = self._excess(nearby, middle, critical)
            if np.abs(here).max() < _CLOSE:
                break
            beyond = here > 0
            below = np.where(beyond, np.where(replaced > 0, below / 2, below), here)
            above = np.where(beyond, here, np.where(replaced < 0, above / 2, above))
            inner, outer = np.where(beyond, inner, middle), np.where(beyond, middle, outer)
            replaced = np.where(beyond, 1.0, -1.0)
        return middle

    def _excess(self, nearby: Floats, slope: Floats, critical: float) -> tuple[Floats, Floats]:
        """Root of the ratio at a slope less that of the critical value, and the intercept that goes with it.

        Where the covariate separates few regions, the penalized likelihood has several maxima over the
        intercept; the search begins at the best of those at which even odds lie at a region, between two, or
        where they lay before.
        """
        starts = np.concatenate([nearby[None], -slope * self._even])
        values = np.stack([self._value(start, slope) for start in starts])
        best = starts[values.argmax(axis=0), np.arange(len(slope))]
        intercept, _, likelihood = self._maximized(best, slope, free=False)
        ratio = np.maximum(2 * (self._top - likelihood), 0.0)
        return np.sqrt(ratio) - np.sqrt(critical), intercept

    def _maximized(self, a: Floats, b: Floats, *, free: bool) -> tuple[Floats, Floats, Floats]:
        """Coefficients that maximize the penalized likelihood, with a given slope if it is not free."""
        a, b = a.copy(), b.copy()
        value = self._value(a, b)
        last = (np.full_like(a, np.nan), a)
        for _ in range(_STEPS):
            step_a, step_b, score = self._step(a, b, free)
            if not free:
                # Secant steps where they lead up; those of the expected information are slow far out.
                with np.errstate(all="ignore"):
                    secant = -score * (a - last[1]) / (score - last[0])
                step_a = np.where(np.isfinite(secant) & (secant * score > 0), secant, step_a)
                last = (score, a)
            size = np.maximum(np.maximum(np.abs(step_a), np.abs(step_b)) / _LONGEST, 1.0)
            step_a, step_b = step_a / size, step_b / size
            for _ in range(_HALVINGS):
                tried = self._value(a + step_a, b + step_b)
                worse = ~(tried >= value - 1e-12 * np.maximum(np.abs(value), 1.0))
                if not worse.any():
                    break
                step_a, step_b = np.where(worse, step_a / 2, step_a), np.where(worse, step_b / 2, step_b)
            else:
                step_a, step_b = np.where(worse, 0.0, step_a), np.where(worse, 0.0, step_b)
                tried = self._value(a + step_a, b + step_b)
            a, b, value = a + step_a, b + step_b, tried
            if max(np.abs(step_a).max(), np.abs(step_b).max()) < _CLOSE:
                break
        return a, b, value

    def _parts(self, a: Floats, b: Floats) -> tuple[Floats, Floats, tuple[Floats, Floats, Floats, Floats]]:
        """Linear predictor, weights, and the information with its determinant."""
        linear = a[:, None] + b[:, None] * self._x
        weights = np.exp(-np.logaddexp(0, linear) - np.logaddexp(0, -linear))
        aa, ab, bb = weights.sum(axis=1), (weights * self._x).sum(axis=1), (weights * self._x**2).sum(axis=1)
        # Sum of squares about the weighted mean, without cancellation.
        mean = ab / aa
        about = (weights * (self._x - mean[:, None]) ** 2).sum(axis=1)
        return linear, weights, (aa, ab, bb, aa * about)

    def _value(self, a: Floats, b: Floats) -> Floats:
        with np.errstate(all="ignore"):
            linear, _, (*_, determinant) = self._parts(a, b)
            value = (self._y * linear - np.logaddexp(0, linear)).sum(axis=1) + 0.5 * np.log(determinant)
        return np.where(np.isfinite(value), value, -np.inf)

    def _step(self, a: Floats, b: Floats, free: bool) -> tuple[Floats, Floats, Floats]:
        """Step of Fisher scoring with Firth's modified score, and that score of the intercept."""
        linear, weights, (aa, ab, bb, determinant) = self._parts(a, b)
        x = self._x
        leverage = weights * (bb[:, None] - 2 * ab[:, None] * x + aa[:, None] * x**2) / determinant[:, None]
        chance = np.exp(-np.logaddexp(0, -linear))
        rest = self._y - chance + leverage * (0.5 - chance)
        score_a, score_b = rest.sum(axis=1), (rest * x).sum(axis=1)
        if not free:
            return score_a / aa, np.zeros_like(b), score_a
        inverse = (bb * score_a - ab * score_b, aa * score_b - ab * score_a)
        return inverse[0] / determinant, inverse[1] / determinant, score_a
