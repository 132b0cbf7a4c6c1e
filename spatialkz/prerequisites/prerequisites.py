"""Whether sectors are more specialized where regions have more of a prerequisite: one test for each pair."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, stats
from threadpoolctl import ThreadpoolController

from spatialkz.errors import InputError, listing
from spatialkz.options import (
    Alternative,
    PrerequisiteFamily,
    PrerequisiteLabel,
    PrerequisiteMethod,
    QuotientScale,
)
from spatialkz.prerequisites.deletions import resting, resting_on_pairs, without_each
from spatialkz.prerequisites.inputs import (
    beside_quotients,
    kept_regions,
    marked_pairs,
    refuse_unfit,
    scaled,
    split_controls,
    unscaled,
)
from spatialkz.prerequisites.least_squares import Partialled, expected_without, robust_p_values
from spatialkz.prerequisites.permutation import (
    Orders,
    Simulated,
    arranged,
    at_least,
    directed,
    in_parts,
    intervals,
)
from spatialkz.randomness import generator
from spatialkz.resampling.checks import check_alpha, check_choice, check_permutations
from spatialkz.resampling.pvalues import (
    TIE,
    Floats,
    adjusted,
    check_alternative,
)
from spatialkz.resampling.shuffles import order_keys
from spatialkz.results import Result, json_ready

#: Labels of :class:`PrerequisiteTest`, from the strongest to the weakest.
LABELS: tuple[PrerequisiteLabel, ...] = get_args(PrerequisiteLabel)
# Regions up to which all pairs, and each region, are left out by default.
_PAIRS_UP_TO, _EACH_UP_TO = 30, 60
# What is flagged: a region that has this much of the say, a t of so few degrees, columns so alike.
_HIGH_LEVERAGE, _FEW_DEGREES, _ALIKE = 0.5, 4.0, 0.9
_POWER = 0.8
_THREADS = ThreadpoolController()


@dataclass(frozen=True, repr=False)
class PrerequisiteTest(Result):
    """Result of :func:`prerequisite_test`.

    Attributes
    ----------
    table : DataFrame
        What :meth:`to_frame` returns.
    influence : DataFrame
        Index ``(sector, covariate, region)``, the region being left out: ``slope`` (per standard deviation
        of the covariate in all regions), ``r, p_value, p_robust``.
    design : DataFrame
        Index ``covariate``: ``rank`` of the model's matrix; ``leverage``, the largest, of ``region``;
        ``df_robust``; ``correlation``, the largest in size with another covariate or control, named in
        ``correlated_with``; ``flags``, which of the three are beyond .5, below 4 and beyond .9.
    expected : DataFrame
        Quotients that the prerequisites lead to expect of each region (rows) in each sector, from the other
        regions alone.
    skill : Series
        By sector: share of the squared error of the other regions' mean that ``expected`` saves, on the
        transformed scale; below 0 the covariates say less than that mean does.
    alternative, family, method, permutations, alpha
        As given.
    """

    table: pd.DataFrame
    influence: pd.DataFrame
    design: pd.DataFrame
    expected: pd.DataFrame
    skill: pd.Series
    alternative: Alternative
    family: PrerequisiteFamily
    method: PrerequisiteMethod
    permutations: int
    alpha: float

    def to_frame(self) -> pd.DataFrame:
        """One row for each sector and covariate, with the columns named in :func:`prerequisite_test`."""
        return self.table.copy()

    def to_dict(self) -> dict[str, object]:
        """Everything, ready for JSON."""
        plain = {
            "alternative": self.alternative,
            "family": self.family,
            "method": self.method,
            "permutations": self.permutations,
            "alpha": self.alpha,
        }
        return {
            **plain,
            "tests": json_ready(self.table.reset_index().to_dict("records")),
            "influence": json_ready(self.influence.reset_index().to_dict("records")),
            "design": json_ready(self.design),
            "expected": json_ready(self.expected),
            "skill": json_ready(self.skill),
        }

    def summary(self) -> str:
        """Counts of labels, and what was found."""
        counts = self.table["label"].value_counts()
        found = self.table[self.table["p_value"] <= self.alpha]
        columns = ["slope", "low", "high", "p_value", "p_familywise", "p_robust", "worst_p", "label"]
        told = ", ".join(f"{counts[label]} {label}" for label in LABELS if label in counts)
        body = found[columns].to_string(float_format="{:.3f}".format) if len(found) else "none"
        return (
            f"Prerequisites, {len(self.table)} tests, n = {self.table['n'].iloc[0]}, {self.permutations} "
            f"permutations, {self.alternative}\n{told}\nWith p ≤ {self.alpha:g}, not adjusted:\n{body}"
        )


class Tested(NamedTuple):
    """Permutation tests of all pairs, arrays of shape (k, m)."""

    p_value: Floats
    smallest: Floats  # the smallest p-value that could have been
    familywise: Floats
    low: Floats
    high: Floats


def prerequisite_test(
    quotients: pd.DataFrame,
    covariates: pd.DataFrame,
    *,
    controls: pd.DataFrame | str | None = None,
    transform: QuotientScale | str = "log1p",
    method: PrerequisiteMethod = "freedman-lane",
    permutations: int = 9999,
    alternative: Alternative = "two-sided",
    family: PrerequisiteFamily = "all",
    same_activity: Iterable[tuple[Hashable, Hashable]] | None = None,
    without: Iterable[Hashable] | None = None,
    alpha: float = 0.05,
    deletions: int | None = None,
    rng: int | np.random.Generator | None = None,
) -> PrerequisiteTest:
    r"""Slope of each sector on each covariate, one pair at a time, with tests made for few regions.

    .. math:: f(q_{im}) = \alpha_m + \beta_{mk} z_{ik} + \gamma_{mk}' c_i + \varepsilon_{imk}

    for region *i*, sector *m* and covariate *k*: q are quotients, f the transform, z a covariate less its
    mean and divided by its standard deviation (of n − 1), so that a slope belongs to one standard deviation
    of the covariate; c are controls, the same for every pair. A covariate enters as it is given: take its
    logarithm before. Covariates are not in one model; to hold one constant, make it a control.

    Null hypothesis of ``p_value``: β = 0 and errors are exchangeable over the regions. That of ``p_robust``:
    β = 0 and errors are independent, with any variances. Where errors vary the more the larger the covariate
    is, permutations alone reject up to half of true null hypotheses in 17 regions; so a finding needs both.

    Parameters
    ----------
    quotients : DataFrame
        Rows are regions, columns sectors; at least 0 and at least six regions.
    covariates : DataFrame
        Rows the same regions in any order, columns covariates.
    controls : DataFrame or str, optional
        The same regions, a column for each control; or a formula of columns of ``covariates`` as formulaic
        reads it, such as ``"city + log(population)"``. Columns that the formula uses are not tested. Formulas
        may call functions, so take none from a stranger.
    transform : {"log1p", "symmetric", "none"} or str
        f: ln(1 + q), (q − 1)/(q + 1), q itself, or a formula of ``quotient``: ``"log(quotient + 0.1)"``.
    method : {"freedman-lane"}
        What is permuted: the residuals of the sector on constant and controls. Without controls that is
        the sector itself.
    permutations : int
        Number of permutations, at least 99; the same for all pairs. Where there are no more distinct
        arrangements of the covariate (beside the controls) than that, all are gone through, and the p-value
        is exact (without controls): always at six or seven regions, and for a covariate that marks few.
    alternative : {"two-sided", "greater", "less"}
        ``greater`` tests for positive slopes.
    family : {"all", "sector", "covariate"}
        Which tests ``p_adjusted`` and ``p_familywise`` count together: all, those of each sector, or those
        of each covariate.
    same_activity : iterable of (sector, covariate), optional
        Pairs in which both measure the same activity, such as research and R&D personnel. They are labelled
        so, belong to no family, and are not used for ``expected``.
    without : iterable of labels, optional
        Regions that are left out of everything.
    alpha : float
        Level of labels and ``detectable``; intervals cover 1 − ``alpha``.
    deletions : {0, 1, 2}, optional
        Regions that are left out at a time to see whom a finding rests on: none, each one, or each pair too.
        Left out, pairs up to 30 regions, single ones up to 60, none above.
    rng : int, Generator or None
        Seed of the permutations.

    Returns
    -------
    PrerequisiteTest
        ``to_frame()`` has index ``(sector, covariate)`` and columns

        - ``slope``, β; ``low, high``: all slopes b around it for which the permutation test of β = b is not
          rejected, infinite where every one is;
        - ``r``, the partial correlation given the controls;
        - ``p_value``, of \|t\| under permutations. Twice the smaller tail, which other tests of this package
          take, gives other p-values where the distribution is skewed: .003 instead of .024, for instance;
        - ``p_adjusted`` (Benjamini–Hochberg) and ``p_familywise`` (share of permutations in which the largest
          \|t\| of the family is at least this one), missing for the same activity;
        - ``p_robust, df_robust``: t of the HC2 standard error with the degrees of freedom of Bell & McCaffrey
          (CR2 with a cluster for each region);
        - ``worst_p``, the largest ``p_value`` when one region is left out; ``rests_on``, the region without
          which a p_value of at most ``alpha`` exceeds it, or else the pair (“A and B”);
        - ``detectable``, the smallest \|r\| in the regions' population that a t test finds in 80 % of samples
          with normal errors; missing where no p-value could have been small enough;
        - ``n``, regions;
        - ``label``: ``supported`` (p_value, p_robust and every deletion tried at most ``alpha``),
          ``rests on one region``, ``rests on two regions``, ``unequal variance`` (only p_value is),
          ``same activity``, ``not found``, ``unattainable`` (no arrangement has so small a p-value). Labels
          are those of single tests: of tables of 17 × 11 and 8 covariates without any relation, a fifth have
          a pair that is ``supported``, but 3 % one with a ``p_familywise`` of at most .05.

    Raises
    ------
    InputError
        If a cell is missing, a column constant, covariates are collinear with each other or with controls, an
        option is unknown, or regressors (covariate and controls) are more than two and more than
        (n − 1) // 5.
    RegionError
        If covariates or controls have other regions than quotients.

    Notes
    -----
    A region's expected quotient is the mean over the covariates of what each leads to expect from the other
    regions, on the scale of the transform and back (a formula is not turned back).

    References
    ----------
    Freedman & Lane (1983), *Journal of Business & Economic Statistics* 1, 292–298. Winkler et al. (2014),
    *NeuroImage* 92, 381–397 (max-T). Bell & McCaffrey (2002), *Survey Methodology* 28, 169–181; Imbens &
    Kolesár (2016), *Review of Economics and Statistics* 98, 701–712 (degrees of freedom).

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> quotients = study.table.values
    >>> cities = pd.Series(quotients.index.isin(["Almaty City", "Nur-Sultan", "Shymkent"]), quotients.index)
    >>> test = prerequisite_test(quotients, cities.astype(int).to_frame("city"), rng=1)
    >>> found = test.to_frame().xs("city", level="covariate")
    >>> found.loc[["computer", "chemical"], ["slope", "p_value", "label"]].round(2)
              slope  p_value             label
    sector
    computer   0.18     0.01  unequal variance
    chemical  -0.20     0.20         not found
    """
    check_choice(method, get_args(PrerequisiteMethod))
    if family not in get_args(PrerequisiteFamily):
        raise InputError(f"family is {family!r}; it must be one of {listing(get_args(PrerequisiteFamily))}.")
    check_alternative(alternative)
    check_permutations(permutations)
    check_alpha(alpha)
    keys = order_keys(generator(rng, "prerequisite_test"), permutations)
    table = kept_regions(quotients, without)
    given = beside_quotients(covariates, quotients, table.index, "covariates")
    tested, beside = split_controls(given, controls, quotients)
    response = scaled(table, transform)
    refuse_unfit(response, tested, beside)
    same = marked_pairs(same_activity, table.columns, tested.columns, given.columns)
    left_out = _deletions(deletions, len(table))
    y, c = response.to_numpy(), beside.to_numpy()
    z = ((tested - tested.mean()) / tested.std(ddof=1)).to_numpy()
    if beside.shape[1]:
        c = (c - c.mean(axis=0)) / c.std(axis=0, ddof=1)
    with _THREADS.limit(limits=1, user_api="blas"):
        fit = Partialled.of(z, y, c)
        p = _tested(fit, z, c, Orders(len(z), keys), ~same, alternative, family, alpha)
        robust, df = robust_p_values(fit, alternative)
        influence = without_each(z, y, c, keys, alternative) if left_out else np.empty((0, 4, *same.shape))
        small = ~same & (p.p_value <= alpha)
        worst, rests_on, on = resting(influence, small, table.index, alpha)
        if left_out == 2:
            sound = small & (on == 0)
            pair_on = resting_on_pairs(z, y, c, keys, alternative, sound, table.index, alpha)
            rests_on, on = np.where(pair_on != "", pair_on, rests_on), np.where(pair_on != "", 2, on)
        expected, skill = expected_without(fit, y, ~same)
    seen = np.where(p.smallest > alpha, np.nan, _detectable(fit, len(z), alternative, alpha))
    columns = {
        "slope": fit.slopes(),
        "low": p.low,
        "high": p.high,
        "r": fit.correlations(),
        "p_value": p.p_value,
        "p_adjusted": _adjusted(p.p_value, same, family),
        "p_familywise": np.where(same, np.nan, p.familywise),
        "p_robust": robust,
        "df_robust": np.broadcast_to(df[:, None], same.shape),
        "worst_p": worst,
        "rests_on": rests_on,
        "detectable": seen,
        "n": np.full(same.shape, len(z)),
        "label": _labels(p, robust, same, on, alpha),
    }
    pairs = pd.MultiIndex.from_product([table.columns, tested.columns], names=["sector", "covariate"])
    regions = pd.MultiIndex.from_product(
        [table.columns, tested.columns, table.index[: len(influence)]], names=[*pairs.names, "region"]
    )
    parts = np.moveaxis(influence, (1, 3, 2, 0), (0, 1, 2, 3)).reshape(4, -1)
    order = pd.Index(quotients.index).intersection(table.index, sort=False)
    back = unscaled(pd.DataFrame(expected, table.index, table.columns), transform)
    return PrerequisiteTest(
        pd.DataFrame({name: cells.T.ravel() for name, cells in columns.items()}, index=pairs),
        pd.DataFrame(dict(zip(["slope", "r", "p_value", "p_robust"], parts, strict=True)), index=regions),
        _design(fit, tested, beside, df),
        back.loc[order],
        pd.Series(skill, table.columns.rename("sector"), name="skill"),
        alternative,
        family,
        method,
        permutations,
        alpha,
    )


def _deletions(deletions: int | None, n: int) -> int:
    if deletions is None:
        return 2 if n <= _PAIRS_UP_TO else int(n <= _EACH_UP_TO)
    if isinstance(deletions, bool) or deletions not in (0, 1, 2):
        raise InputError(f"deletions is {deletions!r}; 0, 1 (each region) or 2 (pairs too) was expected.")
    return int(deletions)


def _tested(
    fit: Partialled,
    z: Floats,
    controls: Floats,
    drawn: Orders,
    counted: NDArray[np.bool_],
    alternative: Alternative,
    family: PrerequisiteFamily,
    alpha: float,
) -> Tested:
    """All permutation tests; the family consists of the ``counted`` pairs."""
    found = Tested(*np.full((5, *counted.shape), np.nan))
    first, *own = arranged(z, controls, drawn, family=True)
    shape = {"all": (1, 1), "sector": (1, counted.shape[1]), "covariate": (counted.shape[0], 1)}[family]
    largest = np.full((*shape, first[0].count), -np.inf)
    for orders, which in [first, *own]:
        part = fit.covariates(which)
        observed = directed(part.correlations(), alternative)
        for some in in_parts(part, orders):
            sectors = part.sectors(some)
            simulated = Simulated.of(sectors, orders)
            scores = simulated.scores(sectors, alternative)
            found.p_value[which, some] = orders.p_value(at_least(scores, observed[:, some]))
            found.smallest[which, some] = orders.p_value(at_least(scores, scores.max(axis=2)))
            ends = intervals(sectors, simulated, orders.needed(alpha), alternative)
            found.low[which, some], found.high[which, some] = ends
            if orders is first[0]:
                scores[~counted[:, some]] = -np.inf
                sector = some if family == "sector" else slice(None)
                if family != "covariate":
                    scores = scores.max(axis=0, keepdims=True)
                most = scores if family == "sector" else scores.max(axis=1, keepdims=True)
                largest[:, sector] = np.maximum(largest[:, sector], most)
    observed = np.broadcast_to(directed(fit.correlations(), alternative), counted.shape)
    largest.sort(axis=2)
    for k, m in np.ndindex(*counted.shape):
        ordered = largest[k % shape[0], m % shape[1]]
        count = len(ordered) - np.searchsorted(ordered, observed[k, m] - TIE)
        found.familywise[k, m] = first[0].p_value(count)
    return found._replace(familywise=np.maximum(found.familywise, found.p_value))


def _labels(
    p: Tested, robust: Floats, same: NDArray[np.bool_], on: NDArray[np.int_], alpha: float
) -> NDArray[np.object_]:
    cases: list[tuple[NDArray[np.bool_], PrerequisiteLabel]] = [
        (same, "same activity"),
        (p.smallest > alpha, "unattainable"),
        (p.p_value > alpha, "not found"),
        (robust > alpha, "unequal variance"),
        (on == 1, "rests on one region"),
        (on == 2, "rests on two regions"),
    ]
    conditions, names = zip(*cases, strict=True)
    return np.asarray(np.select(conditions, names, "supported"), dtype=object)


def _adjusted(p: Floats, same: NDArray[np.bool_], family: PrerequisiteFamily) -> Floats:
    """Benjamini–Hochberg over each family; pairs of the same activity are in none."""
    found = np.full(p.shape, np.nan)
    groups = {"all": np.zeros(p.shape), "sector": np.indices(p.shape)[1], "covariate": np.indices(p.shape)[0]}
    for group in np.unique(groups[family]):
        chosen = (groups[family] == group) & ~same
        if chosen.any():
            found[chosen] = adjusted(p[chosen])
    return found


def _detectable(fit: Partialled, n: int, alternative: Alternative, alpha: float) -> float:
    """Smallest partial correlation that the t test of normal errors finds with 80 % power."""
    tails = 2 if alternative == "two-sided" else 1
    critical = stats.t.isf(alpha / tails, fit.degrees)

    def lacking(shift: float) -> float:
        if tails == 1:
            return float(stats.nct.sf(critical, fit.degrees, shift)) - _POWER
        return float(stats.ncf.sf(critical**2, 1, fit.degrees, shift**2)) - _POWER

    most = 1.0
    while lacking(most) < 0:
        most *= 1.5
    if np.isnan(lacking(most)):  # beyond what SciPy can compute
        return np.nan
    shift = optimize.brentq(lacking, 1e-3, most)
    return float(shift / np.sqrt(shift**2 + n - fit.basis.shape[1]))


def _design(fit: Partialled, covariates: pd.DataFrame, controls: pd.DataFrame, df: Floats) -> pd.DataFrame:
    """What the covariates alone decide about the tests."""
    h = pd.DataFrame(fit.leverages(), covariates.index, covariates.columns)
    beside = {name: f"{name} (control)" for name in controls if name in covariates}
    together = covariates.join(controls.rename(columns=beside))
    r = np.corrcoef(together.to_numpy(), rowvar=False).reshape(together.shape[1], -1)[: len(df)]
    r[np.arange(len(df)), np.arange(len(df))] = 0.0
    with_whom = np.abs(r).argmax(axis=1)
    most = r[np.arange(len(df)), with_whom]
    flagged = [h.max() > _HIGH_LEVERAGE, df < _FEW_DEGREES, np.abs(most) > _ALIKE]
    names = np.array(["leverage", "df_robust", "correlation"])
    return pd.DataFrame(
        {
            "rank": 2 + fit.basis.shape[1],
            "leverage": h.max(),
            "region": h.idxmax(),
            "df_robust": df,
            "correlation": most,
            "correlated_with": np.where(most == 0, "", together.columns[with_whom].astype(str)),
            "flags": [", ".join(names[list(marks)]) for marks in zip(*flagged, strict=True)],
        },
        index=covariates.columns.rename("covariate"),
    )
