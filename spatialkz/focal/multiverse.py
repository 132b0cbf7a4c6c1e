"""Every defensible way to do the analysis, run at once, and a test of the whole curve."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from numpy.typing import NDArray
from scipy.sparse import csr_array

from spatialkz.errors import GraphError, InputError, RegionError, listing
from spatialkz.focal.influence import standardized_again
from spatialkz.focal.questions.grades import (
    LEAST_REGIONS,
    checked_quotients,
    graded,
    graded_cells,
    why_undecided,
)
from spatialkz.focal.questions.place import moran_columns
from spatialkz.focal.questions.size_null import CHUNK, Shares, SizeNull, chunks, size_null
from spatialkz.focal.verdict import two_by_two
from spatialkz.geography.weights import row_standardized
from spatialkz.options import Alternative, Grade
from spatialkz.randomness import generator
from spatialkz.resampling.checks import check_alpha, check_permutations, seeds_of
from spatialkz.resampling.parallel import in_blocks
from spatialkz.resampling.pvalues import Floats, tail_p_value
from spatialkz.results import Result, json_ready
from spatialkz.spatial import moran_power

Rule: TypeAlias = Callable[[Mapping[str, Any]], str]
# A threshold, or a grade that needs none.
Choice: TypeAlias = float | Literal["rank", "log1p", "symmetric"]
GRADES: tuple[Choice, ...] = (1.0, 1.25, 1.5, 2.0, "rank", "log1p", "symmetric")
_POWER_UP_TO = 500


@dataclass(frozen=True, repr=False)
class Multiverse(Result):
    """Result of :func:`multiverse`.

    Attributes
    ----------
    table : DataFrame
        What :meth:`to_frame` returns.
    joint : DataFrame
        Index ``test``: ``colocation, columns``, with base shares ``colocation, sizes``, and ``contiguity``.
        ``specifications`` (that could be computed and differ in this test), ``median_z`` with ``p_median``,
        and ``share_significant`` with ``p_share``: the joint p-values over all specifications.
    permutations, alpha
        As given.
    """

    table: pd.DataFrame
    joint: pd.DataFrame
    permutations: int
    alpha: float

    def to_frame(self) -> pd.DataFrame:
        """One row for each specification, with the columns named in :func:`multiverse`."""
        return self.table.copy()

    def verdicts(self, by: str | None = None) -> pd.Series | pd.DataFrame:
        """Share of the specifications with each verdict; ``by`` a choice, a row for each of its values."""
        if by is None:
            return self.table["verdict"].value_counts(normalize=True).rename("share")
        return pd.crosstab(self.table[by].astype(str), self.table["verdict"], normalize="index")

    def to_dict(self) -> dict[str, object]:
        """Number of specifications, shares of verdicts and joint p-values, ready for JSON."""
        return {
            "specifications": len(self.table),
            "permutations": self.permutations,
            "alpha": self.alpha,
            "verdicts": json_ready(self.verdicts()),
            "joint": json_ready(self.joint),
        }

    def summary(self) -> str:
        """Shares of verdicts and joint tests as text."""
        shares = ", ".join(f"{verdict} {share:.0%}" for verdict, share in self.verdicts().items())
        return (
            f"{len(self.table)} specifications, {self.permutations} permutations: {shares}\n"
            f"{self.joint.to_string(float_format='{:.4f}'.format)}"
        )


def multiverse(
    quotients: pd.DataFrame,
    graphs: Graph | Mapping[str, Graph],
    *,
    grades: Sequence[Choice] = GRADES,
    families: Mapping[str, Sequence[Hashable]] | None = None,
    base_shares: Shares | Sequence[Shares] | None = None,
    units: float | pd.Series | None = None,
    without: Iterable[Hashable] | None = None,
    rounding: float = 0.0,
    rounding_draws: int = 4,
    permutations: int = 1999,
    alpha: float = 0.05,
    rule: Rule = two_by_two,
    rng: int | np.random.Generator | None = None,
) -> Multiverse:
    """Run the tests of co-location and contiguity under every combination of choices.

    Each null table is one permutation of the whole data (columns for co-location, whole regions for
    contiguity), evaluated under all specifications; regions are left out after it, so that specifications are
    as dependent under the null as they are in the data. The joint tests compare two summaries of the whole
    curve with their distribution over the null tables: the median of the standardized statistics, and the
    share of specifications with p ≤ alpha. Null hypothesis: that of co-location (or contiguity) in every
    specification.

    A p-value without some region is here that of the statistic without it among tables permuted with it, and
    so differs a little from the test of the reduced table in :func:`spatialkz.focal.influence`.

    Parameters
    ----------
    quotients : DataFrame, shape (regions, sectors)
        Location quotients of at least 5 regions (6 if some are left out) and 2 sectors.
    graphs : Graph or mapping of str to Graph
        Keyed by the same region labels.
    grades : sequence
        Thresholds, and grades that need none: ``"rank"``, ``"log1p"``, ``"symmetric"``.
    families : mapping of str to sectors, optional
        By default one, ``all``.
    base_shares, units : optional
        As in :func:`spatialkz.focal.colocation_test`; with base shares both of its null hypotheses run.
    without : iterable of labels, optional
        Regions left out one at a time, beside nothing left out. By default the largest: the one of greatest
        mean base share, or without base shares the broadest. () leaves out none.
    rounding : float
        Half of the last printed digit; the quotients are also drawn uniformly within it, ``rounding_draws``
        times. 0 when exact.
    rounding_draws : int
    permutations : int
        Null tables of each kind, at least 99.
    alpha : float
    rule : callable
        Turns a row (a mapping with the columns below and ``alpha``) into a verdict; a row with a ``reason``
        is ``undecided`` without being asked.
    rng : int, Generator or None
        Seed. The order of rows and columns does not matter.

    Returns
    -------
    Multiverse
        ``to_frame()`` has index ``specification`` and columns ``grade, family, null, graph, without``
        (``none`` or a region)``, rounding`` (0 as printed, else the draw)``, colocation_statistic,
        colocation_z, colocation_p`` (one-sided)``, contiguity_statistic, contiguity_z,
        contiguity_p`` (Moran's I of breadth, two-sided)``, contiguity_power`` (at ρ = 0.8)``, reason,
        verdict``.

    Raises
    ------
    InputError
        If a choice is empty or unknown, or as :func:`spatialkz.focal.colocation_test` raises.
    RegionError, GraphError
        If a graph and the quotients differ in their regions, or a region has no neighbor.

    References
    ----------
    Simonsohn, Simmons & Nelson (2020), *Nature Human Behaviour* 4, 1208–1214 (specification curve, joint
    inference by permutation). Steegen et al. (2016), *Perspectives on Psychological Science* 11, 702–712.

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> found = multiverse(study.table.values, study.graph, permutations=199, rng=1)
    >>> len(found.to_frame()), found.table["without"].unique().tolist()
    (14, ['none', 'Almaty City'])
    """
    check_permutations(permutations)
    check_alpha(alpha)
    table = checked_quotients(quotients)
    named = {"graph": graphs} if isinstance(graphs, Graph) else graphs
    if not isinstance(named, Mapping) or not named or not len(grades):
        raise InputError("graphs and grades must name at least one choice each.")
    sizes = None if base_shares is None else size_null(table, base_shares, units)
    left_out = _left_out(table, without, sizes, grades[0])
    weights = {name: _weights(name, graph, table.index) for name, graph in named.items()}
    case = Curves(
        _variants(table, grades, rounding, rounding_draws, rng),
        _members({"all": list(table.columns)} if families is None else families, table.columns),
        {str(name): np.asarray(table.index != name) for name in left_out},
        weights,
    )
    steps = 10 * permutations * table.size * len(case.variants) * len(left_out)
    curves: dict[str, Curve] = {}
    for null, size in (("columns", None), ("sizes", sizes))[: 1 if sizes is None else 2]:
        seeds = seeds_of(rng, f"multiverse {null}")
        parts = in_blocks(partial(colocation_block, case, size, seeds), permutations, steps, multiple=CHUNK)
        curves[null] = Curve(
            case.colocation(lambda variant: variant.cells[None]), np.concatenate(parts), "greater"
        )
    seeds = seeds_of(rng, "multiverse contiguity")
    parts = in_blocks(partial(contiguity_block, case, seeds), permutations, steps, multiple=CHUNK)
    observed = case.contiguity(np.arange(len(table))[None])
    contiguity = Curve(observed, np.concatenate(parts), "two-sided")
    result = _table(case, curves, contiguity, _power(named, alpha))
    result["verdict"] = [
        "undecided" if reason else rule({**dict(zip(result.columns, row, strict=True)), "alpha": alpha})
        for reason, row in zip(result["reason"], result.itertuples(index=False), strict=True)
    ]
    joint = {f"colocation, {null}": curve.joint(alpha) for null, curve in curves.items()}
    joint["contiguity"] = contiguity.joint(alpha)
    return Multiverse(
        result,
        pd.DataFrame.from_dict(joint, orient="index").rename_axis("test"),
        permutations,
        alpha,
    )


def _variants(
    table: pd.DataFrame,
    grades: Sequence[Choice],
    rounding: float,
    rounding_draws: int,
    rng: int | np.random.Generator | None,
) -> list[Variant]:
    if not (np.isfinite(rounding) and rounding >= 0 and rounding_draws >= 0):
        raise InputError(f"rounding is {rounding} with {rounding_draws} draws; neither can be negative.")
    tables = [table]
    stream = generator(rng, "multiverse rounding")
    for _ in range(rounding_draws if rounding else 0):
        tables.append((table + stream.uniform(-rounding, rounding, table.shape)).clip(lower=0))
    return [
        Variant(grade, draw, graded(drawn, *grade_and_threshold(grade)).to_numpy())
        for grade in grades
        for draw, drawn in enumerate(tables)
    ]


def _members(families: Mapping[str, Sequence[Hashable]], sectors: pd.Index) -> dict[str, np.ndarray]:
    if not families:
        raise InputError("families is empty; at least one is needed.")
    for name, members in families.items():
        unknown = [sector for sector in members if sector not in sectors]
        if unknown or len(members) < 2:
            found = (
                f"names {listing(unknown)}, unknown" if unknown else f"has {len(members)} sectors, too few"
            )
            raise InputError(f"The family {name} {found}; at least two sectors of the table are needed.")
    return {name: np.asarray(sectors.isin(list(members))) for name, members in families.items()}


def _left_out(
    table: pd.DataFrame, without: Iterable[Hashable] | None, sizes: SizeNull | None, grade: Choice
) -> list[Hashable]:
    if without is None:
        broad = graded(table, *grade_and_threshold(grade)).sum(axis=1).to_numpy()
        size = broad if sizes is None else sizes.shares.mean(axis=(0, 2))
        return ["none", table.index[int(size.argmax())]]
    chosen = list(without)
    unknown = [name for name in chosen if name not in table.index]
    if unknown:
        raise RegionError(f"without names {listing(unknown)}, which quotients does not have.")
    if chosen and len(table) <= LEAST_REGIONS:
        raise InputError(
            f"quotients has {len(table)} regions; to leave one out {LEAST_REGIONS + 1} are needed."
        )
    return ["none", *chosen]


def _weights(name: str, graph: Graph, regions: pd.Index) -> csr_array:
    try:
        return row_standardized(graph, regions)
    except GraphError as error:
        raise GraphError(f"Graph {name!r}: {error}") from error


def _power(graphs: Mapping[str, Graph], alpha: float) -> dict[str, float]:
    """Power of the two-sided test against ρ = 0.8 by graph; left out for large ones, where it is near 1."""
    return {
        name: float(moran_power(graph, 0.8, alpha=alpha).table["power"].iloc[0])
        for name, graph in graphs.items()
        if len(graph.unique_ids) <= _POWER_UP_TO
    }


def _table(
    case: Curves,
    curves: Mapping[str, Curve],
    contiguity: Curve,
    power: Mapping[str, float],
) -> pd.DataFrame:
    rows = []
    choices = product(case.variants, case.families, case.keep, case.weights)
    for place, (variant, family, left, graph) in enumerate(choices):
        reason = variant.reason(case.families[family])
        for null, curve in curves.items():
            there = place // len(case.weights)
            why = reason or (
                "" if curve.varies[there] and contiguity.varies[place] else "no null table differs"
            )
            rows.append(
                {
                    "grade": variant.grade,
                    "family": family,
                    "null": null,
                    "graph": graph,
                    "without": str(left),
                    "rounding": variant.rounding,
                    "colocation_statistic": curve.statistic[there] if not why else np.nan,
                    "colocation_z": curve.z[0, there] if not why else np.nan,
                    "colocation_p": curve.p_values[0, there],
                    "contiguity_statistic": contiguity.statistic[place] if not why else np.nan,
                    "contiguity_z": contiguity.z[0, place] if not why else np.nan,
                    "contiguity_p": contiguity.p_values[0, place],
                    "contiguity_power": power.get(graph, np.nan),
                    "reason": why,
                }
            )
    return pd.DataFrame(rows, index=pd.RangeIndex(1, len(rows) + 1, name="specification"))


def grade_and_threshold(grade: Choice) -> tuple[Grade, float]:
    """Grade and threshold of a choice."""
    return (grade, 1.0) if isinstance(grade, str) else ("count", float(grade))


@dataclass(frozen=True)
class Variant:
    """Graded cells of one grade and rounding draw."""

    grade: Choice
    rounding: int
    cells: Floats

    def dealt(self, ranks: NDArray[np.intp]) -> Floats:
        """Tables with the values of each column in the order of the ranks; shape as ``ranks``."""
        k = self.cells.shape[1]
        return np.asarray(np.sort(self.cells, axis=0).ravel()[ranks * k + np.arange(k)])

    def reason(self, member: np.ndarray) -> str:
        """Why nothing can be told of a family of sectors; empty if it can."""
        return why_undecided(self.cells[:, member], *grade_and_threshold(self.grade))


@dataclass(frozen=True)
class Curves:
    """All choices. Curves run over variant, family, left out (and graph), the last fastest."""

    variants: list[Variant]
    families: dict[str, np.ndarray]
    keep: dict[str, np.ndarray]
    weights: dict[str, csr_array]

    @property
    def membership(self) -> Floats:
        """Sectors × families, 1 for a member."""
        return np.column_stack(list(self.families.values())).astype(np.float64)

    def colocation(self, tables_of: Callable[[Variant], Floats]) -> Floats:
        """Variance ratios of the tables that belong to each variant; shape (draws, specifications)."""
        found = []
        for variant in self.variants:
            tables = tables_of(variant)
            sums = tables @ self.membership
            for keep in self.keep.values():
                own = tables[:, keep].var(axis=1) @ self.membership
                ratio = np.ones_like(own)
                np.divide(sums[:, keep].var(axis=1), own, out=ratio, where=own > 0)
                found.append(ratio)  # draws × families
        shape = (len(self.variants), len(self.keep), len(self.families))
        curve = np.stack(found, axis=1).reshape(-1, *shape).swapaxes(2, 3)
        return curve.reshape(len(curve), -1)

    def contiguity(self, order: NDArray[np.intp]) -> Floats:
        """Moran's I of breadth where region i has the sectors of region ``order[d, i]``."""
        breadth = np.concatenate([variant.cells @ self.membership for variant in self.variants], axis=1)
        arranged = breadth[order.T].reshape(order.shape[1], -1)
        found = [
            moran_columns(arranged[keep], standardized_again(csr_array(weights[keep][:, keep])))
            for keep in self.keep.values()
            for weights in self.weights.values()
        ]
        curve = np.stack(found, axis=1).reshape(len(order), breadth.shape[1], -1)
        return curve.reshape(len(order), -1)


class Curve:
    """Statistics of the observed and all null tables, specification by specification."""

    def __init__(self, observed: Floats, simulated: Floats, alternative: Alternative) -> None:
        # The observed table is one of the pool, so its rank is (b + 1) / (R + 1). Rounded, so that ties tie.
        pool = np.vstack([observed, simulated]).round(9)
        # By columns, in which memory runs; one sort gives both tails.
        columns = np.ascontiguousarray(pool.T)
        ordered = np.sort(columns, axis=1)
        tails = [
            (len(row) - np.searchsorted(row, cells, "left"), np.searchsorted(row, cells, "right"))
            for row, cells in zip(ordered, columns, strict=True)
        ]
        above, below = (np.array(side).T / len(pool) for side in zip(*tails, strict=True))
        self.p_values = tail_p_value(above, below, alternative)
        spread = pool.std(axis=0, ddof=1)
        self.varies = spread > 0
        self.z = (pool - pool.mean(axis=0)) / np.where(self.varies, spread, 1.0)
        self.statistic = observed[0]
        self.alternative = alternative

    def joint(self, alpha: float) -> dict[str, float]:
        """Summaries of the curve, and where they stand among those of the null tables."""
        count = int(self.varies.sum())
        if not count:
            return {
                "specifications": 0,
                "median_z": np.nan,
                "p_median": 1.0,
                "share_significant": 0.0,
                "p_share": 1.0,
            }
        median = np.median(self.z[:, self.varies], axis=1)
        share = (self.p_values[:, self.varies] <= alpha).mean(axis=1)
        return {
            "specifications": count,
            "median_z": float(median[0]),
            "p_median": _pooled(median, self.alternative),
            "share_significant": float(share[0]),
            "p_share": _pooled(share, "greater"),
        }


def _pooled(values: Floats, alternative: Alternative) -> float:
    """p-value of the first of several exchangeable values."""
    values = values.round(9)
    above, below = (values >= values[0]).mean(), (values <= values[0]).mean()
    return float(tail_p_value(np.array([above]), np.array([below]), alternative)[0])


def colocation_block(
    case: Curves, sizes: SizeNull | None, seeds: np.random.SeedSequence, part: slice
) -> Floats:
    """Variance ratios of part of the null tables of co-location; shape (draws, specifications)."""
    shape = case.variants[0].cells.shape
    if sizes is not None and sizes.counted:
        simulated = sizes.quotients(seeds, part)
        return case.colocation(lambda variant: graded_cells(simulated, *grade_and_threshold(variant.grade)))
    if sizes is None:
        scores = np.concatenate([rng.random((size, *shape)) for rng, _, size in chunks(seeds, part)])
    else:
        scores = sizes.scores(seeds, part)
    ranks = scores.argsort(axis=1).argsort(axis=1)
    return case.colocation(lambda variant: variant.dealt(ranks))


def contiguity_block(case: Curves, seeds: np.random.SeedSequence, part: slice) -> Floats:
    """Moran's I of breadth for part of the arrangements of regions; shape (draws, specifications)."""
    n = len(case.variants[0].cells)
    orders = (rng.random((size, n)).argsort(axis=1) for rng, _, size in chunks(seeds, part))
    return np.concatenate([case.contiguity(order) for order in orders])
