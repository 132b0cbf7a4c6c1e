"""All that is asked of a study's covariates: slopes, neighbors, policies, odds, and who is out of step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from libpysal.graph import Graph

from spatialkz.errors import GraphError, InputError, listing
from spatialkz.options import Alternative, PrerequisiteFamily, QuotientScale
from spatialkz.prerequisites.inputs import LEAST_REGIONS, refuse_unfit, scaled, split_controls
from spatialkz.prerequisites.odds import ThresholdOdds, threshold_odds
from spatialkz.prerequisites.policy import PolicyContrast, policy_contrast
from spatialkz.prerequisites.prerequisites import PrerequisiteTest, prerequisite_test
from spatialkz.prerequisites.space import TESTS, spatial_diagnostics
from spatialkz.resampling.checks import constant_variables
from spatialkz.results import Result, json_ready
from spatialkz.specialization import complete_quotients
from spatialkz.study import Study
from spatialkz.tables import Covariates

# Most regions whose residuals are tested for autocorrelation, and simulated tables behind the tests' power.
_MOST_IN_SPACE, _DRAWS = 1_000, 999


@dataclass(frozen=True, repr=False)
class PrerequisiteFindings(Result):
    """Result of :func:`prerequisite_findings`.

    Attributes
    ----------
    test : PrerequisiteTest
    covariates : Covariates
        Those that were tested.
    space : DataFrame, optional
        Index ``(sector, covariate, test)``: :func:`spatial_diagnostics` of the sector on that covariate. None
        without a graph, or with more than 1,000 regions.
    contrast : PolicyContrast, optional
        Whether sectors that policies name exceed the others; None for a study without such lists.
    odds : ThresholdOdds, optional
        None where each sector is specialized everywhere or nowhere.
    notes : tuple of str
        What was left out and why, one sentence each.
    """

    test: PrerequisiteTest
    covariates: Covariates
    space: pd.DataFrame | None = None
    contrast: PolicyContrast | None = None
    odds: ThresholdOdds | None = None
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """The tests, with Moran's I of the residuals where a graph is known: ``residual_moran`` and its p."""
        table = self.test.to_frame()
        if self.space is None:
            return table
        moran = self.space.xs("moran", level="test").reindex(table.index)
        return table.assign(residual_moran=moran["statistic"], residual_moran_p=moran["p_value"])

    def to_dict(self) -> dict[str, object]:
        """Everything, ready for JSON."""
        space = None if self.space is None else json_ready(self.space.reset_index().to_dict("records"))
        return {
            **self.test.to_dict(),
            "covariates": self.covariates.to_dict(),
            "space": space,
            "policies": None if self.contrast is None else self.contrast.to_dict(),
            "odds": None if self.odds is None else self.odds.to_dict(),
            "notes": list(self.notes),
        }

    def summary(self) -> str:
        """The summaries of the parts."""
        parts = [part.summary() for part in (self.test, self.contrast, self.odds) if part is not None]
        return "\n\n".join([*parts, *self.notes])

    def mismatches(self, quotients: pd.DataFrame, threshold: float) -> pd.DataFrame:
        """Where prerequisites and sectors do not go together, by region.

        Only sectors whose quotients the prerequisites of the other regions foretell better than their mean
        does (``test.skill`` above 0) are looked at; for the others nothing can be expected.

        Returns
        -------
        DataFrame
            Index region; ``expected_absent``, prerequisites without the sector: what is expected reaches the
            threshold and the quotient does not; and ``unexpected_present``, the reverse: names of sectors
            joined by ``"; "``, or ``none``. No columns if nothing can be expected of any sector.
        """
        told = self.test.skill.index[self.test.skill > 0]
        expected = self.test.expected.loc[quotients.index, told] >= threshold
        there = quotients[told] >= threshold
        found = {"expected_absent": expected & ~there, "unexpected_present": there & ~expected}
        columns = {name: cells.apply(_named, axis=1) for name, cells in found.items()} if len(told) else {}
        return pd.DataFrame(columns, index=quotients.index)


def _named(marks: pd.Series) -> str:
    return "; ".join(map(str, marks.index[marks])) or "none"


