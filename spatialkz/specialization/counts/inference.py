"""Tests and confidence intervals of location quotients computed from counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd

from spatialkz.errors import InputError, listing
from spatialkz.options import Adjustment, Alternative, QuotientMethod
from spatialkz.randomness import generator
from spatialkz.resampling.pvalues import adjusted, check_number, tail_p_value
from spatialkz.results import Result, json_ready
from spatialkz.specialization.counts import exact
from spatialkz.specialization.counts.approximate import (
    delta,
    effective_plants,
    nonparametric_bootstrap,
    parametric_bootstrap,
    thrown_plants,
)
from spatialkz.specialization.counts.input import (
    CountedCells,
    ErrorLevels,
    Inference,
    cells_of,
    check_herfindahl,
    check_plants,
    checked_counts,
)
from spatialkz.specialization.margins import margins
from spatialkz.tables import ActivityTable

_NULL = {
    "binomial": "each job of the sector falls into a region with the chance of its base share",
    "hypergeometric": "with the totals as they are, region and sector are independent",
    "delta": "log LQ is 0, sector counts being binomial in each region",
    "parametric-bootstrap": "each job of the sector falls into a region with the chance of its base share",
    "nonparametric-bootstrap": "with the totals as they are, region and sector are independent",
    "overdispersed": "each plant of the sector falls into a region with the chance of its base share",
}
_SHOWN = 10


@dataclass(frozen=True, repr=False)
class QuotientTest(Result):
    """Result of :func:`quotient_test`.

    Attributes
    ----------
    table : DataFrame
        What :meth:`to_frame` returns.
    method, alternative : str
        What was tested, and how.
    confidence : float
        Confidence of each cell's interval, not adjusted for the number of cells.
    adjust : str
        Adjustment of the p-values over all cells.
    resamples : int
        Number of resamples; 0 for methods that draw nothing.
    """

    table: pd.DataFrame
    method: QuotientMethod
    alternative: Alternative
    confidence: float
    adjust: Adjustment
    resamples: int

    def to_frame(self) -> pd.DataFrame:
        """One row for each region and sector, with the columns named in :func:`quotient_test`."""
        return self.table.copy()

    def to_dict(self) -> dict[str, object]:
        """Choices and cells (region → sector → values), ready for JSON."""
        cells: dict[str, dict[str, object]] = {}
        for (region, sector), row in zip(self.table.index, self.table.to_dict("records"), strict=True):
            cells.setdefault(str(region), {})[str(sector)] = json_ready(row)
        return {
            "method": self.method,
            "alternative": self.alternative,
            "confidence": self.confidence,
            "adjust": self.adjust,
            "resamples": self.resamples,
            "cells": cells,
        }

    def summary(self) -> str:
        """The cells with the smallest p-values as text, with what was tested."""
        error = f"{1 - self.confidence:.4g}"
        found = int((self.table["p_adjusted"] <= 1 - self.confidence).sum())
        first = self.table.sort_values("p_value", kind="stable").head(_SHOWN)
        drawn = f", {self.resamples} resamples" if self.resamples else ""
        lines = [
            f"Location quotients of {len(self.table)} cells, {self.method}, {self.alternative}{drawn}",
            f"Null hypothesis: {_NULL[self.method]}.",
            f"{found} cells with p_adjusted ≤ {error} ({self.adjust} over all cells).",
            f"low, high: {self.confidence:.4g} confidence, each cell for itself.",
        ]
        notes = self.table["note"].value_counts()
        lines += [f"{times} cells: {note}." for note, times in notes.items() if note]
        columns = ["lq", "low", "high", "p_value", "p_adjusted", "expected"]
        lines.append(first[columns].to_string(float_format="{:.4g}".format))
        return "\n".join(lines)


def quotient_test(
    counts: pd.DataFrame | ActivityTable,
    base: pd.Series | pd.DataFrame | None = None,
    *,
    groups: pd.Series | None = None,
    method: QuotientMethod = "binomial",
    alternative: Alternative = "two-sided",
    confidence: float = 0.95,
    adjust: Adjustment = "fdr_bh",
    herfindahl: pd.Series | None = None,
    plants: pd.Series | None = None,
    resamples: int = 9999,
    rng: int | np.random.Generator | None = None,
) -> QuotientTest:
    r"""Test each location quotient against 1 and give its confidence interval.

    .. math:: LQ_{ij} = \frac{q_{ij} / q_j}{s_i}, \qquad s_i = Q_i / Q

    for counts :math:`q_{ij}` (jobs, people, plants) of region *i* in sector *j*, their national total
    :math:`q_j` and the bases :math:`Q_i` with sum :math:`Q`. ``method`` says how chance enters and with it
    what the quotient θ is that the interval covers:

    ``binomial``
        :math:`q_{ij} \sim B(q_j, s_i\theta_{ij})`: each job of the sector falls into the region with chance
        :math:`s_i\theta_{ij}`; θ = 1 is the dartboard (Guimarães, Figueiredo & Woodward 2009). Exact test;
        interval of Clopper & Pearson (1934) for :math:`s_i\theta_{ij}`, divided by :math:`s_i`.
    ``hypergeometric``
        Totals of regions and sectors are fixed, region and sector independent under the null hypothesis
        (Fisher's exact test). The exact limits are those of the odds ratio between the region and the rest of
        the country; they are given as the quotient that a table with these totals and this odds ratio has.
    ``delta``
        Bases are fixed, sector counts binomial in each region; normal approximation of log LQ.
    ``parametric-bootstrap``
        The dartboard by simulation; BCa interval from redrawn jobs of the sector.
    ``nonparametric-bootstrap``
        Test by reassigning jobs to sectors; BCa interval from redrawn jobs of the whole base.
    ``overdispersed``
        Whole plants fall into the region with chance :math:`s_i\theta_{ij}`, so the region's share of the
        sector has variance :math:`\pi (1 - \pi) H_j`, :math:`\pi = s_i\theta_{ij}` (Ellison & Glaeser 1997).
        With ``plants``, exact up to Monte-Carlo error; with ``herfindahl``, binomial inference with
        :math:`1/H_j` equal plants, exact only if plants are equal.

    Two-sided p-values are twice the smaller tail, at most 1. For ``binomial``, ``hypergeometric``, ``delta``
    and ``overdispersed`` the p-value is at most 1 − confidence exactly where the interval leaves out 1; a
    one-sided alternative gives the one-sided interval, open up to what is possible. Money is no count: a test
    needs to know how many independent things there were.

    Parameters
    ----------
    counts : DataFrame or ActivityTable of kind ``"counts"``
        Whole numbers; rows are regions, columns sectors. A table brings its own base and groups.
    base : Series or DataFrame, optional
        Whole numbers that contain the counts, one column for each group. Left out, the sum of the region's
        row, within each group.
    groups : Series, optional
        Sector → base group.
    method : str
        One of those above.
    alternative : {"two-sided", "greater", "less"}
        ``greater`` tests for specialization.
    confidence : float
        Confidence of each interval, between 0 and 1.
    adjust : {"fdr_bh", "fdr_by", "holm", "bonferroni"}
        Adjustment over all cells: Benjamini–Hochberg, Benjamini–Yekutieli, Holm or Bonferroni.
    herfindahl : Series, optional
        For ``overdispersed``: sector → :math:`H_j`, the sum of the plants' squared shares of the sector.
    plants : Series, optional
        For ``overdispersed``: jobs of each plant, the index its sector; the plants of a sector add up to it.
    resamples : int
        Draws of the bootstraps, and of ``overdispersed`` with ``plants``; at least 99.
    rng : int, Generator or None
        Seed of the draws.

    Returns
    -------
    QuotientTest
        ``to_frame()`` has index ``(region, sector)`` and columns ``lq, low, high, p_value, p_adjusted,
        expected`` (:math:`s_i q_j`)``, p_min`` (the smallest p-value that any count could have reached; for
        ``delta`` that of the exact binomial)``, note`` (where a cell was treated unlike the others or can
        never be significant, why; else empty). No p-value is given as smaller than 2.2e-308.

    Raises
    ------
    InputError
        If counts or bases are no whole numbers, negative or missing, a sector is nowhere active, a base is
        zero or smaller than a count, plants or H do not fit the counts, or an option is unknown.
    RegionError
        If the regions of ``base`` are not those of ``counts``.

    References
    ----------
    Clopper & Pearson (1934), *Biometrika* 26. Guimarães, Figueiredo & Woodward (2009), *Regional Science and
    Urban Economics* 39. Ellison & Glaeser (1997), *Journal of Political Economy* 105. What was checked
    against which source, and how often intervals cover, is in the page on tests of quotients.

    Examples
    --------
    >>> jobs = pd.DataFrame({"software": [9, 3], "law": [2, 2]}, index=["North", "South"])
    >>> base = pd.Series({"North": 100, "South": 200})
    >>> test = quotient_test(jobs, base)
    >>> test.to_frame().loc["North", ["lq", "low", "high", "p_value"]].round(3)
               lq    low   high  p_value
    sector
    software 2.25  1.284  2.835    0.008
    law      1.50  0.203  2.797    0.815
    """
    for name, value, known in (
        ("method", method, get_args(QuotientMethod)),
        ("alternative", alternative, get_args(Alternative)),
        ("adjust", adjust, get_args(Adjustment)),
    ):
        if value not in known:
            raise InputError(f"{name} is {value!r}; it must be one of {listing(known)}.")
    if not (isinstance(confidence, int | float) and 0 < confidence < 1):
        raise InputError(f"confidence is {confidence!r}; it must lie between 0 and 1.")
    if method != "overdispersed" and (herfindahl is not None or plants is not None):
        raise InputError(f"herfindahl and plants are for method 'overdispersed', not {method!r}.")
    if herfindahl is not None and plants is not None:
        raise InputError("Give herfindahl or plants, not both: H follows from the plants.")
    given = counts if isinstance(counts, ActivityTable) else None
    table, base, groups = checked_counts(counts, base, groups)
    # Sorted, so that the order of rows and columns does not decide which numbers are drawn.
    labels = pd.MultiIndex.from_product([table.index, table.columns], names=["region", "sector"])
    table = table.loc[sorted(table.index, key=str), sorted(table.columns, key=str)]
    found = margins(
        table,
        base,
        groups=groups,
        national=given.national if given else None,
        national_base=given.national_base if given else None,
    )
    cells = cells_of(found)
    levels = ErrorLevels.of(alternative, confidence)
    draws = "bootstrap" in method or plants is not None
    if draws:
        _check_resamples(resamples, levels)
    stream = generator(rng, "quotient_test")
    if method == "binomial":
        inference = exact.binomial(cells, levels)
    elif method == "hypergeometric":
        inference = exact.hypergeometric(cells, levels)
    elif method == "delta":
        inference = delta(cells, levels)
    elif method == "parametric-bootstrap":
        inference = parametric_bootstrap(cells, levels, resamples, stream)
    elif method == "nonparametric-bootstrap":
        inference = nonparametric_bootstrap(cells, levels, resamples, stream)
    elif plants is not None:
        sizes = check_plants(plants, found.sector_totals)
        inference = thrown_plants(cells, levels, sizes, resamples, stream)
    else:
        inference = effective_plants(cells, levels, check_herfindahl(herfindahl, found.sector_totals))
    result = _assembled(cells, inference, alternative, 1 - confidence)
    result.index = pd.MultiIndex.from_product([table.index, table.columns], names=["region", "sector"])
    result = result.loc[labels]
    result.insert(4, "p_adjusted", adjusted(result["p_value"].to_numpy(), adjust))
    return QuotientTest(result, method, alternative, confidence, adjust, resamples if draws else 0)


def _check_resamples(resamples: int, levels: ErrorLevels) -> None:
    smallest = min(level for level in (levels.low, levels.high) if level)
    # Limits at this confidence need as many.
    check_number(resamples, "resamples", max(99, int(np.ceil(1 / smallest - 1e-9)) - 1))


def _assembled(
    cells: CountedCells, inference: Inference, alternative: Alternative, error: float
) -> pd.DataFrame:
    """All columns but the adjusted p-values, one row for each cell, region by region."""
    p_min = tail_p_value(inference.least_above, inference.least_below, alternative)
    note = inference.note.copy()
    plain = note == ""
    note[plain & (p_min > error)] = f"no count could reach p ≤ {error:.4g}"
    note[plain & (cells.sector == cells.total)] = "the sector is the whole base, so its quotient is always 1"
    columns = {
        "lq": cells.count / cells.sector / cells.share,
        "low": inference.low,
        "high": inference.high,
        "p_value": tail_p_value(inference.above, inference.below, alternative),
        "expected": cells.share * cells.sector,
        "p_min": p_min,
        "note": note,
    }
    return pd.DataFrame({name: values.ravel() for name, values in columns.items()})
