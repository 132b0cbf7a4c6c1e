"""Curves of statistics over many specifications, for the observed table and its permutations alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.stats import rankdata

from spatialkz.focal.contiguity import moran_columns
from spatialkz.focal.grades import graded_cells, why_undecided
from spatialkz.focal.influence import standardized_again
from spatialkz.focal.size_null import SizeNull, chunks
from spatialkz.inference import Floats, tail_p_value
from spatialkz.options import Alternative, Grade

# A threshold, or a grade that needs none.
Choice: TypeAlias = float | Literal["rank", "log1p", "symmetric"]


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

    def piling(self, tables_of: Callable[[Variant], Floats]) -> Floats:
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
        above, below = (rankdata(side * pool, method="max", axis=0) / len(pool) for side in (-1, 1))
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


def piling_block(case: Curves, sizes: SizeNull | None, seeds: np.random.SeedSequence, part: slice) -> Floats:
    """Variance ratios of part of the null tables of piling; shape (draws, specifications)."""
    shape = case.variants[0].cells.shape
    if sizes is not None and sizes.counted:
        simulated = sizes.quotients(seeds, part)
        return case.piling(lambda variant: graded_cells(simulated, *grade_and_threshold(variant.grade)))
    if sizes is None:
        scores = np.concatenate([rng.random((size, *shape)) for rng, _, size in chunks(seeds, part)])
    else:
        scores = sizes.scores(seeds, part)
    ranks = scores.argsort(axis=1).argsort(axis=1)
    return case.piling(lambda variant: variant.dealt(ranks))


def contiguity_block(case: Curves, seeds: np.random.SeedSequence, part: slice) -> Floats:
    """Moran's I of breadth for part of the arrangements of regions; shape (draws, specifications)."""
    n = len(case.variants[0].cells)
    orders = (rng.random((size, n)).argsort(axis=1) for rng, _, size in chunks(seeds, part))
    return np.concatenate([case.contiguity(order) for order in orders])
