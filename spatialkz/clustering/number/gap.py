"""The gap statistic: the number of clusters against data without clusters, one cluster among the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias, get_args

import numpy as np
import pandas as pd

from spatialkz.clustering.number.criteria import one_standard_error
from spatialkz.clustering.partition.kmeans import (
    best_partitions,
    checked,
    default_starts,
    single_blas_thread,
    start_draws,
)
from spatialkz.clustering.partition.labels import Labels, Matrix, sum_of_squares
from spatialkz.clustering.partition.methods import Grouping, Refit
from spatialkz.errors import InputError, listing
from spatialkz.options import GapReference, PartitionMethod
from spatialkz.randomness import generator
from spatialkz.resampling.parallel import in_blocks
from spatialkz.resampling.pvalues import check_number
from spatialkz.results import Result, json_ready
from spatialkz.tables import check_table

_FitAll: TypeAlias = Callable[[Matrix, list[int]], dict[int, Labels]]
_STARTS = 20


@dataclass(frozen=True, repr=False)
class GapStatistic(Result):
    """Result of :func:`gap_statistic`.

    Attributes
    ----------
    table : DataFrame
        Index ``k``; columns ``log_w`` (of the data), ``expected`` (mean over the reference sets), ``gap``
        (their difference), ``se`` (standard error of ``expected`` and of a new reference set together).
    k : int
        Smallest k with gap(k) ≥ gap(k + 1) − se(k + 1); the largest k tried if there is none.
    k_first_max : int
        Smallest k with gap(k) ≥ gap(k + 1); the largest k tried if there is none.
    k_global_max : int
        k with the largest gap.
    reference : str
        As given.
    references : int
        Reference sets drawn.
    """

    table: pd.DataFrame
    k: int
    k_first_max: int
    k_global_max: int
    reference: GapReference
    references: int

    def to_frame(self) -> pd.DataFrame:
        """One row for each k: ``log_w, expected, gap, se``."""
        return self.table.copy()

    def to_dict(self) -> dict[str, object]:
        """Numbers by k and the k of each rule, ready for JSON."""
        return {
            "k": self.k,
            "k_first_max": self.k_first_max,
            "k_global_max": self.k_global_max,
            "reference": self.reference,
            "references": self.references,
            "table": json_ready(self.table),
        }

    def summary(self) -> str:
        """The k of each rule in one line."""
        return (
            f"gap statistic ({self.reference}, {self.references} references): k = {self.k} by the "
            f"1-standard-error rule, {self.k_first_max} at the first and {self.k_global_max} at the largest "
            "maximum"
        )


def gap_statistic(
    features: pd.DataFrame,
    ks: Iterable[int] = range(1, 11),
    *,
    method: PartitionMethod | Grouping = "kmeans",
    references: int = 100,
    reference: GapReference = "uniform",
    starts: int | None = None,
    rng: int | np.random.Generator | None = None,
) -> GapStatistic:
    r"""Compare the within-cluster dispersion with that of data without clusters, from k = 1 on.

    With squared Euclidean distances :math:`d_{ij}`,

    .. math:: W_k = \sum_{r=1}^k \frac{1}{2 n_r} \sum_{i,j \in C_r} d_{ij}, \qquad
        \text{gap}(k) = \frac 1 B \sum_b \ln W^*_{kb} - \ln W_k, \qquad
        s_k = \text{sd}_k \sqrt{1 + 1/B},

    so that :math:`W_k` is the within-cluster sum of squares, and sd has the denominator B. R's
    ``cluster::clusGap`` calls this ``d.power = 2``; its :math:`W_k` is half of this one, which leaves the gap
    unchanged, and its sd has the denominator B − 1. Null model: points uniform in a box.

    Parameters
    ----------
    features : DataFrame
        Rows are regions, columns indicators on comparable scales.
    ks : iterable of int
        Numbers of clusters without a break, from 1 unless one cluster is out of the question.
    method : str or callable
        ``kmeans``, ``ward``, ``average``, ``complete``, ``mixture``; or a function of a table and k that
        returns a Series, region → cluster. Called in threads.
    references : int
        Reference sets B.
    reference : {"uniform", "pca"}
        Box along the columns, or along the principal axes, which allows for correlated columns.
    starts : int, optional
        Starts of k-means for each k, the same on data and references, or the comparison is biased; 20, and 10
        for 100,000 cells and more.
    rng : int, Generator or None

    Returns
    -------
    GapStatistic

    Raises
    ------
    InputError
        If a cell is missing, ``ks`` has a break, or reaches the number of regions that differ.

    References
    ----------
    Tibshirani, Walther & Hastie (2001), *J. Royal Statistical Society B* 63, 411–423.

    Examples
    --------
    >>> features = pd.DataFrame({"a": [0, 0.1, 0.2, 9, 9.1, 9.2], "b": [0, 0.2, 0.1, 0, 0.1, 0.2]})
    >>> gap_statistic(features, range(1, 5), references=50, rng=1).k
    2
    """
    if reference not in get_args(GapReference):
        raise InputError(f"reference is {reference!r}; it must be one of {listing(get_args(GapReference))}.")
    # A standard error takes two.
    check_number(references, "references", 2)
    if starts is not None:
        check_number(starts, "starts", 1)
    # Sorted, so that the order of the rows does not decide which starts are drawn.
    rows = check_table(features, name="features", least_regions=3).sort_index()
    points, numbers = checked(rows.to_numpy(), ks)
    if numbers != list(range(numbers[0], numbers[-1] + 1)):
        raise InputError(f"ks must be consecutive numbers, but are {listing(numbers)}.")
    distinct = len(np.unique(points, axis=0))
    if numbers[-1] >= distinct:
        raise InputError(f"k must be below the number of distinct regions, {distinct}, but is {numbers[-1]}.")
    draw = generator(rng, f"gap_statistic:{reference}")
    count = min(_STARTS, default_starts(points.size)) if starts is None else starts
    refit = Refit.of(method, rng)
    fit = None if refit.method == "kmeans" else partial(_fitted, refit, rows)
    dispersion = partial(_log_dispersion, numbers, fit, count)
    streams = draw.spawn(references + 1)
    with single_blas_thread():
        log_w = dispersion(points, streams[0])
        steps = float(points.size) * sum(numbers) * count * references
        work = partial(_reference_blocks, points, reference, dispersion, streams[1:])
        null = np.array([row for part in in_blocks(work, references, steps) for row in part])
    gap = null.mean(axis=0) - log_w
    se = null.std(axis=0) * np.sqrt(1 + 1 / references)
    table = pd.DataFrame(
        {"log_w": log_w, "expected": null.mean(axis=0), "gap": gap, "se": se},
        index=pd.Index(numbers, name="k"),
    )
    return GapStatistic(
        table=table,
        k=one_standard_error(table["gap"], table["se"]),
        # Without allowance for error the rule stops at the first maximum.
        k_first_max=one_standard_error(table["gap"], 0.0 * table["se"]),
        k_global_max=numbers[int(np.argmax(gap))],
        reference=reference,
        references=references,
    )


def _fitted(refit: Refit, rows: pd.DataFrame, points: Matrix, ks: list[int]) -> dict[int, Labels]:
    """Partitions of other points of the same regions."""
    return refit.all(pd.DataFrame(points, rows.index, rows.columns), ks)


def _log_dispersion(
    ks: list[int], fit: _FitAll | None, starts: int, points: Matrix, rng: np.random.Generator
) -> Matrix:
    """Logarithm of W for each k."""
    if fit is None:
        found = list(best_partitions(points, ks, start_draws(rng, 1, starts, ks[-1]))[0])
    else:
        by_number = fit(points, ks)
        found = [by_number[k] for k in ks]
    logarithms: Matrix = np.log([sum_of_squares(points, labels) for labels in found])
    return logarithms


def _reference_blocks(
    points: Matrix,
    reference: GapReference,
    dispersion: Callable[[Matrix, np.random.Generator], Matrix],
    streams: list[np.random.Generator],
    chosen: slice,
) -> list[Matrix]:
    center = points.mean(axis=0)
    axes = np.eye(points.shape[1])
    if reference == "pca":
        axes = np.linalg.svd(points - center, full_matrices=False)[2]
    scores = (points - center) @ axes.T
    low, high = scores.min(axis=0), scores.max(axis=0)
    return [
        dispersion(rng.uniform(low, high, size=scores.shape) @ axes + center, rng) for rng in streams[chosen]
    ]
