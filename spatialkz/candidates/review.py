"""A ranking held against what others say: expert tiers, growth points, and the cells that policy names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spatialkz.candidates.candidates import CandidateRanking
from spatialkz.candidates.evidence.context import study_growth_points
from spatialkz.candidates.tiers import PlacementAgreement, placement_agreement, site_evidence
from spatialkz.errors import InputError, is_number, listing
from spatialkz.options import Alternative, NamingStatistic
from spatialkz.randomness import generator
from spatialkz.resampling.checks import check_alpha
from spatialkz.resampling.pvalues import Floats, check_alternative, check_number, permutation_p_value
from spatialkz.results import Result, json_ready
from spatialkz.specialization import symmetric_quotient, table_quotients
from spatialkz.study import Study
from spatialkz.tables import check_table

# Draws of the null of each naming test, and simulated policies behind its power (standard error ≤ 0.035).
_DRAWS, _POLICIES = 1_999, 200
UPLIFTS = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.5, 10.0, 20.0, 50.0)
# Statistics closer than this are ties; ties count on both sides.
_TIE = 1e-10
# Trades for each row of the naming matrix on the way to a draw.
_TRADES_PER_ROW = 20


@dataclass(frozen=True, repr=False)
class RankingReview(Result):
    """Result of :func:`review_ranking`; what the study does not know is None or empty.

    Attributes
    ----------
    agreement : PlacementAgreement or None
        Of the order of areas with the expert tiers, which entered no score.
    growth : DataFrame or None
        Each growth point with what it is named for: matched, emerging, mismatched, not mappable.
    naming : mapping of str to NamingTest
        By policy, and ``all`` policies together: are the named cells higher in quotient than chance?
    sites : DataFrame or None
        Places the source names, with the evidence on their region.
    notes : tuple of str
        What could not be tested, and why.
    """

    agreement: PlacementAgreement | None
    growth: pd.DataFrame | None
    naming: Mapping[str, NamingTest]
    sites: pd.DataFrame | None
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row for each policy, with the columns of :func:`naming_test`; empty where none names a cell."""
        tests = {policy: test.to_frame() for policy, test in self.naming.items()}
        return pd.concat(tests, names=["policy"]).droplevel(1) if tests else pd.DataFrame()

    def to_dict(self) -> dict[str, object]:
        """All parts, ready for JSON."""
        growth = None
        if self.growth is not None:
            growth = self.growth.groupby("policy")["status"].value_counts().unstack(fill_value=0)
        return {
            "agreement": None if self.agreement is None else self.agreement.to_dict(),
            "growth_points": None if growth is None else json_ready(growth),
            "notes": list(self.notes),
            "naming": {policy: test.to_dict() for policy, test in self.naming.items()},
            "sites": None
            if self.sites is None
            else [json_ready(row) for row in self.sites.to_dict("records")],
        }

    def summary(self) -> str:
        """All parts as text."""
        parts = [] if self.agreement is None else [self.agreement.summary()]
        parts += [f"{policy}: {test.summary()}" for policy, test in self.naming.items()]
        parts += self.notes
        return "\n".join(parts) or "Nothing to hold the ranking against."


