"""What the tests say of each part: co-location, spread, shape, place (docs/methods/focal.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from spatialkz.focal.models.choice import ModelChoice
from spatialkz.focal.models.models import SHAPES
from spatialkz.focal.models.reach import STRONG
from spatialkz.focal.questions.colocation import ColocationTest
from spatialkz.focal.questions.place import ContiguityTest
from spatialkz.focal.questions.spread import SpreadTest, few
from spatialkz.options import PlaceVerdict, SpreadVerdict

#: Parts that are asked for again under other choices; the models of shape take too long to be simulated anew.
PARTS = ("colocation", "spread", "place")
#: Dependence ρ below which an autoregression counts as weak.
WEAK = 0.5


@dataclass(frozen=True)
class ColocationPart:
    """Whether specializations of different sectors fall in the same regions.

    Attributes
    ----------
    verdict : {"yes", "no", "open"}
    statistic, p_value, p_sizes : float
        Variance ratio of breadth; one-sided p-values under shuffled columns and under unequal sizes (missing
        where that null is not used).
    p_ranks : float
        The same for rank sums, which need no threshold, under the null of unequal sizes where that is used.
    power : float
        Share of tables with foci in which one of the two rejects; missing where unknown.
    sizes : {"", "explains", "hides"}
        What unequal size does where the two nulls disagree.
    """

    verdict: Literal["yes", "no", "open"]
    statistic: float
    p_value: float
    p_sizes: float
    p_ranks: float
    power: float
    sizes: Literal["", "explains", "hides"] = ""

    @classmethod
    def of(
        cls,
        test: ColocationTest,
        sized: ColocationTest | None,
        ranks: ColocationTest,
        power: float,
        alpha: float,
    ) -> ColocationPart:
        """Read off the tests."""
        statistic, p_sizes = (
            float(test.table["statistic"].iloc[0]),
            np.nan if sized is None else sized.p_value,
        )
        return cls.judged(statistic, test.p_value, p_sizes, ranks.p_value, power, alpha)

    @classmethod
    def judged(
        cls, statistic: float, p_value: float, p_sizes: float, p_ranks: float, power: float, alpha: float
    ) -> ColocationPart:
        """Judge the numbers, by step 1 of the rule."""
        numbers, found = (statistic, p_value, p_sizes, p_ranks, power), p_value <= alpha
        if not np.isnan(p_sizes) and found != (p_sizes <= alpha):
            return cls("open", *numbers, "explains" if found else "hides")
        if found:
            return cls("yes", *numbers)
        return cls("no" if power >= STRONG and p_ranks > alpha else "open", *numbers)


def spread_verdict(p_value: float, p_sizes: float, alpha: float) -> SpreadVerdict:
    """Few territories, by step 2 of the rule; ``p_sizes`` is missing where that null is not used."""
    return "few" if p_value <= alpha and not p_sizes > alpha else "not shown"


def place_verdict(p_value: float, rho_upper: float, alpha: float) -> PlaceVerdict:
    """Adjoining, apart or open, by step 4 of the rule."""
    if p_value <= alpha:
        return "adjoining"
    return "apart" if rho_upper < WEAK else "open"


@dataclass(frozen=True)
class SpreadPart:
    """Whether specializations are in few territories.

    Attributes
    ----------
    verdict : {"few", "not shown"}
    regions, expected, p_value, p_sizes : float
        Regions with any specialization, as many as independence between sectors gives, and one-sided p-values
        for so few under shuffled columns and under unequal sizes (missing where that null is not used).
    held : tuple of int
        How many regions hold the excess: at least, and each beyond chance.
    few : int
        How many count as few.
    """

    verdict: SpreadVerdict
    regions: float
    expected: float
    p_value: float
    p_sizes: float
    held: tuple[int, int]
    few: int

    @classmethod
    def of(cls, test: SpreadTest, alpha: float) -> SpreadPart:
        """Read off the test, by step 2 of the rule."""
        names = ["statistic", "expected", "p_value", "p_value_sizes"]
        regions, expected, p, sized = map(float, test.table.loc["coverage", names].to_numpy(dtype=np.float64))
        limit = few(int(test.table["n"].iloc[0]))
        return cls(spread_verdict(p, sized, alpha), regions, expected, p, sized, test.held, limit)


@dataclass(frozen=True)
class ShapePart:
    """Whether the common factor is a few spikes or a gradient.

    Attributes
    ----------
    verdict : {"spikes", "gradient", "open"}
    spikes, error : float
        Posterior probability of spikes and its standard error; missing where models were not compared.
    fit, fit_other : float
        p-value of the goodness of fit of the better model of the shape favored, and of the other shape.
    """

    verdict: Literal["spikes", "gradient", "open"]
    spikes: float = np.nan
    error: float = np.nan
    fit: float = np.nan
    fit_other: float = np.nan

    @classmethod
    def of(cls, models: ModelChoice | None, alpha: float) -> ShapePart:
        """Read off the comparison of models, by step 3 of the rule."""
        if models is None:
            return cls("open")
        posterior = models.shape["posterior"]
        favored = str(posterior.idxmax())
        other = next(shape for shape in SHAPES if shape != favored)
        numbers = (
            float(posterior["spikes"]),
            float(models.shape["error"]["spikes"]),
            models.best_fit(favored),
            models.best_fit(other),
        )
        undecided = cls("open", *numbers)
        if posterior[favored] < STRONG or undecided.misfit(alpha):
            return undecided
        return cls("spikes" if favored == "spikes" else "gradient", *numbers)

    def misfit(self, alpha: float) -> bool:
        """Whether the shape favored makes no such table, and the other does."""
        return self.fit <= alpha < self.fit_other


@dataclass(frozen=True)
class PlacePart:
    """Where the foci are, as far as the map shows it.

    Attributes
    ----------
    verdict : {"apart", "adjoining", "open"}
    statistic, p_value : float
        Moran's I of breadth, and the smaller one-sided p-value for contiguity of breadth and of rank sum,
        adjusted for the two by Holm.
    p_negative : float
        The same for negative dependence: specialized regions alternate with others.
    p_sectors, power_sectors : float
        One-sided p-value of the mean of the sectors' Moran's I of ranks, and the share of tables with a belt
        for each sector in which it rejects; missing where unknown.
    rho_low, rho_high : float
        Dependence of breadth left possible (level 1 − alpha); missing where unknown.
    rho_upper : float
        The larger of the one-sided upper ends for breadth and rank sum.
    contiguous : float
        Posterior probability that the common factor follows the map; missing where models were not compared.
    """

    verdict: PlaceVerdict
    statistic: float
    p_value: float
    p_negative: float
    p_sectors: float
    power_sectors: float
    rho_low: float
    rho_high: float
    rho_upper: float
    contiguous: float = np.nan

    @property
    def excludes(self) -> bool:
        """Whether any dependence below 1 is excluded, as it is printed."""
        return self.rho_upper < 0.995

    @classmethod
    def of(cls, test: ContiguityTest, power: float, models: ModelChoice | None) -> PlacePart:
        """Read off the tests on the first graph, by step 4 of the rule."""
        name = str(test.power.index[0])
        rows, left = test.table.xs(name, level="graph"), test.dependence.xs(name, level="graph")
        # The smaller of two p-values adjusted by Holm is twice the smaller one.
        p_value, p_negative = (
            min(1.0, 2 * float(rows.loc[["breadth", "rank sum"], side].min()))
            for side in ("p_contiguous", "p_scattered")
        )
        breadth, rank_sum = left.to_numpy(dtype=np.float64)
        upper = max(breadth[2], rank_sum[2])
        by_name = dict(zip(rows.index, rows[["statistic", "p_contiguous"]].to_numpy(), strict=True))
        return cls(
            place_verdict(p_value, upper, test.alpha),
            float(by_name["breadth"][0]),
            p_value,
            p_negative,
            float(by_name["sector ranks"][1]),
            power,
            float(breadth[0]),
            float(breadth[1]),
            float(upper),
            np.nan if models is None else float(models.place["posterior"]["contiguous"]),
        )
