"""Change of location quotients between two periods, with intervals; specializations that come and go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import pandas as pd
from scipy import stats

from spatialkz.errors import InputError, is_number, listing
from spatialkz.options import ChangeMethod
from spatialkz.randomness import generator
from spatialkz.resampling.checks import check_choice
from spatialkz.resampling.pvalues import Floats, adjusted, check_number
from spatialkz.results import Result, json_ready
from spatialkz.specialization import quotient_interval, table_quotients
from spatialkz.specialization.margins import table_margins
from spatialkz.specialization.quotients import check_threshold
from spatialkz.specialization.uncertainty import drawn_quotients
from spatialkz.tables import ActivityTable, Panel, Period
from spatialkz.tables.panel import check_panel


def quotients_by_period(panel: Panel) -> dict[Period, pd.DataFrame]:
    """Location quotients of the sectors that every period has, regions in one order."""
    regions, sectors = panel.regions, panel.sectors
    return {period: table_quotients(table).loc[regions, sectors] for period, table in panel.tables.items()}


@dataclass(frozen=True, repr=False)
class QuotientChange(Result):
    """Result of :func:`quotient_change`.

    Attributes
    ----------
    table : DataFrame
        What :meth:`to_frame` returns.
    first, last : int or str
        The two periods.
    method : str
        Where the interval comes from: ``exact``, ``bootstrap``, ``rounding`` or ``none``.
    confidence : float
        Of the intervals of counts.
    """

    table: pd.DataFrame
    first: Period
    last: Period
    method: ChangeMethod
    confidence: float

    def to_frame(self) -> pd.DataFrame:
        """Index ``(region, sector)``; the columns named in :func:`quotient_change`."""
        return self.table.copy()

    def to_dict(self) -> dict[str, object]:
        """Periods, method and the table, ready for JSON."""
        told: dict[str, Any] = {
            name: getattr(self, name) for name in ("first", "last", "method", "confidence")
        }
        return {**told, "cells": json_ready(self.table.reset_index().to_dict("records"))}

    def summary(self) -> str:
        """The largest rises and falls."""
        known = self.table.dropna(subset=["ratio"])
        order = np.log(known["ratio"].where(known["ratio"] > 0)).dropna().sort_values()
        columns = ["lq_before", "lq_after", "ratio", "low", "high", "p_value"]
        shown = known.loc[
            [*order.index[:3], *[i for i in order.index[-3:] if i not in order.index[:3]]], columns
        ]
        return (
            f"Change of quotients from {self.first} to {self.last} (interval of the ratio: {self.method})\n"
            f"{shown.to_string(float_format='{:.3f}'.format, na_rep='–')}"
        )


def quotient_change(
    panel: Panel,
    first: Period | None = None,
    last: Period | None = None,
    *,
    method: ChangeMethod = "auto",
    confidence: float = 0.95,
    resamples: int = 1999,
    across_breaks: bool = False,
    rng: int | np.random.Generator | None = None,
) -> QuotientChange:
    r"""Change of each location quotient between two periods, with an interval of the ratio.

    Parameters
    ----------
    panel : Panel
    first, last : int or str, optional
        Left out, the first and the last period.
    method : {"auto", "exact", "bootstrap", "rounding", "none"}
        ``exact`` (counts; the choice of ``auto``): given both bases and both national totals, cells are taken
        as Poisson with means :math:`E_t \lambda_t`, :math:`E` the count at a quotient of 1. Given their sum
        :math:`m = x_0 + x_1`, :math:`x_1` is binomial with
        :math:`\pi = E_1 \theta / (E_0 + E_1 \theta)`, :math:`\theta` the ratio of quotients; the interval is
        Clopper and Pearson's for :math:`\pi`, and two-sided p-values are twice the smaller tail. It is
        conservative where a region holds much of a sector.
        ``bootstrap`` (counts): both tables are drawn anew from their quotients; percentiles of the ratio. It
        knows that the national total varies too, and gives no p-value.
        ``rounding`` (quotients; the choice of ``auto``): what two printed values can stand for,
        :math:`[l_1 / u_0, u_1 / l_0]`.
        ``none`` (the choice of ``auto`` for volumes): money carries no error that is known, and gets no
        interval.
        Periods are taken as independent samples: where the same plants are counted twice, intervals are too
        wide, not too narrow.
    confidence : float
        Of intervals of counts.
    resamples : int
        Draws of the bootstrap.
    across_breaks : bool
        Whether the series may break between the two periods.
    rng : int, Generator or None

    Returns
    -------
    QuotientChange
        Index ``(region, sector)``; ``lq_before, lq_after, difference, ratio, low, high`` (ends of the ratio),
        ``p_value, p_adjusted`` (exact only; null hypothesis: the quotient is the same in both periods).

    Raises
    ------
    InputError
        As :meth:`spatialkz.tables.Panel.between`; or if the method does not fit the numbers.

    References
    ----------
    Przyborowski, J., & Wilenski, H. (1940). Homogeneity of results in testing samples from Poisson series.
    Biometrika 31, 313–323.

    Examples
    --------
    >>> jobs = pd.DataFrame({"law": [40, 60], "steel": [60, 40]}, index=["North", "South"])
    >>> later = pd.DataFrame({"law": [60, 40], "steel": [40, 60]}, index=["North", "South"])
    >>> panel = Panel({2010: ActivityTable(jobs, kind="counts"), 2020: ActivityTable(later, kind="counts")})
    >>> quotient_change(panel).to_frame().loc[("North", "law"), ["ratio", "low", "high"]].round(2).tolist()
    [1.5, 0.99, 2.3]
    """
    check_choice(method, get_args(ChangeMethod))
    if not is_number(confidence) or not 0.5 <= confidence < 1:
        raise InputError(f"confidence is {confidence}; it must lie from 0.5 to below 1.")
    check_number(resamples, "resamples", 99)
    part = check_panel(panel).between(first, last, across_breaks=across_breaks)
    start, end = part.periods[0], part.periods[-1]
    before, after = part.tables[start], part.tables[end]
    method = _fitting(method, before.kind, any(t.fractions.any(axis=None) for t in (before, after)))
    sectors = after.sectors[after.sectors.isin(before.sectors)]
    if sectors.empty:
        raise InputError(f"{start} and {end} have no sector in common.")
    regions = after.regions
    old, new = (table_quotients(table).loc[regions, sectors] for table in (before, after))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (new / old).where(old > 0)
    parts: dict[str, pd.DataFrame] = {
        "lq_before": old,
        "lq_after": new,
        "difference": new - old,
        "ratio": ratio,
    }
    blank = pd.DataFrame(np.nan, regions, sectors)
    p_value = blank
    if method == "exact":
        low, high, p_value = _exact(before, after, regions, sectors, confidence)
    elif method == "bootstrap":
        low, high = _bootstrap(before, after, regions, sectors, confidence, resamples, rng)
    elif method == "rounding":
        ends = [[end.loc[regions, sectors] for end in quotient_interval(table)] for table in (before, after)]
        with np.errstate(divide="ignore", invalid="ignore"):
            low, high = ends[1][0] / ends[0][1], (ends[1][1] / ends[0][0])
    else:
        low = high = blank
    parts |= {"low": low, "high": high, "p_value": p_value}
    table = pd.DataFrame({name: frame.stack() for name, frame in parts.items()})
    table = table.rename_axis(index=["region", "sector"])
    known = table["p_value"].notna()
    table["p_adjusted"] = np.nan
    if known.any():
        table.loc[known, "p_adjusted"] = adjusted(table.loc[known, "p_value"].to_numpy())
    return QuotientChange(table, start, end, method, confidence)


def _fitting(method: ChangeMethod, kind: str, fractions: bool) -> ChangeMethod:
    if method == "auto":
        if kind == "counts" and not fractions:
            return "exact"
        return "rounding" if kind == "quotients" else "none"
    if method in ("exact", "bootstrap") and (kind != "counts" or fractions):
        raise InputError(
            f"{method} intervals are for counts, and the table holds {kind}; take none or rounding."
        )
    return method


def _expected(table: ActivityTable, regions: pd.Index, sectors: pd.Index) -> pd.DataFrame:
    """Count of each cell at a quotient of 1."""
    national = table.values.sum() if table.national is None else table.national
    return (table_margins(table).base_shares * national).loc[regions, sectors]


def _exact(
    before: ActivityTable, after: ActivityTable, regions: pd.Index, sectors: pd.Index, confidence: float
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    x0, x1 = (table.values.loc[regions, sectors].to_numpy() for table in (before, after))
    e0, e1 = (_expected(table, regions, sectors).to_numpy() for table in (before, after))
    both, tail = x0 + x1, (1 - confidence) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        lower = np.where(x1 > 0, stats.beta.ppf(tail, x1, x0 + 1), 0.0)
        upper = np.where(x0 > 0, stats.beta.ppf(1 - tail, x1 + 1, x0), 1.0)
        low, high = lower / (1 - lower) * e0 / e1, upper / (1 - upper) * e0 / e1
        share = e1 / (e0 + e1)
    fewer, more = stats.binom.cdf(x1, both, share), stats.binom.sf(x1 - 1, both, share)
    p_value = np.minimum(1.0, 2 * np.minimum(fewer, more))
    empty = both == 0
    frames = [
        pd.DataFrame(np.where(empty, other, cells), regions, sectors)
        for cells, other in ((low, 0.0), (high, np.inf), (p_value, 1.0))
    ]
    return frames[0], frames[1], frames[2]


def _bootstrap(
    before: ActivityTable,
    after: ActivityTable,
    regions: pd.Index,
    sectors: pd.Index,
    confidence: float,
    resamples: int,
    rng: int | np.random.Generator | None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    draw = generator(rng, "quotient change")
    drawn: list[Floats] = []
    for table in (before, after):
        cells = drawn_quotients(table, resamples, draw)
        rows, columns = table.regions.get_indexer(regions), table.sectors.get_indexer(sectors)
        drawn.append(cells[:, rows][:, :, columns])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(drawn[0] > 0, drawn[1] / drawn[0], np.inf)
    tail = (1 - confidence) / 2
    low, high = (np.quantile(ratio, level, axis=0, method="inverted_cdf") for level in (tail, 1 - tail))
    return pd.DataFrame(low, regions, sectors), pd.DataFrame(high, regions, sectors)


def specialization_turnover(
    panel: Panel,
    first: Period | None = None,
    last: Period | None = None,
    *,
    threshold: float = 1.0,
    across_breaks: bool = False,
) -> pd.DataFrame:
    """Which specializations entered and left between two periods, and how sure that is.

    A region is specialized in a sector where its quotient is at least ``threshold``.

    Parameters
    ----------
    panel : Panel
    first, last, across_breaks
        As in :func:`quotient_change`.
    threshold : float

    Returns
    -------
    DataFrame
        Index ``(region, sector)``; ``state`` (``stayed, entered, left, never``), ``sure`` (whether the
        intervals of both quotients lie wholly on the sides that the state says; of volumes, which carry no
        known error, always), ``periods`` (in how many it was specialized) and ``crossings`` (how often it
        crossed the threshold: what crosses often did not move, it stands there).

    Raises
    ------
    InputError
        As :meth:`spatialkz.tables.Panel.between`; or if the threshold is not positive.

    Examples
    --------
    >>> jobs = pd.DataFrame({"law": [40, 60], "steel": [60, 40]}, index=["North", "South"])
    >>> tables = {year: ActivityTable(jobs if year < 2020 else jobs[::-1].set_axis(jobs.index), kind="counts")
    ...           for year in (2018, 2019, 2020)}
    >>> specialization_turnover(Panel(tables))["state"].tolist()
    ['entered', 'left', 'left', 'entered']
    """
    check_threshold(threshold)
    part = check_panel(panel).between(first, last, across_breaks=across_breaks)
    quotients = quotients_by_period(part)
    if part.sectors.empty:
        raise InputError(f"The periods {listing(part.periods)} have no sector in common.")
    marks = np.array([table.to_numpy() >= threshold for table in quotients.values()])
    states = np.array([["never", "entered"], ["left", "stayed"]])
    sure = np.ones(marks.shape[1:], dtype=bool)
    for place in (0, -1):
        table = part.tables[part.periods[place]]
        low, high = (end.loc[part.regions, part.sectors].to_numpy() for end in quotient_interval(table))
        sure &= np.where(marks[place], low >= threshold, high < threshold)
    columns = {
        "state": states[marks[0].astype(int), marks[-1].astype(int)],
        "sure": sure,
        "periods": marks.sum(axis=0),
        "crossings": (marks[1:] != marks[:-1]).sum(axis=0),
    }
    index = pd.MultiIndex.from_product([part.regions, part.sectors], names=["region", "sector"])
    return pd.DataFrame({name: cells.ravel() for name, cells in columns.items()}, index=index)