def review_ranking(
    study: Study, ranking: CandidateRanking, *, rng: int | np.random.Generator | None = None
) -> RankingReview:
    """Hold a ranking against expert tiers, growth points and named places.

    Parameters
    ----------
    study : Study
    ranking : CandidateRanking
        Of the same study; nothing here changes it.
    rng : int, Generator or None

    Returns
    -------
    RankingReview

    Raises
    ------
    InputError, RegionError
        As :func:`placement_agreement` and :func:`growth_points`.

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> ranking = spatialkz.rank_candidates(study, draws=200, rng=1)
    >>> review_ranking(study, ranking, rng=1).growth["status"].value_counts()["matched"] > 0
    np.True_
    """
    quotients = table_quotients(study.table)
    areas = ranking.areas.set_index("region")
    for_tiers, for_naming = generator(rng, "review_ranking").spawn(2)
    agreement = None
    notes: list[str] = []
    if study.placement is not None and study.placement.nunique() > 1 and study.placement.count() > 2:
        try:
            agreement = placement_agreement(
                areas["rank"].loc[quotients.index], study.placement, rng=for_tiers
            )
        except InputError as error:
            notes.append(f"The ranks were not compared with the expert tiers. {error}")
    growth = study_growth_points(study, quotients)
    naming: dict[str, NamingTest] = {}
    if growth is not None:
        mapped = growth.dropna(subset=["sector"])
        policies = {str(policy): part for policy, part in mapped.groupby("policy", sort=False)}
        if len(policies) > 1:
            policies["all"] = mapped
        for policy, part in policies.items():
            try:
                naming[policy] = naming_test(
                    naming_matrix(part, quotients.index, quotients.columns),
                    quotients,
                    threshold=study.choices.threshold,
                    permutations=_DRAWS,
                    simulations=_POLICIES,
                    rng=for_naming.spawn(1)[0],
                )
            except InputError as error:
                # Too few names to be compared with others; the rest of the review stands.
                notes.append(f"The naming by {policy} was not tested. {error}")
    named = study.context.named
    evidence = areas[[name for name in ("rank", "breadth", "district_type", "formation") if name in areas]]
    return RankingReview(
        agreement=agreement,
        growth=None if growth is None else growth,
        naming=naming,
        sites=None if named.empty else site_evidence(named, evidence),
        notes=tuple(notes),
    )


def naming_matrix(points: pd.DataFrame, regions: pd.Index, sectors: pd.Index) -> pd.DataFrame:
    """Which cells are named at least once: 1 or 0 for each region × sector.

    Parameters
    ----------
    points : DataFrame
        Rows of :func:`~spatialkz.candidates.evidence.context.growth_points`, all or those of one policy.
    regions, sectors : Index

    Examples
    --------
    >>> points = pd.DataFrame({"region": ["North", "North"], "sector": ["chips", None]})
    >>> naming_matrix(points, pd.Index(["North", "South"]), pd.Index(["chips"]))["chips"].to_dict()
    {'North': 1, 'South': 0}
    """
    named = points.dropna(subset="sector")
    counts = pd.crosstab(named["region"], named["sector"]).reindex(
        index=regions, columns=sectors, fill_value=0
    )
    return counts.clip(upper=1).rename_axis(index="region", columns="sector")


@dataclass(frozen=True, repr=False)
class NamingTest(Result):
    """Result of :func:`naming_test`.

    Attributes
    ----------
    table : DataFrame
        One row; ``statistic, expected, standard_deviation, z, p_value, named`` (cells), ``method``,
        ``alternative``.
    power : Series
        Index ``uplift``; share of simulations in which the test would find it at level ``alpha``.
    alpha : float
        Level of the power.
    permutations, simulations : int
    statistic : str
        Which statistic.
    """

    table: pd.DataFrame
    power: pd.Series
    alpha: float
    permutations: int
    simulations: int
    statistic: NamingStatistic

    @property
    def detectable(self) -> float | None:
        """The smallest of the uplifts tried that is found in 80 % of the cases, None if none is."""
        found = self.power.index[self.power >= 0.8]
        return float(found.min()) if len(found) else None

    def to_frame(self) -> pd.DataFrame:
        """The test in one row."""
        return self.table.copy()

    def to_dict(self) -> dict[str, object]:
        """Test and power, ready for JSON."""
        return {
            **{str(name): json_ready(value) for name, value in self.table.iloc[0].items()},
            "power": json_ready(self.power),
            "detectable_uplift": self.detectable,
            "alpha": self.alpha,
        }

    def summary(self) -> str:
        """Test, null hypothesis and power as text."""
        row = self.table.iloc[0]
        what = "mean (LQ − 1)/(LQ + 1)" if self.statistic == "symmetric" else "share of specialized cells"
        factor = self.detectable or self.power.index.max()
        found = "a factor of" if self.detectable else "not even a factor of"
        return (
            f"{what} of the {row['named']} named cells: {row['statistic']:.3f}, expected "
            f"{row['expected']:.3f} (z = {row['z']:.2f}, p = {row['p_value']:.4f}, {row['alternative']}, "
            f"{self.permutations} draws)\n"
            "Null hypothesis: any cells are named, as many in each region and each sector as there are.\n"
            f"Power: {found} {factor:g} on the quotients of the named cells is found in 80 % of the cases at "
            f"the level {self.alpha:g}."
        )


