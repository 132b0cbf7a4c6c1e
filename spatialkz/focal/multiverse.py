"""Every defensible way to do the analysis, run at once, and a test of the whole curve."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from scipy.sparse import csr_array

from spatialkz.errors import GraphError, InputError, RegionError, is_number, listing
from spatialkz.focal.curves import (
    Choice,
    Curve,
    Curves,
    LeftOut,
    Variant,
    grade_and_threshold,
    region_block,
    sector_block,
)
from spatialkz.focal.models.models import Generator, Priors, checked_priors
from spatialkz.focal.parts import PARTS
from spatialkz.focal.questions.grades import LEAST_REGIONS, checked_quotients, graded
from spatialkz.focal.questions.size_null import CHUNK, Shares, optional_size_null
from spatialkz.focal.specifications import Numbers, Positions, dependence_left, judged, powers
from spatialkz.focal.verdict import Evidence
from spatialkz.geography.weights import row_standardized
from spatialkz.randomness import generator
from spatialkz.resampling.checks import check_alpha, check_permutations, seeds_of
from spatialkz.resampling.parallel import in_blocks
from spatialkz.resampling.pvalues import Floats, check_number
from spatialkz.results import Result, json_ready

GRADES: tuple[Choice, ...] = (1.0, 1.25, 1.5, 2.0, "rank", "log1p", "symmetric")
# Tables with foci behind the power of each specification; its standard error is at most 0.022.
_FOCI_TABLES = 500
# More tell no more, and every one is a table of its own.
_MOST_ROUNDING_DRAWS = 1_000


@dataclass(frozen=True, repr=False)
class Multiverse(Result):
    """Result of :func:`multiverse`.

    Attributes
    ----------
    table : DataFrame
        What :meth:`to_frame` returns.
    joint : DataFrame
        Index ``test``: ``colocation`` and ``spread``, each ``, columns`` and with base shares ``, sizes``,
        and ``contiguity``.
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

    def parts(self) -> dict[str, pd.Series]:
        """Share of the specifications with each answer to co-location, spread and place."""
        return {part: self.table[part].value_counts(normalize=True).rename("share") for part in PARTS}

    def to_dict(self) -> dict[str, object]:
        """Number of specifications, shares of verdicts and of each part, joint p-values, ready for JSON."""
        return {
            "specifications": len(self.table),
            "permutations": self.permutations,
            "alpha": self.alpha,
            "verdicts": json_ready(self.verdicts()),
            "parts": {part: json_ready(shares) for part, shares in self.parts().items()},
            "joint": json_ready(self.joint),
        }

    def summary(self) -> str:
        """Shares of verdicts and joint tests as text."""
        told = {"verdict": self.verdicts(), **self.parts()}
        shares = [
            f"{name}: " + ", ".join(f"{answer} {share:.0%}" for answer, share in found.items())
            for name, found in told.items()
        ]
        return (
            f"{len(self.table)} specifications, {self.permutations} permutations\n" + "\n".join(shares) + "\n"
            f"{self.joint.to_string(float_format='{:.4f}'.format)}"
        )


