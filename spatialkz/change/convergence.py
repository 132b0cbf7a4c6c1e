"""Do quotients grow alike: β- and σ-convergence, and what measurement error alone would show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from spatialkz.change.quotients import quotients_by_period
from spatialkz.errors import InputError, listing
from spatialkz.prerequisites.least_squares import Partialled
from spatialkz.resampling.pvalues import Floats
from spatialkz.results import Result, json_ready
from spatialkz.tables import ActivityTable, Panel, Period
from spatialkz.tables.panel import check_panel

_LEAST = 4
WARNING = (
    "Error of measurement in the first period alone makes β negative, and so does chance that passes: β is "
    "no evidence of convergence by itself. beta_high is what β can be at most with such an error; "
    "error_share is the share of the first period's variance that would have to be error to make this β of "
    "quotients that never changed."
)


@dataclass(frozen=True, repr=False)
class Convergence(Result):
    """Result of :func:`convergence`.

    Attributes
    ----------
    table : DataFrame
        What :meth:`to_frame` returns.
    spread : DataFrame
        Index = period, columns = sectors: standard deviation of the log quotients.
    first, last : int or str
    """

    table: pd.DataFrame
    spread: pd.DataFrame
    first: Period
    last: Period

    def to_frame(self) -> pd.DataFrame:
        """Index ``sector``; the columns named in :func:`convergence`."""
        return self.table.copy()

    def to_dict(self) -> dict[str, object]:
        """Both tables and the warning, ready for JSON."""
        return {
            "first": self.first,
            "last": self.last,
            "sectors": json_ready(self.table),
            "spread": json_ready(self.spread),
            "warning": WARNING,
        }

    def summary(self) -> str:
        """The table and the warning that belongs to it."""
        shown = self.table[["n", "beta", "beta_se", "beta_high", "sigma_ratio", "sigma_p"]]
        return (
            f"Convergence of log quotients from {self.first} to {self.last}\n"
            f"{shown.to_string(float_format='{:.3f}'.format, na_rep='–')}\n{WARNING}"
        )


def convergence(
    panel: Panel,
    first: Period | None = None,
    last: Period | None = None,
    *,
    across_breaks: bool = False,
) -> Convergence:
    r"""Regress the growth of quotients on where they began, and compare their spread.

    β is the slope of :math:`\ln LQ_1 - \ln LQ_0` on :math:`\ln LQ_0`. If :math:`\ln LQ_0` carries an error
    with the share :math:`1 - \lambda` of its variance, least squares find
    :math:`1 + \hat\beta = \lambda (1 + \beta)`: of quotients that never changed, :math:`\hat\beta =
    -(1 - \lambda)`. Where the error is known (counts: variance :math:`1/x` of a log count less :math:`1/q`;
    rounding to ±r: :math:`r^2 / 3 LQ^2`), ``beta_corrected`` is :math:`(1 + \hat\beta) / \lambda - 1`. Where
    not, the reverse regression bounds it: :math:`\beta \le s_1^2 / s_{01} - 1` (``beta_high``), whatever the
    error of either period, if the two are independent; with few regions the bound has sampling error too.
    σ-convergence compares the standard deviations of both periods (Pitman's test of paired variances; null
    hypothesis: they are the same).

    Parameters
    ----------
    panel : Panel
    first, last, across_breaks
        As in :func:`quotient_change`.

    Returns
    -------
    Convergence
        Index ``sector``; ``n`` (regions with a quotient above 0 in both periods) and ``zeros`` (the others,
        left out: 0 has no logarithm), ``beta, beta_se`` (HC2), ``beta_p`` (t with n − 2 degrees of
        freedom; null hypothesis: β = 0), ``reliability`` (λ, where known), ``beta_corrected, beta_high,
        error_share``, ``sigma_before, sigma_after, sigma_ratio, sigma_p``.

    Raises
    ------
    InputError
        As :meth:`spatialkz.tables.Panel.between`; or if fewer than 4 regions have a sector in both periods.

    References
    ----------
    Barro, R. J., & Sala-i-Martin, X. (1992). Convergence. Journal of Political Economy 100, 223–251. Quah, D.
    (1993). Galton's fallacy and tests of the convergence hypothesis. Scandinavian Journal of Economics 95,
    427–443. Pitman, E. J. G. (1939). A note on normal correlation. Biometrika 31, 9–12.

    Examples
    --------
    >>> import spatialkz
    >>> panel = spatialkz.load_study("kazakhstan-gva").panel
    >>> convergence(panel, 2011, 2020).to_frame().loc["Manufacturing", "beta"].round(2)
    np.float64(-0.26)
    """
    part = check_panel(panel).between(first, last, across_breaks=across_breaks)
    start, end = part.periods[0], part.periods[-1]
    if part.sectors.empty:
        raise InputError(f"The periods {listing(part.periods)} have no sector in common.")
    quotients = quotients_by_period(part)
    before, after = quotients[start], quotients[end]
    variance = _error_variance(part.tables[start], before)
    rows = {}
    for sector in part.sectors:
        both = ((before[sector] > 0) & (after[sector] > 0)).to_numpy()
        if both.sum() < _LEAST:
            raise InputError(
                f"{sector} has a quotient above 0 in both periods in {both.sum()} regions; {_LEAST} are "
                "needed."
            )
        x, y = (np.log(table[sector].to_numpy()[both]) for table in (before, after))
        error = None if variance is None else float(np.mean(variance[sector].to_numpy()[both]))
        rows[sector] = {"n": int(both.sum()), "zeros": int((~both).sum()), **_slope(x, y, error)}
    with np.errstate(divide="ignore"):
        logs = {period: np.log(table.where(table > 0)) for period, table in quotients.items()}
    spread = pd.DataFrame({period: table.std(ddof=1) for period, table in logs.items()}).T
    table = pd.DataFrame(rows).T.rename_axis(index="sector").astype({"n": int, "zeros": int})
    return Convergence(table, spread.rename_axis(index="period", columns="sector"), start, end)


def _slope(x: Floats, y: Floats, error: float | None) -> dict[str, float]:
    n = len(x)
    around, change = x - x.mean(), y - x
    own = around @ around
    names = "beta beta_se beta_p reliability beta_corrected beta_high error_share".split()
    found = dict.fromkeys(names, np.nan)
    if own > 0:
        fit = Partialled.of(x[:, None], change[:, None], np.empty((n, 0)))
        beta, se = fit.slopes().item(), fit.robust()[0].item()
        t = beta / se if se > 0 else np.nan
        cross, variance = around @ (y - y.mean()), np.sum((y - y.mean()) ** 2)
        # Without covariance above 0 the reverse regression bounds nothing.
        found |= {"beta": beta, "beta_se": se, "beta_p": 2 * stats.t.sf(abs(t), n - 2)}
        found["beta_high"] = variance / cross - 1 if cross > 0 else np.inf
        found["error_share"] = max(0.0, -beta)
        if error is not None:
            found["reliability"] = trust = 1 - error / (own / (n - 1))
            found["beta_corrected"] = (1 + beta) / trust - 1 if trust > 0 else np.nan
    sums, differences = x + y, y - x
    if differences.std() > 0 and sums.std() > 0:
        r = np.corrcoef(sums, differences)[0, 1]
        t = r * np.sqrt((n - 2) / max(1 - r * r, 1e-300))
        sigma_p = float(2 * stats.t.sf(abs(t), n - 2))
    else:
        sigma_p = 1.0
    before, after = x.std(ddof=1), y.std(ddof=1)
    ratio = after / before if before > 0 else np.nan
    return found | {
        "sigma_before": before,
        "sigma_after": after,
        "sigma_ratio": ratio,
        "sigma_p": sigma_p,
    }


def _error_variance(table: ActivityTable, quotients: pd.DataFrame) -> pd.DataFrame | None:
    """Variance of the error in each log quotient, where it is known."""
    values = table.values.loc[quotients.index, quotients.columns]
    if table.kind == "counts":
        national = values.sum() if table.national is None else table.national
        return (1 / values.where(values > 0)).sub(1 / national, axis=1).clip(lower=0)
    if table.kind == "quotients" and table.rounding > 0:
        return table.rounding**2 / 3 / values.where(values > 0) ** 2
    return None
