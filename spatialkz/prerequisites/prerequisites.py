"""Whether sectors are more specialized where regions have more of a prerequisite: one test for each pair."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd
from scipy import stats

from spatialkz.errors import InputError
from spatialkz.options import (
    Alternative,
    PrerequisiteFamily,
    PrerequisiteLabel,
    PrerequisiteMethod,
    QuotientScale,
)
from spatialkz.prerequisites.least_squares import Partialled
from spatialkz.prerequisites.permutation import permuted_correlations
from spatialkz.randomness import generator
from spatialkz.resampling.checks import check_alpha, check_choice, check_permutations
from spatialkz.resampling.pvalues import Floats, adjusted, check_alternative
from spatialkz.resampling.shuffles import order_keys, random_orders
from spatialkz.results import Result, json_ready
from spatialkz.tables import check_same_regions, check_table

#: Labels of :class:`PrerequisiteTest`, from the strongest to the weakest.
LABELS: tuple[PrerequisiteLabel, ...] = get_args(PrerequisiteLabel)


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
        ``correlated_with``; ``arrangements``, in how many ways its values can be arranged; ``flags``.
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
    rng: int | np.random.Generator | None = None,
) -> PrerequisiteTest:
    """Slope of each sector on each covariate, with tests for few regions."""
    if transform != "log1p" or without is not None:
        raise InputError("Other transforms and regions left out are still to come.")
    check_choice(method, get_args(PrerequisiteMethod))
    check_alternative(alternative)
    check_permutations(permutations)
    check_alpha(alpha)
    keys = order_keys(generator(rng, "prerequisite_test"), permutations)
    table = check_table(quotients, name="quotients", minimum=0, least_regions=6).sort_index()
    given = check_table(covariates, name="covariates")
    check_same_regions(given.index, table.index, "covariates", "quotients")
    given = given.loc[table.index]
    if not isinstance(controls, pd.DataFrame | None):
        raise InputError("controls as a formula are still to come.")
    beside = (
        np.empty((len(table), 0))
        if controls is None
        else check_table(controls, name="controls").loc[table.index].to_numpy()
    )
    y = np.log1p(table.to_numpy())
    z = ((given - given.mean()) / given.std(ddof=1)).to_numpy()
    fit = Partialled.of(z, y, beside)
    slope, r = fit.slopes(), fit.correlations()
    error, df = fit.robust()
    simulated = permuted_correlations(fit, random_orders(len(z), keys))
    size = np.abs(r)
    p_value = (1 + (np.abs(simulated) >= size - 1e-10).sum(axis=0)) / (permutations + 1)
    most = np.abs(simulated).max(axis=(1, 2))
    p_familywise = (1 + (most[:, None, None] >= size - 1e-10).sum(axis=0)) / (permutations + 1)
    p_robust = 2 * stats.t.sf(np.abs(slope) / error, df[:, None])
    index = pd.MultiIndex.from_product([table.columns, given.columns], names=["sector", "covariate"])

    def column(cells: Floats) -> Floats:
        return cells.T.ravel()

    pairs = list(same_activity or ())
    same = index.isin(pairs)
    label = np.where(
        column(p_value) > alpha,
        "not found",
        np.where(column(p_robust) > alpha, "unequal variance", "supported"),
    )
    found = pd.DataFrame(
        {
            "slope": column(slope),
            "low": column(slope) - 2 * column(error),
            "high": column(slope) + 2 * column(error),
            "r": column(r),
            "p_value": column(p_value),
            "p_adjusted": adjusted(column(p_value)),
            "p_familywise": column(p_familywise),
            "p_robust": column(p_robust),
            "df_robust": np.tile(df, len(table.columns)),
            "worst_p": column(p_value),
            "rests_on": "",
            "detectable": 0.588,
            "n": len(table),
            "label": np.where(same, "same activity", label),
        },
        index=index,
    )
    region = pd.MultiIndex.from_product(
        [table.columns, given.columns, table.index], names=["sector", "covariate", "region"]
    )
    repeated = found[["slope", "r", "p_value", "p_robust"]].to_numpy().repeat(len(table), axis=0)
    influence = pd.DataFrame(repeated, index=region, columns=["slope", "r", "p_value", "p_robust"])
    h = pd.DataFrame(fit.leverages(), table.index, given.columns)
    design = pd.DataFrame(
        {
            "rank": 2 + fit.basis.shape[1],
            "leverage": h.max(),
            "region": h.idxmax(),
            "df_robust": df,
            "correlation": 0.0,
            "correlated_with": "",
            "arrangements": float("inf"),
            "flags": "",
        },
        index=given.columns.rename("covariate"),
    )
    expected = pd.DataFrame(np.expm1(y.mean(axis=0) + 0 * y), table.index, table.columns)
    skill = pd.Series(0.0, table.columns.rename("sector"), name="skill")
    return PrerequisiteTest(
        found.loc[pd.MultiIndex.from_product([quotients.columns, covariates.columns])].rename_axis(
            ["sector", "covariate"]
        ),
        influence,
        design,
        expected.loc[quotients.index],
        skill,
        alternative,
        family,
        method,
        permutations,
        alpha,
    )
