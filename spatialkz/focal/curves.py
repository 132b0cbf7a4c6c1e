"""Statistics of a table and its null tables under every combination of choices, for the multiverse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from spatialkz.focal.questions.grades import graded_cells, varying, why_undecided
from spatialkz.focal.questions.place import moran_columns
from spatialkz.focal.questions.size_null import SizeNull, chunks
from spatialkz.options import Grade
from spatialkz.resampling.pvalues import TIE, Floats

# A threshold, or a grade that needs none.
Choice: TypeAlias = float | Literal["rank", "log1p", "symmetric"]
OneSided: TypeAlias = Literal["greater", "less"]
# Nothing, the broadest region of each table, or the place of a region chosen in advance.
LeftOut: TypeAlias = int | Literal["broadest"] | None


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

    def regraded(self, tables: Floats, places: NDArray[np.intp]) -> Floats:
        """Tables as graded without one place each; what stands in that place has no meaning.

        Ranks above that of the place fall by 1, equal ones by 1/2; other grades stay.
        """
        if self.grade != "rank":
            return tables
        left = np.take_along_axis(tables, places[:, None, None], axis=1)
        return np.asarray(tables - (tables > left) - (tables == left) / 2)

    def place(self, left: LeftOut) -> int | None:
        """Place that is left out of this table."""
        return None if left is None else int(places_of(left, self.cells.sum(axis=1)[None])[0])

    def without(self, place: int | None) -> Variant:
        """The same without one region, graded again."""
        if place is None:
            return self
        cells = self.regraded(self.cells[None], np.array([place]))[0]
        return replace(self, cells=np.delete(cells, place, axis=0))

    def reason(self, member: np.ndarray) -> str:
        """Why nothing can be told of a family of sectors; empty if it can."""
        return why_undecided(self.cells[:, member], *grade_and_threshold(self.grade))


@dataclass(frozen=True)
class Curves:
    """All choices. Curves run over variant, family, left out (and graph), the last fastest."""

    variants: list[Variant]
    families: dict[str, np.ndarray]
    left_out: dict[str, LeftOut]
    weights: dict[str, csr_array]

    @property
    def membership(self) -> Floats:
        """Sectors × families, 1 for a member."""
        return np.column_stack(list(self.families.values())).astype(np.float64)

    def of_tables(self, tables_of: Callable[[Variant, LeftOut], Floats]) -> Floats:
        """Statistics of the tables of each variant with something left out.

        Shape (2, draws, specifications): variance ratio of breadth, and the mean over the regions of their
        highest grade, which is the share of them that has any specialization where cells are 0 and 1.
        """
        found = []
        for variant in self.variants:
            for left in self.left_out.values():
                kept = tables_of(variant, left)
                own = kept.var(axis=1) @ self.membership
                ratio = np.ones_like(own)
                np.divide((kept @ self.membership).var(axis=1), own, out=ratio, where=own > 0)
                best = [_highest(kept, member) for member in self.families.values()]
                found.append([ratio, np.stack(best, axis=1)])  # each draws × families
        shape = (len(self.variants), len(self.left_out), *np.shape(found[0]))
        curve = np.moveaxis(np.array(found).reshape(shape), (2, 3), (0, 1)).swapaxes(3, 4)
        return np.ascontiguousarray(curve).reshape(*curve.shape[:2], -1)

    def contiguity(self, order: NDArray[np.intp], *, each_sector: bool = False) -> Floats:
        """Moran's I of breadth where region i has the sectors of region ``order[d, i]``.

        ``each_sector`` gives the mean of Moran's I over the sectors of a family in its place.
        """
        found = []
        for variant in self.variants:
            counted = self.membership
            values = (variant.cells if each_sector else variant.cells @ counted)[order]
            every = variant.cells.sum(axis=1)[order]
            if each_sector:
                counted = counted * varying(variant.cells)[:, None]
                counted = counted / np.maximum(counted.sum(axis=0), 1)
            for left in self.left_out.values():
                places = None if left is None else places_of(left, every)
                kept = values
                if places is not None and variant.grade == "rank":
                    kept = variant.regraded(variant.cells[order], places)
                    kept = kept if each_sector else kept @ self.membership
                moran = [moran_without(kept, weights, places) for weights in self.weights.values()]
                found.append(np.stack([one @ counted for one in moran] if each_sector else moran, axis=2))
        shape = (len(self.variants), len(self.left_out), len(order), len(self.families), len(self.weights))
        curve = np.moveaxis(np.array(found).reshape(shape), 2, 0).swapaxes(2, 3)
        return np.ascontiguousarray(curve).reshape(len(order), -1)


def _highest(tables: Floats, member: np.ndarray) -> Floats:
    """Mean over the regions of the highest grade among the sectors of a family; shape (draws,)."""
    first, *others = np.flatnonzero(member)
    highest = tables[:, :, first].copy()
    for sector in others:
        np.maximum(highest, tables[:, :, sector], out=highest)
    return np.asarray(highest.mean(axis=1))


def places_of(left: LeftOut, breadth: Floats) -> NDArray[np.intp]:
    """Place left out in each table, by its breadth (draws, regions); of equals the first."""
    if left == "broadest":
        return np.asarray(breadth.round(9).argmax(axis=1))
    return np.full(len(breadth), left, dtype=np.intp)


def moran_without(breadth: Floats, weights: csr_array, places: NDArray[np.intp] | None) -> Floats:
    """Moran's I of each draw without one of its places, on weights standardized again.

    Regions that are left without a neighbor add nothing; breadth that is the same everywhere gets the
    expectation of I.

    Parameters
    ----------
    breadth : array, shape (draws, regions, families)
    weights : csr_array, shape (regions, regions)
        Rows sum to 1.
    places : array, shape (draws,), or None
        None leaves out nothing.

    Returns
    -------
    array, shape (draws, families)
    """
    draws, n, families = breadth.shape
    if places is None:
        return moran_columns(breadth.swapaxes(0, 1).reshape(n, -1), weights).reshape(draws, families)
    kept = np.ones((draws, n, 1))
    kept[np.arange(draws), places] = 0
    z = (breadth - (breadth * kept).sum(axis=1, keepdims=True) / (n - 1)) * kept
    own = (z**2).sum(axis=1)
    lagged = (weights @ z.swapaxes(0, 1).reshape(n, -1)).reshape(n, draws, families).swapaxes(0, 1)
    # A row of weights that summed to 1 sums to this without the place, and is scaled by it.
    rest = 1 - weights[:, places].toarray().T
    scale = np.divide(kept[:, :, 0], rest, out=np.zeros_like(rest), where=rest > TIE)
    cross = (z * lagged * scale[:, :, None]).sum(axis=1)
    flat = own <= TIE * np.maximum(1.0, np.abs(breadth).max(axis=1)) ** 2
    linked = (scale > 0).sum(axis=1)[:, None]
    silent = flat | (linked == 0)
    value = (n - 1) * cross / np.where(silent, 1.0, own * linked)
    return np.asarray(np.where(silent, -1 / (n - 2), value))


class Curve:
    """Statistics of the observed and all null tables, specification by specification."""

    def __init__(self, observed: Floats, simulated: Floats, alternative: OneSided) -> None:
        # The observed table is one of the pool, so its rank is (b + 1) / (R + 1). Rounded, so that ties tie.
        pool = np.vstack([observed, simulated]).round(9)
        # By columns, in which memory runs.
        columns = np.ascontiguousarray(pool.T)
        self.ordered = np.sort(columns, axis=1)
        both = list(zip(self.ordered, columns, strict=True))
        below = [
            np.searchsorted(row, cells if alternative == "less" else cells[:1], "right")
            for row, cells in both
        ]
        self.p_less = np.array([found[0] for found in below]) / len(pool)
        if alternative == "less":
            self.p_values = np.array(below).T / len(pool)
        else:
            above = [len(row) - np.searchsorted(row, cells, "left") for row, cells in both]
            self.p_values = np.array(above).T / len(pool)
        spread = pool.std(axis=0, ddof=1)
        self.varies = spread > 0
        self.z = (pool - pool.mean(axis=0)) / np.where(self.varies, spread, 1.0)
        self.statistic = observed[0]
        self.alternative = alternative

    def adjust_for(self, other: NDArray[np.intp]) -> None:
        """Make p-values the smaller of one's own and that of another specification, by Holm for the two.

        ``other`` has the place of the other specification; where it is one's own nothing is adjusted.
        """
        alone = other == np.arange(len(other))
        both = np.minimum(1.0, 2 * np.minimum(self.p_values, self.p_values[:, other]))
        self.p_less = np.where(
            alone, self.p_less, np.minimum(1.0, 2 * np.minimum(self.p_less, self.p_less[other]))
        )
        self.p_values = np.where(alone, self.p_values, both)

    def above(self, values: Floats, places: NDArray[np.intp]) -> Floats:
        """Share of all tables with as much as each value or more, in these specifications."""
        found = [
            1 - np.searchsorted(self.ordered[place], cells, "left") / self.ordered.shape[1]
            for place, cells in zip(places, values.round(9).T, strict=True)
        ]
        return np.stack(found, axis=1)

    def joint(self, alpha: float, shown: np.ndarray) -> dict[str, float]:
        """Summaries of part of the curve, and where they stand among those of the null tables."""
        varies = self.varies & shown
        count = int(varies.sum())
        if not count:
            return {
                "specifications": 0,
                "median_z": np.nan,
                "p_median": 1.0,
                "share_significant": 0.0,
                "p_share": 1.0,
            }
        median = np.median(self.z[:, varies], axis=1)
        share = (self.p_values[:, varies] <= alpha).mean(axis=1)
        return {
            "specifications": count,
            "median_z": float(median[0]),
            "p_median": _pooled(median, self.alternative),
            "share_significant": float(share[0]),
            "p_share": _pooled(share, "greater"),
        }


def _pooled(values: Floats, alternative: OneSided) -> float:
    """p-value of the first of several exchangeable values."""
    values = values.round(9)
    return float((values >= values[0]).mean() if alternative == "greater" else (values <= values[0]).mean())


def sector_block(case: Curves, sizes: SizeNull | None, seeds: np.random.SeedSequence, part: slice) -> Floats:
    """Statistics of part of the null tables of co-location and spread; see :meth:`Curves.of_tables`."""
    shape = case.variants[0].cells.shape
    if sizes is not None and sizes.counted:
        simulated = sizes.quotients(seeds, part)

        def graded_again(variant: Variant, left: LeftOut) -> Floats:
            place = variant.place(left)
            kept = simulated if place is None else np.delete(simulated, place, axis=1)
            return graded_cells(kept, *grade_and_threshold(variant.grade))

        return case.of_tables(graded_again)
    if sizes is None:
        scores = np.concatenate([rng.random((size, *shape)) for rng, _, size in chunks(seeds, part)])
    else:
        scores = sizes.scores(seeds, part)
    ranks = scores.argsort(axis=1).argsort(axis=1)

    def dealt(variant: Variant, left: LeftOut) -> Floats:
        place = variant.place(left)
        if place is None:
            return variant.dealt(ranks)
        among = np.delete(ranks - (ranks > ranks[:, [place]]), place, axis=1)
        return variant.without(place).dealt(among)

    return case.of_tables(dealt)


def ratios_of(case: Curves, quotients: Floats) -> Floats:
    """Variance ratios of given tables of quotients, each without what is left out of it.

    Shape (tables, specifications).
    """

    def graded_without(variant: Variant, left: LeftOut) -> Floats:
        how = grade_and_threshold(variant.grade)
        if left is None:
            return graded_cells(quotients, *how)
        places = places_of(left, graded_cells(quotients, *how).sum(axis=2))
        kept = np.arange(quotients.shape[1]) != places[:, None]
        return graded_cells(quotients[kept].reshape(len(quotients), -1, quotients.shape[2]), *how)

    return np.asarray(case.of_tables(graded_without)[0])


def region_block(case: Curves, seeds: np.random.SeedSequence, each_sector: bool, part: slice) -> Floats:
    """Moran's I for part of the arrangements of regions; shape (draws, specifications)."""
    n = len(case.variants[0].cells)
    orders = (rng.random((size, n)).argsort(axis=1) for rng, _, size in chunks(seeds, part))
    return np.concatenate([case.contiguity(order, each_sector=each_sector) for order in orders])