def naming_test(
    naming: pd.DataFrame,
    quotients: pd.DataFrame,
    *,
    threshold: float = 1.0,
    statistic: NamingStatistic = "symmetric",
    permutations: int = 9999,
    alternative: Alternative = "greater",
    alpha: float = 0.05,
    uplifts: Sequence[float] = UPLIFTS,
    simulations: int = 1000,
    rng: int | np.random.Generator | None = None,
) -> NamingTest:
    r"""Test whether the named cells have higher quotients than chance, and say what it could have found.

    With :math:`N_{ij} \in \{0, 1\}` the naming and :math:`x_{ij} = (LQ_{ij} - 1)/(LQ_{ij} + 1)`, or for
    ``"share"`` :math:`x_{ij} = 1[LQ_{ij} \ge t]`, the statistic is the mean over the named cells,
    :math:`T = \sum N_{ij} x_{ij} / \sum N_{ij}`.

    Null hypothesis: N is any of the 0/1 matrices with the same number of named cells in each region and in
    each sector, all equally likely, whatever the quotients. So neither a region with high quotients
    throughout that is named often, nor a sector like that, makes the test reject; only the right sector in
    the right region does.

    Matrices are drawn by curveball trades, a symmetric chain whose stationary distribution is uniform. A walk
    leads from N to a hub, and every draw is a walk of the same length from the hub. N and the draws are
    then exchangeable under the null, so :math:`p = (b + 1)/(R + 1)` is valid however long the walks are.

    **Power.** A simulated policy names cells by a draw from the null, and the quotients of its cells are
    multiplied by an uplift; power is the share of simulations with :math:`p \le \alpha`. An absent sector
    (LQ = 0) stays absent. At the uplift 1 it is the size of the test.

    Parameters
    ----------
    naming : DataFrame of 0 and 1, shape (regions, sectors)
        :func:`naming_matrix`.
    quotients : DataFrame, shape (regions, sectors)
    threshold : float
        For the statistic ``"share"``, positive.
    statistic : {"symmetric", "share"}
    permutations : int
        Draws R, at least 99.
    alternative : {"greater", "less", "two-sided"}
    alpha : float
        Level of the power.
    uplifts : sequence of float
        Positive factors for which the power is found.
    simulations : int
        Simulated policies behind the power, at least 99.
    rng : int, Generator or None

    Returns
    -------
    NamingTest

    Raises
    ------
    InputError
        If the naming has other regions or sectors than the quotients or other cells than 0 and 1, an option
        is out of range, or the margins allow no other matrix than N, so that there is nothing to compare.

    References
    ----------
    Strona et al. (2014), *Nature Communications* 5, 4114 (curveball); Carstens (2015), *Physical Review E*
    91, 042812 (uniform); Besag & Clifford (1989), *Biometrika* 76, 633–642, the parallel method (the hub).

    Examples
    --------
    >>> lq = pd.DataFrame(np.eye(6) * 3 + 0.1, index=list("abcdef"), columns=list("uvwxyz"))
    >>> test = naming_test((lq > 1).astype(int), lq, permutations=999, simulations=200, rng=1)
    >>> print(test.to_frame().loc[0, "p_value"] < 0.01, test.detectable)
    True 7.5
    """
    check_alternative(alternative)
    if statistic not in get_args(NamingStatistic):
        raise InputError(
            f"statistic is {statistic!r}; it must be one of {listing(get_args(NamingStatistic))}."
        )
    for name, number in (("permutations", permutations), ("simulations", simulations)):
        check_number(number, name, 99)
    check_alpha(alpha)
    for name, values in (("threshold", [threshold]), ("uplifts", list(uplifts))):
        if not values or not all(is_number(value) and value > 0 for value in values):
            raise InputError(f"{name} must be positive and finite, but it is {listing(values, 20)}.")
    marks, table = _checked(naming, quotients)
    hub = _Margins(marks).walk(marks[None], rng := generator(rng, "naming_test"))
    draws = _Margins(marks).walk(np.repeat(hub, permutations + simulations, axis=0), rng)
    null, policies = (part.reshape(len(part), -1) for part in np.split(draws, [permutations]))
    count = marks.sum()
    lq = table.to_numpy().ravel()

    def graded(cells: Floats) -> Floats:
        frame = pd.DataFrame(cells)
        values = symmetric_quotient(frame) if statistic == "symmetric" else frame >= threshold
        return values.to_numpy(dtype=np.float64)

    observed = float(marks.ravel() @ graded(lq[None])[0] / count)
    drawn = null @ graded(lq[None])[0] / count
    spread = float(drawn.std())
    p_value = permutation_p_value(
        np.array([(drawn >= observed - _TIE).sum()]),
        np.array([(drawn <= observed + _TIE).sum()]),
        permutations,
        alternative,
    )[0]
    power = {}
    for uplift in uplifts:
        raised = graded(np.where(policies, lq * uplift, lq))
        own = (policies * raised).sum(axis=1)
        others = null.astype(np.float64) @ raised.T
        at_least = (others >= own - _TIE).sum(axis=0)
        at_most = (others <= own + _TIE).sum(axis=0)
        found = permutation_p_value(at_least, at_most, permutations, alternative) <= alpha
        power[float(uplift)] = float(found.mean())
    row = {
        "statistic": observed,
        "expected": float(drawn.mean()),
        "standard_deviation": spread,
        "z": (observed - float(drawn.mean())) / spread if spread > _TIE else 0.0,
        "p_value": float(p_value),
        "named": int(count),
        "method": "curveball",
        "alternative": alternative,
    }
    return NamingTest(
        pd.DataFrame([row]),
        pd.Series(power, name="power").rename_axis("uplift"),
        alpha,
        permutations,
        simulations,
        statistic,
    )