def multiverse(
    quotients: pd.DataFrame,
    graphs: Graph | Mapping[str, Graph],
    *,
    grades: Sequence[Choice] = GRADES,
    families: Mapping[str, Sequence[Hashable]] | None = None,
    answers: Mapping[str, Evidence] | None = None,
    base_shares: Shares | Sequence[Shares] | None = None,
    units: float | pd.Series | None = None,
    without: Iterable[Hashable] = ("broadest",),
    rounding: float = 0.0,
    rounding_draws: int = 4,
    permutations: int = 1999,
    alpha: float = 0.05,
    priors: Priors | None = None,
    rng: int | np.random.Generator | None = None,
) -> Multiverse:
    """Ask for co-location, spread and place under every combination of choices, and apply the rule to each.

    Each null table is one draw (columns permuted for co-location and spread, whole regions for place),
    evaluated under all specifications, so that these are as dependent under the null as they are in the data.
    Without a region, ranks are made again. For co-location and spread the values of the others are then
    permuted among themselves, as in :func:`spatialkz.focal.influence`; for place a region is left out of each
    permuted map. The joint tests compare two summaries of the whole curve with their distribution over the
    null tables: the median of the standardized statistics, and the share of specifications with p ≤ alpha.
    Null hypothesis: that of co-location (or spread, or contiguity) in every specification.

    The verdict on a specification is that of :func:`spatialkz.focal.verdict`. Simulated for each anew are the
    p-values, the dependence left possible, and the share of tables with foci in which co-location is found.
    Taken over from ``answers``, the family's main answer, are its shape, whether the excess is in few
    regions, whether the factor follows the map, and the power of the test of belts of each sector's own;
    to simulate these for every specification takes too long. Without ``answers`` they are open.

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
    answers : mapping of str to Evidence, optional
        The main answers of families, of which shape and what else is simulated are taken over.
    base_shares, units : optional
        As in :func:`spatialkz.focal.colocation_test`; with base shares both of its null hypotheses run.
    without : iterable of labels
        Regions left out one at a time, beside nothing left out. ``"broadest"`` is the region of most breadth
        over all sectors; where regions are permuted it moves with them. Name a region only for a reason known
        before the quotients were seen, such as its size: its place stays when regions are permuted, and
        where it was chosen for its breadth the test of contiguity rejects too often. () leaves out none.
    rounding : float
        Half of the last printed digit; the quotients are also drawn uniformly within it, ``rounding_draws``
        times. 0 when exact.
    rounding_draws : int
    permutations : int
        Null tables of each kind, at least 99.
    alpha : float
    priors : Priors, optional
        Of the tables with foci, in which co-location must be found in 8 of 10 if it is to be denied.
    rng : int, Generator or None
        Seed. The order of rows and columns does not matter.

    Returns
    -------
    Multiverse
        ``to_frame()`` has index ``specification`` and columns ``grade, family, null, graph, without``
        (``none``, ``broadest`` or a region)``, rounding`` (0 as printed, else the draw)``,
        colocation_statistic, colocation_z, colocation_p`` (variance ratio, one-sided, under the null of the
        row)``, colocation_power`` (share of tables with foci in which it or that of rank sums is found)``,
        spread_statistic, spread_z, spread_p`` (mean over the regions of their highest grade, which is the
        share of regions with any specialization where there is a threshold; one-sided, for few)``,
        contiguity_statistic, contiguity_z`` (Moran's I of breadth)``, contiguity_p`` (the smaller one-sided
        p-value of breadth and rank sum, adjusted by Holm)``, rho_upper`` (missing above 500 regions, and
        where a region left out was the only neighbor of another)``, colocation`` (yes, no, open)``, spread``
        (few, not shown)``, place`` (adjoining, apart, open)``, reason`` (why nothing can be told)``,
        verdict``. Where the null is ``sizes``, co-location and few territories must be found under both
        nulls, as in the main answer.

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
    (14, ['none', 'broadest'])
    """
    check_permutations(permutations)
    check_alpha(alpha)
    table = checked_quotients(quotients)
    named = {"graph": graphs} if isinstance(graphs, Graph) else graphs
    if not isinstance(named, Mapping) or not named or not len(grades):
        raise InputError("graphs and grades must name at least one choice each.")
    sizes = optional_size_null(table, base_shares, units)
    left_out = _left_out(table, without)
    weights = {name: _weights(name, graph, table.index) for name, graph in named.items()}
    known = _answers(answers)
    maker = Generator(table.to_numpy(), checked_priors(priors), next(iter(weights.values())))
    asked = list(grades)
    # Rank sums are the second statistic of every specification.
    more: list[Choice] = [] if "rank" in asked else ["rank"]
    case = Curves(
        _variants(table, [*asked, *more], rounding, rounding_draws, rng),
        _members({"all": list(table.columns)} if families is None else families, table.columns),
        left_out,
        weights,
    )
    steps = 10 * permutations * table.size * len(case.variants) * len(left_out)
    places = Positions.of(case, asked)
    curves: dict[str, Curve] = {}
    power: dict[str, Floats] = {}
    for null, size in (("columns", None), ("sizes", sizes))[: 1 if sizes is None else 2]:
        seeds = seeds_of(rng, f"multiverse {null}")
        parts = in_blocks(partial(sector_block, case, size, seeds), permutations, steps, multiple=CHUNK)
        observed = case.of_tables(lambda variant, left: variant.without(variant.place(left)).cells[None])
        simulated = np.concatenate(parts, axis=1)
        curves[f"colocation, {null}"] = Curve(observed[0], simulated[0], "greater")
        curves[f"spread, {null}"] = Curve(observed[1], simulated[1], "less")
        foci = replace(maker, sizes=size).tables("foci", _FOCI_TABLES, seeds_of(rng, "multiverse foci"))
        power[null] = powers(case, places, curves[f"colocation, {null}"], foci, alpha)
    seeds = seeds_of(rng, "multiverse contiguity")
    own = replace(case, variants=[variant for variant in case.variants if variant.grade == "rank"])
    for name, some in (("contiguity", case), ("sectors", own)):
        task = partial(region_block, some, seeds, name == "sectors")
        parts = in_blocks(task, permutations, steps, multiple=CHUNK)
        observed = some.contiguity(np.arange(len(table))[None], each_sector=name == "sectors")
        curves[name] = Curve(observed, np.concatenate(parts), "greater")
    curves["contiguity"].adjust_for(places.with_graphs[places.rank_of].ravel())
    numbers = Numbers(curves, power, dependence_left(case, places, named, table.index, alpha))
    result = judged(case, places, numbers, known, alpha)
    joint = {
        name: curve.joint(alpha, places.shown(graphs=name == "contiguity"))
        for name, curve in curves.items()
        if name != "sectors"
    }
    return Multiverse(
        result,
        pd.DataFrame.from_dict(joint, orient="index").rename_axis("test"),
        permutations,
        alpha,
    )


