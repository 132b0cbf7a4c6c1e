"""Statistics of a table and its null tables under every combination of choices, for the multiverse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from spatialkz.focal.questions.grades import graded_cells, why_undecided
from spatialkz.focal.questions.place import moran_columns
from spatialkz.focal.questions.size_null import SizeNull, chunks
from spatialkz.options import Alternative, Grade
from spatialkz.resampling.pvalues import TIE, Floats, tail_p_value

# A threshold, or a grade that needs none.
Choice: TypeAlias = float | Literal["rank", "log1p", "symmetric"]
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

    def colocation(self, tables_of: Callable[[Variant, int | None], Floats]) -> Floats:
        """Variance ratios of the tables of each variant without a place; shape (draws, specifications)."""
        found = []
        for variant in self.variants:
            breadth = variant.cells.sum(axis=1)[None]
            for left in self.left_out.values():
                kept = tables_of(variant, None if left is None else int(places_of(left, breadth)[0]))
                own = kept.var(axis=1) @ self.membership
                ratio = np.ones_like(own)
                np.divide((kept @ self.membership).var(axis=1), own, out=ratio, where=own > 0)
                found.append(ratio)  # draws × families
        shape = (len(self.variants), len(self.left_out), len(self.families))
        curve = np.stack(found, axis=1).reshape(-1, *shape).swapaxes(2, 3)
        return curve.reshape(len(curve), -1)

    def contiguity(self, order: NDArray[np.intp]) -> Floats:
        """Moran's I of breadth where region i has the sectors of region ``order[d, i]``."""
        found = []
        for variant in self.variants:
            breadth = (variant.cells @ self.membership)[order]
            every = variant.cells.sum(axis=1)[order]
            for left in self.left_out.values():
                places = None if left is None else places_of(left, every)
                kept = breadth
                if places is not None and variant.grade == "rank":
                    kept = variant.regraded(variant.cells[order], places) @ self.membership
                found.append(
                    np.stack(
                        [moran_without(kept, weights, places) for weights in self.weights.values()], axis=2
                    )
                )  # draws × families × graphs
        shape = (len(self.variants), len(self.left_out), len(self.families), len(self.weights))
        curve = np.stack(found, axis=1).reshape(-1, *shape).swapaxes(2, 3)
        return curve.reshape(len(curve), -1)


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

        def graded_again(variant: Variant, place: int | None) -> Floats:
            kept = simulated if place is None else np.delete(simulated, place, axis=1)
            return graded_cells(kept, *grade_and_threshold(variant.grade))

        return case.colocation(graded_again)
    if sizes is None:
        scores = np.concatenate([rng.random((size, *shape)) for rng, _, size in chunks(seeds, part)])
    else:
        scores = sizes.scores(seeds, part)
    ranks = scores.argsort(axis=1).argsort(axis=1)

    def dealt(variant: Variant, place: int | None) -> Floats:
        if place is None:
            return variant.dealt(ranks)
        among = np.delete(ranks - (ranks > ranks[:, [place]]), place, axis=1)
        return variant.without(place).dealt(among)

    return case.colocation(dealt)


def contiguity_block(case: Curves, seeds: np.random.SeedSequence, part: slice) -> Floats:
    """Moran's I of breadth for part of the arrangements of regions; shape (draws, specifications)."""
    n = len(case.variants[0].cells)
    orders = (rng.random((size, n)).argsort(axis=1) for rng, _, size in chunks(seeds, part))
    return np.concatenate([case.contiguity(order) for order in orders])