def _checked(naming: pd.DataFrame, quotients: pd.DataFrame) -> tuple[NDArray[np.int8], pd.DataFrame]:
    """Naming and quotients with rows and columns sorted, so that their order does not decide the draws."""
    table = check_table(quotients, name="quotients", minimum=0).sort_index().sort_index(axis=1)
    marks = check_table(naming, name="naming", minimum=0)
    for mine, theirs, what in (
        (marks.index, table.index, "regions"),
        (marks.columns, table.columns, "sectors"),
    ):
        differing = mine.symmetric_difference(theirs)
        if len(differing):
            raise InputError(f"naming and quotients differ in their {what}: {listing(differing)}.")
    cells = marks.loc[table.index, table.columns].to_numpy()
    if not np.isin(cells, (0, 1)).all():
        raise InputError("naming must hold 0 and 1 only.")
    return cells.astype(np.int8), table


class _Margins:
    """The 0/1 matrices with the row and column sums of one of them."""

    def __init__(self, marks: NDArray[np.int8]) -> None:
        # Rows trade with each other; fewer of them mean shorter walks.
        self.flipped = marks.shape[0] > marks.shape[1]
        rows = marks.T if self.flipped else marks
        exclusive = rows.astype(np.int64) @ (1 - rows.astype(np.int64)).T
        if not ((exclusive > 0) & (exclusive.T > 0)).any():
            raise InputError(
                f"Only one naming of {int(marks.sum())} cells has these sums over regions and sectors, so "
                "there is nothing to compare it with."
            )
        # Empty and full rows have nothing to trade.
        self.active = np.flatnonzero((rows.sum(axis=1) > 0) & (rows.sum(axis=1) < rows.shape[1]))

    def walk(self, start: NDArray[np.int8], rng: np.random.Generator) -> NDArray[np.int8]:
        """End points of independent walks of curveball trades, one from each start (walks, rows, columns)."""
        matrices = start.transpose(0, 2, 1).copy() if self.flipped else start.copy()
        walks, columns = np.arange(len(matrices)), matrices.shape[2]
        for _ in range(_TRADES_PER_ROW * len(self.active)):
            a = rng.integers(len(self.active), size=len(walks))
            b = (a + rng.integers(1, len(self.active), size=len(walks))) % len(self.active)
            a, b = self.active[a], self.active[b]
            first, second = matrices[walks, a], matrices[walks, b]
            tradable = first != second
            keeps = (first & tradable).sum(axis=1, keepdims=True)
            # The first row gets as many of the tradable columns as it had, any of them.
            keys = np.where(tradable, rng.random((len(walks), columns)), 2.0)
            gets = keys.argsort(axis=1).argsort(axis=1) < keeps
            matrices[walks, a] = np.where(tradable, gets, first)
            matrices[walks, b] = np.where(tradable, ~gets, second)
        return matrices.transpose(0, 2, 1) if self.flipped else matrices
