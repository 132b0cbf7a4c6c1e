"""A ranking held against what others say: expert tiers, growth points, and the places that a source names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from spatialkz.candidates.candidates import CandidateRanking
from spatialkz.candidates.context import study_growth_points
from spatialkz.candidates.naming import NamingTest, naming_matrix, naming_test
from spatialkz.candidates.validation import PlacementAgreement, placement_agreement, site_evidence
from spatialkz.errors import InputError
from spatialkz.randomness import generator
from spatialkz.results import frozen, json_ready
from spatialkz.specialization import table_quotients
from spatialkz.study import Study

# Draws of the null of each naming test, and simulated policies behind its power (standard error ≤ 0.035).
_DRAWS, _POLICIES = 1_999, 200


@dataclass(frozen=True)
class RankingReview:
    """Result of :func:`review_ranking`; what the study does not know is None or empty.

    Attributes
    ----------
    agreement : PlacementAgreement or None
        Of the order of areas with the expert tiers, which entered no score.
    growth : DataFrame or None
        Each growth point with what it is named for: matched, emerging, mismatched, not mappable.
    naming : mapping of str to NamingTest
        By policy, and ``all`` policies together: are the named cells higher in quotient than chance?
    sites : DataFrame or None
        Places the source names, with the evidence on their region.
    notes : tuple of str
        What could not be tested, and why.
    """

    agreement: PlacementAgreement | None
    growth: pd.DataFrame | None
    naming: Mapping[str, NamingTest]
    sites: pd.DataFrame | None
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """All parts, ready for JSON."""
        growth = None
        if self.growth is not None:
            growth = self.growth.groupby("policy")["status"].value_counts().unstack(fill_value=0)
        return {
            "agreement": None if self.agreement is None else self.agreement.to_dict(),
            "growth_points": None if growth is None else json_ready(growth),
            "notes": list(self.notes),
            "naming": {policy: test.to_dict() for policy, test in self.naming.items()},
            "sites": None
            if self.sites is None
            else [json_ready(row) for row in self.sites.to_dict("records")],
        }

    def summary(self) -> str:
        """All parts as text."""
        parts = [] if self.agreement is None else [self.agreement.summary()]
        parts += [f"{policy}: {test.summary()}" for policy, test in self.naming.items()]
        parts += self.notes
        return "\n".join(parts) or "Nothing to hold the ranking against."


def review_ranking(
    study: Study, ranking: CandidateRanking, *, rng: int | np.random.Generator | None = None
) -> RankingReview:
    """Hold a ranking against expert tiers, growth points and named places.

    Parameters
    ----------
    study : Study
    ranking : CandidateRanking
        Of the same study; nothing here changes it.
    rng : int, Generator or None

    Returns
    -------
    RankingReview

    Raises
    ------
    InputError, RegionError
        As :func:`placement_agreement` and :func:`growth_points`.

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> ranking = spatialkz.rank_candidates(study, draws=200, rng=1)
    >>> review_ranking(study, ranking, rng=1).growth["status"].value_counts()["matched"] > 0
    np.True_
    """
    quotients = table_quotients(study.table)
    areas = ranking.areas.set_index("region")
    for_tiers, for_naming = generator(rng, "review_ranking").spawn(2)
    agreement = None
    notes: list[str] = []
    if study.placement is not None and study.placement.nunique() > 1 and study.placement.count() > 2:
        try:
            agreement = placement_agreement(
                areas["rank"].loc[quotients.index], study.placement, rng=for_tiers
            )
        except InputError as error:
            notes.append(f"The ranks were not compared with the expert tiers. {error}")
    growth = study_growth_points(study, quotients)
    naming: dict[str, NamingTest] = {}
    if growth is not None:
        mapped = growth.dropna(subset=["sector"])
        policies = {str(policy): part for policy, part in mapped.groupby("policy", sort=False)}
        if len(policies) > 1:
            policies["all"] = mapped
        for policy, part in policies.items():
            try:
                naming[policy] = naming_test(
                    naming_matrix(part, quotients.index, quotients.columns),
                    quotients,
                    threshold=study.choices.threshold,
                    permutations=_DRAWS,
                    simulations=_POLICIES,
                    rng=for_naming.spawn(1)[0],
                )
            except InputError as error:
                # Too few names to be compared with others; the rest of the review stands.
                notes.append(f"The naming by {policy} was not tested. {error}")
    named = study.places.named
    evidence = areas[[name for name in ("rank", "breadth", "district_type", "formation") if name in areas]]
    return RankingReview(
        agreement=agreement,
        growth=None if growth is None else frozen(growth),
        naming=naming,
        sites=None if named.empty else frozen(site_evidence(named, evidence)),
        notes=tuple(notes),
    )