def _answers(answers: Mapping[str, Evidence] | None) -> Mapping[str, Evidence]:
    known: Mapping[str, Evidence] = {} if answers is None else answers
    if not isinstance(known, Mapping) or not all(isinstance(one, Evidence) for one in known.values()):
        raise InputError(
            "answers must be a mapping of names of families to the Evidence of their main answer."
        )
    return known


def _variants(
    table: pd.DataFrame,
    grades: Sequence[Choice],
    rounding: float,
    rounding_draws: int,
    rng: int | np.random.Generator | None,
) -> list[Variant]:
    check_number(rounding_draws, "rounding_draws", 1, _MOST_ROUNDING_DRAWS)
    if not is_number(rounding) or rounding < 0:
        raise InputError(f"rounding is {rounding!r}; it must be a number from 0.")
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
    if not isinstance(families, Mapping) or not families:
        raise InputError("families must be a mapping of names to sectors, with at least one.")
    for name, members in families.items():
        unknown = [sector for sector in members if sector not in sectors]
        if unknown or len(members) < 2:
            found = (
                f"names {listing(unknown)}, unknown" if unknown else f"has {len(members)} sectors, too few"
            )
            raise InputError(f"The family {name} {found}; at least two sectors of the table are needed.")
    return {name: np.asarray(sectors.isin(list(members))) for name, members in families.items()}


def _left_out(table: pd.DataFrame, without: Iterable[Hashable]) -> dict[str, LeftOut]:
    chosen = list(without)
    unknown = [name for name in chosen if name not in table.index and name != "broadest"]
    if unknown:
        raise RegionError(
            f"without names {listing(unknown)}, which quotients does not have; it takes names of regions and "
            '"broadest".'
        )
    if chosen and len(table) <= LEAST_REGIONS:
        raise InputError(
            f"quotients has {len(table)} regions; to leave one out {LEAST_REGIONS + 1} are needed."
        )
    places: dict[str, LeftOut] = {"none": None}
    for name in chosen:
        places[str(name)] = "broadest" if name == "broadest" else list(table.index).index(name)
    return places


def _weights(name: str, graph: Graph, regions: pd.Index) -> csr_array:
    try:
        return row_standardized(graph, regions)
    except GraphError as error:
        raise GraphError(f"Graph {name!r}: {error}") from error
