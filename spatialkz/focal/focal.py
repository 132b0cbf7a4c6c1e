"""The focal test of a table: every question, every check, a verdict on each family of sectors."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from libpysal.graph import Graph

from spatialkz.errors import InputError, is_number, listing
from spatialkz.focal.concentration import relative_concentration_test
from spatialkz.focal.findings import FamilyFindings, FocalTest
from spatialkz.focal.influence import influence
from spatialkz.focal.models.choice import model_posterior
from spatialkz.focal.models.models import Generator, Priors, checked_priors
from spatialkz.focal.models.reach import Wanted, wanted
from spatialkz.focal.multiverse import multiverse
from spatialkz.focal.parts import ColocationPart, PlacePart, ShapePart, SpreadPart
from spatialkz.focal.questions.colocation import colocation_in
from spatialkz.focal.questions.grades import LEAST_SECTORS, alike, checked_quotients, varying
from spatialkz.focal.questions.null_tables import NullTables, variance_ratio
from spatialkz.focal.questions.place import contiguity_test
from spatialkz.focal.questions.size_null import Shares, optional_size_null
from spatialkz.focal.questions.spread import spread_in
from spatialkz.focal.verdict import UNTESTABLE, Evidence, Verdict, open_part, verdict
from spatialkz.geography.weights import row_standardized
from spatialkz.options import FocalPart
from spatialkz.processes import SecondProcess
from spatialkz.progress import Progress, Stages
from spatialkz.randomness import generator
from spatialkz.resampling.checks import check_alpha, check_permutations, seeds_of
from spatialkz.resampling.pvalues import check_number
from spatialkz.specialization import IndexTest, check_threshold
from spatialkz.tables import check_groups

# Tables of the focal model behind the power of the co-location test: its standard error is at most 0.016.
_POWER_TABLES = 1_000
# Permutations of the multiverse; a joint p-value of many specifications needs no finer grain.
_MULTIVERSE = 1_999
# Fewer regions cannot do without two of them; with more, one hardly matters and all deletions take long.
_DELETIONS = range(7, 201)
# Regions up to which models are compared; belts on larger maps take long, and the tests are strong there.
_MODELS_UP_TO = 500


def focal_test(
    quotients: pd.DataFrame,
    graph: Graph,
    *,
    threshold: float = 1.0,
    groups: pd.Series | None = None,
    permutations: int = 9999,
    rng: int | np.random.Generator | None = None,
    families: Mapping[str, Sequence[Hashable]] | None = None,
    base_shares: Shares | Sequence[Shares] | None = None,
    units: float | pd.Series | None = None,
    graphs: Mapping[str, Graph] | None = None,
    rounding: float = 0.005,
    simulations: int = 12_000,
    priors: Priors | None = None,
    alpha: float = 0.05,
    progress: Progress | None = None,
    beside: SecondProcess | None = None,
) -> FocalTest:
    """Test whether knowledge-intensive sectors are focal: co-located in few territories that stand out.

    Four questions are put to each family of sectors: do specializations of different sectors fall in the same
    regions (:func:`spatialkz.focal.colocation_test`), are they in few territories
    (:func:`spatialkz.focal.spread_test`), do a few regions stand out or do all differ by degrees
    (:func:`spatialkz.focal.model_posterior`), and do the foci lie apart or side by side
    (:func:`spatialkz.focal.contiguity_test`). The rule that makes a verdict of the answers is
    :func:`spatialkz.focal.verdict`; it can go against the hypothesis, and ``undecided`` names the part that
    is open. Null hypotheses are those of the tests.

    Parameters
    ----------
    quotients : DataFrame, shape (regions, sectors)
        Location quotients of at least 5 regions and 2 sectors.
    graph : libpysal.graph.Graph
        Keyed by the same region labels, in any order.
    threshold : float
        Quotient from which a region counts as specialized.
    groups : Series, optional
        Sector → base group; each group of two or more sectors is a family of its own beside ``all``.
    permutations : int
        Of both tests, at least 99.
    rng : int, Generator or None
        Seed. The order of rows and columns does not matter.
    families : mapping of str to sectors, optional
        Further families, such as high technology alone.
    base_shares, units
        For the null of unequal sizes, as in :func:`spatialkz.focal.colocation_test`.
    graphs : mapping of str to Graph, optional
        Other graphs for the multiverse; left out, neighbors up to the second order.
    rounding : float
        Half of the last printed digit, for the multiverse; 0 where quotients are exact.
    simulations, priors
        Of the model comparison; 0 simulations leave it out, and so do more than 500 regions. Then shape is
        open.
    alpha : float
        Level of the tests.
    progress : callable, optional
        Called with each step as it begins and the share of the work done
        (:class:`spatialkz.progress.Progress`).
    beside : SecondProcess, optional
        Tests half of the families, while this process tests the others; the results are the same.

    Returns
    -------
    FocalTest

    Raises
    ------
    InputError
        If a cell is missing or negative, there are fewer than 5 regions or 2 sectors, a family names an
        unknown sector, or an option is out of range. A family that does not vary is no error but undecided.
    RegionError, GraphError
        If graph and quotients differ in their regions, or a region has no neighbor.

    References
    ----------
    Dnishev, Alzhanova & Satpayeva (2022), the hypothesis; the rule is ours (docs/methods/focal.md).

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> found = focal_test(
    ...     study.table.values, study.graph, groups=study.table.groups,
    ...     permutations=199, simulations=600, rng=1,
    ... )
    >>> found.to_frame()["colocation_p"].round(1).to_dict()
    {'all': 0.0, 'industry': 0.5, 'services': 0.0}
    """
    check_alpha(alpha)
    check_permutations(permutations)
    check_threshold(threshold)
    priors = checked_priors(priors)
    if simulations:
        check_number(simulations, "simulations", 600)
    if not is_number(rounding) or rounding < 0:
        raise InputError(f"rounding is {rounding!r}; it must be a number from 0.")
    if graphs is not None and not isinstance(graphs, Mapping):
        raise InputError(f"graphs must be a mapping of names to graphs, not {type(graphs).__name__}.")
    table = checked_quotients(quotients)
    for one in (graph, *(graphs or {}).values()):
        row_standardized(one, table.index)
    optional_size_null(table, base_shares, units)
    members = families_of(quotients, groups, families)
    seed = int(generator(rng, "focal_test").integers(2**63))
    tests = _FamilyTests(graph, threshold, permutations, simulations, priors, alpha, seed)
    steps = Stages(progress, {**dict.fromkeys(members, 1.0), "influence": 1.3, "multiverse": 1.5})
    given = {}
    for name, sectors in members.items():
        counted = units.reindex(sectors) if isinstance(units, pd.Series) else units
        given[name] = name, quotients[sectors], _of_sectors(base_shares, sectors), counted
    # The second half, which is smaller, as all sectors come first.
    elsewhere = [] if beside is None else list(members)[(len(members) + 1) // 2 :]
    tasks = {name: beside.submit(tests.family, *given[name]) for name in elsewhere if beside is not None}
    found: dict[str, FamilyFindings] = {}
    for name in members:
        steps.begin(name)
        before = [one for one in found if set(found[one].sectors) == set(members[name])]
        told = tasks[name].result() if name in tasks else tests.family(*given[name])
        found[name] = replace(told, same_as=before[0] if before else "")
    deletions, many = {}, None
    if len(quotients) in _DELETIONS:
        steps.begin("influence")
        for name, sectors in members.items():
            if found[name].reason != UNTESTABLE:
                deletions[name] = influence(
                    quotients[sectors],
                    graph,
                    threshold=threshold,
                    pairs=None if name == "all" else False,
                    permutations=permutations,
                    alpha=alpha,
                    rng=seed,
                )
        steps.begin("multiverse")
        others = {"second order": graph.higher_order(2, lower_order=True)} if graphs is None else graphs
        many = multiverse(
            quotients,
            {"graph": graph, **others},
            families=members,
            answers={name: one.evidence for name, one in found.items()},
            base_shares=base_shares,
            units=units,
            rounding=rounding,
            permutations=min(permutations, _MULTIVERSE),
            alpha=alpha,
            priors=priors,
            rng=seed,
        )
    against = _concentration(quotients, groups, base_shares, permutations, seed)
    return FocalTest(found, deletions, many, threshold, alpha, permutations, against)


def _concentration(
    quotients: pd.DataFrame,
    groups: pd.Series | None,
    base_shares: Shares | Sequence[Shares] | None,
    permutations: int,
    seed: int,
) -> IndexTest | None:
    """Each sector against the others of its group, by the first base shares; None where it has no others."""
    if base_shares is None:
        return None
    shares = base_shares if isinstance(base_shares, pd.Series | pd.DataFrame) else base_shares[0]
    active = quotients.loc[:, quotients.sum() > 0]
    group = None if groups is None else groups[active.columns]
    if active.shape[1] < LEAST_SECTORS or (group is not None and group.value_counts().min() < LEAST_SECTORS):
        return None
    if isinstance(shares, pd.DataFrame):
        shares = shares[active.columns]
    return relative_concentration_test(
        active,
        shares,
        groups=group,
        index=["locational_gini"],
        permutations=permutations,
        rng=seed,
    )


def families_of(
    quotients: pd.DataFrame, groups: pd.Series | None, families: Mapping[str, Sequence[Hashable]] | None
) -> dict[str, list[Hashable]]:
    """All sectors, each group of at least two, and what the caller adds."""
    members: dict[str, list[Hashable]] = {"all": list(quotients.columns)}
    by_group = check_groups(groups, quotients.columns)
    if by_group.nunique() > 1:
        grouped = {name: list(by_group.index[by_group == name]) for name in by_group.unique()}
        members |= {_free(name): sectors for name, sectors in grouped.items() if len(sectors) > 1}
    if families is not None and not isinstance(families, Mapping):
        raise InputError(f"families must be a mapping of names to sectors, not {type(families).__name__}.")
    for name, sectors in (families or {}).items():
        unknown = [sector for sector in sectors if sector not in quotients.columns]
        if unknown:
            raise InputError(f"Family {name!r} names {listing(unknown)}, which quotients does not have.")
        if len(set(sectors)) < LEAST_SECTORS:
            raise InputError(
                f"Family {name!r} has {len(set(sectors))} sectors; at least {LEAST_SECTORS} are needed."
            )
        members[_free(str(name))] = list(sectors)
    return members


def _free(name: str) -> str:
    """Refuse the name that means all sectors."""
    if name == "all":
        raise InputError("A group or family is called 'all', which means all sectors; give it another name.")
    return name


def _of_sectors(
    base_shares: Shares | Sequence[Shares] | None, sectors: list[Hashable]
) -> Shares | Sequence[Shares] | None:
    """Base shares of the sectors of a family."""
    if base_shares is None or isinstance(base_shares, pd.Series):
        return base_shares
    if isinstance(base_shares, pd.DataFrame):
        return base_shares[sectors]
    return [shares if isinstance(shares, pd.Series) else shares[sectors] for shares in base_shares]


@dataclass(frozen=True)
class _FamilyTests:
    """What all families share."""

    graph: Graph
    threshold: float
    permutations: int
    simulations: int
    priors: Priors
    alpha: float
    seed: int

    def family(
        self,
        name: str,
        quotients: pd.DataFrame,
        shares: Shares | Sequence[Shares] | None,
        units: float | pd.Series | None,
    ) -> FamilyFindings:
        """Test a family and apply the rule."""
        shared: Any = {"threshold": self.threshold, "permutations": self.permutations, "rng": self.seed}
        known: Any = {} if shares is None else {"base_shares": shares, "units": units}
        # What colocation_test and spread_test draw, each for itself, with the same seed.
        tables = NullTables.of(
            quotients, ("count", "rank"), self.threshold, shares, units, self.permutations, self.seed
        )
        colocation = colocation_in(tables, "count", "columns")
        sized = None if shares is None else colocation_in(tables, "count", "sizes")
        ranks = colocation_in(tables, "rank", "columns" if shares is None else "sizes")
        spread = spread_in(tables, self.alpha)
        contiguity = contiguity_test(quotients, self.graph, alpha=self.alpha, **shared)
        models, power = None, pd.Series({"colocation": np.nan, "sectors": np.nan})
        if not colocation.reason:
            if self.simulations and len(quotients) <= _MODELS_UP_TO:
                models = model_posterior(
                    quotients,
                    self.graph,
                    priors=self.priors,
                    threshold=self.threshold,
                    simulations=self.simulations,
                    rng=self.seed,
                    **known,
                )
                power = models.power
            else:
                power = pd.Series({"colocation": self._colocation_power(tables), "sectors": 1.0})
        evidence = Evidence(
            ColocationPart.of(colocation, sized, ranks, power["colocation"], self.alpha),
            SpreadPart.of(spread, self.alpha),
            ShapePart.of(models, self.alpha),
            PlacePart.of(contiguity, power["sectors"], models),
        )
        decided: tuple[Verdict, str] = ("undecided", UNTESTABLE)
        if not (colocation.reason or contiguity.reason):
            decided = verdict(evidence, self.alpha)
        part = open_part(*decided, evidence.place)
        lacking = None if part is None or models is None else self._wanted(quotients, part)
        return FamilyFindings(
            name,
            tuple(quotients.columns),
            *decided,
            evidence=evidence,
            wanted=lacking,
            colocation=colocation,
            sized=sized,
            spread=spread,
            contiguity=contiguity,
            models=models,
            alpha=self.alpha,
            alike=tuple(map(tuple, alike(quotients, self.threshold))),
        )

    def _wanted(self, quotients: pd.DataFrame, part: FocalPart) -> Wanted:
        table = checked_quotients(quotients)
        cells = table.to_numpy()
        return wanted(
            cells[:, varying(cells)],
            row_standardized(self.graph, table.index),
            part,
            threshold=self.threshold,
            priors=self.priors,
            seeds=seeds_of(self.seed, "wanted"),
        )

    def _colocation_power(self, tables: NullTables) -> float:
        """Share of tables with foci, with these margins, in which the co-location test rejects."""
        null = tables.draws("count", "columns").ratio
        critical = np.quantile(null, 1 - self.alpha, method="higher")
        weights = row_standardized(self.graph, tables.table.index)
        maker = Generator(tables.table.to_numpy(), self.priors, weights)
        hubs = maker.tables("foci", _POWER_TABLES, seeds_of(self.seed, "piling power"))
        ratios = variance_ratio((hubs >= self.threshold).sum(axis=2), tables.cells["count"])
        return float((ratios > critical).mean())