def prerequisite_findings(
    quotients: pd.DataFrame,
    covariates: Covariates,
    graph: Graph | None = None,
    *,
    policies: Mapping[str, pd.DataFrame] | None = None,
    controls: pd.DataFrame | str | None = None,
    transform: QuotientScale | str = "log1p",
    threshold: float = 1.0,
    permutations: int = 9999,
    alternative: Alternative = "two-sided",
    family: PrerequisiteFamily = "all",
    alpha: float = 0.05,
    rng: int | np.random.Generator | None = None,
) -> PrerequisiteFindings:
    """Test all sectors on all covariates, and what neighbors, policies and the threshold add.

    Null hypotheses, formulas and sources are those of :func:`prerequisite_test`, :func:`spatial_diagnostics`,
    :func:`policy_contrast` and :func:`threshold_odds`. Sectors and covariates that are the same in every
    region are left out with a note.

    Parameters
    ----------
    quotients : DataFrame, shape (regions, sectors)
    covariates : Covariates
        Of the same regions, in any order.
    graph : libpysal.graph.Graph, optional
        Left out, neighbors are not looked at.
    policies : mapping, optional
        Policy → regions × sectors, bool: which sectors it names where.
    threshold : float
        Quotient from which a region counts as specialized.
    controls, transform, permutations, alternative, family, alpha, rng
        As in :func:`prerequisite_test`.

    Returns
    -------
    PrerequisiteFindings

    Raises
    ------
    InputError, RegionError, GraphError
        As the functions named.

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> found = prerequisite_findings(study.table.values, study.covariates, permutations=99, rng=1)
    >>> found.to_frame().shape[0] == study.table.values.shape[1] * study.covariates.values.shape[1]
    True
    """
    quotients, values, notes = _varied(quotients, covariates.transformed)
    tested, beside = split_controls(values, controls, quotients)
    own = [
        (sector, name) for sector, name in covariates.same_activity if sector in quotients and name in tested
    ]
    shared: dict[str, Any] = {"permutations": permutations, "alpha": alpha, "rng": rng}
    test = prerequisite_test(
        quotients,
        tested,
        controls=beside if beside.shape[1] else None,
        transform=transform,
        alternative=alternative,
        family=family,
        same_activity=own,
        **shared,
    )
    space = None
    if graph is not None and len(quotients) <= _MOST_IN_SPACE:
        space, more = _in_space(scaled(quotients, transform), tested, beside, graph, alpha, rng)
        notes += more
    contrast = None
    if policies:
        known = {name: cells.reindex(columns=quotients.columns) for name, cells in policies.items()}
        try:
            contrast = policy_contrast(quotients, known, **shared)
        except InputError as error:
            notes += (f"What policies name was not tested. {error}",)
    reached = (quotients >= threshold).mean()
    varied = quotients.loc[:, (reached > 0) & (reached < 1)]
    return PrerequisiteFindings(
        test,
        Covariates(covariates.values[tested.columns], covariates.about.loc[tested.columns]),
        space,
        contrast,
        threshold_odds(varied, tested, threshold=threshold, alpha=alpha) if varied.shape[1] else None,
        notes,
    )


def prerequisite_study(
    study: Study, *, rng: int | np.random.Generator | None = None
) -> PrerequisiteFindings | None:
    """:func:`prerequisite_findings` of a study; None if it has no covariates or too few regions.

    Examples
    --------
    >>> import spatialkz
    >>> prerequisite_study(spatialkz.load_study("kazakhstan-gva-2022")) is None
    True
    """
    known, quotients, choices = study.covariates, complete_quotients(study.table), study.choices
    if known is None or len(quotients) < LEAST_REGIONS or quotients.empty:
        return None
    return prerequisite_findings(
        quotients,
        known,
        study.graph,
        policies=study.policies,
        threshold=choices.threshold,
        alpha=choices.alpha,
        permutations=choices.permutations,
        rng=rng,
    )


def check_prerequisites(study: Study) -> None:
    """Refuse covariates that cannot be told apart, before anything is drawn.

    Raises
    ------
    InputError
        If covariates are collinear, which is said with their names.
    """
    known, quotients = study.covariates, complete_quotients(study.table)
    if known is not None and len(quotients) >= LEAST_REGIONS and not quotients.empty:
        quotients, values, _ = _varied(quotients, known.transformed)
        refuse_unfit(scaled(quotients, "log1p"), values, values.iloc[:, :0])


def _varied(
    quotients: pd.DataFrame, values: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    """Sectors and covariates that differ between regions, and what is said of the others."""
    same = {"sector": constant_variables(quotients), "covariate": constant_variables(values)}
    notes = tuple(
        f"Left out of the prerequisites, being the same in every region: {kind} {listing(names)}."
        for kind, names in same.items()
        if len(names)
    )
    return quotients.drop(columns=same["sector"]), values.drop(columns=same["covariate"]), notes


def _in_space(
    y: pd.DataFrame, values: pd.DataFrame, controls: pd.DataFrame, graph: Graph, alpha: float, rng: Any
) -> tuple[pd.DataFrame | None, tuple[str, ...]]:
    """Diagnostics of each sector on each covariate, with the controls; and what could not be told."""
    tables, notes = {}, []
    for name in values:
        X = values[[name]].join(controls)
        try:
            tables[name] = spatial_diagnostics(y, X, graph, alpha=alpha, draws=_DRAWS, rng=rng).to_frame()
        except GraphError as error:
            notes.append(f"Neighbors were not looked at beside the covariate {name}. {error}")
    if not tables:
        return None, tuple(notes)
    found = pd.concat(tables, names=["covariate", "sector", "test"])
    pairs = pd.MultiIndex.from_product([y.columns, tables, TESTS], names=["sector", "covariate", "test"])
    return found.reorder_levels(["sector", "covariate", "test"]).loc[pairs], tuple(notes)
