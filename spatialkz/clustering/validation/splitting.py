"""Valid tests after clustering, by data splitting: cluster on some sectors, test on the others."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.typing import NDArray

from spatialkz.clustering.partition.labels import Matrix, check_k, membership
from spatialkz.clustering.partition.methods import Grouping, Refit
from spatialkz.errors import InputError, listing
from spatialkz.options import PartitionMethod
from spatialkz.randomness import generator
from spatialkz.resampling.pvalues import adjusted, check_number, monte_carlo_tail
from spatialkz.resampling.shuffles import order_keys, random_orders
from spatialkz.results import Result, json_ready
from spatialkz.tables import check_table

# Statistics closer than this are ties; ties count.
_TIE = 1e-10
# Permuted regions × clusters held at once, in numbers.
_AT_ONCE = 5_000_000
NULL = "a region's figures in the tested sectors are unrelated to its figures in the clustered ones."


@dataclass(frozen=True, repr=False)
class SectorSplitTest(Result):
    """Result of :func:`sector_split_test`.

    Attributes
    ----------
    splits : DataFrame
        One row for each split: ``clusters`` (found on the clustered sectors), ``statistic`` (mean share of
        variance between clusters in the tested sectors) and ``p_value``.
    sectors : DataFrame
        One row for each sector: ``splits`` (in which it was tested), ``statistic``, ``p_value`` (combined
        over its splits) and ``p_adjusted`` (Benjamini–Hochberg over the sectors).
    p_value : float
        Combined over the splits.
    permutations : int
    """

    splits: pd.DataFrame
    sectors: pd.DataFrame
    p_value: float
    permutations: int

    def to_frame(self) -> pd.DataFrame:
        """The frame by sector."""
        return self.sectors.copy()

    def to_dict(self) -> dict[str, object]:
        """All numbers, ready for JSON."""
        return {
            "p_value": self.p_value,
            "permutations": self.permutations,
            "splits": json_ready(self.splits),
            "sectors": json_ready(self.sectors),
        }

    def summary(self) -> str:
        """Combined p-value, its null hypothesis, and the sectors that differ."""
        apart = self.sectors.index[self.sectors["p_adjusted"] <= 0.05]
        return "\n".join(
            [
                f"Clusters made on some sectors, tested on the others: {len(self.splits)} splits, "
                f"mean share of variance {self.splits['statistic'].mean():.3f}, p = {self.p_value:.3g}",
                f"Null hypothesis: {NULL}",
                f"Sectors that differ at 0.05: {listing(apart, 20) or 'none'}",
            ]
        )


def combined_p_value(p_values: npt.ArrayLike) -> float:
    r"""One p-value from several of the same null hypothesis, however they depend on each other.

    .. math:: p = \min(1,\ 2 \operatorname{median}(p_1, \dots, p_S))

    For the median to be at most α/2, half of the p-values must be; if all are valid, Markov's inequality
    gives that a probability of at most α.

    Parameters
    ----------
    p_values : array
        Valid p-values, at least one. A single one is returned as it is.

    Raises
    ------
    InputError
        If there is none, or one is not in (0, 1].

    References
    ----------
    Meinshausen, Meier & Bühlmann (2009), *JASA* 104, 1671–1681, eq. 2.2 with γ = ½; Rüger (1978),
    *Metrika* 25, 171–178.

    Examples
    --------
    >>> combined_p_value([0.01, 0.02, 0.9])
    0.04
    """
    p = np.atleast_1d(np.asarray(p_values, dtype=np.float64))
    if not p.size or not ((p > 0) & (p <= 1)).all():
        raise InputError("Combining needs at least one p-value, each above 0 and at most 1.")
    if p.size == 1:
        return float(p[0])
    return min(1.0, 2.0 * float(np.median(p)))


def sector_split_test(
    features: pd.DataFrame,
    *,
    k: int,
    method: PartitionMethod | Grouping = "kmeans",
    splits: int | Sequence[Collection[Hashable]] = 50,
    permutations: int = 999,
    rng: int | np.random.Generator | None = None,
) -> SectorSplitTest:
    r"""Test whether clusters found on some sectors differ in sectors that had no part in finding them.

    For each split the regions are clustered on one half of the sectors, and in each sector *j* of the other
    half the share of variance between clusters is taken, in standard units *z*:

    .. math:: \eta^2_j = \frac1n \sum_c n_c\, \bar z_{cj}^2, \quad T = \text{mean of } \eta^2_j

    The rows of the tested half are permuted over the regions; *p* = (b + 1)/(R + 1). The splits share data,
    so their p-values are combined by :func:`combined_p_value`, which holds under any dependence.

    Null hypothesis: the rows of the tested half are exchangeable over the regions given the clustered half.
    That holds when sectors are independent and regions alike in distribution. It fails whenever sectors go
    together, in clusters *or along a gradient*: a rejection says that the partition carries over to sectors
    that did not make it, not that the regions fall into separate groups. Neither does it hold if both halves
    are spatially autocorrelated, for which permuting regions is too generous.

    Parameters
    ----------
    features : DataFrame
        Rows are regions, columns sectors, transformed as for the clustering.
    k : int
        Number of clusters.
    method : str or callable
        ``kmeans``, ``ward``, ``average``, ``complete``, ``mixture``; or a function of a table and k that
        returns a Series, region → cluster, and may choose its own number of clusters.
    splits : int or sequence of collections of sectors
        Number of random halves (of an odd number of sectors, the larger half is clustered on and tested in
        turn); or, for each split, the sectors to cluster on: the others are tested.
    permutations : int
        At least 99, for each split.
    rng : int, Generator or None
        Seed of the splits, the permutations and the method.

    Returns
    -------
    SectorSplitTest

    Raises
    ------
    InputError
        If a cell is missing, a sector is constant or unknown, there are fewer than 2 sectors or 99
        permutations, or a split leaves nothing to cluster on or to test.

    References
    ----------
    Cox (1975), *Biometrika* 62, 441–444 (data splitting); Meinshausen, Meier & Bühlmann (2009), *JASA* 104,
    1671–1681 (many splits).

    Examples
    --------
    >>> draw = np.random.default_rng(1)
    >>> group = np.repeat([0, 3], 8)[:, None]
    >>> features = pd.DataFrame(group + draw.normal(size=(16, 4)), columns=list("abcd"))
    >>> print(sector_split_test(features, k=2, method="ward", splits=10, permutations=99, rng=1).p_value)
    0.02
    """
    table = check_table(features, name="features", least_regions=4).sort_index().sort_index(axis=1)
    points = table.to_numpy()
    flat = table.columns[np.ptp(points, axis=0) == 0]
    if len(flat):
        raise InputError(
            "These sectors are the same in all regions, so they cannot differ between clusters: "
            f"{listing(flat)}."
        )
    check_number(permutations, "permutations", 99)
    check_k(k, points)
    fit, draw = Refit.of(method, rng), generator(rng, "sector_split_test")
    standard = (points - points.mean(axis=0)) / points.std(axis=0)
    rows, by_sector = [], []
    for clustered in _halves(table.columns, splits, draw):
        member = membership(fit.labels(table.loc[:, clustered], k))[1]
        observed, above = _between(standard[:, ~clustered], member, order_keys(draw, permutations))
        p_value = monte_carlo_tail(above, permutations)
        rows.append((member.shape[1], observed[-1], p_value[-1]))
        tested = table.columns[~clustered]
        by_sector.append(pd.DataFrame({"statistic": observed[:-1], "p_value": p_value[:-1]}, index=tested))
    frame = pd.DataFrame(rows, columns=["clusters", "statistic", "p_value"]).rename_axis(index="split")
    grouped = pd.concat(by_sector).groupby(level=0)
    sectors = pd.DataFrame(
        {
            "splits": grouped.size(),
            "statistic": grouped["statistic"].mean(),
            "p_value": grouped["p_value"].agg(combined_p_value),
        }
    )
    sectors["p_adjusted"] = adjusted(sectors["p_value"].to_numpy())
    sectors = sectors.loc[[sector for sector in features.columns if sector in sectors.index]]
    return SectorSplitTest(
        frame,
        sectors.rename_axis(index="sector"),
        combined_p_value(frame["p_value"]),
        permutations,
    )


def _halves(
    sectors: pd.Index, splits: int | Sequence[Collection[Hashable]], rng: np.random.Generator
) -> Iterable[NDArray[np.bool_]]:
    """Which sectors each split clusters on; all splits given are checked before the first is used."""
    p = len(sectors)
    if isinstance(splits, int):
        check_number(splits, "splits", 1, 1_000_000)
        if p < 2:
            raise InputError(f"{splits} splits of {p} sectors: at least 2 sectors are needed.")
        # An odd number of sectors: the larger half goes now to one side, now to the other.
        return (rng.permutation(p) < (p + split % 2) // 2 for split in range(splits))
    if not isinstance(splits, Sequence):
        raise InputError(f"splits is {splits!r}; a number of splits or a list of sets of sectors is needed.")
    if not len(splits):
        raise InputError("splits is empty; at least one set of sectors to cluster on is needed.")
    for chosen in splits:
        if isinstance(chosen, str) or not set(chosen) <= set(sectors):
            strange = [chosen] if isinstance(chosen, str) else sorted(set(chosen) - set(sectors), key=str)
            raise InputError(f"A split names sectors that are not in the features: {listing(strange)}.")
        if not 0 < len(set(chosen)) < p:
            raise InputError(
                f"A split clusters on {len(set(chosen))} of {p} sectors; some must stay to test."
            )
    return [sectors.isin(list(chosen)) for chosen in splits]


def _between(
    standard: Matrix, member: NDArray[np.bool_], keys: NDArray[np.uint64]
) -> tuple[Matrix, NDArray[np.int_]]:
    """Share of variance between clusters by sector, their mean last, and how many permutations reach each."""
    n, clusters = member.shape
    weight = (member / np.sqrt(n * member.sum(axis=0))).T

    def shares(weights: Matrix) -> Matrix:
        by_sector = ((weights @ standard) ** 2).sum(axis=-2)
        return np.concatenate([by_sector, by_sector.mean(axis=-1, keepdims=True)], axis=-1)

    observed = shares(weight)
    above = np.zeros(observed.shape, dtype=np.int_)
    for block in np.array_split(keys, -(-len(keys) * n * clusters // _AT_ONCE)):
        # clusters × permutations × regions, the permutations first.
        permuted = weight[:, random_orders(n, block).T].swapaxes(0, 1)
        above += (shares(permuted) >= observed - _TIE).sum(axis=0)
    return observed, above
