"""What focal_test found: the evidence on each family of sectors, and the words for it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from spatialkz.errors import InputError, listing
from spatialkz.focal.influence import Influence
from spatialkz.focal.models.choice import MODELS, ModelChoice
from spatialkz.focal.multiverse import Multiverse
from spatialkz.focal.questions.colocation import ColocationTest
from spatialkz.focal.questions.place import ContiguityTest
from spatialkz.focal.verdict import UNTESTABLE, Verdict
from spatialkz.results import Result, json_ready
from spatialkz.specialization import IndexTest


@dataclass(frozen=True, repr=False)
class FamilyFindings(Result):
    """What was found of one family of sectors.

    Attributes
    ----------
    name : str
    sectors : tuple
    verdict : {"focal", "belt", "dispersed", "mixed", "undecided"}
    reason : str
        The step of the rule that decided.
    colocation : ColocationTest
        Columns shuffled.
    sized : ColocationTest or None
        Under regions of unequal size; None where no base shares are known.
    contiguity : ContiguityTest
        On the first graph.
    models : ModelChoice or None
        None where fewer than two sectors differ between regions, or the map is large.
    colocation_power : float or None
        Share of tables of the focal model in which the co-location test rejects.
    """

    name: str
    sectors: tuple[Hashable, ...]
    verdict: Verdict
    reason: str
    colocation: ColocationTest
    sized: ColocationTest | None
    contiguity: ContiguityTest
    models: ModelChoice | None
    colocation_power: float | None

    def to_frame(self) -> pd.DataFrame:
        """The numbers that the verdict rests on, in one row."""
        return pd.DataFrame([self.row()], index=pd.Index([self.name], name="family"))

    def row(self) -> dict[str, Any]:
        """The numbers that the verdict rests on."""
        ratio = self.colocation.to_frame().loc["variance ratio"]
        moran = self.contiguity.to_frame().xs("breadth", level="statistic").iloc[0]
        power = self.contiguity.power.iloc[0]
        posterior = {} if self.models is None else self.models.posterior.to_dict()
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            "sectors": len(self.sectors),
            "variance_ratio": ratio["statistic"],
            "colocation_p": ratio["p_value"],
            "colocation_sized_p": np.nan if self.sized is None else self.sized.p_value,
            "colocation_power": np.nan if self.colocation_power is None else self.colocation_power,
            "breadth_moran": moran["statistic"],
            "contiguity_p": moran["p_value"],
            "contiguity_power": power["power_08"],
            **{f"posterior_{model}": posterior.get(model, np.nan) for model in MODELS},
            "fit": np.nan if self.models is None else self.models.fit[self.models.selected],
        }

    def to_dict(self) -> dict[str, object]:
        """Everything, ready for JSON."""
        row = self.row()
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            "sectors": json_ready(list(self.sectors)),
            "colocation": {
                "statistic": json_ready(row["variance_ratio"]),
                "p_value": json_ready(row["colocation_p"]),
                "p_value_sizes": json_ready(row["colocation_sized_p"]),
                "power": json_ready(row["colocation_power"]),
                "details": self.colocation.to_dict(),
                "details_sizes": None if self.sized is None else self.sized.to_dict(),
            },
            "contiguity": {
                "statistic": json_ready(row["breadth_moran"]),
                "p_value": json_ready(row["contiguity_p"]),
                "power": json_ready(row["contiguity_power"]),
                "details": self.contiguity.to_dict(),
            },
            "posterior": {} if self.models is None else json_ready(self.models.posterior),
            "models": None if self.models is None else self.models.to_dict(),
        }

    def summary(self) -> str:
        """Verdict, tests and models in sentences."""
        row = self.row()
        title = "All sectors" if self.name == "all" else f"Family {self.name}"
        if self.reason == UNTESTABLE:
            return f"{title}: undecided, for {self.colocation.reason or self.contiguity.reason}."
        parts = [
            f"{title}: {self.verdict} ({self.reason}).",
            f"Breadth varies {row['variance_ratio']:.2f} times as much as under independence between sectors "
            f"(p = {row['colocation_p']:.2g}"
            + (
                ""
                if self.sized is None
                else f"; {row['colocation_sized_p']:.2g} given regions of unequal size"
            )
            + "),",
            f"and its Moran's I is {row['breadth_moran']:.3f} (p = {row['contiguity_p']:.2g}, "
            f"{_power(row['contiguity_power'])}).",
        ]
        if self.models is not None:
            best = self.models.selected
            parts.append(
                f"Of the models compared, '{best}' has posterior probability "
                f"{self.models.posterior[best]:.2f} (± {self.models.error[best]:.2f}; "
                f"goodness of fit p = {self.models.fit[best]:.2g})."
            )
        return " ".join(parts)


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
        ...     study.table.values, study.graph, permutations=199, simulations=600, trees=60, rng=1
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
            parts.append(f"Over {count} specifications of the tests of all sectors alone: {told}.")
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


def _power(power: float) -> str:
    return "power unknown" if np.isnan(power) else f"power {power:.2f} against a dependence of 0.8"
