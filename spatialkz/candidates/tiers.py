"""Agreement of a ranking of regions with expert tiers, which no score may read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from spatialkz.candidates.evidence.area_profile import check_hosts, require_columns
from spatialkz.errors import InputError, listing
from spatialkz.options import Alternative, Extreme
from spatialkz.randomness import generator
from spatialkz.resampling.pvalues import check_alternative, check_number, permutation_p_value, tail_p_value
from spatialkz.results import Result, json_ready
from spatialkz.tables import check_labels, check_same_regions, check_table

# Above, exact counting takes longer than drawing.
_EXACT_UP_TO = 60


@dataclass(frozen=True, repr=False)
class PlacementAgreement(Result):
    """Result of :func:`placement_agreement`.

    Attributes
    ----------
    regions : DataFrame
        Index ``region``, the largest disagreement first; ``position`` (among the placed regions, 1 = best),
        ``tier``, ``tier_by_rank``, ``difference`` (positive: the ranking puts the region lower than the
        tiers do), ``against`` and ``pairs`` (of its pairs with regions of other tiers, how many the ranking
        has the other way round).
    tau_b, p_value : float
        Kendall's τ-b and its p-value.
    kappa : float
        Cohen's κ with linear weights between ``tier`` and ``tier_by_rank``.
    method : {"exact", "permutation"}
    alternative : str
    unplaced : tuple of str
        Regions without a tier, left out.
    """

    regions: pd.DataFrame
    tau_b: float
    p_value: float
    kappa: float
    method: str
    alternative: Alternative
    unplaced: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """The regions."""
        return self.regions.copy()

    def to_dict(self) -> dict[str, object]:
        """Everything, ready for JSON."""
        return {
            "tau_b": self.tau_b,
            "p_value": self.p_value,
            "method": self.method,
            "alternative": self.alternative,
            "kappa": self.kappa,
            "n": len(self.regions),
            "unplaced": list(self.unplaced),
            "regions": json_ready(self.regions),
        }

    def summary(self) -> str:
        """Agreement and the regions that disagree, as text."""
        off = self.regions[self.regions["difference"] != 0]
        left_out = f"; without a tier: {listing(self.unplaced)}" if self.unplaced else ""
        return (
            f"Kendall's τ-b = {self.tau_b:.3f} (p = {self.p_value:.4f}, {self.method}, {self.alternative}), "
            f"weighted κ = {self.kappa:.3f} over {len(self.regions)} regions{left_out}\n"
            "Null hypothesis: the tiers fall on the regions at random.\n"
            f"In another tier by rank: {len(off)} regions\n{off.to_string() if len(off) else ''}"
        ).rstrip()


def placement_agreement(
    ranking: pd.Series,
    tiers: pd.Series,
    *,
    best: Extreme = "low",
    alternative: Alternative = "greater",
    permutations: int = 9999,
    rng: int | np.random.Generator | None = None,
) -> PlacementAgreement:
    r"""Compare a ranking with tiers by Kendall's τ-b and weighted κ.

    Over the pairs of placed regions, with *C* concordant and *D* discordant ones, :math:`n_0 = n(n-1)/2`,
    and :math:`n_1, n_2` pairs tied in the ranking and in the tiers,

    .. math:: \tau_b = \frac{C - D}{\sqrt{(n_0 - n_1)(n_0 - n_2)}} .

    Null hypothesis: the tiers fall on the regions at random. Without ties in the ranking the p-value is
    exact up to 60 regions: the number of inversions between *k* tiers of :math:`m_1, …, m_k` regions has the
    generating function :math:`\binom{n}{m_1, …, m_k}_q`. Otherwise the tiers are permuted.

    For κ the ranking is cut into tiers of the same sizes: the :math:`m_1` best into the best tier and so on.
    Tied regions have their mean position, so that all of them get one tier and sizes may differ by a few.
    With :math:`a_i, b_i` the numbers of the two tiers of region *i*, counted from the best,

    .. math:: \kappa = 1 - \frac{n^{-1} \sum_i |a_i - b_i|}{n^{-2} \sum_{i, h} |a_i - b_h|} .

    Parameters
    ----------
    ranking : Series
        Ranks or scores by region. The tiers must not have entered it.
    tiers : Series
        Tier by region, 1 the best; missing for regions that have none, which are left out and listed.
    best : {"low", "high"}
        Whether the best region has the lowest number (ranks) or the highest (scores).
    alternative : {"greater", "less", "two-sided"}
        ``greater``: they agree more than chance.
    permutations : int
        Permutations where there is no exact count, at least 99.
    rng : int, Generator or None

    Returns
    -------
    PlacementAgreement

    Raises
    ------
    RegionError
        If ranking and tiers do not carry the same regions.
    InputError
        If a rank is missing, all ranks or all tiers are the same, fewer than three regions have a tier, or an
        option is unknown.

    References
    ----------
    Kendall (1945), *Biometrika* 33, 239–251; Cohen (1968), *Psychological Bulletin* 70, 213–220. The
    generating function is that of MacMahon (1915), *Combinatory Analysis* I, and of the test of Jonckheere
    (1954), *Biometrika* 41, 133–145.

    Examples
    --------
    >>> tiers = pd.Series([1, 1, 2, 2, None], index=list("abcde"), dtype="Int64")
    >>> found = placement_agreement(pd.Series([1, 3, 2, 4, 5], index=list("abcde")), tiers)
    >>> print(found.method, round(found.tau_b, 4), round(found.p_value, 4), found.kappa, *found.unplaced)
    exact 0.4082 0.3333 0.0 e
    """
    check_alternative(alternative)
    if best not in get_args(Extreme):
        raise InputError(f"best is {best!r}; it must be one of {listing(get_args(Extreme))}.")
    check_number(permutations, "permutations", 99)
    draw = generator(rng, "placement_agreement")
    check_labels(tiers.index, "region")
    values = check_table(ranking, name="ranking").iloc[:, 0]
    check_same_regions(values.index, tiers.index, "the ranking", "the placement")
    # Sorted, so that the order of the rows does not decide which permutations are drawn.
    tiers = tiers.sort_index()
    placed = tiers.dropna()
    values = values[placed.index] if best == "low" else -values[placed.index]
    if len(placed) < 3:
        raise InputError(f"Agreement needs at least 3 regions with a tier, but there are {len(placed)}.")
    for what, numbers in (("ranks", values), ("tiers", placed)):
        if numbers.nunique() < 2:
            raise InputError(f"Agreement needs {what} that differ, but all are {numbers.iloc[0]:g}.")
    position = stats.rankdata(values)
    ordered, tier = np.unique(placed.to_numpy(dtype=np.float64), return_inverse=True)
    sizes = np.bincount(tier)
    by_rank = np.searchsorted(sizes.cumsum(), position - 1e-9)
    signs = np.sign(position[:, None] - position)
    agreeing = signs * np.sign(tier[:, None] - tier)
    exact = len(np.unique(position)) == len(position) <= _EXACT_UP_TO
    p_value = (
        _exact_p_value(int((agreeing < 0).sum()) // 2, sizes, alternative)
        if exact
        else _drawn_p_value(signs, tier, permutations, alternative, draw)
    )
    table = pd.DataFrame(
        {
            "position": position,
            "tier": placed,
            "tier_by_rank": pd.array(ordered[by_rank].astype(np.int64), dtype="Int64"),
            "difference": by_rank - tier,
            "against": (agreeing < 0).sum(axis=1),
            "pairs": len(tier) - sizes[tier],
        },
        index=placed.index.rename("region"),
    )
    worst = np.lexsort((position, -table["against"], -table["difference"].abs()))
    return PlacementAgreement(
        table.iloc[worst],
        float(stats.kendalltau(position, tier).statistic),
        p_value,
        float(1 - np.abs(by_rank - tier).mean() / np.abs(by_rank[:, None] - tier).mean()),
        "exact" if exact else "permutation",
        alternative,
        tuple(str(region) for region in tiers.index[tiers.isna()]),
    )


def site_evidence(sites: pd.DataFrame, evidence: pd.DataFrame) -> pd.DataFrame:
    """Named sites with the evidence of their host regions.

    Parameters
    ----------
    sites : DataFrame
        Columns ``site``, ``region`` and any others.
    evidence : DataFrame
        Index ``region``; anything known of the regions. It says nothing of the site itself.

    Returns
    -------
    DataFrame
        The sites in their order, the evidence behind their own columns.

    Raises
    ------
    RegionError
        If a site lies in a region without evidence.
    InputError
        If a column is missing, or both tables have one of the same name.

    Examples
    --------
    >>> sites = pd.DataFrame({"site": ["Campus"], "region": ["North"]})
    >>> site_evidence(sites, pd.DataFrame({"breadth": [6, 1]}, index=["North", "South"]))
         site region  breadth
    0  Campus  North        6
    """
    require_columns(sites, ["site", "region"], "The list of sites")
    check_labels(evidence.index, "region")
    check_hosts(sites["region"], evidence.index)
    twice = sites.columns.intersection(evidence.columns)
    if len(twice):
        raise InputError(f"Sites and evidence both have the column {listing(twice)}.")
    return sites.join(evidence, on="region")


def _exact_p_value(discordant: int, sizes: NDArray[np.intp], alternative: Alternative) -> float:
    """p-value from the number of discordant pairs, by counting the arrangements of the tiers."""
    counts = _inversions(sizes)
    total = sum(counts)
    # Few discordant pairs are much agreement.
    above = sum(counts[: discordant + 1]) / total
    below = sum(counts[discordant:]) / total
    return float(tail_p_value(np.array([above]), np.array([below]), alternative)[0])


def _inversions(sizes: NDArray[np.intp]) -> list[int]:
    """Arrangements of a multiset by their number of inversions: the coefficients of the q-multinomial."""
    counts, before = [1], 0
    for size in sizes.tolist():
        for step in range(1, size + 1):
            # Times (1 − q^(before + step)), divided by (1 − q^step); the division leaves no rest.
            factor = before + step
            grown = counts + [0] * factor
            for power in range(len(grown) - 1, factor - 1, -1):
                grown[power] -= grown[power - factor]
            for power in range(step, len(grown)):
                grown[power] += grown[power - step]
            counts = grown[: len(counts) + before]
        before += size
    return counts


def _drawn_p_value(
    signs: NDArray[np.float64],
    tier: NDArray[np.intp],
    permutations: int,
    alternative: Alternative,
    rng: np.random.Generator,
) -> float:
    """p-value from permuted tiers; τ-b's denominator is the same in all of them."""

    def difference(order: NDArray[np.intp]) -> float:
        return float((signs * np.sign(tier[order][:, None] - tier[order])).sum())

    observed = difference(np.arange(len(tier)))
    drawn = np.array([difference(rng.permutation(len(tier))) for _ in range(permutations)])
    at_least, at_most = np.array([(drawn >= observed).sum()]), np.array([(drawn <= observed).sum()])
    return float(permutation_p_value(at_least, at_most, permutations, alternative)[0])
