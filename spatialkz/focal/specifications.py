"""Each specification of the multiverse: the numbers of its parts, and the verdict by the written rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from numpy.typing import NDArray

from spatialkz.errors import GraphError
from spatialkz.focal.curves import Choice, Curve, Curves, ratios_of
from spatialkz.focal.parts import (
    PARTS,
    ColocationPart,
    PlacePart,
    ShapePart,
    SpreadPart,
    place_verdict,
    spread_verdict,
)
from spatialkz.focal.questions.place import upper_ends
from spatialkz.focal.questions.spread import few
from spatialkz.focal.verdict import Evidence, verdict
from spatialkz.resampling.pvalues import TIE, Floats

# Regions up to which confidence sets of dependence are found; above, place is adjoining or stays open.
_SETS_UP_TO = 500


# What is not known of a family without its main answer.
_NAN = float("nan")
_UNKNOWN = Evidence(
    ColocationPart("open", _NAN, _NAN, _NAN, _NAN, _NAN),
    SpreadPart("not shown", _NAN, _NAN, _NAN, _NAN, (0, 0), 1),
    ShapePart("open"),
    PlacePart("open", _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN),
)


@dataclass(frozen=True)
class Positions:
    """Where each specification stands in the curves.

    Attributes
    ----------
    plain, with_graphs : array of int, shape (variants, families, left out) and also graphs
        Positions in the curves.
    rank_of : array of int, shape (variants,)
        The variant of ranks with the same rounding.
    rank_row : array of int, shape (variants,)
        The same, counted among the variants of ranks alone.
    wanted : array of bool, shape (variants,)
        Grades that were asked for.
    """

    plain: NDArray[np.intp]
    with_graphs: NDArray[np.intp]
    rank_of: NDArray[np.intp]
    rank_row: NDArray[np.intp]
    wanted: NDArray[np.bool_]

    @classmethod
    def of(cls, case: Curves, asked: Sequence[Choice]) -> Positions:
        """Count them."""
        shape = (len(case.variants), len(case.families), len(case.left_out))
        plain = np.arange(int(np.prod(shape))).reshape(shape)
        with_graphs = np.arange(plain.size * len(case.weights)).reshape(*shape, len(case.weights))
        ranks = [at for at, one in enumerate(case.variants) if one.grade == "rank"]
        row = {case.variants[at].rounding: row for row, at in enumerate(ranks)}
        rank_row = np.array([row[one.rounding] for one in case.variants])
        wanted = np.array([one.grade in asked for one in case.variants])
        return cls(plain, with_graphs, np.array(ranks)[rank_row], rank_row, wanted)

    def shown(self, *, graphs: bool) -> NDArray[np.bool_]:
        """Which places of a curve belong to grades that were asked for."""
        where = self.with_graphs if graphs else self.plain
        return np.repeat(self.wanted, where[0].size)


@dataclass(frozen=True)
class Numbers:
    """Curves by name; power by null, then variant, family, left out; upper ends of ρ by these and graph."""

    curves: dict[str, Curve]
    power: dict[str, Floats]
    upper: Floats


def powers(case: Curves, places: Positions, curve: Curve, foci: Floats, alpha: float) -> Floats:
    """Share of tables with foci whose breadth or rank sums co-locate, each at half the level."""
    printed = [at for at, one in enumerate(case.variants) if one.rounding == 0]
    known = places.plain[printed].ravel()
    some = replace(case, variants=[case.variants[at] for at in printed])
    found = np.zeros((len(foci), places.plain.size), dtype=bool)
    found[:, known] = curve.above(ratios_of(some, foci), known) <= alpha / 2
    found = found.reshape(len(foci), *places.plain.shape)
    # What is as printed stands for the draws within rounding.
    first = {one.grade: at for at, one in enumerate(case.variants) if one.rounding == 0}
    same = np.array([first[one.grade] for one in case.variants])
    return np.asarray((found[:, same] | found[:, [first["rank"]]]).mean(axis=0))


def dependence_left(
    case: Curves, places: Positions, graphs: Mapping[str, Graph], regions: pd.Index, alpha: float
) -> Floats:
    """Upper ends of the confidence sets of ρ, the larger of those of breadth and rank sum."""
    found = np.full(places.with_graphs.shape, np.nan)
    if len(regions) > _SETS_UP_TO:
        return found
    members = list(case.families.values())
    for at_left, left in enumerate(case.left_out.values()):
        by_place: dict[int | None, list[int]] = {}
        for at, variant in enumerate(case.variants):
            by_place.setdefault(variant.place(left), []).append(at)
        for place, variants in by_place.items():
            rest = regions if place is None else regions.delete(place)
            sums = np.stack(
                [
                    case.variants[at].without(place).cells[:, member].sum(axis=1)
                    for at in variants
                    for member in members
                ],
                axis=1,
            )
            different, which = np.unique(sums, axis=1, return_inverse=True)
            varied = np.ptp(different, axis=0) > TIE * np.maximum(1.0, np.abs(different).max(axis=0))
            if not varied.any():
                continue
            table = pd.DataFrame(different, index=rest).loc[:, varied]
            for at_graph, graph in enumerate(graphs.values()):
                try:
                    ends = upper_ends(table, graph if place is None else graph.subgraph(rest), alpha)
                except GraphError:  # a region without a neighbor, or a graph that leaves all possible
                    continue
                every = ends.reindex(range(len(varied))).to_numpy()[which]
                found[variants, :, at_left, at_graph] = every.reshape(len(variants), len(members))
    return np.asarray(np.maximum(found, found[places.rank_of]))


def judged(
    case: Curves, places: Positions, numbers: Numbers, answers: Mapping[str, Evidence], alpha: float
) -> pd.DataFrame:
    """A row for each specification, as :func:`spatialkz.focal.multiverse` returns them."""
    families, left_out, graphs = list(case.families), list(case.left_out), list(case.weights)
    nulls = [name.removeprefix("spread, ") for name in numbers.curves if name.startswith("spread")]
    few_regions = few(len(case.variants[0].cells))
    rows: list[dict[str, Any]] = []
    for at in np.ndindex(places.with_graphs.shape):
        variant, family = case.variants[at[0]], families[at[1]]
        if not places.wanted[at[0]]:
            continue
        main = answers.get(family, _UNKNOWN)
        main = replace(main, spread=replace(main.spread, few=few_regions))
        place = _place(places, numbers, main.place, at, alpha)
        reason = variant.reason(case.families[family])
        for null in nulls:
            together, spread = _sectors(places, numbers, main.spread, at[:3], null, alpha)
            reached = verdict(Evidence(together, spread, main.shape, place), alpha)[0]
            row: dict[str, Any] = {
                "grade": variant.grade,
                "family": family,
                "null": null,
                "graph": graphs[at[3]],
                "without": left_out[at[2]],
                "rounding": variant.rounding,
            }
            statistics = {
                "colocation": (numbers.curves[f"colocation, {null}"], places.plain[at[:3]]),
                "spread": (numbers.curves[f"spread, {null}"], places.plain[at[:3]]),
                "contiguity": (numbers.curves["contiguity"], places.with_graphs[at]),
            }
            varies = [curve.varies[there] for curve, there in statistics.values()]
            why = reason or ("" if varies[0] and varies[2] else "no null table differs")
            for name, (curve, there) in statistics.items():
                row[f"{name}_statistic"] = np.nan if why else curve.statistic[there]
                row[f"{name}_z"] = np.nan if why else curve.z[0, there]
                row[f"{name}_p"] = curve.p_values[0, there]
            row |= {"colocation_power": together.power, "rho_upper": place.rho_upper}
            row |= dict(zip(PARTS, (together.verdict, spread.verdict, place.verdict), strict=True))
            rows.append({**row, "reason": why, "verdict": "undecided" if why else reached})
    return pd.DataFrame(rows, index=pd.RangeIndex(1, len(rows) + 1, name="specification"))


def _sectors(
    places: Positions, numbers: Numbers, main: SpreadPart, at: tuple[int, ...], null: str, alpha: float
) -> tuple[ColocationPart, SpreadPart]:
    """Co-location and spread; unequal sizes stand beside shuffled columns, as in the main answer."""
    here, ranks = places.plain[at], places.plain[(places.rank_of[at[0]], *at[1:])]

    def p_value(part: str, null: str, there: int) -> float:
        return float(numbers.curves[f"{part}, {null}"].p_values[0, there])

    p, few_p = p_value("colocation", "columns", here), p_value("spread", "columns", here)
    sized, few_sized = np.nan, np.nan
    if null == "sizes":
        sized, few_sized = p_value("colocation", null, here), p_value("spread", null, here)
    statistic = float(numbers.curves["colocation, columns"].statistic[here])
    together = ColocationPart.judged(
        statistic, p, sized, p_value("colocation", null, ranks), float(numbers.power[null][at]), alpha
    )
    spread = replace(main, verdict=spread_verdict(few_p, few_sized, alpha), p_value=few_p, p_sizes=few_sized)
    return together, spread


def _place(
    places: Positions, numbers: Numbers, main: PlacePart, at: tuple[int, ...], alpha: float
) -> PlacePart:
    contiguity, sectors = numbers.curves["contiguity"], numbers.curves["sectors"]
    here, upper = places.with_graphs[at], float(numbers.upper[at])
    p_value = float(contiguity.p_values[0, here])
    return replace(
        main,
        verdict=place_verdict(p_value, upper, alpha),
        statistic=float(contiguity.statistic[here]),
        p_value=p_value,
        p_negative=float(contiguity.p_less[here]),
        # The curve of sectors has the variants of ranks alone, which come first in their own count.
        p_sectors=float(sectors.p_values[0, places.with_graphs[(places.rank_row[at[0]], *at[1:])]]),
        rho_upper=upper,
    )
