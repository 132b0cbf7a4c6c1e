"""What focal_test found: the evidence on each family of sectors, and the words for it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from spatialkz.errors import InputError, listing
from spatialkz.focal.influence import Influence
from spatialkz.focal.models.choice import ModelChoice
from spatialkz.focal.models.reach import Wanted
from spatialkz.focal.multiverse import Multiverse
from spatialkz.focal.parts import PlacePart, SpreadPart
from spatialkz.focal.questions.colocation import ColocationTest
from spatialkz.focal.questions.place import ContiguityTest
from spatialkz.focal.questions.spread import SpreadTest
from spatialkz.focal.verdict import UNTESTABLE, Evidence, Verdict
from spatialkz.results import Result, json_ready
from spatialkz.specialization import IndexTest

_PARTS = {
    "colocation": "whether sectors share regions",
    "sectors": "whether each sector is contiguous for itself",
    "shape": "whether a few regions stand out or all differ by degrees",
    "place": "whether the foci are apart",
}


@dataclass(frozen=True, repr=False)
class FamilyFindings(Result):
    """What was found of one family of sectors.

    Attributes
    ----------
    name : str
    sectors : tuple
    verdict : {"focal", "belt", "sector belts", "dispersed", "mixed", "undecided"}
    reason : str
        The step of the rule that decided.
    evidence : Evidence
        The four parts, each with its own verdict and numbers.
    wanted : Wanted or None
        How many regions or sectors would decide the part that is open; None if none is, or it is unknown.
    colocation : ColocationTest
        Columns shuffled.
    sized : ColocationTest or None
        Under regions of unequal size; None where no base shares are known, or that null is not usable.
    spread : SpreadTest
    contiguity : ContiguityTest
        On the first graph.
    models : ModelChoice or None
        None where fewer than two sectors differ between regions, or the map is large.
    alpha : float
        Level of the tests.
    alike : tuple of tuple of str
        Sectors that are specialized in exactly the same regions, and so say one thing several times.
    same_as : str
        An earlier family of the same sectors, whose test this one is; empty if there is none.
    """

    name: str
    sectors: tuple[Hashable, ...]
    verdict: Verdict
    reason: str
    evidence: Evidence
    wanted: Wanted | None
    colocation: ColocationTest
    sized: ColocationTest | None
    spread: SpreadTest
    contiguity: ContiguityTest
    models: ModelChoice | None
    alpha: float
    alike: tuple[tuple[str, ...], ...] = ()
    same_as: str = ""

    def to_frame(self) -> pd.DataFrame:
        """The numbers that the verdict rests on, in one row."""
        return pd.DataFrame([self.row()], index=pd.Index([self.name], name="family"))

    def row(self) -> dict[str, Any]:
        """The numbers that the verdict rests on."""
        found, spread, shape, place = (vars(part) for part in vars(self.evidence).values())
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            "sectors": len(self.sectors),
            "colocation": found["verdict"],
            "variance_ratio": found["statistic"],
            "colocation_p": found["p_value"],
            "colocation_sized_p": found["p_sizes"],
            "colocation_ranks_p": found["p_ranks"],
            "colocation_power": found["power"],
            "spread": spread["verdict"],
            "regions": spread["regions"],
            "regions_expected": spread["expected"],
            "spread_p": spread["p_value"],
            "spread_sized_p": spread["p_sizes"],
            "held_low": spread["held"][0],
            "held_high": spread["held"][1],
            "shape": shape["verdict"],
            "spikes": shape["spikes"],
            "spikes_error": shape["error"],
            "fit": shape["fit"],
            "place": place["verdict"],
            "breadth_moran": place["statistic"],
            "contiguity_p": place["p_value"],
            "rho_low": place["rho_low"],
            "rho_high": place["rho_high"],
            "rho_upper": place["rho_upper"],
            "contiguous": place["contiguous"],
            "sectors_p": place["p_sectors"],
            "sectors_power": place["power_sectors"],
        }

    def answer(self) -> str:
        """What a reader can take home, in a sentence or two."""
        title = "All sectors" if self.name == "all" else self.name.capitalize()
        if self.reason == UNTESTABLE:
            why = self.colocation.reason or self.contiguity.reason
            return f"{title}: undecided, as there is {UNTESTABLE} ({why})."
        told = [_spread(self.evidence.spread), self._together(), *self._twice()]
        return f"{title}: {self.verdict}{self._where()}. {' '.join(told)}"

    def _twice(self) -> list[str]:
        """What is one test and looks like several."""
        told = [
            f"Specialized in the same regions: {listing(names, 20)}. To these tests they are one sector, "
            f"counted {len(names)} times."
            for names in self.alike
        ]
        if self.same_as:
            told.append(f"These are the sectors of {self.same_as}: one test, not two.")
        return told

    def _where(self) -> str:
        place = f"; place {self.evidence.place.verdict}" if self.verdict == "focal" else ""
        return f"{place} ({self.reason})"

    def _together(self) -> str:
        found, spread = self.evidence.colocation, self.evidence.spread
        p = f"p = {found.p_value:.2g}"
        if not np.isnan(found.p_sizes):
            p += f"; {found.p_sizes:.2g} given regions of unequal size"
        if found.verdict == "yes":
            sentence = f"Different sectors share regions ({p}), and the excess is in {_held(spread)}"
            if self.spread.holders:
                sentence += f" ({listing(self.spread.holders, 4)})"
        else:
            sentence = f"That different sectors share regions is not shown ({p})"
        beside = f"Whether regions of many sectors lie side by side: {_told(self.evidence.place)}."
        return f"{sentence}. {beside}" + ("" if self.wanted is None else f" {_wanted(self.wanted)}")

    def to_dict(self) -> dict[str, object]:
        """Everything, ready for JSON."""
        parts: dict[str, dict[str, Any]] = {
            name: dict(vars(part)) for name, part in vars(self.evidence).items()
        }
        parts["colocation"] |= {
            "details": self.colocation.to_dict(),
            "details_sizes": None if self.sized is None else self.sized.to_dict(),
        }
        held = parts["spread"].pop("held")
        parts["spread"] |= {"held_low": held[0], "held_high": held[1], "details": self.spread.to_dict()}
        parts["place"] |= {"details": self.contiguity.to_dict()}
        return {
            "verdict": self.verdict,
            "answer": self.answer(),
            "reason": self.reason,
            "sectors": json_ready(list(self.sectors)),
            "alike": json_ready([list(names) for names in self.alike]),
            "same_as": self.same_as,
            **{name: json_ready(part) for name, part in parts.items()},
            "wanted": None if self.wanted is None else json_ready(vars(self.wanted)),
            "posterior": {} if self.models is None else json_ready(self.models.posterior),
            "models": None if self.models is None else self.models.to_dict(),
        }

    def summary(self) -> str:
        """Answer, and the numbers of each part."""
        answer = self.answer()
        if self.reason == UNTESTABLE:
            return answer
        row, shape = self.row(), self.evidence.shape
        parts = [
            answer,
            f"Breadth varies {row['variance_ratio']:.2f} times as much as if sectors were independent, and "
            f"its Moran's I is {row['breadth_moran']:.3f} (contiguity: p = {row['contiguity_p']:.2g}; of "
            f"each sector for itself {row['sectors_p']:.2g}).",
        ]
        if self.models is not None:
            parts.append(
                f"If sectors share a factor, it is a few spikes rather than a gradient with probability "
                f"{shape.spikes:.2f} (± {shape.error:.2f}; goodness of fit p = {shape.fit:.2g}), and follows "
                f"the map with probability {row['contiguous']:.2f}."
            )
        return " ".join(parts)


def _spread(spread: SpreadPart) -> str:
    where = f"{spread.regions:.0f} regions have any specialization; by chance {spread.expected:.1f} would"
    p = f"p = {spread.p_value:.2g}"
    if not np.isnan(spread.p_sizes):
        p += f"; {spread.p_sizes:.2g} given regions of unequal size"
    if spread.verdict == "few":
        return f"In fewer territories than by chance, so not widespread: {where} ({p})."
    return f"Not in fewer territories than by chance: {where} ({p})."


def _held(spread: SpreadPart) -> str:
    low, high = spread.held
    if low > spread.few:
        return f"{low} regions or more"
    return f"{low} to {high} regions" if low < high else f"{low} region{'s' if low > 1 else ''}"


def _wanted(wanted: Wanted) -> str:
    data = [f"{n} {what}" for n, what in ((wanted.regions, "regions"), (wanted.sectors, "sectors")) if n]
    if not data:
        return f"No table like this one with more regions or sectors would decide {_PARTS[wanted.part]}."
    return f"About {' or '.join(data)} would decide {_PARTS[wanted.part]} in eight of ten such tables."


def _told(place: PlacePart) -> str:
    if place.verdict == "adjoining":
        return f"they do (p = {place.p_value:.2g})"
    if place.verdict == "apart":
        return f"they do not, a dependence of {place.rho_upper:.2f} or more is excluded"
    if np.isnan(place.rho_upper):
        return "open"
    if place.excludes:
        return f"open, a dependence above {place.rho_upper:.2f} is excluded"
    return "open, no dependence is excluded"


@dataclass(frozen=True, repr=False)
class FocalTest(Result):
    """Result of :func:`focal_test`.

    Attributes
    ----------
    families : mapping of str to FamilyFindings
        ``all`` and one for each group of sectors.
    influence : mapping of str to Influence
        By family: the tests without each region, sector and (for ``all``) pair of regions.
    multiverse : Multiverse or None
        Every other choice; None where the table is too small to leave regions out, or so large that one
        hardly matters.
    threshold, alpha, permutations
        As given.
    concentration : IndexTest or None
        Each sector against the dispersion typical of the others, by
        :func:`spatialkz.focal.concentration.relative_concentration_test`; None where no base shares
        are known. It enters no verdict: sectors may be concentrated each in a place of its own.
    """

    families: Mapping[str, FamilyFindings]
    influence: Mapping[str, Influence]
    multiverse: Multiverse | None
    threshold: float
    alpha: float
    permutations: int
    concentration: IndexTest | None = None

    @property
    def verdict(self) -> Verdict:
        """The verdict on all sectors together."""
        return self.families["all"].verdict

    def to_frame(self) -> pd.DataFrame:
        """One row for each family: verdict, reason and the numbers behind them."""
        rows = {name: found.row() for name, found in self.families.items()}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("family")

    def rests_on(self, family: str = "all") -> list[str]:
        """Single regions or sectors without which the co-location test decides otherwise."""
        if family not in self.influence:
            return []
        decisive = self.influence[family].decisive()
        single = decisive.index.get_level_values("kind") != "pair"
        moved = decisive[single & decisive["changes"].str.contains("colocation")]
        return [str(name) for name in moved.index.get_level_values("dropped")]

    def influence_frame(self) -> pd.DataFrame:
        """One row for each family and deletion: ``family, kind, dropped``, p-values and what changes."""
        frames = {family: found.to_frame() for family, found in self.influence.items()}
        if not frames:
            return pd.DataFrame(columns=["family", "kind", "dropped", "colocation_p", "changes"])
        return pd.concat(frames, names=["family"]).reset_index()

    def to_dict(self) -> dict[str, object]:
        """The content of ``focal.json``."""
        influence = self.influence_frame()
        influence = influence[influence["kind"] != "none"].rename(columns={"colocation_p": "p_value"})
        many, ginis = {"specifications": 0, "verdicts": {}}, self.ginis()
        return {
            "verdict": self.verdict,
            "threshold": self.threshold,
            "alpha": self.alpha,
            "permutations": self.permutations,
            "families": {name: found.to_dict() for name, found in self.families.items()},
            "concentration": None
            if ginis is None
            else {str(sector): json_ready(row) for sector, row in ginis.drop(columns="apart").iterrows()},
            "influence": [json_ready(row) for row in influence.to_dict("records")],
            "multiverse": many if self.multiverse is None else self.multiverse.to_dict(),
        }

    def ginis(self) -> pd.DataFrame | None:
        """Locational Gini of each sector with its null and ``apart``: adjusted p ≤ alpha; None as above."""
        if self.concentration is None:
            return None
        table = self.concentration.to_frame().xs("locational_gini", level="index")
        return table.assign(apart=table["p_adjusted"] <= self.alpha)

    def sentence(self, family: str = "all") -> str:
        """What a paper could print of a family; every number is computed.

        >>> import spatialkz
        >>> study = spatialkz.load_study()
        >>> found = spatialkz.focal_test(
        ...     study.table.values, study.graph, permutations=199, simulations=600, rng=1
        ... )
        >>> found.sentence().split(":")[0]
        'All sectors'
        """
        if family not in self.families:
            raise InputError(f"There is no family {family!r}; there are {listing(self.families)}.")
        found = self.families[family]
        if found.reason == UNTESTABLE:
            return found.summary()
        parts = [found.summary()]
        rests = self.rests_on(family)
        if rests:
            parts.append(f"Without {listing(rests, 20)} the co-location test decides otherwise.")
        if self.multiverse is not None and family == "all":
            own = self.multiverse.table.query("family == 'all'")
            shares, count = own["verdict"].value_counts(normalize=True), len(own)
            told = ", ".join(f"{name} in {_percent(share)}" for name, share in shares.to_dict().items())
            parts.append(f"Over {count} specifications by the same rule, with this shape: {told}.")
        gini = self.ginis() if family == "all" else None
        if gini is not None:
            apart = gini.index[gini["apart"]]
            parts.append(
                f"By the locational Gini {len(apart)} of {len(gini)} sectors are more concentrated than a "
                "sector as dispersed as the typical other of its group would be"
                + (f": {listing(apart, 20)}." if len(apart) else ".")
            )
        return " ".join(parts)

    def summary(self) -> str:
        """A sentence for each family."""
        return "\n".join(self.sentence(family) for family in self.families)


def _percent(share: float) -> str:
    """A share in percent; what occurs is never written as 0.

    >>> _percent(0.004), _percent(0.37)
    ('<1%', '37%')
    """
    return f"{share:.0%}" if share >= 0.005 else "<1%"
